import { describe, expect, it } from 'vitest';
import { matrixWidth } from '../../../src/data/encoding/encoding.js';
import { fitFeatures, writeFeatures } from '../../../src/data/encoding/features.js';
import { matrixIn } from '../../../src/data/featureMatrix.js';
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
function withZones({ zone, ...rest }: Record<string, (number | string | null)[]>) {
  return tableOf({ ...rest, zone: zone.map((cell) => (cell === null ? null : String(cell))) });
}

const table = withZones(fitted.table);

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
      const { unknown } = writeFeatures(table, indices, encodings, place, matrixIn({ data, columns }));
      expect(data).toBeAllclose(expected[side], { relative: 1e-12, absolute: 1e-12 });
      expect(unknown).toEqual(side === 'train' ? [] : [{ column: 'city', level: 'Quito', rows: 1 }]);
    }
  });
});

const robust = fixture<{
  table: Record<string, (number | string | null)[]>;
  train: number[];
  validation: number[];
  cases: Omit<Case, 'scaling'>[];
}>('sklearn/robust.json');

describe('robust scaling', () => {
  const names = Object.keys(robust.table);
  const mixed = withZones(robust.table);

  it.each(robust.cases)('is what RobustScaler and a smooth clip make: $missing', (expected) => {
    const indices = names.map((name) => mixed.names.indexOf(name));
    const requests = indices.map((index) => ({
      index,
      scaling: 'robust' as const,
      missing: expected.missing,
      category: mixed.names[index] === 'zone',
    }));
    const encodings = fitFeatures(mixed, requests, Int32Array.from(robust.train));
    expect(matrixWidth(encodings)).toBe(expected.columns);
    // The model file keeps them as JSON.
    const kept = JSON.parse(JSON.stringify(encodings)) as typeof encodings;
    for (const side of ['train', 'validation'] as const) {
      const place = new Int32Array(mixed.rows).fill(-1);
      robust[side].forEach((row, i) => {
        place[row] = i;
      });
      const data = new Float64Array(robust[side].length * expected.columns);
      writeFeatures(mixed, indices, kept, place, matrixIn({ data, columns: expected.columns }));
      expect(data).toBeAllclose(expected[side], { relative: 1e-12, absolute: 1e-12 });
    }
  });
});
