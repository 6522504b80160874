/** The losses of a regression in whole runs: units, order of quantiles, counts, and what is refused. */
import { describe, expect, it } from 'vitest';
import { Inference } from '../../src/model/inference.js';
import type { Model } from '../../src/model/load.js';
import { modelTensors } from '../../src/model/model.js';
import { createScorer } from '../../src/model/scorer.js';
import { type Engine, LocalEngine } from '../../src/training/engine/engine.js';
import { runTraining } from '../../src/training/loop.js';
import { modelContent } from '../../src/training/plan.js';
import { allOf } from '../support/datasets.js';
import { csvOf, type Problem, prepare, resultOf, startTeam } from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;

/** The same numbers, and a target that is `scale` times as large and moved. */
function valuesCsv(scale = 1, shift = 0): string {
  const [head, ...lines] = csvOf(150, 4, 'values').split('\n');
  const scaled = lines.map((line) => {
    const cells = line.split(',');
    return [...cells.slice(0, -1), Number(cells.at(-1)) * scale + shift].join(',');
  });
  return [head, ...scaled].join('\n');
}

/** Counts 0, 1, 2 … whose rate grows with the first two features. */
function countsCsv(): string {
  const [head, ...lines] = csvOf(150, 4, 'values').split('\n');
  return [
    head,
    ...lines.map((line, i) => {
      const cells = line.split(',');
      const rate = Math.exp(0.5 + Number(cells[0]) - Number(cells[1]));
      return [...cells.slice(0, -1), Math.floor(rate + (i % 3) * 0.5)].join(',');
    }),
  ].join('\n');
}

const configOf = (loss: unknown, outputs = 1, training: object = {}, more: object = {}) => ({
  network: { layers: [8, 'tanh', outputs] },
  training: { epochs: 8, loss, optimizer: { type: 'adam', learningRate: 0.02 }, ...training },
  dtype: 'float64',
  ...more,
});

async function run({ config, plan, dataset }: Problem) {
  const engine = LocalEngine.start({ config, plan, choice: WASM as never }, dataset);
  const { train, validation } = await runTraining(engine);
  type Regression = { loss: number; rmse: number; r2: number };
  return { engine, train: train.metrics as Regression, validation: validation?.metrics as Regression };
}

function modelFrom(engine: Engine, { plan, dataset }: Problem): Model {
  const tensors = modelTensors(engine.parameters, engine.statistics);
  const byName = new Map(tensors.map(({ name, data }) => [name, data as Float64Array]));
  return { ...modelContent(plan, dataset), path: 'model', dtype: 'float64', tensors: byName };
}

const LOSSES: [name: string, loss: unknown, outputs: number, power: number][] = [
  ['mean-squared-error', 'mean-squared-error', 1, 2],
  ['mean-absolute-error', 'mean-absolute-error', 1, 1],
  ['huber', { type: 'huber', delta: 0.4 }, 1, 2],
  ['quantile', { type: 'quantile', quantiles: [0.1, 0.5, 0.9] }, 3, 1],
];

describe.each(LOSSES)('%s', (_, loss, outputs, power) => {
  it('is reported in the unit of the target', async () => {
    const small = await run(await prepare(configOf(loss, outputs), valuesCsv()));
    const large = await run(await prepare(configOf(loss, outputs), valuesCsv(64, 1024)));
    // The network sees the same numbers but for rounding.
    for (const side of ['train', 'validation'] as const) {
      expect([large[side].loss, large[side].rmse]).toBeAllclose(
        [small[side].loss * 64 ** power, small[side].rmse * 64],
        { relative: 1e-8 },
      );
    }
    expect(small.train.r2).toBeGreaterThan(0.5);
    const data = { train: 'data.csv', target: 'y', standardizeTarget: true };
    const inDeviations = await prepare(configOf(loss, outputs, {}, { data }), valuesCsv(64, 1024));
    expect(inDeviations.plan.lossUnit).toBe(1);
  });

  it('is what evaluate says of the model', async () => {
    const problem = await prepare(configOf(loss, outputs), valuesCsv(3, 5));
    const { engine, validation } = await run(problem);
    const scored = score(modelFrom(engine, problem), problem);
    expect([scored.loss, scored.rmse, scored.r2]).toBeAllclose(
      [validation.loss, validation.rmse, validation.r2],
      { relative: 1e-10 },
    );
  });

  it('gives the same bits for any number of threads', async () => {
    const problem = await prepare(configOf(loss, outputs, {}, { dtype: 'float32' }), valuesCsv());
    const results = [];
    for (const threads of [1, 3]) {
      const team = await startTeam(problem, WASM, threads);
      try {
        results.push(await resultOf(team, problem, 12));
      } finally {
        await team.close();
      }
    }
    expect(results[1]).toBe(results[0]);
  });
});

function score(model: Model, { dataset: { validation } }: Problem) {
  const inference = Inference.create(model);
  const scorer = createScorer(model, inference);
  const rows = validation?.rows ?? 0;
  inference.x.data.set(allOf(validation?.features));
  scorer.add(rows, inference.forward(rows), validation?.targets as Float64Array);
  return scorer.result() as ReturnType<typeof scorer.result> & {
    rmse: number;
    r2: number;
    mae: number;
    coverage?: number;
    poissonDeviance?: number;
  };
}

describe('quantiles', () => {
  const CROSSING = { type: 'quantile', quantiles: [0.3, 0.4, 0.5, 0.6] };

  it('rise in every prediction, though the network crosses them', async () => {
    const problem = await prepare(configOf(CROSSING, 4, { epochs: 1 }), valuesCsv());
    const { engine } = await run(problem);
    const model = modelFrom(engine, problem);
    const features = allOf(problem.dataset.train.features);
    const predict = (from: Model) => {
      const inference = Inference.create(from);
      inference.x.data.set(features);
      inference.forward(problem.dataset.train.rows);
      return inference.predictions(problem.dataset.train.rows).slice();
    };
    const rises = (values: Float64Array) =>
      values.every((value, at) => at % 4 === 0 || value >= values[at - 1]);
    const sorted = predict(model);
    expect(rises(sorted)).toBe(true);
    // The same network without quantiles has the numbers in its own order.
    const { lossParameters: _, ...plain } = model;
    const unit = model.targetStandardization as { mean: number[]; scale: number[] };
    const four = {
      ...plain,
      loss: 'mean-squared-error',
      targets: ['a', 'b', 'c', 'd'],
      targetStandardization: { mean: Array(4).fill(unit.mean[0]), scale: Array(4).fill(unit.scale[0]) },
    } as const;
    const raw = predict(four);
    expect(rises(raw)).toBe(false);
    const expected = Array.from({ length: raw.length / 4 }, (_, row) =>
      [...raw.subarray(4 * row, 4 * row + 4)].sort((a, b) => a - b),
    );
    expect([...sorted]).toEqual(expected.flat());
  });

  it('cover what they say, of data with noise', async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => {
      const x = ((i * 7919) % 1200) / 1200;
      // The quantile of the noise is u itself: a noise between 0 and 1 + x.
      const u = ((i * 104_729) % 1201) / 1201;
      return `${x},${(2 * x + u * (1 + x)).toFixed(5)}`;
    });
    const loss = { type: 'quantile', quantiles: [0.1, 0.5, 0.9] };
    const config = configOf(loss, 3, { epochs: 60, batchSize: 64 });
    const problem = await prepare(config, ['x,y', ...rows].join('\n'));
    const { engine } = await run(problem);
    const { coverage = 0 } = score(modelFrom(engine, problem), problem);
    expect(coverage).toBeGreaterThan(0.75);
    expect(coverage).toBeLessThan(0.87);
  });

  it('have one limit if predictions are clipped', async () => {
    const training = { clipPredictions: true };
    const { plan, dataset } = await prepare(configOf(CROSSING, 4, training), valuesCsv());
    expect(plan.limits).toHaveLength(4);
    expect(new Set(plan.limits?.map(String)).size).toBe(1);
    expect(modelContent(plan, dataset).predictionRanges).toHaveLength(1);
  });

  it('need an output each, of a single target', async () => {
    await expect(prepare(configOf(CROSSING, 1), valuesCsv())).rejects.toThrow(
      'network.layers: found an output width of 1, expected 4: one for each quantile',
    );
    const data = { train: 'data.csv', target: ['y', 'x0'] };
    await expect(prepare(configOf(CROSSING, 4, {}, { data }), valuesCsv())).rejects.toThrow(
      'training.loss: found "quantile" for 2 targets, expected a single one',
    );
  });
});

describe('poisson', () => {
  it('predicts rates, and takes few counts for quantities', async () => {
    const problem = await prepare(configOf('poisson', 1, { epochs: 40 }), countsCsv());
    expect(problem.config.data.standardizeTarget).toBe('auto');
    expect(problem.dataset.task).toBe('regression');
    expect(problem.dataset.targetStandardization).toBeUndefined();
    const { engine, validation } = await run(problem);
    const model = modelFrom(engine, problem);
    const scored = score(model, problem);
    expect([scored.rmse, scored.loss]).toBeAllclose([validation.rmse, validation.loss], { relative: 1e-10 });

    // By hand, from the network's outputs: rates, their deviance, and the loss.
    const inference = Inference.create(model);
    const { rows = 0, features, targets = [] } = problem.dataset.validation ?? {};
    inference.x.data.set(allOf(features));
    const outputs = [...inference.forward(rows).data.subarray(0, rows)];
    const rates = outputs.map(Math.exp);
    expect([...inference.predictions(rows)]).toEqual(rates);
    const mean = (of: (row: number) => number) => rates.reduce((sum, _, row) => sum + of(row), 0) / rows;
    const deviance = (row: number) => {
      const t = targets[row];
      return 2 * ((t === 0 ? 0 : t * Math.log(t / rates[row])) - t + rates[row]);
    };
    expect([scored.poissonDeviance ?? 0, scored.loss]).toBeAllclose(
      [mean(deviance), mean((row) => rates[row] - targets[row] * outputs[row])],
      { relative: 1e-12 },
    );
    expect(validation.r2).toBeGreaterThan(0.5);
  });

  it('is clipped to the range of the counts, of which 0 is no limit for a logarithm', async () => {
    const { plan } = await prepare(configOf('poisson', 1, { clipPredictions: true }), countsCsv());
    const [[least, greatest]] = plan.limits as [number, number][];
    expect([least, Math.exp(greatest)]).toBeAllclose([-Infinity, Math.round(Math.exp(greatest))], {
      relative: 1e-12,
    });
  });

  it('refuses a target below 0 with its line', async () => {
    const csv = countsCsv().replace(/\d+$/, '-1');
    await expect(prepare(configOf('poisson'), csv)).rejects.toThrow(
      /data\.csv:151: column "y": found -1, expected a number of at least 0, because the loss is poisson/,
    );
  });

  it('is refused for classes', async () => {
    await expect(prepare(configOf('poisson', 3), csvOf(60, 4, 'classes'))).rejects.toThrow(
      'training.loss: found "poisson" for a multiclass task',
    );
  });
});
