/** Steps whose batch is divided: over ranks, and over the slices of a rank. */
import { describe, expect, it } from 'vitest';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { rowsOfSlice } from '../../src/training/slices.js';
import { BACKENDS } from '../support/backends.js';
import { closing, csvOf, type Problem, prepare, resultOf, startTeam, trainSteps } from '../support/runs.js';

const REFERENCE = { backend: 'reference', relaxed: false } as const;
const ROWS = 61;
const STEPS = 6;

interface Case {
  readonly name: string;
  readonly config: object;
  readonly weighted?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'one network', config: {} },
  { name: 'rows with weights', config: {}, weighted: true },
  { name: 'members', config: { members: 2 } },
  { name: 'a batch ensemble', config: { members: { count: 3, kind: 'batch-ensemble' } }, weighted: true },
  { name: 'members that are trained without a fold', config: { members: 3, folds: 3 } },
  { name: 'layer-norm, a residual and regularisation', config: { layers: ['layer-norm'] } },
];

function configOf({ layers = [], members, folds, ...training }: Record<string, unknown>) {
  return {
    network: {
      layers: [5, 'tanh', ...(layers as string[]), 3],
      ...(members !== undefined && { members }),
    },
    data: { train: 'data.csv', target: 'y', validation: folds ? { folds } : 0.2 },
    training: { steps: STEPS, l2: 0.01, l1: 0.001, clipNorm: 0.3, ...training },
    dtype: 'float64',
  };
}

function problemOf({ config, weighted }: Case, training: object, ranks = 1): Promise<Problem> {
  return prepare(
    configOf({ ...config, ...training }),
    csvOf(ROWS, 4, 'classes'),
    (dataset) =>
      weighted
        ? {
            ...dataset,
            train: {
              ...dataset.train,
              weights: Float64Array.from({ length: dataset.train.rows }, (_, i) => (i % 4) / 2),
            },
          }
        : dataset,
    ranks,
  );
}

async function valuesAfter(problem: Problem, choice: LocalEngine['run']['choice'] = REFERENCE) {
  const { config, plan, dataset } = problem;
  const engine = closing(LocalEngine.start({ config, plan, choice }, dataset));
  const losses = await trainSteps(engine, problem, STEPS);
  return {
    losses,
    values: [...engine.parameters.values.data],
    statistics: [...engine.statistics.values.data],
  };
}

it('divides any number of rows into slices that differ by at most one', () => {
  for (const rows of [0, 1, 3, 7, 256]) {
    const parts = Array.from({ length: 5 }, (_, slice) => rowsOfSlice({ slice, of: 5 }, rows));
    expect(parts[0][0]).toBe(0);
    expect(parts[4][1]).toBe(rows);
    parts.slice(1).forEach(([first], i) => {
      expect(first).toBe(parts[i][1]);
    });
    const sizes = parts.map(([first, end]) => end - first);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  }
});

describe.each(CASES)('a divided batch: $name', (it_) => {
  it('gives the loss and the steps of the whole one', async () => {
    // The last batch of an epoch has fewer rows than slices.
    const whole = await valuesAfter(await problemOf(it_, { batchSize: 15 }));
    for (const [ranks, accumulate] of [
      [1, 3],
      [3, 1],
      [5, 1],
    ]) {
      const divided = await valuesAfter(
        await problemOf(it_, { batchSize: 15 / accumulate, accumulate }, ranks),
      );
      expect(divided.losses).toBeAllclose(whole.losses, { relative: 1e-10 });
      expect(divided.values).toBeAllclose(whole.values, { relative: 1e-8, absolute: 1e-12 });
    }
  });
});

describe.each(BACKENDS)('ranks by $name', ({ choice, skip }) => {
  it.skipIf(skip)('sum in one order, whatever the threads', async () => {
    const config = {
      ...configOf({ layers: ['batch-norm', { type: 'dropout', rate: 0.3 }], batchSize: 16 }),
      dtype: 'float32',
    };
    const problem = await prepare(config, csvOf(ROWS, 4, 'classes'), undefined, 3);
    const results = [];
    for (const threads of choice.backend === 'wasm' ? [1, 2, 3] : [1]) {
      results.push(await resultOf(closing(await startTeam(problem, choice, threads)), problem, STEPS));
    }
    const { config: own, plan, dataset } = problem;
    results.push(
      await resultOf(closing(LocalEngine.start({ config: own, plan, choice }, dataset)), problem, STEPS),
    );
    expect(new Set(results).size).toBe(1);
  });
});

describe('what the rows of a batch share', () => {
  it('is of a slice: running means move by the mean of the slices', async () => {
    const of = (training: object, ranks: number) =>
      prepare(
        { ...configOf({ ...training }), network: { layers: ['batch-norm', 3] } },
        csvOf(ROWS, 4, 'classes'),
        undefined,
        ranks,
      );
    const one = await of({ steps: 1, batchSize: 49 }, 1);
    const three = await of({ steps: 1, batchSize: 49 }, 3);
    const means = async (problem: Problem) => {
      const { config, plan, dataset } = problem;
      const engine = closing(LocalEngine.start({ config, plan, choice: REFERENCE }, dataset));
      await trainSteps(engine, problem, 1);
      const { list } = engine.statistics;
      return list.map(({ value }) => [...value.data]);
    };
    const [whole, sliced] = [await means(one), await means(three)];
    expect(sliced[0]).toBeAllclose(whole[0], { relative: 1e-10, absolute: 1e-14 });
    // The variance within slices is another one, but not by much.
    expect(sliced[1]).not.toEqual(whole[1]);
    expect(sliced[1]).toBeAllclose(whole[1], { relative: 0.1 });
  });

  it('leaves edges of bins as they are, to the bit', async () => {
    const layers = [{ type: 'numeric-embedding', kind: 'piecewise-linear', bins: 4, size: 3 }, 3];
    const problem = await prepare(
      { ...configOf({ batchSize: 16 }), network: { layers } },
      csvOf(ROWS, 4, 'classes'),
      undefined,
      3,
    );
    const { config, plan, dataset } = problem;
    const engine = closing(LocalEngine.start({ config, plan, choice: REFERENCE }, dataset));
    const before = [...engine.statistics.values.data];
    await trainSteps(engine, problem, STEPS);
    expect(before.length).toBeGreaterThan(0);
    expect([...engine.statistics.values.data]).toEqual(before);
  });
});

describe('slices without rows', () => {
  it('are an error that says how many rows are needed', async () => {
    const of = (layers: unknown[], training: object, ranks: number) =>
      problemOf({ name: '', config: { layers } }, training, ranks);
    await expect(of([], { batchSize: 4 }, 5)).rejects.toThrow(
      /training\.batchSize: found 4 rows for 5 slices \(5 ranks\), expected at least 5$/,
    );
    await expect(of(['batch-norm'], { batchSize: 3, accumulate: 2 }, 4)).rejects.toThrow(
      /found 6 rows for 8 slices \(4 ranks, accumulate 2\), expected at least 8/,
    );
    await expect(of(['batch-norm'], { batchSize: 6 }, 4)).rejects.toThrow(
      /found 6 rows for 4 slices \(4 ranks\), expected at least 8: batch-norm takes/,
    );
  });
});
