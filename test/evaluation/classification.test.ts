import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  averageScores,
  classScores,
  confusionMatrix,
  crossEntropies,
  logLoss,
  rocAuc,
  weightedMean,
} from '../../src/evaluation/classification.js';

describe('confusionMatrix', () => {
  it('has a row for each actual class and a column for each predicted one', () => {
    expect(confusionMatrix([0, 0, 1, 2], [0, 1, 1, 0], 3)).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
  });
});

describe('scores', () => {
  /** No row is of the third class or predicted to be; one is predicted to be of the second, which has none. */
  const confusion = [
    [3, 1, 0],
    [0, 0, 0],
    [0, 0, 0],
  ];

  it('are 0 where there is nothing to divide by', () => {
    expect(classScores(confusion)).toEqual([
      { precision: 1, recall: 0.75, f1: 6 / 7, support: 4, predicted: 3 },
      { precision: 0, recall: 0, f1: 0, support: 0, predicted: 1 },
      { precision: 0, recall: 0, f1: 0, support: 0, predicted: 0 },
    ]);
  });

  it('are averaged over the classes that occur, by their rows, or over all rows at once', () => {
    expect(averageScores(confusion)).toEqual({
      macro: { precision: 0.5, recall: 0.375, f1: 3 / 7 },
      weighted: { precision: 1, recall: 0.75, f1: 6 / 7 },
      micro: { precision: 0.75, recall: 0.75, f1: 0.75 },
    });
    expect(accuracy(confusion)).toBe(0.75);
  });
});

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
  it('divides by the sum of the weights, as if a row of weight n were n rows', () => {
    expect(weightedMean([1, 2, 3], [2, 0, 4])).toBe((1 + 1 + 3 + 3 + 3 + 3) / 6);
    expect(weightedMean([1, 2, 3], [0.1, 0.1, 0.1])).toBeCloseTo(2, 14);
    expect(weightedMean([1, 2, 3])).toBe(2);
  });

  it('loses nothing of many small losses beside a large one', () => {
    const losses = new Float64Array(100_001).fill(1e-16);
    losses[0] = 1;
    expect(weightedMean(losses) * losses.length).toBeCloseTo(1 + 1e-11, 15);
  });
});

/** By definition: every pair of a row of the class and another one. */
function byPairs(labels: readonly number[], scores: readonly number[]): number {
  let won = 0;
  let pairs = 0;
  labels.forEach((own, i) => {
    labels.forEach((other, j) => {
      if (own !== 1 || other === 1) return;
      pairs++;
      won += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    });
  });
  return won / pairs;
}

describe('rocAuc', () => {
  it('is the share of pairs in the right order, a tie being half of one', () => {
    expect(rocAuc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 1)).toBe(0.75);
    expect(rocAuc([0, 1, 0, 1], [0.5, 0.5, 0.2, 0.9], 1)).toBe(0.875);
    expect(rocAuc([2, 1, 0], [0.9, 0.1, 0.2], 2)).toBe(1);
  });

  it('is what all pairs say, whatever ties there are', () => {
    const row = fc.tuple(
      fc.constantFrom(0, 1, 2),
      fc.constantFrom(-0, 0, 0.25, 1e-300, 0.5, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        const labels = rows.map(([label]) => label);
        const scores = rows.map(([, score]) => score);
        const area = rocAuc(labels, scores, 1);
        const expected = byPairs(labels, scores);
        if (Number.isNaN(expected)) expect(area).toBeNull();
        else expect(area).toBeCloseTo(expected, 14);
      }),
    );
  });

  it('turns about where the scores do', () => {
    const labels = [0, 1, 0, 1, 1];
    const scores = [0.3, 0.1, 0.5, 0.5, 0.9];
    const negated = scores.map((score) => -score);
    expect(rocAuc(labels, negated, 1)).toBeCloseTo(1 - (rocAuc(labels, scores, 1) ?? 0), 15);
  });

  it('is not defined without a row of the class, without another, or with a score that is no number', () => {
    expect(rocAuc([0, 0], [0.1, 0.2], 1)).toBeNull();
    expect(rocAuc([1, 1], [0.1, 0.2], 1)).toBeNull();
    expect(rocAuc([], [], 1)).toBeNull();
    expect(rocAuc([0, 1], [0.1, Number.NaN], 1)).toBeNull();
  });

  it('takes 20,000 rows, which are 10⁸ pairs, and is exact', () => {
    const rows = 20_000;
    // Odd rows are of the class; row 2i + 1 is before the rows 0 … 2i alone.
    const labels = Uint8Array.from({ length: rows }, (_, row) => row % 2);
    const scores = Float64Array.from({ length: rows }, (_, row) => row);
    const half = rows / 2;
    expect(rocAuc(labels, scores, 1)).toBe((half + 1) / 2 / half);
  });
});
