/** Regression with several targets: one output for each, trained and measured together. */
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../src/errors.js';
import type { Metrics } from '../../src/evaluation/metrics.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { runTraining } from '../../src/training/loop.js';
import { BACKENDS } from '../support/backends.js';
import { csvOf, type Problem, prepare } from '../support/runs.js';

const CSV = csvOf(131, 4, 'values');
const WASM = { backend: 'wasm', relaxed: false } as const;

/** The targets y and y² + 3, or one of them, in units of `scale`. */
function targetsOf(which: readonly number[], scale: readonly number[] = [1, 1]) {
  const of = (y: number) => [y, y * y + 3];
  return (dataset: Dataset): Dataset => {
    const side = <Side extends Dataset['train'] | undefined>(split: Side): Side =>
      split && {
        ...split,
        targets: Float64Array.from(
          [...(split.targets ?? [])].flatMap((y) => which.map((j) => of(y)[j] / scale[j])),
        ),
      };
    const { validation, ...rest } = dataset;
    return {
      ...rest,
      targetNames: which.map((j) => ['y', 'z'][j]),
      train: side(dataset.train),
      ...(validation && { validation: side(validation) }),
      targetStandardization: { mean: which.map(() => 0), scale: which.map((j) => scale[j]) },
    };
  };
}

type RegressionMetrics = Extract<Metrics, { rmse: number }> & { r2: number };

async function run(
  { config, plan, dataset }: Problem,
  choice: Parameters<typeof LocalEngine.start>[0]['choice'],
) {
  const engine = LocalEngine.start({ config, plan, choice }, dataset);
  const { train, validation } = await runTraining(engine);
  return { train: train.metrics, validation: validation?.metrics } as Record<string, RegressionMetrics>;
}

/** A linear map from zero, by all rows at each step. */
const linear = (units: number, learningRate: number) => ({
  network: { layers: [{ type: 'linear', units, init: { type: 'zeros' } }] },
  // The loss in standard deviations.
  data: { train: 'data.csv', target: 'y', standardizeTarget: true },
  training: { steps: 40, batchSize: 1000, keep: 'last', optimizer: { type: 'sgd', learningRate } },
  dtype: 'float64',
});

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  it.skipIf(skip)('learns several targets as it does each alone', async () => {
    const scale = [2, 50];
    const both = await run(await prepare(linear(2, 0.4), CSV, targetsOf([0, 1], scale)), choice);
    // The loss is a mean over both outputs: half the gradient for each.
    const [y, z] = await Promise.all(
      [0, 1].map(async (j) => run(await prepare(linear(1, 0.2), CSV, targetsOf([j], scale)), choice)),
    );
    for (const side of ['train', 'validation']) {
      const { loss, r2, rmse } = both[side];
      const expected = {
        loss: (y[side].loss + z[side].loss) / 2,
        r2: (y[side].r2 + z[side].r2) / 2,
        rmse: (y[side].rmse + z[side].rmse) / 2,
      };
      expect([loss, r2, rmse]).toBeAllclose(Object.values(expected), { relative: 1e-9 });
    }
    expect(both.train.r2).toBeGreaterThan(0.1);
  });
});

describe('several targets', () => {
  it('are measured in their own units', async () => {
    const config = { network: { layers: [5, 'tanh', 2] }, training: { epochs: 1 }, dtype: 'float64' };
    // The same numbers to the network, called ten times as large.
    const plain = await prepare(config, CSV, targetsOf([0, 1]));
    const large = { ...plain, plan: { ...plain.plan, targetUnit: [10, 10] } };
    const [first, second] = [await run(plain, WASM), await run(large, WASM)];
    expect([second.train.rmse]).toBeAllclose([10 * first.train.rmse], { relative: 1e-14 });
    expect([second.train.loss, second.train.r2]).toEqual([first.train.loss, first.train.r2]);
  });
});

describe('the plan', () => {
  const planOf = async (layers: unknown[], change: (dataset: Dataset) => Dataset) =>
    (await prepare({ network: { layers } }, CSV, change)).plan;

  it('has one unit for each target, and none for classes', async () => {
    const several = await planOf([2], targetsOf([0, 1], [2, 50]));
    expect([several.outputs, several.targetUnit]).toEqual([2, [2, 50]]);
    const plain = await planOf([2], (dataset) => {
      const { targetStandardization: _, ...rest } = targetsOf([0, 1])(dataset);
      return rest;
    });
    expect(plain.targetUnit).toEqual([1, 1]);
    const classes = await prepare({ network: { layers: [3] } }, csvOf(30, 4, 'classes'));
    expect(classes.plan.targetUnit).toEqual([]);
  });

  it.each([
    [1, [0, 1], 'expected 2: one for each target column', 'make the last linear layer 2 wide'],
    [3, [0, 1], 'expected 2: one for each target column', 'make the last linear layer 2 wide'],
    [2, [0], 'expected 1: one for the target column', 'make the last linear layer 1 wide'],
  ])('refuses %i outputs for the targets %j', async (outputs, which, message, hint) => {
    const error = await planOf([outputs], targetsOf(which)).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(MlpError);
    expect((error as MlpError).exitCode).toBe(ExitCode.config);
    expect((error as MlpError).message).toContain(`found an output width of ${outputs}, ${message}`);
    expect((error as MlpError).hint).toContain(hint);
  });
});
