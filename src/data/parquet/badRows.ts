/** Rows of a Parquet file that can't be read: a cell in a column of numbers is text or infinite. */
import { withoutStack } from '../../errors.js';
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

/**
 * Hands out why rows can't be read, some at a time: a small file may have millions of such rows. A cell
 * of the first column counts. `first` is the row of row 0.
 */
export class BadRowReader {
  readonly #reader: ColumnReader;
  readonly #columns: readonly (readonly [index: number, cells: readonly BadCell[]])[];
  readonly #first: number;
  /** By column, the next cell. */
  readonly #next: number[];

  constructor(reader: ColumnReader, cells: BadCells, first = 0) {
    this.#reader = reader;
    this.#columns = [...cells];
    this.#first = first;
    this.#next = this.#columns.map(() => 0);
  }

  /** The rows before row `end` that have not been handed out, rising. */
  before(end: number): Map<number, BadRow> {
    const found = new Map<number, BadRow>();
    this.#columns.forEach(([i, cells], k) => {
      const name = this.#reader.names[i];
      const context = { name, location: (row: number) => this.#reader.locationOf(i, this.#first + row) };
      const kind = `with no number in ${columnLabel(true, name)}`;
      for (; cells[this.#next[k]]?.row < end; this.#next[k]++) {
        const { row, text } = cells[this.#next[k]];
        if (found.has(row)) continue;
        const error = withoutStack(() => badNumber(context, text, row));
        found.set(row, { kind, error });
      }
    });
    return new Map([...found].sort(([a], [b]) => a - b));
  }
}

/** The same cells, where they are kept instead. */
export function oddCellsOf(cells: BadCells): OddCells[] {
  return [...cells].map(([index, column]) => ({ index, cells: column.length, ...column[0] }));
}

/** These rows, rising, as a CSV has them. */
export function* rowTexts(reader: ColumnReader, rows: Int32Array): Generator<string, void, undefined> {
  const format = cellFormatter(',');
  let first = 0;
  let next = 0;
  for (const [group, count] of reader.groups.entries()) {
    const start = first;
    first += count;
    if (!(rows[next] < first)) continue;
    const columns = reader.names.map(
      (_, i) => reader.read(i, 'text', NOTHING_MISSING, { group }) as TextColumn,
    );
    for (; rows[next] < first; next++) {
      yield columns.map(({ levels, codes }) => format(levels[codes[rows[next] - start]] ?? '')).join(',');
    }
  }
}
