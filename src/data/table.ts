/** A table in memory, by column. Nothing here knows which column is the target. */
import { quote } from '../text.js';

/**
 * What a column is read as.
 *
 * - `auto`: numbers where more than half of the cells that are not missing are numbers, and then the first other cell is
 *   an error; else text. A column of missing cells alone is text without levels.
 * - `numeric`: every cell is a number or missing.
 * - `text`: any text, or missing.
 * - `skipped`: not looked at and not kept.
 */
export type ColumnKind = 'auto' | 'numeric' | 'text' | 'skipped';

export interface NumericColumn {
  readonly kind: 'numeric';
  /** [rows] NaN where the cell is missing, else finite */
  readonly values: Float64Array;
  /** How many cells are missing. */
  readonly missing: number;
}

/** Text as numbers of its distinct values, so that a million rows of two classes hold two strings. */
export interface TextColumn {
  readonly kind: 'text';
  /** The distinct cells, exactly as they are written, in the order of their first row; none stands for a missing value. */
  readonly levels: readonly string[];
  /** [rows] The cell of row r is `levels[codes[r]]`, or missing where the code is −1. */
  readonly codes: Int32Array;
  /** How many cells are missing. */
  readonly missing: number;
}

export type Column = NumericColumn | TextColumn;

export interface Table {
  /** The file, as messages name it. */
  readonly path: string;
  /** Whether the first row of the file names the columns. Without one the names are "0", "1", … */
  readonly header: boolean;
  readonly names: readonly string[];
  readonly rows: number;
  /** In the order of the names; a skipped column is undefined. */
  readonly columns: readonly (Column | undefined)[];
  /** [rows] The line of the file, from 1, on which each row begins; the row's number, from 0, without a file. */
  readonly lines: Uint32Array;
  /** Of a table that was given in memory: how messages locate the cells of each column. */
  readonly locations?: readonly CellLocation[];
}

/** `data.rows[` and `].age`: the row's number stands between. */
export type CellLocation = readonly [before: string, after: string];

/** Where messages find a cell: `people.csv:7: column "age"`, or `data.rows[5].age`. */
export function cellLocation(
  { path, lines, header, names, locations }: Omit<Table, 'rows' | 'columns'>,
  index: number,
  row: number,
): string {
  if (locations === undefined) return `${path}:${lines[row]}: ${columnLabel(header, names[index])}`;
  const [before, after] = locations[index];
  return `${before}${lines[row]}${after}`;
}

/** `column "petal width"`, or `column 3` of a file without header: what messages call a column. */
export function columnLabel(header: boolean, name: string): string {
  return header ? `column ${quote(name)}` : `column ${name}`;
}

/** The numeric column `index`; asking for another is a bug of the caller. */
export function numericColumn(table: Table, index: number): NumericColumn {
  const column = table.columns[index];
  if (column?.kind !== 'numeric') throw new TypeError(`column ${index} of ${table.path} is not numeric`);
  return column;
}

/** The text column `index`; asking for another is a bug of the caller. */
export function textColumn(table: Table, index: number): TextColumn {
  const column = table.columns[index];
  if (column?.kind !== 'text') throw new TypeError(`column ${index} of ${table.path} is not text`);
  return column;
}

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
