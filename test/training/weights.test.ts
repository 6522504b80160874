/** Row weights: mean loss = Σ wᵢ·lossᵢ / Σ wᵢ in steps and evaluations, and nothing else changes. */
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
  UNEVEN,
} from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;

/** A network for three classes, one for a quantity, and one for labels. */
const CLASSES = { network: { layers: [13, 'tanh', 3] }, csv: csvOf(131, 7, 'classes') };
const VALUES = { network: { layers: [13, 'tanh', 1] }, csv: csvOf(131, 7, 'values') };
const LABELS = {
  network: { layers: [13, 'tanh', 2] },
  csv: labelled(csvOf(131, 7, 'values')),
  data: { train: 'data.csv', target: ['y', 'z'], task: 'multilabel' },
};
const TASKS = [
  ['classes', CLASSES],
  ['values', VALUES],
  ['labels', LABELS],
] as const;

/** Two columns of 0 and 1 instead of the quantity in the last one. */
function labelled(csv: string): string {
  const [header, ...rows] = csv.split('\n').map((line) => line.split(','));
  const labels = rows.map((cells) => {
    const value = Number(cells.at(-1));
    return [...cells.slice(0, -1), Number(value > 0), Number(Math.abs(value) > 0.3)];
  });
  return [[...header, 'z'], ...labels].map((cells) => cells.join(',')).join('\n');
}

const OPTIMIZERS = [
  { type: 'sgd', learningRate: 0.05, momentum: 0.9, nesterov: true },
  { type: 'adam', learningRate: 0.01 },
  { type: 'adamw', learningRate: 0.01, weightDecay: 0.1 },
  { type: 'rmsprop', learningRate: 0.01 },
  { type: 'adagrad', learningRate: 0.05 },
];

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

/** What a config has of a task. */
const configOf = ({ network, data }: { network: object; data?: object }) => ({
  network,
  ...(data && { data }),
});

/** Steps of whole batches, and evaluations, are those of rows that are repeated as often as they weigh. */
async function expectSameAsRepeated(
  task: { network: object; csv: string; data?: object },
  choice: KernelsChoice,
  training: { optimizer: object; l1?: number; l2?: number; clipNorm?: number },
  dtype: 'float32' | 'float64' = 'float64',
): Promise<void> {
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
  const config = { ...configOf(task), training: { steps: 10, batchSize: 1000, ...training }, dtype };
  const once = await prepare(config, task.csv, allWeighted);
  const many = await prepare(config, task.csv, manyRows);
  const [engine, expected] = [start(once, choice), start(many, choice)];
  const rounding =
    dtype === 'float32' ? { relative: 1e-4, absolute: 1e-6 } : { relative: 1e-9, absolute: 1e-11 };
  const losses = await trainSteps(engine, once, 10);
  expect(losses).toBeAllclose(await trainSteps(expected, many, 10), rounding);
  expect(engine.parameters.values.data).toBeAllclose(expected.parameters.values.data, rounding);
  const [found, ofMany] = [await engine.evaluate(), await expected.evaluate()];
  for (const side of ['train', 'validation'] as const) {
    const [loss, lossOfMany] = [found, ofMany].map((sides) => sides[side]?.metrics.loss ?? Number.NaN);
    expect([loss]).toBeAllclose([lossOfMany], rounding);
  }
}

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  it.skipIf(skip).each(TASKS)('leaves the same bits with weights of 1 as without: %s', async (_, task) => {
    const ones = ({ rows }: Split) => ({ weights: new Float64Array(rows).fill(1) });
    const change = (dataset: Dataset): Dataset => ({
      ...dataset,
      train: { ...dataset.train, ...ones(dataset.train) },
      ...(dataset.validation && { validation: { ...dataset.validation, ...ones(dataset.validation) } }),
    });
    for (const dtype of ['float32', 'float64']) {
      const config = { ...configOf(task), training: { epochs: 2, batchSize: 25 }, dtype };
      const problems = [await prepare(config, task.csv), await prepare(config, task.csv, change)];
      expect(problems.map(({ plan }) => plan.weighted.train)).toEqual([false, true]);
      const [without, withOnes] = await Promise.all(
        problems.map((problem) => resultOf(start(problem, choice), problem, problem.plan.steps)),
      );
      expect(withOnes).toBe(without);
    }
  });

  it.skipIf(skip).each(TASKS)(
    'takes a row of weight n as n rows, and one of weight 0 as none: %s',
    (_, task) => expectSameAsRepeated(task, choice, { optimizer: { type: 'sgd', learningRate: 0.05 } }),
  );

  it.skipIf(skip)('has the losses of the reference', async () => {
    const config = { network: CLASSES.network, training: { steps: 30, batchSize: 25 }, dtype: 'float64' };
    const problem = await prepare(config, CLASSES.csv, allWeighted);
    const engines = [start(problem, choice), startReference(problem)];
    const [losses, expected] = await Promise.all(engines.map((engine) => trainSteps(engine, problem, 30)));
    expect(losses).toBeAllclose(expected, { relative: 1e-10 });
  });
});

describe('a row of weight n is n rows', () => {
  it.each(OPTIMIZERS)('with $type, L1, L2 and clipped gradients', async (optimizer) => {
    for (const [, task] of TASKS) {
      await expectSameAsRepeated(task, WASM, { optimizer, l1: 0.001, l2: 0.01, clipNorm: 0.5 });
    }
  });

  it.each(TASKS)('in float32, up to rounding: %s', (_, task) =>
    expectSameAsRepeated(task, WASM, { optimizer: { type: 'sgd', learningRate: 0.05 } }, 'float32'),
  );

  it.each(TASKS)('whatever the weights are multiplied by: %s', async (_, task) => {
    const training = { steps: 10, batchSize: 1000 };
    const results = [1, 8].map(async (factor) => {
      const times = (dataset: Dataset): Dataset => {
        const { train, validation } = allWeighted(dataset);
        const scaled = (side: Split) => ({
          ...side,
          weights: side.weights?.map((weight) => factor * weight),
        });
        return {
          ...dataset,
          train: scaled(train),
          ...(validation && { validation: scaled(validation) }),
        } as Dataset;
      };
      const problem = await prepare({ ...configOf(task), training }, task.csv, times);
      return resultOf(start(problem, WASM), problem, problem.plan.steps);
    });
    const [once, eightfold] = await Promise.all(results);
    expect(eightfold).toBe(once);
  });
});

describe('a batch whose weights are all 0, or next to it', () => {
  it.each([0, 1e-40])('has no loss and no gradient, but its penalty: weights of %d', async (weight) => {
    for (const [, task] of TASKS) {
      for (const l2 of [0, 0.1]) {
        const optimizer = { type: 'sgd', learningRate: 0.5 };
        const config = { ...configOf(task), training: { steps: 1, batchSize: 25, optimizer, l2 } };
        const problem = await prepare(config, task.csv, ({ train, ...dataset }) => ({
          ...dataset,
          train: { ...train, weights: new Float64Array(train.rows).fill(weight) },
        }));
        const engine = start(problem, WASM);
        const before = engine.parameters.values.data.slice();
        const [loss] = await trainSteps(engine, problem, 1);
        const after = engine.parameters.values.data;
        expect(loss > 0).toBe(l2 > 0);
        // A step down the gradient of the penalty, λ·W, and the biases start at 0.
        const expected = before.map((value) => value * (1 - 0.5 * l2));
        expect(after).toBeAllclose(expected, { relative: 1e-6 });
      }
    }
  });
});

describe('the batches of a weighted run', () => {
  it.each(TASKS)('bring their own weights: %s', async (_, task) => {
    const config = { ...configOf(task), training: { epochs: 1, batchSize: 1 }, dtype: 'float64' };
    const losses = async (change?: (dataset: Dataset) => Dataset) => {
      const problem = await prepare(config, task.csv, change);
      const engine = start(problem, WASM);
      const epoch = new Float64Array(problem.plan.rows.train);
      await engine.train(epoch, ratesOf(epoch, 0));
      return { epoch, loss: (await engine.evaluate()).train.metrics.loss };
    };
    // Which rows count nothing, and a run in which they alone count.
    const others = (dataset: Dataset): Dataset => {
      const { train } = allWeighted(dataset);
      return {
        ...dataset,
        train: { ...train, weights: (train.weights ?? []).map((weight) => Number(weight === 0)) },
      } as Dataset;
    };
    const [plain, own, inverse] = [await losses(), await losses(allWeighted), await losses(others)];
    // A batch of one row has the loss of the row, or none.
    expect(own.epoch).toBeAllclose(
      plain.epoch.map((loss, i) => (inverse.epoch[i] === 0 ? loss : 0)),
      { relative: 1e-14 },
    );
    const without = plain.epoch.filter((_, i) => own.epoch[i] === 0);
    expect(without.length).toBe(21);
    expect([inverse.loss]).toBeAllclose([without.reduce((sum, loss) => sum + loss / 21, 0)], {
      relative: 1e-12,
    });
  });

  it.each(TASKS)('leave the same bits for any number of threads, held up or not: %s', async (_, task) => {
    const config = { ...configOf(task), training: { steps: 12, batchSize: 25 } };
    const problem = await prepare(config, task.csv, allWeighted);
    const expected = await resultOf(start(problem, WASM), problem, problem.plan.steps);
    for (const [threads, options] of [
      [2, undefined],
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
    const evaluate = async (weightOf: (row: number) => number) => {
      const problem = await prepare(config, CLASSES.csv, ({ validation, ...dataset }) => {
        const side = validation as Split;
        return {
          ...dataset,
          validation: {
            ...side,
            weights: Float64Array.from({ length: side.rows }, (_, row) => weightOf(row)),
          },
        };
      });
      return start(problem, WASM).evaluate();
    };
    const lossOf = ({ validation }: { validation?: { metrics: { loss: number } } }) =>
      validation?.metrics.loss ?? Number.NaN;
    const [plain, doubled, even, odd, mixed] = await Promise.all([
      evaluate(() => 1),
      evaluate(() => 2),
      evaluate((row) => Number(row % 2 === 0)),
      evaluate((row) => row % 2),
      evaluate((row) => (row % 2 === 0 ? 1 : 3)),
    ]);
    expect(doubled).toEqual(plain);
    // 14 even rows, and 13 odd ones.
    expect([lossOf(mixed)]).toBeAllclose([(14 * lossOf(even) + 39 * lossOf(odd)) / 53], { relative: 1e-12 });
    for (const evaluation of [even, mixed]) {
      expect(evaluation.train).toEqual(plain.train);
      expect({ ...evaluation.validation?.metrics, loss: 0 }).toEqual({
        ...plain.validation?.metrics,
        loss: 0,
      });
      expect(evaluation.validation?.confusion).toEqual(plain.validation?.confusion);
    }
  });
});
