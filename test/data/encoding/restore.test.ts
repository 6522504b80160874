import { describe, expect, it } from 'vitest';
import { matrixWidth } from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import { restoredColumns } from '../../../src/data/encoding/restore.js';
import { matrixIn } from '../../../src/data/featureMatrix.js';
import type { Scaling } from '../../../src/data/scaling.js';
import type { MissingPolicy } from '../../../src/spec/words.js';
import { allRows, tableOf } from './tables.js';

const WHOLE = {
  age: [30, 0, 52, 0.125, 1e6],
  city: ['Rome', 'Bonn', 'Oslo', 'Rome', 'Bonn'],
  sex: ['f', 'm', 'f', 'm', 'f'],
  paid: ['yes', 'no', 'no', 'yes', 'no'],
  same: [7, 7, 7, 7, 7],
};
const GAPS = {
  age: [30, null, 52, 0.125, 1e6],
  city: ['Rome', null, 'Oslo', 'Rome', 'Bonn'],
  sex: ['f', 'm', null, 'm', 'f'],
  paid: ['yes', 'no', null, 'yes', 'no'],
};

/** The texts of all cells after a way there and back. */
function restored(
  cells: Parameters<typeof tableOf>[0],
  scaling: Scaling,
  missing: MissingPolicy,
  leastEmbedded?: number,
  elements: Float32ArrayConstructor | Float64ArrayConstructor = Float64Array,
) {
  const table = tableOf(cells);
  const requests = table.names.map((_, index) => ({
    index,
    scaling,
    missing,
    category: false,
    ...(leastEmbedded !== undefined && { leastEmbedded }),
  }));
  const encodings = fitFeatures(table, requests, allRows(table));
  const columns = matrixWidth(encodings);
  const data = new elements(table.rows * columns);
  writeFeatures(table, [...table.names.keys()], encodings, allRows(table), matrixIn({ data, columns }));
  return Object.fromEntries(
    restoredColumns(encodings).map((one) => [
      one.column,
      Array.from(allRows(table), (row) => one.text(data, row * columns)),
    ]),
  );
}

const asTexts = (cells: Readonly<Record<string, readonly unknown[]>>) =>
  Object.fromEntries(
    Object.entries(cells).map(([name, column]) => [
      name,
      column.map((cell) => (cell === null ? '' : String(cell))),
    ]),
  );

describe('columns restored from a matrix', () => {
  it.each(['standard', 'minmax', 'robust', 'none'] as const)(
    'are those of the file with scaling %s',
    (scaling) => {
      expect(restored(WHOLE, scaling, 'error')).toEqual(asTexts(WHOLE));
      expect(restored(WHOLE, scaling, 'error', 2)).toEqual(asTexts(WHOLE));
    },
  );

  it.each(['standard', 'robust'] as const)(
    'have empty cells where cells were missing, with scaling %s',
    (scaling) => {
      expect(restored(GAPS, scaling, 'indicator')).toEqual(asTexts(GAPS));
    },
  );

  it('show what filled a missing cell where nothing marks it', () => {
    expect(restored(GAPS, 'standard', 'most-frequent').city).toEqual([
      'Rome',
      'Rome',
      'Oslo',
      'Rome',
      'Bonn',
    ]);
  });

  it('are exact to six digits in float32, and 0 is 0', () => {
    expect(restored({ x: [0, 0.1, 1234.5] }, 'standard', 'error', undefined, Float32Array).x).toEqual([
      '0',
      '0.1',
      '1234.5',
    ]);
  });

  it('tell the day of a date', () => {
    const when = ['2020-01-31', '2021-07-01', '2022-12-24'];
    expect(restored({ when }, 'standard', 'error').when).toEqual(when);
    expect(restored({ when }, 'robust', 'error', undefined, Float32Array).when).toEqual(when);
  });
});
