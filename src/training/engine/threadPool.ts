/** Threads that wait for the next team: starting one takes longer than many a run takes to train. */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { RankThreadSetup } from '../mpi/thread.js';
import type { ReaderSetup } from '../readAhead.js';
import type { WorkerSetup } from './worker.js';

/** worker.ts and all that it imports as one file, which starts in half the time. Tests run the sources, but threads run from dist/ even then. */
const WORKER = new URL('../../../bin/trainThread.js', import.meta.url);

/** A step makes no garbage, and an evaluation little: more room for it would be filled before it is swept. */
const LITTLE_GARBAGE = { maxYoungGenerationSizeMb: 1 };

export interface ThreadOptions {
  readonly script?: URL | undefined;
  readonly resourceLimits?: NonNullable<WorkerOptions['resourceLimits']> | undefined;
}

/** @param workerData what it is for; without one it waits for its first team */
export function startThread(
  workerData?: WorkerSetup | ReaderSetup | RankThreadSetup,
  { script = WORKER, resourceLimits = LITTLE_GARBAGE }: ThreadOptions = {},
): Worker {
  return new Worker(script, { workerData, resourceLimits });
}

export interface ThreadPoolOptions {
  /** The largest memory of a run whose threads may wait: they keep it until they collect their garbage. */
  readonly mostBytes?: number;
  /** After this time, a thread that waits ends. */
  readonly milliseconds?: number;
}

/** Threads that wait don't keep the process alive. */
export class ThreadPool {
  readonly #waiting = new Map<Worker, NodeJS.Timeout | undefined>();
  readonly #mostBytes: number;
  readonly #milliseconds: number | undefined;
  #closed = false;

  constructor({ mostBytes = Number.POSITIVE_INFINITY, milliseconds }: ThreadPoolOptions = {}) {
    this.#mostBytes = mostBytes;
    this.#milliseconds = milliseconds;
  }

  /** Whether threads of a run in this memory may wait here. */
  serves({ buffer }: WebAssembly.Memory): boolean {
    return buffer.byteLength <= this.#mostBytes;
  }

  /** Starts a thread that will wait, unless one does: it is ready once the data of its run are read. */
  warm(): void {
    if (this.#waiting.size > 0 || this.#closed) return;
    try {
      this.#hold(startThread());
    } catch {
      // The team will start its own, or say why it can't.
    }
  }

  /** Gives a waiting thread its place in a team; undefined if none waits. */
  take(setup: WorkerSetup): Worker | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [worker, timer] = first;
    this.#waiting.delete(worker);
    clearTimeout(timer);
    forget(worker);
    worker.ref();
    worker.postMessage(setup);
    return worker;
  }

  /** Takes a thread that its team has let go of. */
  async keep(worker: Worker): Promise<void> {
    forget(worker);
    if (this.#closed) {
      await worker.terminate();
      return;
    }
    const end = () => {
      this.#waiting.delete(worker);
      void worker.terminate();
      // Node lets a thread that ends keep the process alive again.
      worker.unref();
    };
    const milliseconds = this.#milliseconds;
    const timer = milliseconds === undefined ? undefined : setTimeout(end, milliseconds).unref();
    this.#hold(worker, timer);
  }

  /** @param timer ends it, unless it waits as long as the pool is there */
  #hold(worker: Worker, timer?: NodeJS.Timeout): void {
    worker.unref();
    const lose = () => {
      clearTimeout(timer);
      this.#waiting.delete(worker);
    };
    worker.on('exit', lose);
    worker.on('error', lose);
    this.#waiting.set(worker, timer);
  }

  /** Ends the threads that wait; those of a team, when it lets them go. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#waiting.keys()].map((worker) => worker.terminate()));
  }
}

/** For small runs of this process that follow one another: folds, or a program's own loop. And the first thread of any. */
export const smallRuns = new ThreadPool({ mostBytes: 2 ** 24, milliseconds: 1000 });

/** Removes the listeners of the last team, and none of Node's own. */
function forget(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
}
