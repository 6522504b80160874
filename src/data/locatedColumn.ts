/** A column with the locations of its cells, for messages. */
import { ExitCode, MlpError } from '../errors.js';
import { found, numberHint, parseDecimal } from './cell.js';
import { notationHint } from './csv/notation.js';
import { type Column, gather, selectCells } from './table.js';

export interface LocatedColumn {
  readonly name: string;
  readonly column: Column;
  /** The file, as messages name it. */
  readonly path: string;
  /** `column "y"`, or `column 3` of a file without header. */
  readonly label: string;
  /** The location of the cell of a row: `data.csv:7: column "y"`. */
  location(row: number): string;
}

/** The column as classes: as text if a number's shortest spelling may not be the one in the file. */
export function asLabels(located: LocatedColumn): LocatedColumn {
  const { column } = located;
  if (column.kind === 'text' || column.written === undefined || column.written === 'many') return located;
  return { ...located, column: column.written };
}

/** The number of rows. */
export function rowCount({ column }: LocatedColumn): number {
  return column.kind === 'numeric' ? column.values.length : column.codes.length;
}

/** 0, 1, 2, … A loop, here and below: `from` would make an array of a million objects. */
export function firstRows(count: number): Int32Array {
  const rows = new Int32Array(count);
  for (let row = 0; row < count; row++) rows[row] = row;
  return rows;
}

/** Those of the rows that pass a test. `filter` would gather them on the heap. */
export function rowsWhere(rows: Int32Array, test: (row: number) => boolean): Int32Array {
  let count = 0;
  for (let i = 0; i < rows.length; i++) if (test(rows[i])) count++;
  if (count === rows.length) return rows;
  const found = new Int32Array(count);
  let next = 0;
  for (let i = 0; i < rows.length; i++) if (test(rows[i])) found[next++] = rows[i];
  return found;
}

/**
 * [rows] The number in each cell; NaN if it is missing or not a number. Not a copy of a numeric
 * column's values.
 */
export function numbers({ column }: LocatedColumn): Float64Array {
  if (column.kind === 'numeric') return column.values;
  return gather(column.levels.map(finiteNumber), column.codes);
}

/** The cell as text: the shortest spelling of a number, '' if it is missing. */
export function cellText({ column }: LocatedColumn, row: number): string {
  if (column.kind === 'numeric') return Number.isNaN(column.values[row]) ? '' : String(column.values[row]);
  return column.codes[row] < 0 ? '' : column.levels[column.codes[row]];
}

/** The rows in which no column misses its cell, rising. */
export function presentRows(columns: readonly LocatedColumn[]): Int32Array {
  const rows = firstRows(rowCount(columns[0]));
  if (columns.every(({ column }) => column.missing === 0)) return rows;
  const isMissing = ({ column }: LocatedColumn, row: number) =>
    column.kind === 'numeric' ? Number.isNaN(column.values[row]) : column.codes[row] < 0;
  return rowsWhere(rows, (row) => !columns.some((column) => isMissing(column, row)));
}

/** These rows of a column. */
export function selectLocated(located: LocatedColumn, rows: Int32Array): LocatedColumn {
  if (rows.length === rowCount(located)) return located;
  return {
    ...located,
    column: selectCells(located.column, rows),
    location: (row) => located.location(rows[row]),
  };
}

/** @throws MlpError ExitCode.data for the first missing cell */
export function requirePresent(located: LocatedColumn, hint = 'complete the cell, or remove the row'): void {
  const { column } = located;
  if (column.missing === 0) return;
  const row =
    column.kind === 'numeric'
      ? column.values.findIndex(Number.isNaN)
      : column.codes.findIndex((code) => code < 0);
  throw new MlpError(
    ExitCode.data,
    `${located.location(row)}: found a missing value, expected ${column.kind === 'numeric' ? 'a number' : 'a value'}`,
    hint,
  );
}

/**
 * [rows] The number in each cell. Not a copy of a numeric column's values.
 * @throws MlpError ExitCode.data for the first cell that is missing or not a number
 */
export function requireNumbers(located: LocatedColumn, textHint: string, missingHint?: string): Float64Array {
  requirePresent(located, missingHint);
  const values = numbers(located);
  const row = located.column.kind === 'text' ? values.findIndex(Number.isNaN) : -1;
  if (row < 0) return values;
  const text = cellText(located, row);
  throw new MlpError(
    ExitCode.data,
    `${located.location(row)}: found ${found(text)}, expected a number`,
    notationHint(located.name, text) ?? numberHint(text, textHint),
  );
}

/** The finite number in a text, otherwise NaN. */
export function finiteNumber(text: string): number {
  const value = parseDecimal(text);
  return Number.isFinite(value) ? value : Number.NaN;
}
