/**
 * CSV to table. csv-parse decides what a record is; what a cell may hold is decided by the table builder, so that nothing is
 * guessed, trimmed or filled in: the first thing that can't be trusted is an error with its line and column.
 */
import type { Beginning } from '../dialect/dialect.js';
import type { Source } from '../source/source.js';
import type { ColumnKind, Table } from '../table.js';
import { readRecords } from './recordReader.js';
import { buildTable, MOST_ROWS } from './tableBuilder.js';

export interface ReadOptions {
  /** Says what each column is read as; may throw. */
  readonly kinds: (names: readonly string[]) => ColumnKind[];
  /** Told after each piece; begins again where the file has to be read twice. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads all records of data of a source, and a second time where the first rows misled about a column that is `auto`.
 * An MlpError where it can't be read (74), or holds anything but a table of what `kinds` expects (65).
 */
export async function readTable(source: Source, beginning: Beginning, options: ReadOptions): Promise<Table> {
  const { progress } = options;
  const kinds = options.kinds(beginning.names);
  return buildTable(source.name, beginning, kinds, estimateRows(source, beginning), async (builder) => {
    await readRecords(source, beginning, {
      onRecord: (cells, line) => builder.add(cells, line),
      ...(progress && { progress }),
    });
    source.requireUnchanged();
  });
}

/** How many rows there may be, by the length of the first: rather too many, for what is not filled takes no memory. */
function estimateRows({ size }: Source, { sample, dataStart }: Beginning): number {
  let bytes = 0;
  for (const cells of sample) for (const cell of cells) bytes += cell.length + 1;
  const rows = Math.ceil((1.05 * sample.length * (size - dataStart)) / bytes);
  return Math.min(Math.max(rows, 1), MOST_ROWS);
}
