/** Partial sums of a team: each thread sets its own, all meet, and all add the same numbers in the same order. */
import type { Share } from '../share.js';

/** The most partial sums of one total, and so the most threads that can have one each. */
export const MAX_PARTIALS = 256;

/** Two sets, taken by turns: a fast thread may set the next while a slow one still adds up the last. */
export const PARTIALS_BYTES = 2 * MAX_PARTIALS * 8;

export class Partials {
  readonly #values: Float64Array;
  /** First element of the set at hand. */
  #set = 0;

  /** @param address of PARTIALS_BYTES bytes in the memory, the same for all threads */
  constructor(
    memory: WebAssembly.Memory,
    address: number,
    private readonly share: Share,
  ) {
    this.#values = new Float64Array(memory.buffer, address, 2 * MAX_PARTIALS);
  }

  set(index: number, value: number): void {
    this.#values[this.#set + index] = value;
  }

  /** Meets the other threads, and adds up the first `count` partial sums that they have set since the last total. */
  total(count: number): number {
    this.share.sync();
    let sum = 0;
    for (let i = 0; i < count; i++) sum += this.#values[this.#set + i];
    this.#set = MAX_PARTIALS - this.#set;
    return sum;
  }
}
