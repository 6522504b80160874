/** A whole plain file in memory, by column. */
import { looksNumeric } from '../cell.js';
import { beginsWithNumbers } from '../dialect/dialect.js';
import type { Column, ColumnKind, Table } from '../table.js';
import { PlainFile, type PlainRequest } from './plainFile.js';
import type { Tuning } from './workspace.js';

export interface PlainTableRequest extends Omit<PlainRequest, 'captured'> {
  readonly kinds: readonly ColumnKind[];
}

/**
 * The table that csv-parse's cells make; null where the byte path does not own the file, or where an `auto` column is not
 * throughout what it is in the first rows.
 * @throws MlpError (74) where the file can't be read or changes
 */
export async function readPlainTable(
  { kinds, ...request }: PlainTableRequest,
  changes: Partial<Tuning> = {},
): Promise<Table | null> {
  const { source, beginning } = request;
  const captured = new Map<number, 'numeric' | 'text'>();
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'skipped') continue;
    const guess = beginsWithNumbers(beginning, index) ? 'numeric' : 'text';
    captured.set(index, kind === 'auto' ? guess : kind);
  }
  const file = await PlainFile.scan({ ...request, captured }, changes);
  if (file === null) return null;
  try {
    const columns = kinds.map((kind, index) => (kind === 'skipped' ? undefined : file.column(index)));
    if (columns.some((column, index) => kinds[index] === 'auto' && isDoubtful(column))) return null;
    source.requireUnchanged();
    const { header, names } = beginning;
    const lines = Uint32Array.from({ length: file.rows }, (_, row) => file.line(row));
    return { path: source.name, header, names, rows: file.rows, columns, lines };
  } finally {
    await file.close();
  }
}

/** Text that may be numbers, most of it, is for csv-parse's table to judge. */
function isDoubtful(column: Column | undefined): boolean {
  return column?.kind === 'text' && column.levels.some(looksNumeric);
}
