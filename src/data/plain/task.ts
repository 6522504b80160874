/** The tasks that threads share, cut into units of work. Tasks and results are plain data. */
import { type FitTask, type FittedPiece, fitter } from './fitPiece.js';
import type { Reader } from './reader.js';
import { type ScaleTask, scaler } from './scaleRows.js';
import { type ScannedPiece, type ScanTask, scanner } from './scanPiece.js';
import { type Held, type WriteTask, writer } from './writePiece.js';

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
