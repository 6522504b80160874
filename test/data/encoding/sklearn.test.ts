import { describe, expect, it } from 'vitest';
import { matrixWidth } from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import type { Scaling } from '../../../src/data/scaling.js';
import type { MissingPolicy } from '../../../src/spec/words.js';
import { fixture } from '../../support/fixtures.js';
import { singleValued, tableOf } from './tables.js';
import '../../support/matchers.js';

interface Case {
  missing: MissingPolicy;
  scaling: Scaling;
  columns: number;
  /** [rows, columns] */
  train: number[];
  validation: number[];
}

const fitted = fixture<{
  table: Record<string, (number | string | null)[]>;
  train: number[];
  validation: number[];
  cases: Case[];
}>('sklearn/encode.json');

/** Numbers that are categories are read as text. */
const { zone, ...rest } = fitted.table;
const table = tableOf({ ...rest, zone: zone.map((cell) => (cell === null ? null : String(cell))) });

describe('a mixed table with missing cells', () => {
  it.each(fitted.cases)('is what scikit-learn makes of it: $missing, $scaling', (expected) => {
    const { missing, scaling, columns } = expected;
    const requests = table.names.map((name, index) => ({
      index,
      scaling,
      missing,
      category: name === 'zone',
    }));
    const encodings = fitFeatures(table, requests, Int32Array.from(fitted.train));
    expect(singleValued(encodings)).toEqual(['constant']);
    expect(matrixWidth(encodings)).toBe(columns);

    const indices = table.names.map((_, index) => index);
    for (const side of ['train', 'validation'] as const) {
      const place = new Int32Array(table.rows).fill(-1);
      fitted[side].forEach((row, i) => {
        place[row] = i;
      });
      const data = new Float64Array(fitted[side].length * columns);
      const { unknown } = writeFeatures(table, indices, encodings, place, { data, columns });
      expect(data).toBeAllclose(expected[side], { relative: 1e-12, absolute: 1e-12 });
      expect(unknown).toEqual(side === 'train' ? [] : [{ column: 'city', level: 'Quito', rows: 1 }]);
    }
  });
});
