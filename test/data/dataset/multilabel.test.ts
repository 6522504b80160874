import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../../src/errors.js';
import type { DataConfig } from '../../../src/spec/dataConfig.js';
import { configOf, Folder, inConfig, rejection } from '../files.js';

const folder = new Folder();

const MULTILABEL: Partial<DataConfig> = { task: 'multilabel', target: ['a', 'b'] };

/** A CSV with a feature `x` that counts the rows, and these cells of `a` and `b`. */
function load(rows: readonly (readonly [string, string])[], options: Partial<DataConfig> = MULTILABEL) {
  folder.write('train.csv', ['x,a,b', ...rows.map(([a, b], i) => `${i},${a},${b}`)].join('\n'));
  const config = configOf({ train: 'train.csv', target: ['a', 'b'], ...options });
  return loadDataset(config, folder.path, inConfig);
}

async function failure(rows: readonly (readonly [string, string])[], options?: Partial<DataConfig>) {
  const { exitCode, message, hint } = await rejection(load(rows, options));
  return { exitCode, message: message.replaceAll(`${folder.path}/`, ''), hint };
}

describe('columns of labels', () => {
  it.each<[string, [string, string][], [string, string][]]>([
    ['0 and 1', [['0', '1'], ['1', '1'], ['1', '0']], [['0', '1'], ['0', '1']]], // biome-ignore format: a table
    ['words', [['no', 'TRUE'], ['yes', 'TRUE'], ['yes', 'FALSE']], [['no', 'yes'], ['FALSE', 'TRUE']]], // biome-ignore format: a table
    ['numbers with a fraction', [['0.0', '1.0'], ['1.0', '1.0'], ['1.0', '0.0']], [['0.0', '1.0'], ['0.0', '1.0']]], // biome-ignore format: a table
    ['mixed spellings', [['No', 't'], ['Y', '1'], ['yes', 'f']], [['No', 'Y'], ['f', '1']]], // biome-ignore format: a table
    ['any two values', [['absent', 'hi'], ['present', 'hi'], ['present', 'hello']], [['absent', 'present'], ['hello', 'hi']]], // biome-ignore format: a table
  ])('may be %s', async (_, rows, labelValues) => {
    const dataset = await load(rows);
    expect(dataset).toMatchObject({ task: 'multilabel', targetNames: ['a', 'b'], labelValues, warnings: [] });
    expect(dataset.train.targets).toEqual(Float64Array.of(0, 1, 1, 1, 1, 0));
    expect(dataset.train.labels).toBeUndefined();
    expect(dataset).not.toHaveProperty('classes');
    expect(dataset).not.toHaveProperty('targetStandardization');
  });

  it('may be a single one', async () => {
    const { train, labelValues } = await load(
      [
        ['0', '7'],
        ['1', '8'],
      ],
      { task: 'multilabel', target: 'a' },
    );
    expect(labelValues).toEqual([['0', '1']]);
    expect(train.targets).toEqual(Float64Array.of(0, 1));
  });

  it('are never scaled', async () => {
    const { train } = await load(
      [
        ['0', '1'],
        ['1', '0'],
      ],
      { ...MULTILABEL, standardizeTarget: true },
    );
    expect(train.targets).toEqual(Float64Array.of(0, 1, 1, 0));
  });

  it('take the value for yes from data.positive', async () => {
    const { labelValues, train } = await load(
      [
        ['ill', 'well'],
        ['well', 'ill'],
      ],
      { ...MULTILABEL, positive: 'ill' },
    );
    expect(labelValues).toEqual([
      ['well', 'ill'],
      ['well', 'ill'],
    ]);
    expect(train.targets).toEqual(Float64Array.of(1, 0, 0, 1));
  });

  it('leave rows out that miss one, if the config says so', async () => {
    const { train } = await load(
      [
        ['0', '1'],
        ['', '0'],
        ['1', '0'],
      ],
      { ...MULTILABEL, missing: { a: 'drop-row' } },
    );
    expect(train).toMatchObject({ rows: 2, targets: Float64Array.of(0, 1, 1, 0) });
  });

  it('are what auto makes of yes and no in words', async () => {
    const { task, taskReason } = await load(
      [
        ['yes', '1'],
        ['no', '0'],
      ],
      { task: 'auto' },
    );
    expect(task).toBe('multilabel');
    expect(taskReason).toBe(
      '2 target columns of yes and no are taken as labels (multilabel); data.task decides',
    );
  });

  it('in numbers stay a regression by auto, with a warning', async () => {
    const dataset = await load(
      [
        ['1', '1'],
        ['0', '1'],
        ['0', '0'],
      ],
      { task: 'auto' },
    );
    expect(dataset.task).toBe('regression');
    expect(dataset.warnings).toEqual([
      `${folder.path}/train.csv: column "a", column "b" hold only 0 and 1, and are trained as 2 quantities; for labels that a row may have or not, set data.task to "multilabel"`,
    ]);
  });

  it('are warned of if all training rows have the same', async () => {
    const { warnings } = await load(
      [
        ['0', '1'],
        ['1', '1'],
        ['0', '1'],
        ['1', '0'],
      ],
      { ...MULTILABEL, validation: { last: 0.25 } },
    );
    expect(warnings).toEqual([
      `${folder.path}/train.csv: column "b": all training rows have the same value, so nothing is learned about it`,
    ]);
  });

  it('take weights from a column', async () => {
    folder.write('train.csv', 'x,w,a,b\n1,2,0,1\n2,0.5,1,0\n');
    const config = configOf({ train: 'train.csv', target: 'a', ...MULTILABEL, weights: { column: 'w' } });
    const { train } = await loadDataset(config, folder.path);
    expect(train.weights).toEqual(Float64Array.of(2, 0.5));
  });
});

describe('columns of labels are an error', () => {
  it.each<[string, [string, string][], Partial<DataConfig>, string, string | undefined]>([
    [
      'with one value',
      [['0', '1'], ['0', '0']], // biome-ignore format: a table
      {},
      'train.csv: column "a": found "0" in all 2 rows, expected at least two values',
      'one value leaves nothing to learn; check data.target',
    ],
    [
      'with a third value among yes and no',
      [['0', 'yes'], ['1', 'maybe'], ['1', 'no']], // biome-ignore format: a table
      {},
      'train.csv:3: column "b": found "maybe", a third value, expected one of no, yes',
      'a label is yes or no: data.task "multilabel" takes columns of two values',
    ],
    [
      'with three values',
      [['0', 'p'], ['1', 'q'], ['1', 'r']], // biome-ignore format: a table
      {},
      'train.csv:4: column "b": found "r", a third value, expected one of p, q',
      'a label is yes or no: data.task "multilabel" takes columns of two values',
    ],
    [
      'with a missing cell',
      [['0', '1'], ['1', '']], // biome-ignore format: a table
      {},
      'train.csv:3: column "b": found a missing value, expected a number',
      'complete the cell, remove the row, or leave out such rows: "data": { "missing": { "b": "drop-row" } }; a target is never filled in',
    ],
    [
      'without the positive value',
      [['ill', 'no'], ['well', 'yes']], // biome-ignore format: a table
      { positive: 'ill' },
      'c.json: data.positive: found "ill", which is no class of column "b" in train.csv, expected one of no, yes',
      undefined,
    ],
  ])('%s', async (_, rows, options, message, hint) => {
    const found = await failure(rows, { ...MULTILABEL, ...options });
    expect(found).toEqual({
      exitCode: message.startsWith('c.json') ? ExitCode.config : ExitCode.data,
      message,
      hint,
    });
  });
});
