/**
 * The pool of threads that read a file. The calling thread is one of them; it lets the event loop
 * run between chunks. A counter hands out chunks, and results are taken in their order, so they do
 * not depend on the threads.
 */
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ExitCode, MlpError } from '../../errors.js';
import type { FileBytes } from '../source/fileBytes.js';
import type { PlacedChunk } from './chunkReader.js';
import { Reader, type RowFormat } from './chunkReader.js';
import type { BlockSize } from './matrix.js';
import { compileModules } from './modules.js';
import {
  ChunkCounter,
  type ResultOf,
  type Task,
  type ToWorker,
  taskRunner,
  type WorkerMessage,
  type WorkerSetup,
} from './tasks.js';
import type { Tuning } from './workspace.js';

/** The compiled worker; in dist/ when the sources run (in tests). */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/data/numeric/worker.js' : './worker.js',
  import.meta.url,
);

interface ReaderPoolOptions {
  readonly file: FileBytes;
  readonly format: RowFormat;
  /** Including the calling thread. */
  readonly threads: number;
  readonly tuning: Tuning;
  /** The script of a worker, for tests. */
  readonly script?: URL;
}

/** The current task, as far as messages of the workers concern it. */
interface Running {
  readonly id: number;
  /** A result of a worker. */
  take(index: number, result: unknown): void;
  /** A worker has no more chunks of this task. */
  leave(): void;
  fail(error: unknown): void;
}

/** A thread's numbers are not on its heap. */
const LITTLE_GARBAGE = { maxYoungGenerationSizeMb: 2 };

export class ReaderPool {
  readonly #reader: Reader;
  readonly workers: Worker[] = [];
  #running: Running | undefined;
  #tasks = 0;
  #failure: MlpError | undefined;
  #closed = false;

  constructor({ file, format, threads, tuning, script = WORKER }: ReaderPoolOptions) {
    const modules = compileModules();
    const { name, fd, size } = file;
    const setup = { modules, file: { name, fd, size }, format, tuning };
    for (let rank = 1; rank < threads; rank++) this.#start(script, { ...setup, rank });
    this.#reader = new Reader(modules, file, format, tuning, 0);
  }

  /**
   * Runs a task of `count` chunks. `take` gets the results in order. Returns false as soon as a
   * chunk declines the file.
   * @throws MlpError of a chunk, or ExitCode.internal if a thread has died
   */
  async run<T extends Task>(
    task: T,
    count: number,
    take: (result: ResultOf<T>, index: number) => void,
  ): Promise<boolean> {
    if (this.#failure) throw this.#failure;
    const counter = new ChunkCounter(count);
    const results = new Map<number, ResultOf<T>>();
    let next = 0;
    let isNumeric = true;
    const receive = (index: number, result: unknown): void => {
      if (result === undefined) {
        isNumeric = false;
        counter.stop();
        return;
      }
      results.set(index, result as ResultOf<T>);
      for (let ready = results.get(next); ready !== undefined && isNumeric; ready = results.get(next)) {
        results.delete(next);
        take(ready, next++);
      }
    };
    let busy = this.workers.length;
    const others = new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        // A worker that is still starting delays nobody, unless it may yet take a chunk.
        if (next === count || busy === 0) resolve();
      };
      this.#running = {
        id: ++this.#tasks,
        take: (index, result) => {
          receive(index, result);
          settle();
        },
        leave: () => {
          busy--;
          settle();
        },
        fail: (error) => {
          counter.stop();
          reject(error);
        },
      };
    });
    // It is awaited below, so an earlier rejection is not lost.
    others.catch(() => {});
    const message: ToWorker = { id: this.#tasks, task, counter: counter.buffer };
    for (const worker of this.workers) worker.postMessage(message);
    try {
      const runChunk = taskRunner(this.#reader, task);
      for (let index = counter.next(); index >= 0; index = counter.next()) {
        receive(index, runChunk(index));
        await setImmediate();
      }
      if (next < count && busy > 0) await others;
      if (this.#failure) throw this.#failure;
    } catch (error) {
      counter.stop();
      throw error;
    } finally {
      this.#running = undefined;
    }
    return isNumeric;
  }

  get threads(): number {
    return 1 + this.workers.length;
  }

  /** How much is read at a time. */
  get blockSize(): BlockSize {
    return this.#reader.blockSize;
  }

  /** Reads chunks in order, in this thread only: every number of the `features`, row by row. */
  async readAll(
    chunks: readonly PlacedChunk[],
    features: readonly number[],
    take: (row: number, feature: number, value: number) => void,
  ): Promise<void> {
    const { space } = this.#reader;
    for (const chunk of chunks) {
      this.#reader.forEachBlock(
        chunk,
        Int32Array.from(features),
        false,
        () => true,
        ({ firstRow, rows }) => {
          for (let r = 0; r < rows; r++) {
            const at = space.at.values / 8 + r * space.columns;
            for (let j = 0; j < features.length; j++) take(firstRow + r, j, space.doubles[at + features[j]]);
          }
        },
      );
      await setImmediate();
    }
  }

  /** Ends the threads. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  #start(script: URL, workerData: WorkerSetup): void {
    const { rank } = workerData;
    const worker = new Worker(script, { workerData, resourceLimits: LITTLE_GARBAGE });
    this.workers.push(worker);
    worker.on('message', (message: WorkerMessage) => {
      const running = this.#running;
      if (message.id !== running?.id) return;
      if (message.type === 'result') running.take(message.index, message.result);
      else if (message.type === 'failed') running.fail(revived(message.error));
      else running.leave();
    });
    worker.on('error', (error) => this.#fail(rank, error));
    worker.on('exit', () => this.#fail(rank, new Error('it ended before its work was done')));
  }

  #fail(rank: number, cause: unknown): void {
    if (this.#closed || this.#failure) return;
    this.#failure = new MlpError(
      ExitCode.internal,
      `thread ${rank + 1} of ${this.workers.length + 1}, reading: ${cause instanceof Error ? cause.message : String(cause)}`,
      'try again with --threads 1; --debug shows the stack',
      { cause },
    );
    this.#running?.fail(this.#failure);
  }
}

/** An MlpError that crossed threads as plain data. */
function revived({ exitCode, message, hint }: Pick<MlpError, 'exitCode' | 'message' | 'hint'>): MlpError {
  return new MlpError(exitCode, message, hint);
}
