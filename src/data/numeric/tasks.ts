/** The tasks that threads share, cut into units of work. Tasks and results are plain data. */
import type { MlpError } from '../../errors.js';
import type { FileBytes } from '../source/fileBytes.js';
import type { Reader, RowsBeginning } from './chunkReader.js';
import { type FitTask, type FittedPiece, fitter } from './fit.js';
import type { Modules } from './modules.js';
import { type ScannedPiece, type ScanTask, scanner } from './scan.js';
import type { Tuning } from './workspace.js';
import { type Held, type ScaleTask, scaler, type WriteTask, writer } from './write.js';

export type Task = ScanTask | FitTask | WriteTask | ScaleTask;

/** What a unit of each kind of task results in. */
export interface Results {
  scan: ScannedPiece;
  fit: FittedPiece;
  write: Held;
  scale: Held;
}

export type ResultOf<T extends Task> = Results[T['kind']];

/** Carries out units of a task. Undefined where the file is for csv-parse: then nothing else of the task needs to be done. */
export type UnitRunner = (unit: number) => Results[Task['kind']] | undefined;

export function unitRunner(reader: Reader, task: Task): UnitRunner {
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

/** What a thread is started with. */
export interface WorkerSetup {
  readonly modules: Modules;
  readonly file: FileBytes;
  readonly beginning: RowsBeginning;
  readonly tuning: Tuning;
  readonly rank: number;
}

export interface ToWorker {
  readonly id: number;
  readonly task: Task;
  readonly counter: SharedArrayBuffer;
}

export type WorkerMessage =
  | { readonly type: 'result'; readonly id: number; readonly unit: number; readonly result: unknown }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly error: Pick<MlpError, 'exitCode' | 'message' | 'hint'>;
    }
  /** There is no unit for it any more. */
  | { readonly type: 'left'; readonly id: number };

/** Hands out the units of a task, from 0, to whichever thread asks. */
export class UnitCounter {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;

  /** @param source the buffer of another thread's counter, or the number of units */
  constructor(source: SharedArrayBuffer | number) {
    this.buffer = typeof source === 'number' ? new SharedArrayBuffer(8) : source;
    this.words = new Int32Array(this.buffer);
    if (typeof source === 'number') this.words[UNITS] = source;
  }

  /** −1 when there are none left. */
  next(): number {
    const unit = Atomics.add(this.words, NEXT, 1);
    return unit < Atomics.load(this.words, UNITS) ? unit : -1;
  }

  stop(): void {
    Atomics.store(this.words, UNITS, 0);
  }
}

const NEXT = 0;
const UNITS = 1;
