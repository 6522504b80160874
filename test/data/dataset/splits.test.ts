/** Which rows go where, what they count, and what their cells become. */
import { describe, expect, it } from 'vitest';
import type { Split } from '../../../src/data/dataset/dataset.js';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import { stratifiedSplit } from '../../../src/random/split.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { allOf } from '../../support/datasets.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();

function load(content: string, options: Partial<DataConfig> = {}, dtype: 'float32' | 'float64' = 'float64') {
  folder.write('t.csv', content);
  const config = { ...configOf({ train: 't.csv', target: 'y', ...options }), dtype, seed: 3 };
  return loadDataset(config, folder.path, inConfig);
}

const failure = async (content: string, options: Partial<DataConfig>) => {
  const { exitCode, message, hint } = await rejection(load(content, options));
  return { exitCode, message: message.replaceAll(`${folder.path}/`, ''), hint };
};

/** The features of a side, a row each. */
const rowsOf = (rows: Split | undefined) =>
  Array.from({ length: rows?.rows ?? 0 }, (_, row) => [...(rows?.features.read(row, 1) ?? [])]);

/** Rows that count themselves, with their part and a class. */
const parts = (...names: string[]) =>
  ['x,part,y', ...names.map((part, row) => `${row},${part},${row % 2 ? 'yes' : 'no'}`)].join('\n');

describe('held-out rows', () => {
  it('are marked by a column, which is then no feature', async () => {
    const dataset = await load(parts('train', 'test', 'train', 'validation', 'test', 'train'), {
      validation: { column: 'part', value: 'validation' },
      test: { column: 'part', value: 'test' },
    });
    expect(dataset.featureNames).toEqual(['x']);
    expect(rowsOf(dataset.train)).toEqual([[0], [2], [5]]);
    expect(rowsOf(dataset.validation)).toEqual([[3]]);
    expect(rowsOf(dataset.test)).toEqual([[1], [4]]);
    expect(dataset.test?.labels).toEqual(Int32Array.of(1, 0));
  });

  it('are marked by a number, however it is spelt', async () => {
    const { train, validation } = await load(parts('0', '1', '1.0', '0'), {
      validation: { column: 'part', value: 1 },
    });
    expect(rowsOf(train)).toEqual([[0], [3]]);
    expect(rowsOf(validation)).toEqual([[1], [2]]);
  });

  it('are two calls of train_test_split: test rows first, validation rows of the rest', async () => {
    const labels = Int32Array.from({ length: 40 }, (_, row) => row % 2);
    const { train, validation, test } = await load(parts(...Array(40).fill('1')), {
      exclude: ['part'],
      validation: 0.25,
      test: 0.2,
    });
    const first = stratifiedSplit(labels, 2, 0.2, 3);
    const rest = first.train.map((row) => labels[row]);
    const second = stratifiedSplit(rest, 2, 0.25, 3);
    expect(rowsOf(test).flat()).toEqual([...first.test]);
    expect(rowsOf(validation).flat()).toEqual([...second.test].map((i) => first.train[i]));
    expect(rowsOf(train).flat()).toEqual([...second.train].map((i) => first.train[i]));
  });

  it('may each be a file', async () => {
    folder.write('v.csv', 'y,x\nno,7\n');
    folder.write('w.csv', 'x,y\n8,yes\n9,no\n');
    const { train, validation, test } = await load('x,y\n1,no\n2,yes\n', {
      validation: 'v.csv',
      test: 'w.csv',
    });
    expect([train, validation, test].map((rows) => rowsOf(rows))).toEqual([[[1], [2]], [[7]], [[8], [9]]]);
  });

  it.each<[string, Partial<DataConfig>, string, string]>([
    [
      'no row',
      { validation: { column: 'part', value: 'valid' } },
      't.csv: column "part": found no row with "valid", expected the validation rows to have it',
      'the column has "train", "held"; set data.validation.value',
    ],
    [
      'all rows',
      { exclude: ['x'], test: { column: 'y', value: 'no' } },
      'c.json: data.test.column: found the target column "y", expected other columns',
      'a target has no other role: remove it from data.test.column',
    ],
  ])('are refused where a column marks %s', async (_, options, message, hint) => {
    expect(await failure(parts('train', 'held', 'train', 'held'), options)).toMatchObject({ message, hint });
  });

  it('say which class no training row has', async () => {
    const { warnings } = await load(parts('train', 'held', 'train', 'held'), {
      validation: { column: 'part', value: 'held' },
    });
    expect(warnings.join()).toContain('no training row has the class "yes", so it can\'t be learned');
  });
});

describe('weights', () => {
  const unbalanced = 'x,w,y\n1,2,a\n2,0.5,b\n3,1,a\n4,1,a\n';

  it('are balanced as by scikit-learn: n / (K · count)', async () => {
    const { train } = await load(unbalanced, { weights: 'balanced' });
    expect(train.weights).toEqual(Float64Array.of(4 / 6, 2, 4 / 6, 4 / 6));
  });

  it('go by class, 1 where it is not named', async () => {
    expect((await load(unbalanced, { weights: { b: 5 } })).train.weights).toEqual(
      Float64Array.of(1, 5, 1, 1),
    );
  });

  it('are a column, which is then no feature', async () => {
    const { train, featureNames } = await load(unbalanced, { weights: { column: 'w' } });
    expect(featureNames).toEqual(['x']);
    expect(train.weights).toEqual(Float64Array.of(2, 0.5, 1, 1));
  });

  it('are not there unless asked for', async () => {
    expect((await load(unbalanced)).train.weights).toBeUndefined();
  });

  it.each<[string, Partial<DataConfig>, number, string, string | undefined]>([
    [
      'a class that there is not',
      { weights: { B: 2 } },
      ExitCode.config,
      'c.json: data.weights: found no class "B", expected one of a, b',
      'did you mean "b"?',
    ],
    [
      'a column that there is not',
      { weights: { column: 'v' } },
      ExitCode.config,
      'c.json: data.weights.column: found no column "v" in t.csv, expected one of x, w, y',
      undefined,
    ],
    [
      'classes of a regression',
      { weights: 'balanced', target: 'x' },
      ExitCode.config,
      'c.json: data.weights: found weights by class for a regression, expected a column: {"column": "…"}',
      undefined,
    ],
  ])('are refused with %s', async (_, options, exitCode, message, hint) => {
    const error = await failure(unbalanced, { task: options.target ? 'regression' : 'auto', ...options });
    expect(error).toMatchObject({ exitCode, message });
    if (hint !== undefined) expect(error.hint).toBe(hint);
  });

  it('are refused where one is negative', async () => {
    expect(await failure(unbalanced.replace('0.5', '-1'), { weights: { column: 'w' } })).toMatchObject({
      exitCode: ExitCode.data,
      message: 't.csv:3: column "w": found -1, expected a weight of at least 0',
    });
  });
});

describe('rows of weight 0', () => {
  /** Rows as text, one of weight 0 with a strange feature and a class of its own. */
  const lines = [...Array(24).keys()].map((row) => `${row},${row % 4},${row % 3 ? 'a' : 'b'}`);
  const withZeros = ['x,w,y', '1e9,0,a', ...lines, '-1e9,0,c', ''].join('\n');
  const without = ['x,w,y', ...lines.filter((line) => !line.includes(',0,')), ''].join('\n');
  const weights = { column: 'w' };

  it('are left out before the split, as if the file lacked them', async () => {
    const { train, validation, encodings, warnings } = await load(withZeros, { weights, validation: 0.25 });
    const expected = await load(without, { weights, validation: 0.25 });
    const unnumbered = (side: typeof validation) => ({ ...side, rowNumbers: undefined });
    expect([train, validation].map(unnumbered)).toEqual(
      [expected.train, expected.validation].map(unnumbered),
    );
    expect(encodings).toEqual(expected.encodings);
    expect(warnings.filter((sentence) => sentence.includes('weight'))).toEqual([
      `${folder.path}/t.csv: 8 of 26 rows are left out because their weight is 0`,
    ]);
  });

  it('are left out of the scale of a target, of text columns and of a file of their own', async () => {
    const table = (rows: string[]) => ['x,city,w,y', ...rows, ''].join('\n');
    const rows = ['1,Rome,1,1.5', '2,Oslo,2,2.5', '3,Rome,1,4.25', '4,Oslo,1,3'];
    folder.write('v.csv', table(['9,Oslo,0,7', rows[0]]));
    const options: Partial<DataConfig> = { weights, validation: 'v.csv', task: 'regression' };
    const zeros = await load(table([...rows, '1e9,Paris,0,1e9']), options);
    const expected = await load(table(rows), options);
    expect(zeros.featureNames).toEqual(['x', 'city=Oslo', 'city=Rome']);
    expect({ ...zeros, warnings: [], description: '' }).toEqual({
      ...expected,
      warnings: [],
      description: '',
    });
    expect(zeros.validation?.rows).toBe(1);
  });

  it('are those of a class of weight 0, which stays a class', async () => {
    const { train, classes, warnings } = await load('x,y\n1,a\n2,b\n3,c\n4,b\n5,c\n', {
      weights: { a: 0, c: 2 },
    });
    expect(classes).toEqual(['a', 'b', 'c']);
    expect([train.labels, train.weights]).toEqual([Int32Array.of(1, 2, 1, 2), Float64Array.of(1, 2, 1, 2)]);
    expect(warnings.join()).toContain('no training row has the class "a"');
  });

  it.each<[string, string, Partial<DataConfig>, string]>([
    ['in a column', 'x,w,y\n1,0,a\n2,0,b\n3,0,a\n', { weights }, 't.csv: found the weight 0 in all 3 rows'],
    [
      'of the only classes',
      'x,y\n1,a\n2,b\n3,a\n',
      { weights: { a: 0, b: 0 } },
      'c.json: data.weights: found 0 for every class',
    ],
    [
      'in another file',
      'x,w,y\n1,1,a\n2,0,b\n3,1,a\n',
      { weights, test: 'zeros.csv' },
      'zeros.csv: found the weight 0 in all 2 rows',
    ],
    [
      'to train on',
      'x,w,part,y\n1,0,0,a\n2,0,0,b\n3,1,1,a\n4,1,1,b\n',
      { weights, validation: { column: 'part', value: 1 } },
      't.csv: column "part": found 1 in all rows among those with a target and a weight above 0, expected other rows to train on',
    ],
    [
      'to hold out',
      'x,w,part,y\n1,1,0,a\n2,1,0,b\n3,0,1,a\n4,0,1,b\n',
      { weights, validation: { column: 'part', value: 1 } },
      't.csv: column "part": found no row with 1 among those with a target and a weight above 0, expected the validation rows to have it',
    ],
    [
      'in the held-out rows of a class that has no training rows',
      'x,part,y\n1,0,a\n2,0,b\n3,1,c\n',
      { weights: 'balanced', validation: { column: 'part', value: 1 } },
      't.csv: found the weight 0 in all 1 validation rows',
    ],
  ])('are refused if there are no others: %s', async (_, content, options, message) => {
    folder.write('zeros.csv', 'x,w,y\n1,0,a\n2,0,b\n');
    const error = await failure(content, options);
    const expected = message.includes('expected')
      ? message
      : `${message}, expected at least one weight above 0`;
    expect(error.message).toBe(expected);
    expect(error.exitCode).toBe(message.startsWith('c.json') ? ExitCode.config : ExitCode.data);
  });
});

describe('weights that a float32 cannot hold', () => {
  it.each([
    ['1e308', '5e307', '1', [1, 0.5, 1e-308]],
    ['1e-320', '2e-320', '0.5e-320', [0.5, 1, 0.25]],
    ['4294967296', '1', '2', [4294967296, 1, 2]],
  ] as const)('are divided by the largest: %s, %s, %s', async (a, b, c, expected) => {
    const content = `x,w,y\n1,${a},a\n2,${b},b\n3,${c},a\n`;
    const { train } = await load(content, { weights: { column: 'w' } });
    expect(train.weights).toBeAllclose([...expected], { relative: 1e-3 });
  });
});

describe('features', () => {
  const people = 'age,city,y\n20,Rome,no\n,Paris,yes\n40,?,no\n60,Rome,yes\n';

  it('of text are one-hot, by the levels of the training rows', async () => {
    folder.write('v.csv', 'age,city,y\n1,Oslo,no\n2,Paris,no\n');
    const dataset = await load('age,city,y\n1,Rome,no\n2,Paris,yes\n', { validation: 'v.csv' });
    expect(dataset.featureNames).toEqual(['age', 'city=Paris', 'city=Rome']);
    expect(rowsOf(dataset.train)).toEqual([
      [1, 0, 1],
      [2, 1, 0],
    ]);
    expect(rowsOf(dataset.validation)).toEqual([
      [1, 0, 0],
      [2, 1, 0],
    ]);
    expect(dataset.warnings.join()).toContain('1 row holds "Oslo", which no training row has');
  });

  it('of numbers are categories where that is asked for', async () => {
    const { featureNames } = await load('zip,y\n10,no\n9,yes\n10.0,no\n', { categories: ['zip'] });
    expect(featureNames).toEqual(['zip=9', 'zip=10', 'zip=10.0']);
  });

  it('are filled by policy, each column by its own', async () => {
    const { featureNames, train } = await load(people, {
      missing: { age: 'indicator', city: 'most-frequent' },
    });
    expect(featureNames).toEqual(['age', 'age missing', 'city=Paris', 'city=Rome']);
    expect(rowsOf(train)).toEqual([
      [20, 0, 0, 1],
      [40, 1, 1, 0],
      [40, 0, 0, 1],
      [60, 0, 0, 1],
    ]);
  });

  it('that are missing may drop their row, and so may a target', async () => {
    const { train, warnings } = await load(`${people}70,Rome,\n`, { missing: 'drop-row' });
    // All that are left live in Rome.
    expect([...allOf(train.features)]).toEqual([20, 60]);
    expect(warnings.join()).toContain('3 of 5 rows are dropped because a cell is missing');
  });

  it('are scaled each as its column says', async () => {
    const { train } = await load('a,b,c,y\n0,10,7,no\n4,30,9,yes\n', {
      standardize: { a: 'minmax', b: true, c: false },
    });
    expect(rowsOf(train)).toEqual([
      [0, -1, 7],
      [1, 1, 9],
    ]);
  });

  it.each<[Partial<DataConfig>, string]>([
    [
      { missing: { agee: 'mean' } },
      'c.json: data.missing: found no column "agee" in t.csv, expected one of age, city, y',
    ],
    [
      { standardize: { Age: false } },
      'c.json: data.standardize: found no column "Age" in t.csv, expected one of age, city, y',
    ],
    [
      { categories: ['town'] },
      'c.json: data.categories[0]: found no column "town" in t.csv, expected one of age, city, y',
    ],
  ])('have settings by names that there are: %j', async (options, message) => {
    expect(await failure(people, options)).toMatchObject({ exitCode: ExitCode.config, message });
  });

  it('that look like an identifier are told', async () => {
    const rows = Array.from({ length: 30 }, (_, row) => `${row + 1},name${row},${row % 7},${row % 2}`).join(
      '\n',
    );
    const { warnings } = await load(`id,name,x,y\n${rows}\n`);
    expect(warnings.map((warning) => /column "(\w+)" (?:counts|holds)/.exec(warning)?.[1])).toEqual([
      'id',
      'name',
    ]);
  });
});

describe('several targets', () => {
  const twins = 'x,u,v\n1,10,0.5\n2,30,1.5\n3,20,1.0\n';

  it('are a regression, in the order in which they are named', async () => {
    const { task, targetNames, featureNames, train } = await load(twins, { target: ['v', 'u'] });
    expect({ task, targetNames, featureNames }).toEqual({
      task: 'regression',
      targetNames: ['v', 'u'],
      featureNames: ['x'],
    });
    expect(train.targets).toEqual(Float64Array.of(0.5, 10, 1.5, 30, 1, 20));
  });

  it('are standardised each by itself', async () => {
    const { targetStandardization, train } = await load(twins, {
      target: ['u', 'v'],
      standardizeTarget: true,
    });
    expect(targetStandardization?.mean).toEqual([20, 1]);
    expect(train.targets?.[0]).toBeCloseTo(-Math.sqrt(1.5), 14);
    expect(train.targets?.[1]).toBeCloseTo(-Math.sqrt(1.5), 14);
  });

  it('are refused where one is text', async () => {
    expect(await failure('x,u,v\n1,2,a\n3,4,b\n', { target: ['u', 'v'] })).toMatchObject({
      exitCode: ExitCode.data,
      message: 't.csv:2: column "v": found "a", expected a number',
    });
  });
});

it('says in a line how the file was understood', async () => {
  const { description } = await load('a;y\n1;no\n2;yes\n');
  expect(description.replaceAll(`${folder.path}/`, '')).toBe(
    't.csv: 2 rows of 2 columns, separated by semicolons, with a header',
  );
});

it('has the same matrix in float32, rounded once', async () => {
  const content = 'a,b,y\n0.1,1e5,no\n0.7,3,yes\n0.123456789,-8,no\n';
  const [narrow, wide] = [
    await load(content, { standardize: true }, 'float32'),
    await load(content, { standardize: true }),
  ];
  expect(allOf(narrow.train.features)).toEqual(Float32Array.from(allOf(wide.train.features)));
});

it.each(['float32', 'float64'] as const)(
  'a file of validation rows goes with a share of test rows: %s',
  async (dtype) => {
    folder.write('v.csv', 'x,y\n100,1.5\n200,2.5\n');
    const content = 'x,y\n1,0.5\n2,1.25\n3,0.75\n6,2\n';
    const options: Partial<DataConfig> = { validation: 'v.csv', test: { last: 0.25 }, standardize: true };
    const { train, validation, test } = await load(content, options, dtype);
    const scaled = (...values: number[]) => values.map((value) => (value - 2) / Math.sqrt(2 / 3));
    expect([...allOf(train.features)]).toBeAllclose(scaled(1, 2, 3), { relative: 1e-6 });
    expect([...allOf(validation?.features)]).toBeAllclose(scaled(100, 200), { relative: 1e-6 });
    expect([...allOf(test?.features)]).toBeAllclose(scaled(6), { relative: 1e-6 });
  },
);
