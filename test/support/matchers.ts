import './equality.js';
import { expect } from 'vitest';

/** Bounds of `toBeAllclose`: |actual − expected| ≤ absolute + relative·|expected|, as numpy.allclose has it. */
export interface Tolerance {
  relative?: number;
  absolute?: number;
}

expect.extend({
  toBeAllclose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance = {}) {
    const { relative = 0, absolute = 0 } = tolerance;
    if (actual.length !== expected.length) {
      return {
        pass: false,
        message: () => `${actual.length} elements when expected ${expected.length}`,
      };
    }
    let worst = -1;
    let worstExcess = 0;
    for (let i = 0; i < expected.length; i++) {
      if (actual[i] === expected[i] || Object.is(actual[i], expected[i])) continue;
      const excess = Math.abs(actual[i] - expected[i]) / (absolute + relative * Math.abs(expected[i]));
      if (!(excess <= worstExcess)) {
        worst = i;
        worstExcess = excess;
      }
    }
    const pass = worst < 0 || worstExcess <= 1;
    return {
      pass,
      message: () =>
        `element ${worst} is ${actual[worst]} when expected ${expected[worst]}: ` +
        `${worstExcess.toPrecision(3)} times the tolerance (relative ${relative}, absolute ${absolute})`,
    };
  },
});

declare module 'vitest' {
  interface Matchers<T> {
    /** Every element is close to the expected one; the worst element is named when it is not. */
    toBeAllclose(expected: ArrayLike<number>, tolerance?: Tolerance): T;
  }
}
