/** After fitting: rows of the matrix scaled where they are. */
import type { ArenaMatrix } from './matrix.js';
import { MatrixSpace, type Scratch } from './matrixSpace.js';
import type { Reader } from './reader.js';
import type { Held } from './writePiece.js';

export interface ScaleTask {
  readonly kind: 'scale';
  /** The first so many of the matrix are scaled: packed decimals in one of float32, numbers in one of float64. */
  readonly rows: number;
  /** Rows of a unit. */
  readonly unitRows: number;
  /** [matrix columns] */
  readonly shift: Float64Array;
  readonly scale: Float64Array;
  readonly matrix: ArenaMatrix;
  readonly scratch: Scratch;
}

/** Carries out units of the task. */
export function scaler(reader: Reader, task: ScaleTask): (unit: number) => Held {
  const { matrix, scratch, shift, scale, rows, unitRows } = task;
  const space = new MatrixSpace(reader.modules.matrix, matrix, scratch, reader.rank);
  const scaleRows = space.scaler(shift, scale);
  return (unit) => {
    const first = unit * unitRows;
    return { held: scaleRows(first, Math.min(first + unitRows, rows)) };
  };
}
