/** Range, mean and deviation of numbers of any size. */

export interface Moments {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population: divided by the count, as `numpy.std`. */
  readonly deviation: number;
  /** Whether all are whole numbers. */
  readonly whole: boolean;
}

/** The moments of all values but NaN; undefined where there are none. The others must be finite. */
export function momentsOf(values: Float64Array): Moments | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let whole = true;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    count++;
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && value !== Math.floor(value)) whole = false;
  }
  if (count === 0) return undefined;
  // A zero without a sign.
  min += 0;
  max += 0;
  if (min === max) return { min, max, mean: min, deviation: 0, whole };

  // In units of about the largest value, so that no square overflows or vanishes; a power of two changes no digit.
  const unit = 2 ** Math.min(1000, Math.max(-1000, Math.floor(Math.log2(Math.max(-min, max)))));
  const scale = 1 / unit;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) sum += values[i] * scale;
  }
  const guess = sum / count;
  // The second pass mends the rounding of the first: "corrected two-pass", Chan, Golub & LeVeque 1983.
  let rest = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const distance = values[i] * scale - guess;
    rest += distance;
    squares += distance * distance;
  }
  const mean = (guess + rest / count) * unit;
  const deviation = Math.sqrt((squares - (rest * rest) / count) / count) * unit;
  return { min, max, mean, deviation, whole };
}
