/** The tasks of the threads, in chunks. All are plain data. */

import type { Quartiles } from '../quartiles.js';
import type { FileBytes } from '../source/fileBytes.js';
import type { TaskRunner } from '../workerPool.js';
import type { Reader, RowFormat } from './chunkReader.js';
import { type FitTask, type FittedChunk, fitter } from './fit.js';
import type { Modules } from './modules.js';
import { type GatherTask, gatherer, type QuartilesTask, quartileFinder } from './quartiles.js';
import { type ScanResult, type ScanTask, scanner } from './scan.js';
import type { Tuning } from './workspace.js';
import { type ScaleTask, scaler, type WriteResult, type WriteTask, writer } from './write.js';

export type Task = ScanTask | FitTask | WriteTask | ScaleTask | GatherTask | QuartilesTask;

/** The result of a chunk, by kind of task. */
export interface Results {
  scan: ScanResult;
  fit: FittedChunk;
  write: WriteResult;
  scale: WriteResult;
  gather: true;
  quartiles: readonly Quartiles[];
}

export function taskRunner(reader: Reader, task: Task): TaskRunner<Results[Task['kind']]> {
  switch (task.kind) {
    case 'scan':
      return scanner(reader, task);
    case 'fit':
      return fitter(reader, task);
    case 'write':
      return writer(reader, task);
    case 'scale':
      return scaler(reader, task);
    case 'gather':
      return gatherer(reader, task);
    case 'quartiles':
      return quartileFinder(task);
  }
}

/** What a worker is started with. */
export interface WorkerSetup {
  readonly modules: Modules;
  readonly file: FileBytes;
  readonly format: RowFormat;
  readonly tuning: Tuning;
}
