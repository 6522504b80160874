/** The loop over epochs: drives an engine, tells a listener, and says why it ended. */
import { ExitCode, MlpError } from '../errors.js';
import type { TrainConfig } from '../spec/train.js';
import type { Engine } from './engine.js';
import type { Evaluation } from './metrics.js';
import type { TrainingPlan } from './plan.js';
import { learningRateAt } from './schedule.js';
import type { Evaluations } from './trainer.js';

/** The steps of an epoch, for steps.csv: loss[i] is that of step firstStep + i, before its update. */
export interface StepRecord {
  readonly epoch: number;
  readonly firstStep: number;
  readonly learningRate: number;
  readonly losses: Float64Array;
}

export interface EpochRecord extends Evaluations {
  /** Epochs and steps done, counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
  /** Wall time of the epoch, evaluation included. */
  readonly seconds: number;
  readonly steps: StepRecord;
}

export interface TrainListener {
  epochStarted?(epoch: number, steps: number): void;
  /** Now and then within an epoch: `done` steps of it, the last one's loss, samples a second since the run began. */
  progress?(done: number, loss: number, samplesPerSecond: number): void;
  epochDone?(record: EpochRecord): void | Promise<void>;
}

export interface TrainResult extends Evaluations {
  /** Of the parameters that the run ended with; not there without test rows. */
  readonly test?: Evaluation;
  readonly status: 'completed' | 'interrupted';
  readonly epochs: number;
  readonly steps: number;
  readonly lastStepLoss: number;
  /** Time of the steps alone. */
  readonly trainSeconds: number;
  readonly samplesPerSecond: number;
}

/**
 * Trains to the plan's end, or to the step at which `signal` is aborted; then evaluates the test rows, for the first time.
 * @throws MlpError (78) naming the epoch and step at which the loss is no longer finite
 */
export async function runTraining(
  engine: Engine,
  config: TrainConfig,
  plan: TrainingPlan,
  listener: TrainListener = {},
  signal?: AbortSignal,
): Promise<TrainResult> {
  const { optimizer, schedule } = config.training;
  let step = 0;
  let milliseconds = 0;
  let samples = 0;
  let lastStepLoss = Number.NaN;
  let last: EpochRecord | undefined;

  for (let epoch = 0; step < plan.steps && !signal?.aborted; epoch++) {
    const start = performance.now();
    const learningRate = learningRateAt(schedule, optimizer.learningRate, epoch);
    const losses = new Float64Array(Math.min(plan.stepsPerEpoch, plan.steps - step));
    listener.epochStarted?.(epoch + 1, losses.length);
    const result = await engine.train(losses, learningRate, {
      signal,
      progress: (now) => {
        const rate = (samples + now.samples) / ((milliseconds + now.milliseconds) / 1000);
        listener.progress?.(now.done, now.loss, rate);
      },
    });
    if (result.brokenLoss !== undefined) throw diverged(result.brokenLoss, epoch + 1, step + result.done + 1);
    const steps = {
      epoch: epoch + 1,
      firstStep: step + 1,
      learningRate,
      losses: losses.subarray(0, result.done),
    };
    step += result.done;
    milliseconds += result.milliseconds;
    samples += result.samples;
    lastStepLoss = steps.losses.at(-1) ?? lastStepLoss;
    last = {
      epoch: epoch + 1,
      step,
      ...(await engine.evaluate()),
      learningRate,
      seconds: (performance.now() - start) / 1000,
      steps,
    };
    await listener.epochDone?.(last);
  }

  const { train, validation } = last ?? (await engine.evaluate());
  const test = await engine.evaluateTest();
  return {
    status: step < plan.steps ? 'interrupted' : 'completed',
    epochs: last?.epoch ?? 0,
    steps: step,
    lastStepLoss,
    train,
    ...(validation && { validation }),
    ...(test && { test }),
    trainSeconds: milliseconds / 1000,
    samplesPerSecond: samples / (milliseconds / 1000),
  };
}

function diverged(loss: number, epoch: number, step: number): MlpError {
  return new MlpError(
    ExitCode.config,
    `training diverged: the loss became ${Number.isNaN(loss) ? 'NaN' : 'infinite'} in epoch ${epoch}, step ${step}`,
    'try a learning rate ten times smaller ("--set training.optimizer.learningRate=…"), and "data": { "standardize": true }',
  );
}
