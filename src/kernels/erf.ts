/**
 * The error function, to a few units in the last place over the whole range; slow and short, for the reference kernels.
 * Abramowitz and Stegun: 7.1.6 (series of positive terms, so nothing cancels) and 7.1.14 (continued fraction).
 */

/** Below this the series converges fast; above it erfc is small and needs a form of its own. */
const SERIES_BOUND = 2;
/** Terms of the continued fraction that reach double precision at SERIES_BOUND, where it converges slowest. */
const FRACTION_TERMS = 100;

/** erf(x) = 2/√π · ∫₀ˣ e^−t² dt */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < SERIES_BOUND) return erfSeries(x);
  return Math.sign(x) * (1 - erfcFraction(size));
}

/** erfc(x) = 1 − erf(x), without cancellation for large x */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x >= SERIES_BOUND) return erfcFraction(x);
  if (x <= -SERIES_BOUND) return 2 - erfcFraction(-x);
  // From ½ on, 1 − erf(x) would cancel; there the fraction is still accurate when given more terms.
  return x > 0.5 ? erfcFraction(x, Math.ceil(FRACTION_TERMS * (SERIES_BOUND / x) ** 2)) : 1 - erfSeries(x);
}

/** erf(x) = 2/√π · e^−x² · Σ_n 2ⁿ x^(2n+1) / (1·3·5···(2n+1)) */
function erfSeries(x: number): number {
  const twoSquares = 2 * x * x;
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 2 ** -54; odd += 2) {
    term *= twoSquares / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** √π · e^x² · erfc(x) = 1/(x + ½/(x + 1/(x + (3/2)/(x + …)))) for x > 0, evaluated from its end */
function erfcFraction(x: number, terms = FRACTION_TERMS): number {
  let denominator = x;
  for (let n = terms; n > 0; n--) denominator = x + n / 2 / denominator;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * denominator);
}
