/** Writes every number of a chunk, scaled, to its place; scales in place after `fit`. */
import type { FeatureMatrix } from '../featureMatrix.js';
import type { Block, Reader } from './chunkReader.js';
import type { PlacedChunk } from './chunks.js';
import { type Columns, type Scratch, type SharedMatrix, ThreadMatrix, type Transforms } from './matrix.js';

export interface WriteTask extends Columns, SharedMatrix, Transforms {
  readonly kind: 'write';
  readonly chunks: readonly PlacedChunk[];
  /** [rows of the chunk, columns of the file] Of each chunk, if it need not be read again. */
  readonly numbers?: readonly Float64Array[];
}

export interface WriteResult {
  /** Whether all numbers fit the matrix. */
  readonly fits: boolean;
}

/** Returns the function that does chunks of the task. Undefined if a cell is not a number. */
export function writer(reader: Reader, task: WriteTask): (index: number) => WriteResult | undefined {
  const { space, blockSize } = reader;
  const { columns, exports, at } = space;
  const { place, features, matrix, numbers } = task;
  const matrixSpace = new ThreadMatrix(reader.modules.matrix, matrix, task.scratch, reader.rank);
  const placeBlock = matrixSpace.placer(task, blockSize, columns);
  const rowBytes = columns * matrixSpace.elementBytes;
  const scaleBlock = matrixSpace.elementBytes === 4 ? exports.scaleToFloat32 : exports.scaleToFloat64;

  return (index) => {
    space.numbers(at.shift, columns).fill(0);
    space.numbers(at.scale, columns).fill(1);
    space.numbers(at.clip, columns).fill(Number.POSITIVE_INFINITY);
    features.forEach((column, j) => {
      space.doubles[at.shift / 8 + column] = task.shift[j];
      space.doubles[at.scale / 8 + column] = task.scale[j];
      if (task.clip) space.doubles[at.clip / 8 + column] = task.clip[j];
    });
    let fits = true;
    const writeBlock = ({ firstRow, rows }: Block): void => {
      const { values, shift, scale, scaled } = at;
      fits = scaleBlock(rows, columns, values, shift, scale, task.clip ? at.clip : 0, scaled) === 1 && fits;
      const block = space.bytes.subarray(at.scaled, at.scaled + rows * rowBytes);
      placeBlock(block, place.subarray(firstRow, firstRow + rows));
    };
    const chunk = task.chunks[index];
    if (numbers === undefined) {
      return reader.forEachBlock(chunk, features, false, () => false, writeBlock) ? { fits } : undefined;
    }
    for (let first = 0; first < chunk.rows; first += blockSize.rows) {
      const rows = Math.min(blockSize.rows, chunk.rows - first);
      const block = numbers[index].subarray(first * columns, (first + rows) * columns);
      space.doubles.set(block, at.values / 8);
      writeBlock({ firstRow: chunk.firstRow + first, rows });
    }
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
  readonly scratch: Scratch;
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
