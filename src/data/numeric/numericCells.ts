/** Columns of numbers in a chunk: one after the other, or many in the order of the text. */
import { parseDecimal } from '../cell.js';
import { isMissingNumber } from '../missingValues.js';
import { MOST_SPELLINGS } from '../table.js';
import type { Reader } from './chunkReader.js';
import type { Span } from './chunks.js';
import { cellText, isQuoted } from './quotedCells.js';
import { BYTES_OF_START, ByteLevels, MISSING, type Starts, type TextCells } from './textCells.js';

/** The cells of a column of numbers in one chunk. */
export interface NumericCells {
  readonly kind: 'numeric';
  readonly spaces: boolean;
  readonly values: Float64Array;
  readonly missing: number;
  /** Of labels that are not all plain integers. */
  readonly written?: TextCells | 'many';
}

export interface LongColumns {
  readonly features: Int32Array;
  /** The features, and kept columns of numbers. */
  readonly columns: Int32Array;
  /** Numbers that are kept of a chunk; of one with more, or with a cell that is not a number, there are none. */
  readonly mostNumbers: number;
}

/** All numbers of a chunk, with a function for one of its columns; nothing if a cell of a feature is not a number. */
export function readAllNumbers(
  reader: Reader,
  { features, columns, mostNumbers }: LongColumns,
  text: Span,
  rows: number,
) {
  const { space } = reader;
  const length = rows * space.columns;
  if (length > mostNumbers) return undefined;
  const numbers = new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
  const others = new Set<number>();
  const isNumeric = reader.forEachBlockOf(
    text,
    { firstRow: 0, rows },
    columns,
    false,
    (_, column) => {
      others.add(column);
      return !features.includes(column);
    },
    ({ firstRow, rows }) => {
      numbers.set(space.numbers(space.at.values, rows * space.columns), firstRow * space.columns);
    },
  );
  if (!isNumeric) return undefined;
  const column = (index: number, values: Float64Array): NumericCells | undefined => {
    if (others.has(index)) return undefined;
    for (let row = 0, at = index; row < rows; row++, at += space.columns) values[row] = numbers[at];
    return { kind: 'numeric', spaces: false, values, missing: 0 };
  };
  return { numbers, column };
}

/**
 * Reads numbers [columns, rows] in the order in which they are in the text, since a pass through it for each column would
 * find nothing of it in the cache. Returns how many are missing in each column of the file; nothing if a cell is not a number.
 */
export function readColumns(reader: Reader, columns: Int32Array, text: Span, into: Float64Array) {
  const { space } = reader;
  const rows = into.length / columns.length;
  const missing = new Int32Array(space.columns);
  const areRead = reader.forEachBlockOf(
    text,
    { firstRow: 0, rows },
    columns,
    false,
    (_, column, cell) => {
      missing[column]++;
      return isMissingNumber(cell);
    },
    ({ firstRow, rows: count }) => {
      const block = space.numbers(space.at.values, count * space.columns);
      transpose(block, space.columns, columns, into.subarray(firstRow), rows);
    },
  );
  return areRead ? missing : undefined;
}

/** Writes columns of a block [count, width] to the first rows of `into` [columns, rows]. */
function transpose(
  block: Float64Array,
  width: number,
  columns: Int32Array,
  into: Float64Array,
  rows: number,
): void {
  for (let i = 0; i < columns.length; i++) {
    for (let from = columns[i], to = i * rows; from < block.length; from += width) into[to++] = block[from];
  }
}

/** Reads numbers into `values`; undefined if csv-parse should. */
export function readNumbers(
  reader: Reader,
  place: Starts,
  values: Float64Array,
  areLabels: boolean,
): NumericCells | undefined {
  const { space } = reader;
  const { starts, step, rows } = place;
  const { exports, at } = space;
  let missing = 0;
  let arePlain = true;
  let spaces = false;
  for (let row = 0; row < rows; row += reader.blockSize.cells) {
    const count = Math.min(reader.blockSize.cells, rows - row);
    const first = starts + row * step * BYTES_OF_START;
    const left = exports.readColumn(
      first,
      step,
      count,
      reader.delimiter,
      at.marks,
      at.values,
      at.packed,
      at.others,
    );
    for (let i = 0; i < left; i++) {
      const cell = space.words[at.others / 4 + i];
      const written = reader.writtenCell(space.words[first / 4 + cell * step] + 1);
      const text = cellText(written, reader.format.delimiter).trim();
      spaces ||= text !== written && !isQuoted(written);
      const value = parseDecimal(text);
      if (Number.isFinite(value)) space.doubles[at.values / 8 + cell] = value;
      else if (isMissingNumber(text)) missing++;
      else return undefined;
    }
    values.set(space.numbers(at.values, count), row);
    if (areLabels && arePlain) arePlain = arePlainIntegers(reader, first, step, count);
  }
  const written = areLabels && !arePlain ? readSpellings(reader, place, values) : undefined;
  // A number with spaces in quotes: csv-parse's table knows how it is spelled.
  if (written !== undefined && written !== 'many' && written.texts.some(isQuoted)) return undefined;
  return { kind: 'numeric', spaces, values, missing, ...(written && { written }) };
}

/** Whether the block's cells that are not missing are integers as `String` writes them. */
function arePlainIntegers({ space }: Reader, first: number, step: number, count: number): boolean {
  const { words, doubles, bytes, at } = space;
  for (let i = 0; i < count; i++) {
    const start = words[first / 4 + i * step] + 1;
    const stop = words[at.marks / 4 + i];
    // A single character is a digit, or missing.
    if (stop - start === 1) continue;
    if (!isPlainInteger(bytes, start, stop) && !Number.isNaN(doubles[at.values / 8 + i])) return false;
  }
  return true;
}

const MOST_PLAIN_DIGITS = 15;

/** `isPlainInteger` of cell.ts, for the bytes of more than one character. */
function isPlainInteger(bytes: Uint8Array, start: number, stop: number): boolean {
  const from = bytes[start] === MINUS ? start + 1 : start;
  if (stop - from > MOST_PLAIN_DIGITS || bytes[from] === ZERO) return false;
  for (let i = from; i < stop; i++) if (bytes[i] < ZERO || bytes[i] > NINE) return false;
  return stop > from;
}

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** The texts of cells whose numbers are `values`. */
function readSpellings(
  reader: Reader,
  { starts, step, rows }: Starts,
  values: Float64Array,
): TextCells | 'many' {
  const { words, bytes } = reader.space;
  const levels = new ByteLevels();
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = words[starts / 4 + row * step] + 1;
    codes[row] = Number.isNaN(values[row]) ? MISSING : levels.code(bytes, start, reader.cellEnd(start));
    if (levels.texts.length > MOST_SPELLINGS) return 'many';
  }
  return { kind: 'text', spaces: false, codes, texts: levels.texts.map((text) => text.trim()) };
}
