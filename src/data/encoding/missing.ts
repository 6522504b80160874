/** Missing cells: where they are, what fills them, and the errors about them. */
import { ExitCode, MlpError } from '../../errors.js';
import type { MissingPolicy } from '../../spec/words.js';
import { robustCounts, type Scaling } from '../scaling.js';
import { type Column, cellLocation, columnLabel, type Table } from '../table.js';
import type { Indicator } from './encoding.js';

/** Policies that fill a missing cell. Rows to drop are no training rows. */
export type FillPolicy = Exclude<MissingPolicy, 'error' | 'drop-row'>;

export function fillPolicy(missing: MissingPolicy): FillPolicy | undefined {
  return missing === 'error' || missing === 'drop-row' ? undefined : missing;
}

/** The indicator of a column with so many missing cells in the training rows, if there are any. */
export function fitIndicator(
  scaling: Scaling,
  rows: number,
  missing: number,
): { readonly indicator?: Indicator } {
  if (missing === 0) return {};
  if (scaling !== 'robust') return { indicator: true };
  return {
    indicator: robustCounts(
      new Map([
        [0, rows - missing],
        [1, missing],
      ]),
    ),
  };
}

/** [rows] 1 for each row of the table with a missing cell in one of these columns, else as it was. */
export function rowsWithMissing(
  table: Table,
  indices: readonly number[],
  found: Uint8Array = new Uint8Array(table.rows),
): Uint8Array {
  for (const index of indices) {
    const column = table.columns[index];
    if (column === undefined || column.missing === 0) continue;
    for (let row = 0; row < table.rows; row++) if (isMissingAt(column, row)) found[row] = 1;
  }
  return found;
}

/**
 * Refuses missing cells of these columns in `rows`, which may be in any order.
 * @throws MlpError ExitCode.data with the location of the first such cell in the file
 */
export function requireComplete(table: Table, indices: readonly number[], rows: Int32Array): void {
  const missing = new FirstMissing(rows);
  for (const index of indices) missing.add(table, index);
  if (missing.error) throw missing.error;
}

/** Finds the first missing cell of columns, by row and then by column. */
export class FirstMissing {
  readonly #rows: Int32Array;
  #first = Number.POSITIVE_INFINITY;
  error: MlpError | undefined;

  /** @param rows of the table, in any order */
  constructor(rows: Int32Array) {
    this.#rows = rows;
  }

  add(table: Table, index: number): void {
    const column = table.columns[index];
    if (column === undefined || column.missing === 0) return;
    let first = this.#first;
    for (const row of this.#rows) if (row < first && isMissingAt(column, row)) first = row;
    if (first === this.#first) return;
    this.#first = first;
    this.error = missingError(cellLocation(table, index, first), column.kind);
  }
}

/** The error ExitCode.data for a missing cell in a column of this kind. */
export function missingError(location: string, kind: Column['kind'] | undefined): MlpError {
  return new MlpError(
    ExitCode.data,
    `${location}: found a missing value, expected ${kind === 'numeric' ? 'a number' : 'a value'}`,
    'complete the cell, remove the row, or set data.missing to ' +
      '"mean", "median", "most-frequent", "indicator" or "drop-row"',
  );
}

/** The error ExitCode.data for a column whose training rows miss every cell. */
export function allMissing(table: Table, index: number, rows: number): MlpError {
  const label = columnLabel(table.header, table.names[index]);
  return new MlpError(
    ExitCode.data,
    `${table.path}: ${label}: found missing values in all ${rows} training rows, ` +
      'expected at least one value to fill them with',
    'name the column in data.exclude',
  );
}

/** Whether the cell of a row is missing. */
export function isMissingAt(column: Column, row: number): boolean {
  return column.kind === 'numeric' ? Number.isNaN(column.values[row]) : column.codes[row] < 0;
}
