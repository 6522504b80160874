/** A matrix of features in a file: its rows one after another from the first byte, as little-endian numbers. */
import { closeSync } from 'node:fs';
import { bytesPerElement, floatsOf } from '../kernels/arena.js';
import type { DType, FloatArray } from '../kernels/kernels.js';
import type { FeatureRows } from './featureMatrix.js';
import { type FileBytes, readAt } from './source/fileBytes.js';
import { willNeed } from './source/willNeed.js';

/** Plain data, so that it can be sent to a thread: the descriptor is that of the process. */
export interface MatrixFile {
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: FileBytes;
}

const unused = new FinalizationRegistry<number>(closeSync);

/** Closes the file once nobody can read the matrix: a dataset may be used after its run. */
export function closeWith(matrix: MatrixFile): void {
  unused.register(matrix, matrix.bytes.fd);
}

/**
 * Reads consecutive rows from row `first` on into `out` [rows, columns].
 * @throws MlpError ExitCode.io if the file has become shorter, or can't be read
 */
export function readRows({ dtype, columns, bytes }: MatrixFile, first: number, out: FloatArray): void {
  const { buffer, byteOffset, byteLength } = out;
  const position = first * columns * bytesPerElement(dtype);
  readAt(bytes, new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength, position);
}

/** A row in the page cache takes less, in milliseconds: a call, and a copy at a gigabyte a second. */
const CALL = 0.005;
const BYTE = 1e-6;

/** Reads rows by their numbers. */
export class ScatteredRows {
  readonly #matrix: MatrixFile;
  readonly #rowBytes: number;
  /** Whether the last rows came from the disk. */
  #isCold = false;

  constructor(matrix: MatrixFile) {
    this.#matrix = matrix;
    this.#rowBytes = matrix.columns * bytesPerElement(matrix.dtype);
  }

  /**
   * Row `numbers[i]` to the place of row `first + i` in the bytes of a tensor.
   * @throws MlpError as `readRows`
   */
  read(numbers: Int32Array, out: Uint8Array, first = 0): void {
    const rowBytes = this.#rowBytes;
    const { bytes } = this.#matrix;
    const start = performance.now();
    // The disk then works on all of them at once: 200 rows take 2.5 instead of 8 to 20 ms.
    if (this.#isCold) for (const row of numbers) willNeed(bytes.fd, row * rowBytes, rowBytes);
    for (const i of byPosition(numbers)) {
      readAt(bytes, out, (first + i) * rowBytes, rowBytes, numbers[i] * rowBytes);
    }
    this.#isCold = performance.now() - start > numbers.length * (CALL + rowBytes * BYTE);
  }
}

/** The indices of row numbers in the order of the numbers: a disk reads forwards. */
function byPosition(numbers: Int32Array): Iterable<number> {
  const { length } = numbers;
  // Both in one float64, since numbers without a comparator are sorted fast.
  const keys = Float64Array.from(numbers, (row, i) => row * length + i).sort();
  return keys.map((key) => key % length);
}

export class FileRows implements FeatureRows {
  readonly #file: MatrixFile;

  /** @param start the first of them in the file */
  constructor(
    file: MatrixFile,
    readonly start: number,
    readonly rows: number,
  ) {
    this.#file = file;
  }

  get columns(): number {
    return this.#file.columns;
  }

  read(first: number, count: number): FloatArray {
    const { dtype, columns } = this.#file;
    const out = floatsOf(dtype, count * columns);
    readRows(this.#file, this.start + first, out);
    return out;
  }
}
