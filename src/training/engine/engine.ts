/** What takes the steps of a run: a trainer in this thread (`LocalEngine`), or `team.ts`. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '../../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../errors.js';
import type { Evaluation } from '../../evaluation/metrics.js';
import { createKernels } from '../../kernels/create.js';
import type { FloatArray } from '../../kernels/kernels.js';
import { alone } from '../../kernels/share.js';
import { modelTensors } from '../../model/model.js';
import type { LayerStatistics } from '../../network/layerStatistics.js';
import type { Parameters, Statistics } from '../../network/parameters.js';
import { RandomState } from '../../random/randomState.js';
import type { Evaluations, Trainer, TrainerState } from '../step.js';
import { allocate, assembleIn, type RunMemory, type RunSetup, release } from './allocate.js';

export interface StepsDone {
  /** Steps taken: fewer than asked for if the signal was aborted or a loss was not finite. */
  readonly done: number;
  /** The first loss that was not finite. Its step was not taken. */
  readonly brokenLoss?: number;
  /** Set if the last step left a parameter that is not finite. */
  readonly brokenParameters?: true;
  readonly samples: number;
  readonly milliseconds: number;
  /** Of a run with several ranks: the time for their sums, and whether all are to stop for good. */
  readonly exchange?: { readonly milliseconds: number; readonly stops: boolean };
}

export interface StepProgress {
  readonly done: number;
  readonly loss: number;
  readonly samples: number;
  readonly milliseconds: number;
}

export interface StepOptions {
  readonly progress?: (progress: StepProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** An engine between two steps: one started from it does the same as this one. */
export interface EngineState {
  readonly trainer: TrainerState;
  /** By the names of `Trainer.tensors`. Views of the engine's memory, valid until its next call. */
  readonly tensors: ReadonlyMap<string, FloatArray>;
}

/** Parameters and statistics by their names in a model file. */
export type Weights = ReadonlyMap<string, FloatArray>;

export interface Engine {
  readonly run: RunSetup;
  /** The network's parameters and running statistics, to be read or written between calls. */
  readonly parameters: Parameters;
  readonly statistics: Statistics;
  /** Takes `losses.length` steps, each at its learning rate, and writes the loss of each. */
  train(losses: Float64Array, learningRates: Float64Array, options?: StepOptions): Promise<StepsDone>;
  /**
   * Evaluates the validation rows with the current parameters, and of the training rows all, or as
   * many as after each epoch (training.evaluateRows).
   */
  evaluate(allRows?: boolean): Promise<Evaluations>;
  /** Evaluates the test rows likewise; undefined if there are none. */
  evaluateTest(): Promise<Evaluation | undefined>;
  /** Of the gradients of the last step, and of what the layers make of some training rows. */
  layerStatistics(): LayerStatistics[];
  state(): Promise<EngineState>;
  /** Frees threads and memory. After it, nothing may be called but `close`, or read or written. */
  close(): Promise<void>;
}

/** The longest time between two turns of the event loop, so that signals are heard. */
const TURN_MILLISECONDS = 50;

export class LocalEngine implements Engine {
  readonly run: RunSetup;
  readonly parameters: Parameters;
  readonly statistics: Statistics;
  readonly #trainer: Trainer;
  readonly #place: RunMemory;

  private constructor(run: RunSetup, trainer: Trainer, place: RunMemory) {
    this.run = run;
    this.#place = place;
    this.#trainer = trainer;
    this.parameters = trainer.network.parameters;
    this.statistics = trainer.network.statistics;
  }

  /** @throws MlpError ExitCode.config if the run is too large, unavailable without its kernels */
  static start(
    setup: Omit<RunSetup, 'threads'>,
    dataset: Dataset,
    state?: EngineState,
    weights?: Weights,
  ): LocalEngine {
    const { config, plan, choice } = setup;
    const run = { config, plan, choice, threads: 1 };
    const { dtype } = config;
    const random = state ? RandomState.fromState(state.trainer.random) : new RandomState(config.seed);
    const place = allocate(run, dataset);
    try {
      const trainer = assembleIn(run, place, random, {
        kernelsIn: (memory, scratch) => createKernels(choice, dtype, memory, scratch, alone),
      });
      trainer.load(dataset);
      begin(trainer, state, weights);
      return new LocalEngine(run, trainer, place);
    } catch (error) {
      release(place);
      throw error;
    }
  }

  async train(
    losses: Float64Array,
    learningRates: Float64Array,
    options: StepOptions = {},
  ): Promise<StepsDone> {
    const { progress, signal } = options;
    const trainer = this.#trainer;
    let done = 0;
    let samples = 0;
    let milliseconds = 0;
    while (done < losses.length && !signal?.aborted) {
      const start = performance.now();
      let now = start;
      while (done < losses.length && now - start < TURN_MILLISECONDS) {
        const rows = trainer.nextBatchRows;
        const loss = trainer.trainStep(learningRates[done]);
        now = performance.now();
        if (!Number.isFinite(loss)) return { done, brokenLoss: loss, samples, milliseconds };
        losses[done++] = loss;
        samples += rows;
        if (!trainer.isFinite) return { done, brokenParameters: true, samples, milliseconds };
      }
      milliseconds += now - start;
      progress?.({ done, loss: losses[done - 1], samples, milliseconds });
      await nextTurn();
    }
    return { done, samples, milliseconds };
  }

  async evaluate(allRows = true): Promise<Evaluations> {
    return this.#trainer.evaluate(allRows);
  }

  async evaluateTest(): Promise<Evaluation | undefined> {
    return this.#trainer.evaluateTest();
  }

  layerStatistics(): LayerStatistics[] {
    return this.#trainer.layerStatistics();
  }

  async state(): Promise<EngineState> {
    return stateOf(this.#trainer, this.#trainer.state());
  }

  async close(): Promise<void> {
    release(this.#place);
  }
}

/**
 * Restores a state; without one, starts from the weights, or draws them.
 * @throws MlpError ExitCode.data if the state belongs to another network or optimiser
 */
export function begin(trainer: Trainer, state: EngineState | undefined, weights: Weights | undefined): void {
  if (state === undefined) {
    if (weights) startFrom(trainer, weights);
    else trainer.initialize();
    return;
  }
  trainer.restore(state.trainer);
  for (const [name, { data }] of trainer.tensors) {
    const found = state.tensors.get(name);
    if (found?.length !== data.length) {
      throw new MlpError(
        ExitCode.data,
        `checkpoint: ${name}: found ${found?.length ?? 'no'} numbers, expected ${data.length}`,
        'it belongs to another network or optimizer',
      );
    }
    data.set(found);
  }
}

/** Nothing is drawn, so the first batch is drawn by the seed alone. */
function startFrom({ network: { parameters, statistics } }: Trainer, weights: Weights): void {
  for (const { name, data } of modelTensors(parameters, statistics)) {
    const found = weights.get(name);
    if (found?.length !== data.length) throw new TypeError(`${name} is of another network`);
    data.set(found);
  }
}

export function stateOf({ tensors }: Trainer, trainer: TrainerState): EngineState {
  return { trainer, tensors: new Map([...tensors].map(([name, { data }]) => [name, data])) };
}
