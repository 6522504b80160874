/** The first pass: checks the structure, counts rows, and reads and joins kept columns. */
import { isUtf8 } from 'node:buffer';
import type { Reader } from './chunkReader.js';
import { type Chunk, loadRows, loadUnquoted, type Span } from './chunks.js';
import { RowsFound } from './modules.js';
import {
  type LongColumns,
  type NumericCells,
  readAllNumbers,
  readColumns,
  readNumbers,
} from './numericCells.js';
import { rowsOfBreaks } from './quotedCells.js';
import { BYTES_OF_START, readTexts, type Starts, type TextCells } from './textCells.js';

/** A column to keep in memory. */
export interface KeptColumn {
  readonly column: number;
  readonly kind: KeptKind;
}

/** `label`: numbers that keep their spelling. */
export type KeptKind = 'numeric' | 'label' | 'text';

/** The cells of a kept column in one chunk. */
export type KeptCells = NumericCells | TextCells;

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
