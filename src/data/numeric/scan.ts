/** The first pass: checks the structure, counts rows, and reads and joins kept columns. */

import { isUtf8 } from 'node:buffer';
import { parseDecimal } from '../cell.js';
import { isMissingNumber } from '../missingValues.js';
import { MOST_SPELLINGS } from '../table.js';
import type { Reader } from './chunkReader.js';
import { type Chunk, loadRows, loadUnquoted, type Span } from './chunks.js';
import { RowsFound } from './modules.js';
import { cellText, isQuoted, levelText, rowsOfBreaks } from './quotedCells.js';

/** A column to keep in memory. */
export interface KeptColumn {
  readonly column: number;
  readonly kind: KeptKind;
}

/** `label`: numbers that keep their spelling. */
export type KeptKind = 'numeric' | 'label' | 'text';

/** The cells of a kept column in one chunk. */
export type KeptCells =
  | {
      readonly kind: 'numeric';
      readonly spaces: boolean;
      readonly values: Float64Array;
      readonly missing: number;
      /** Of labels that are not all plain integers. */
      readonly written?: KeptTexts | 'many';
    }
  | KeptTexts;

interface KeptTexts {
  readonly kind: 'text';
  readonly spaces: boolean;
  readonly codes: Int32Array;
  readonly texts: readonly string[];
}

export interface ScannedChunk extends Chunk {
  /** Whether spaces around cells were dropped. */
  readonly spaces: boolean;
  /** In the order of `kept`. */
  readonly cells: readonly KeptCells[];
  /** The rows with line breaks in cells, counted from the first of the chunk: one for each. */
  readonly breaks: Uint32Array;
  /** [rows, columns of the file] In shared memory; see `long`. */
  readonly numbers?: Float64Array;
}

/** A chunk that csv-parse should read, if a row does begin where it seems to. */
interface DeclinedChunk {
  readonly begin: number;
  readonly cells?: undefined;
}

export interface ScanTask {
  readonly kind: 'scan';
  /** By ascending column; one may be kept as several kinds. */
  readonly kept: readonly KeptColumn[];
  /** Columns whose numbers are long, so that reading them twice takes longer than keeping them. */
  readonly long?: LongColumns;
}

interface LongColumns {
  readonly features: Int32Array;
  /** The features, and kept columns of numbers. */
  readonly columns: Int32Array;
  /** Numbers that are kept of a chunk; of one with more, or with a cell that is not a number, there are none. */
  readonly mostNumbers: number;
}

const BYTES_OF_START = 4;
/** Ends a list of columns: no row has as many cells, however wide it is. */
const NO_COLUMN = 0x7fffffff;
const LINE_FEED = 0x0a;
const NO_BREAKS = new Uint32Array();

/** Returns the function that does chunks. */
export function scanner(reader: Reader, task: ScanTask): (index: number) => ScanResult {
  // Labels with so many spellings in one chunk that those of others don't matter.
  const many = new Set<number>();
  return (index) => scanChunk(reader, task, index, undefined, many);
}

export type ScanResult = ScannedChunk | DeclinedChunk;

/**
 * Scans the rows that start in one part of the file. The first one is taken to start after a line
 * feed, which may be one within quotes; unless `begin` is where it starts.
 */
export function scanChunk(
  reader: Reader,
  { kept, long }: ScanTask,
  index: number,
  begin?: number,
  many = new Set<number>(),
): ScanResult {
  const { space, file, format, tuning } = reader;
  const start = format.dataStart + index * tuning.chunkBytes;
  const limit = Math.min(start + tuning.chunkBytes, file.size);
  const part = { start: begin ?? start, limit, isRowStart: begin !== undefined || index === 0 };
  const loaded = loadRows(space, file, part);
  if (loaded.text === undefined) return loaded;
  if (loaded.text.at === loaded.text.end) {
    const none = { rows: 0, quoted: false, untidy: false, spaces: false, breaks: NO_BREAKS };
    return { begin: loaded.begin, end: loaded.begin, ...none, cells: kept.map(({ kind }) => noCells(kind)) };
  }
  return scanRows(reader, kept, long, loaded.begin, loaded.text, limit, many) ?? { begin: loaded.begin };
}

/** Undefined if csv-parse should read the rows. */
function scanRows(
  reader: Reader,
  kept: ScanTask['kept'],
  long: LongColumns | undefined,
  begin: number,
  loaded: Span,
  limit: number,
  many: Set<number>,
): ScannedChunk | undefined {
  const { space, file, format } = reader;
  const { columns, exports } = space;
  let { at, end: textEnd } = loaded;
  let end = Math.min(begin + (textEnd - at), file.size);
  space.endText(textEnd);

  const trailing = Array.from({ length: format.trailing }, (_, i) => columns - format.trailing + i);
  const own = [...new Set(kept.map(({ column }) => column))];
  const wanted = [...own, ...trailing];
  space.words.set([...wanted, NO_COLUMN], space.at.kept / 4);
  const step = wanted.length;
  let starts = 0;
  let quoted = false;
  const check = () => {
    const mostRows = Math.ceil((textEnd - at) / columns) + 1;
    starts = space.reserve(textEnd - space.at.text, mostRows * step * BYTES_OF_START);
    return exports.checkRows(at, textEnd, reader.delimiter, columns, space.at.kept, starts, quoted);
  };

  let what = check();
  if (what === RowsFound.quoted) {
    quoted = true;
    const found = loadUnquoted(space, file, reader.delimiter, begin, limit);
    if (found === undefined) return undefined;
    ({ at, end: textEnd, fileEnd: end } = found);
    what = check();
  }
  const untidy = what === RowsFound.untidy;
  if (untidy) {
    textEnd = exports.tidy(at, textEnd, reader.delimiter);
    if (textEnd === 0) return undefined;
    space.endText(textEnd);
    what = check();
  }
  if (what !== RowsFound.plain) return undefined;
  if (!exports.isAscii.value && !isUtf8(space.bytes.subarray(at, textEnd))) return undefined;

  const rows = exports.rows.value;
  for (let i = own.length; i < step; i++) {
    if (!areEmpty(reader, { starts: starts + i * BYTES_OF_START, step, rows })) return undefined;
  }
  const text = { at, end: textEnd };
  reader.spaces = false;
  const read = long && readAllNumbers(reader, long, text, rows);
  const cells: KeptCells[] = [];
  // One memory for the numbers of all columns: of a wide table, a chunk has a few in each of thousands.
  const numeric = kept.filter(({ kind }) => kind !== 'text').map(({ column }) => column);
  const room = new Float64Array(rows * numeric.length);
  const isWide = !long && numeric.length >= reader.tuning.manyColumns && numeric.length * 2 > columns;
  const wide = isWide ? readColumns(reader, Int32Array.from(numeric), text, room) : undefined;
  let taken = 0;
  const numbersOf = (column: number, place: Starts, spelled: boolean) => {
    const values = room.subarray(taken, taken + rows);
    const missing = wide?.[column];
    taken += rows;
    if (missing !== undefined && !spelled)
      return { kind: 'numeric', spaces: false, values, missing } as const;
    return (!spelled && read?.column(column, values)) || readNumbers(reader, place, values, spelled);
  };
  let i = 0;
  for (const { column, kind } of kept) {
    if (column !== own[i]) i++;
    const first = starts + i * BYTES_OF_START;
    const place = { starts: first, step, rows };
    const spelled = kind === 'label' && !many.has(column);
    const found = kind === 'text' ? readTexts(reader, place) : numbersOf(column, place, spelled);
    if (found === undefined) return undefined;
    if (found.kind === 'numeric' && found.written === 'many') many.add(column);
    cells.push(many.has(column) && found.kind === 'numeric' ? { ...found, written: 'many' } : found);
  }
  const spaces =
    (untidy && exports.spaces.value === 1) ||
    (quoted && exports.spacesAroundQuotes.value === 1) ||
    reader.spaces ||
    cells.some((column) => column.spaces);
  const breaks = quoted && exports.hasLineBreaks.value === 1 ? rowsOfBreaks(space, at, textEnd) : NO_BREAKS;
  const numbers = read && { numbers: read.numbers };
  return { begin, end, rows, quoted, untidy, spaces, cells, breaks, ...numbers };
}

/** All numbers of a chunk, with a function for one of its columns; nothing if a cell of a feature is not a number. */
function readAllNumbers(
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
  const column = (index: number, values: Float64Array): KeptCells | undefined => {
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
function readColumns(reader: Reader, columns: Int32Array, text: Span, into: Float64Array) {
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

/** Where the cells of a column are. */
interface Starts {
  /** Address of the positions before the cells. */
  readonly starts: number;
  /** Elements from one row to the next. */
  readonly step: number;
  readonly rows: number;
}

function areEmpty({ space, delimiter }: Reader, { starts, step, rows }: Starts): boolean {
  for (let row = 0; row < rows; row++) {
    const start = space.words[starts / 4 + row * step] + 1;
    if (space.bytes[start] !== LINE_FEED && space.bytes[start] !== delimiter) return false;
  }
  return true;
}

function noCells(kind: KeptColumn['kind']): KeptCells {
  return kind === 'text'
    ? { kind, spaces: false, codes: new Int32Array(), texts: [] }
    : { kind: 'numeric', spaces: false, values: new Float64Array(), missing: 0 };
}

/** Reads numbers into `values`; undefined if csv-parse should. */
function readNumbers(
  reader: Reader,
  place: Starts,
  values: Float64Array,
  areLabels: boolean,
): KeptCells | undefined {
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
): KeptTexts | 'many' {
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

function readTexts(reader: Reader, place: Starts): KeptCells {
  const { codes, texts: written } = codeFewTexts(reader, place) ?? codeAnyTexts(reader, place);
  const texts = written.map((text) => levelText(text, reader.format.delimiter));
  // Other spaces than blanks.
  const spaces = texts.some((text, code) => text !== written[code] && !isQuoted(written[code]));
  return { kind: 'text', spaces, codes, texts };
}

interface CodedTexts {
  readonly codes: Int32Array;
  readonly texts: readonly string[];
}

/** Undefined if there are more different texts than the workspace has room for. */
function codeFewTexts({ space, blockSize, delimiter }: Reader, place: Starts): CodedTexts | undefined {
  const { starts, step, rows } = place;
  const { exports, words, bytes, at } = space;
  const most = 2 ** Math.floor(Math.log2(blockSize.cells));
  const { slots } = at;
  bytes.fill(0, slots, slots + 2 * most * Uint32Array.BYTES_PER_ELEMENT);
  const codes = new Int32Array(rows);
  let known = 0;
  for (let row = 0; row < rows; row += blockSize.cells) {
    const count = Math.min(blockSize.cells, rows - row);
    const first = starts + row * step * BYTES_OF_START;
    const mask = 2 * most - 1;
    known = exports.codeTexts(first, step, count, delimiter, at.marks, at.values, known, most, slots, mask);
    if (known < 0) return undefined;
    codes.set(words.subarray(at.marks / 4, at.marks / 4 + count), row);
  }
  const texts = Array.from({ length: known }, (_, code) => {
    const [start, length] = words.subarray(at.values / 4 + 2 * code);
    return Buffer.from(bytes.buffer, start, length).toString();
  });
  return { codes, texts };
}

function codeAnyTexts(reader: Reader, { starts, step, rows }: Starts): CodedTexts {
  const { words, bytes } = reader.space;
  const levels = new ByteLevels();
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = words[starts / 4 + row * step] + 1;
    codes[row] = levels.code(bytes, start, reader.cellEnd(start));
  }
  return { codes, texts: levels.texts };
}

const FIRST_SLOTS = 64;
const EMPTY = -1;
export const MISSING = -1;

class ByteLevels {
  /** In the order of their first cell, including texts that mean a missing value. */
  readonly texts: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  /** Open addressing, at most half full: the code of a text, by its hash. */
  #slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);

  /** The code of the text at..end. */
  code(memory: Uint8Array, at: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(memory, at, end) & mask;
    for (;;) {
      const code = this.#slots[slot];
      if (code === EMPTY) return this.#add(memory.slice(at, end), slot);
      if (isSame(this.#bytes[code], memory, at, end)) return code;
      slot = (slot + 1) & mask;
    }
  }

  #add(bytes: Uint8Array, slot: number): number {
    const code = this.texts.length;
    this.texts.push(Buffer.from(bytes.buffer).toString());
    this.#bytes.push(bytes);
    this.#slots[slot] = code;
    if (this.texts.length * 2 > this.#slots.length) this.#grow();
    return code;
  }

  #grow(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(EMPTY);
    this.#bytes.forEach((bytes, code) => {
      let slot = hash(bytes, 0, bytes.length) & mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.#slots[slot] = code;
    });
  }
}

/** FNV-1a with its upper bits folded in. */
function hash(bytes: Uint8Array, at: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = at; i < end; i++) value = Math.imul(value ^ bytes[i], 0x01000193);
  return value ^ (value >>> 15);
}

function isSame(known: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (known.length !== end - at) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[at + i]) return false;
  return true;
}
