import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confusionTable } from '../../src/report/scores.js';
import { plainStyle } from '../../src/report/style.js';
import { textWidth } from '../../src/report/width.js';
import { hostileText } from './hostile.js';

const on = (width: number, ascii = false) => ({ width, style: plainStyle, ascii });

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
