import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { type RowSplit, stratifiedSplit, trainTestSplit } from '../../src/random/split.js';
import fixture from '../fixtures/sklearn/split.json' with { type: 'json' };

interface Case {
  rows: number;
  share: number;
  seed: number;
  labels?: number[];
  train: number[] | null;
  test: number[] | null;
}

function split({ rows, share, seed, labels }: Case): RowSplit {
  if (!labels) return trainTestSplit(rows, share, seed);
  return stratifiedSplit(Int32Array.from(labels), Math.max(...labels) + 1, share, seed);
}

function errorOf(run: () => unknown): MlpError {
  try {
    run();
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const cases = fixture as Case[];
const made = cases.filter(({ train }) => train);
const refused = cases.filter(({ train }) => !train);

describe("splits as scikit-learn's train_test_split", () => {
  it.each(made.filter(({ labels }) => !labels))('$rows rows, share $share, seed $seed', (expected) => {
    const { train, test } = split(expected);
    expect([...train]).toEqual(expected.train);
    expect([...test]).toEqual(expected.test);
  });

  it.each(made.filter(({ labels }) => labels))(
    '$rows rows by class, share $share, seed $seed',
    (expected) => {
      const { train, test } = split(expected);
      expect([...train]).toEqual(expected.train);
      expect([...test]).toEqual(expected.test);
    },
  );

  it.each(refused)('refuses $rows rows, share $share, where it does', (wrong) => {
    expect(errorOf(() => split(wrong)).exitCode).toBe(ExitCode.data);
  });

  it('class numbers above the last label change nothing', () => {
    const labels = Int32Array.from([0, 1, 3, 0, 1, 3, 0, 1, 3]);
    expect(stratifiedSplit(labels, 9, 0.4, 5)).toEqual(stratifiedSplit(labels, 4, 0.4, 5));
  });

  it('the labels are left as they were', () => {
    const labels = Int32Array.from([1, 0, 1, 0, 1, 0]);
    stratifiedSplit(labels, 2, 0.5, 0);
    expect([...labels]).toEqual([1, 0, 1, 0, 1, 0]);
  });
});

describe('what a refusal says', () => {
  it('names the class with a single row, and the row', () => {
    const labels = Int32Array.from([0, 0, 1, 0]);
    const error = errorOf(() => stratifiedSplit(labels, 2, 0.5, 0, ['benign', 'malignant']));
    expect(error.message).toBe(
      'split: class "malignant": found 1 row (row 2 from 0), expected at least 2, one to train on and one to hold out',
    );
    expect(error.hint).toContain('merge the class');
  });

  it('says the class number where there are no names', () => {
    const error = errorOf(() => stratifiedSplit(Int32Array.from([0, 0, 1, 0]), 2, 0.5, 0));
    expect(error.message).toContain('class "1"');
  });

  it('asks for a larger share where fewer rows than classes are held out', () => {
    const error = errorOf(() => stratifiedSplit(Int32Array.from([0, 1, 2, 0, 1, 2]), 3, 0.1, 0));
    expect(error.message).toBe('split: found 1 row to hold out, expected at least 3, one for each class');
    expect(error.hint).toContain('larger share');
  });

  it('asks for a smaller share where fewer rows than classes train', () => {
    const error = errorOf(() => stratifiedSplit(Int32Array.from([0, 1, 2, 0, 1, 2]), 3, 0.8, 0));
    expect(error.message).toBe('split: found 1 row to train on, expected at least 3, one for each class');
    expect(error.hint).toContain('smaller share');
  });

  it('asks for a smaller share where all rows are held out', () => {
    const error = errorOf(() => trainTestSplit(3, 0.9, 0));
    expect(error.message).toBe(
      'split: found 3 rows, all held out by a share of 0.9, expected at least one row to train on',
    );
    expect(error.hint).toContain('smaller share');
  });

  it('asks for rows where there is none', () => {
    const error = errorOf(() => stratifiedSplit(new Int32Array(0), 2, 0.5, 0));
    expect(error.exitCode).toBe(ExitCode.data);
    expect(error.hint).toBe('give more rows');
  });

  it.each([0, 1, -0.2, 1.5, Number.NaN])('refuses the share %d as a wrong config', (share) => {
    const error = errorOf(() => trainTestSplit(10, share, 0));
    expect(error.exitCode).toBe(ExitCode.config);
    expect(error.message).toBe(
      `split: found a held-out share of ${share}, expected a fraction above 0 and below 1`,
    );
  });

  it.each([-1, 2])('refuses the label %d of two classes', (label) => {
    expect(() => stratifiedSplit(Int32Array.from([0, 1, label]), 2, 0.5, 0)).toThrow(RangeError);
  });
});
