/** training.clipPredictions: the predictions of a regression stay in the range of the training rows. */
import { describe, expect, it } from 'vitest';
import { RegressionErrors } from '../../src/evaluation/regression.js';
import { plain } from '../../src/evaluation/sum.js';
import { Inference } from '../../src/model/inference.js';
import { encodeModel, modelTensors } from '../../src/model/model.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { runTraining } from '../../src/training/loop.js';
import { modelContent } from '../../src/training/plan.js';
import { modelOf, REGRESSION } from '../model/models.js';
import { BACKENDS } from '../support/backends.js';
import { allOf } from '../support/datasets.js';
import { csvOf, type Problem, prepare, resultOf, startTeam } from '../support/runs.js';

const CSV = csvOf(131, 4, 'values');
const WASM = { backend: 'wasm', relaxed: false } as const;
/** Many weights, few rows and a high learning rate make some outputs wild. */
const WILD = {
  network: { layers: [{ type: 'linear', units: 9, init: { type: 'normal', std: 1 } }, 'relu', 1] },
  data: { train: 'data.csv', target: 'y', validation: 0.6 },
  training: { epochs: 10, batchSize: 16, optimizer: { type: 'sgd', learningRate: 0.15 } },
  dtype: 'float64',
  seed: 1,
};
const CLIPPED = { ...WILD, training: { ...WILD.training, clipPredictions: true } };

/** Of each epoch: the metrics, and those of the outputs clipped by hand. */
async function epochsOf({ config, plan, dataset }: Problem, choice = WASM as never) {
  const engine = LocalEngine.start({ config, plan, choice }, dataset);
  const epochs: { loss: number; rmse: number }[] = [];
  const result = await runTraining(engine, {
    epochDone: ({ validation }) => void epochs.push(validation?.metrics as never),
  });
  return { engine, epochs, result };
}

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  it.skipIf(skip)('measures clipped predictions, and trains the same', async () => {
    const own = await prepare(CLIPPED, CSV);
    const wild = await prepare({ ...WILD, training: { ...WILD.training, keep: 'last' } }, CSV);
    const clipped = await epochsOf(own, choice as never);
    const free = await epochsOf(wild, choice as never);
    const { targetStandardization, targetRanges, validation } = own.dataset;
    const { mean, scale } = targetStandardization as { mean: number[]; scale: number[] };
    const [[least, greatest]] = targetRanges as [number, number][];

    // The last epoch of the run without clipping, whose outputs are then clipped here.
    const content = modelContent(wild.plan, wild.dataset);
    const { parameters, statistics } = free.engine;
    const tensors = modelTensors(parameters, statistics);
    const model = { ...content, path: 'm', dtype: 'float64', tensors: new Map() } as never;
    Object.assign(model, { tensors: new Map(tensors.map(({ name, data }) => [name, data])) });
    const inference = Inference.create(model);
    inference.x.data.set(allOf(validation?.features));
    const rows = validation?.rows ?? 0;
    inference.forward(rows);
    const predictions = inference.predictions(rows).map((value) => (value - mean[0]) / scale[0]);
    const [low, high] = [(least - mean[0]) / scale[0], (greatest - mean[0]) / scale[0]];
    expect(predictions.filter((value) => value < low || value > high).length).toBeGreaterThan(2);
    const errors = new RegressionErrors(validation?.targets as Float64Array, scale, plain);
    errors.add(
      rows,
      predictions.map((value) => Math.min(high, Math.max(low, value))),
      0,
    );
    const { rmse } = errors.scores();
    expect([clipped.epochs[9].rmse]).toBeAllclose([rmse], { relative: 1e-12 });
    expect([clipped.epochs[9].loss]).toBeAllclose([rmse ** 2], { relative: 1e-12 });
    expect(free.epochs[9].rmse).toBeGreaterThan(1.02 * rmse);
  });
});

describe('clipping', () => {
  it('decides which epoch is kept', async () => {
    const { epochs, result } = await epochsOf(await prepare(CLIPPED, CSV));
    const losses = epochs.map(({ loss }) => loss);
    expect(result.keptEpoch).toBe(1 + losses.indexOf(Math.min(...losses)));
    const free = await epochsOf(await prepare(WILD, CSV));
    expect(free.result.keptEpoch).not.toBe(result.keptEpoch);
  });

  it('gives the same bits for any number of threads', async () => {
    const problem = await prepare({ ...CLIPPED, dtype: 'float32' }, CSV);
    const results = [];
    for (const threads of [1, 3]) {
      const team = await startTeam(problem, WASM, threads);
      try {
        results.push(await resultOf(team, problem, 10));
      } finally {
        await team.close();
      }
    }
    expect(results[1]).toBe(results[0]);
  });

  it('is refused without quantities', async () => {
    const training = { epochs: 1, clipPredictions: true };
    await expect(prepare({ network: { layers: [3] }, training }, csvOf(30, 4, 'classes'))).rejects.toThrow(
      'training.clipPredictions: found true in a multiclass task, expected a regression',
    );
  });

  it('is in the model file, which predicts within the range to the last digit', async () => {
    const ranges = [
      [9.7, 10.1],
      [-1.1, -0.7],
    ] as const;
    const model = modelOf({ ...REGRESSION, predictionRanges: ranges });
    expect(encodeModel(model, []).header.toString()).not.toBe('');
    const inference = Inference.create(model);
    const free = Inference.create(modelOf(REGRESSION));
    const rows = Array.from({ length: 200 * inference.inputs }, (_, i) => Math.sin(i * i) * 3);
    const [clipped, own] = [inference, free].map((each) => {
      each.x.data.set(rows);
      each.forward(200);
      return [...each.predictions(200)];
    });
    const expected = own.map((value, i) => {
      const [least, greatest] = ranges[i % 2];
      return Math.min(greatest, Math.max(least, value));
    });
    expect(clipped).toBeAllclose(expected, { relative: 1e-7 });
    for (const [j, range] of ranges.entries()) {
      const column = clipped.filter((_, i) => i % 2 === j);
      expect([Math.min(...column), Math.max(...column)]).toEqual([...range]);
    }
  });
});
