/** Tables in memory, held to the datasets that CSV files of the same cells become. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { type LoadOptions, loadDataset } from '../../src/data/dataset/loadDataset.js';
import { type Cell, type MemoryData, memoryTable } from '../../src/data/memory.js';
import { ExitCode } from '../../src/errors.js';
import type { DataConfig } from '../../src/spec/dataConfig.js';
import { allOf, plainSplit } from '../support/datasets.js';
import { projectPath } from '../support/fixtures.js';
import { configOf, Folder, inConfig, rejection } from './files.js';
import { uniform } from './numeric/support.js';

const folder = new Folder();

type Row = Record<string, Cell>;
type Options = Partial<DataConfig> & { dtype?: 'float32' | 'float64' };

function load(memory: NonNullable<LoadOptions['memory']>, { dtype = 'float64', ...data }: Options = {}) {
  const config = { ...configOf({ train: 'unused', target: 'y', ...data }), dtype };
  return loadDataset(config, folder.path, inConfig, { memory });
}

function loadCsv(content: string, { dtype = 'float64', ...data }: Options = {}) {
  folder.write('train.csv', content);
  const config = { ...configOf({ train: 'train.csv', target: 'y', ...data }), dtype };
  return loadDataset(config, folder.path, inConfig);
}

async function failure(data: MemoryData, options: Options = {}) {
  const { exitCode, message, hint } = await rejection(load({ train: data }, options));
  return { exitCode, message, hint };
}

/** What a run learns from; the file's name is left out. */
function contentOf({ description, warnings, ...dataset }: Dataset) {
  return {
    ...dataset,
    warnings: warnings.map((text) => text.replace(/^.*?(train\.csv|data\.rows|data): /, '')),
  };
}

function csvOf(rows: readonly Row[]): string {
  const names = Object.keys(rows[0]);
  const lines = rows.map((row) => names.map((name) => row[name] ?? '').join(','));
  return `${[names.join(','), ...lines].join('\n')}\n`;
}

const IRIS = readFileSync(projectPath('data/iris.csv'), 'utf8');

const IRIS_ROWS: Row[] = (() => {
  const [header, ...lines] = IRIS.trim()
    .split(/\r?\n/)
    .map((line) => line.split(','));
  return lines.map((cells) =>
    Object.fromEntries(cells.map((cell, i) => [header[i], Number.isNaN(Number(cell)) ? cell : Number(cell)])),
  );
})();

/** Columns of text, numbers of many digits and booleans, with missing cells. */
function mixedRows(count: number): Row[] {
  const next = uniform(count);
  const draw = () => next.next().value;
  return Array.from({ length: count }, (_, i) => ({
    width: draw() * 10 - 5,
    city: ['Rome', 'Oslo', 'Bern'][Math.floor(draw() * 3)],
    count: i % 7 === 3 ? null : Math.floor(draw() * 100),
    member: draw() < 0.5,
    y: draw() < 0.5 ? 'no' : 'yes',
  }));
}

describe('rows in memory', () => {
  it.each(['float32', 'float64'] as const)('are the dataset of their CSV: iris in %s', async (dtype) => {
    const options: Options = {
      target: Object.keys(IRIS_ROWS[0])[4],
      standardize: true,
      validation: 0.2,
      test: 0.1,
      dtype,
    };
    const fromRows = await load({ train: { rows: IRIS_ROWS } }, options);
    expect(fromRows.train.rows).toBe(108);
    expect(contentOf(fromRows)).toEqual(contentOf(await loadCsv(IRIS, options)));
  });

  it.each<[string, Options]>([
    ['standardised', { standardize: true }],
    ['scaled to 0 and 1', { standardize: 'minmax' }],
    ['as they are', { standardize: false, missing: 'mean' }],
  ])('are the dataset of their CSV: many numbers of all digits, %s', async (_, options) => {
    const next = uniform(4);
    const rows = Array.from({ length: 9000 }, (): Row => {
      const [a, b, y] = [next.next().value, next.next().value, next.next().value];
      return { a: a * 2e5 - 1e5, b: b * 1e-3, y: a + y };
    });
    const all = { ...options, validation: 0.3 };
    expect(csvOf(rows).length).toBeLessThan(2 ** 20);
    expect(contentOf(await load({ train: { rows } }, all))).toEqual(
      contentOf(await loadCsv(csvOf(rows), all)),
    );
  });

  it.each(['mean', 'median', 'most-frequent', 'indicator', 'drop-row'] as const)(
    'are the dataset of their CSV: mixed columns, missing cells by %s',
    async (missing) => {
      const rows = mixedRows(200);
      const options: Options = { missing, standardize: true, validation: 0.25, weights: 'balanced' };
      const dataset = await load({ train: { rows } }, options);
      expect(dataset.classes).toEqual(['no', 'yes']);
      expect(contentOf(dataset)).toEqual(contentOf(await loadCsv(csvOf(rows), options)));
    },
  );

  it('may lack cells: undefined, null, NaN and absent names are missing', async () => {
    const rows = [
      { a: 1, b: 1, y: 0 },
      { a: 2, b: 3, y: 1 },
      { a: 3, b: undefined, y: 1 },
      { a: 6, y: 0 },
      { a: Number.NaN, b: null, y: 1 },
    ];
    const { train } = await load({ train: { rows } }, { missing: 'indicator' });
    expect([...allOf(train.features)]).toEqual([1, 0, 1, 0, 2, 0, 3, 0, 3, 0, 2, 1, 6, 0, 2, 1, 3, 1, 2, 1]);
  });

  it('have the bits of a CSV also where shared numbers may be embedded', async () => {
    const numbers = uniform(3);
    const rows = (gains: readonly number[]): Row[] =>
      Array.from({ length: 400 }, (_, i) => ({
        gain: gains[i % gains.length],
        x: numbers.next().value * 1e3,
        y: i % 2,
      }));
    for (const gains of [
      [1, 2, 3, 4],
      [0, 0, 0, 5, 6],
      [0, 0, 0, 7],
    ]) {
      const data = rows(gains);
      const options = { embedNumbersFrom: 3 };
      const [memory, csv] = [
        await load({ train: { rows: data } }, options),
        await loadCsv(csvOf(data), options),
      ];
      expect(contentOf(memory)).toEqual(contentOf(csv));
    }
  });

  it('read text as a CSV reads it', async () => {
    const { train, encodings } = await load({
      train: {
        rows: [
          { a: '1.50', y: true },
          { a: 2, y: false },
          { a: '-1e1', y: true },
        ],
      },
    });
    expect(encodings).toEqual([{ kind: 'numeric', column: 'a', shift: 0, scale: 1, range: [-10, 2] }]);
    expect(plainSplit(train)).toEqual({
      rowNumbers: Int32Array.of(1, 2, 3),
      rows: 3,
      features: Float64Array.of(1.5, 2, -10),
      labels: Int32Array.of(1, 0, 1),
    });
  });

  it('may have columns of any name', async () => {
    const rows = [
      JSON.parse('{"__proto__": 1, "constructor": "a"}'),
      JSON.parse('{"__proto__": 2, "constructor": "b"}'),
    ];
    const { featureNames, classes } = await load({ train: { rows } }, { target: 'constructor' });
    expect({ featureNames, classes }).toEqual({ featureNames: ['__proto__'], classes: ['a', 'b'] });
  });

  it('may be held out, and match the training columns by name', async () => {
    const train = {
      rows: [
        { a: 1, y: 'no' },
        { a: 3, y: 'yes' },
      ],
    };
    const validation = { rows: [{ y: 'yes', other: 5, a: 2 }] };
    const dataset = await load({ train, validation }, { validation: 0.5, standardize: true });
    expect(dataset.train.rows).toBe(2);
    expect(plainSplit(dataset.validation)).toEqual({
      rowNumbers: Int32Array.of(1),
      rows: 1,
      features: Float64Array.of(0),
      labels: Int32Array.of(1),
    });
  });

  it.each<[string, readonly unknown[], string, Options?]>([
    [
      'a word among numbers',
      [
        { a: 1, y: 0 },
        { a: 2, y: 1 },
        { a: 'x', y: 0 },
      ],
      'data.rows[2].a: found "x", expected a number',
    ],
    [
      'an infinite number',
      [
        { a: 1, y: 0 },
        { a: Infinity, y: 1 },
      ],
      'data.rows[1].a: found "Infinity", expected a number',
    ],
    [
      'a missing cell',
      [
        { a: 1, 'b c': 1, y: 0 },
        { a: 2, y: 1 },
      ],
      'data.rows[1]["b c"]: found a missing value, expected a number',
    ],
    [
      'a missing target',
      [{ a: 1, y: 0 }, { a: 2, y: 1 }, { a: 3 }],
      'data.rows[2].y: found a missing value, expected a number',
    ],
    [
      'a number beyond float32',
      [
        { a: 1e300, y: 0 },
        { a: 2, y: 1 },
      ],
      'data.rows[0].a: found 1e+300, expected a number that fits a float32',
      { dtype: 'float32' },
    ],
    [
      'an object',
      [
        { a: 1, y: 0 },
        { a: { b: 1 }, y: 1 },
      ],
      'data.rows[1].a: found an object, expected a number, text, true, false or null',
    ],
    [
      'a date',
      [
        { a: 1, y: 0 },
        { a: new Date(), y: 1 },
      ],
      'data.rows[1].a: found a Date, expected a number, text, true, false or null',
    ],
    [
      'a row that is none',
      [{ a: 1, y: 0 }, [1, 2]],
      'data.rows[1]: found an array, expected an object of cells by column name',
    ],
    ['no rows', [], 'data.rows: found no rows, expected at least one'],
    ['rows without columns', [{}, {}], 'data.rows: found no columns, expected at least one'],
    ['an empty name', [{ '': 1, y: 0 }], 'data.rows: found an empty name for column 0 (from 0)'],
    [
      'one value of the target',
      [
        { a: 1, y: 5 },
        { a: 2, y: 5 },
      ],
      'data.rows: column "y": found "5" in all 2 rows, expected at least two classes',
    ],
  ])('are refused: %s', async (_, rows, message, options = {}) => {
    expect(await failure({ rows: rows as Row[] }, options)).toMatchObject({
      exitCode: ExitCode.data,
      message,
    });
  });

  it('are refused without the column that the config names', async () => {
    expect(await failure({ rows: [{ a: 1, label: 2 }] }, { target: 'lable' })).toEqual({
      exitCode: ExitCode.config,
      message: 'c.json: data.target: found no column "lable" in data.rows, expected one of a, label',
      hint: 'did you mean "label"?',
    });
    const message = 'data.validation.rows: found no column "a", expected all columns of data.rows';
    const train = {
      rows: [
        { a: 1, y: 0 },
        { a: 2, y: 1 },
      ],
    };
    expect(await rejection(load({ train, validation: { rows: [{ y: 1 }] } }))).toMatchObject({ message });
  });
});

describe('a matrix in memory', () => {
  const x = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ];

  it('has the columns x0, x1, … and y', async () => {
    const { featureNames, targetNames, task, train } = await load({ train: { x, y: [0, 1, 1, 0] } });
    expect({ featureNames, targetNames, task }).toEqual({
      featureNames: ['x0', 'x1'],
      targetNames: ['y'],
      task: 'binary',
    });
    expect(plainSplit(train)).toEqual({
      rowNumbers: Int32Array.of(1, 2, 3, 4),
      rows: 4,
      features: Float64Array.from(x.flat()),
      labels: Int32Array.of(0, 1, 1, 0),
    });
  });

  it('may be flat, of float32 or float64, with named columns and classes of text', async () => {
    for (const flat of [Float32Array.from(x.flat()), Float64Array.from(x.flat())]) {
      const { featureNames, classes, train } = await load({
        train: { x: flat, y: ['a', 'b', 'b', 'a'], columns: ['p', 'q'] },
      });
      expect({ featureNames, classes }).toEqual({ featureNames: ['p', 'q'], classes: ['a', 'b'] });
      expect([...allOf(train.features)]).toEqual(x.flat());
    }
  });

  it('is the dataset of its CSV', async () => {
    const next = uniform(3);
    const values = Array.from({ length: 300 }, () => Array.from({ length: 4 }, () => next.next().value));
    const y = values.map(([a, b]) => a + b);
    const rows = values.map((row, i) => ({
      ...Object.fromEntries(row.map((v, j) => [`x${j}`, v])),
      y: y[i],
    }));
    const options: Options = {
      standardize: true,
      standardizeTarget: true,
      validation: 0.2,
      dtype: 'float32',
    };
    const expected = contentOf(await loadCsv(csvOf(rows), options));
    expect(contentOf(await load({ train: { x: values, y } }, options))).toEqual(expected);
    const flat = { x: Float64Array.from(values.flat()), y: Float64Array.from(y) };
    expect(contentOf(await load({ train: flat }, options))).toEqual(expected);
  });

  it('may do without targets', async () => {
    const { names, read } = memoryTable({ x: Float32Array.of(1, 2, 3, 4), columns: ['a', 'b'] });
    expect(names).toEqual(['a', 'b']);
    const { rows, columns } = await read(['numeric', 'skipped']);
    expect({ rows, columns }).toEqual({
      rows: 2,
      columns: [{ kind: 'numeric', values: Float64Array.of(1, 3), missing: 0 }, undefined],
    });
  });

  it.each<[string, MemoryData, string]>([
    [
      'rows of different lengths',
      { x: [[1, 2], [3]], y: [0, 1] },
      'data.x[1]: found 1 numbers, expected 2 as in the first row',
    ],
    [
      'a row that is a number',
      { x: [1, 2] as never, y: [0, 1] },
      'data.x[0]: found 1, expected an array of numbers',
    ],
    [
      'fewer targets than rows',
      { x, y: [0, 1] },
      'data.y: found 2 values, expected 4, one for each row of x',
    ],
    [
      'a flat array that is no multiple',
      { x: Float32Array.of(1, 2, 3), y: [0, 1] },
      'data.x: found 3 numbers, expected a multiple of the 2 rows of y',
    ],
    [
      'a flat array by itself',
      { x: Float32Array.of(1, 2, 3) },
      'data.x: found a flat array, expected y or columns beside it',
    ],
    [
      'too few names',
      { x, y: [0, 1, 1, 0], columns: ['a'] },
      'data.columns: found 1 names, expected 2, one for each column of x',
    ],
    [
      'a name twice',
      { x, y: [0, 1, 1, 0], columns: ['a', 'y'] },
      'data: found the column name "y" twice, expected different names',
    ],
    ['no rows', { x: [], y: [] }, 'data: found no rows, expected at least one'],
    [
      'a word',
      {
        x: [
          [1, 2],
          [3, 4],
          [5, 'six' as never],
        ],
        y: [0, 1, 0],
      },
      'data.x[2][1]: found "six", expected a number',
    ],
    [
      'a missing target',
      { x, y: [0, 1, Number.NaN, 0] },
      'data.y[2]: found a missing value, expected a number',
    ],
  ])('is refused: %s', async (_, data, message) => {
    expect(await failure(data)).toMatchObject({ exitCode: ExitCode.data, message });
  });
});
