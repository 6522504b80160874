/** Writes every number of a chunk, scaled, to its place; scales in place after `fit`. */
import type { FeatureMatrix } from '../featureMatrix.js';
import type { Block, Reader } from './chunkReader.js';
import type { KeptNumbers, PlacedChunk } from './chunks.js';
import { type Columns, type Scratch, type SharedMatrix, ThreadMatrix, type Transforms } from './matrix.js';

export interface WriteTask extends Columns, SharedMatrix, Transforms {
  readonly kind: 'write';
  readonly chunks: readonly PlacedChunk[];
  readonly numbers?: KeptNumbers;
}

export interface WriteResult {
  /** Whether all numbers fit the matrix. */
  readonly fits: boolean;
}

/** Returns the function that does chunks of the task. Undefined if a cell is not a number. */
export function writer(reader: Reader, task: WriteTask): (index: number) => WriteResult | undefined {
  const { space, blockSize } = reader;
  const { columns, at } = space;
  const { place, features, matrix, numbers } = task;
  const matrixSpace = new ThreadMatrix(reader.modules.matrix, matrix, task.scratch, reader.rank);
  const scaleBlock = matrixSpace.scalingPlacer(task, blockSize, columns);
  return (index) => {
    let fits = true;
    const writeBlock = (
      { firstRow, rows }: Block,
      block = space.numbers(at.values, rows * columns),
    ): void => {
      fits = scaleBlock(block, place.subarray(firstRow, firstRow + rows)) && fits;
    };
    const chunk = task.chunks[index];
    // Rows may be written a part of the file at a time.
    if (!place.subarray(chunk.firstRow, chunk.firstRow + chunk.rows).some((row) => row >= 0)) return { fits };
    const kept = numbers?.[index];
    if (kept) reader.forEachKeptBlock(chunk, kept, writeBlock);
    else if (!reader.forEachBlock(chunk, features, false, () => false, writeBlock)) return undefined;
    return { fits };
  };
}

export interface ScaleTask extends Transforms {
  readonly kind: 'scale';
  /** How many rows of the matrix to scale: packed decimals in float32, numbers in float64. */
  readonly rows: number;
  /** Rows in a chunk. */
  readonly chunkRows: number;
  readonly matrix: FeatureMatrix;
  readonly scratch: readonly Scratch[];
}

/** Returns the function that does chunks of the task. */
export function scaler(reader: Reader, task: ScaleTask): (index: number) => WriteResult {
  const { matrix, scratch, rows, chunkRows } = task;
  const space = new ThreadMatrix(reader.modules.matrix, matrix, scratch, reader.rank);
  const scaleRows = space.scaler(task);
  return (index) => {
    const first = index * chunkRows;
    return { fits: scaleRows(first, Math.min(first + chunkRows, rows)) };
  };
}
