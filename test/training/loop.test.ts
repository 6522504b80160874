import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/dataset/loadDataset.js';
import { ExitCode } from '../../src/errors.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import type { EpochRecord, StepRecord } from '../../src/training/loop.js';
import { runTraining } from '../../src/training/loop.js';
import { planTraining } from '../../src/training/plan.js';
import { folderOf, SMALL_CSV, smallConfig } from '../support/cli.js';

/** A run of a small config with these overrides, up to its first step. */
async function prepare(...overrides: string[]) {
  const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  const loaded = loadTrainConfig(`${folder}/config.json`, overrides);
  const { config, directory } = loaded;
  const dataset = await loadDataset(config, directory);
  const plan = planTraining(loaded, dataset);
  const choice = { backend: 'reference', relaxed: false } as const;
  return { config, plan, dataset, engine: LocalEngine.start({ config, plan, choice }, dataset) };
}

describe('runTraining', () => {
  it('ends in an error, not a model, where the weights to keep give no loss', async () => {
    const layers = 'network.layers=["batch-norm",1]';
    const { engine } = await prepare(layers, 'training.epochs=1', 'training.keep="last"');
    // As a damaged checkpoint may say: numbers that are finite, but no variances.
    const spoil = () => void engine.statistics.values.data.fill(-1);
    await expect(runTraining(engine, { stepsDone: spoil })).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringMatching(/the loss of all training rows became NaN in epoch 1, step \d+$/),
    });
  });

  it('visits every training row once an epoch, and the losses of its steps are handed on', async () => {
    const { plan, engine } = await prepare('training.batchSize=5', 'training.epochs=2');
    const records: EpochRecord[] = [];
    const steps: StepRecord[] = [];
    const result = await runTraining(engine, {
      epochDone: (record) => void records.push(record),
      stepsDone: (record) => void steps.push(record),
    });
    expect(plan.stepsPerEpoch).toBe(4);
    expect(records.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 4],
      [2, 8],
    ]);
    expect(steps.map(({ epoch, firstStep, losses }) => [epoch, firstStep, losses.length])).toEqual([
      [1, 1, 4],
      [2, 5, 4],
    ]);
    expect(result).toMatchObject({ status: 'completed', epochs: 2, steps: 8 });
    expect(result.lastStepLoss).toBe(steps[1].losses[3]);
  });

  it('ends in the middle of an epoch where steps say so', async () => {
    const { engine } = await prepare('training.steps=3', 'training.batchSize=8');
    const records: EpochRecord[] = [];
    await runTraining(engine, { epochDone: (record) => void records.push(record) });
    expect(records.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  it('is the same twice, in either dtype', async () => {
    for (const dtype of ['float32', 'float64']) {
      const runs = [await prepare(`dtype=${dtype}`), await prepare(`dtype=${dtype}`)];
      for (const { engine } of runs) await runTraining(engine);
      const [a, b] = runs.map(({ engine }) => Array.from(engine.parameters.values.data));
      expect(a).toEqual(b);
      expect(a.some((x) => x !== 0)).toBe(true);
    }
  });

  it('evaluates a side with the weights as they are after the epoch', async () => {
    const { engine } = await prepare('training.epochs=1');
    const result = await runTraining(engine);
    expect(await engine.evaluate()).toEqual({ train: result.train, validation: result.validation });
  });

  it('stops at the step after the signal', async () => {
    const { engine } = await prepare('training.epochs=1000');
    const controller = new AbortController();
    const listener = { epochDone: ({ epoch }: EpochRecord) => epoch === 3 && controller.abort() };
    const result = await runTraining(engine, listener as never, {
      signal: controller.signal,
    });
    expect(result).toMatchObject({ status: 'interrupted', epochs: 3, steps: 6 });
  });

  it('ends in the very step whose update leaves a parameter that is not finite', async () => {
    const optimizer = 'training.optimizer={"type":"sgd","learningRate":1e300}';
    const { engine } = await prepare(optimizer, 'dtype=float32');
    const steps: number[] = [];
    const run = runTraining(engine, { stepsDone: ({ losses }) => void steps.push(...losses) });
    await expect(run).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: 'training diverged: a parameter became infinite or NaN in epoch 1, step 1',
      hint: expect.stringContaining('learning rate ten times smaller'),
    });
    expect(steps).toEqual([expect.any(Number)]);
  });

  it('saves no state that is not finite', async () => {
    const { engine } = await prepare();
    const moments = (await engine.state()).tensors.get('optimizer.v');
    moments?.fill(Number.POSITIVE_INFINITY, 0, 1);
    let saved = 0;
    const save = async () => void saved++;
    await expect(runTraining(engine, {}, { save })).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringMatching(
        /^training diverged: optimizer\.v became infinite or NaN in epoch 1, step 2$/,
      ),
    });
    expect(saved).toBe(0);
  });

  it('clamps a batch to the training rows, with a warning, and draws more where it replaces', async () => {
    const clamped = await prepare('training.batchSize=100');
    expect(clamped.plan.batchSize).toBe(16);
    expect(clamped.plan.warnings).toEqual([
      'training.batchSize is 100, but there are 16 training rows: using 16',
    ]);
    const drawn = await prepare('training.batchSize=100', 'training.batches="with-replacement"');
    expect(drawn.plan.batchSize).toBe(100);
    expect(drawn.plan.warnings).toEqual([]);
    await runTraining(drawn.engine);
  });

  it.each(['first', 'last'] as const)('keeps the %s of epochs that are equally good', async (ties) => {
    // Steps too small to change a prediction: all epochs have the same accuracy, and other weights.
    const { engine } = await prepare(
      'training.epochs=3',
      'training.optimizer.learningRate=1e-9',
      'training.keepMonitor="validation_accuracy"',
      `training.keepTies="${ties}"`,
    );
    const { validation, keptEpoch } = await runTraining(engine);
    expect(validation?.metrics).toMatchObject({ accuracy: expect.any(Number) });
    expect(keptEpoch).toBe(ties === 'first' ? 1 : 3);
  });
});
