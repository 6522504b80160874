/** The loop over steps and epochs: drives a trainer, tells a listener, lets the event loop breathe. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ExitCode, MlpError } from '../errors.js';
import type { Evaluation } from './metrics.js';
import type { TrainingPlan } from './plan.js';
import type { Trainer } from './trainer.js';

/** The steps of an epoch, for steps.csv: loss[i] is that of step firstStep + i, before its update. */
export interface StepRecord {
  readonly epoch: number;
  readonly firstStep: number;
  readonly learningRate: number;
  readonly losses: Float64Array;
}

export interface EpochRecord {
  /** Epochs and steps done, counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly train: Evaluation;
  readonly validation?: Evaluation;
  readonly learningRate: number;
  /** Wall time of the epoch, evaluation included. */
  readonly seconds: number;
  readonly steps: StepRecord;
}

export interface TrainListener {
  epochStarted?(epoch: number, steps: number): void;
  /** Now and then within an epoch; `done` steps of it, their last loss, samples a second since the run began. */
  progress?(done: number, loss: number, samplesPerSecond: number): void;
  epochDone?(record: EpochRecord): void | Promise<void>;
}

export interface TrainResult {
  readonly status: 'completed' | 'interrupted';
  readonly epochs: number;
  readonly steps: number;
  readonly lastStepLoss: number;
  readonly train: Evaluation;
  readonly validation?: Evaluation;
  /** Time of the steps alone. */
  readonly trainSeconds: number;
  readonly samplesPerSecond: number;
}

/** Between two turns of the event loop no more than this, so that signals are heard and the bar moves. */
const TURN_MILLISECONDS = 50;

/**
 * Trains to the plan's end, or to the step at which `signal` is aborted.
 * @throws MlpError (78) naming the epoch and step at which the loss is no longer finite
 */
export async function runTraining(
  trainer: Trainer,
  plan: TrainingPlan,
  listener: TrainListener = {},
  signal?: AbortSignal,
): Promise<TrainResult> {
  let milliseconds = 0;
  let samples = 0;
  let lastStepLoss = Number.NaN;
  let last: EpochRecord | undefined;

  while (trainer.step < plan.steps && !signal?.aborted) {
    const epochStart = performance.now();
    const firstStep = trainer.step + 1;
    const epoch = trainer.epoch + 1;
    const { learningRate } = trainer;
    const steps = Math.min(plan.stepsPerEpoch, plan.steps - trainer.step);
    const losses = new Float64Array(steps);
    listener.epochStarted?.(epoch, steps);

    let done = 0;
    while (done < steps && !signal?.aborted) {
      const turnStart = performance.now();
      let now = turnStart;
      while (done < steps && now - turnStart < TURN_MILLISECONDS) {
        samples += trainer.nextBatchRows;
        lastStepLoss = trainer.trainStep();
        if (!Number.isFinite(lastStepLoss)) throw diverged(lastStepLoss, epoch, firstStep + done);
        losses[done++] = lastStepLoss;
        now = performance.now();
      }
      milliseconds += now - turnStart;
      listener.progress?.(done, lastStepLoss, samples / (milliseconds / 1000));
      await nextTurn();
    }

    const validation = trainer.evaluateValidation();
    last = {
      epoch,
      step: trainer.step,
      train: trainer.evaluateTrain(),
      ...(validation && { validation }),
      learningRate,
      seconds: (performance.now() - epochStart) / 1000,
      steps: { epoch, firstStep, learningRate, losses: losses.subarray(0, done) },
    };
    await listener.epochDone?.(last);
  }

  const evaluation = last ?? { train: trainer.evaluateTrain(), validation: trainer.evaluateValidation() };
  return {
    status: trainer.step < plan.steps ? 'interrupted' : 'completed',
    epochs: last?.epoch ?? 0,
    steps: trainer.step,
    lastStepLoss,
    train: evaluation.train,
    ...(evaluation.validation && { validation: evaluation.validation }),
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
