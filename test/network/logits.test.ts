import { describe, expect, it } from 'vitest';
import { classesOf, predictedClass, writeProbabilities } from '../../src/network/logits.js';

/** The probabilities of one row of logits, which stands between others. */
function probabilities(...logits: number[]): number[] {
  const out = new Float64Array(classesOf(logits.length) + 2).fill(7);
  writeProbabilities(Float64Array.of(9, ...logits, 9), 1, logits.length, out, 1);
  expect([out[0], out.at(-1)]).toEqual([7, 7]);
  return [...out.subarray(1, -1)];
}

describe('predictedClass', () => {
  it('is the largest logit, the first of equals', () => {
    expect(predictedClass(Float32Array.of(5, 1, 3, 3), 1, 3)).toBe(1);
    expect(predictedClass(Float32Array.of(-1, -2), 0, 2)).toBe(0);
  });

  it('is by the sign of a single logit, at 0 the first class', () => {
    expect([-1, 0, -0, 1e-30].map((h) => predictedClass(Float64Array.of(h), 0, 1))).toEqual([0, 0, 0, 1]);
  });
});

describe('writeProbabilities', () => {
  it('is the softmax of several logits', () => {
    // exp(0), exp(log 2), exp(log 5) over their sum
    expect(probabilities(0, Math.log(2), Math.log(5))).toBeAllclose([1 / 8, 2 / 8, 5 / 8], {
      relative: 1e-15,
    });
  });

  it('is [1 − p, p] of a single logit, neither of them rounded away', () => {
    expect(probabilities(Math.log(3))).toBeAllclose([0.25, 0.75], { relative: 1e-15 });
    // scipy.special.expit(-40)
    expect(probabilities(40)).toBeAllclose([4.248354255291589e-18, 1], { relative: 1e-15 });
    expect(probabilities(-40)).toBeAllclose([1, 4.248354255291589e-18], { relative: 1e-15 });
  });

  it('neither overflows nor loses a row for logits of any size', () => {
    expect(probabilities(1e4, -1e4, 0)).toEqual([1, 0, 0]);
    expect(probabilities(1.7e308, -1.7e308)).toEqual([1, 0]);
    expect(probabilities(1e4)).toEqual([0, 1]);
    expect(probabilities(-1e4)).toEqual([1, 0]);
  });

  it('does not change where all logits grow by the same', () => {
    expect(probabilities(1001, 1002, 1003)).toEqual(probabilities(1, 2, 3));
  });
});
