/** Columns of a table that may lie on a disk: each is read as a whole, or all of them some rows at a time. */
import { type Column, selectRows, type Table } from './table.js';

export interface ColumnStore {
  /** What a column is, without its cells. */
  column(index: number): Pick<Column, 'kind' | 'missing'>;
  /** Calls `take` with each of these columns, in their order, in a table of all rows that may lack the others. */
  each(indices: readonly number[], take: (table: Table, index: number) => void): Promise<void>;
  /** All rows, in tables that have these columns and may lack the others. */
  parts(indices: readonly number[]): AsyncIterable<Table> | Iterable<Table>;
  close(): void;
}

/** A table with the columns that are in memory, and where the others are. */
export interface StoredTable {
  readonly table: Table;
  readonly store: ColumnStore;
}

/** The columns of a table in memory. */
export function storeOf(table: Table): ColumnStore & { readonly table: Table } {
  return {
    table,
    column: (index) => columnOf(table, index),
    async each(indices, take) {
      for (const index of indices) take(table, index);
    },
    parts: () => [table],
    close: () => {},
  };
}

function columnOf({ columns, path }: Table, index: number): Column {
  const column = columns[index];
  if (column === undefined) throw new TypeError(`column ${index} of ${path} was not read`);
  return column;
}

/** A table that has one column, of many that each may be for a while. */
export function onlyColumn(table: Table): (index: number, column: Column) => Table {
  // One array for all: there may be 100,000 columns.
  const columns: (Column | undefined)[] = table.names.map(() => undefined);
  const own = { ...table, columns };
  let last = 0;
  return (index, column) => {
    columns[last] = undefined;
    columns[index] = column;
    last = index;
    return own;
  };
}

/** Some rows of a stored table, rising. */
export function selectStored({ table, store }: StoredTable, rows: Int32Array): StoredTable {
  const selected = selectRows(table, rows);
  if ('table' in store) return { table: selected, store: storeOf(selected) };
  return {
    table: selected,
    store: {
      // Missing cells may be in the other rows.
      column: (index) => store.column(index),
      each: (indices, take) => store.each(indices, (whole, index) => take(selectRows(whole, rows), index)),
      async *parts(indices) {
        let first = 0;
        let next = 0;
        for await (const part of store.parts(indices)) {
          const end = first + part.rows;
          const from = next;
          while (next < rows.length && rows[next] < end) next++;
          const own = rows.subarray(from, next).map((row) => row - first);
          if (own.length > 0) yield own.length === part.rows ? part : selectRows(part, own);
          first = end;
        }
      },
      close: () => store.close(),
    },
  };
}
