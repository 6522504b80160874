import { describe, expect, it } from 'vitest';
import {
  ACTIVATIONS,
  type ActivationFormula,
  type ActivationType,
  erf,
  erfc,
} from '../../src/kernels/activations.js';
import { fixture } from '../support/fixtures.js';

interface FunctionFixture {
  activation: { type: ActivationType; slope?: number; alpha?: number };
  x: number[];
  y: number[];
  derivative: number[];
}

describe.each(fixture<FunctionFixture[]>('mpmath/functions.json'))('$activation.type', (entry) => {
  const { activation, x } = entry;
  const { value, derivative }: ActivationFormula = ACTIVATIONS[activation.type];
  const p = activation.slope ?? activation.alpha ?? 0;

  it('has the values of mpmath', () => {
    const y = x.map((xi) => value(xi, p));
    // erfc(x) by e^−x² loses up to about x² units in the last place
    expect(y).toBeAllclose(entry.y, { relative: 2e-13, absolute: 1e-300 });
  });

  it('has the derivatives of mpmath', () => {
    const d = x.map((xi) => derivative(xi, value(xi, p), p));
    // 1 − y² and y·(1 − y) keep absolute, not relative precision where the function is flat
    expect(d).toBeAllclose(entry.derivative, { relative: 1e-13, absolute: 3e-16 });
  });
});

describe('erf', () => {
  it('is odd, and erfc its complement', () => {
    for (const x of [0, 1e-300, 1e-9, 0.3, 0.5, 0.7, 1, 1.9, 2, 2.1, 5, 30, Number.POSITIVE_INFINITY]) {
      expect(erf(-x)).toBe(-erf(x));
      expect(erf(x) + erfc(x)).toBeCloseTo(1, 15);
    }
    expect(erf(Number.NaN)).toBeNaN();
    expect(erfc(Number.NaN)).toBeNaN();
  });

  it('has the values of Abramowitz and Stegun, table 7.1', () => {
    expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(erf(1)).toBeCloseTo(0.8427007929, 10);
    expect(erf(2)).toBeCloseTo(0.995322265, 9);
  });
});
