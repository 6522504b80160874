/** Equal threads that take the same steps over one memory; the main thread commands and watches. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type { Dataset } from '../../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../errors.js';
import type { Evaluation } from '../../evaluation/metrics.js';
import { createKernels, type KernelsChoice } from '../../kernels/create.js';
import { alone } from '../../kernels/share.js';
import type { LayerStatistics } from '../../network/layerStatistics.js';
import { type Parameters, type Statistics, startsFromRows } from '../../network/parameters.js';
import { RandomState } from '../../random/randomState.js';
import { RanksDiffer } from '../mpi/exchange.js';
import type { Ranks } from '../mpi/ranks.js';
import type { SentError } from '../mpi/thread.js';
import type { ReaderSetup } from '../readAhead.js';
import type { Evaluations, Trainer } from '../step.js';
import { allocate, assembleIn, type RunMemory, type RunSetup, release } from './allocate.js';
import { stepOperations } from './backend.js';
import { Command, Control } from './control.js';
import {
  begin,
  type Engine,
  type EngineState,
  type StepOptions,
  type StepsDone,
  stateOf,
  type Weights,
} from './engine.js';
import { startThread, type ThreadOptions, type ThreadPool } from './threadPool.js';
import type { WorkerMessage, WorkerSetup } from './worker.js';

/** How often progress is reported while steps are taken. */
const PROGRESS_MILLISECONDS = 50;
const CLOSING_MILLISECONDS = 1000;

/** Instead of a rank. */
const READER = -1;

export interface TeamOptions extends ThreadOptions {
  /** Whether batches of rows in a file are read ahead; decided by the run if missing. */
  readonly readsAhead?: boolean;
  /** Where threads come from and go to; without it, they end with the team. */
  readonly pool?: ThreadPool | undefined;
  /** What a run without a state starts from, instead of drawing weights. */
  readonly weights?: Weights | undefined;
  /** The processes that take the steps together. */
  readonly ranks?: Ranks | undefined;
}

/** What the main thread waits for: that all threads are ready, or that a command is done. */
interface Pending {
  resolve(message: WorkerMessage): void;
  reject(error: unknown): void;
}

export class Team implements Engine {
  readonly run: RunSetup;
  readonly parameters: Parameters;
  readonly statistics: Statistics;
  readonly workers: Worker[] = [];
  /** A view of the run's memory, for what one thread computes: weights at the start, statistics of layers. */
  readonly #view: Trainer;
  readonly #control: Control;
  readonly #place: RunMemory;
  readonly #pool: ThreadPool | undefined;
  readonly #ranks: Ranks | undefined;
  #pending: Pending | undefined;
  /** Reads batches of rows that are in a file. */
  readonly #reader: Worker | undefined;
  #failure: MlpError | undefined;
  #closed = false;

  private constructor(
    run: RunSetup,
    view: Trainer,
    setup: Omit<WorkerSetup, 'rank' | 'control' | 'run' | 'isKept'>,
    { pool, ranks, ...thread }: Omit<TeamOptions, 'weights'>,
  ) {
    this.run = run;
    this.#view = view;
    this.#place = setup.place;
    const shared = pool?.serves(setup.place.memory) ? pool : undefined;
    this.#pool = shared;
    this.#ranks = ranks;
    this.parameters = view.network.parameters;
    this.statistics = view.network.statistics;
    this.#control = new Control(Math.min(run.plan.stepsPerEpoch, run.plan.steps));
    const { ahead } = view;
    if (ahead && setup.readsAhead) {
      const { plan, config } = run;
      const reading: ReaderSetup = {
        ...ahead.setup(setup.place.memory),
        batches: config.training.batches,
        rows: plan.rows.train,
        batchSize: plan.batchSize,
        blockRows: plan.blockRows,
        random: setup.state.random,
        state: setup.state.batches,
      };
      const reader = startThread(reading, thread);
      this.#reader = reader;
      reader.on('error', (error) => this.#fail(READER, error));
      reader.on('exit', () => this.#fail(READER, new Error('it ended before its work was done')));
    }
    for (let rank = 0; rank < run.threads; rank++) {
      const own = rank === 0 ? ranks : undefined;
      const isKept = (own ?? shared) !== undefined;
      const control = this.#control.buffer;
      const workerData: WorkerSetup = {
        ...setup,
        run,
        control,
        rank,
        isKept,
        ...(ranks && { ranks: ranks.place }),
      };
      try {
        const worker = own?.take(workerData) ?? pool?.take(workerData) ?? startThread(workerData, thread);
        this.workers.push(worker);
        worker.on('message', (message: WorkerMessage) => {
          if (message.type === 'failed') this.#fail(rank, errorFrom(message.error));
        });
        worker.on('error', (error) => this.#fail(rank, error));
        worker.on('exit', () => this.#fail(rank, new Error('it ended before its work was done')));
      } catch (error) {
        this.#fail(rank, error);
        return;
      }
    }
  }

  /** @throws MlpError ExitCode.config if the run is too large, unavailable or internal otherwise */
  static async start(
    run: RunSetup,
    dataset: Dataset,
    state?: EngineState,
    { weights, ...options }: TeamOptions = {},
  ): Promise<Team> {
    const { dtype, seed } = run.config;
    // What is fitted to rows is computed here: the number of threads can't change its bits.
    const isDrawn = state === undefined && weights === undefined;
    const isFitted = isDrawn && startsFromRows(run.plan.network, run.plan.inputs);
    const place = allocate(run, dataset);
    let team: Team;
    try {
      const view = assembleIn(run, place, new RandomState(seed), {
        kernelsIn: (memory, scratch) =>
          createKernels(isFitted ? run.choice : light(run.choice), dtype, memory, scratch, alone),
      });
      view.load(dataset);
      begin(view, state, weights);
      const crowded = run.threads > availableParallelism();
      const readsAhead = options.readsAhead ?? mayReadAhead(run);
      const setup = { place, crowded, readsAhead, state: state?.trainer ?? view.state() };
      team = new Team(run, view, setup, options);
    } catch (error) {
      release(place);
      throw error;
    }
    let waiting = run.threads;
    try {
      await new Promise<void>((resolve, reject) => {
        if (team.#failure) throw team.#failure;
        team.#pending = { resolve: () => --waiting === 0 && resolve(), reject };
        for (const worker of team.workers) worker.on('message', (message) => team.#pending?.resolve(message));
      });
    } catch (error) {
      await team.close();
      throw error;
    }
    team.#pending = undefined;
    return team;
  }

  /** @throws RangeError for more steps than an epoch or the whole run has */
  async train(
    losses: Float64Array,
    learningRates: Float64Array,
    options: StepOptions = {},
  ): Promise<StepsDone> {
    const { progress, signal } = options;
    const control = this.#control;
    const asked = this.#ranks?.asked;
    if (losses.length > control.losses.length) {
      throw new RangeError(`train: found ${losses.length} steps, expected at most ${control.losses.length}`);
    }
    const stop = () => control.requestStop();
    const stopForGood = () => control.requestStop(true);
    const start = performance.now();
    const timer = setInterval(() => {
      const { done } = control;
      if (done === 0) return;
      const milliseconds = performance.now() - start;
      progress?.({ done, loss: control.losses[done - 1], samples: control.samples, milliseconds });
    }, PROGRESS_MILLISECONDS);
    try {
      control.learningRates.set(learningRates.subarray(0, losses.length));
      const answer = this.#command(Command.train, losses.length);
      signal?.addEventListener('abort', stop, { once: true });
      if (signal?.aborted) stop();
      asked?.addEventListener('abort', stopForGood, { once: true });
      if (asked?.aborted) stopForGood();
      const message = await answer;
      if (message.type !== 'trained') throw new TypeError(`thread 0 answered ${message.type} to train`);
      losses.set(control.losses.subarray(0, message.steps.done));
      if (message.steps.exchange?.stops) this.#ranks?.stop();
      return message.steps;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', stop);
      asked?.removeEventListener('abort', stopForGood);
    }
  }

  async evaluate(allRows = true): Promise<Evaluations> {
    const message = await this.#command(allRows ? Command.evaluateAll : Command.evaluate);
    if (message.type !== 'evaluated') throw new TypeError(`thread 0 answered ${message.type} to evaluate`);
    return message.evaluations;
  }

  async evaluateTest(): Promise<Evaluation | undefined> {
    const message = await this.#command(Command.evaluateTest);
    if (message.type !== 'tested') throw new TypeError(`thread 0 answered ${message.type} to evaluateTest`);
    return message.evaluation;
  }

  layerStatistics(): LayerStatistics[] {
    return this.#view.layerStatistics();
  }

  async state(): Promise<EngineState> {
    const message = await this.#command(Command.state);
    if (message.type !== 'state') throw new TypeError(`thread 0 answered ${message.type} to state`);
    return stateOf(this.#view, message.state);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pending) {
      // In the middle of a command: not all threads would leave it at the same step.
      this.#control.fail();
      this.#pending.reject(new Error('the team was closed'));
    } else if (!this.#failure) {
      this.#control.give(Command.stop);
    }
    this.#view.ahead?.close();
    const reader = this.#reader ? [this.#reader] : [];
    const held = new Set([...this.workers, ...reader]);
    const ended = Promise.all(
      [...held].map(async (worker) => {
        await this.#released(worker, held);
        held.delete(worker);
      }),
    );
    const timer = setTimeout(() => this.#terminate(held), CLOSING_MILLISECONDS);
    await ended;
    clearTimeout(timer);
    release(this.#place);
  }

  /**
   * Resolves when a thread does nothing for this team any more: it has ended, or the pool has it.
   * @param held without those that are about to end
   */
  async #released(worker: Worker, held: Set<Worker>): Promise<void> {
    if (worker.threadId < 0) return;
    const isOfRanks = this.#ranks !== undefined && worker === this.workers[0];
    // It may be in a call of MPI that never returns.
    if (isOfRanks && this.#failure) return;
    const isFree = await new Promise<boolean>((resolve) => {
      worker.once('exit', () => resolve(false));
      worker.on('message', ({ type }: WorkerMessage) => type === 'free' && held.has(worker) && resolve(true));
    });
    if (isOfRanks) this.#ranks?.keep();
    else if (isFree) await this.#pool?.keep(worker);
  }

  async #command(command: Command, steps?: number): Promise<WorkerMessage> {
    if (this.#failure || this.#closed) throw this.#failure ?? new Error('the team is closed');
    try {
      return await new Promise((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#control.give(command, steps);
      });
    } finally {
      this.#pending = undefined;
    }
  }

  /** A thread has failed: frees those that wait for it, and ends the run. */
  #fail(rank: number, cause: unknown): void {
    if (this.#closed || this.#failure) return;
    if (cause instanceof RanksDiffer) {
      this.#end(cause);
      return;
    }
    // An error sent between threads keeps its properties, but not its class.
    const isOurs = cause instanceof Error && cause.name === 'MlpError' && 'exitCode' in cause;
    const failure = new MlpError(
      isOurs ? (cause.exitCode as ExitCode) : ExitCode.internal,
      `${rank === READER ? 'the thread that reads rows' : `thread ${rank + 1} of ${this.run.threads}`} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      `${otherWays(this.run)}--debug shows the stack`,
      { cause },
    );
    this.#end(failure);
  }

  #end(failure: MlpError): void {
    this.#failure = failure;
    this.#control.fail();
    this.#view.ahead?.close();
    this.#terminate();
    this.#pending?.reject(failure);
  }

  #terminate(threads = new Set(this.#reader ? [...this.workers, this.#reader] : this.workers)): void {
    const [first] = this.workers;
    for (const worker of threads) {
      if (this.#ranks && worker === first) continue;
      threads.delete(worker);
      void worker.terminate();
    }
  }
}

function errorFrom({ name, exitCode, message, hint }: SentError): MlpError {
  return new (name === RanksDiffer.name ? RanksDiffer : MlpError)(exitCode, message, hint);
}

/** What a run that failed may be tried again with: nothing that it already does. */
function otherWays({ threads, choice }: RunSetup): string {
  const ways = [
    ...(threads > 1 ? ['--threads 1'] : []),
    ...(choice.backend === 'blas' || choice.backend === 'native' ? ['--backend wasm'] : []),
  ];
  return ways.length === 0 ? '' : `the run can be tried again with ${ways.join(' or ')}; `;
}

/** From here on, a step takes so long that reading a batch is little beside it. */
const LONG_STEP = 2e8;

/**
 * Whether a thread of its own reads batches of rows in a file. Without a processor for it, it would hold
 * up short steps more than the team does that reads its own rows, each thread some.
 */
function mayReadAhead({ plan, threads }: RunSetup): boolean {
  return threads < availableParallelism() || stepOperations(plan) >= LONG_STEP;
}

/** For little work: loading a library takes longer. */
function light(choice: KernelsChoice): KernelsChoice {
  return choice.backend === 'reference' ? choice : { ...choice, backend: 'wasm' };
}
