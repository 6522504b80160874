/** Memory for the cells of a table: one array for each column. */

/** Arrays of more bytes have buffers of their own. */
const MOST_SHARING_BYTES = 2 ** 13;
const SHARED_BYTES = 2 ** 16;

/**
 * Makes arrays for cells. Small ones share buffers, because each buffer takes half a kilobyte itself, and
 * a table may have 100,000 columns.
 */
export class CellMemory {
  readonly #buffers: ArrayBuffer[] = [];
  /** The number of buffers in use, and the bytes in use of the last one. */
  #inUse = 0;
  #used = SHARED_BYTES;

  /** [length] Of any content. */
  floats(length: number): Float64Array {
    const bytes = length * Float64Array.BYTES_PER_ELEMENT;
    if (bytes > MOST_SHARING_BYTES) return new Float64Array(length);
    const at = this.#reserve(bytes);
    return new Float64Array(this.#buffers[this.#inUse - 1], at, length);
  }

  /** [length] Of any content. */
  integers(length: number): Int32Array {
    const bytes = length * Int32Array.BYTES_PER_ELEMENT;
    if (bytes > MOST_SHARING_BYTES) return new Int32Array(length);
    const at = this.#reserve(bytes);
    return new Int32Array(this.#buffers[this.#inUse - 1], at, length);
  }

  /** Makes the same arrays again: nobody may use those made so far. */
  reuse(): void {
    this.#inUse = 0;
    this.#used = SHARED_BYTES;
  }

  /** Forgets all arrays made so far, which those who have them may keep. */
  forget(): void {
    this.#buffers.length = 0;
    this.reuse();
  }

  /** The place of the next bytes in the last buffer in use: a multiple of 8. */
  #reserve(bytes: number): number {
    if (this.#used + bytes > SHARED_BYTES) {
      this.#buffers[this.#inUse] ??= new ArrayBuffer(SHARED_BYTES);
      this.#inUse++;
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += 8 * Math.ceil(bytes / 8);
    return at;
  }
}
