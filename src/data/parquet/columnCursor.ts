/**
 * Reads columns of a Parquet file some rows at a time. Pages of the columns don't end at the same rows, and row
 * groups may be larger than memory, so each column goes from page to page by itself.
 */
import type { MissingValues } from '../missingValues.js';
import {
  type Column,
  type ColumnKind,
  countMissing,
  joined,
  type NumericColumn,
  sliceCells,
  type TextColumn,
} from '../table.js';
import type { ColumnReader } from './columnReader.js';
import { addBadCell, type BadCells, noBadCells } from './columns.js';
import type { PageReader } from './pages.js';

/** What all columns keep from one read to the next, in bytes. */
const KEPT_BYTES = 2 ** 28;
/** More levels are forgotten, or texts that never repeat would gather. */
const MOST_LEVELS = 2 ** 16;

/** A column to read; its kind is not guessed. */
export interface CursorColumn {
  readonly index: number;
  readonly kind: ColumnKind;
  readonly missingValues: MissingValues;
  /** Whether cells that are no numbers are collected; otherwise the first is an error. */
  readonly keepsBad?: boolean;
}

/** Rows of a column, and those of its cells that should be numbers and are none. */
export interface ReadCells {
  readonly column: Column;
  readonly bad: BadCells;
}

/** Rows from `first` to `end` - 1 of the file. */
interface DecodedPage extends ReadCells {
  readonly first: number;
  readonly end: number;
}

class ColumnCursor {
  readonly #reader: ColumnReader;
  readonly #column: CursorColumn;
  readonly #keptBytes: number;
  #made: ReturnType<ColumnReader['builderOf']> | undefined;
  #pages: PageReader | undefined;
  #group = -1;
  /** The first row of the group, and the one after its last. */
  #first = 0;
  #end = 0;
  #page: DecodedPage | undefined;

  /** @param columns how many are read beside each other */
  constructor(reader: ColumnReader, column: CursorColumn, columns: number) {
    this.#reader = reader;
    this.#column = column;
    this.#keptBytes = KEPT_BYTES / columns;
  }

  /**
   * The cells of the rows from `from` to `to` - 1, which are not before those of the last call.
   * @throws MlpError as ColumnReader
   */
  read(from: number, to: number): ReadCells {
    const bad = noBadCells();
    const parts: Column[] = [];
    for (let row = from; row < to; ) {
      const page = this.#pageOf(row);
      const end = Math.min(page.end, to);
      parts.push(sliceCells(page.column, row - page.first, end - page.first));
      addBad(page.bad, row - page.first, end - page.first, bad, row - from, to - from);
      row = end;
    }
    this.#rest();
    return { column: joinParts(parts), bad };
  }

  #pageOf(row: number): DecodedPage {
    if (this.#page && row < this.#page.end) return this.#page;
    this.#page = undefined;
    while (row >= this.#end) {
      this.#first = this.#end;
      this.#end += this.#reader.groups[++this.#group];
      this.#pages = undefined;
    }
    const { index, kind, missingValues, keepsBad } = this.#column;
    return this.#reader.attempt(this.#group, index, () => {
      this.#pages ??= this.#reader.pagesOf(this.#group, index);
      const page = this.#pages.next(row - this.#first);
      if (page === undefined) throw new RangeError(`no page has row ${row}`);
      const end = this.#first + this.#pages.done;
      const start = { first: end - page.rows, rows: page.rows, bad: keepsBad ? noBadCells() : undefined };
      if (this.#made) {
        Object.assign(this.#made.context, start);
        this.#made.builder.begin();
      } else this.#made = this.#reader.builderOf(index, kind, missingValues, start);
      this.#made.builder.add(page);
      const column = this.#made.builder.finish();
      this.#page = { first: start.first, end, column, bad: start.bad ?? noBadCells() };
      return this.#page;
    });
  }

  /** Frees what is more than this column's share: it is read again. */
  #rest(): void {
    const pages = this.#pages;
    const column = this.#page?.column;
    const ofPage = column?.kind === 'numeric' ? column.values.byteLength : (column?.codes.byteLength ?? 0);
    const ofDictionary = 2 * (pages?.dictionaryBytes ?? 0);
    const share = ofPage + ofDictionary > this.#keptBytes ? this.#keptBytes / 2 : Number.POSITIVE_INFINITY;
    if (ofDictionary > share) {
      pages?.forget();
      this.#made?.builder.forget();
    }
    const isFull = column?.kind === 'text' && column.levels.length > MOST_LEVELS;
    if (isFull) this.#made = undefined;
    if (!this.#page || !(isFull || ofPage > share)) return;
    pages?.back();
    this.#page = undefined;
  }
}

/** Rows of a table. */
export interface Block {
  readonly first: number;
  readonly rows: number;
  /** [columns] */
  readonly cells: readonly ReadCells[];
}

/** Of a block: 64 MiB of numbers. */
const MOST_CELLS = 2 ** 23;
const MOST_ROWS = 2 ** 18;
/** Cells of text take their strings, too. */
const CELLS_OF_TEXT = 8;

/** All rows of these columns, some at a time. */
export function* readBlocks(
  reader: ColumnReader,
  columns: readonly CursorColumn[],
): Generator<Block, void, undefined> {
  const cursors = columns.map((column) => new ColumnCursor(reader, column, columns.length));
  const width = columns.reduce((sum, { kind }) => sum + (kind === 'text' ? CELLS_OF_TEXT : 1), 1);
  const step = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_CELLS / width)));
  for (let first = 0; first < reader.rows; first += step) {
    const end = Math.min(first + step, reader.rows);
    yield { first, rows: end - first, cells: cursors.map((cursor) => cursor.read(first, end)) };
  }
}

/** Pages have the same levels, or the first ones of the last page. */
function joinParts(parts: readonly Column[]): Column {
  const last = parts[parts.length - 1];
  if (parts.length === 1) return last;
  if (last.kind === 'numeric') {
    const values = joined(
      Float64Array,
      parts.map((part) => (part as NumericColumn).values),
    );
    return { kind: 'numeric', values, missing: countMissing(values) };
  }
  const codes = joined(
    Int32Array,
    parts.map((part) => (part as TextColumn).codes),
  );
  return { kind: 'text', levels: last.levels, codes, missing: countMissing(codes) };
}

/** Adds the bad cells of some rows of a page to those of the rows that are read. */
function addBad(page: BadCells, from: number, to: number, bad: BadCells, at: number, rows: number): void {
  if (page.texts.size === 0) return;
  const texts = [...page.texts.keys()];
  for (let row = from; row < to; row++) {
    if (page.codes[row] > 0) addBadCell(bad, texts[page.codes[row] - 1], at + row - from, rows);
  }
}
