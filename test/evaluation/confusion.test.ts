import { describe, expect, it } from 'vitest';
import { accuracy, averageScores, classScores, confusionMatrix } from '../../src/evaluation/confusion.js';

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
