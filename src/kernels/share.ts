/**
 * How the threads of a team share an operation: each computes a slice of the output, then all meet.
 * The barrier itself is the team's business (training); kernels know this much of it.
 */

/** In bytes. Slices start on cache lines where they can, so that no two threads write to one. */
export const CACHE_LINE = 64;

/** One thread's place in the team that runs the same operations in the same order. */
export interface Share {
  /** From 0 to size − 1. */
  readonly rank: number;
  readonly size: number;
  /** Returns when every thread of the team has called it; what they wrote before is visible after. */
  sync(): void;
}

/** A team of one. */
export const alone: Share = { rank: 0, size: 1, sync() {} };

/**
 * Where the slice of a rank starts among n elements; it ends where the next one's starts. Slices start at multiples of
 * `granularity`, and differ in size by one granule at most (the last element apart).
 *
 *     sliceStart(10, 0, 2, 4) === 0; sliceStart(10, 1, 2, 4) === 4; sliceStart(10, 2, 2, 4) === 10
 */
export function sliceStart(n: number, rank: number, size: number, granularity: number): number {
  const granules = Math.ceil(n / granularity);
  return Math.min(n, Math.floor((granules * rank) / size) * granularity);
}
