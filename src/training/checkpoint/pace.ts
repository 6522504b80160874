/**
 * When checkpoints are written: after the first epoch, and after every other unless epochs are so short that writing would take more than a twentieth of the
 * run, and within an epoch after so many seconds without one.
 */

/** The most of a run's time that checkpoints may take. */
const MOST_OF_TIME = 0.05;

/** A signal that is aborted when it is time, or with the signal that it was made of, until it is cancelled. */
export interface Pause {
  readonly signal: AbortSignal;
  cancel(): void;
}

export class Pace {
  /** When the last one was written, and how long that took; 0 before the first, which is due at once. */
  #last = performance.now();
  #cost = 0;

  /** @param seconds without a checkpoint after which one is due within an epoch */
  constructor(private readonly seconds: number) {}

  /** Whether one is due at the end of an epoch. */
  get isDue(): boolean {
    return (performance.now() - this.#last) * MOST_OF_TIME >= this.#cost;
  }

  /** Says when one is due within an epoch. */
  pause(signal?: AbortSignal): Pause {
    const controller = new AbortController();
    const abort = () => controller.abort();
    const left = this.seconds * 1000 - (performance.now() - this.#last);
    // setTimeout takes no more than 2³¹ − 1 milliseconds, some 25 days.
    const timer = setTimeout(abort, Math.min(Math.max(left, 0), 2 ** 31 - 1));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const cancel = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, cancel };
  }

  /** Writes one. */
  async spend(write: () => Promise<void>): Promise<void> {
    const start = performance.now();
    await write();
    this.#last = performance.now();
    this.#cost = this.#last - start;
  }
}
