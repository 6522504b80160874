/** Row weights: mean loss = 1/B·Σ wᵢ·lossᵢ in steps and evaluations, and nothing else changes. */
import { describe, expect, it } from 'vitest';
import type { Dataset, Split } from '../../src/data/dataset/dataset.js';
import type { KernelsChoice } from '../../src/kernels/create.js';
import { type Engine, LocalEngine } from '../../src/training/engine/engine.js';
import { BACKENDS } from '../support/backends.js';
import { takeRows, withSides } from '../support/datasets.js';
import {
  csvOf,
  type Problem,
  prepare,
  ratesOf,
  resultOf,
  startReference,
  startTeam,
  trainSteps,
} from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
const UNEVEN = { script: new URL('../support/threads/uneven.js', import.meta.url) };

/** A network for three classes, and one for a quantity. */
const CLASSES = { network: { layers: [13, 'tanh', 3] }, csv: csvOf(131, 7, 'classes') };
const VALUES = { network: { layers: [13, 'tanh', 1] }, csv: csvOf(131, 7, 'values') };
const TASKS = [
  ['classes', CLASSES],
  ['values', VALUES],
] as const;

/** Weights from 0 to 4, whole numbers. */
const weighted = (side: Split): Split => ({
  ...side,
  weights: Float64Array.from({ length: side.rows }, (_, row) => (row * 7) % 5),
});

const allWeighted = (dataset: Dataset): Dataset => ({
  ...dataset,
  train: weighted(dataset.train),
  ...(dataset.validation && { validation: weighted(dataset.validation) }),
});

const start = ({ config, plan, dataset }: Problem, choice: KernelsChoice): Engine =>
  LocalEngine.start({ config, plan, choice }, dataset);

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  it.skipIf(skip).each(TASKS)(
    'leaves the same bits with weights of 1 as without: %s',
    async (_, { network, csv }) => {
      const ones = ({ rows }: Split) => ({ weights: new Float64Array(rows).fill(1) });
      const change = (dataset: Dataset): Dataset => ({
        ...dataset,
        train: { ...dataset.train, ...ones(dataset.train) },
        ...(dataset.validation && { validation: { ...dataset.validation, ...ones(dataset.validation) } }),
      });
      for (const dtype of ['float32', 'float64']) {
        const config = { network, training: { epochs: 2, batchSize: 25 }, dtype };
        const problems = [await prepare(config, csv), await prepare(config, csv, change)];
        expect(problems.map(({ plan }) => plan.weighted.train)).toEqual([false, true]);
        const [without, withOnes] = await Promise.all(
          problems.map((problem) => resultOf(start(problem, choice), problem, problem.plan.steps)),
        );
        expect(withOnes).toBe(without);
      }
    },
  );

  it.skipIf(skip).each(TASKS)(
    'takes a row of weight n as n rows, and one of weight 0 as none: %s',
    async (_, { network, csv }) => {
      const repeated = (side: Split): Split => {
        const weights = weighted(side).weights as Float64Array;
        return takeRows(
          side,
          [...weights].flatMap((weight, row) => Array(weight).fill(row)),
        );
      };
      const manyRows = (dataset: Dataset): Dataset =>
        withSides(dataset, {
          train: repeated(dataset.train),
          ...(dataset.validation && { validation: repeated(dataset.validation) }),
        });
      // All rows at every step; dividing by the rows there are, the repeated ones take steps that are smaller by that.
      const optimizer = { type: 'sgd', learningRate: 0.05 };
      const config = { network, training: { steps: 10, batchSize: 1000, optimizer }, dtype: 'float64' };
      const once = await prepare(config, csv, allWeighted);
      const many = await prepare(config, csv, manyRows);
      const factor = many.plan.rows.train / once.plan.rows.train;
      const engines = [start(once, choice), start(many, choice)];
      for (let step = 0; step < 10; step++) {
        const losses = [new Float64Array(1), new Float64Array(1)];
        await engines[0].train(losses[0], ratesOf(losses[0], optimizer.learningRate));
        await engines[1].train(losses[1], ratesOf(losses[1], optimizer.learningRate * factor));
        expect([...losses[0]]).toBeAllclose([factor * losses[1][0]], { relative: 1e-10 });
      }
      const [parameters, expected] = engines.map((engine) => engine.parameters.values.data);
      expect(parameters).toBeAllclose(expected, { relative: 1e-9, absolute: 1e-11 });

      const [evaluations, ofMany] = [await engines[0].evaluate(), await engines[1].evaluate()];
      for (const side of ['train', 'validation'] as const) {
        const share = many.plan.rows[side] / once.plan.rows[side];
        const loss = evaluations[side]?.metrics.loss ?? Number.NaN;
        const lossOfMany = ofMany[side]?.metrics.loss ?? Number.NaN;
        expect([loss]).toBeAllclose([share * lossOfMany], { relative: 1e-9 });
      }
    },
  );

  it.skipIf(skip)('has the losses of the reference', async () => {
    const config = { network: CLASSES.network, training: { steps: 30, batchSize: 25 }, dtype: 'float64' };
    const problem = await prepare(config, CLASSES.csv, allWeighted);
    const engines = [start(problem, choice), startReference(problem)];
    const [losses, expected] = await Promise.all(engines.map((engine) => trainSteps(engine, problem, 30)));
    expect(losses).toBeAllclose(expected, { relative: 1e-10 });
  });
});

describe('the batches of a weighted run', () => {
  it.each(TASKS)('bring their own weights: %s', async (_, { network, csv }) => {
    const config = { network, training: { epochs: 1, batchSize: 1 }, dtype: 'float64' };
    const problem = await prepare(config, csv, allWeighted);
    const engine = start(problem, WASM);
    const { rows } = problem.plan;
    const epoch = new Float64Array(rows.train);
    await engine.train(epoch, ratesOf(epoch, 0));
    const { weights = [] } = problem.dataset.train;
    // Every row came once, so the losses that are 0 are those of the rows that count nothing.
    expect(epoch.filter((loss) => loss === 0).length).toBe(weights.filter((weight) => weight === 0).length);
    const mean = epoch.reduce((sum, loss) => sum + loss / rows.train, 0);
    const { train } = await engine.evaluate();
    expect([train.metrics.loss]).toBeAllclose([mean], { relative: 1e-12 });
  });

  it.each(TASKS)('leave the same bits for any number of threads, held up or not: %s', async (_, task) => {
    const config = { network: task.network, training: { steps: 12, batchSize: 25 } };
    const problem = await prepare(config, task.csv, allWeighted);
    const expected = await resultOf(start(problem, WASM), problem, problem.plan.steps);
    for (const [threads, options] of [
      [1, {}],
      [2, {}],
      [3, {}],
      [2, UNEVEN],
      [3, UNEVEN],
    ] as const) {
      const team = await startTeam(problem, WASM, threads, options);
      expect(await resultOf(team, problem, problem.plan.steps), `${threads} threads`).toBe(expected);
      await team.close();
    }
  });
});

describe('an evaluation of weighted rows', () => {
  it('weighs the loss of a side that has weights, and nothing else', async () => {
    const config = { network: CLASSES.network, dtype: 'float64' };
    const evaluate = async (change: (dataset: Dataset) => Dataset) =>
      start(await prepare(config, CLASSES.csv, change), WASM).evaluate();
    const plain = await evaluate((dataset) => dataset);
    const doubled = await evaluate(({ validation, ...dataset }) => {
      const side = validation as Split;
      return { ...dataset, validation: { ...side, weights: new Float64Array(side.rows).fill(2) } };
    });
    expect(doubled.train).toEqual(plain.train);
    expect(doubled.validation?.metrics).toEqual({
      ...plain.validation?.metrics,
      loss: 2 * (plain.validation?.metrics.loss ?? Number.NaN),
    });
    expect(doubled.validation?.confusion).toEqual(plain.validation?.confusion);
  });
});
