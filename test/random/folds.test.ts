import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { groupFolds, plainFolds, stratifiedFolds, timeSeriesFold } from '../../src/random/folds.js';
import { RandomState } from '../../src/random/randomState.js';
import fixture from '../fixtures/sklearn/folds.json' with { type: 'json' };

interface Case {
  kind: string;
  rows: number;
  of: number;
  seed?: number;
  labels?: number[];
  groups?: number[];
  /** [repeats][rows] */
  folds: number[][] | null;
}

/** [rows] The fold of each row in the next repeat. */
function draw({ kind, rows, of, labels = [], groups = [] }: Case, random: RandomState): number[] {
  if (kind === 'plain') return [...plainFolds(rows, of, random)];
  if (kind === 'stratified') {
    return [...stratifiedFolds(Int32Array.from(labels), Math.max(...labels) + 1, of, random)];
  }
  if (kind === 'grouped') {
    const foldOf = groupFolds(Math.max(...groups) + 1, of, random);
    return groups.map((group) => foldOf[group]);
  }
  const foldOf = new Array<number>(rows).fill(-1);
  for (let fold = 0; fold < of; fold++) {
    const { first, end } = timeSeriesFold(rows, of, fold);
    foldOf.fill(fold, first, end);
  }
  return foldOf;
}

const cases = (fixture as Case[]).map((one, number) => ({ number, ...one }));
const made = cases.filter(({ folds }) => folds);
const refused = cases.filter(({ folds }) => !folds);

describe("folds as scikit-learn's", () => {
  it.each(made)('$kind: $of of $rows rows (case $number)', (expected) => {
    const random = new RandomState(expected.seed ?? 0);
    expect(expected.folds?.map(() => draw(expected, random))).toEqual(expected.folds);
  });

  it.each(refused)('$kind: refuses $of of $rows rows (case $number), where it does', (wrong) => {
    try {
      draw(wrong, new RandomState(wrong.seed ?? 0));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(MlpError);
      expect((error as MlpError).exitCode).toBe(ExitCode.data);
    }
  });
});
