/**
 * The loop over epochs: drives an engine, tells a listener, saves checkpoints, and says why it ended.
 *
 * A checkpoint is taken between two steps: after an epoch with its metrics, or within one. What a run does after it depends on
 * nothing but the checkpoint, so that one that goes on from there ends in the same bits as if it had never stopped.
 */
import { ExitCode, MlpError } from '../errors.js';
import type { FloatArray } from '../kernels/kernels.js';
import type { TrainConfig } from '../spec/train.js';
import { Pace } from './checkpoint/pace.js';
import type { Engine, StepsDone } from './engine/engine.js';
import { Monitor, metricsOf } from './monitor.js';
import type { TrainingPlan } from './plan.js';
import type { Best, EpochRecord, RunProgress, RunState, TrainListener, TrainResult } from './records.js';
import { createSchedule } from './schedule.js';
import type { Evaluations } from './step.js';

export interface RunOptions {
  /** Aborted, the run ends after the step at hand. */
  readonly signal?: AbortSignal;
  /** Where to go on; the engine was started from its `engine`. */
  readonly from?: Pick<RunState, 'progress' | 'best'>;
  /** Keeps a state; what it holds must be read before it resolves. */
  readonly save?: (state: RunState) => Promise<void>;
}

/**
 * Trains to the plan's end, until a monitored metric no longer improves, or to the step at which the signal is aborted; then puts the
 * parameters to keep into the engine, and evaluates the test rows, for the first time.
 * @throws MlpError (78) naming the epoch and step at which a loss or a parameter is no longer finite
 */
export async function runTraining(
  engine: Engine,
  config: TrainConfig,
  plan: TrainingPlan,
  listener: TrainListener = {},
  options: RunOptions = {},
): Promise<TrainResult> {
  const run = new Run(engine, config, plan, listener, options);
  while (run.goesOn) await run.epoch();
  return run.end();
}

class Run {
  readonly #schedule;
  readonly #keep: Monitor | undefined;
  readonly #stopping: Monitor | undefined;
  readonly #patience: number;
  readonly #pace: Pace;
  /** Epochs with their metrics, and steps. */
  #epochs = 0;
  #steps = 0;
  #lastStepLoss: number | undefined;
  #samples = 0;
  #milliseconds = 0;
  #history: { train: number[]; validation: number[] } = { train: [], validation: [] };
  #best: Best | undefined;
  #last: EpochRecord | undefined;
  /** Wall time of the epoch at hand before it was begun here, and when that was. */
  #epochMilliseconds = 0;
  #epochStart = performance.now();
  #hasSaved = false;

  constructor(
    private readonly engine: Engine,
    config: TrainConfig,
    private readonly plan: TrainingPlan,
    private readonly listener: TrainListener,
    private readonly options: RunOptions,
  ) {
    const { schedule, optimizer, earlyStopping, checkpointSeconds } = config.training;
    this.#schedule = createSchedule(schedule, optimizer.learningRate, plan);
    this.#keep = plan.keep === null ? undefined : new Monitor(plan.keep);
    this.#stopping = earlyStopping && new Monitor(earlyStopping.monitor, earlyStopping.minDelta);
    this.#patience = earlyStopping?.patience ?? Number.POSITIVE_INFINITY;
    this.#pace = new Pace(checkpointSeconds);
    if (options.from) this.#restore(options.from.progress, options.from.best);
  }

  /** Whether there are steps to take, or steps taken whose epoch has no metrics yet. */
  get goesOn(): boolean {
    if (this.options.signal?.aborted || this.#isStopped) return false;
    return this.#steps < this.plan.steps || this.#steps > this.#epochs * this.plan.stepsPerEpoch;
  }

  get #isStopped(): boolean {
    return this.#stopping?.isOutOfPatience(this.#patience) ?? false;
  }

  /** Takes the steps of an epoch as far as the plan and the signal let it, and its metrics. */
  async epoch(): Promise<void> {
    const { plan, listener, options } = this;
    const { stepsPerEpoch } = plan;
    const first = this.#epochs * stepsPerEpoch;
    const end = Math.min(first + stepsPerEpoch, plan.steps);
    this.#epochStart = performance.now();
    listener.epochStarted?.(this.#epochs + 1, end - first, this.#steps - first);
    while (this.#steps < end && !options.signal?.aborted) {
      await this.#takeSteps(end);
      if (this.#steps < end && !options.signal?.aborted) await this.#save();
    }
    const isWhole = this.#steps === first + stepsPerEpoch;
    // Before the metrics: a run that goes on within this epoch has to take them at its end.
    if (!isWhole) await this.#save();
    await this.#evaluate();
    if (isWhole && (!this.goesOn || this.#pace.isDue)) await this.#save();
  }

  async end(): Promise<TrainResult> {
    const { engine } = this;
    // Aborted before the first step.
    if (!this.#hasSaved && this.options.signal?.aborted) await this.#save();
    const best = this.#keep?.bestEpoch ?? 0;
    const keptEpoch = this.#best ? best : this.#epochs;
    let last: Evaluations | undefined = this.#last;
    if (this.#best && best !== this.#last?.epoch) {
      engine.parameters.values.data.set(this.#best.parameters);
      engine.statistics.values.data.set(this.#best.statistics);
      last = undefined;
    }
    const { train, validation } = last ?? (await engine.evaluate());
    const test = await engine.evaluateTest();
    return {
      status: this.#status,
      epochs: this.#epochs,
      keptEpoch,
      steps: this.#steps,
      lastStepLoss: this.#lastStepLoss ?? Number.NaN,
      train,
      ...(validation && { validation }),
      ...(test && { test }),
      trainSeconds: this.#milliseconds / 1000,
      samplesPerSecond: this.#samples / (this.#milliseconds / 1000),
    };
  }

  /** The epoch of the last step, from 1. */
  get #epochOfStep(): number {
    return Math.ceil(this.#steps / this.plan.stepsPerEpoch);
  }

  get #status(): TrainResult['status'] {
    if (this.#steps >= this.plan.steps) return 'completed';
    return this.options.signal?.aborted ? 'interrupted' : 'early-stopped';
  }

  /** Steps up to `end`, to the next checkpoint, or to the signal. */
  async #takeSteps(end: number): Promise<void> {
    const { plan, engine, listener, options } = this;
    const epoch = this.#epochs;
    const firstStep = this.#steps;
    const learningRates = new Float64Array(end - firstStep);
    for (let i = 0; i < learningRates.length; i++) {
      learningRates[i] = this.#schedule.learningRate(firstStep + i, epoch);
    }
    const losses = new Float64Array(learningRates.length);
    const before = firstStep - epoch * plan.stepsPerEpoch;
    const pause = this.#pace.pause(options.signal);
    let result: StepsDone;
    try {
      result = await engine.train(losses, learningRates, {
        signal: options.save ? pause.signal : options.signal,
        progress: (now) => {
          const rate = (this.#samples + now.samples) / ((this.#milliseconds + now.milliseconds) / 1000);
          listener.progress?.(before + now.done, now.loss, rate);
        },
      });
    } finally {
      pause.cancel();
    }
    const { done } = result;
    this.#steps += done;
    this.#milliseconds += result.milliseconds;
    this.#samples += result.samples;
    if (done > 0) {
      this.#lastStepLoss = losses[done - 1];
      await listener.stepsDone?.({
        epoch: epoch + 1,
        firstStep: firstStep + 1,
        learningRates: learningRates.subarray(0, done),
        losses: losses.subarray(0, done),
      });
    }
    const fault = faultOf(result);
    if (fault) throw diverged(fault, epoch + 1, result.brokenParameters ? this.#steps : this.#steps + 1);
  }

  async #evaluate(): Promise<void> {
    const { engine, listener } = this;
    const evaluations = await engine.evaluate();
    const epoch = this.#epochs + 1;
    const record: EpochRecord = {
      ...evaluations,
      epoch,
      step: this.#steps,
      learningRate: this.#schedule.learningRate(this.#steps - 1, epoch - 1),
      seconds: (this.#epochMilliseconds + performance.now() - this.#epochStart) / 1000,
    };
    this.#last = record;
    this.#epochs = epoch;
    this.#epochMilliseconds = 0;
    this.#epochStart = performance.now();
    const metrics = metricsOf(record);
    this.#schedule.epochDone(metrics);
    this.#stopping?.observe(epoch, metrics);
    if (this.#keep?.observe(epoch, metrics)) {
      const { parameters, statistics } = engine;
      this.#best = { parameters: parameters.values.data.slice(), statistics: statistics.values.data.slice() };
    }
    this.#history.train.push(record.train.metrics.loss);
    if (record.validation) this.#history.validation.push(record.validation.metrics.loss);
    await listener.epochDone?.(record);
  }

  async #save(): Promise<void> {
    const { save } = this.options;
    if (!save) return;
    await this.#pace.spend(async () => {
      const engine = await this.engine.state();
      for (const [name, tensor] of engine.tensors) {
        if (!allFinite(tensor))
          throw diverged(`${name} became infinite or NaN`, this.#epochOfStep, this.#steps);
      }
      await save({ progress: this.#progress(), engine, ...(this.#best && { best: this.#best }) });
    });
    this.#hasSaved = true;
  }

  #progress(): RunProgress {
    const isWithinEpoch = this.#steps > this.#epochs * this.plan.stepsPerEpoch;
    return {
      epochs: this.#epochs,
      steps: this.#steps,
      ...(this.#lastStepLoss !== undefined && { lastStepLoss: this.#lastStepLoss }),
      samples: this.#samples,
      milliseconds: this.#milliseconds,
      epochMilliseconds: isWithinEpoch ? this.#epochMilliseconds + performance.now() - this.#epochStart : 0,
      schedule: this.#schedule.state(),
      ...(this.#keep && { keep: this.#keep.state() }),
      ...(this.#stopping && { earlyStopping: this.#stopping.state() }),
      history: this.#history,
    };
  }

  #restore(progress: RunProgress, best: Best | undefined): void {
    this.#epochs = progress.epochs;
    this.#steps = progress.steps;
    this.#lastStepLoss = progress.lastStepLoss;
    this.#samples = progress.samples;
    this.#milliseconds = progress.milliseconds;
    this.#epochMilliseconds = progress.epochMilliseconds;
    this.#schedule.restore(progress.schedule);
    if (progress.keep) this.#keep?.restore(progress.keep);
    if (progress.earlyStopping) this.#stopping?.restore(progress.earlyStopping);
    this.#history = { train: [...progress.history.train], validation: [...progress.history.validation] };
    this.#best = best;
  }
}

/** Whether all numbers are finite: 0·x is 0 for those alone. */
function allFinite(numbers: FloatArray): boolean {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += 0 * numbers[i];
  return sum === 0;
}

function faultOf({ brokenLoss, brokenParameters }: StepsDone): string | undefined {
  if (brokenLoss !== undefined) return `the loss became ${Number.isNaN(brokenLoss) ? 'NaN' : 'infinite'}`;
  return brokenParameters ? 'a parameter became infinite or NaN' : undefined;
}

function diverged(fault: string, epoch: number, step: number): MlpError {
  return new MlpError(
    ExitCode.config,
    `training diverged: ${fault} in epoch ${epoch}, step ${step}`,
    'try a learning rate ten times smaller ("--set training.optimizer.learningRate=…"), "--set training.clipNorm=1", ' +
      'and "data": { "standardize": true }',
  );
}
