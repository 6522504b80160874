import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rocAuc } from '../../src/evaluation/rocAuc.js';

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
