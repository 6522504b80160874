/** The quartiles of columns, from the training rows in the matrix or from those read again. */
import type { FeatureMatrix } from '../featureMatrix.js';
import { type Quartiles, quartilesOf } from '../quartiles.js';
import type { Block, Reader } from './chunkReader.js';
import type { KeptNumbers, PlacedChunk } from './chunks.js';
import type { SharedMatrix } from './matrix.js';

/** Reads the training rows of columns that the matrix can't hold unscaled. */
export interface GatherTask {
  readonly kind: 'gather';
  readonly chunks: readonly PlacedChunk[];
  readonly numbers?: KeptNumbers;
  /** Columns of the file. */
  readonly features: Int32Array;
  /** [rows of the file] In shared memory: the row of the matrix, −1 for none. */
  readonly place: Int32Array;
  readonly trainRows: number;
  /** [chunks] How many training rows earlier chunks hold. */
  readonly firsts: Int32Array;
  /** [features, trainRows] In shared memory: each feature's numbers, in the order of the file. */
  readonly values: Float64Array;
}

/** Returns the function that does chunks of the task. */
export function gatherer(reader: Reader, task: GatherTask): (index: number) => true | undefined {
  const { space, blockSize } = reader;
  const { columns, at } = space;
  const { chunks, numbers, features, place, trainRows, firsts, values } = task;
  return (index) => {
    let next = firsts[index];
    const take = ({ firstRow, rows }: Block, block: Float64Array): void => {
      for (let r = 0; r < rows; r++) {
        const row = place[firstRow + r];
        if (row < 0 || row >= trainRows) continue;
        for (let j = 0; j < features.length; j++) {
          values[j * trainRows + next] = block[r * columns + features[j]];
        }
        next++;
      }
    };
    const chunk = chunks[index];
    const kept = numbers?.[index];
    if (kept) {
      take(chunk, kept);
      return true;
    }
    const takeBlock = (block: Block) => take(block, space.numbers(at.values, blockSize.cells));
    return reader.forEachBlock(chunk, features, false, () => false, takeBlock) ? true : undefined;
  };
}

/** Numbers of the training rows that are not in the matrix: row of the matrix, feature, value. */
export type AsideNumbers = Float64Array;

export interface QuartilesTask extends Pick<SharedMatrix, 'matrix'> {
  readonly kind: 'quartiles';
  /** Columns of the matrix: packed decimals in float32, numbers in float64. */
  readonly slots: Int32Array;
  readonly trainRows: number;
  /** [slots] The bounds of the training rows. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  readonly aside: AsideNumbers;
  /** [slots, trainRows] In shared memory: the numbers, if the matrix does not hold them. */
  readonly values?: Float64Array;
}

/** Columns in a chunk: a line of the cache holds a few. */
export const QUARTILE_COLUMNS = 4;

/** Returns the function that does chunks of the task. */
export function quartileFinder(task: QuartilesTask): (index: number) => readonly Quartiles[] {
  const { matrix, slots, trainRows, least, greatest, aside, values } = task;
  const scratch = new Float64Array(values ? 0 : QUARTILE_COLUMNS * trainRows);
  return (index) => {
    const first = index * QUARTILE_COLUMNS;
    const chosen = slots.subarray(first, first + QUARTILE_COLUMNS);
    if (!values) {
      gatherColumns(matrix, chosen, trainRows, scratch);
      for (let i = 0; i < aside.length; i += 3) {
        const at = chosen.indexOf(aside[i + 1]);
        if (at >= 0) scratch[at * trainRows + aside[i]] = aside[i + 2];
      }
    }
    return Array.from(chosen, (_, j) => {
      const from = values ? (first + j) * trainRows : j * trainRows;
      const numbers = (values ?? scratch).subarray(from, from + trainRows);
      return quartilesOf(numbers, least[first + j], greatest[first + j]);
    });
  };
}

/** [32] The divisor of a packed decimal, by sign and code; see assembly/scale.ts. */
const DIVISORS = Float64Array.from({ length: 32 }, (_, bits) => {
  const places = bits % 16 === 0 ? 0 : 15 - (bits % 16);
  return (bits < 16 ? 1 : -1) * Number(`1e${places}`);
});

/** The first `rows` rows of columns, as numbers: into [columns, rows]. */
function gatherColumns(matrix: FeatureMatrix, chosen: Int32Array, rows: number, into: Float64Array): void {
  const { columns } = matrix;
  let first = 0;
  for (const { features } of matrix.parts) {
    const { data } = features;
    const end = Math.min(rows, first + features.rows);
    if (data instanceof Float64Array) {
      for (let row = first; row < end; row++) {
        const at = (row - first) * columns;
        for (let j = 0; j < chosen.length; j++) into[j * rows + row] = data[at + chosen[j]];
      }
    } else {
      // The packed decimals are the bits of the float32 matrix.
      const packed = new Uint32Array(data.buffer, data.byteOffset, data.length);
      for (let row = first; row < end; row++) {
        const at = (row - first) * columns;
        for (let j = 0; j < chosen.length; j++) {
          const word = packed[at + chosen[j]];
          into[j * rows + row] = (word >>> 5) / DIVISORS[word & 31];
        }
      }
    }
    first = end;
  }
}
