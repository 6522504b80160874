/** A matrix of features in a file: its rows one after another from the first byte, as little-endian numbers. */
import { closeSync } from 'node:fs';
import { bytesPerElement, floatsOf } from '../kernels/arena.js';
import type { DType, FloatArray } from '../kernels/kernels.js';
import type { FeatureRows } from './featureMatrix.js';
import { type FileBytes, readAt } from './source/fileBytes.js';

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

/** Reads one row to the place of row `to` in the bytes of a tensor; throws as `readRows`. */
export function readRow(
  { dtype, columns, bytes }: MatrixFile,
  row: number,
  out: Uint8Array,
  to: number,
): void {
  const rowBytes = columns * bytesPerElement(dtype);
  readAt(bytes, out, to * rowBytes, rowBytes, row * rowBytes);
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
