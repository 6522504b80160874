/**
 * What takes the steps of a run: a trainer in this thread (`LocalEngine`), or a team of threads (`team.ts`).
 * The loop over epochs (`run.ts`) knows no more of it than this.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '../../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../errors.js';
import { Arena } from '../../kernels/arena.js';
import { createKernels } from '../../kernels/create.js';
import type { FloatArray } from '../../kernels/kernels.js';
import { alone } from '../../kernels/share.js';
import type { Parameters, Statistics } from '../../network/parameters.js';
import { RandomState } from '../../random/randomState.js';
import type { Evaluation } from '../metrics.js';
import type { Evaluations, Trainer, TrainerState } from '../step.js';
import { allocate, assemble, type RunSetup } from './allocate.js';

/** What came of `train`. */
export interface StepsDone {
  /** Steps taken; fewer than asked for where the signal was aborted or a loss was not finite. */
  readonly done: number;
  /** The first loss that was not finite; its step was not taken. */
  readonly brokenLoss?: number;
  /** Whether the last step left a parameter that is not finite. */
  readonly brokenParameters?: true;
  readonly samples: number;
  readonly milliseconds: number;
}

/** What is known while steps are taken. */
export interface StepProgress {
  readonly done: number;
  /** Of the last step. */
  readonly loss: number;
  readonly samples: number;
  readonly milliseconds: number;
}

export interface TrainOptions {
  /** Called a few times a second. */
  readonly progress?: (progress: StepProgress) => void;
  /** Aborted, the step at hand is finished, and no other begun. */
  readonly signal?: AbortSignal | undefined;
}

/** Where an engine is between two steps: with it another one goes on as this one would have. */
export interface EngineState {
  readonly trainer: TrainerState;
  /** By the names of `Trainer.tensors`. An engine's own are views of its memory: to be read before its next call. */
  readonly tensors: ReadonlyMap<string, FloatArray>;
}

export interface Engine {
  /** The name of the kernels. */
  readonly backend: string;
  readonly threads: number;
  /** The network's parameters and running statistics, to be read, or written, between calls. */
  readonly parameters: Parameters;
  readonly statistics: Statistics;
  /** Takes `losses.length` steps, each at its learning rate, and writes the loss of each. */
  train(losses: Float64Array, learningRates: Float64Array, options?: TrainOptions): Promise<StepsDone>;
  /** Evaluates the training and the validation rows with the parameters as they are. */
  evaluate(): Promise<Evaluations>;
  /** Evaluates the test rows likewise; undefined where there are none. */
  evaluateTest(): Promise<Evaluation | undefined>;
  state(): Promise<EngineState>;
  /** Frees threads; nothing may be called after it. May be called twice. */
  close(): Promise<void>;
}

/** Between two turns of the event loop no more than this, so that signals are heard and a bar moves. */
const TURN_MILLISECONDS = 50;

/** Trains in the calling thread. */
export class LocalEngine implements Engine {
  readonly threads = 1;
  readonly parameters: Parameters;
  readonly statistics: Statistics;

  private constructor(
    readonly backend: string,
    private readonly trainer: Trainer,
  ) {
    this.parameters = trainer.network.parameters;
    this.statistics = trainer.network.statistics;
  }

  /**
   * Allocates a run of one thread, writes its data into memory, and draws the weights or takes them from a state.
   * @throws MlpError 78 where the run is too large, 69 where its kernels are not there
   */
  static start(
    { config, plan, choice }: Omit<RunSetup, 'threads'>,
    dataset: Dataset,
    state?: EngineState,
  ): LocalEngine {
    const run = { config, plan, choice, threads: 1 };
    const memory = allocate(run, dataset);
    const arena = new Arena(config.dtype, memory);
    const random = state ? RandomState.fromState(state.trainer.random) : new RandomState(config.seed);
    const trainer = assemble(run, random, arena, (scratch) =>
      createKernels(choice, config.dtype, memory, scratch, alone),
    );
    trainer.load(dataset);
    begin(trainer, state);
    return new LocalEngine(choice.backend, trainer);
  }

  async train(
    losses: Float64Array,
    learningRates: Float64Array,
    options: TrainOptions = {},
  ): Promise<StepsDone> {
    const { progress, signal } = options;
    const { trainer } = this;
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

  async evaluate(): Promise<Evaluations> {
    return this.trainer.evaluate();
  }

  async evaluateTest(): Promise<Evaluation | undefined> {
    return this.trainer.evaluateTest();
  }

  async state(): Promise<EngineState> {
    return stateOf(this.trainer, this.trainer.state());
  }

  async close(): Promise<void> {}
}

/**
 * Draws the parameters of a run, or puts a state's tensors in their places.
 * @throws MlpError 65 where the state is another network's or optimiser's
 */
export function begin(trainer: Trainer, state: EngineState | undefined): void {
  if (state === undefined) {
    trainer.initialize();
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

/** The tensors of a trainer beside what it knows. */
export function stateOf({ tensors }: Trainer, trainer: TrainerState): EngineState {
  return { trainer, tensors: new Map([...tensors].map(([name, { data }]) => [name, data])) };
}
