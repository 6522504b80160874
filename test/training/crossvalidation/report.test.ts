import { expect, it } from 'vitest';
import { averagesOf } from '../../../src/training/crossvalidation/report.js';

it('averages are over the folds that have a score, with the deviation of a sample', () => {
  const folds = [
    { loss: 1, rocAuc: 0.5 },
    { loss: 2, rocAuc: null },
    { loss: 6, rocAuc: null },
  ];
  expect(averagesOf(folds)).toEqual({
    // (4 + 1 + 9) / 2
    loss: { mean: 3, deviation: Math.sqrt(7), folds: 3 },
    rocAuc: { mean: 0.5, deviation: null, folds: 1 },
  });
  expect(averagesOf([{ rocAuc: null }])).toEqual({});
});
