/** Rows of a Parquet file that can't be read: a cell in a column of numbers is text or infinite. */
import { withoutStack } from '../../errors.js';
import { badNumber } from '../csv/columnBuilders.js';
import { cellFormatter } from '../csv/writeCsv.js';
import type { MissingValues } from '../missingValues.js';
import type { BadRow } from '../rejectedRows.js';
import { columnLabel, type OddCells, type TextColumn } from '../table.js';
import { type CursorColumn, readBlocks } from './columnCursor.js';
import type { ColumnReader } from './columnReader.js';
import type { BadCells } from './columns.js';

/** For a copy of cells as they are. */
export const NOTHING_MISSING: MissingValues = { texts: [], inNumbers: [] };

/**
 * Hands out why rows can't be read, some at a time: a small file may have millions of such rows. A cell
 * of the first column counts.
 */
export class BadRowReader {
  readonly #reader: ColumnReader;
  readonly #columns;
  readonly #first: number;
  #next = 0;

  /**
   * @param cells by column number
   * @param first the row of row 0
   */
  constructor(reader: ColumnReader, cells: ReadonlyMap<number, BadCells>, first = 0) {
    this.#reader = reader;
    this.#columns = [...cells].map(([i, { texts, codes }]) => {
      const name = reader.names[i];
      const kind = `with no number in ${columnLabel(true, name)}`;
      return { i, name, kind, texts: [...texts.keys()], codes };
    });
    this.#first = first;
  }

  /** The rows before row `end` that have not been handed out, rising. */
  *before(end: number): Generator<readonly [row: number, bad: BadRow], void, undefined> {
    for (; this.#next < end; this.#next++) {
      const row = this.#next;
      const column = this.#columns.find(({ codes }) => codes[row] > 0);
      if (!column) continue;
      const { i, name, kind, texts, codes } = column;
      const context = { name, location: () => this.#reader.locationOf(i, this.#first + row) };
      yield [row, { kind, error: withoutStack(() => badNumber(context, texts[codes[row] - 1], row)) }];
    }
  }
}

/** The same cells, where they are kept instead. */
export function oddCellsOf(cells: ReadonlyMap<number, BadCells>): OddCells[] {
  return [...cells].map(([index, { texts, codes }]) => {
    const [text] = texts.keys();
    const count = codes.reduce((sum, code) => sum + Number(code > 0), 0);
    return { index, cells: count, row: codes.indexOf(1), text };
  });
}

/** These rows, rising, as a CSV has them. */
export function* rowTexts(reader: ColumnReader, rows: Int32Array): Generator<string, void, undefined> {
  const format = cellFormatter(',');
  let next = 0;
  const columns = reader.names.map((_, index): CursorColumn => {
    return { index, kind: 'text', missingValues: NOTHING_MISSING };
  });
  for (const { first, rows: count, cells } of readBlocks(reader, columns)) {
    for (; rows[next] < first + count; next++) {
      const texts = cells.map(({ column }) => {
        const { levels, codes } = column as TextColumn;
        return format(levels[codes[rows[next] - first]] ?? '');
      });
      yield texts.join(',');
    }
    if (next === rows.length) return;
  }
}
