/** The tasks of the threads, in chunks, and their messages. All are plain data. */
import type { MlpError } from '../../errors.js';
import type { FileBytes } from '../source/fileBytes.js';
import type { Reader, RowFormat } from './chunkReader.js';
import { type FitTask, type FittedChunk, fitter } from './fit.js';
import type { Modules } from './modules.js';
import { type ScannedChunk, type ScanTask, scanner } from './scan.js';
import type { Tuning } from './workspace.js';
import { type ScaleTask, scaler, type WriteResult, type WriteTask, writer } from './write.js';

export type Task = ScanTask | FitTask | WriteTask | ScaleTask;

/** The result of a chunk, by kind of task. */
export interface Results {
  scan: ScannedChunk;
  fit: FittedChunk;
  write: WriteResult;
  scale: WriteResult;
}

export type ResultOf<T extends Task> = Results[T['kind']];

/** Runs one chunk of a task. Undefined declines the file, and the task ends. */
type TaskRunner = (index: number) => Results[Task['kind']] | undefined;

export function taskRunner(reader: Reader, task: Task): TaskRunner {
  switch (task.kind) {
    case 'scan':
      return scanner(reader, task);
    case 'fit':
      return fitter(reader, task);
    case 'write':
      return writer(reader, task);
    case 'scale':
      return scaler(reader, task);
  }
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly modules: Modules;
  readonly file: FileBytes;
  readonly format: RowFormat;
  readonly tuning: Tuning;
  readonly rank: number;
}

export interface ToWorker {
  readonly id: number;
  readonly task: Task;
  readonly counter: SharedArrayBuffer;
}

export type WorkerMessage =
  | { readonly type: 'result'; readonly id: number; readonly index: number; readonly result: unknown }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly error: Pick<MlpError, 'exitCode' | 'message' | 'hint'>;
    }
  /** The worker has no more chunks. */
  | { readonly type: 'left'; readonly id: number };

/** Hands out the chunks of a task, from 0, to any thread that asks. */
export class ChunkCounter {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param source the buffer of another thread's counter, or the number of chunks */
  constructor(source: SharedArrayBuffer | number) {
    this.buffer = typeof source === 'number' ? new SharedArrayBuffer(8) : source;
    this.#words = new Int32Array(this.buffer);
    if (typeof source === 'number') this.#words[COUNT] = source;
  }

  /** −1 if none are left. */
  next(): number {
    const index = Atomics.add(this.#words, NEXT, 1);
    return index < Atomics.load(this.#words, COUNT) ? index : -1;
  }

  stop(): void {
    Atomics.store(this.#words, COUNT, 0);
  }
}

const NEXT = 0;
const COUNT = 1;
