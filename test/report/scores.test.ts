import { describe, expect, it } from 'vitest';
import { classScoresTable, targetErrorsTable } from '../../src/report/scores.js';
import { plainStyle } from '../../src/report/style.js';
import { textWidth } from '../../src/report/width.js';

const on = (width: number, ascii = false) => ({ width, style: plainStyle, ascii });

const scores = (precision: number, recall: number, f1: number) => ({ precision, recall, f1 });

const AVERAGES = {
  macro: scores(0.8333, 0.75, 0.7778),
  weighted: scores(0.9, 0.8, 0.84),
  micro: scores(0.8, 0.8, 0.8),
  rocAuc: 0.91666,
};

/** A class of these rows that nothing is known of. */
const empty = (name: string) => ({ name, support: 0, predicted: 0, ...scores(0, 0, 0), rocAuc: null });

describe('classScoresTable', () => {
  it('has a line for each class, and the averages below', () => {
    const classes = [
      { name: 'setosa', support: 1200, predicted: 1190, ...scores(1, 0.5, 2 / 3), rocAuc: 0.99996 },
      { name: 'virginica', support: 50, predicted: 60, ...scores(0.66666, 1, 0.8), rocAuc: 0.75 },
      { name: '\u001b[2J', support: 3, predicted: 3, ...scores(1, 1, 1), rocAuc: 1 },
    ];
    expect(classScoresTable(classes, AVERAGES, on(80))).toMatchInlineSnapshot(`
      "class              rows  precision  recall      F1  ROC AUC
      ───────────────────────────────────────────────────────────
      setosa            1,200     1.0000  0.5000  0.6667   1.0000
      virginica            50     0.6667  1.0000  0.8000   0.7500
      \\u001b[2J             3     1.0000  1.0000  1.0000   1.0000
      ───────────────────────────────────────────────────────────
      macro average     1,253     0.8333  0.7500  0.7778   0.9167
      weighted average  1,253     0.9000  0.8000  0.8400
      micro average     1,253     0.8000  0.8000  0.8000"
    `);
  });

  it('names a few of the classes that have no rows, and says what their scores are', () => {
    const classes = [
      { name: 'a', support: 5, predicted: 5, ...scores(1, 1, 1), rocAuc: 0.5 },
      ...['b', 'c', 'd', 'e', 'f'].map(empty),
      { ...empty('g'), predicted: 2 },
    ];
    const lines = classScoresTable(classes, { ...AVERAGES, rocAuc: null }, on(80, true)).split('\n');
    expect(lines.slice(-5)).toMatchInlineSnapshot(`
      [
        "macro average        5     0.8333  0.7500  0.7778        -",
        "weighted average     5     0.9000  0.8000  0.8400",
        "micro average        5     0.8000  0.8000  0.8000",
        "no row is predicted as b, c, d and 2 more: precision counts as 0",
        "no row has class b, c, d and 3 more: recall counts as 0",
      ]
    `);
  });

  it('cuts names, not numbers, where the display is narrow', () => {
    const classes = ['a very long name of a class indeed', 'another name that is long as well'].map(
      (name) => ({
        ...empty(name),
        support: 7,
        predicted: 7,
      }),
    );
    const lines = classScoresTable(classes, AVERAGES, on(60)).split('\n');
    expect(Math.max(...lines.map(textWidth))).toBeLessThanOrEqual(60);
    expect(lines[2]).toMatch(/^a very .*… +7 +0\.0000 +0\.0000 +0\.0000 +-$/);
  });
});

describe('targetErrorsTable', () => {
  it('has a line for each target, and their means', () => {
    const targets = [
      { name: 'price', r2: 0.98765, rmse: 12345.6, mae: 9876.5 },
      { name: 'area', r2: null, rmse: 0.00012345, mae: 0 },
    ];
    const mean = { r2: null, rmse: 6172.8, mae: 4938.25 };
    expect(targetErrorsTable(targets, mean, on(80))).toMatchInlineSnapshot(`
      "target      R²      RMSE    MAE
      ───────────────────────────────
      price   0.9877     12346   9877
      area         -  1.234e-4  0.000
      ───────────────────────────────
      mean         -      6173   4938"
    `);
  });
});
