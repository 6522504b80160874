/** Ticks at round numbers, and the mapping from values to a share of the axis. */

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface Axis {
  readonly log: boolean;
  /** Ticks in order of importance: where two labels would collide, the earlier stays. */
  readonly ticks: readonly Tick[];
  /** The position of a value: 0 at the lower end of the axis, 1 at the upper end. */
  position(value: number): number;
}

/** With a smaller span, a linear axis still shows the small values. */
const LOG_FROM_DECADES = 1.5;

/** An axis for finite values, logarithmic if they span more than 1.5 decades. */
export function valueAxis(low: number, high: number, mostTicks: number): Axis {
  const decades = low > 0 ? Math.log10(high) - Math.log10(low) : 0;
  return decades > LOG_FROM_DECADES ? logAxis(low, high, mostTicks) : linearAxis(low, high, mostTicks);
}

/** @param low at most `high` */
export function linearAxis(low: number, high: number, mostTicks: number): Axis {
  const size = Math.max(Math.abs(low), Math.abs(high));
  // A range of rounding errors is a constant: draw it with room around it.
  if (high - low <= size * 1e-9) {
    const room = size > 0 ? size / 2 : 1;
    return linearAxis(low - room, high + room, mostTicks);
  }
  const step = niceStep(high - low, mostTicks);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const top = Math.max(Math.abs(first), Math.abs(last)) * step;
  const ticks: Tick[] = [];
  for (let k = first; k <= last; k++) ticks.push({ value: k * step, label: stepLabel(k * step, step, top) });
  return { log: false, ticks, position: (value) => (value / step - first) / (last - first) };
}

/** The smallest 1, 2 or 5 times a power of ten that cuts `span` into fewer than `mostTicks` parts. */
export function niceStep(span: number, mostTicks: number): number {
  const rough = span / Math.max(1, mostTicks - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5].find((f) => f * power >= rough) ?? 10;
  return factor * power;
}

/** A multiple of `step`, with enough decimals to be distinct; `top` is the largest value. */
function stepLabel(value: number, step: number, top: number): string {
  const stepExponent = Math.floor(Math.log10(step) + 1e-9);
  if (top >= 1e6 || top < 1e-4) {
    const digits = value === 0 ? 0 : Math.max(0, Math.floor(Math.log10(Math.abs(value))) - stepExponent);
    return value === 0 ? '0' : value.toExponential(Math.min(digits, 9)).replace('e+', 'e');
  }
  return value.toFixed(Math.max(0, -stepExponent)).replace(/^-(0\.?0*)$/, '$1');
}

/** @param low above 0, and at most `high` */
export function logAxis(low: number, high: number, mostTicks: number): Axis {
  const lowest = roundLog(low, Math.floor);
  const highest = roundLog(high, Math.ceil);
  const fromExponent = Math.ceil(Math.log10(lowest) - 1e-9);
  const toExponent = Math.floor(Math.log10(highest) + 1e-9);
  const every = Math.ceil((toExponent - fromExponent + 1) / mostTicks);
  const values: number[] = [];
  for (let e = fromExponent; e <= toExponent; e += every) values.push(10 ** e);
  values.push(highest, lowest);
  if (every === 1) {
    for (let e = fromExponent - 1; e <= toExponent; e++) values.push(2 * 10 ** e, 5 * 10 ** e);
  }
  const inside = values.filter((v) => v >= lowest * (1 - 1e-9) && v <= highest * (1 + 1e-9));
  const origin = Math.log10(lowest);
  const span = Math.log10(highest) - origin;
  return {
    log: true,
    ticks: inside.map((value) => ({ value, label: decadeLabel(value) })),
    position: (value) => (Math.log10(value) - origin) / span,
  };
}

/** The nearest 1, 2 or 5 times a power of ten below (`Math.floor`) or above (`Math.ceil`) a value. */
function roundLog(value: number, direction: (x: number) => number): number {
  const mantissas = [1, 2, 5, 10];
  const exponent = Math.floor(Math.log10(value) + 1e-12);
  const mantissa = value / 10 ** exponent;
  const below = mantissas.findLastIndex((m) => m <= mantissa * (1 + 1e-9));
  const exact = Math.abs(mantissas[below] - mantissa) <= 1e-9 * mantissa;
  const index = direction === Math.ceil && !exact ? below + 1 : below;
  return mantissas[Math.max(0, index)] * 10 ** exponent;
}

function decadeLabel(value: number): string {
  return value >= 0.000999 && value < 99_999
    ? String(Number(value.toPrecision(1)))
    : value.toExponential(0).replace('e+', 'e');
}

/** Both ends, and between them multiples of a round step; at most `mostTicks` + 1 whole numbers. */
export function integerTicks(first: number, last: number, mostTicks: number): Tick[] {
  const ends = first === last ? [first] : [first, last];
  const step = Math.max(1, niceStep(last - first || 1, mostTicks));
  const values = [...ends];
  for (let v = Math.ceil((first + 1) / step) * step; v < last; v += step) values.push(v);
  return values.map((value) => ({ value, label: String(value) }));
}
