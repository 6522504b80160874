/** Rows of a table that a model can't predict, though they can be read. */
import { noDateAt, rowsWithoutDate } from '../data/encoding/derivedEncoding.js';
import { type FeatureEncoding, takesMissing } from '../data/encoding/encoding.js';
import { TOO_LARGE } from '../data/encoding/features.js';
import { missingError, rowsWithMissing } from '../data/encoding/missing.js';
import { tooLargeAt } from '../data/encoding/numberEncoding.js';
import type { BadRow } from '../data/rejectedRows.js';
import { cellLocation, columnLabel, type Table } from '../data/table.js';
import type { DType } from '../kernels/kernels.js';

/** Rows with a missing cell in one of these columns. */
export function incompleteRows(table: Table, columns: readonly number[]): Map<number, BadRow> {
  const found = new Map<number, BadRow>();
  for (const index of columns) {
    if ((table.columns[index]?.missing ?? 0) === 0) continue;
    const isMissing = rowsWithMissing(table, [index]);
    const kind = `with a missing value in ${columnLabel(table.header, table.names[index])}`;
    for (let row = 0; row < table.rows; row++) {
      if (!isMissing[row] || found.has(row)) continue;
      const error = missingError(cellLocation(table, index, row), table.columns[index]?.kind);
      found.set(row, { kind, error });
    }
  }
  return found;
}

/**
 * Rows with a missing cell that nothing fills, with a cell that is no date, or with a number that is
 * too large. `columns` are the table's, one for each encoding.
 */
export function unusableRows(
  table: Table,
  columns: readonly number[],
  encodings: readonly FeatureEncoding[],
  dtype: DType,
): Map<number, BadRow> {
  const found = incompleteRows(
    table,
    columns.filter((_, j) => !takesMissing(encodings[j])),
  );
  for (const [j, encoding] of encodings.entries()) {
    if (encoding.kind !== 'numeric' && encoding.kind !== 'date') continue;
    const label = columnLabel(table.header, table.names[columns[j]]);
    if (encoding.kind === 'date') {
      for (const row of rowsWithoutDate(table, columns[j], encoding.order)) {
        if (found.has(row)) continue;
        found.set(row, {
          kind: `with no date in ${label}`,
          error: noDateAt(table, columns[j], encoding.order, row),
        });
      }
      continue;
    }
    for (let row = 0; row < table.rows; row++) {
      if (found.has(row)) continue;
      const error = tooLargeAt(table, columns[j], encoding, row, dtype, TOO_LARGE[dtype]);
      if (error) found.set(row, { kind: `with too large a number in ${label}`, error });
    }
  }
  return found;
}
