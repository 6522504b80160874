/**
 * How a step gets the features of its rows: as tensors in the run's arena. A matrix that has room for
 * the network behind it is the start of the arena, so its rows are there already. Of any other matrix,
 * the rows of a batch or a chunk are copied into the arena, or read from a file.
 */
import { type FeatureMatrix, partOf } from '../data/featureMatrix.js';
import { type MatrixFile, readRows, ScatteredRows } from '../data/matrixFile.js';
import { type Allocator, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import { alone, type Share, sliceStart } from '../kernels/share.js';
import { ReadAhead } from './readAhead.js';

/** In a team, all threads call the methods alike. */
export interface RowSource {
  /** [rows, inputs] Consecutive rows of the matrix, until the next call. */
  chunk(first: number, rows: number): Tensor;
  /** Rows `numbers[i]` of the matrix, for the first `rows` numbers: in `out`, or where they are. */
  gather(rows: number, numbers: IntVector, out: Tensor): Tensor;
  /** Says which rows the next calls of `gather` are about: those of a batch. */
  begin?(rows: number, numbers: Int32Array): void;
  /** Where batches are read ahead; only of rows in a file. */
  readonly ahead?: ReadAhead;
}

/** Rows in the arena. */
export function rowsInArena(features: Tensor, kernels: Kernels): RowSource {
  const { columns } = features;
  return {
    chunk: (first, rows) => slice(features, first * columns, rows, columns),
    gather(rows, numbers, out) {
      kernels.gather(rows, features, numbers, out);
      return out;
    },
  };
}

/** Up to so many columns, a loop copies a row faster than a call. */
const SHORT_ROW = 64;

/** Rows in other memory: each thread copies its share of them. */
export function rowsOutside(
  matrix: FeatureMatrix,
  capacity: number,
  allocator: Allocator,
  share: Share = alone,
): RowSource {
  const { columns } = matrix;
  const buffer = allocator.tensor(capacity, columns);
  const copy = (row: number, out: Tensor, to: number): void => {
    const [{ features }, ofPart] = partOf(matrix, row);
    copyRow(features, ofPart, out, to);
  };
  return {
    chunk(first, rows) {
      shareRows(share, rows, (i) => copy(first + i, buffer, i));
      return slice(buffer, 0, rows, columns);
    },
    gather(rows, { data }, out) {
      shareRows(share, rows, (i) => copy(data[i], out, i));
      return out;
    },
  };
}

/**
 * Rows in a file. Each thread reads its share of a chunk, and of a batch, unless batches are read ahead by
 * a thread of their own (`ReadAhead`).
 * @param batchSize the most rows of a batch
 * @param waits whether there is such a thread
 */
export function rowsInFile(
  matrix: MatrixFile,
  { batchSize, capacity, waits }: { batchSize: number; capacity: number; waits: boolean },
  allocator: Allocator,
  share: Share = alone,
): RowSource {
  const { columns } = matrix;
  const buffer = allocator.tensor(capacity, columns);
  const ahead = new ReadAhead(matrix, batchSize, allocator);
  const scattered = new ScatteredRows(matrix);
  const source: RowSource = {
    ahead,
    chunk(first, rows) {
      const [from, end] = ownRows(share, rows);
      readRows(matrix, first + from, slice(buffer, from * columns, end - from, columns).data);
      share.sync();
      return slice(buffer, 0, rows, columns);
    },
    gather(rows, { data }, out) {
      const [first, end] = ownRows(share, rows);
      const { buffer, byteOffset, byteLength } = out.data;
      scattered.read(data.subarray(first, end), new Uint8Array(buffer, byteOffset, byteLength), first);
      share.sync();
      return out;
    },
  };
  if (!waits) return source;
  let batch: { readonly x: Tensor; readonly numbers: Int32Array } | undefined;
  /** By its number, where a row of the batch is. */
  let places: Map<number, number> | undefined;
  return {
    ...source,
    begin(rows, numbers) {
      places = undefined;
      batch = { x: ahead.next(share.rank === 0), numbers: numbers.subarray(0, rows) };
    },
    gather(rows, numbers, out) {
      if (!batch) return source.gather(rows, numbers, out);
      const { x, numbers: drawn } = batch;
      const { data } = numbers;
      if (rows === drawn.length && drawn.every((row, i) => row === data[i])) return x;
      places ??= new Map(Array.from(drawn, (row, i) => [row, i]));
      const own = places;
      shareRows(share, rows, (i) => copyRow(x, own.get(data[i]) as number, out, i));
      return out;
    },
  };
}

/** Does this thread's share of the rows, and waits for the others. */
function shareRows(share: Share, rows: number, take: (i: number) => void): void {
  const [first, end] = ownRows(share, rows);
  for (let i = first; i < end; i++) take(i);
  share.sync();
}

/** This thread's share of so many rows: the first, and the end. */
function ownRows({ rank, size }: Share, rows: number): readonly [number, number] {
  return [sliceStart(rows, rank, size, 1), sliceStart(rows, rank + 1, size, 1)];
}

function copyRow({ data: source, columns }: Tensor, row: number, { data }: Tensor, to: number): void {
  const from = row * columns;
  if (columns > SHORT_ROW) data.set(source.subarray(from, from + columns), to * columns);
  else for (let j = 0; j < columns; j++) data[to * columns + j] = source[from + j];
}
