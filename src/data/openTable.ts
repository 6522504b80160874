/** Opens a table before its rows are read. A further file format is one more reader here. */
import { availableParallelism } from 'node:os';
import { type ColumnFile, withColumnFile } from './columnFile.js';
import { type Dialect, type DialectRequest, detectDialect } from './csv/dialect.js';
import { describeFormat } from './csv/readingNotes.js';
import { estimateRows, readTable } from './csv/readTable.js';
import { DEFAULT_MISSING } from './missingValues.js';
import { readNumericTable } from './numeric/numericFile.js';
import { readPlainChunks } from './numeric/plainChunks.js';
import { type BadRowRules, RejectedRows } from './rejectedRows.js';
import { isJsonLines, isParquet } from './source/otherFiles.js';
import { type OpenOptions, openBytes, Source, type UnpackProgress } from './source/source.js';
import type { ColumnKind, Table } from './table.js';
import type { ReadProgress, TableFormat, TableSource } from './tableSource.js';

/** How the file is written, as far as it is known. */
export interface TableRequest extends DialectRequest, Pick<OpenOptions, 'encoding' | 'fallback' | 'keep'> {
  /** Whether rows that can't be read are left out, in all files or in all but CSVs; otherwise the first is an error. */
  readonly skipsBadRows?: boolean | 'but-csv';
  /** Whether a guessed column of numbers may hold other cells; otherwise the first is an error. */
  readonly keepsOddCells?: boolean;
}

/**
 * Opens the table at `path`, `-` being standard input: a CSV, or what its first bytes tell.
 * @throws MlpError as `openSource` and `detectDialect` do
 */
export async function openTable(
  path: string,
  { encoding, fallback, skipsBadRows = false, keepsOddCells = false, keep, ...request }: TableRequest,
  progress?: UnpackProgress,
): Promise<TableSource> {
  const file = await openBytes(path, { ...(progress && { progress }), ...(keep && { keep }) });
  const rulesFor = (isCsv: boolean): BadRowRules => ({
    keepsOddCells,
    findsMixtures: request.suggest === true,
    ...((isCsv ? skipsBadRows === true : skipsBadRows) && { rejected: new RejectedRows(file.name) }),
  });
  if (isParquet(file)) {
    // Loaded only when needed: it takes as long as a small CSV.
    const { openParquet } = await import('./parquet/parquet.js');
    try {
      return openParquet(file, { ...rulesFor(false), ...(request.mayBeEmpty && { mayBeEmpty: true }) });
    } catch (error) {
      file.close();
      throw error;
    }
  }
  const source = await Source.of(file, {
    ...(encoding !== undefined && { encoding }),
    ...(fallback !== undefined && { fallback }),
    ...(progress && { progress }),
  });
  try {
    if (isJsonLines(source)) {
      const { openJsonLines } = await import('./jsonLines/jsonLines.js');
      return await openJsonLines(source, progress, rulesFor(false));
    }
    return csvTable(source, await detectDialect(source, request), rulesFor(true));
  } catch (error) {
    source.close();
    throw error;
  }
}

/** How many of the files are of no other format. */
export async function countCsvs(paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) {
    const file = await openBytes(path);
    try {
      if (!isParquet(file) && !isJsonLines(file)) count++;
    } finally {
      file.close();
    }
  }
  return count;
}

function csvTable(source: Source, dialect: Dialect, rules: BadRowRules): TableSource {
  const { rejected } = rules;
  const { header, names, rowNames, sample } = dialect;
  const read = async (
    kinds: readonly ColumnKind[],
    progress?: ReadProgress,
    missingValues = DEFAULT_MISSING,
    threads = availableParallelism(),
    file?: ColumnFile,
  ): Promise<Table> => {
    const told = { file, ...(progress && { progress }) };
    const plain =
      missingValues === DEFAULT_MISSING
        ? await readNumericTable({ source, dialect, kinds, threads, ...told })
        : null;
    return plain ?? readTable(source, dialect, { kinds: () => [...kinds], missingValues, ...told, ...rules });
  };
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
    ...(rejected && { rejected: [rejected] }),
    get mostRows() {
      return estimateRows(source, dialect);
    },
    read,
    store: (kinds, inMemory, progress, missingValues, threads) =>
      withColumnFile(source.name, kinds, inMemory, (file) =>
        read(kinds, progress, missingValues, threads, file),
      ),
    chunks: (kinds, capacity, options) => readPlainChunks(source, dialect, kinds, capacity, options),
    close: () => source.close(),
  };
}

/** The format, once all rows are read. */
export function formatOf({ header, rowNames, csv, firstFile = csv }: TableSource): TableFormat {
  const { encoding } = firstFile?.source ?? {};
  return {
    header,
    ...(rowNames && { rowNames }),
    ...firstFile?.dialect,
    ...(encoding !== undefined && { encoding }),
  };
}

interface WholeOptions {
  readonly progress?: ReadProgress;
  /** Those of the machine by default. */
  readonly threads?: number;
  /** The number of a column whose numbers may be classes: they keep their spelling. */
  readonly target?: number | undefined;
}

/**
 * Reads all columns of a table, as numbers if most of their cells are numbers, else as text.
 * @throws MlpError ExitCode.data with the location of what can't be trusted; io if the file can't be
 *   read or changes
 */
export function readWhole(
  table: TableSource,
  { target, progress, threads }: WholeOptions = {},
): Promise<Table> {
  const kinds = table.names.map((_, index): ColumnKind => (index === target ? 'label' : 'auto'));
  return table.read(kinds, progress, undefined, threads);
}
