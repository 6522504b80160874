/** The pool of threads that read a CSV of plain cells. */
import { setImmediate } from 'node:timers/promises';
import type { FileBytes } from '../source/fileBytes.js';
import { WorkerPool } from '../workerPool.js';
import { Reader, type RowFormat } from './chunkReader.js';
import type { PlacedChunk } from './chunks.js';
import type { BlockSize } from './matrix.js';
import { compileModules } from './modules.js';
import { type ScanResult, type ScanTask, scanChunk } from './scan.js';
import { type Results, type Task, taskRunner, type WorkerSetup } from './tasks.js';
import type { Tuning } from './workspace.js';

/** The compiled worker; in dist/ when the sources run (in tests). */
const WORKER = new URL('../../../bin/readThread.js', import.meta.url);

interface ReaderPoolOptions {
  readonly file: FileBytes;
  readonly format: RowFormat;
  /** Including the calling thread. */
  readonly threads: number;
  readonly tuning: Tuning;
  /** The script of a worker, for tests. */
  readonly script?: URL;
}

export class ReaderPool extends WorkerPool<Task, Results> {
  readonly #reader: Reader;

  constructor({ file: { name, fd, size }, format, threads, tuning, script = WORKER }: ReaderPoolOptions) {
    const modules = compileModules();
    const file = { name, fd, size };
    const setup: WorkerSetup = { modules, file, format, tuning };
    super({ script, setup, threads });
    this.#reader = new Reader(modules, file, format, tuning, 0);
  }

  protected runnerOf(task: Task) {
    return taskRunner(this.#reader, task);
  }

  /** How much is read at a time. */
  get blockSize(): BlockSize {
    return this.#reader.blockSize;
  }

  /** Scans a chunk again whose first row begins elsewhere than it seems, in this thread. */
  scanFrom(task: ScanTask, index: number, begin: number): ScanResult {
    return scanChunk(this.#reader, task, index, begin);
  }

  /** Reads chunks in order, in this thread only: every number of the `features`, row by row. */
  async readAll(
    chunks: readonly PlacedChunk[],
    features: readonly number[],
    take: (row: number, feature: number, value: number) => void,
  ): Promise<void> {
    const { space } = this.#reader;
    for (const chunk of chunks) {
      this.#reader.forEachBlock(
        chunk,
        Int32Array.from(features),
        false,
        () => true,
        ({ firstRow, rows }) => {
          for (let r = 0; r < rows; r++) {
            const at = space.at.values / 8 + r * space.columns;
            for (let j = 0; j < features.length; j++) take(firstRow + r, j, space.doubles[at + features[j]]);
          }
        },
      );
      await setImmediate();
    }
  }
}
