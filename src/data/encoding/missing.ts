/** Missing cells of a table: where they are, and the error where there must be none. */
import { ExitCode, MlpError } from '../../errors.js';
import { type Column, cellLocation, type Table } from '../table.js';

/** [rows] 1 for each row of the table with a missing cell in one of these columns, else 0. */
export function rowsWithMissing(table: Table, indices: readonly number[]): Uint8Array {
  const found = new Uint8Array(table.rows);
  for (const index of indices) {
    const column = table.columns[index];
    if (column === undefined || column.missing === 0) continue;
    for (let row = 0; row < table.rows; row++) if (isMissingAt(column, row)) found[row] = 1;
  }
  return found;
}

/**
 * Refuses missing cells of these columns in `rows`, which are in any order.
 * @throws MlpError (65) with line and column of the cell that comes first in the file
 */
export function requireComplete(table: Table, indices: readonly number[], rows: Int32Array): void {
  let first = table.rows;
  let firstIndex = -1;
  for (const index of indices) {
    const column = table.columns[index];
    if (column === undefined || column.missing === 0) continue;
    for (let i = 0; i < rows.length; i++) {
      if (rows[i] < first && isMissingAt(column, rows[i])) {
        first = rows[i];
        firstIndex = index;
      }
    }
  }
  if (firstIndex < 0) return;
  throw missingError(cellLocation(table, firstIndex, first), table.columns[firstIndex]?.kind);
}

/** The error (65) for a missing cell, found at `place`, in a column of this kind. */
export function missingError(place: string, kind: Column['kind'] | undefined): MlpError {
  return new MlpError(
    ExitCode.data,
    `${place}: found a missing value, expected ${kind === 'numeric' ? 'a number' : 'a value'}`,
    'complete the cell, remove the row, or say in data.missing how to go on: ' +
      '"mean", "median", "most-frequent", "indicator" or "drop-row"',
  );
}

function isMissingAt(column: Column, row: number): boolean {
  return column.kind === 'numeric' ? Number.isNaN(column.values[row]) : column.codes[row] < 0;
}
