import { describe, expect, it } from 'vitest';
import { rowsIn } from '../../src/data/featureMatrix.js';
import { everyNth } from '../../src/model/evaluatedRows.js';
import { permutationImportance } from '../../src/model/importance.js';
import type { ModelContent } from '../../src/model/model.js';
import { PredictorPool } from '../../src/model/pool/predictorPool.js';
import { RandomState } from '../../src/random/randomState.js';
import { CONTENT, modelOf, networkOf, REGRESSION } from './models.js';

/** Nothing here asks for them. */
const NUMBERS = new Int32Array();
const ROWS = 40;
const MANY = { seed: 3, repeats: 4, most: 1e9 };

function normals(seed: number, count: number): Float64Array {
  const random = new RandomState(seed);
  return Float64Array.from({ length: count }, () => random.randn());
}

/** o = 2·age − size, of inputs `age`, `age missing`, three cities, `size`. */
const LINEAR: ModelContent = {
  ...REGRESSION,
  network: networkOf([1]),
  targets: ['u'],
  targetStandardization: { mean: [0], scale: [1] },
};

function linear() {
  const model = modelOf(LINEAR, 'float64');
  model.tensors.get('layers.0.weight')?.set([2, 0, 0, 0, 0, -1]);
  model.tensors.get('layers.0.bias')?.fill(0);
  const features = normals(7, ROWS * 6);
  const expected = Float64Array.from(
    { length: ROWS },
    (_, row) => 2 * features[row * 6] - features[row * 6 + 5],
  );
  return {
    model,
    pool: PredictorPool.create(model),
    rows: { rows: ROWS, features: rowsIn(features, 6), expected, rowNumbers: NUMBERS },
  };
}

describe('permutation importance', () => {
  it('is what the loss grows by when the cells of a column are shuffled', async () => {
    const { model, pool, rows } = linear();
    const found = await permutationImportance(model, pool, rows, MANY);
    expect(found?.loss).toBe(0);
    expect(found?.columns.map(({ column, place }) => [column, place])).toEqual([
      ['age', 0],
      ['city', 1],
      ['size', 2],
    ]);
    // (2·x − 2·x′)² and (s − s′)², with the permutations of NumPy from the seed and the column's number.
    const features = rows.features.read(0, ROWS);
    const grown = (input: number, weight: number, place: number) => {
      const random = new RandomState(3 + place);
      const means = Array.from({ length: 4 }, () => {
        const order = random.permutation(ROWS);
        const squares = Array.from(order, (from, row) => {
          const difference = features[row * 6 + input] - features[from * 6 + input];
          return (weight * difference) ** 2;
        });
        return squares.reduce((a, b) => a + b, 0) / ROWS;
      });
      const mean = means.reduce((a, b) => a + b, 0) / 4;
      return { mean, deviation: Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3) };
    };
    const columns = found?.columns ?? [];
    const [age, size] = [grown(0, 2, 0), grown(5, -1, 2)];
    expect(columns.map(({ mean }) => mean)).toBeAllclose([age.mean, 0, size.mean], { relative: 1e-12 });
    expect(columns.map(({ deviation }) => deviation)).toBeAllclose([age.deviation, 0, size.deviation], {
      relative: 1e-10,
    });
  });

  it('changes no row, and is the same each time', async () => {
    const { model, pool, rows } = linear();
    const before = rows.features.read(0, ROWS).slice();
    const first = await permutationImportance(model, pool, rows, MANY);
    expect(await permutationImportance(model, pool, rows, MANY)).toEqual(first);
    expect(rows.features.read(0, ROWS)).toEqual(before);
  });

  it('has no deviation from a single repeat', async () => {
    const { model, pool, rows } = linear();
    const found = await permutationImportance(model, pool, rows, { ...MANY, repeats: 1 });
    expect(found?.columns.map(({ deviation }) => deviation)).toEqual([0, 0, 0]);
  });

  it('takes fewer rows where all would take too long, and none where a hundred would', async () => {
    const { model, pool, rows } = linear();
    const twice = {
      rows: 400,
      features: rowsIn(new Float64Array(2400), 6),
      expected: new Float64Array(400),
      rowNumbers: NUMBERS,
    };
    const cost = 3006 * (1 + 3 * 4);
    expect((await permutationImportance(model, pool, twice, { ...MANY, most: 150 * cost }))?.rows).toBe(150);
    expect(await permutationImportance(model, pool, twice, { ...MANY, most: 99 * cost })).toBeUndefined();
    expect((await permutationImportance(model, pool, rows, { ...MANY, most: 40 * cost }))?.rows).toBe(40);
    expect(await permutationImportance(model, pool, everyNth(rows, 1), MANY)).toBeUndefined();
  });

  it('knows the losses of classes', async () => {
    const model = modelOf(CONTENT);
    const features = Float32Array.from(normals(1, 30 * 6));
    const rows = {
      rows: 30,
      features: rowsIn(features, 6),
      expected: Int32Array.from({ length: 30 }, (_, i) => i % 3),
      rowNumbers: NUMBERS,
    };
    const found = await permutationImportance(model, PredictorPool.create(model), rows, MANY);
    expect(found?.loss).toBeGreaterThan(0);
    expect(found?.columns).toHaveLength(3);
    expect(found?.columns.every(({ mean }) => Number.isFinite(mean))).toBe(true);
  });
});

describe('every n-th row', () => {
  it('is picked with its features, targets and weights', () => {
    const all = {
      rows: 5,
      features: rowsIn(Float32Array.of(0, 0, 1, 1, 2, 2, 3, 3, 4, 4), 2),
      expected: Int32Array.of(0, 1, 2, 3, 4),
      rowNumbers: NUMBERS,
      weights: Float64Array.of(5, 6, 7, 8, 9),
    };
    const { features, ...others } = everyNth(all, 2);
    expect(features.read(0, 2)).toEqual(Float32Array.of(0, 0, 2, 2));
    expect(others).toEqual({
      rows: 2,
      expected: Int32Array.of(0, 2),
      rowNumbers: NUMBERS,
      weights: Float64Array.of(5, 7),
    });
    expect(everyNth(all, 9)).toBe(all);
    // Rows 0, 1 and 3, of which two are in the first fold of three rows.
    expect(everyNth({ ...all, folds: [3, 2, 4] }, 3).folds).toEqual([2, 1, 0]);
  });
});
