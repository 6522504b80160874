/** Rows of a Parquet file that can't be read: a cell in a column of numbers is text or infinite. */
import { badNumber } from '../csv/columnBuilders.js';
import { cellFormatter } from '../csv/writeCsv.js';
import type { MissingValues } from '../missingValues.js';
import type { BadRow } from '../rejectedRows.js';
import { columnLabel, type OddCells, type TextColumn } from '../table.js';
import type { ColumnReader } from './columnReader.js';
import type { BadCell } from './columns.js';

/** By column number, by rising rows. */
export type BadCells = ReadonlyMap<number, readonly BadCell[]>;

/** For a copy of cells as they are. */
export const NOTHING_MISSING: MissingValues = { texts: [], inNumbers: [] };

/** Why rows can't be read, in their order; a cell of the first column counts. `first` is the row of row 0. */
export function badRowsOf(reader: ColumnReader, cells: BadCells, first = 0): Map<number, BadRow> {
  const found = new Map<number, BadRow>();
  for (const [i, column] of cells) {
    const name = reader.names[i];
    const context = { name, location: (row: number) => reader.locationOf(i, first + row) };
    for (const { row, text } of column) {
      if (found.has(row)) continue;
      const kind = `with no number in ${columnLabel(true, name)}`;
      found.set(row, { kind, error: badNumber(context, text, row) });
    }
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** The same cells, where they are kept instead. */
export function oddCellsOf(cells: BadCells): OddCells[] {
  return [...cells].map(([index, column]) => ({ index, cells: column.length, ...column[0] }));
}

/** These rows, rising, as a CSV has them. */
export function* rowTexts(reader: ColumnReader, rows: readonly number[]): Generator<string, void, undefined> {
  const format = cellFormatter(',');
  let first = 0;
  let next = 0;
  for (const [group, count] of reader.groups.entries()) {
    const wanted: number[] = [];
    for (; rows[next] < first + count; next++) wanted.push(rows[next] - first);
    first += count;
    if (wanted.length === 0) continue;
    const columns = reader.names.map((_, i) => {
      const { levels, codes } = reader.read(i, 'text', NOTHING_MISSING, { group }) as TextColumn;
      return wanted.map((row) => levels[codes[row]] ?? '');
    });
    for (let k = 0; k < wanted.length; k++) yield columns.map((cells) => format(cells[k])).join(',');
  }
}
