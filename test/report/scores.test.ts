import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classScoresTable, confusionTable, targetErrorsTable } from '../../src/report/scores.js';
import { plainStyle } from '../../src/report/style.js';
import { textWidth } from '../../src/report/width.js';
import { hostileText } from './hostile.js';

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

/** A matrix of n classes, 170 and more right in each, a few mistaken. */
function manyClasses(n: number, name: (i: number) => string) {
  const counts = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => (i === j ? 170 + i : (7 * i + 3 * j) % 11 === 0 ? (i + j) % 4 : 0)),
  );
  return { classes: Array.from({ length: n }, (_, i) => name(i)), counts };
}

describe('confusionTable', () => {
  it('has totals, recall for each row, precision for each column, and the accuracy', () => {
    const matrix = {
      classes: ['benign', 'malignant'],
      counts: [
        [70, 1],
        [2, 41],
      ],
    };
    expect(confusionTable(matrix, on(80)).split('\n')).toEqual([
      'confusion matrix (columns: predicted class)',
      'actual        benign  malignant  total  recall',
      '──────────────────────────────────────────────',
      'benign            70          1     71   98.6%',
      'malignant          2         41     43   95.3%',
      '──────────────────────────────────────────────',
      'total             72         42    114',
      'precision      97.2%      97.6%          97.4%',
    ]);
  });

  it('fits ten digits into 80 columns', async () => {
    const text = confusionTable(
      manyClasses(10, (i) => `${i}`),
      on(80),
    );
    await expect(`${text}\n`).toMatchFileSnapshot('snapshots/confusion-digits.txt');
    expect(Math.max(...text.split('\n').map(textWidth))).toBeLessThanOrEqual(80);
  });

  it('numbers the classes where clipped names look the same', async () => {
    const text = confusionTable(
      manyClasses(10, (i) => `handwritten digit ${i}`),
      on(80),
    );
    await expect(`${text}\n`).toMatchFileSnapshot('snapshots/confusion-long-names.txt');
  });

  it('shows the pairs confused most where the classes are too many', async () => {
    const text = confusionTable(
      manyClasses(100, (i) => `class ${i}`),
      on(80),
    );
    await expect(`${text}\n`).toMatchFileSnapshot('snapshots/confusion-100-classes.txt');
  });

  it('says so where many classes are all told apart', () => {
    const { classes } = manyClasses(100, (i) => `${i}`);
    const counts = classes.map((_, i) => classes.map((_, j) => (i === j ? 1 : 0)));
    expect(confusionTable({ classes, counts }, on(80))).toBe(
      '100 classes, accuracy 100.0%: no class is mistaken for another',
    );
  });

  it('has a dash for the recall of a class without rows', () => {
    const counts = [
      [0, 0],
      [0, 4],
    ];
    expect(confusionTable({ classes: ['a', 'b'], counts }, on(80, true))).toMatch(/^a .* {2}-$/m);
  });

  it('shows escape codes in the names of classes', () => {
    const matrix = {
      classes: ['\x1b[31mred', 'b'],
      counts: [new Int32Array([1, 0]), new Int32Array([0, 1])],
    };
    expect(confusionTable(matrix, on(80))).toContain('\\u001b[31mred');
  });

  it('is never wider than the display, and has no escape codes without colours', () => {
    const matrices = fc.integer({ min: 1, max: 15 }).chain((n) =>
      fc.record({
        classes: fc.array(hostileText, { minLength: n, maxLength: n }),
        counts: fc.array(fc.array(fc.nat(100_000), { minLength: n, maxLength: n }), {
          minLength: n,
          maxLength: n,
        }),
      }),
    );
    fc.assert(
      fc.property(matrices, fc.integer({ min: 40, max: 200 }), (matrix, width) => {
        const text = confusionTable(matrix, on(width));
        for (const line of text.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(width);
        expect(text).not.toContain('\x1b');
      }),
    );
  });
});
