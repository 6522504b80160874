import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseColumns } from '../../../src/data/dataset/columnChoice.js';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { allOf, plainSplit } from '../../support/datasets.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();

/** The dataset of a CSV with the target `y`, unless the options say otherwise. */
function load(content: string, options: Partial<DataConfig> = {}) {
  folder.write('train.csv', content);
  return loadDataset(configOf({ train: 'train.csv', target: 'y', ...options }), folder.path, inConfig);
}

/** What is wrong with such a CSV, the folder left out. */
async function failure(content: string, options: Partial<DataConfig> = {}) {
  const { exitCode, message, hint } = await rejection(load(content, options));
  return { exitCode, message: message.replaceAll(join(folder.path, '/'), ''), hint };
}

/** A CSV with a feature that counts the rows and these targets. */
function csvOf(targets: readonly (string | number)[]): string {
  return ['x,y', ...targets.map((target, row) => `${row},${target}`)].join('\n');
}

function repeat<T>(values: readonly T[], times: number): T[] {
  return Array.from({ length: times }, () => values).flat();
}

/** So many rows of 0, 1, 2, … */
function countsOf(rows: readonly number[]): number[] {
  return rows.flatMap((count, value) => Array<number>(count).fill(value));
}

describe('columns', () => {
  it('are features in the order of the file, but for the target and the excluded', async () => {
    const { featureNames, targetNames, train } = await load('b,id,y,a\n1,r1,no,2\n3,r2,yes,4\n', {
      exclude: ['id'],
    });
    expect(featureNames).toEqual(['b', 'a']);
    expect(targetNames).toEqual(['y']);
    expect(plainSplit(train)).toEqual({
      rowNumbers: Int32Array.of(1, 2),
      rows: 2,
      features: Float64Array.of(1, 2, 3, 4),
      labels: Int32Array.of(0, 1),
    });
  });

  it.each<[string, Partial<DataConfig>, string[]]>([
    ['named', { features: ['b', 'p_*'] }, ['b', 'p_1', 'p_2']],
    ['named, without the excluded', { features: ['*'], exclude: ['*_2'] }, ['b', 'p_1']],
    ['all others', { exclude: ['p*1'] }, ['b', 'p_2']],
    ['none that a name excludes', { exclude: ['b'] }, ['p_1', 'p_2']],
    ['scaled by pattern', { standardize: { 'p_*': false, b: true } }, ['b', 'p_1', 'p_2']],
  ])('go by patterns: %s', async (_, options, expected) => {
    expect((await load('b,p_1,y,p_2\n1,5,no,2\n3,6,yes,4\n', options)).featureNames).toEqual(expected);
  });

  it('go by number where there is no header', async () => {
    const { featureNames, targetNames, train } = await load('no,r1,1\nyes,r2,3\n', {
      target: 0,
      exclude: [1],
    });
    expect(featureNames).toEqual(['2']);
    expect(targetNames).toEqual(['0']);
    expect(allOf(train.features)).toEqual(Float64Array.of(1, 3));
  });

  it('go by number beside a header, too', async () => {
    const { featureNames, targetNames } = await load('b,id,y\n1,7,no\n3,9,yes\n', {
      target: 2,
      exclude: [1],
    });
    expect({ featureNames, targetNames }).toEqual({ featureNames: ['b'], targetNames: ['y'] });
  });

  it('may be called __proto__ and constructor', async () => {
    const { featureNames, classes } = await load('__proto__,constructor\n1,__proto__\n2,toString\n', {
      target: 'constructor',
    });
    expect(featureNames).toEqual(['__proto__']);
    expect(classes).toEqual(['__proto__', 'toString']);
  });

  it.each<[string, Partial<DataConfig>, string, string | undefined]>([
    [
      'a target that is not there',
      { target: 'specis' },
      'c.json: data.target: found no column "specis" in train.csv, expected one of width, species, id',
      'did you mean "species"?',
    ],
    [
      'an excluded column that is not there',
      { target: 'species', exclude: ['id', 'widht'] },
      'c.json: data.exclude[1]: found no column "widht" in train.csv, expected one of width, species, id',
      'did you mean "width"?',
    ],
    [
      'a pattern that fits nothing',
      { target: 'species', exclude: ['pixel_*'] },
      'c.json: data.exclude[0]: found no column that fits "pixel_*" in train.csv, expected a pattern that fits one of width, species, id',
      '* stands for any text',
    ],
    [
      'an excluded target',
      { target: 'species', exclude: ['species'] },
      'c.json: data.exclude: found the target column "species", expected other columns',
      'a target has no other role: remove it from data.exclude',
    ],
    [
      'a number past the last column',
      { target: 'species', exclude: [3] },
      "c.json: data.exclude[0]: found 3, expected a column's number from 0 to 2 in train.csv",
      undefined,
    ],
    [
      'no feature left',
      { target: 'species', exclude: ['id', 'width'] },
      'c.json: data: found no feature in train.csv: the target and data.exclude take all 3 columns',
      undefined,
    ],
  ])('are refused: %s', async (_, options, message, hint) => {
    expect(await failure('width,species,id\n1,a,7\n2,b,8\n', options)).toEqual({
      exitCode: ExitCode.config,
      message,
      hint,
    });
  });

  it.each<[string, Partial<DataConfig>, string]>([
    [
      'a number past the last',
      { target: 3 },
      "c.json: data.target: found 3, expected a column's number from 0 to 2 in train.csv",
    ],
    [
      'an excluded name without a header',
      { target: 0, exclude: ['id'] },
      'c.json: data.exclude[0]: found "id", expected a column\'s number from 0 to 2 in train.csv',
    ],
  ])('are refused: %s', async (_, options, message) => {
    expect(await failure('1,2,3\n4,5,6\n', options)).toMatchObject({ exitCode: ExitCode.config, message });
  });

  it('are not searched for one by one: a config may name 100,000', () => {
    let searches = 0;
    const names = Array.from({ length: 30_000 }, (_, i) => `c${i}`);
    const counted = (method: 'indexOf' | 'includes') => () => {
      searches++;
      return method === 'indexOf' ? -1 : false;
    };
    Object.assign(names, { indexOf: counted('indexOf'), includes: counted('includes') });
    const file = { path: 'data.csv', namesLocation: 'data.csv:1', header: true, names };
    const missing = Object.fromEntries(names.slice(2).map((name) => [name, 'mean' as const]));
    const { data } = configOf({ train: 'data.csv', target: 'c1', exclude: names.slice(2), missing });
    expect(chooseColumns(file, data, () => '')).toMatchObject({ features: [0], targets: [1] });
    expect(searches).toBe(0);
  });

  it('come with a hint where the file has no header, or another separator', async () => {
    expect((await failure('5.1,3.5,a\n4.9,3.0,b\n')).hint).toContain('the first row is not a header');
    expect((await failure('x y\n1 a\n')).hint).toContain('a single column');
  });

  it('never show a control character of their names', async () => {
    const { message } = await failure('a\u001b[2J,b\n1,2\n');
    expect(message).toBe(
      'c.json: data.target: found no column "y" in train.csv, expected one of a\\u001b[2J, b',
    );
  });
});

describe('the task', () => {
  it.each<[string, (string | number)[], string, string[] | undefined]>([
    ['two words', ['no', 'yes', 'no'], 'binary', ['no', 'yes']],
    ['three words, by code unit', ['b', 'a', 'B'], 'multiclass', ['B', 'a', 'b']],
    ['0 and 1', [1, 0, 1], 'binary', ['0', '1']],
    ['-1 and 1', [1, -1, 1], 'binary', ['-1', '1']],
    ['2 and 4, however few', [4, 2], 'binary', ['2', '4']],
    ['a few integers without a gap', [0, 1, 2, 2, 1], 'multiclass', ['0', '1', '2']],
    ['integers in numeric order', repeat([10, 9, 100], 5), 'multiclass', ['9', '10', '100']],
    [
      'integers in several spellings',
      ['1.0', '01', '1', '0', '-0', '2e0', '2'],
      'multiclass',
      ['-0', '0', '01', '1', '1.0', '2', '2e0'],
    ],
    ['twenty integers', repeat([...Array(20).keys()], 2), 'multiclass', [...Array(20).keys()].map(String)],
    ['a number among words', ['a', 'b', '3', 'a'], 'multiclass', ['3', 'a', 'b']],
    ['21 integers', repeat([...Array(21).keys()], 9), 'regression', undefined],
    ['different integers', [1, 2, 3, 4], 'regression', undefined],
    ['counts, the largest of them rare', countsOf([60, 50, 30, 10, 5, 0, 4]), 'regression', undefined],
    [
      'codes, the largest of them not rare',
      countsOf([60, 50, 30, 10, 5]),
      'multiclass',
      ['0', '1', '2', '3', '4'],
    ],
    [
      'codes from 0, another of them frequent',
      countsOf([5, 9, 60, 50, 4]),
      'multiclass',
      ['0', '1', '2', '3', '4'],
    ],
    ['integers with gaps, each rare', [151, 75, 141, 206, 75], 'regression', undefined],
    ['fractions', [0.5, 1.5, 0.5, 1.5], 'regression', undefined],
  ])('is told from the target: %s', async (_, targets, task, classes) => {
    const dataset = await load(csvOf(targets));
    expect({ task: dataset.task, classes: dataset.classes }).toEqual({ task, classes });
  });

  it('can be set', async () => {
    const content = csvOf([0, 1, 2, 2, 1]);
    const regression = await load(content, { task: 'regression' });
    expect(regression.train.targets).toEqual(Float64Array.of(0, 1, 2, 2, 1));
    expect(regression.train.labels).toBeUndefined();
    const multiclass = await load(csvOf(['a', 'b']), { task: 'multiclass' });
    expect(multiclass).toMatchObject({ task: 'multiclass', classes: ['a', 'b'] });
    const fractions = await load(csvOf([0.5, 1.5]), { task: 'binary' });
    expect(fractions.classes).toEqual(['0.5', '1.5']);
  });

  it.each<[string, (string | number)[], Partial<DataConfig>, number, string]>([
    [
      'one class',
      ['a', 'a', 'a'],
      {},
      ExitCode.data,
      'train.csv: column "y": found "a" in all 3 rows, expected at least two classes',
    ],
    [
      'one value',
      [0.5, 0.5],
      { task: 'regression' },
      ExitCode.data,
      'train.csv: column "y": found "0.5" in all 2 rows, expected at least two values',
    ],
    [
      'three classes for a binary task',
      ['a', 'b', 'c'],
      { task: 'binary' },
      ExitCode.config,
      'c.json: data.task: found "binary" for the 3 classes of column "y" in train.csv, expected "multiclass"',
    ],
    [
      'text for a regression',
      [1.5, 2.5, 'abc'],
      { task: 'regression' },
      ExitCode.data,
      'train.csv:4: column "y": found "abc", expected a number',
    ],
    [
      'a word among numbers',
      [1.5, 2.5, 3.5, 'abc', 4.5],
      {},
      ExitCode.data,
      'train.csv:5: column "y": found "abc", expected a number',
    ],
    [
      'an empty cell',
      ['a', '', 'b'],
      {},
      ExitCode.data,
      'train.csv:3: column "y": found a missing value, expected a value',
    ],
  ])('is refused: %s', async (_, targets, options, exitCode, message) => {
    expect(await failure(csvOf(targets), options)).toMatchObject({ exitCode, message });
  });
});

it.each([
  ['1,5', { task: 'regression' } as const, 'set data.decimal'],
  ['high', { task: 'regression' } as const, 'set data.task to "auto"'],
  ['high', {}, 'set data.task to "binary" or "multiclass"'],
])('a target that should be a number comes with a hint: %s, %j', async (cell, options, hint) => {
  const content = csvOf([0.5, 1.5, 2.5, `"${cell}"`]);
  expect((await failure(content, options)).hint).toContain(hint);
});

describe('the held-out share', () => {
  it('keeps the classes in proportion', async () => {
    const { train, validation } = await load(csvOf(repeat(['a', 'a', 'a', 'b'], 10)), { validation: 0.2 });
    const count = (labels: Int32Array | undefined, label: number) =>
      labels?.filter((l) => l === label).length;
    expect([count(train.labels, 0), count(train.labels, 1)]).toEqual([24, 8]);
    expect([count(validation?.labels, 0), count(validation?.labels, 1)]).toEqual([6, 2]);
  });

  it('is nothing for 0, and the rows stay in the order of the file', async () => {
    const { train, validation } = await load(csvOf([3.5, 1.5, 2.5]));
    expect(train.targets).toEqual(Float64Array.of(3.5, 1.5, 2.5));
    expect(validation).toBeUndefined();
  });

  it.each([
    ['a class with a single row', ['a', 'a', 'a', 'b'], 'train.csv: split: class "b": found 1 row'],
    [
      'too few rows for the classes',
      ['a', 'a', 'b', 'b', 'c', 'c'],
      'train.csv: split: found 2 rows to hold out',
    ],
    ['a single row', [1.5], 'train.csv: column "y": found "1.5" in all 1 rows'],
  ])('is refused: %s', async (_, targets, message) => {
    const error = await failure(csvOf(targets), { validation: 0.2 });
    expect(error.exitCode).toBe(ExitCode.data);
    expect(error.message).toContain(message);
  });
});

describe('a validation file', () => {
  const train = 'a,b,y\n1,10,no\n2,20,yes\n3,30,no\n';

  it('has its columns matched by name, in any order, beside others', async () => {
    folder.write('held.csv', 'y,extra,b,a\nyes,text,50,5\nno,,60,6\n');
    const { validation, train: rows } = await load(train, { validation: 'held.csv' });
    expect(plainSplit(validation)).toEqual({
      rowNumbers: Int32Array.of(1, 2),
      rows: 2,
      features: Float64Array.of(5, 50, 6, 60),
      labels: Int32Array.of(1, 0),
    });
    expect(rows.rows).toBe(3);
  });

  it('is standardised by the training rows', async () => {
    folder.write('held.csv', 'a,b,y\n4,0,no\n');
    const { validation, encodings } = await load(train, { validation: 'held.csv', standardize: true });
    expect(encodings).toMatchObject([{ shift: 2 }, { shift: 20 }]);
    const scale = [Math.sqrt(2 / 3), Math.sqrt(200 / 3)];
    expect(allOf(validation?.features)).toBeAllclose([2 / scale[0], -20 / scale[1]], { relative: 1e-15 });
  });

  it('goes by number without a header, and may lack a class', async () => {
    folder.write('held.csv', '4,1\n');
    const { validation } = await load('1,0\n2,1\n3,2\n4,2\n', { target: 1, validation: 'held.csv' });
    expect(validation?.labels).toEqual(Int32Array.of(1));
  });

  it('leaves out rows of a class that training lacks, and says so', async () => {
    for (const level of ['', 'x']) {
      const rows = [1, 2, 3, 4].map((a) => `${a},${level}${7 - a},${a % 2 ? 'no' : 'yes'}\n`).join('');
      folder.write(
        'held.csv',
        `a,b,y\n1,${level}3,no\n3,${level}4,yess\n5,${level}5,maybe\n7,${level}6,yes\n`,
      );
      const { test, warnings } = await load(`a,b,y\n${rows}`, { test: 'held.csv' });
      expect(test?.labels).toEqual(Int32Array.of(0, 1));
      expect(test?.rows).toBe(2);
      expect(warnings).toEqual([
        `${join(folder.path, 'held.csv')}: 2 rows have a class that the training data lack ("yess", "maybe"): ` +
          'left out here, and counted as wrong by mlp evaluate on this file; did you mean "yes"?',
      ]);
    }
  });

  it.each([
    [
      'no known class',
      'a,b,y\n1,2,No\n1,2,yess\n',
      'held.csv: column "y": found only classes that the training data lack ("No", "yess"), expected "no", "yes"',
      undefined,
    ],
    [
      'a missing column',
      'A,b,y\n1,2,no\n',
      'held.csv:1: found no column "a", expected all columns of train.csv',
      'did you mean "A"?',
    ],
    [
      'a cell that is no number',
      'a,b,y\n1,x,no\n',
      'held.csv:2: column "b": found "x", expected a number',
      undefined,
    ],
  ])('is refused with %s', async (_, content, message, hint) => {
    folder.write('held.csv', content);
    const error = await failure(train, { validation: 'held.csv' });
    expect(error).toMatchObject({ exitCode: ExitCode.data, message });
    if (hint !== undefined) expect(error.hint).toBe(hint);
  });

  it('is refused with another number of columns, where there is no header', async () => {
    folder.write('held.csv', '1,2,3\n');
    expect(await failure('1,0\n2,1\n', { target: 1, validation: 'held.csv' })).toMatchObject({
      exitCode: ExitCode.data,
      message: 'held.csv:1: found 3 columns, expected 2 as in train.csv',
    });
  });

  it('is refused with text where the target is a quantity', async () => {
    folder.write('held.csv', 'x,y\n1,0.5\n2,high\n');
    expect(await failure(csvOf([0.5, 1.5]), { validation: 'held.csv' })).toMatchObject({
      exitCode: ExitCode.data,
      message: 'held.csv:3: column "y": found "high", expected a number',
    });
  });

  it('is refused where it is missing', async () => {
    const error = await failure(train, { validation: 'no.csv' });
    expect(error).toMatchObject({ exitCode: ExitCode.noInput, message: 'no.csv: no such file' });
  });
});

describe('standardisation', () => {
  it('takes a constant column out of the matrix, and says so', async () => {
    for (const level of ['', 'x']) {
      folder.write('v.csv', `a,b,c,y\n4,6,${level}8,no\n`);
      const rows = [1, 2, 3].map((a) => `${a},${7 - a},${level}7,${a % 2 ? 'no' : 'yes'}\n`).join('');
      const { train, validation, encodings, featureNames, warnings } = await load(`a,b,c,y\n${rows}`, {
        validation: 'v.csv',
        standardize: false,
      });
      expect(featureNames).toEqual(['a', 'b']);
      expect(encodings[2]).toEqual({ kind: 'constant', column: 'c', value: level === '' ? 7 : 'x7' });
      expect([...allOf(train.features)]).toEqual([1, 6, 2, 5, 3, 4]);
      expect([...allOf(validation?.features)]).toEqual([4, 6]);
      expect(warnings).toEqual([
        `${join(folder.path, 'train.csv')}: column "c" holds a single value in the training rows: the network ignores it`,
      ]);
    }
  });

  it('keeps what a constant column says by its gaps', async () => {
    const { train, featureNames, warnings } = await load('a,b,y\n1,7,no\n2,,yes\n3,7,no\n', {
      missing: 'indicator',
    });
    expect(featureNames).toEqual(['a', 'b missing']);
    expect([...allOf(train.features)]).toEqual([1, 0, 2, 1, 3, 0]);
    expect(warnings).toEqual([]);
  });

  it('embeds numbers that rows share, in a file of plain numbers too, and in a second one', async () => {
    const gains = [...repeat([0], 30), ...repeat([3, 5], 10), 4];
    const csv = (rows: readonly number[]) =>
      ['gain,age,y', ...rows.map((gain, row) => `${gain},${row % 7},${row % 2 ? 'a' : 'b'}`)].join('\n');
    folder.write('validation.csv', csv([5, 4, 0]));
    const options = { embedNumbersFrom: 3, standardize: false, validation: 'validation.csv' };
    const { encodings, validation } = await load(csv(gains), options);
    expect(encodings).toMatchObject([{ column: 'gain', levels: [0, 3, 5] }, { column: 'age' }]);
    expect(allOf(validation?.features)).toEqual(Float64Array.of(5, 3, 0, 4, 0, 1, 0, 1, 2));
    const plain = await load(csv(gains), { ...options, embedNumbersFrom: { age: 2 } });
    expect(plain.encodings.some((encoding) => 'levels' in encoding)).toBe(false);
  });

  it('keeps a column of zeros in a picture alone', async () => {
    const tableOf = (pixels: number) => {
      const row = (value: number) => [0, ...new Array<number>(pixels - 1).fill(value)];
      return `${row(0).map((_, i) => `p${i}`)},y\n${row(0)},no\n${row(2)},yes\n${row(1)},no\n`;
    };
    const { train, featureNames } = await load(tableOf(16), { standardize: true });
    expect(Array.from(allOf(train.features)).filter((_, i) => i % 16 === 0)).toEqual([0, 0, 0]);
    expect(featureNames).toHaveLength(16);
    expect((await load(tableOf(15), { standardize: true })).featureNames).toHaveLength(14);
  });

  it('refuses features that are all constant', async () => {
    const error = await failure('a,b,y\n0,7,no\n0,7,yes\n');
    expect(error).toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining('found a single value in each of the 2 feature columns'),
    });
  });

  it('names five constant columns, and counts the rest', async () => {
    const { warnings } = await load('a,b,c,d,e,f,g,x,y\n1,1,1,1,1,1,1,1,no\n1,1,1,1,1,1,1,2,yes\n', {
      standardize: true,
    });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('column "e" and 2 more hold a single value');
  });

  it('is left out where it is not asked for', async () => {
    const dataset = await load(csvOf([0.5, 1.5]));
    expect(dataset.encodings).toEqual([{ kind: 'numeric', column: 'x', shift: 0, scale: 1, range: [0, 1] }]);
    expect(dataset.targetStandardization).toBeUndefined();
    expect(dataset.warnings).toEqual([]);
  });

  it('leaves labels alone', async () => {
    const dataset = await load(csvOf(['a', 'b']), { standardize: true, standardizeTarget: true });
    expect(dataset.targetStandardization).toBeUndefined();
    expect(dataset.train.labels).toEqual(Int32Array.of(0, 1));
  });

  it('applies to a regression target on both sides', async () => {
    folder.write('held.csv', 'x,y\n1,10.5\n');
    const dataset = await load(csvOf([0.5, 2.5]), { validation: 'held.csv', standardizeTarget: true });
    expect(dataset.targetStandardization).toEqual({ mean: [1.5], scale: [1] });
    expect(dataset.train.targets).toEqual(Float64Array.of(-1, 1));
    expect(dataset.validation?.targets).toEqual(Float64Array.of(9));
  });

  it('"auto" scales', async () => {
    const dataset = await load(csvOf([100.5, 500.5]), { standardizeTarget: 'auto' });
    expect(dataset.targetStandardization).toEqual({ mean: [300.5], scale: [200] });
    expect(dataset.warnings).toEqual([]);
  });

  it('warns of a large scale that is trained raw', async () => {
    const { warnings } = await load(csvOf([100.5, 500.5]));
    expect(warnings.map(withoutFolder)).toEqual([
      'train.csv: column "y": the target has a deviation of 200 and is trained as it is, which is slow or fails: set data.standardizeTarget to "auto"',
    ]);
    expect((await load(csvOf([100.5, 250.5]))).warnings).toEqual([]);
  });

  it('warns of targets that are one-hot', async () => {
    const target = ['cat', 'dog'];
    const { warnings } = await load('x,cat,dog\n1,1,0\n2,0,1\n3,1,0\n', { target });
    expect(warnings.map(withoutFolder)).toEqual([
      'train.csv: column "cat", column "dog" are one-hot: a single 1 in each row. They are trained as 2 quantities; for classes, write one column with the name of the class, and name it in data.target',
    ]);
    expect((await load('x,cat,dog\n1,1,0\n2,0,1\n3,1,2\n', { target })).warnings).toEqual([]);
  });

  it('is refused where the variance overflows', async () => {
    expect(await failure('x,y\n1e200,a\n-1e200,b\n', { standardize: true })).toMatchObject({
      exitCode: ExitCode.data,
      message:
        'train.csv: column "x": found values whose variance overflows a float64, expected smaller ones',
    });
  });
});

/** A warning with the bare name of its file. */
function withoutFolder(text: string): string {
  return text.replace(/^.*?(?=train\.csv)/, '');
}

describe('dates and booleans', () => {
  const rows = repeat(
    [0, 1, 2, 3, 4, 5, 6, 7].map(
      (i) => `${2 * i + 10}/0${i + 1}/2024,${i % 2 === 0 ? 'TRUE' : 'false'},${i % 3 ? 'a' : 'b'}`,
    ),
    3,
  );
  const csv = `when,open,y\n${rows.join('\n')}\n`;

  it('are a few inputs, and a note says what is taken for a date', async () => {
    const { featureNames, warnings } = await load(csv);
    expect(featureNames.filter((name) => name.startsWith('when'))).toHaveLength(5);
    expect(featureNames.at(-1)).toBe('open');
    expect(warnings).toEqual([
      expect.stringMatching(
        /train\.csv: column "when" holds dates, "14\/03\/2024" is read as 2024-03-14: the inputs are month, weekday, elapsed \(data\.dates decides\)$/,
      ),
    ]);
    const keyed = await load(csv, { dates: { when: ['elapsed'] } });
    expect(keyed.featureNames).toEqual(['when elapsed', 'open']);
    expect(keyed.warnings).toEqual([
      expect.stringMatching(/column "when": "14\/03\/2024" is read as 2024-03-14 \(data\.dates decides\)$/),
    ]);
    const same = await load(csv, { dates: { when: { parts: ['year'], order: 'dmy' } } });
    expect([same.featureNames, same.warnings]).toEqual([
      ['open'],
      [expect.stringMatching(/"when": year is the same in all training rows: the network ignores it$/)],
    ]);
  });

  it('are read alike by both readers', async () => {
    const fast = await load(csv);
    // Quotes are for csv-parse.
    const slow = await load(csv.replaceAll(/\d+\/\d+\/2024/g, '"$&"'));
    expect(slow.train).toEqual(fast.train);
  });

  it('are not both dates and categories', async () => {
    expect(await failure(csv, { dates: { when: ['year'] }, categories: ['when'] })).toMatchObject({
      exitCode: ExitCode.config,
      message:
        'c.json: data.dates: found column "when", which data.categories names too, expected it in one of them',
    });
  });

  it('may be numbers of eight digits, if a key says so', async () => {
    const compact = 'when,y\n20240101,a\n20240201,b\n20240301,a\n20240401,b\n';
    expect((await load(compact)).featureNames).toEqual(['when']);
    const { train } = await load(compact, { dates: { when: ['elapsed'] } });
    expect([...allOf(train.features)]).toEqual([0, 31, 60, 91]);
  });

  it('order the last rows as data.dates says', async () => {
    const held = { last: 0.3, by: 'when' };
    const ambiguous = 'when,x,y\n01/02/2024,1,a\n02/01/2024,2,b\n03/01/2024,3,a\n';
    const options = { dates: { when: { order: 'mdy' as const } }, exclude: ['when'], validation: held };
    expect(allOf((await load(ambiguous, options)).validation?.features)).toEqual(Float64Array.of(3));
    const other = { ...options, dates: { when: { order: 'dmy' as const } } };
    expect(allOf((await load(ambiguous, other)).validation?.features)).toEqual(Float64Array.of(1));
  });
});
