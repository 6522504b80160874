import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CategoryEncoding,
  type FeatureEncoding,
  type FeatureRequest,
  inputKinds,
  isNumbered,
  matrixColumns,
  matrixWidth,
  type NumericEncoding,
} from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import { matrixIn } from '../../../src/data/featureMatrix.js';
import type { Table } from '../../../src/data/table.js';
import { MISSING_POLICIES, type MissingPolicy } from '../../../src/spec/words.js';
import { allRows, singleValued, tableOf } from './tables.js';
import '../../support/matchers.js';

const FILLING = MISSING_POLICIES.filter((policy) => policy !== 'error' && policy !== 'drop-row');

function fitAll(table: Table, request: Partial<FeatureRequest> = {}, rows = allRows(table)) {
  const requests = table.names.map((_, index) => ({
    index,
    scaling: 'standard' as const,
    missing: 'error' as const,
    category: false,
    ...request,
  }));
  return fitFeatures(table, requests, rows);
}

const numeric = (cells: (number | null)[], request: Partial<FeatureRequest> = {}, rows?: Int32Array) =>
  fitAll(tableOf({ x: cells }), request, rows)[0] as NumericEncoding;

const category = (cells: (string | null)[], missing: MissingPolicy = 'error', rows?: Int32Array) =>
  fitAll(tableOf({ x: cells }), { missing, category: true }, rows)[0] as CategoryEncoding;

describe('scaling', () => {
  it('is by mean and population standard deviation', () => {
    // deviations −3 −1 1 3, squares 20, variance 5
    const { shift, scale } = numeric([1, 3, 5, 7]);
    expect([shift, scale]).toEqual([4, Math.sqrt(5)]);
  });

  it('is by the least value and the range', () => {
    expect(numeric([3, -1, 7], { scaling: 'minmax' })).toMatchObject({ shift: -1, scale: 8 });
  });

  it('is none', () => {
    expect(numeric([3, -1, 7], { scaling: 'none' })).toMatchObject({ shift: 0, scale: 1 });
  });

  it('looks at the training rows alone', () => {
    const rows = Int32Array.of(3, 0);
    expect(numeric([1, 1e9, -1e9, 5], {}, rows)).toMatchObject({ shift: 3, scale: 2 });
    expect(numeric([1, 1e9, -1e9, 5], { scaling: 'minmax' }, rows)).toMatchObject({ shift: 1, scale: 4 });
  });

  it('does not hang on the order of the training rows', () => {
    const cells = [0.1, 0.7, 1e9, -3.3, 1e-9, null];
    const orders = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    const request = { missing: 'mean' } as const;
    fc.assert(
      fc.property(orders, (order) => {
        expect(numeric(cells, request, Int32Array.from(order))).toEqual(numeric(cells, request));
      }),
    );
  });

  it.each(['standard', 'minmax', 'none'] as const)('%s scales a column of a single value by 1', (scaling) => {
    const encodings = fitAll(tableOf({ same: [0.1, 0.1, 0.1], other: [0.1, 0.1, 0.2] }), { scaling });
    expect(singleValued(encodings)).toEqual(['same']);
    expect(encodings[0]).toMatchObject({ scale: 1 });
  });

  it.each(FILLING)('finds a single value beside missing cells: %s', (missing) => {
    // the mean of 999 times 0.1, summed up, is not 0.1
    const cells = new Array<number | null>(1000).fill(0.1).with(7, null);
    for (const scaling of ['standard', 'minmax', 'none'] as const) {
      const encodings = fitAll(tableOf({ x: cells }), { scaling, missing });
      expect(singleValued(encodings)).toEqual(['x']);
      expect(encodings[0]).toMatchObject({ scale: 1, fill: 0.1 });
    }
  });

  it('is fitted on the filled column', () => {
    // 1 and 5 about a mean of 3 that counts twice: squares 8 over 4 rows
    const { scale } = numeric([1, null, 5, null], { missing: 'mean' });
    expect(scale).toBe(Math.sqrt(2));
  });

  it('refuses numbers whose variance, range or sum overflows', () => {
    const cells = [-1.7e308, 1.7e308, 1.6e308, 1.5e308];
    expect(() => numeric(cells)).toThrow(
      'people.csv: column "x": found values whose variance overflows a float64',
    );
    expect(() => numeric(cells, { scaling: 'minmax' })).toThrow('range overflows');
    expect(() => numeric(cells.slice(1), { scaling: 'none', missing: 'mean' })).toThrow('sum overflows');
    expect(numeric(cells.slice(1), { scaling: 'minmax', missing: 'median' })).toMatchObject({
      fill: 1.6e308,
    });
  });
});

describe('filling numbers', () => {
  const cells = [7, null, 1, 7, 2, 2, null, 9];
  const fill = (missing: MissingPolicy, of: (number | null)[] = cells) =>
    numeric(of, { missing, scaling: 'none' }).fill;

  it('takes the mean of what is there', () => {
    expect(fill('mean')).toBe(28 / 6);
    expect(fill('indicator')).toBe(28 / 6);
  });

  it('takes the median, between two the middle', () => {
    expect(fill('median')).toBe(4.5);
    expect(fill('median', [10, null, 9, -100])).toBe(9);
    expect(fill('median', [1.6e308, -1.7e308, 1.6e308, 1.7e308])).toBe(1.6e308);
  });

  it('takes the most frequent value, of several the least', () => {
    expect(fill('most-frequent')).toBe(2);
    expect(fill('most-frequent', [3, 10, 10, null, -5])).toBe(10);
    expect(fill('most-frequent', [3, -1, 2])).toBe(-1);
    expect(fill('most-frequent', [1, 2, 2])).toBe(2);
  });

  it('is fitted where no training cell is missing too, for other rows', () => {
    expect(fill('mean', [1, 3])).toBe(2);
    expect(numeric([1, 3, null], { missing: 'median' }, Int32Array.of(0, 1)).fill).toBe(2);
  });

  it('is not there under policies that fill nothing', () => {
    expect(numeric([1, 3])).not.toHaveProperty('fill');
    expect(numeric([1, 3], { missing: 'drop-row' })).not.toHaveProperty('fill');
  });

  it('has an indicator only where a training cell is missing', () => {
    expect(numeric([1, null, 3], { missing: 'indicator' })).toMatchObject({ fill: 2, indicator: true });
    const complete = numeric([1, null, 3], { missing: 'indicator' }, Int32Array.of(0, 2));
    expect(complete).toMatchObject({ fill: 2 });
    expect(complete).not.toHaveProperty('indicator');
  });
});

describe('categories', () => {
  it('have the levels of the training rows, in order', () => {
    expect(category(['b', 'z', 'a', 'b'], 'error', Int32Array.of(3, 2))).toEqual({
      kind: 'category',
      column: 'x',
      levels: ['a', 'b'],
    });
  });

  it('are text without being asked for', () => {
    expect(fitAll(tableOf({ x: ['b', 'a'] }))[0]).toMatchObject({ kind: 'category' });
  });

  it('are numbers in numeric order, each as it is written', () => {
    expect(category(['10', '9', '9.0', '1e1']).levels).toEqual(['9', '9.0', '10', '1e1']);
  });

  it.each(['mean', 'median', 'most-frequent'] as const)(
    'are filled with the most frequent level: %s',
    (missing) => {
      expect(category(['b', null, 'c', 'c', 'a', 'b'], missing).fill).toBe('b');
      // Spellings of 1 count each by itself.
      expect(category(['1', '2', '2', '1.0', '01', null], missing).fill).toBe('2');
    },
  );

  it('have no level but an indicator where they are missing', () => {
    const encoding = category(['b', null, 'a'], 'indicator');
    expect(encoding).toMatchObject({ levels: ['a', 'b'], indicator: true });
    expect(encoding).not.toHaveProperty('fill');
  });

  it('are filled under indicator where no training cell is missing', () => {
    const encoding = category(['b', null, 'a', 'b'], 'indicator', Int32Array.of(0, 2, 3));
    expect(encoding).toMatchObject({ fill: 'b' });
    expect(encoding).not.toHaveProperty('indicator');
  });

  it('are no columns of numbers', () => {
    expect(() => fitAll(tableOf({ x: [1, 2] }), { category: true })).toThrow(TypeError);
  });
});

describe('fitFeatures', () => {
  it('refuses a missing training cell under "error", the first in the file', () => {
    const table = tableOf({ a: [1, 2, 3, null], b: [1, null, null, 2] });
    expect(() => fitAll(table, {}, Int32Array.of(3, 2, 0))).toThrow(
      expect.objectContaining({
        exitCode: 65,
        message: 'people.csv:4: column "b": found a missing value, expected a number',
      }),
    );
    expect(() => fitAll(table, { missing: 'drop-row' })).toThrow(
      'people.csv:3: column "b": found a missing value',
    );
    expect(() => fitAll(table, {}, Int32Array.of(0))).not.toThrow();
  });

  it.each(FILLING)('refuses a column whose training cells are all missing: %s', (missing) => {
    const rows = Int32Array.of(0, 1);
    for (const cells of [
      [null, null, 3],
      [null, null, 'c'],
    ]) {
      expect(() => fitAll(tableOf({ x: cells }), { missing }, rows)).toThrow(
        expect.objectContaining({
          exitCode: 65,
          message:
            'people.csv: column "x": found missing values in all 2 training rows, expected at least one value to fill them with',
        }),
      );
    }
  });

  it('keeps the order of the requests and the names of the columns', () => {
    const table = tableOf(
      new Map<string, (number | string)[]>([
        ['__proto__', [1, 2]],
        ['city', ['b', 'a']],
        ['constructor', [5, 5]],
      ]),
    );
    const requests = [2, 1, 0].map((index) => ({
      index,
      scaling: 'none' as const,
      missing: 'error' as const,
      category: false,
    }));
    const encodings = fitFeatures(table, requests, allRows(table));
    expect(encodings.map(({ column }) => column)).toEqual(['constructor', 'city', '__proto__']);
    expect(singleValued(encodings)).toEqual(['constructor']);
  });
});

describe('categories for an embedding', () => {
  const table = tableOf({
    city: ['Rome', 'Bonn', null, 'Oslo', 'Bonn'],
    sex: ['f', 'm', 'f', 'm', 'f'],
    age: [30, 41, 52, 63, 74],
  });
  const encode = (missing: MissingPolicy, leastEmbedded: number) => {
    const requests = table.names.map((_, index) => ({
      index,
      scaling: 'robust' as const,
      missing,
      category: index < 2,
      leastEmbedded,
    }));
    return fitFeatures(table, requests, allRows(table));
  };
  const write = (encodings: FeatureEncoding[], rows: Table) => {
    const columns = matrixWidth(encodings);
    const data = new Float64Array(rows.rows * columns);
    writeFeatures(rows, [0, 1, 2], encodings, allRows(rows), matrixIn({ data, columns }));
    return Array.from({ length: rows.rows }, (_, row) => data[row * columns]);
  };

  it('are the numbers of their levels, 0 for an unknown level and a missing cell under indicator', () => {
    const encodings = encode('indicator', 3);
    expect(encodings[0]).toEqual({
      kind: 'category',
      column: 'city',
      levels: ['Bonn', 'Oslo', 'Rome'],
      numbered: true,
      takesMissing: true,
    });
    expect(matrixColumns(encodings)).toEqual(['city', 'sex=m', 'age']);
    expect(inputKinds(encodings)).toEqual([{ levels: 3 }, 'other', 'number']);
    expect(write(encodings, table)).toEqual([3, 1, 0, 2, 1]);
    const others = tableOf({ city: ['Lima', 'Oslo', null], sex: ['m', 'f', 'f'], age: [1, 2, 3] });
    expect(write(encodings, others)).toEqual([0, 2, 0]);
  });

  it('get the most frequent level where it fills missing cells', () => {
    const encodings = encode('most-frequent', 2);
    expect(encodings.map(({ kind, ...encoding }) => [kind, 'numbered' in encoding])).toEqual([
      ['category', true],
      ['category', true],
      ['numeric', false],
    ]);
    expect(write(encodings, table)).toEqual([3, 1, 1, 2, 1]);
  });

  it('have an input for each level if they are few', () => {
    expect(matrixColumns(encode('indicator', 4))).toEqual([
      'city=Bonn',
      'city=Oslo',
      'city=Rome',
      'city missing',
      'sex=m',
      'age',
    ]);
  });
});

describe('numbers that many rows share', () => {
  const repeat = (value: number, times: number) => Array<number>(times).fill(value);
  /** More than half are 0; 5 and 7 fill ten rows or more, 6 only nine. */
  const gains = [...repeat(0, 50), ...repeat(7, 10), ...repeat(6, 9), ...repeat(5, 12)];
  const fitShared = (columns: { [name: string]: (number | null)[] }, leastShared?: number) => {
    const table = tableOf(columns);
    const requests = table.names.map((_, index) => ({
      index,
      scaling: 'robust' as const,
      missing: 'indicator' as const,
      category: false,
      ...(leastShared && { leastShared }),
    }));
    return fitFeatures(table, requests, allRows(table));
  };

  it('become levels where one number fills more than half of the rows', () => {
    const encodings = fitShared({ gain: gains, age: gains.map((_, row) => row % 8) }, 3);
    expect(encodings.map((encoding) => 'levels' in encoding && encoding.levels)).toEqual([[0, 5, 7], false]);
    expect(matrixColumns(encodings)).toEqual(['gain', 'gain level', 'age']);
    expect(inputKinds(encodings)).toEqual(['number', { levels: 3 }, 'number']);
    expect(encodings.map(isNumbered)).toEqual([true, false]);
  });

  it('stay numbers where fewer are shared, or nobody asks', () => {
    for (const least of [4, undefined])
      expect(inputKinds(fitShared({ gain: gains }, least))).toEqual(['number']);
  });

  it('stay numbers in a picture', () => {
    const pixels = Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`pixel${i}`, gains]));
    expect(new Set(inputKinds(fitShared(pixels, 3)))).toEqual(new Set(['number']));
  });

  it('are written as their place from 1; others and missing cells are 0', () => {
    const encodings = fitShared({ gain: [...gains, null] }, 3);
    const rows = tableOf({ gain: [7, 0, 6, 5, null, -0, 1e9] });
    const columns = matrixWidth(encodings);
    const data = new Float64Array(rows.rows * columns);
    writeFeatures(rows, [0], encodings, allRows(rows), matrixIn({ data, columns }));
    const column = (j: number) => Array.from({ length: rows.rows }, (_, row) => data[row * columns + j]);
    expect(column(1)).toEqual([3, 1, 0, 2, 0, 1, 0]);
    const [marks, gain] = [column(2), column(0)];
    expect(marks.map((mark) => mark === marks[4])).toEqual([false, false, false, false, true, false, false]);
    expect(gain[1]).toBe(0);
    expect(gain[0]).toBeGreaterThan(gain[2]);
  });
});
