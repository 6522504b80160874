/** Opens a table before its rows are read. A further file format is one more reader here. */
import { type Dialect, type DialectRequest, detectDialect } from './csv/dialect.js';
import { describeFormat } from './csv/readingNotes.js';
import { readTable } from './csv/readTable.js';
import type { MissingValues } from './missingValues.js';
import { readNumericTable } from './numeric/numericFile.js';
import { openSource, type Source, type UnpackProgress } from './source/source.js';
import type { ColumnKind, Table } from './table.js';

export interface TableSource {
  /** The file, as messages name it; `data.rows` for rows in memory. */
  readonly path: string;
  /** Where messages find the names of the columns: `people.csv:1`. */
  readonly namesLocation: string;
  readonly header: boolean;
  readonly names: readonly string[];
  /** The first columns of a file that have no name and only number or name the rows. */
  readonly rowNames?: readonly number[];
  /** The first rows, as text. */
  readonly sample: readonly (readonly string[])[];
  /** How the table is written: `separated by commas, with a header`. */
  readonly description: string;
  /** Sentences for the user: how the file was read, if not as it is usual. More may come with the rows. */
  readonly notes: readonly string[];
  /** Not there for a table in memory. */
  readonly csv?: { readonly source: Source; readonly dialect: Dialect };
  /** Only for several files, which are not read as one CSV. */
  readonly firstFile?: { readonly source: Source; readonly dialect: Dialect };
  /** Reads all rows; `kinds` is in the order of the names. */
  read(
    kinds: readonly ColumnKind[],
    progress?: (doneBytes: number, totalBytes: number) => void,
    missingValues?: MissingValues,
  ): Promise<Table>;
  close(): void;
}

/** How the file is written, as far as it is known. */
export interface TableRequest extends DialectRequest {
  /** A label of `TextDecoder`; detected if left out. */
  readonly encoding?: string;
}

/**
 * Opens the CSV at `path`, `-` being standard input.
 * @throws MlpError as `openSource` and `detectDialect` do
 */
export async function openTable(
  path: string,
  { encoding, ...request }: TableRequest,
  progress?: UnpackProgress,
): Promise<TableSource> {
  const source = await openSource(path, {
    ...(encoding !== undefined && { encoding }),
    ...(progress && { progress }),
  });
  try {
    const dialect = await detectDialect(source, request);
    const { header, names, rowNames, sample } = dialect;
    return {
      path: source.name,
      namesLocation: `${source.name}:1`,
      header,
      names,
      rowNames,
      sample,
      description: describeFormat(dialect),
      notes: source.notes,
      csv: { source, dialect },
      read: (kinds, told, missingValues) =>
        readTable(source, dialect, {
          kinds: () => [...kinds],
          ...(told && { progress: told }),
          ...(missingValues && { missingValues }),
        }),
      close: () => source.close(),
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

interface WholeOptions {
  /** Called now and then with the bytes read and the total. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
  /** 1 by default. */
  readonly threads?: number;
  /** The number of a column whose numbers may be classes: they keep their spelling. */
  readonly target?: number | undefined;
}

/**
 * Reads all columns of a source, as numbers if most of their cells are numbers, else as text.
 * @throws MlpError ExitCode.data with the location of what can't be trusted; io if the source can't
 *   be read or changes
 */
export async function readWhole(
  source: Source,
  dialect: Dialect,
  { threads = 1, progress, target }: WholeOptions = {},
): Promise<Table> {
  const kinds = dialect.names.map((_, index): ColumnKind => (index === target ? 'label' : 'auto'));
  const told = progress && { progress };
  const numeric = await readNumericTable({ source, dialect, kinds, threads, ...told });
  return numeric ?? readTable(source, dialect, { kinds: () => kinds, ...told });
}
