/** data.targetTransform: the network learns logarithms, and everything else is in the target's unit. */
import { describe, expect, it } from 'vitest';
import { Inference } from '../../src/model/inference.js';
import type { Model } from '../../src/model/load.js';
import { modelTensors } from '../../src/model/model.js';
import { createScorer } from '../../src/model/scorer.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { runTraining } from '../../src/training/loop.js';
import { modelContent } from '../../src/training/plan.js';
import { allOf } from '../support/datasets.js';
import { csvOf, prepare } from '../support/runs.js';

/** Targets over four decades, some of them 0 for log1p; or their logarithms, digit by digit. */
function skewedCsv(change: (target: number) => number, hasZeros = false): string {
  const [head, ...lines] = csvOf(150, 4, 'values').split('\n');
  return [
    head,
    ...lines.map((line, i) => {
      const cells = line.split(',');
      const target = hasZeros && i % 10 === 0 ? 0 : Math.exp(5 * Number(cells.at(-1)));
      return [...cells.slice(0, -1), change(target)].join(',');
    }),
  ].join('\n');
}

const same = (target: number) => target;

const configOf = (data: object, training: object = {}, outputs = 1) => ({
  network: { layers: [8, 'tanh', outputs] },
  data: { train: 'data.csv', target: 'y', ...data },
  training: { epochs: 6, optimizer: { type: 'adam', learningRate: 0.02 }, ...training },
  dtype: 'float64',
});

async function run(config: Record<string, unknown>, csv: string) {
  const problem = await prepare(config, csv);
  const { plan, dataset } = problem;
  const engine = LocalEngine.start(
    { config: problem.config, plan, choice: { backend: 'wasm', relaxed: false } as never },
    dataset,
  );
  const { validation } = await runTraining(engine);
  const tensors = modelTensors(engine.parameters, engine.statistics);
  const byName = new Map(tensors.map(({ name, data }) => [name, data as Float64Array]));
  const model: Model = { ...modelContent(plan, dataset), path: 'm', dtype: 'float64', tensors: byName };
  const inference = Inference.create(model);
  const rows = dataset.validation?.rows ?? 0;
  inference.x.data.set(allOf(dataset.validation?.features));
  const scorer = createScorer(model, inference);
  scorer.add(rows, inference.forward(rows), dataset.validation?.targets as Float64Array);
  return {
    model,
    metrics: validation?.metrics as { loss: number; rmse: number; r2: number },
    scores: scorer.result() as { loss: number; rmse: number; r2: number; mae: number },
    weights: [...engine.parameters.values.data],
    predictions: [...inference.predictions(rows)],
    targets: [...(dataset.validation?.targets ?? [])],
  };
}

const CASES = [
  ['log', Math.log, Math.exp, false],
  ['log1p', Math.log1p, Math.expm1, true],
] as const;

describe.each(CASES)('%s', (targetTransform, of, inverse, hasZeros) => {
  it('trains as on a table of the logarithms, and predicts in the unit of the target', async () => {
    const own = await run(configOf({ targetTransform }), skewedCsv(same, hasZeros));
    const byHand = await run(configOf({}), skewedCsv(of, hasZeros));
    expect(own.weights).toEqual(byHand.weights);
    expect(own.targets).toEqual(byHand.targets);
    // The loss is of the logarithms, in their unit.
    expect([own.metrics.loss, own.scores.loss]).toBeAllclose([byHand.metrics.loss, byHand.metrics.loss], {
      relative: 1e-12,
    });
    expect(own.predictions).toEqual(byHand.predictions.map(inverse));

    const { mean, scale } = own.model.targetStandardization as { mean: number[]; scale: number[] };
    const targets = own.targets.map((value) => inverse(value * scale[0] + mean[0]));
    const errors = targets.map((target, i) => own.predictions[i] - target);
    const average = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const middle = average(targets);
    const squares = average(errors.map((error) => error ** 2));
    const expected = [
      Math.sqrt(squares),
      1 - squares / average(targets.map((target) => (target - middle) ** 2)),
    ];
    expect([own.metrics.rmse, own.metrics.r2]).toBeAllclose(expected, { relative: 1e-10 });
    expect([own.scores.rmse, own.scores.r2, own.scores.mae]).toBeAllclose(
      [...expected, average(errors.map(Math.abs))],
      { relative: 1e-10 },
    );
  });

  it('is in the model file', async () => {
    const { model } = await run(configOf({ targetTransform }), skewedCsv(same, hasZeros));
    expect(model.targetTransform).toBe(targetTransform);
  });
});

describe('the transform', () => {
  it('goes with quantiles, limits and the loss in deviations', async () => {
    const loss = { type: 'quantile', quantiles: [0.2, 0.5, 0.8] };
    const data = { targetTransform: 'log', standardizeTarget: true };
    const { model, predictions } = await run(
      configOf(data, { loss, clipPredictions: true }, 3),
      skewedCsv(same),
    );
    expect(model).not.toHaveProperty('lossUnit');
    const [[least, greatest]] = model.predictionRanges as [number, number][];
    expect(predictions.every((value, i) => i % 3 === 0 || value >= predictions[i - 1])).toBe(true);
    expect(Math.min(...predictions)).toBeGreaterThanOrEqual(least);
    expect(Math.max(...predictions)).toBeLessThanOrEqual(greatest);
  });

  it('works without a scale, and makes few whole numbers a quantity', async () => {
    const counts = skewedCsv((target) => Math.min(5, Math.floor(target)));
    const { model } = await run(configOf({ targetTransform: 'log1p', standardizeTarget: false }), counts);
    expect(model.task).toBe('regression');
    expect(model).not.toHaveProperty('targetStandardization');
  });

  it.each([
    ['log', '0', 'found 0, expected a number above 0, because data.targetTransform is "log"'],
    ['log1p', '-1', 'found -1, expected a number above -1, because data.targetTransform is "log1p"'],
  ])('%s refuses %s with its line', async (targetTransform, cell, message) => {
    const csv = skewedCsv(same).replace(/[^,]+$/, cell);
    await expect(prepare(configOf({ targetTransform }), csv)).rejects.toThrow(
      `data.csv:151: column "y": ${message}`,
    );
  });

  it('is refused for classes', async () => {
    await expect(
      prepare({ ...configOf({ targetTransform: 'log' }, {}, 3) }, csvOf(60, 4, 'classes')),
    ).rejects.toThrow('data.targetTransform: found "log" in a multiclass task, expected a regression');
  });
});
