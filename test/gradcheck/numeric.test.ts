import { describe, expect, it } from 'vitest';
import { KINK_STEP, numericDerivative, numericGradient, relativeError } from '../../src/gradcheck/numeric.js';

const smooth = (f: (x: number) => number) => (x: number) => ({ value: f(x) });

/** A function with one kink where `argument` is 0. */
const kinked = (f: (x: number) => number, argument: (x: number) => number) => (x: number) => ({
  value: f(x),
  sides: [Math.sign(argument(x))],
});

describe('relativeError', () => {
  it('divides the difference by the sum of the magnitudes', () => {
    expect(relativeError(1, 3)).toBe(0.5);
    expect(relativeError(-2, 2)).toBe(1);
  });

  it('takes 1e-8 where both are smaller, so that two zeros agree', () => {
    expect(relativeError(0, 0)).toBe(0);
    expect(relativeError(1e-9, 0)).toBeCloseTo(0.1, 12);
  });
});

describe('numericDerivative', () => {
  it.each<[string, (x: number) => number, (x: number) => number, number]>([
    ['x³', (x) => x ** 3, (x) => 3 * x * x, 1.7],
    ['exp', Math.exp, Math.exp, 2],
    ['exp far out', Math.exp, Math.exp, -20],
    ['sin', Math.sin, Math.cos, 100],
    ['log', Math.log, (x) => 1 / x, 0.01],
    [
      'a steep tanh, as of data that were not standardised',
      (x) => Math.tanh(1000 * x),
      (x) => 1000 / Math.cosh(1000 * x) ** 2,
      0.0003,
    ],
    [
      'its square, flat on both sides of the widest steps',
      (x) => Math.tanh(2000 * x) ** 2,
      (x) => (4000 * Math.tanh(2000 * x)) / Math.cosh(2000 * x) ** 2,
      2.5e-4,
    ],
    ['a small slope on a large value', (x) => 1 + 1e-4 * Math.sin(x), (x) => 1e-4 * Math.cos(x), 0.3],
    ['a large argument', (x) => x * x, (x) => 2 * x, 1e6],
  ])('finds the derivative of %s to 1e-8', (_, f, derivative, x) => {
    const numeric = numericDerivative(smooth(f), x);
    expect(relativeError(derivative(x), numeric.value)).toBeLessThan(1e-8);
    expect(numeric.kink).toBe(false);
  });

  it('is exact for a straight line', () => {
    expect(
      numericDerivative(
        smooth((x) => 3 * x),
        1,
      ).value,
    ).toBe(3);
  });

  const relu = kinked(
    (x) => Math.max(0, x),
    (x) => x,
  );

  it.each([0, KINK_STEP / 2, -KINK_STEP / 2])('reports a kink within its interval, at x = %d', (x) => {
    expect(numericDerivative(relu, x).kink).toBe(true);
  });

  it.each([
    [2 * KINK_STEP, 1],
    [-2 * KINK_STEP, 0],
    [1e-3, 1],
  ])('differentiates beside a kink, at x = %d', (x, derivative) => {
    const numeric = numericDerivative(relu, x);
    expect(numeric.kink).toBe(false);
    expect(relativeError(derivative, numeric.value)).toBeLessThan(1e-9);
  });

  it('widens the interval with the parameter', () => {
    const far = kinked(
      (x) => Math.max(1000, x),
      (x) => x - 1000,
    );
    expect(numericDerivative(far, 1000 + 500 * KINK_STEP).kink).toBe(true);
  });

  it('gives the slopes on both sides of a kink', () => {
    const { slopes, value } = numericDerivative(relu, 0);
    expect(slopes[0]).toBe(0);
    expect(slopes[1]).toBeCloseTo(1, 12);
    expect(value).toBeCloseTo(0.5, 12);
  });

  it('sees no kink in an argument that is 0 and does not move', () => {
    const still = (x: number) => ({ value: 2 * x, sides: [0] });
    expect(numericDerivative(still, 1)).toMatchObject({ kink: false, value: 2 });
  });

  it('reports the edge of the domain like a kink, with the slope of the side that has one', () => {
    const { kink, value } = numericDerivative(smooth(Math.sqrt), KINK_STEP / 4);
    expect(kink).toBe(true);
    expect(Number.isFinite(value)).toBe(true);
  });

  it('says how much rounding may have changed', () => {
    const f = (x: number) => 1e6 + Math.sin(x);
    const { value, noise } = numericDerivative(smooth(f), 1);
    expect(Math.abs(value - Math.cos(1))).toBeLessThan(noise);
    expect(noise).toBeLessThan(1e-3);
  });
});

describe('numericGradient', () => {
  it('moves one element at a time and leaves the point as it was', () => {
    const point = [2, 3];
    const gradient = numericGradient(([a, b]) => ({ value: a * a * b }), point);
    expect(gradient.map(({ value }) => value)).toBeAllclose([12, 4], { relative: 1e-10 });
    expect(point).toEqual([2, 3]);
  });
});
