/** Whether a target is easier to learn from its logarithm. */
import type { TargetTransform } from '../../spec/words.js';

/** Factor from the least number to the greatest: two decades. */
const LEAST_RATIO = 100;
/** Of a log-normal distribution whose logarithm has a deviation of 0.7, about. */
const LEAST_SKEWNESS = 3;

/**
 * The transform that a target without negative numbers should have: if it is strongly skewed to the
 * right, spans two decades or more, and its logarithm is much less skewed. NaN is missing.
 */
export function transformFor(values: Float64Array): TargetTransform | undefined {
  const present = presentOf(values);
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of present) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (!(least >= 0 && greatest < Number.POSITIVE_INFINITY)) return undefined;
  const transform = least > 0 ? 'log' : 'log1p';
  if (greatest < LEAST_RATIO * (transform === 'log' ? least : 1)) return undefined;
  const skewness = skewnessOf(present);
  if (skewness < LEAST_SKEWNESS) return undefined;
  const ofLogarithm = skewnessOf(present.map(transform === 'log' ? Math.log : Math.log1p));
  return Math.abs(ofLogarithm) < skewness / 2 ? transform : undefined;
}

function presentOf(values: Float64Array): Float64Array {
  return values.some(Number.isNaN) ? values.filter((value) => !Number.isNaN(value)) : values;
}

/** Of a log-normal distribution whose logarithm has a deviation of 0.3, about. */
const LEAST_OF_PRICES = 1;

/**
 * Whether a target is as prices are: above 0, skewed to the right, and its logarithm much less. What
 * acts on such a target mostly multiplies it. NaN is missing.
 */
export function isLikePrices(values: Float64Array): boolean {
  const present = presentOf(values);
  if (!present.every((value) => value > 0 && value < Number.POSITIVE_INFINITY)) return false;
  const skewness = skewnessOf(present);
  return skewness >= LEAST_OF_PRICES && Math.abs(skewnessOf(present.map(Math.log))) < skewness / 2;
}

/** The third central moment over the cubed deviation: `scipy.stats.skew`. */
export function skewnessOf(values: Float64Array): number {
  let mean = 0;
  for (const value of values) mean += value / values.length;
  let squares = 0;
  let cubes = 0;
  // In units of the largest distance, so that no cube overflows.
  let unit = 0;
  for (const value of values) unit = Math.max(unit, Math.abs(value - mean));
  for (const value of values) {
    const d = (value - mean) / unit;
    squares += d * d;
    cubes += d * d * d;
  }
  return unit === 0 ? 0 : cubes / values.length / (squares / values.length) ** 1.5;
}
