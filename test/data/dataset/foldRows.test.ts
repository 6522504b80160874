/** Folds as held-out rows of a config. That they are scikit-learn's is shown in test/random. */
import { describe, expect, it } from 'vitest';
import type { Dataset, SplitName } from '../../../src/data/dataset/dataset.js';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import { groupFolds, plainFolds, stratifiedFolds } from '../../../src/random/folds.js';
import { RandomState } from '../../../src/random/randomState.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();

function load(content: string, options: Partial<DataConfig>, seed = 3): Promise<Dataset> {
  folder.write('t.csv', content);
  const data = { train: 't.csv', target: 'y', standardize: false, validation: 0, ...options };
  return loadDataset({ ...configOf(data), seed }, folder.path, inConfig);
}

/** The first cells of the rows of a split: those of `table` number them. */
function rowsOf(dataset: Dataset, split: SplitName): number[] {
  const { rows = 0, features } = dataset[split] ?? {};
  return Array.from({ length: rows }, (_, row) => features?.read(row, 1)[0] ?? Number.NaN);
}

/** 23 rows that number themselves, a second feature, a group, a day, and a target. */
const ROWS = 23;
const groups = ['b', '\u{1f600}', 'a', '\uff5e', 'c'];
const groupOf = (row: number) => (row * row * row) % groups.length;
const dayOf = (row: number) => 1 + ((row * 7) % ROWS);
const targetOf = (row: number) => (row % 3 === 0 ? 'yes' : 'no');
const lines = Array.from(
  { length: ROWS },
  (_, row) =>
    `${row},${row % 4},${groups[groupOf(row)]},2024-01-${String(dayOf(row)).padStart(2, '0')},${targetOf(row)}`,
);
const table = ['n,x,group,day,y', ...lines].join('\n');
const fold = (number: number, more: object = {}) => ({ fold: number, of: 3, repeat: 1, ...more });
const all = Array.from({ length: ROWS }, (_, row) => row);

describe('a fold', () => {
  it('has the classes in proportion, and the rest trains, in the order of the file', async () => {
    const labels = Int32Array.from(all, (row) => (row % 3 === 0 ? 1 : 0));
    const random = new RandomState(3);
    for (const repeat of [1, 2]) {
      const foldOf = stratifiedFolds(labels, 2, 3, random);
      for (const number of [1, 2, 3]) {
        const dataset = await load(table, { exclude: ['group', 'day'], test: fold(number, { repeat }) });
        expect(rowsOf(dataset, 'test')).toEqual(all.filter((row) => foldOf[row] === number - 1));
        expect(rowsOf(dataset, 'train')).toEqual(all.filter((row) => foldOf[row] !== number - 1));
      }
    }
  });

  it('takes no notice of classes where it is told so, and has its own seed', async () => {
    const foldOf = plainFolds(ROWS, 3, new RandomState(8));
    const test = fold(2, { stratify: false, seed: 8 });
    const dataset = await load(table, { exclude: ['group', 'day'], test });
    expect(rowsOf(dataset, 'test')).toEqual(all.filter((row) => foldOf[row] === 1));
  });

  it('keeps groups together, which are sorted as in Python', async () => {
    const foldOf = groupFolds(groups.length, 3, new RandomState(3));
    // By code points: in UTF-16, the last two would change places.
    const sorted = ['a', 'b', 'c', '\uff5e', '\u{1f600}'];
    for (const number of [1, 2, 3]) {
      const dataset = await load(table, { exclude: ['day'], test: fold(number, { group: 'group' }) });
      const expected = all.filter((row) => foldOf[sorted.indexOf(groups[groupOf(row)])] === number - 1);
      expect(rowsOf(dataset, 'test')).toEqual(expected);
      expect(dataset.featureNames).toEqual(['n', 'x']);
    }
  });

  it('of ordered rows leaves the later ones out', async () => {
    const test = fold(2, { ordered: true, by: 'day' });
    const dataset = await load(table, { exclude: ['group', 'day'], test });
    // Of 23 rows, each fold tests ⌊23/4⌋ = 5: the second those of the days 14 to 18.
    expect(rowsOf(dataset, 'test')).toEqual(all.filter((row) => dayOf(row) >= 14 && dayOf(row) <= 18));
    expect(rowsOf(dataset, 'train')).toEqual(all.filter((row) => dayOf(row) < 14));
  });

  it('may hold the validation rows, of the rows that are no test rows', async () => {
    const options = { exclude: ['group', 'day'], test: { column: 'x', value: 1 } };
    const rest = all.filter((row) => row % 4 !== 1);
    const labels = Int32Array.from(rest, (row) => (row % 3 === 0 ? 1 : 0));
    const foldOf = stratifiedFolds(labels, 2, 3, new RandomState(3));
    const dataset = await load(table, { ...options, validation: fold(3) });
    expect(rowsOf(dataset, 'test')).toEqual(all.filter((row) => row % 4 === 1));
    expect(rowsOf(dataset, 'validation')).toEqual(rest.filter((_, i) => foldOf[i] === 2));
  });

  it('warns of a class of fewer rows than folds', async () => {
    const rare = ['x,y', '1,a', '2,a', '3,a', '4,a', '5,b', '6,b', '7,c'].join('\n');
    const { warnings } = await load(rare, { test: fold(1) });
    expect(warnings.map((text) => text.replace(`${folder.path}/`, ''))).toContain(
      't.csv: the classes "b", "c" have fewer rows than the 3 folds: some folds hold out none of them',
    );
  });

  it.each([
    [{ of: 24, stratify: false }, 't.csv: folds: found 23 rows, expected at least 24, one for each fold'],
    [{ of: 16 }, 't.csv: folds: found at most 15 rows of a class, expected at least 16, one for each fold'],
    [{ of: 6, group: 'group' }, 't.csv: folds: found 5 groups, expected at least 6, one for each fold'],
    [
      { of: 23, ordered: true },
      't.csv: folds: found 23 rows, expected at least 24, one for each fold and one for the first to train on',
    ],
  ] as const)('is refused if the rows are too few: %j', async (more, message) => {
    const error = await rejection(load(table, { test: { ...fold(1), ...more } as DataConfig['test'] }));
    expect([error.exitCode, error.message.replace(`${folder.path}/`, '')]).toEqual([ExitCode.data, message]);
  });
});
