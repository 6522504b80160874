/**
 * Brings rows that come in any order into that of a cache, whatever its size: each row first goes to the part of
 * the file that it belongs to, behind those that came before. Then each part is sorted in memory.
 */
import { bytesPerElement, floatsOf } from '../../kernels/arena.js';
import type { FloatArray } from '../../kernels/kernels.js';
import { type FeatureMatrix, partOf } from '../featureMatrix.js';
import type { MatrixFile } from '../matrixFile.js';
import type { CacheWriter } from './cacheFile.js';

/** Of a part, twice in memory to be sorted; and of the rows that wait to be written, of all parts. */
const PART_BYTES = 2 ** 26;
/** Of the rows of a part that are written at once. */
const WAITING_BYTES = 2 ** 20;
/** A call takes as long as a loop over so many numbers. */
const FEW_COLUMNS = 32;

/** Rows that wait to be written to a part of the file. */
interface Part {
  readonly waiting: FloatArray;
  /** How many rows wait, and how many are in the file. */
  rows: number;
  written: number;
}

export class RowSorter {
  readonly #writer: CacheWriter;
  readonly #matrix: MatrixFile;
  readonly #rowsOfPart: number;
  readonly #parts: readonly Part[];
  /** [rows] The row of the matrix that each row in the file is, while parts are not sorted. */
  readonly #order: Int32Array;

  /** @param bytesOfPart only tests change it */
  constructor(writer: CacheWriter, bytesOfPart = PART_BYTES) {
    const { rows, columns, dtype } = writer.matrix;
    const rowBytes = Math.max(1, columns) * bytesPerElement(dtype);
    this.#writer = writer;
    this.#matrix = writer.matrix;
    this.#rowsOfPart = Math.max(1, Math.floor(bytesOfPart / rowBytes));
    this.#order = new Int32Array(rows);
    const count = Math.ceil(rows / this.#rowsOfPart);
    const bytes = Math.min(WAITING_BYTES, PART_BYTES / count);
    const waiting = Math.min(this.#rowsOfPart, Math.max(1, Math.floor(bytes / rowBytes)));
    this.#parts = Array.from({ length: count }, () => {
      return { waiting: floatsOf(dtype, waiting * columns), rows: 0, written: 0 };
    });
  }

  /** Takes the first rows of a matrix; `places` are where they belong. */
  add(matrix: FeatureMatrix, places: Int32Array): void {
    const { columns } = this.#matrix;
    for (let row = 0; row < places.length; row++) {
      const index = Math.floor(places[row] / this.#rowsOfPart);
      const part = this.#parts[index];
      const [{ features }, ofPart] = partOf(matrix, row);
      copyRow(features.data, ofPart, part.waiting, part.rows, columns);
      this.#order[index * this.#rowsOfPart + part.written + part.rows++] = places[row];
      if (part.rows * columns === part.waiting.length) this.#flush(index);
    }
  }

  /** Appends all rows to the cache, in order. */
  finish(): void {
    const { rows, columns, dtype } = this.#matrix;
    for (let index = 0; index < this.#parts.length; index++) {
      this.#flush(index);
      const first = index * this.#rowsOfPart;
      const count = Math.min(this.#rowsOfPart, rows - first);
      const { written } = this.#parts[index];
      if (written !== count) throw new RangeError(`${written} rows in a part of ${count}`);
      const unsorted = floatsOf(dtype, count * columns);
      this.#writer.readAt(unsorted, first);
      const sorted = floatsOf(dtype, count * columns);
      for (let row = 0; row < count; row++)
        copyRow(unsorted, row, sorted, this.#order[first + row] - first, columns);
      this.#writer.append(sorted);
    }
  }

  #flush(index: number): void {
    const part = this.#parts[index];
    const { waiting, rows, written } = part;
    this.#writer.writeAt(
      waiting.subarray(0, rows * this.#matrix.columns),
      index * this.#rowsOfPart + written,
    );
    part.written += rows;
    part.rows = 0;
  }
}

function copyRow(from: FloatArray, row: number, to: FloatArray, toRow: number, columns: number): void {
  const start = row * columns;
  const at = toRow * columns;
  if (columns > FEW_COLUMNS) to.set(from.subarray(start, start + columns), at);
  else for (let j = 0; j < columns; j++) to[at + j] = from[start + j];
}
