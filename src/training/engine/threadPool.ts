/** Threads that wait for the next team: starting one takes longer than many a run takes to train. */
import type { Worker } from 'node:worker_threads';
import type { WorkerSetup } from './worker.js';

export class ThreadPool {
  readonly #waiting = new Set<Worker>();
  #closed = false;

  /** Gives a waiting thread its place in a team; undefined if none waits. */
  take(setup: WorkerSetup): Worker | undefined {
    const [worker] = this.#waiting;
    if (worker === undefined) return undefined;
    this.#waiting.delete(worker);
    forget(worker);
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
    this.#waiting.add(worker);
    worker.on('exit', () => this.#waiting.delete(worker));
    worker.on('error', () => this.#waiting.delete(worker));
  }

  /** Ends the threads that wait; those of a team, when it lets them go. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#waiting].map((worker) => worker.terminate()));
  }
}

/** Removes the listeners of the last team, and none of Node's own. */
function forget(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
}
