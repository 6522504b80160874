/**
 * Divides a memory among runs that come and go: each has a region of its own, behind what all of
 * them read. So several runs on a dataset need its features once.
 */
import { growMemory, type Region } from './arena.js';

export class Regions {
  readonly #memory: WebAssembly.Memory;
  readonly #start: number;
  /** Those that are in use, in the order of their addresses. */
  readonly #taken: Region[] = [];
  /** Behind this, nobody has written yet, so that all is zero. */
  #fresh: number;

  /** @param start where the first region may begin, aligned to 64 */
  constructor(memory: WebAssembly.Memory, start: number) {
    this.#memory = memory;
    this.#start = start;
    this.#fresh = memory.buffer.byteLength;
  }

  get isEmpty(): boolean {
    return this.#taken.length === 0;
  }

  /**
   * The first gap of so many bytes, zeroed; the memory grows if there is none.
   * @param bytes a multiple of 64
   * @throws RangeError if the memory can't grow that far
   */
  take(bytes: number): Region {
    let start = this.#start;
    let place = 0;
    for (const taken of this.#taken) {
      if (taken.start - start >= bytes) break;
      start = taken.end;
      place++;
    }
    const region = { start, end: start + bytes };
    growMemory(this.#memory, region.end);
    const used = Math.min(region.end, this.#fresh) - start;
    if (used > 0) new Uint8Array(this.#memory.buffer, start, used).fill(0);
    this.#fresh = Math.max(this.#fresh, region.end);
    this.#taken.splice(place, 0, region);
    return region;
  }

  /** May be called twice for the same region. */
  release(region: Region): void {
    const place = this.#taken.indexOf(region);
    if (place >= 0) this.#taken.splice(place, 1);
  }
}
