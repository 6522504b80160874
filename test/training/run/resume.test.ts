import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSafetensors } from '../../../src/model/safetensors/decode.js';
import { type Engine, LocalEngine } from '../../../src/training/engine/engine.js';
import { Team } from '../../../src/training/engine/team.js';
import { smallRuns } from '../../../src/training/engine/threadPool.js';
import type { TrainListener, TrainResult } from '../../../src/training/loop.js';
import { runTraining } from '../../../src/training/loop.js';
import type { Provenance } from '../../../src/training/run/provenance.js';
import { decodeRun, encodeRun, type SavedRun } from '../../../src/training/run/state.js';
import { temporaryFolder } from '../../support/cli.js';
import { csvOf, type Problem, prepare } from '../../support/runs.js';

const CHOICE = { backend: 'wasm', relaxed: false } as const;
const ORIGIN: Provenance = {
  version: '1.0.0',
  node: 'v20',
  backend: 'wasm',
  relaxed: false,
  threads: 1,
  data: [],
};
const STEPS = 50;

/** 19 training rows in batches of 5, so that the 50th step is the second of its epoch; layers of every kind that has a state of its own. */
function problemOf(training: Record<string, unknown>, layers: unknown[] = LAYERS): Promise<Problem> {
  return prepare(
    {
      network: { layers },
      data: { train: 'data.csv', target: 'y', validation: 0.2 },
      training: { steps: STEPS, batchSize: 5, ...training },
    },
    csvOf(24, 3, 'classes'),
  );
}

const LAYERS = [4, 'batch-norm', 'relu', { type: 'dropout', rate: 0.3 }, 3];

/** What a run leaves: its steps, its epochs, and the bits of its weights. */
class Traces {
  readonly steps: string[] = [];
  readonly epochs = new Map<number, string>();
  saved = Buffer.alloc(0);

  /** The last checkpoint; forgets what was written after it, as a run's files do. */
  goBack(): SavedRun {
    const saved = readBack(this.saved);
    const { steps, epochs } = saved.progress;
    this.steps.length = steps;
    for (const epoch of this.epochs.keys()) if (epoch > epochs) this.epochs.delete(epoch);
    return saved;
  }
}

interface Session {
  readonly from?: SavedRun | undefined;
  readonly stopAt?: number;
  /** A team of so many; in this thread if left out. */
  readonly threads?: number;
}

async function train(
  { config, plan, dataset }: Problem,
  record: Traces,
  { from, stopAt = Number.POSITIVE_INFINITY, threads }: Session = {},
): Promise<{ result: TrainResult; weights: string }> {
  const run = { config, plan, choice: CHOICE };
  const engine =
    threads === undefined
      ? LocalEngine.start(run, dataset, from?.engine)
      : await Team.start({ ...run, threads }, dataset, from?.engine, { pool: smallRuns });
  const controller = new AbortController();
  let left = stopAt - (from?.progress.steps ?? 0);
  const limited = withTrain(engine, async (losses, rates, options) => {
    const most = Math.min(left, losses.length);
    const done = await engine.train(losses.subarray(0, most), rates, options);
    left -= done.done;
    if (left === 0) controller.abort();
    return done;
  });
  const result = await runTraining(limited, tracing(record), {
    signal: controller.signal,
    ...(from && { from }),
    save: async (state) => {
      const { header, parts } = encodeRun({ ...state, origin: ORIGIN, files: { steps: 0, epochs: 0 } });
      record.saved = Buffer.concat([header, ...parts]);
    },
  });
  const weights = bitsOf(engine);
  await engine.close();
  return { result, weights };
}

/** An engine that takes its steps in another way. */
function withTrain(engine: Engine, train: Engine['train']): Engine {
  const { run, parameters, statistics } = engine;
  return {
    run,
    parameters,
    statistics,
    train,
    evaluate: () => engine.evaluate(),
    evaluateTest: () => engine.evaluateTest(),
    layerStatistics: () => engine.layerStatistics(),
    state: () => engine.state(),
    close: () => engine.close(),
  };
}

function tracing({ steps, epochs }: Traces): TrainListener {
  return {
    stepsDone: ({ firstStep, losses, learningRates }) =>
      losses.forEach((loss, i) => {
        steps[firstStep + i - 1] = `${loss} at ${learningRates[i]}`;
      }),
    epochDone: ({ epoch, seconds: _, ...rest }) => void epochs.set(epoch, JSON.stringify(rest)),
  };
}

function bitsOf({ parameters, statistics }: Engine): string {
  const bits = [parameters, statistics].map(({ values: { data } }) =>
    Buffer.from(data.slice().buffer).toString('base64'),
  );
  return bits.join();
}

/** The state as it comes out of a file. */
function readBack(bytes: Buffer): SavedRun {
  const path = join(temporaryFolder(), 'checkpoint');
  writeFileSync(path, bytes);
  const file = openSafetensors(path);
  try {
    const tensors = new Map([...file.tensors.keys()].map((name) => [name, file.read(name)]));
    return decodeRun({ metadata: file.metadata, tensors, path });
  } finally {
    file.close();
  }
}

/** What two runs have in common that are the same bit for bit. */
function outcome({ result, weights }: Awaited<ReturnType<typeof train>>, { steps, epochs }: Traces) {
  const { trainSeconds: _, samplesPerSecond: __, ...rest } = result;
  return { result: rest, weights, steps, epochs: [...epochs].sort(([a], [b]) => a - b) };
}

/** Stops after every step, goes on from the checkpoint, stops after the next, and so on to the end. */
async function expectSameWithEveryStop(problem: Problem): Promise<void> {
  const whole = new Traces();
  const run = await train(problem, whole);
  const record = new Traces();
  let from: SavedRun | undefined;
  for (let stopAt = 1; stopAt < run.result.steps; stopAt++) {
    const { result } = await train(problem, record, { from, stopAt });
    expect(result).toMatchObject({ status: 'interrupted', steps: stopAt });
    from = record.goBack();
    expect(from.progress.steps).toBe(stopAt);
  }
  expect(outcome(await train(problem, record, { from }), record)).toEqual(outcome(run, whole));
}

describe('a run that is stopped after every step ends in the same bits', () => {
  it.each([
    { type: 'sgd', learningRate: 0.1 },
    { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: true },
    { type: 'adam', learningRate: 0.01 },
    { type: 'adamw', learningRate: 0.01 },
    { type: 'rmsprop', learningRate: 0.01, momentum: 0.5, centered: true },
    { type: 'adagrad', learningRate: 0.05 },
  ])('with $type', async (optimizer) => {
    await expectSameWithEveryStop(await problemOf({ optimizer }));
  });

  it.each([
    { type: 'exponential', gamma: 0.9 },
    { type: 'step', gamma: 0.5, every: 3 },
    { type: 'cosine' },
    { type: 'one-cycle' },
    { type: 'reduce-on-plateau', patience: 1, minDelta: 0.01 },
    { type: 'warm-up', steps: 10, after: { type: 'cosine' } },
    { type: 'warm-up', epochs: 2, after: { type: 'reduce-on-plateau', patience: 0, minDelta: 0.05 } },
  ])('with the schedule $type', async (schedule) => {
    await expectSameWithEveryStop(await problemOf({ schedule }));
  });

  it.each([
    ['batches drawn with replacement', { batches: 'with-replacement' }],
    ['the last weights kept', { keep: 'last' }],
    ['gradients clipped, and both regularisers', { clipNorm: 0.1, l1: 0.01, l2: 0.01 }],
    ['early stopping', { earlyStopping: { patience: 2, minDelta: 0.02 }, optimizer: { learningRate: 0.05 } }],
    ['a gain of cycles', { earlyStopping: { cycleGain: 0.9 }, schedule: { type: 'coslog', cycles: 3 } }],
  ])('with %s', async (_, training) => {
    await expectSameWithEveryStop(await problemOf(training));
  });
});

it('a run that is stopped once ends in the same bits', async () => {
  const problem = await problemOf({});
  const whole = new Traces();
  const expected = outcome(await train(problem, whole), whole);
  for (let stopAt = 1; stopAt < STEPS; stopAt += 3) {
    const record = new Traces();
    await train(problem, record, { stopAt });
    const from = record.goBack();
    expect(outcome(await train(problem, record, { from }), record)).toEqual(expected);
  }
});

it('a run that goes on with another number of threads ends in the same bits', async () => {
  const problem = await problemOf({});
  const whole = new Traces();
  const expected = outcome(await train(problem, whole), whole);
  const record = new Traces();
  let from: SavedRun | undefined;
  for (const [threads, stopAt] of [
    [2, 7],
    [3, 22],
    [1, 36],
  ]) {
    await train(problem, record, { from, stopAt, threads });
    from = record.goBack();
  }
  expect(outcome(await train(problem, record, { from, threads: 2 }), record)).toEqual(expected);
});

it('a run that ended early, or in the middle of an epoch, has the same end when it is gone on with', async () => {
  for (const training of [{}, { earlyStopping: { patience: 1, minDelta: 0.1 } }]) {
    const problem = await problemOf(training);
    const record = new Traces();
    const expected = outcome(await train(problem, record), record);
    expect(outcome(await train(problem, record, { from: record.goBack() }), record)).toEqual(expected);
  }
});

it('a run that is extended ends as one that was to be that long', async () => {
  const record = new Traces();
  await train(await problemOf({ steps: 30 }), record);
  const longer = await problemOf({});
  const whole = new Traces();
  const expected = outcome(await train(longer, whole), whole);
  expect(outcome(await train(longer, record, { from: record.goBack() }), record)).toEqual(expected);
});

it('a run saves within an epoch when it is time, and that changes nothing', async () => {
  const whole = new Traces();
  const expected = outcome(await train(await problemOf({}), whole), whole);

  const problem = await problemOf({ checkpointSeconds: 0.001 });
  const { config, plan, dataset } = problem;
  const engine = LocalEngine.start({ config, plan, choice: CHOICE }, dataset);
  const record = new Traces();
  const within: boolean[] = [];
  const slow = withTrain(engine, async (losses, rates, options) => {
    const done = await engine.train(losses.subarray(0, 1), rates);
    // As in a long epoch: nothing but the clock ends the wait.
    const { signal } = options ?? {};
    if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
    return done;
  });
  const result = await runTraining(slow, tracing(record), {
    save: async ({ progress: { steps, epochs } }) => {
      within.push(steps > epochs * plan.stepsPerEpoch);
    },
  });
  expect(within.filter(Boolean)).toHaveLength(STEPS - Math.floor(STEPS / plan.stepsPerEpoch));
  expect(outcome({ result, weights: bitsOf(engine) }, record)).toEqual(expected);
});
