import { describe, expect, it } from 'vitest';
import { fitStandardization, standardize } from '../../src/data/scaling.js';

describe('fitStandardization', () => {
  it('divides by n', () => {
    // by hand: deviations −3 −1 1 3, squares 20, variance 5; and a second column of 0 10 0 10
    const { mean, scale, constant } = fitStandardization(Float64Array.of(1, 0, 3, 10, 5, 0, 7, 10), 2);
    expect(mean).toEqual(Float64Array.of(4, 5));
    expect(scale).toEqual(Float64Array.of(Math.sqrt(5), 5));
    expect(constant).toEqual([]);
  });

  it('keeps its digits where the mean is far from 0', () => {
    const { scale } = fitStandardization(Float64Array.of(1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16), 1);
    expect(scale).toBeAllclose([Math.sqrt(22.5)], { relative: 1e-14 });
  });

  it('scales a constant column by 1', () => {
    // 0.1 summed up 999 times is not 99.9, which leaves a variance of rounding errors
    const { scale, constant } = fitStandardization(new Float64Array(999).fill(0.1), 1);
    expect(scale).toEqual(Float64Array.of(1));
    expect(constant).toEqual([0]);
  });

  it('does not take a small spread for none', () => {
    const { constant } = fitStandardization(Float64Array.of(1, 1 + 1e-12, 1, 1 + 1e-12), 1);
    expect(constant).toEqual([]);
  });

  it('takes a single row for a constant', () => {
    const fitted = fitStandardization(Float64Array.of(3, -4), 2);
    expect(fitted.constant).toEqual([0, 1]);
    expect(fitted.mean).toEqual(Float64Array.of(3, -4));
  });
});

describe('standardize', () => {
  it('subtracts the mean and divides by the scale, in place', () => {
    const values = Float64Array.of(1, 10, 5, -10);
    standardize(values, { mean: Float64Array.of(3, 0), scale: Float64Array.of(2, 5) });
    expect(values).toEqual(Float64Array.of(-1, 2, 1, -2));
  });
});
