import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CategoryEncoding,
  type FeatureEncoding,
  type FeatureRequest,
  matrixWidth,
  type NumericEncoding,
} from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import { matrixIn } from '../../../src/data/featureMatrix.js';
import type { Table } from '../../../src/data/table.js';
import type { DType, FloatArray } from '../../../src/kernels/kernels.js';
import { allRows, tableOf } from './tables.js';
import '../../support/matchers.js';

/** Rows that nothing has been written to hold this. */
const UNTOUCHED = 77;

function matrixOf(rows: number, columns: number, dtype: DType = 'float64', byteOffset = 64) {
  const elementBytes = dtype === 'float32' ? 4 : 8;
  // 5 bytes more: memory need not end with the matrix, nor with an element
  const buffer = new SharedArrayBuffer(byteOffset + rows * columns * elementBytes + 5);
  const data: FloatArray =
    dtype === 'float32'
      ? new Float32Array(buffer, byteOffset, rows * columns)
      : new Float64Array(buffer, byteOffset, rows * columns);
  return { data: data.fill(UNTOUCHED), columns };
}

/** The rows of the matrix that all rows of the table give, in their order. */
function write(
  table: Table,
  encodings: readonly FeatureEncoding[],
  { dtype, place = allRows(table) }: { dtype?: DType; place?: Int32Array } = {},
) {
  const columns = matrixWidth(encodings);
  const rows = Math.max(-1, ...place) + 1;
  const matrix = matrixOf(rows, columns, dtype);
  const indices = encodings.map(({ column }) => table.names.indexOf(column));
  const { unknown } = writeFeatures(table, indices, encodings, place, matrixIn(matrix));
  const elements = matrix.data;
  const written = Array.from({ length: rows }, (_, row) => [
    ...elements.subarray(row * columns, (row + 1) * columns),
  ]);
  return { written, unknown };
}

const x: NumericEncoding = { kind: 'numeric', column: 'x', shift: 2, scale: 4 };
const city: CategoryEncoding = { kind: 'category', column: 'city', levels: ['Lima', 'Oslo'] };

describe('writeFeatures', () => {
  it('scales numbers and sets the column of the level', () => {
    const table = tableOf({ city: ['Oslo', 'Lima'], x: [4, -2] });
    expect(write(table, [x, city]).written).toEqual([
      [0.5, 0, 1],
      [-1, 1, 0],
    ]);
  });

  it('rounds to the dtype once, at the end', () => {
    const { written } = write(tableOf({ x: [0.1, 1e9 + 1] }), [{ ...x, shift: 1e9, scale: 3 }], {
      dtype: 'float32',
    });
    expect(written).toEqual([[Math.fround((0.1 - 1e9) / 3)], [Math.fround(1 / 3)]]);
  });

  it('writes rows to their places and leaves others alone', () => {
    const table = tableOf({ x: [2, 6, 10, 14], city: ['Lima', 'Oslo', 'Lima', 'Oslo'] });
    expect(write(table, [x, city], { place: Int32Array.of(3, -1, 0, 1) }).written).toEqual([
      [2, 1, 0],
      [3, 0, 1],
      [UNTOUCHED, UNTOUCHED, UNTOUCHED],
      [0, 1, 0],
    ]);
    expect(write(table, [x], { place: new Int32Array(4).fill(-1) }).written).toEqual([]);
  });

  it('fills and marks missing cells', () => {
    const table = tableOf({ x: [null, 6], city: [null, 'Oslo'] });
    const marked = [
      { ...x, fill: 4, indicator: true as const },
      { ...city, indicator: true as const },
    ];
    expect(write(table, marked).written).toEqual([
      [0.5, 1, 0, 0, 1],
      [1, 0, 0, 1, 0],
    ]);
    const filled = [
      { ...x, fill: 4 },
      { ...city, fill: 'Lima' },
    ];
    expect(write(table, filled).written).toEqual([
      [0.5, 1, 0],
      [1, 0, 1],
    ]);
  });

  it('fills where no training cell was missing', () => {
    const training = tableOf({ x: [1, 3], city: ['Oslo', 'Lima'] });
    const requests = [0, 1].map(
      (index): FeatureRequest => ({ index, scaling: 'none', missing: 'indicator', category: false }),
    );
    const encodings = fitFeatures(training, requests, allRows(training));
    // one row each: of two levels the first
    expect(write(tableOf({ x: [null], city: [null, 'x'] }), encodings).written).toEqual([[2, 1, 0]]);
  });

  it('sets no level that is not known, and counts its rows', () => {
    const table = tableOf({ city: ['Lima', 'Quito', 'Oslo', 'Bonn', 'Quito', 'Quito', 'Rom', null] });
    const place = Int32Array.of(0, 1, 2, 3, 4, -1, -1, 5);
    const { written, unknown } = write(table, [{ ...city, fill: 'Oslo' }], { place });
    expect(written).toEqual([
      [1, 0],
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 0],
      [0, 1],
    ]);
    expect(unknown).toEqual([
      { column: 'city', level: 'Quito', rows: 2 },
      { column: 'city', level: 'Bonn', rows: 1 },
    ]);
  });

  it('knows a number in any spelling only by the encodings of an old model', () => {
    const zone: FeatureEncoding = { kind: 'category', column: 'zone', levels: ['2', '10'] };
    const table = tableOf({ zone: ['2.0', '1e1', 'x', '+2', '2'] });
    expect(write(table, [{ ...zone, byValue: true }]).written).toEqual([
      [1, 0],
      [0, 1],
      [0, 0],
      [1, 0],
      [1, 0],
    ]);
    const { written, unknown } = write(table, [zone]);
    expect(written).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 0],
    ]);
    expect(unknown.map(({ level }) => level)).toEqual(['2.0', '1e1', 'x', '+2']);
  });

  it('refuses a missing cell that nothing stands in for, the first in the file, before it writes', () => {
    const table = tableOf({ x: [1, 2, 3, null], city: ['Lima', null, null, 'Oslo'] });
    expect(() => write(table, [x, city], { place: Int32Array.of(2, -1, 1, 0) })).toThrow(
      expect.objectContaining({
        exitCode: 65,
        message: 'people.csv:4: column "city": found a missing value, expected a value',
      }),
    );
    const matrix = matrixOf(4, 3);
    expect(() => writeFeatures(table, [0, 1], [x, city], allRows(table), matrixIn(matrix))).toThrow(
      'people.csv:3',
    );
    expect(new Set(matrix.data)).toEqual(new Set([UNTOUCHED]));
    expect(() => write(table, [x, city], { place: Int32Array.of(0, -1, -1, -1) })).not.toThrow();
  });

  it('refuses a matrix of another width', () => {
    const table = tableOf({ x: [1] });
    expect(() => writeFeatures(table, [0], [x], allRows(table), matrixIn(matrixOf(1, 2)))).toThrow(
      RangeError,
    );
  });
});

describe('a number too large', () => {
  const plain = (column: string): NumericEncoding => ({ kind: 'numeric', column, shift: 0, scale: 1 });

  it('is the first one in the file', () => {
    const table = tableOf({ b: [1, 2, 1e39, 1], a: [1, 3.5e38, 1e40, 1] });
    expect(() => write(table, [plain('b'), plain('a')], { dtype: 'float32' })).toThrow(
      expect.objectContaining({
        exitCode: 65,
        message: 'people.csv:3: column "a": found 3.5e+38, expected a number that fits a float32',
        hint: expect.stringContaining('float64'),
      }),
    );
    expect(write(table, [plain('b'), plain('a')]).written[2]).toEqual([1e39, 1e40]);
  });

  it('is one after scaling', () => {
    const small = { ...x, shift: 0, scale: 1e-10 };
    expect(() => write(tableOf({ x: [1, 1e30] }), [small], { dtype: 'float32' })).toThrow(
      'people.csv:3: column "x": found 1e+30, scaled 1e+40, expected a number that fits a float32',
    );
    expect(() => write(tableOf({ x: [-1e300] }), [small])).toThrow('found -1e+300, scaled -Infinity');
    expect(write(tableOf({ x: [1e40] }), [{ ...small, scale: 1e10 }], { dtype: 'float32' }).written).toEqual([
      [Math.fround(1e30)],
    ]);
  });

  it('is what a missing cell is filled with', () => {
    expect(() =>
      write(tableOf({ x: [null] }), [{ ...plain('x'), fill: 1e39 }], { dtype: 'float32' }),
    ).toThrow('people.csv:2: column "x": found a missing value, filled with 1e+39, expected a number');
  });

  it('is what float32 would round to infinity, and nothing less', () => {
    const largest = 2 ** 128 - 2 ** 104;
    const half = 2 ** 128 - 2 ** 103;
    const below = half - 2 ** 75;
    const encodings = [plain('x')];
    expect(write(tableOf({ x: [-below] }), encodings, { dtype: 'float32' }).written).toEqual([[-largest]]);
    expect(() => write(tableOf({ x: [-half] }), encodings, { dtype: 'float32' })).toThrow('found -3.4028');
  });
});

describe('blocks', () => {
  it.each([1, 3, 400])('give what single rows give: %i columns', (columns) => {
    const rows = 1500;
    const cell = (row: number, column: number) => ((row * 31 + column * 17) % 101) - 50;
    const names = Array.from({ length: columns }, (_, j) => `x${j}`);
    const table = tableOf(
      new Map(names.map((name, j) => [name, Array.from({ length: rows }, (_, row) => cell(row, j))])),
    );
    const encodings = names.map(
      (column): NumericEncoding => ({ kind: 'numeric', column, shift: 1, scale: 2 }),
    );
    // 7 and 1500 have no common divisor: each place is taken once
    const place = Int32Array.from({ length: rows }, (_, row) => (row * 7) % rows);
    const expected = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < columns; j++) expected[place[row] * columns + j] = (cell(row, j) - 1) / 2;
    }
    const matrix = matrixOf(rows, columns, 'float32');
    writeFeatures(table, [...names.keys()], encodings, place, matrixIn(matrix));
    expect(matrix.data).toBeAllclose(expected);
  });
});

describe('encodings', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e150, max: 1e150 }),
    fc.constantFrom(0, -0, 5e-324, 1e150, -1e150),
  );
  const text = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', '1', '1.0', '-0', '1e400', '😀', '\ud800', '"', '\\'),
    fc.string({ minLength: 1, unit: 'grapheme' }),
  );
  const rows = fc.tuple(fc.option(number), fc.option(text));

  it('are plain JSON', () => {
    const request = fc.record({
      scaling: fc.constantFrom('standard' as const, 'minmax' as const, 'none' as const),
      missing: fc.constantFrom(
        'mean' as const,
        'median' as const,
        'most-frequent' as const,
        'indicator' as const,
      ),
    });
    fc.assert(
      fc.property(number, text, fc.array(rows), request, (cell, level, others, choice) => {
        const all = [[cell, level] as const, ...others];
        const table = tableOf(
          new Map<string, (number | string | null)[]>([
            ['__proto__', all.map(([cell]) => cell)],
            ['city', all.map(([, level]) => level)],
          ]),
        );
        const requests = table.names.map((_, index) => ({ index, category: false, ...choice }));
        const encodings = fitFeatures(table, requests, allRows(table));
        const revived = JSON.parse(JSON.stringify(encodings)) as FeatureEncoding[];
        expect(revived).toEqual(encodings);
        expect(write(table, revived)).toEqual(write(table, encodings));
      }),
    );
  });

  it('hold no −0, which JSON does not know', () => {
    const table = tableOf({ x: [-0, -0, 1, null] });
    for (const scaling of ['minmax', 'none'] as const) {
      const request = { index: 0, scaling, missing: 'most-frequent', category: false } as const;
      const [encoding] = fitFeatures(table, [request], allRows(table));
      expect(encoding).toStrictEqual({
        kind: 'numeric',
        column: 'x',
        shift: 0,
        scale: 1,
        fill: 0,
        range: [0, 1],
      });
    }
  });
});
