/**
 * Predicts rows on several threads. The calling thread reads and encodes rows, and writes what they
 * predict; the others pass them through the network, and it helps them when all have enough to do.
 * Every thread does the same with as many rows at once, and results are handed out in the order of
 * the rows, so nothing depends on the number of threads but the time.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FeatureRows } from '../../data/featureMatrix.js';
import { type FoldRange, foldRanges } from '../../network/memberFolds.js';
import { networksOf } from '../../spec/widths.js';
import type { Ensemble } from '../ensemble.js';
import { EnsembleInference } from '../ensembleInference.js';
import {
  Inference,
  type Logits,
  type NetworkInputs,
  type Predicted,
  type Predictor,
  RemoteInference,
  type Thresholds,
} from '../inference.js';
import type { Model } from '../load.js';
import { PassThread } from './passThread.js';
import { BUFFERS, capacityOf, costOfRow, openNetwork, PASS_BYTES } from './sharedNetwork.js';

/** A number is kept to from the start; `auto` begins with one thread, and adds others while there is much to do. */
export type ThreadCount = number | 'auto';

export interface PoolOptions {
  /** 1 if left out. */
  readonly threads?: ThreadCount | undefined;
  /** How many rows are passed at once; see `SharedNetwork.create`. */
  readonly capacity?: number;
}

/**
 * In multiply-adds, from 30 to 140 ms: `auto` adds a thread, which takes 50 ms to start, after as much
 * work each time. How much is left is unknown while a file is read.
 */
const WORK_PER_THREAD = 2e9;
/** In multiply-adds, from 0.1 to 0.5 ms: a pass of less work takes no longer than giving it to a thread. */
const LEAST_PASS = 8e6;
/** The longest time in milliseconds in which neither signals nor other runs are answered. */
const MOST_BUSY = 20;

/** What passes some rows at a time, in the calling thread or another. */
interface Lane {
  readonly predictor: Predictor;
  /** Another thread. */
  readonly thread?: PassThread;
  /** Whether rows are passed or not yet used. */
  busy: boolean;
}

/** Rows that are in the inputs of a predictor. */
export interface FilledRows {
  /** None takes no pass. */
  readonly rows: number;
  /** As of `Predictor.forward`. */
  readonly members?: readonly number[] | undefined;
}

export type PassedRows<Filled extends FilledRows> = Filled & {
  /** [rows, outputs] */
  readonly logits: Logits;
  /** What has passed them. They may be changed and passed again. */
  readonly predictor: Predictor;
};

/** Rows whose pass has begun. */
interface Begun<Filled> {
  readonly filled: Filled;
  readonly lane: Lane;
  readonly logits: Promise<Logits> | Logits;
  isDone: boolean;
}

const NO_LOGITS: Logits = { data: new Float32Array() };

/** As `Predicted`, what it predicts is about the rows that it has handed out last. */
export class PredictorPool implements Predicted {
  readonly capacity: number;
  readonly outputs: number;
  readonly width: number;
  /** This one included. */
  readonly wantedThreads: number;
  /** Those that are wanted, as far as memory goes, and passes are worth it. */
  readonly mostThreads: number;
  readonly #models: readonly Model[];
  readonly #predictorOf: (members: readonly (Inference | RemoteInference)[]) => Predictor;
  /** In this thread, one for each model. */
  readonly #inferences: readonly Inference[];
  readonly #lanes: Lane[];
  readonly #threads: PassThread[] = [];
  readonly #isAuto: boolean;
  /** Of a pass, in multiply-adds. */
  readonly #passCost: number;
  #work = 0;
  #current: Predictor;
  #answered = performance.now();

  private constructor(model: Model | Ensemble, { threads = 1, capacity }: PoolOptions) {
    this.#models = 'members' in model ? model.members.map((member) => member.model) : [model];
    const { length } = this.#models;
    const rows = capacity ?? Math.min(...this.#models.map((one) => capacityOf(one, length)));
    this.#inferences = this.#models.map((one) => Inference.create(one, rows));
    this.#predictorOf = (members) =>
      'members' in model ? new EnsembleInference(model, members) : members[0];
    const predictor = this.#predictorOf(this.#inferences);
    this.#current = predictor;
    this.#lanes = [{ predictor, busy: false }];
    this.capacity = predictor.capacity;
    this.outputs = predictor.outputs;
    this.width = predictor.width;
    this.#passCost = rows * this.#models.reduce((sum, one) => sum + costOfRow(one), 0);
    this.#isAuto = threads === 'auto';
    const wanted = threads === 'auto' ? availableParallelism() : threads;
    const isWorth = !this.#isAuto || this.#passCost >= LEAST_PASS;
    this.wantedThreads = wanted;
    this.mostThreads = isWorth && wanted > 1 ? Math.min(wanted, this.#fittingThreads()) : 1;
    if (!this.#isAuto) while (this.#threads.length + 1 < this.mostThreads) this.#addThread();
  }

  /**
   * @throws MlpError ExitCode.data if the model, or the members of the ensemble, are larger than memory
   */
  static create(model: Model | Ensemble, options: PoolOptions = {}): PredictorPool {
    return new PredictorPool(model, options);
  }

  /** Closes the pool after `use`. */
  static async use<Result>(
    model: Model | Ensemble,
    options: PoolOptions,
    use: (pool: PredictorPool) => Promise<Result>,
  ): Promise<Result> {
    const pool = PredictorPool.create(model, options);
    try {
      return await use(pool);
    } finally {
      await pool.close();
    }
  }

  /** How many threads take rows by now. */
  get threads(): number {
    return 1 + this.#threads.filter(({ isReady }) => isReady).length;
  }

  /** The inputs of the rows that were handed out last. */
  get parts(): readonly NetworkInputs[] {
    return this.#current.parts;
  }

  predictions(rows: number): Float64Array {
    return this.#current.predictions(rows);
  }

  labels(rows: number, thresholds?: Thresholds): Int32Array {
    return this.#current.labels(rows, thresholds);
  }

  /**
   * Passes the rows of each item, and hands them out in order. While they are passed, the next items
   * are read. An error of an item comes after the items before it.
   * @param fill writes an item to the inputs of a predictor
   */
  async *inOrder<Item, Filled extends FilledRows>(
    items: AsyncIterable<Item> | Iterable<Item>,
    fill: (item: Item, predictor: Predictor) => Filled,
  ): AsyncGenerator<PassedRows<Filled>, void, undefined> {
    const begun: Begun<Filled>[] = [];
    let failure: { readonly error: unknown } | undefined;
    try {
      for await (const next of this.#begin(items, fill)) {
        if ('error' in next) failure = next;
        else begun.push(next);
        await this.#answer();
        while (begun.length > 0 && (failure || begun[0].isDone || !this.#freeLane())) {
          yield* this.#handOut(begun);
        }
      }
      while (begun.length > 0) yield* this.#handOut(begun);
    } finally {
      await Promise.allSettled(begun.map(({ logits }) => logits));
      for (const { lane } of begun) lane.busy = false;
    }
    if (failure) throw failure.error;
  }

  /**
   * Passes encoded rows of a single model, each chunk described by its first row and its rows.
   * @param folds of the rows, if only members that are trained without a row shall predict it
   */
  async *passes(
    features: FeatureRows,
    folds?: readonly number[],
  ): AsyncGenerator<PassedRows<FilledRows & { readonly first: number }>, void, undefined> {
    const { capacity } = this;
    const ranges: Partial<FoldRange>[] = folds
      ? foldRanges(folds, networksOf(this.#models[0].network))
      : [{}];
    const chunks = ranges.flatMap(({ first: start = 0, rows: all = features.rows, members }) =>
      Array.from({ length: Math.ceil(all / capacity) }, (_, i) => {
        const first = start + i * capacity;
        return { first, rows: Math.min(capacity, start + all - first), members };
      }),
    );
    yield* this.inOrder(chunks, (chunk, { parts: [{ x }] }) => {
      x.data.set(features.read(chunk.first, chunk.rows));
      return chunk;
    });
  }

  /** Ends the other threads. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async *#begin<Item, Filled extends FilledRows>(
    items: AsyncIterable<Item> | Iterable<Item>,
    fill: (item: Item, predictor: Predictor) => Filled,
  ): AsyncGenerator<Begun<Filled> | { readonly error: unknown }, void, undefined> {
    try {
      for await (const item of items) {
        const lane = this.#freeLane();
        if (!lane) throw new RangeError('every predictor has rows');
        const filled = fill(item, lane.predictor);
        yield this.#pass(filled, lane);
      }
    } catch (error) {
      yield { error };
    }
  }

  #pass<Filled extends FilledRows>(filled: Filled, lane: Lane): Begun<Filled> {
    const { rows, members } = filled;
    for (const { failure } of this.#threads) if (failure) throw failure;
    lane.busy = true;
    const logits = rows === 0 ? NO_LOGITS : lane.predictor.forward(rows, members);
    if (rows > 0) this.#work += this.#passCost;
    const begun: Begun<Filled> = { filled, lane, logits, isDone: !(logits instanceof Promise) };
    const end = () => {
      begun.isDone = true;
    };
    if (logits instanceof Promise) logits.then(end, end);
    const isMore = this.#work > (this.#threads.length + 1) * WORK_PER_THREAD;
    if (isMore && this.#threads.length + 1 < this.mostThreads) this.#addThread();
    return begun;
  }

  async *#handOut<Filled extends FilledRows>(
    begun: Begun<Filled>[],
  ): AsyncGenerator<PassedRows<Filled>, void, undefined> {
    const { filled, lane, logits } = begun[0];
    const { predictor } = lane;
    const found = await logits;
    begun.shift();
    this.#current = predictor;
    try {
      yield { ...filled, logits: found, predictor };
    } finally {
      lane.busy = false;
    }
  }

  /** Lets signals, and the answers of other threads, be heard. */
  async #answer(): Promise<void> {
    if (this.#threads.length === 0 && performance.now() - this.#answered < MOST_BUSY) return;
    await nextTurn();
    this.#answered = performance.now();
  }

  /** Of a thread that has nothing to do, else of one that has, else of this one. */
  #freeLane(): Lane | undefined {
    const free = this.#lanes.filter(({ busy, thread }) => !busy && (thread?.isReady ?? true));
    return (
      free.find(({ thread }) => thread?.load === 0) ??
      free.find(({ thread }) => thread !== undefined) ??
      free[0]
    );
  }

  /** How many threads have room: what they write is as much as what one may write in the largest network. */
  #fittingThreads(): number {
    const bytes = this.#inferences.reduce((sum, { network }) => sum + network.threadBytes, 0);
    return Math.max(1, Math.floor(PASS_BYTES / bytes));
  }

  #addThread(): void {
    const models = this.#models;
    try {
      const networks = this.#inferences.map(({ network }) => network.addThread());
      if (this.#threads.length === 0) this.#addLane();
      const thread = new PassThread({ networks });
      this.#threads.push(thread);
      const inputs = networks.map(({ setup, place }) => openNetwork(setup, place, BUFFERS, true).inputs);
      for (let buffer = 0; buffer < BUFFERS; buffer++) {
        const members = models.map(
          (model, network) =>
            new RemoteInference(model, this.#inferences[network].outputs, inputs[network][buffer], (own) =>
              thread.pass({ network, buffer, members: own }),
            ),
        );
        this.#lanes.push({ predictor: this.#predictorOf(members), thread, busy: false });
      }
    } catch (error) {
      // Without more memory, the threads that there are do the work.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  /** While rows of this thread wait for those before them, it can pass others. */
  #addLane(): void {
    const members = this.#models.map((model, m) => {
      const { network } = this.#inferences[m];
      return new Inference(model, network, network.addInputs());
    });
    this.#lanes.push({ predictor: this.#predictorOf(members), busy: false });
  }
}
