/** Reads a CSV in tables of a few rows, so that it may be larger than memory. */
import { allMissingTexts, OLD_MISSING, unmarked } from '../missingValues.js';
import type { Source } from '../source/source.js';
import type { ColumnKind } from '../table.js';
import type { ChunkOptions, ReadRows } from '../tableSource.js';
import type { Dialect } from './dialect.js';
import { TableBuilder } from './readTable.js';
import { readRecordChunks } from './records.js';

/**
 * Reads the rows in tables of `capacity` rows, and the last of fewer; none is empty. An error comes
 * after the rows before it.
 * @throws MlpError as `readRecordChunks` and `TableBuilder.add` do
 */
export async function* readChunks(
  source: Source,
  dialect: Dialect,
  kinds: readonly ColumnKind[],
  capacity: number,
  { missingValues, ...options }: ChunkOptions,
): AsyncGenerator<ReadRows, void, undefined> {
  const marked = missingValues === OLD_MISSING ? [] : allMissingTexts(missingValues);
  const tableStart = { ...dialect, missingValues };
  const start = () => ({
    builder: new TableBuilder(source.name, tableStart, kinds, capacity),
    cells: [] as (readonly string[])[],
  });
  let next = start();
  // The tables of one chunk of the file.
  let read: ReadRows[] = [];
  const finish = () => {
    const { builder, cells } = next;
    if (builder.rows > 0) read.push({ table: builder.finish(), cells });
    next = start();
  };
  const onRecord = (cells: readonly string[], line: number) => {
    next.builder.add(cells, line);
    next.cells.push(marked.length > 0 ? cells.map(unmarked) : cells);
    if (next.builder.rows === capacity) finish();
  };
  let failure: { error: unknown } | undefined;
  try {
    for await (const _ of readRecordChunks(source, dialect, { onRecord, marked, ...options })) {
      yield* read;
      read = [];
    }
  } catch (error) {
    failure = { error };
  }
  // The rows before the one that failed are sound, or hold an earlier fault.
  finish();
  yield* read;
  if (failure) throw failure.error;
  source.requireUnchanged();
}
