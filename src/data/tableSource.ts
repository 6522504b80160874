/** A table whose rows are not yet read: what every reader offers. */
import type { StoredTable } from './columnStore.js';
import type { CsvFormat, Dialect } from './csv/dialect.js';
import type { Notations } from './csv/notation.js';
import type { MissingValues } from './missingValues.js';
import type { BadRow, RejectedRows } from './rejectedRows.js';
import type { Source } from './source/source.js';
import type { ColumnKind, PassedOver, Table } from './table.js';

/** Called now and then with the bytes read and the total. */
export type ReadProgress = (doneBytes: number, totalBytes: number) => void;

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
  /** Only for a CSV. */
  readonly csv?: { readonly source: Source; readonly dialect: Dialect };
  /** Only for several files, which are not read as one CSV. */
  readonly firstFile?: { readonly source: Source; readonly dialect: Dialect };
  /** Rows that were left out because they can't be read: for each file, once it is read. */
  readonly rejected?: readonly RejectedRows[];
  /** Reads all rows; `kinds` is in the order of the names. A CSV of plain cells and a large Parquet file are read by all threads. */
  read(
    kinds: readonly ColumnKind[],
    progress?: ReadProgress,
    missingValues?: MissingValues,
    threads?: number,
  ): Promise<Table>;
  /**
   * Reads all rows as `read` does, but the columns that are not named stay on the disk: cells that can't be
   * read are errors. Absent if a table is in memory anyway.
   * @param inMemory the numbers of columns
   */
  store?(
    kinds: readonly ColumnKind[],
    inMemory: ReadonlySet<number>,
    progress?: ReadProgress,
    missingValues?: MissingValues,
    threads?: number,
  ): Promise<StoredTable>;
  /** How many rows there are, or some more. Absent with `store`. */
  readonly mostRows?: number;
  /** Whether columns can be read from the file itself; otherwise `store` writes them to a temporary one. */
  readonly isColumnar?: boolean;
  /**
   * Reads `capacity` rows at a time, and at last fewer, but never none. No kind is
   * guessed. An error comes after the rows before it.
   */
  chunks(
    kinds: readonly ColumnKind[],
    capacity: number,
    options: ChunkOptions,
  ): AsyncGenerator<ReadRows, void, undefined>;
  close(): void;
}

export interface ChunkOptions {
  readonly missingValues: MissingValues;
  /** Takes rows that can't be read; otherwise the first is an error. */
  readonly rejected?: RejectedRows;
  /** The columns whose cells are wanted as text; all if left out. */
  readonly kept?: readonly number[];
  /** Only a CSV tells at its end what was passed over. */
  readonly onEnd?: (passed: PassedOver) => void;
  readonly progress?: ReadProgress;
  /** A large CSV of plain cells is read ahead by others than the calling one; 1 if left out. */
  readonly threads?: number;
}

/** Consecutive rows. */
export interface ReadRows {
  readonly table: Table;
  /** The cells of all columns as text, of bad rows too. Empty for rows in memory. */
  readonly cells: readonly (readonly string[])[];
  /** By index into `cells`, the rows that are not in the table because they can't be read. */
  readonly bad?: ReadonlyMap<number, BadRow & { readonly line: number }>;
}

/** How a table is written: what `mlp inspect` prints, and what a config needs to read it again. */
export interface TableFormat extends Omit<CsvFormat, 'delimiter'> {
  /** Of a CSV. */
  readonly delimiter?: string;
  /** Unless it is UTF-8. */
  readonly encoding?: string;
  readonly rowNames?: readonly number[];
  readonly notations?: Notations;
}
