/** The pool of threads that read the columns of a Parquet file. */
import type { FileMetaData } from 'hyparquet';
import { MlpError } from '../../errors.js';
import { type MissingValues, OLD_MISSING } from '../missingValues.js';
import type { FileBytes } from '../source/fileBytes.js';
import type { Column, ColumnKind } from '../table.js';
import type { ReadProgress } from '../tableSource.js';
import { type PlainError, plain, revived, type TaskRunner, WorkerPool } from '../workerPool.js';
import type { ColumnReader } from './columnReader.js';
import { type BadCells, noBadCells } from './columns.js';

/** The compiled worker; in dist/ when the sources run (in tests). */
const WORKER = new URL('../../../dist/data/parquet/worker.js', import.meta.url);

/** What a worker is started with. */
export interface WorkerSetup {
  readonly file: FileBytes;
  readonly metadata: FileMetaData;
}

/** A chunk of it is a column. */
export interface ColumnTask {
  readonly kind: 'columns';
  readonly wanted: readonly number[];
  readonly kinds: readonly ColumnKind[];
  readonly missingValues: MissingValues;
  /** Whether its texts are those of old models, which are known by identity. */
  readonly isOld: boolean;
  readonly keepsBad: boolean;
}

/** An error is a result, too: the first in the order of the columns is the file's. */
export type ColumnResult =
  | { readonly column: Column; readonly bad: BadCells }
  | { readonly error: PlainError };

interface ColumnRequest {
  readonly kinds: readonly ColumnKind[];
  readonly missingValues: MissingValues;
  readonly threads: number;
  /** Whether cells that are no numbers are collected; otherwise the first is an error. */
  readonly keepsBad: boolean;
  /** Gets each column, and its cells that should be numbers and are none, in order. */
  readonly take: (index: number, column: Column, bad: BadCells) => void;
  readonly progress?: ReadProgress;
}

/**
 * Reads all columns that are not skipped.
 * @throws MlpError of the first column that can't be read, or ExitCode.internal if a thread has died
 */
export async function readColumns(
  reader: ColumnReader,
  file: FileBytes,
  { kinds, missingValues, threads, keepsBad, take, progress }: ColumnRequest,
): Promise<void> {
  const wanted = [...kinds.keys()].filter((i) => kinds[i] !== 'skipped');
  const total = reader.bytesOf(kinds);
  let error: PlainError | undefined;
  const pool = new ColumnPool(reader, file, threads);
  try {
    const isOld = missingValues.texts === OLD_MISSING.texts;
    const task = { kind: 'columns', wanted, kinds, missingValues, isOld, keepsBad } as const;
    await pool.run(task, wanted.length, (result, k) => {
      if ('error' in result) {
        error = result.error;
        return false;
      }
      take(wanted[k], result.column, result.bad);
      progress?.((total * (k + 1)) / wanted.length, total);
      return true;
    });
  } finally {
    await pool.close();
  }
  if (error) throw revived(error);
}

class ColumnPool extends WorkerPool<ColumnTask, { readonly columns: ColumnResult }> {
  readonly #reader: ColumnReader;

  constructor(reader: ColumnReader, { name, fd, size }: FileBytes, threads: number) {
    const setup: WorkerSetup = { file: { name, fd, size }, metadata: reader.metadata };
    super({ script: WORKER, setup, threads });
    this.#reader = reader;
  }

  protected runnerOf(task: ColumnTask) {
    return columnRunner(this.#reader, task);
  }
}

export function columnRunner(
  reader: ColumnReader,
  { wanted, kinds, missingValues, isOld, keepsBad }: ColumnTask,
): TaskRunner<ColumnResult> {
  const missing = isOld ? { ...missingValues, texts: OLD_MISSING.texts } : missingValues;
  return (index) => {
    const i = wanted[index];
    try {
      const bad = noBadCells();
      return { column: reader.read(i, kinds[i], missing, keepsBad ? bad : undefined), bad };
    } catch (error) {
      if (!(error instanceof MlpError)) throw error;
      return { error: plain(error) };
    }
  };
}
