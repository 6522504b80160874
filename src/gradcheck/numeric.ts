/**
 * Derivatives by differences, in float64, of functions that may have kinks. A single centred
 * difference at its best step, h ≈ ε^⅓, has an error of about 1e−10·|f|: too coarse for a gradient
 * of 1e−4 to a relative 1e−7. Hence Ridders' method: extrapolate shrinking steps to h = 0 and use
 * the entry that moved least (Advances in Engineering Software 4(2), 1982). Two differences over
 * the narrowest steps come first: they show a kink, and values far from them are ignored.
 */

/** Half the interval that is searched for a kink, for |x| ≤ 1; it grows with |x|. */
export const KINK_STEP = 2 ** -16;

const WIDEST_STEP = 2 ** -6;

/** Below this relative change another row of the extrapolation is not worth its evaluations. */
const CONVERGED = 1e-11;

/** Rounding of one evaluation, in units of the largest number in it. */
const EVALUATION_ERROR = 8 * Number.EPSILON;

export interface Sample {
  readonly value: number;
  /** Signs (−1, 0, 1) whose change is a kink, such as all ReLUs' arguments, in a fixed order. */
  readonly sides?: ArrayLike<number>;
  /** The largest magnitude in the computation of the value; if left out, that of the value itself. */
  readonly magnitude?: number;
}

export interface NumericDerivative {
  readonly value: number;
  /** A kink or the edge of the domain lies in [x − h, x + h], h = KINK_STEP·max(1, |x|). */
  readonly kink: boolean;
  /** How much rounding alone may have changed `value`. */
  readonly noise: number;
  /** The slopes on both sides. At a kink they differ; any value between them is a subgradient. */
  readonly slopes: readonly [left: number, right: number];
}

/** |a − n| / max(1e−8, |a| + |n|) */
export function relativeError(a: number, n: number): number {
  return Math.abs(a - n) / Math.max(1e-8, Math.abs(a) + Math.abs(n));
}

/** df/dx at x. Calls `evaluate` 5 times at a kink, else 9 to 25 times, mostly 13; first at x. */
export function numericDerivative(evaluate: (x: number) => Sample, x: number): NumericDerivative {
  const scale = Math.max(1, Math.abs(x));
  const centre = evaluate(x);
  const difference = (step: number) => {
    const h = step * scale;
    const left = evaluate(x - h);
    const right = evaluate(x + h);
    return {
      value: (right.value - left.value) / (x + h - (x - h)),
      smooth: sameSide(left, centre) && sameSide(right, centre),
      noise: (EVALUATION_ERROR * Math.max(magnitude(left), magnitude(right))) / h,
      slopes: [(centre.value - left.value) / h, (right.value - centre.value) / h] as const,
    };
  };

  const wide = difference(KINK_STEP);
  const narrow = difference(KINK_STEP / 2);
  const { slopes } = narrow;
  if (!wide.smooth || !narrow.smooth) {
    // Beyond the edge of the domain there is no value: then the slope on the near side is used.
    const value = [wide.value, ...wide.slopes, ...slopes].find(Number.isFinite) ?? Number.NaN;
    return { value, kink: true, noise: wide.noise, slopes: wide.smooth ? slopes : wide.slopes };
  }

  const doubt = Math.abs(wide.value - narrow.value) + narrow.noise;
  let best = { value: narrow.value, change: doubt, noise: narrow.noise };
  let row: number[] = [];
  for (let step = WIDEST_STEP; step >= KINK_STEP / 2; step /= 2) {
    const next = step > KINK_STEP ? difference(step) : step === KINK_STEP ? wide : narrow;
    if (!next.smooth) {
      row = [];
      continue;
    }
    const extrapolated = [next.value];
    row.forEach((previous, j) => {
      const power = 4 ** (j + 1);
      const value = (power * extrapolated[j] - previous) / (power - 1);
      const change = Math.max(Math.abs(value - extrapolated[j]), Math.abs(value - previous));
      if (change < best.change && Math.abs(value - narrow.value) <= doubt) {
        best = { value, change, noise: next.noise };
      }
      extrapolated.push(value);
    });
    row = extrapolated;
    if (
      best.change <= Math.max(CONVERGED * Math.abs(best.value), best.noise / 8) &&
      best.noise < narrow.noise
    ) {
      break;
    }
  }
  return { value: best.value, kink: false, noise: best.noise, slopes };
}

/** The derivative by every element of `point`. The array passed to `evaluate` changes in place. */
export function numericGradient(
  evaluate: (point: Float64Array) => Sample,
  point: ArrayLike<number>,
): NumericDerivative[] {
  const moved = Float64Array.from(point);
  return Array.from(point, (x, i) => {
    const derivative = numericDerivative((xi) => {
      moved[i] = xi;
      return evaluate(moved);
    }, x);
    moved[i] = x;
    return derivative;
  });
}

/** Whether no kink lies between: what is 0 at both does not move in this direction. */
function sameSide(a: Sample, b: Sample): boolean {
  if (!Number.isFinite(a.value) || !Number.isFinite(b.value)) return false;
  const left = a.sides ?? [];
  const right = b.sides ?? [];
  for (let i = 0; i < left.length; i++) {
    if (left[i] !== right[i]) return false;
  }
  return true;
}

function magnitude(sample: Sample): number {
  return sample.magnitude ?? Math.abs(sample.value);
}
