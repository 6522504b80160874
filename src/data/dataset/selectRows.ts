/** Some of a table's rows as a table of its own. */
import type { Column, Table } from '../table.js';

/** Levels that no row has any more stay, so that codes keep their meaning. */
export function selectRows(table: Table, rows: Int32Array): Table {
  return {
    ...table,
    rows: rows.length,
    columns: table.columns.map((column) => column && selectCells(column, rows)),
    lines: Uint32Array.from(rows, (row) => table.lines[row]),
  };
}

function selectCells(column: Column, rows: Int32Array): Column {
  if (column.kind === 'numeric') {
    const values = Float64Array.from(rows, (row) => column.values[row]);
    return {
      kind: 'numeric',
      values,
      missing: values.reduce((count, value) => count + Number(Number.isNaN(value)), 0),
    };
  }
  const codes = Int32Array.from(rows, (row) => column.codes[row]);
  const missing = codes.reduce((count, code) => count + Number(code < 0), 0);
  return { kind: 'text', levels: column.levels, codes, missing };
}
