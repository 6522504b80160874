/** The test rows: evaluated once, at the end, and without a trace in the rest. */

import { describe, expect, it } from 'vitest';
import type { Dataset, Split } from '../../src/data/dataset/dataset.js';
import { rowsIn } from '../../src/data/featureMatrix.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import type { EpochRecord } from '../../src/training/loop.js';
import { runTraining } from '../../src/training/loop.js';
import { BACKENDS } from '../support/backends.js';
import { range, takeRows, withSides } from '../support/datasets.js';
import {
  closing,
  csvOf,
  type Problem,
  prepare,
  resultOf,
  startReference,
  startTeam,
} from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
const CONFIG = { network: { layers: [13, 'tanh', 3] }, training: { epochs: 3, batchSize: 25 } };
/** More test rows than are evaluated at once. */
const CSV = csvOf(1000, 7, 'classes');
const TRAIN = 100;
const VALIDATION = 40;

/** 100 training rows and 40 for validation; with a test split, and without. */
function splitsOf({ train }: Dataset): { train: Split; validation: Split; test: Split } {
  const validation = takeRows(train, range(TRAIN, TRAIN + VALIDATION));
  const test = takeRows(train, range(TRAIN + VALIDATION, train.rows));
  return { train: takeRows(train, range(0, TRAIN)), validation, test };
}

function withoutTest(dataset: Dataset): Dataset {
  const { train, validation } = splitsOf(dataset);
  return withSides(dataset, { train, validation });
}

function withTest(dataset: Dataset): Dataset {
  return withSides(dataset, splitsOf(dataset));
}

const problem = (change: (dataset: Dataset) => Dataset, config: Record<string, unknown> = CONFIG) =>
  prepare(config, CSV, change);

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  it.skipIf(skip)('leaves the same bits with test rows as without', async () => {
    for (const dtype of ['float32', 'float64']) {
      const outcome = async (change: (dataset: Dataset) => Dataset) => {
        const made = await problem(change, { ...CONFIG, dtype });
        const engine = LocalEngine.start({ ...made, choice }, made.dataset);
        return resultOf(engine, made, made.plan.steps);
      };
      expect(await outcome(withTest)).toBe(await outcome(withoutTest));
    }
  });
});

describe('a run with test rows', () => {
  it('leaves the same bits as one without, by a team', async () => {
    const outcome = async (made: Problem) => {
      const team = closing(await startTeam(made, WASM, 2));
      return resultOf(team, made, made.plan.steps);
    };
    expect(await outcome(await problem(withTest))).toBe(await outcome(await problem(withoutTest)));
  });

  it('looks at them for the first time at the end', async () => {
    const { config, plan, dataset } = await problem(withTest);
    const engine = closing(LocalEngine.start({ config, plan, choice: WASM }, dataset));
    const calls: string[] = [];
    const watched = new Proxy(engine, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        calls.push(String(name));
        return value.bind(target);
      },
    });
    const records: EpochRecord[] = [];
    await runTraining(watched, { epochDone: (record) => void records.push(record) });
    expect(calls).toEqual([...Array(3).fill(['train', 'evaluate']).flat(), 'evaluateTest']);
    for (const record of records) expect(Object.keys(record)).not.toContain('test');
  });

  it('does not read them before: they may be anything', async () => {
    const spoilt = (dataset: Dataset): Dataset => {
      const { train, validation, test } = splitsOf(dataset);
      const { columns } = test.features;
      const features = rowsIn(new Float64Array(test.rows * columns).fill(Number.NaN), columns);
      return withSides(dataset, { train, validation, test: { ...test, features } });
    };
    const [bad, good] = [await problem(spoilt), await problem(withTest)];
    const run = ({ config, plan, dataset }: Problem) =>
      runTraining(LocalEngine.start({ config, plan, choice: WASM }, dataset));
    const [{ test, ...rest }, { test: goodTest, ...expected }] = [await run(bad), await run(good)];
    const timeless = { trainSeconds: expect.any(Number), samplesPerSecond: expect.any(Number) };
    expect(rest).toEqual({ ...expected, ...timeless });
    expect(test?.metrics.loss).toBeNaN();
    expect(goodTest?.metrics.loss).toBeGreaterThan(0);
  });

  it.each([false, true])(
    'says of them what it would say of validation rows, weighted: %s',
    async (weighted) => {
      const weigh = (side: Split): Split =>
        weighted ? { ...side, weights: Float64Array.from({ length: side.rows }, (_, row) => row % 7) } : side;
      const asTest = await problem((dataset) => {
        const { train, test } = splitsOf(dataset);
        return withSides(dataset, { train, test: weigh(test) });
      });
      const asValidation = await problem((dataset) => {
        const { train, test } = splitsOf(dataset);
        return withSides(dataset, { train, validation: weigh(test) });
      });
      const { validation } = await closing(await startTeam(asValidation, WASM, 1)).evaluate();
      // Parts of another size: the sums round otherwise.
      const tolerance = { relative: 1e-6 };
      for (const engine of [startReference(asTest), await startTeam(asTest, WASM, 2)].map(closing)) {
        const test = await engine.evaluateTest();
        expect(test?.confusion).toEqual(validation?.confusion);
        expect([test?.metrics.loss ?? Number.NaN]).toBeAllclose([validation?.metrics.loss ?? 0], tolerance);
      }
    },
  );

  it('tells of them also after an interruption, before the first step too', async () => {
    for (const epochs of [0, 1]) {
      const { config, plan, dataset } = await problem(withTest);
      const engine = closing(LocalEngine.start({ config, plan, choice: WASM }, dataset));
      const controller = new AbortController();
      if (epochs === 0) controller.abort();
      const listener = { epochDone: () => controller.abort() };
      const result = await runTraining(engine, listener, { signal: controller.signal });
      expect(result).toMatchObject({ status: 'interrupted', epochs });
      expect(result.test).toEqual(await engine.evaluateTest());
      expect(result.test?.confusion?.flat().reduce((sum, count) => sum + count, 0)).toBe(plan.rows.test);
    }
  });
});

describe('a run without test rows', () => {
  it('has nothing to say of them', async () => {
    const { config, plan, dataset } = await problem(withoutTest);
    const team = closing(await startTeam({ config, plan, dataset }, WASM, 2));
    expect(await team.evaluateTest()).toBeUndefined();
    expect(Object.keys(await runTraining(team))).not.toContain('test');
  });
});
