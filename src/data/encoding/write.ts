/** Rows of a table as rows of a matrix, by encodings that were fitted on this table or on another. */
import { ExitCode, MlpError } from '../../errors.js';
import { Levels } from '../levels.js';
import type { Matrix } from '../numeric/matrix.js';
import { cellLocation, numericColumn, type Table, textColumn } from '../table.js';
import {
  type CategoryEncoding,
  encodingWidth,
  type FeatureEncoding,
  matrixWidth,
  type NumericEncoding,
  takesMissing,
} from './encoding.js';
import { requireComplete } from './missing.js';

/** A level of a category that its encoding does not know, and how many of the rows hold it. */
export interface UnknownLevel {
  readonly column: string;
  readonly level: string;
  readonly rows: number;
}

/**
 * Rows are written in blocks, column by column within each: so the rows of a block, which may lie anywhere in the
 * matrix, stay in the cache until they are complete. A million shuffled rows of 30 columns
 * are written in a sixth of the time that they take all at once.
 */
const BLOCK_BYTES = 2 ** 18;
const LEAST_BLOCK_ROWS = 32;
const MOST_BLOCK_ROWS = 512;

/** Numbers from here on are rounded to infinity. */
const TOO_LARGE = { float32: 2 ** 128 - 2 ** 103, float64: Number.POSITIVE_INFINITY };

/** The rows to be written and where they go. */
interface Target {
  /** Rows of the table, rising. */
  readonly rows: Int32Array;
  /** [table rows] The row of the matrix. */
  readonly place: Int32Array;
  readonly elements: Float32Array | Float64Array;
  readonly width: number;
  readonly tooLarge: number;
}

/** Writes an encoding's columns for the rows with the numbers from..to of the target; false where a number is too large. */
type Writer = (from: number, to: number) => boolean;

/**
 * Writes every row whose `place` [table rows] is not negative to that row of the matrix, and says which levels are not known.
 * `indices` are the table's columns, one for each encoding.
 *
 * @throws MlpError (65) with line and column for the first missing cell whose encoding takes none, and for the first number
 *   that the matrix can't hold when it is scaled; rows before it may have been written
 */
export function writeFeatures(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  place: Int32Array,
  matrix: Matrix,
): { unknown: UnknownLevel[] } {
  const width = matrixWidth(encodings);
  if (matrix.columns !== width) throw new RangeError(`${matrix.columns} columns when expected ${width}`);
  const rows = placedRows(place);
  const complete = indices.filter((_, i) => !takesMissing(encodings[i]));
  requireComplete(table, complete, rows);

  const elements = elementsOf(matrix);
  const target = { rows, place, elements, width, tooLarge: TOO_LARGE[matrix.dtype] };
  let offset = 0;
  const writers = encodings.map((encoding, i): Writer => {
    const first = offset;
    offset += encodingWidth(encoding);
    if (encoding.kind === 'numeric') {
      const { values } = numericColumn(table, indices[i]);
      return (from, to) => writeNumbers(target, first, values, encoding, from, to);
    }
    const { codes, levels } = textColumn(table, indices[i]);
    const columns = oneHot(encoding, levels);
    return (from, to) => writeLevels(target, first, codes, columns, from, to);
  });
  const rowBytes = width * elements.BYTES_PER_ELEMENT;
  const step = Math.max(LEAST_BLOCK_ROWS, Math.min(MOST_BLOCK_ROWS, Math.floor(BLOCK_BYTES / rowBytes)));
  for (let from = 0; from < rows.length; from += step) {
    const to = Math.min(from + step, rows.length);
    let held = true;
    for (const write of writers) held = write(from, to) && held;
    if (!held) throw tooLarge(table, indices, encodings, rows.subarray(from, to), matrix);
  }
  return { unknown: unknownLevels(table, indices, encodings, rows) };
}

// The loops stand in functions of their own, on parameters: over a closure's variables they take three times as long.

function writeNumbers(
  { rows, place, elements, width, tooLarge }: Target,
  offset: number,
  values: Float64Array,
  { shift, scale, fill = Number.NaN, indicator }: NumericEncoding,
  from: number,
  to: number,
): boolean {
  let held = true;
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const value = values[row];
    const missing = Number.isNaN(value);
    const scaled = ((missing ? fill : value) - shift) / scale;
    const at = place[row] * width + offset;
    elements[at] = scaled;
    if (indicator) elements[at + 1] = missing ? 1 : 0;
    if (!(Math.abs(scaled) < tooLarge)) held = false;
  }
  return held;
}

function writeLevels(
  { rows, place, elements, width }: Target,
  offset: number,
  codes: Int32Array,
  { columns, columnOf, columnOfMissing }: OneHot,
  from: number,
  to: number,
): boolean {
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const code = codes[row];
    const one = code < 0 ? columnOfMissing : columnOf[code];
    const at = place[row] * width + offset;
    for (let j = 0; j < columns; j++) elements[at + j] = 0;
    if (one >= 0) elements[at + one] = 1;
  }
  return true;
}

/** Which of a category's columns is 1; −1 for none. */
interface OneHot {
  readonly columns: number;
  /** [codes] */
  readonly columnOf: Int32Array;
  readonly columnOfMissing: number;
}

function oneHot(encoding: CategoryEncoding, cells: readonly string[]): OneHot {
  const { fill, indicator } = encoding;
  const known = Levels.of(encoding.levels);
  const columns = encodingWidth(encoding);
  const columnOf = Int32Array.from(cells, (cell) => known.index(cell) ?? -1);
  if (indicator) return { columns, columnOf, columnOfMissing: columns - 1 };
  return { columns, columnOf, columnOfMissing: fill === undefined ? -1 : (known.index(fill) ?? -1) };
}

/** In the order of the encodings, and of the levels' first rows in the file. */
function unknownLevels(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  rows: Int32Array,
): UnknownLevel[] {
  return encodings.flatMap((encoding, i) => {
    if (encoding.kind === 'numeric') return [];
    const { levels, codes } = textColumn(table, indices[i]);
    const known = Levels.of(encoding.levels);
    const unknown = levels.map((level) => known.index(level) === undefined);
    if (!unknown.includes(true)) return [];
    const rowsOfCode = new Int32Array(levels.length);
    for (let r = 0; r < rows.length; r++) if (codes[rows[r]] >= 0) rowsOfCode[codes[rows[r]]]++;
    return levels
      .map((level, code) => ({ column: encoding.column, level, rows: rowsOfCode[code] }))
      .filter(({ rows }, code) => unknown[code] && rows > 0);
  });
}

/** Numbers of the rows that have a place, rising. */
function placedRows(place: Int32Array): Int32Array {
  const rows = new Int32Array(place.length);
  let count = 0;
  for (let row = 0; row < place.length; row++) if (place[row] >= 0) rows[count++] = row;
  return rows.subarray(0, count);
}

/** From the matrix's first element to the end of its memory. */
function elementsOf({ buffer, byteOffset, dtype }: Matrix): Float32Array | Float64Array {
  const bytes = buffer.byteLength - byteOffset;
  return dtype === 'float32'
    ? new Float32Array(buffer, byteOffset, Math.floor(bytes / 4))
    : new Float64Array(buffer, byteOffset, Math.floor(bytes / 8));
}

/** The error for the first number of these rows that is too large; there is one. */
function tooLarge(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  rows: Int32Array,
  { dtype }: Matrix,
): MlpError {
  for (const row of rows) {
    for (const [i, encoding] of encodings.entries()) {
      if (encoding.kind === 'category') continue;
      const { fill = Number.NaN, shift, scale } = encoding;
      const cell = numericColumn(table, indices[i]).values[row];
      const value = Number.isNaN(cell) ? fill : cell;
      const scaled = (value - shift) / scale;
      if (Math.abs(scaled) < TOO_LARGE[dtype]) continue;
      const found = Number.isNaN(cell) ? `a missing value, filled with ${fill}` : `${value}`;
      return tooLargeError(
        cellLocation(table, indices[i], row),
        scaled === value ? found : `${found}, scaled ${scaled}`,
        dtype,
      );
    }
  }
  throw new RangeError('no number is too large');
}

/** The error (65) for a number, found at `place`, that a matrix can't hold. */
export function tooLargeError(place: string, found: string, dtype: Matrix['dtype']): MlpError {
  return new MlpError(
    ExitCode.data,
    `${place}: found ${found}, expected a number that fits a ${dtype}`,
    dtype === 'float32' ? 'check the value, or set "dtype" to "float64"' : 'check the value and its unit',
  );
}
