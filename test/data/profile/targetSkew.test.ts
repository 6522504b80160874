import { describe, expect, it } from 'vitest';
import { isLikePrices, skewnessOf, transformFor } from '../../../src/data/profile/targetSkew.js';

/** Quantiles of a normal distribution, roughly: the logistic function turned round. */
const BELL = Float64Array.from({ length: 999 }, (_, i) => Math.log((i + 1) / (999 - i)) / 1.7);

describe('the skewness', () => {
  it('is that of scipy.stats.skew', () => {
    // Mean 1/4, moments 3/16 and 3/32 by hand.
    expect([skewnessOf(Float64Array.of(0, 0, 0, 1))]).toBeAllclose([3 / 32 / (3 / 16) ** 1.5], {
      relative: 1e-14,
    });
    expect([skewnessOf(Float64Array.of(-1e300, 0, 1e300))]).toBeAllclose([0], { absolute: 1e-15 });
    expect(skewnessOf(Float64Array.of(5, 5))).toBe(0);
  });
});

describe('the transform of a target', () => {
  it.each([
    ['log', 'a log-normal one', BELL.map((z) => Math.exp(2 * z))],
    ['log', 'one with gaps', Float64Array.of(Number.NaN, ...BELL.map((z) => Math.exp(2 * z)))],
    ['log1p', 'one with zeros', BELL.map((z) => Math.floor(Math.exp(2 * z)))],
    [undefined, 'a normal one', BELL.map((z) => 100 + z)],
    [undefined, 'one below 0', BELL.map((z) => Math.exp(2 * z) - 1)],
    [undefined, 'one of a single decade', BELL.map((z) => 1000 + Math.exp(2 * z))],
    [undefined, 'one with a single value', Float64Array.of(0, 0)],
    [undefined, 'none', new Float64Array(0)],
  ])('is %s for %s', (expected, _, values) => {
    expect(transformFor(values)).toBe(expected);
  });
});

describe('a target like prices', () => {
  it.each([
    [true, 'a log-normal one', BELL.map((z) => Math.exp(0.5 * z))],
    [true, 'one with gaps', Float64Array.of(Number.NaN, ...BELL.map((z) => Math.exp(0.5 * z)))],
    [false, 'one that is hardly skewed', BELL.map((z) => Math.exp(0.05 * z))],
    [false, 'one whose logarithm is as skewed', BELL.map((z) => Math.exp(-Math.exp(0.9 * z)))],
    [false, 'one with a zero', Float64Array.of(0, ...BELL.map((z) => Math.exp(0.5 * z)))],
    [false, 'one that is infinite', Float64Array.of(Number.POSITIVE_INFINITY, 1, 2)],
    [false, 'none', new Float64Array(0)],
  ])('is %s for %s', (expected, _, values) => {
    expect(isLikePrices(values)).toBe(expected);
  });
});
