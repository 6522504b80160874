/** What passes between the threads of a crew. */
import type { MlpError } from '../../errors.js';
import type { FileBytes } from '../source/bytes.js';
import type { Modules } from './module.js';
import type { RowsBeginning } from './reader.js';
import type { Task } from './task.js';
import type { Tuning } from './workspace.js';

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
