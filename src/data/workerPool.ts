/**
 * A pool of threads that read a file. The calling thread is one of them; it lets the event loop
 * run between chunks. A counter hands out chunks, and results are taken in their order, so they do
 * not depend on the threads.
 */
import { setImmediate } from 'node:timers/promises';
import { parentPort, type TransferListItem, Worker } from 'node:worker_threads';
import { ExitCode, MlpError } from '../errors.js';

/** Runs one chunk of a task. Undefined declines the file, and the task ends. */
export type TaskRunner<Result> = (index: number) => Result | undefined;

/** What remains of an MlpError that crosses threads, which keep properties and no class. */
export type PlainError = Pick<MlpError, 'exitCode' | 'message' | 'hint'>;

/** What a worker is told: all plain data. */
interface ToWorker<Task> {
  readonly id: number;
  readonly task: Task;
  readonly counter: SharedArrayBuffer;
}

type WorkerMessage =
  | { readonly type: 'result'; readonly id: number; readonly index: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }
  /** The worker has no more chunks. */
  | { readonly type: 'left'; readonly id: number };

/** The current task, as far as messages of the workers concern it. */
interface Running {
  readonly id: number;
  /** A result of a worker. */
  take(index: number, result: unknown): void;
  /** A worker has no more chunks of this task. */
  leave(): void;
  fail(error: unknown): void;
}

interface PoolOptions {
  /** The script of a worker, which calls `serveTasks`. */
  readonly script: URL;
  /** The `workerData` of each, with its `rank` from 1. */
  readonly setup: object;
  /** Including the calling thread. */
  readonly threads: number;
}

/** A thread's numbers are not on its heap. */
const LITTLE_GARBAGE = { maxYoungGenerationSizeMb: 2 };

/** Tasks and their results by kind: plain data. */
export abstract class WorkerPool<
  Task extends { readonly kind: string },
  Results extends { readonly [Kind in Task['kind']]: unknown },
> {
  readonly workers: Worker[] = [];
  #running: Running | undefined;
  #tasks = 0;
  #failure: MlpError | undefined;
  #closed = false;

  constructor({ script, setup, threads }: PoolOptions) {
    for (let rank = 1; rank < threads; rank++) this.#start(script, { ...setup, rank }, rank);
  }

  /** Runs a task in the calling thread. */
  protected abstract runnerOf(task: Task): TaskRunner<Results[Task['kind']]>;

  /**
   * Runs a task of `count` chunks. `take` gets the results in order, and may return false to stop.
   * Returns false if it stopped, or a chunk declined the file.
   * @throws MlpError of a chunk, or ExitCode.internal if a thread has died
   */
  async run<T extends Task>(
    task: T,
    count: number,
    take: (result: Results[T['kind']], index: number) => unknown,
  ): Promise<boolean> {
    if (this.#failure) throw this.#failure;
    const counter = new ChunkCounter(count);
    const results = new Map<number, Results[T['kind']]>();
    let next = 0;
    let isWanted = true;
    const stop = (): void => {
      isWanted = false;
      counter.stop();
    };
    const receive = (index: number, result: unknown): void => {
      if (result === undefined) {
        stop();
        return;
      }
      results.set(index, result as Results[T['kind']]);
      for (let ready = results.get(next); ready !== undefined && isWanted; ready = results.get(next)) {
        results.delete(next);
        if (take(ready, next++) === false) stop();
      }
    };
    let busy = this.workers.length;
    const others = new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        // A worker that is still starting delays nobody, unless it may yet take a chunk.
        if (next === count || busy === 0) resolve();
      };
      this.#give(task, counter, {
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
      });
    });
    // It is awaited below, so an earlier rejection is not lost.
    others.catch(() => {});
    try {
      const runChunk = this.runnerOf(task);
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
    return isWanted;
  }

  /**
   * Runs a task of `count` chunks in the other threads alone, and hands out the results in order, while at most
   * `ahead` more are there. It ends early if a chunk fails or declines the file, or a thread dies.
   */
  async *stream<T extends Task>(
    task: T,
    count: number,
    ahead: number,
  ): AsyncGenerator<Results[T['kind']], void, undefined> {
    const counter = new ChunkCounter(count, ahead);
    const results = new Map<number, Results[T['kind']]>();
    let hasFailed = this.#failure !== undefined;
    let wake = () => {};
    this.#give(task, counter, {
      take: (index, result) => {
        results.set(index, result as Results[T['kind']]);
        wake();
      },
      leave: () => {},
      fail: () => {
        hasFailed = true;
        wake();
      },
    });
    try {
      for (let next = 0; next < count; next++) {
        while (!results.has(next) && !hasFailed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const result = results.get(next);
        if (result === undefined) return;
        results.delete(next);
        counter.allow(next + 1 + ahead);
        yield result;
      }
    } finally {
      counter.stop();
      this.#running = undefined;
    }
  }

  get threads(): number {
    return 1 + this.workers.length;
  }

  /** Ends the threads. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  /** Gives a task to the workers. */
  #give(task: Task, { buffer }: ChunkCounter, running: Omit<Running, 'id'>): void {
    const id = ++this.#tasks;
    this.#running = { id, ...running };
    const message: ToWorker<Task> = { id, task, counter: buffer };
    for (const worker of this.workers) worker.postMessage(message);
  }

  #start(script: URL, workerData: object, rank: number): void {
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

/**
 * In a worker: runs chunks of each task it is given, until none are left.
 * @param moved the memory of a result that is moved to the calling thread instead of copied
 */
export function serveTasks<Task, Result>(
  runnerOf: (task: Task) => TaskRunner<Result>,
  moved: (result: Result) => TransferListItem[] = () => [],
): void {
  const tell = (message: WorkerMessage, moves: TransferListItem[] = []) =>
    parentPort?.postMessage(message, moves);
  parentPort?.on('message', ({ id, task, counter: buffer }: ToWorker<Task>) => {
    const counter = new ChunkCounter(buffer);
    try {
      const run = runnerOf(task);
      for (let index = counter.next(); index >= 0; index = counter.next()) {
        const result = run(index);
        tell({ type: 'result', id, index, result }, result && moved(result));
      }
      tell({ type: 'left', id });
    } catch (error) {
      if (!(error instanceof MlpError)) throw error;
      tell({ type: 'failed', id, error: plain(error) });
    }
  });
}

export function plain({ exitCode, message, hint }: MlpError): PlainError {
  return { exitCode, message, hint };
}

export function revived({ exitCode, message, hint }: PlainError): MlpError {
  return new MlpError(exitCode, message, hint);
}

/** Hands out the chunks of a task, from 0, to any thread that asks. */
class ChunkCounter {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /**
   * @param source the buffer of another thread's counter, or the number of chunks
   * @param allowed how many chunks are handed out at first; all if left out
   */
  constructor(source: SharedArrayBuffer | number, allowed?: number) {
    this.buffer = typeof source === 'number' ? new SharedArrayBuffer(12) : source;
    this.#words = new Int32Array(this.buffer);
    if (typeof source === 'number') this.#words.set([0, source, allowed ?? source]);
  }

  /** −1 if none are left. Waits until the next one is allowed. */
  next(): number {
    const index = Atomics.add(this.#words, NEXT, 1);
    for (;;) {
      if (index >= Atomics.load(this.#words, COUNT)) return -1;
      const allowed = Atomics.load(this.#words, ALLOWED);
      if (index < allowed) return index;
      Atomics.wait(this.#words, ALLOWED, allowed);
    }
  }

  /** Lets so many chunks be handed out in all. */
  allow(count: number): void {
    Atomics.store(this.#words, ALLOWED, count);
    Atomics.notify(this.#words, ALLOWED);
  }

  stop(): void {
    Atomics.store(this.#words, COUNT, 0);
    this.allow(0);
  }
}

const NEXT = 0;
const COUNT = 1;
const ALLOWED = 2;
