/**
 * How a step gets the features of its rows: as tensors in the run's arena. A matrix that has room for
 * the network behind it is the start of the arena, so its rows are there already. Of any other matrix,
 * the rows of a batch or a chunk are copied into the arena.
 */
import { type FeatureMatrix, partOf } from '../data/featureMatrix.js';
import { type Allocator, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import { alone, type Share, sliceStart } from '../kernels/share.js';

/** In a team, all threads call the methods alike. */
export interface RowSource {
  /** [rows, inputs] Consecutive rows of the matrix, until the next call. */
  chunk(first: number, rows: number): Tensor;
  /** out[i] ← row `numbers[i]` of the matrix, for the first `rows` numbers. */
  gather(rows: number, numbers: IntVector, out: Tensor): void;
}

/** Rows in the arena. */
export function rowsInArena(features: Tensor, kernels: Kernels): RowSource {
  const { columns } = features;
  return {
    chunk: (first, rows) => slice(features, first * columns, rows, columns),
    gather: (rows, numbers, out) => kernels.gather(rows, features, numbers, out),
  };
}

/** Up to so many columns, a loop copies a row faster than a call. */
const SHORT_ROW = 64;

/** Rows outside of the arena: each thread copies its share of them. */
export function rowsOutside(
  matrix: FeatureMatrix,
  capacity: number,
  allocator: Allocator,
  share: Share = alone,
): RowSource {
  const { columns } = matrix;
  const buffer = allocator.tensor(capacity, columns);
  const copyRow = (row: number, out: Tensor, to: number): void => {
    const [{ features }, ofPart] = partOf(matrix, row);
    const from = ofPart * columns;
    const source = features.data;
    const { data } = out;
    if (columns > SHORT_ROW) data.set(source.subarray(from, from + columns), to * columns);
    else for (let j = 0; j < columns; j++) data[to * columns + j] = source[from + j];
  };
  const copyRows = (rows: number, out: Tensor, rowOf: (i: number) => number): void => {
    const { rank, size } = share;
    const end = sliceStart(rows, rank + 1, size, 1);
    for (let i = sliceStart(rows, rank, size, 1); i < end; i++) copyRow(rowOf(i), out, i);
    share.sync();
  };
  return {
    chunk(first, rows) {
      copyRows(rows, buffer, (i) => first + i);
      return slice(buffer, 0, rows, columns);
    },
    gather(rows, numbers, out) {
      const { data } = numbers;
      copyRows(rows, out, (i) => data[i]);
    },
  };
}
