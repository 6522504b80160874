/**
 * What takes the steps of a run: a trainer in this thread (`LocalEngine`), or a team of threads (`team.ts`).
 * The loop over epochs (`run.ts`) knows no more of it than this.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dataset } from '../data/dataset/dataset.js';
import { Arena } from '../kernels/arena.js';
import { createKernels } from '../kernels/create.js';
import { alone } from '../kernels/share.js';
import type { Parameters } from '../network/parameters.js';
import { RandomState } from '../random/randomState.js';
import { allocate, assemble, type RunSetup } from './assemble.js';
import type { Evaluation } from './metrics.js';
import type { Evaluations, Trainer } from './trainer.js';

/** What came of `train`. */
export interface StepsDone {
  /** Steps taken; fewer than asked for where the signal was aborted or a loss was not finite. */
  readonly done: number;
  /** The first loss that was not finite; its step was not taken. */
  readonly brokenLoss?: number;
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

export interface Engine {
  /** The name of the kernels. */
  readonly backend: string;
  readonly threads: number;
  /** The network's parameters, to be read between calls. */
  readonly parameters: Parameters;
  /** Takes `losses.length` steps at a learning rate, and writes the loss of each. */
  train(losses: Float64Array, learningRate: number, options?: TrainOptions): Promise<StepsDone>;
  /** Evaluates the training and the validation rows with the parameters as they are. */
  evaluate(): Promise<Evaluations>;
  /** Evaluates the test rows likewise; undefined where there are none. */
  evaluateTest(): Promise<Evaluation | undefined>;
  /** Frees threads; nothing may be called after it. May be called twice. */
  close(): Promise<void>;
}

/** Between two turns of the event loop no more than this, so that signals are heard and a bar moves. */
const TURN_MILLISECONDS = 50;

/** Trains in the calling thread. */
export class LocalEngine implements Engine {
  readonly threads = 1;
  readonly parameters: Parameters;

  private constructor(
    readonly backend: string,
    private readonly trainer: Trainer,
  ) {
    this.parameters = trainer.network.parameters;
  }

  /**
   * Allocates a run of one thread, writes its data into memory and draws the weights.
   * @throws MlpError 78 where the run is too large, 69 where its kernels are not there
   */
  static start({ config, plan, choice }: Omit<RunSetup, 'threads'>, dataset: Dataset): LocalEngine {
    const run = { config, plan, choice, threads: 1 };
    const memory = allocate(run, dataset);
    const arena = new Arena(config.dtype, memory);
    const trainer = assemble(run, new RandomState(config.seed), arena, (scratch) =>
      createKernels(choice, config.dtype, memory, scratch, alone),
    );
    trainer.load(dataset);
    return new LocalEngine(choice.backend, trainer);
  }

  async train(losses: Float64Array, learningRate: number, options: TrainOptions = {}): Promise<StepsDone> {
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
        const loss = trainer.trainStep(learningRate);
        now = performance.now();
        if (!Number.isFinite(loss)) return { done, brokenLoss: loss, samples, milliseconds };
        losses[done++] = loss;
        samples += rows;
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

  async close(): Promise<void> {}
}
