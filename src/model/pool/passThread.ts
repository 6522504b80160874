/** A thread that passes rows, as the calling thread sees it. */
import { Worker } from 'node:worker_threads';
import { ExitCode, MlpError } from '../../errors.js';
import type { Logits } from '../inference.js';
import type { PassAnswer, PassRequest, PassWorkerSetup } from './passWorker.js';

/** passWorker.ts and all that it imports as one file, which starts in half the time. Tests run the sources, but threads run from dist/ even then. */
const WORKER = new URL('../../../bin/passThread.js', import.meta.url);

/** Logits are not on its heap: more room for garbage would be filled before it is swept. */
const LITTLE_GARBAGE = { maxYoungGenerationSizeMb: 1 };

interface Waiting {
  resolve(logits: Logits): void;
  reject(error: unknown): void;
}

export class PassThread {
  readonly #worker: Worker;
  /** In the order of the requests. */
  readonly #waiting: Waiting[] = [];
  #isReady = false;
  #failure: MlpError | undefined;
  #closed = false;

  /** @param script of the thread, for tests */
  constructor(setup: PassWorkerSetup, script = WORKER) {
    this.#worker = new Worker(script, { workerData: setup, resourceLimits: LITTLE_GARBAGE });
    this.#worker.on('message', (answer: PassAnswer) => {
      if (answer === 'ready') this.#isReady = true;
      else this.#waiting.shift()?.resolve({ data: answer });
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('it ended before its work was done')));
  }

  /** Whether it has started. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get failure(): MlpError | undefined {
    return this.#failure;
  }

  /** How many passes it has yet to do. */
  get load(): number {
    return this.#waiting.length;
  }

  /** @throws MlpError ExitCode.internal if the thread dies */
  pass(request: PassRequest): Promise<Logits> {
    return new Promise((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request);
    });
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker.terminate();
  }

  #fail(cause: unknown): void {
    if (this.#closed || this.#failure) return;
    this.#failure = new MlpError(
      ExitCode.internal,
      `a thread that predicts failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      'try again with --threads 1; --debug shows the stack',
      { cause },
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
