/** How a team's threads divide an operation: each computes a slice of the output, then all meet. */

/** In bytes. Slices start on cache lines if possible, so that no two threads write to one. */
export const CACHE_LINE = 64;

/**
 * One thread's place in the team that runs the same operations in the same order. The size may change
 * between two steps, when others of the team rest.
 */
export interface Share {
  readonly rank: number;
  readonly size: number;
  /** Returns when every thread of the team has called it; what they wrote before is then visible. */
  sync(): void;
}

export const alone: Share = { rank: 0, size: 1, sync() {} };

/**
 * Where the slice of a rank starts; it ends where the next starts. Slices start at multiples of
 * `granularity` and differ by at most one granule: with (10, rank, 2, 4) at 0, 4, 10.
 */
export function sliceStart(n: number, rank: number, size: number, granularity: number): number {
  const granules = Math.ceil(n / granularity);
  return Math.min(n, Math.floor((granules * rank) / size) * granularity);
}

/**
 * Whether c[m, n] is divided by its rows: the side whose largest slice is smaller, else the longer
 * one, since every thread reads all of the other operand.
 */
export function splitsByRows(
  m: number,
  n: number,
  size: number,
  rowTile: number,
  columnTile: number,
): boolean {
  const byRows = largestSlice(m, size, rowTile) * n;
  const byColumns = largestSlice(n, size, columnTile) * m;
  return byRows === byColumns ? m > n : byRows < byColumns;
}

function largestSlice(length: number, size: number, granularity: number): number {
  return Math.min(length, Math.ceil(Math.ceil(length / granularity) / size) * granularity);
}

/** `length` elements or rows from `start`, `offset` bytes after the tensor's first byte. */
export interface Slice {
  readonly start: number;
  readonly length: number;
  readonly offset: number;
}

/** The slices of one thread. Every method returns the same object: destructure it at once. */
export class Slices {
  readonly #share: Share;
  readonly #bytes: number;
  readonly #slice = { start: 0, length: 0, offset: 0 };
  readonly line: number;

  /** @param bytes of an element */
  constructor(share: Share, bytes: number) {
    this.#share = share;
    this.#bytes = bytes;
    this.line = CACHE_LINE / bytes;
  }

  /** Of `count` elements in a row: of a whole tensor, or of the columns of each row. */
  elements(count: number): Slice {
    return this.of(count, this.line, this.#bytes);
  }

  rows(rows: number, columns: number): Slice {
    return this.of(rows, 1, columns * this.#bytes);
  }

  /** Of n items of this many bytes each, starting at a multiple of `granularity`. */
  of(n: number, granularity: number, bytes: number): Slice {
    const slice = this.#slice;
    const { rank, size } = this.#share;
    const start = rank === 0 ? 0 : sliceStart(n, rank, size, granularity);
    const end = rank === size - 1 ? n : sliceStart(n, rank + 1, size, granularity);
    slice.start = start;
    slice.length = end - start;
    slice.offset = start * bytes;
    return slice;
  }
}
