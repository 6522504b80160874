/** Reads a table a few rows at a time, so that its file may be larger than memory. */
import { allMissingTexts, OLD_MISSING, unmarked } from '../missingValues.js';
import type { BadRow, UnreadRow } from '../rejectedRows.js';
import type { Source } from '../source/source.js';
import type { ColumnKind } from '../table.js';
import type { ChunkOptions, ReadRows } from '../tableSource.js';
import type { Dialect } from './dialect.js';
import { TableBuilder, type TableStart } from './readTable.js';
import { readRecordChunks } from './records.js';

/** Takes a row and its line in the file, from 1; a row that can't be told apart has empty cells. */
type AddRow = (cells: readonly string[], line: number, unread?: UnreadRow) => void;

/**
 * Reads the rows of a CSV, `capacity` at a time. An error comes after the rows before it.
 * @throws MlpError as `readRecordChunks` and `TableBuilder.add` do
 */
export async function* readChunks(
  source: Source,
  dialect: Dialect,
  kinds: readonly ColumnKind[],
  capacity: number,
  { missingValues, rejected, ...options }: ChunkOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  const marked = missingValues === OLD_MISSING ? [] : allMissingTexts(missingValues);
  const start = { ...dialect, missingValues, ...(rejected && { rejected }) };
  yield* inTables(source.name, start, kinds, capacity, (onRecord) =>
    readRecordChunks(source, dialect, { onRecord, marked, ...options }),
  );
  source.requireUnchanged();
}

/**
 * Makes tables of the rows that `read` adds, `capacity` rows at a time. `read` pauses now and then,
 * and an error of it comes after the rows before it.
 */
export async function* inTables(
  path: string,
  start: TableStart,
  kinds: readonly ColumnKind[],
  capacity: number,
  read: (add: AddRow) => AsyncIterable<void>,
): AsyncGenerator<ReadRows, void, undefined> {
  const isMarked = start.missingValues !== OLD_MISSING;
  const begin = () => ({
    builder: new TableBuilder(path, start, { kinds }, capacity),
    cells: [] as (readonly string[])[],
    bad: new Map<number, BadRow & { readonly line: number }>(),
  });
  // Not before there is a row: of a wide table, it takes as much as its columns.
  let next: ReturnType<typeof begin> | undefined;
  // The tables of one chunk of the file.
  let full: ReadRows[] = [];
  const finish = () => {
    if (next) full.push({ table: next.builder.finish(), cells: next.cells, bad: next.bad });
    next = undefined;
  };
  const add: AddRow = (cells, line, unread) => {
    next ??= begin();
    const bad = next.builder.add(cells, line, unread);
    if (bad) next.bad.set(next.cells.length, { ...bad, line });
    next.cells.push(isMarked ? cells.map(unmarked) : cells);
    if (next.cells.length === capacity) finish();
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
