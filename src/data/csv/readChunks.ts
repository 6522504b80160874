/** Reads a table a few rows at a time, so that its file may be larger than memory. */
import { allMissingTexts, OLD_MISSING, unmarked } from '../missingValues.js';
import type { BadRow, UnreadRow } from '../rejectedRows.js';
import type { Source } from '../source/source.js';
import type { ColumnKind, Table } from '../table.js';
import type { ChunkOptions, ReadRows } from '../tableSource.js';
import type { Dialect } from './dialect.js';
import { TableBuilder, type TableStart } from './readTable.js';
import { readRecordChunks } from './records.js';

const NO_CELLS: readonly string[] = [];
/** The cells of a first table that memory is taken for at once: a file may have fewer rows than a table. */
const FIRST_CELLS = 2e5;

/**
 * Takes a row and its line in the file, from 1; a row that can't be told apart has no cells. Returns
 * whether a table is full: a reader should pause soon, or its tables gather.
 */
export type AddRow = (cells: readonly string[], line: number, unread?: UnreadRow) => boolean;

/**
 * Reads the rows of a CSV, `capacity` at a time. An error comes after the rows before it.
 * @throws MlpError as `readRecordChunks` and `TableBuilder.add` do
 */
export async function* readChunks(
  source: Source,
  dialect: Dialect,
  kinds: readonly ColumnKind[],
  capacity: number,
  { missingValues, rejected, kept, ...options }: ChunkOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  const marked = missingValues === OLD_MISSING ? [] : allMissingTexts(missingValues);
  const start = { ...dialect, missingValues, ...(rejected && { rejected }) };
  yield* inTables(source.name, start, { kinds, capacity, kept }, (onRecord) =>
    readRecordChunks(source, dialect, { onRecord, marked, ...options }),
  );
  source.requireUnchanged();
}

interface TableSize {
  readonly kinds: readonly ColumnKind[];
  /** The rows of a table, bad ones included. */
  readonly capacity: number;
  /** As of `ChunkOptions`. */
  readonly kept?: readonly number[] | undefined;
}

/**
 * Makes tables of the rows that `read` adds, `capacity` rows at a time. `read` pauses now and then,
 * and an error of it comes after the rows before it.
 */
export async function* inTables(
  path: string,
  start: TableStart,
  { kinds, capacity, kept }: TableSize,
  read: (add: AddRow) => AsyncIterable<void>,
): AsyncGenerator<ReadRows, void, undefined> {
  const isMarked = start.missingValues !== OLD_MISSING;
  const keepsCells = kept?.length !== 0;
  const room = Math.min(capacity, Math.ceil(FIRST_CELLS / kinds.length));
  const begin = (rows = room) => new TableBuilder(path, start, { kinds }, rows);
  // Not before there is a row: of a wide table, it takes as much as its columns.
  let builder: TableBuilder | undefined;
  let cells: (readonly string[])[] = [];
  let bad = new Map<number, BadRow & { readonly line: number }>();
  /** Of rows that are all bad. */
  let empty: Table | undefined;
  // The tables since the last pause.
  let full: ReadRows[] = [];
  const finish = () => {
    if (cells.length === 0) return;
    if (builder && builder.rows > 0) {
      full.push({ table: builder.finish(), cells, bad });
      builder = undefined;
    } else {
      empty ??= begin(0).finish();
      full.push({ table: empty, cells, bad });
    }
    cells = [];
    bad = new Map();
  };
  const add: AddRow = (row, line, unread) => {
    builder ??= begin();
    const found = builder.add(row, line, unread);
    if (found) bad.set(cells.length, { ...found, line });
    cells.push(keepsCells ? (isMarked ? row.map(unmarked) : row) : NO_CELLS);
    if (cells.length < capacity) return false;
    finish();
    return true;
  };
  let failure: { error: unknown } | undefined;
  try {
    for await (const _ of read(add)) {
      yield* full;
      full = [];
    }
  } catch (error) {
    failure = { error };
  }
  // The rows before the one that failed are sound, or hold an earlier fault.
  finish();
  yield* full;
  if (failure) throw failure.error;
}
