/** An open table before its rows are read, whatever holds it. A further file format is one more reader here. */
import { readTable } from './csv/readTable.js';
import { type Beginning, type DialectRequest, describeDialect, readBeginning } from './dialect/dialect.js';
import { openSource, type Source } from './source/source.js';
import type { ColumnKind, Table } from './table.js';

/** Called now and then with the bytes read of all bytes; the total of a pipe is unknown. */
export type OpenProgress = (doneBytes: number, totalBytes: number | undefined) => void;

export interface TableSource {
  /** The file, as messages name it; `data.rows` for rows in memory. */
  readonly path: string;
  /** Where messages find the names of the columns: `people.csv:1`. */
  readonly namesLocation: string;
  readonly header: boolean;
  readonly names: readonly string[];
  /** The first rows, as text. */
  readonly sample: readonly (readonly string[])[];
  /** How the table is written: `separated by commas, with a header`. */
  readonly description: string;
  /** Not there for a table in memory. */
  readonly csv?: { readonly source: Source; readonly beginning: Beginning };
  /** Reads all rows; `kinds` is in the order of the names. */
  read(
    kinds: readonly ColumnKind[],
    progress?: (doneBytes: number, totalBytes: number) => void,
  ): Promise<Table>;
  close(): void;
}

/** Opens the CSV at `path`, `-` being standard input. @throws MlpError as by `openSource` and `readBeginning` */
export async function openTable(
  path: string,
  request: DialectRequest,
  progress?: OpenProgress,
): Promise<TableSource> {
  const source = await openSource(path, progress);
  try {
    const beginning = await readBeginning(source, request);
    const { header, names, sample } = beginning;
    return {
      path: source.name,
      namesLocation: `${source.name}:1`,
      header,
      names,
      sample,
      description: describeDialect(beginning),
      csv: { source, beginning },
      read: (kinds, told) =>
        readTable(source, beginning, { kinds: () => [...kinds], ...(told && { progress: told }) }),
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}
