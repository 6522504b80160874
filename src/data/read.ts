/** A whole CSV in memory, by whichever reader takes it. */
import { readTable } from './csv/readTable.js';
import type { Beginning } from './dialect/dialect.js';
import { readPlainTable } from './plain/plainTable.js';
import type { Source } from './source/source.js';
import type { ColumnKind, Table } from './table.js';

export interface WholeOptions {
  /** Called now and then with bytes read and bytes in all. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
  /** 1 unless said. */
  readonly threads?: number;
}

/**
 * All columns of a source, numbers where most of their cells are numbers, else text.
 * @throws MlpError (65) with line and column of what can't be trusted, or (74) where the source can't be read or changes
 */
export async function readWhole(
  source: Source,
  beginning: Beginning,
  { threads = 1, progress }: WholeOptions = {},
): Promise<Table> {
  const kinds = beginning.names.map((): ColumnKind => 'auto');
  const told = progress && { progress };
  const plain = await readPlainTable({ source, beginning, kinds, threads, ...told });
  return plain ?? readTable(source, beginning, { kinds: () => kinds, ...told });
}
