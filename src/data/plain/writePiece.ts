/** A way over a piece when the scaling is known: every number scaled to its place in the matrix. */
import { type Columns, MatrixSpace, type SharedTarget } from './matrixSpace.js';
import type { PlacedPiece } from './pieces.js';
import type { Reader } from './reader.js';

export interface WriteTask extends Columns, SharedTarget {
  readonly kind: 'write';
  readonly pieces: readonly PlacedPiece[];
  /** [features] */
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

export interface Held {
  /** Whether all numbers fit the matrix. */
  readonly held: boolean;
}

/** Carries out units of the task: undefined where a cell is no number. */
export function writer(reader: Reader, task: WriteTask): (unit: number) => Held | undefined {
  const { space, blockSize } = reader;
  const { columns, exports, at } = space;
  const { place, features, matrix } = task;
  const matrixSpace = new MatrixSpace(reader.modules.matrix, matrix, task.scratch, reader.rank);
  const placeBlock = matrixSpace.placer(task, blockSize, columns);
  const rowBytes = columns * matrixSpace.elementBytes;
  const scaleBlock = matrix.dtype === 'float32' ? exports.scaleToFloat32 : exports.scaleToFloat64;

  return (unit) => {
    space.numbers(at.shift, columns).fill(0);
    space.numbers(at.scale, columns).fill(1);
    features.forEach((column, j) => {
      space.doubles[at.shift / 8 + column] = task.shift[j];
      space.doubles[at.scale / 8 + column] = task.scale[j];
    });
    let held = true;
    const isPlain = reader.forEachBlock(
      task.pieces[unit],
      features,
      () => false,
      ({ firstRow, rows }) => {
        held = scaleBlock(rows, columns, at.values, at.shift, at.scale, at.scaled) === 1 && held;
        const block = space.bytes.subarray(at.scaled, at.scaled + rows * rowBytes);
        placeBlock(block, place.subarray(firstRow, firstRow + rows));
      },
    );
    return isPlain ? { held } : undefined;
  };
}
