import { describe, expect, it } from 'vitest';
import { crossEntropies, logLoss, weightedMean } from '../../src/evaluation/crossEntropy.js';

describe('crossEntropies', () => {
  it('are log(1 + exp(∓h)) of a single logit', () => {
    const [first, second] = crossEntropies([1, 0], [2, 2], 1);
    expect(first).toBeCloseTo(Math.log(1 + Math.exp(-2)), 15);
    expect(second).toBeCloseTo(Math.log(1 + Math.exp(2)), 15);
  });

  it('say of one logit what a softmax of 0 and it says', () => {
    const logits = [-700, -30, -1, 0, 0.5, 12, 900];
    const pairs = logits.flatMap((h) => [0, h]);
    for (const label of [0, 1]) {
      const labels = logits.map(() => label);
      const expected = crossEntropies(labels, pairs, 2);
      expect(crossEntropies(labels, logits, 1)).toBeAllclose(expected, { relative: 1e-15 });
    }
  });

  it('keep their digits where the probability is rounded to 1, and are finite where it is to 0', () => {
    // 1 + exp(−50) is 1 in double precision.
    expect(crossEntropies([1, 0], [50, -50], 1)).toBeAllclose([1, 1].fill(Math.exp(-50)), {
      relative: 1e-15,
    });
    expect(crossEntropies([2], [0, 0, 50], 3)).toBeAllclose([2 * Math.exp(-50)], { relative: 1e-15 });
    expect([...crossEntropies([0, 1], [1e4, -1e4], 1)]).toEqual([1e4, 1e4]);
    expect([...crossEntropies([0], [0, 1e4, 9e3], 3)]).toEqual([1e4]);
  });

  it('take the rows that have labels, of a batch that may have room for more', () => {
    expect(crossEntropies([0, 1], Float32Array.of(0, 0, 0, 0, 7, 7), 2)).toBeAllclose([Math.LN2, Math.LN2], {
      relative: 1e-15,
    });
  });
});

describe('logLoss', () => {
  it('clips every probability to 2⁻⁵² and 1 − 2⁻⁵²', () => {
    expect(logLoss([1e4])).toBe(52 * Math.LN2);
    expect(logLoss([0])).toBeCloseTo(2 ** -52, 30);
    expect(logLoss([1, 3])).toBe(2);
  });
});

describe('weightedMean', () => {
  it('divides by the number of rows, whatever the weights add up to', () => {
    expect(weightedMean([1, 2, 3], [2, 0, 4])).toBe(14 / 3);
    expect(weightedMean([1, 2, 3])).toBe(2);
  });

  it('loses nothing of many small losses beside a large one', () => {
    const losses = new Float64Array(100_001).fill(1e-16);
    losses[0] = 1;
    expect(weightedMean(losses) * losses.length).toBeCloseTo(1 + 1e-11, 15);
  });
});
