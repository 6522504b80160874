/**
 * The loop over epochs: drives an engine, tells a listener, saves checkpoints between steps. All
 * that follows depends on a checkpoint alone: a resumed run ends in the same bits.
 */
import { ExitCode, MlpError } from '../errors.js';
import type { Evaluation } from '../evaluation/metrics.js';
import type { FloatArray } from '../kernels/kernels.js';
import type { LayerStatistics } from '../network/layerStatistics.js';
import { allFinite, diverged, faultOf } from './divergence.js';
import type { Engine, EngineState, StepsDone } from './engine/engine.js';
import { Monitor, type MonitorState, metricsOf } from './monitor.js';
import type { TrainingPlan } from './plan.js';
import { createSchedule } from './schedules.js';
import type { Evaluations } from './step.js';
import { createStopping, type Stopping } from './stopping.js';

/** losses[i] is that of step firstStep + i, regularised, before its update at learningRates[i]. */
export interface StepRecord {
  readonly epoch: number;
  readonly firstStep: number;
  readonly learningRates: Float64Array;
  readonly losses: Float64Array;
}

export interface EpochRecord extends Evaluations {
  /** Epochs and steps done, counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
  /** Wall time of the epoch, evaluation included. */
  readonly seconds: number;
}

export interface TrainListener {
  /** @param done steps of the epoch taken before: above 0 where a run resumes within an epoch */
  epochStarted?(epoch: number, steps: number, done: number): void;
  /** A few times a second: steps of the epoch done, the last loss, samples per second so far. */
  progress?(done: number, loss: number, samplesPerSecond: number): void;
  /** After the first steps of a run with several ranks: the time of their sums, and of the steps with them. */
  exchanged?(milliseconds: number, ofMilliseconds: number, steps: number): void;
  /** After the steps of an epoch, or of a part of it. */
  stepsDone?(record: StepRecord): void | Promise<void>;
  epochDone?(record: EpochRecord): void | Promise<void>;
  /** Before `epochDone`, of some epochs (`isObserved`). */
  layersObserved?(epoch: number, layers: readonly LayerStatistics[]): void | Promise<void>;
}

/** Epochs without a gap that have statistics of layers; of so many later ones twice as few, and so on. */
const OBSERVED_EPOCHS = 128;

/** Whether an epoch, from 1, has statistics of layers: some hundreds do, however many there are. */
export function isObserved(epoch: number): boolean {
  const gap = 2 ** Math.max(0, Math.ceil(Math.log2(epoch / OBSERVED_EPOCHS)));
  return epoch % gap === 0;
}

export interface TrainResult extends Evaluations {
  /** Metrics of the parameters that are kept. Missing without test rows. */
  readonly test?: Evaluation;
  readonly status: 'completed' | 'early-stopped' | 'interrupted';
  readonly epochs: number;
  /** The epoch whose parameters are kept; 0 for the initial ones. */
  readonly keptEpoch: number;
  readonly steps: number;
  readonly lastStepLoss: number;
  /** Time of the steps alone. */
  readonly trainSeconds: number;
  readonly samplesPerSecond: number;
  /** Of a run with a refit that is done. All but `test` is of the first training. */
  readonly refit?: RefitResult;
}

/** The second training of a run, on training and validation rows. */
export interface RefitResult
  extends Pick<TrainResult, 'epochs' | 'steps' | 'lastStepLoss' | 'trainSeconds' | 'samplesPerSecond'> {
  readonly rows: number;
  /** Metrics of all its rows. */
  readonly train: Evaluation;
}

/** What a run knows besides its engine. Plain data; only the history may hold NaN or infinities. */
export interface RunProgress {
  /** Epochs that have their metrics. */
  readonly epochs: number;
  readonly steps: number;
  /** Missing before the first step. */
  readonly lastStepLoss?: number;
  readonly samples: number;
  readonly milliseconds: number;
  readonly epochMilliseconds: number;
  readonly schedule: unknown;
  readonly keep?: MonitorState;
  readonly earlyStopping?: unknown;
  readonly history: { readonly train: readonly number[]; readonly validation: readonly number[] };
}

export interface RunState {
  readonly progress: RunProgress;
  readonly engine: EngineState;
  /** Parameters and running statistics of the best epoch so far. */
  readonly best?: { readonly parameters: FloatArray; readonly statistics: FloatArray };
}

export interface RunOptions {
  /** When aborted, the run ends after the current step. */
  readonly signal?: AbortSignal | undefined;
  /** The state to resume; the engine was started from its `engine`. */
  readonly from?: Pick<RunState, 'progress' | 'best'> | undefined;
  /** The run ends after so many epochs, though its schedules go on; all of the plan by default. */
  readonly stopAfter?: number | undefined;
  /** The run is interrupted after so many epochs, if it has more: test rows are not evaluated. */
  readonly pauseAfter?: number | undefined;
  /** Saves a state, which must be read before the promise resolves. */
  readonly save?: ((state: RunState) => Promise<void>) | undefined;
}

/**
 * Trains to the end of the plan, until a monitored metric stops improving, or until the signal.
 * Then puts the parameters to keep into the engine, and evaluates the test rows for the first time.
 * @throws MlpError ExitCode.config with epoch and step if a loss or a parameter is not finite
 */
export async function runTraining(
  engine: Engine,
  listener: TrainListener = {},
  options: RunOptions = {},
): Promise<TrainResult> {
  const run = new Run(engine, listener, options);
  while (run.hasMore) await run.epoch();
  return run.end();
}

class Run {
  readonly #engine: Engine;
  readonly #plan: TrainingPlan;
  readonly #listener: TrainListener;
  readonly #options: RunOptions;
  readonly #schedule;
  readonly #keep: Monitor | undefined;
  readonly #stopping: Stopping | undefined;
  /** The step after which the run has ended, and the one after which it pauses. */
  readonly #lastStep: number;
  readonly #pauseStep: number;
  readonly #timer: CheckpointTimer;
  /** Epochs with their metrics, and steps. */
  #epochs = 0;
  #steps = 0;
  #lastStepLoss: number | undefined;
  #samples = 0;
  #milliseconds = 0;
  #history: { train: number[]; validation: number[] } = { train: [], validation: [] };
  #best: RunState['best'];
  #last: EpochRecord | undefined;
  /** Wall time of the current epoch before it was resumed, and when this process started it. */
  #epochMilliseconds = 0;
  #epochStart = performance.now();
  #hasSaved = false;
  #isExchangeTold = false;

  constructor(engine: Engine, listener: TrainListener, options: RunOptions) {
    const { config, plan } = engine.run;
    this.#engine = engine;
    this.#plan = plan;
    this.#listener = listener;
    this.#options = options;
    const { schedule, optimizer, earlyStopping, keepTies, checkpointSeconds } = config.training;
    this.#schedule = createSchedule(schedule, optimizer.learningRate, plan);
    this.#keep = plan.keep === null ? undefined : new Monitor(plan.keep, 0, keepTies);
    this.#stopping = earlyStopping && createStopping(earlyStopping, schedule, plan);
    this.#timer = new CheckpointTimer(checkpointSeconds);
    const { stopAfter = Number.POSITIVE_INFINITY, pauseAfter = Number.POSITIVE_INFINITY } = options;
    this.#lastStep = Math.min(plan.steps, stopAfter * plan.stepsPerEpoch);
    this.#pauseStep = Math.min(this.#lastStep, pauseAfter * plan.stepsPerEpoch);
    if (options.from) this.#restore(options.from.progress, options.from.best);
  }

  /** Whether there are steps to take, or the steps of an epoch still lack its metrics. */
  get hasMore(): boolean {
    if (this.#options.signal?.aborted || this.#isStopped) return false;
    return this.#steps < this.#pauseStep || this.#steps > this.#epochs * this.#plan.stepsPerEpoch;
  }

  get #isStopped(): boolean {
    return this.#stopping?.isOver ?? false;
  }

  /** Takes the steps of an epoch, as far as the plan and the signal allow, then its metrics. */
  async epoch(): Promise<void> {
    const { signal } = this.#options;
    const { stepsPerEpoch } = this.#plan;
    const first = this.#epochs * stepsPerEpoch;
    const end = Math.min(first + stepsPerEpoch, this.#pauseStep);
    this.#epochStart = performance.now();
    this.#listener.epochStarted?.(this.#epochs + 1, end - first, this.#steps - first);
    while (this.#steps < end && !signal?.aborted) {
      await this.#takeSteps(end);
      if (this.#steps < end && !signal?.aborted) await this.#save();
    }
    const isWhole = this.#steps === first + stepsPerEpoch;
    // Before the metrics: a run resumed within this epoch takes them at its end.
    if (!isWhole) await this.#save();
    await this.#evaluate();
    if (isWhole && (!this.hasMore || this.#timer.isDue)) await this.#save();
  }

  /** Puts the parameters to keep into the engine, and returns what became of the run. */
  async end(): Promise<TrainResult> {
    const engine = this.#engine;
    // Aborted before the first step.
    if (!this.#hasSaved && this.#options.signal?.aborted) await this.#save();
    const best = this.#keep?.bestEpoch ?? 0;
    const keptEpoch = this.#best ? best : this.#epochs;
    const { evaluateRows = Number.POSITIVE_INFINITY } = engine.run.config.training;
    let last: Evaluations | undefined = evaluateRows < this.#plan.rows.train ? undefined : this.#last;
    if (this.#best && best !== this.#last?.epoch) {
      engine.parameters.values.data.set(this.#best.parameters);
      engine.statistics.values.data.set(this.#best.statistics);
      last = undefined;
    }
    const { train, validation } = last ?? (await engine.evaluate(true));
    // A model that knows nothing must not replace a good one.
    if (Number.isNaN(train.metrics.loss)) {
      throw diverged('the loss of all training rows became NaN', keptEpoch, this.#steps);
    }
    const isPaused = this.#status === 'interrupted' && !this.#options.signal?.aborted;
    const test = isPaused ? undefined : await engine.evaluateTest();
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

  get #epochOfStep(): number {
    return Math.ceil(this.#steps / this.#plan.stepsPerEpoch);
  }

  get #status(): TrainResult['status'] {
    if (this.#steps >= this.#lastStep) return 'completed';
    return this.#options.signal?.aborted || !this.#isStopped ? 'interrupted' : 'early-stopped';
  }

  /** Takes steps up to `end`, to the next checkpoint, or to the signal. */
  async #takeSteps(end: number): Promise<void> {
    const { signal, save } = this.#options;
    const epoch = this.#epochs;
    const firstStep = this.#steps;
    const learningRates = new Float64Array(end - firstStep);
    for (let i = 0; i < learningRates.length; i++) {
      learningRates[i] = this.#schedule.learningRate(firstStep + i, epoch);
    }
    const losses = new Float64Array(learningRates.length);
    const before = firstStep - epoch * this.#plan.stepsPerEpoch;
    const pause = this.#timer.pause(signal);
    let result: StepsDone;
    try {
      result = await this.#engine.train(losses, learningRates, {
        signal: save ? pause.signal : signal,
        progress: (now) => {
          const rate = (this.#samples + now.samples) / ((this.#milliseconds + now.milliseconds) / 1000);
          this.#listener.progress?.(before + now.done, now.loss, rate);
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
      await this.#listener.stepsDone?.({
        epoch: epoch + 1,
        firstStep: firstStep + 1,
        learningRates: learningRates.subarray(0, done),
        losses: losses.subarray(0, done),
      });
    }
    if (result.exchange && done > 0 && !this.#isExchangeTold) {
      this.#isExchangeTold = true;
      this.#listener.exchanged?.(result.exchange.milliseconds, result.milliseconds, done);
    }
    const fault = faultOf(result);
    if (fault) throw diverged(fault, epoch + 1, result.brokenParameters ? this.#steps : this.#steps + 1);
  }

  async #evaluate(): Promise<void> {
    const evaluations = await this.#engine.evaluate(false);
    const epoch = this.#epochs + 1;
    if (this.#listener.layersObserved && isObserved(epoch)) {
      await this.#listener.layersObserved(epoch, this.#engine.layerStatistics());
    }
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
      const { parameters, statistics } = this.#engine;
      this.#best ??= {
        parameters: parameters.values.data.slice(),
        statistics: statistics.values.data.slice(),
      };
      this.#best.parameters.set(parameters.values.data);
      this.#best.statistics.set(statistics.values.data);
    }
    this.#history.train.push(record.train.metrics.loss);
    if (record.validation) this.#history.validation.push(record.validation.metrics.loss);
    await this.#listener.epochDone?.(record);
  }

  async #save(): Promise<void> {
    const { save } = this.#options;
    if (!save) return;
    await this.#timer.spend(async () => {
      const engine = await this.#engine.state();
      for (const [name, tensor] of engine.tensors) {
        if (!allFinite(tensor))
          throw diverged(`${name} became infinite or NaN`, this.#epochOfStep, this.#steps);
      }
      await save({ progress: this.#progress(), engine, ...(this.#best && { best: this.#best }) });
    });
    this.#hasSaved = true;
  }

  #progress(): RunProgress {
    const isWithinEpoch = this.#steps > this.#epochs * this.#plan.stepsPerEpoch;
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

  #restore(progress: RunProgress, best: RunState['best']): void {
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
    const { parameters, statistics } = this.#engine;
    const isBest =
      best === undefined ||
      (best.parameters.length === parameters.values.data.length &&
        best.statistics.length === statistics.values.data.length);
    if (!isBest) {
      throw new MlpError(
        ExitCode.data,
        `checkpoint: best: found ${best.parameters.length} parameters and ${best.statistics.length} statistics, ` +
          `expected ${parameters.values.data.length} and ${statistics.values.data.length}`,
        'it belongs to another network',
      );
    }
    this.#best = best;
  }
}

/** The largest share of a run's time that checkpoints may take. */
const MOST_OF_TIME = 0.05;

/**
 * When a checkpoint is due: after the first epoch and every other, unless that takes more than a
 * twentieth of the time; within an epoch after so many seconds without one.
 */
export class CheckpointTimer {
  readonly #milliseconds: number;
  /** When the last checkpoint was written, and how long that took. The first is due at once. */
  #last = performance.now();
  #cost = 0;

  /** @param seconds the longest time without a checkpoint within an epoch */
  constructor(seconds: number) {
    this.#milliseconds = seconds * 1000;
  }

  get isDue(): boolean {
    return (performance.now() - this.#last) * MOST_OF_TIME >= this.#cost;
  }

  /** A signal that is aborted when a checkpoint is due, or with the given one, until cancelled. */
  pause(signal?: AbortSignal): { readonly signal: AbortSignal; cancel(): void } {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const left = this.#milliseconds - (performance.now() - this.#last);
    // setTimeout takes at most 2³¹ − 1 milliseconds, some 25 days.
    const timer = setTimeout(abort, Math.min(Math.max(left, 0), 2 ** 31 - 1));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const cancel = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, cancel };
  }

  /** Writes a checkpoint, and measures how long it takes. */
  async spend(write: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await write();
    this.#last = performance.now();
    this.#cost = this.#last - start;
  }
}
