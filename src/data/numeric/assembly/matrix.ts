/** The exports of the module that works in the memory of a matrix. */
import { scaleRun } from './scale';

export { scalePacked } from './scale';

/** x ← (x − shift) / scale, float64, and clipped; see scale.ts. */
export function scaleFloat64(rows: i32, columns: i32, x: usize, shift: usize, scale: usize, clip: usize): bool {
  if (clip == 0) return float64Rows(rows, columns, x, shift, scale, 0, false);
  return float64Rows(rows, columns, x, shift, scale, clip, true);
}

@inline
function float64Rows(
  rows: i32,
  columns: i32,
  x: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  clips: bool,
): bool {
  let odd = i64x2.splat(0);
  for (; rows > 0; rows--) {
    odd = v128.or(odd, scaleRun<f64>(columns, x, shift, scale, clip, x, clips));
    x += <usize>columns << 3;
  }
  return !v128.any_true(odd);
}

/**
 * Copies rows of a block to rows `place` [rows] i32 of the matrix; negative for none. `runs`
 * [count, 3] are the parts of each row to copy: offset in the block's row, offset in the matrix's
 * row, and length. All in bytes, multiples of 4.
 */
export function placeRows(
  block: usize,
  blockRowBytes: usize,
  rows: i32,
  place: usize,
  runs: usize,
  count: i32,
  matrix: usize,
  matrixRowBytes: usize,
): void {
  const runsEnd = runs + <usize>count * 12;
  for (; rows > 0; rows--) {
    const row = load<i32>(place);
    if (row >= 0) {
      const start = matrix + <usize>row * matrixRowBytes;
      for (let run = runs; run < runsEnd; run += 12) {
        let from = block + <usize>load<u32>(run);
        let to = start + <usize>load<u32>(run, 4);
        let left = load<i32>(run, 8);
        for (; left >= 16; left -= 16) {
          v128.store(to, v128.load(from));
          from += 16;
          to += 16;
        }
        for (; left > 0; left -= 4) {
          store<u32>(to, load<u32>(from));
          from += 4;
          to += 4;
        }
      }
    }
    place += 4;
    block += blockRowBytes;
  }
}

/**
 * Writes rows of a block of float64 to rows `place` [rows] i32 of the matrix, scaled; negative for none. `runs`
 * [count, 3] i32 are the parts of each row: first column in the block, first in the matrix, columns. `shift`, `scale`
 * and `clip` are of the matrix.
 */
export function scaleToFloat32(
  block: usize,
  blockColumns: usize,
  rows: i32,
  place: usize,
  runs: usize,
  count: i32,
  matrix: usize,
  columns: usize,
  shift: usize,
  scale: usize,
  clip: usize,
): bool {
  if (clip == 0) return scaleInto<f32>(block, blockColumns, rows, place, runs, count, matrix, columns, shift, scale, 0, false);
  return scaleInto<f32>(block, blockColumns, rows, place, runs, count, matrix, columns, shift, scale, clip, true);
}

export function scaleToFloat64(
  block: usize,
  blockColumns: usize,
  rows: i32,
  place: usize,
  runs: usize,
  count: i32,
  matrix: usize,
  columns: usize,
  shift: usize,
  scale: usize,
  clip: usize,
): bool {
  if (clip == 0) return scaleInto<f64>(block, blockColumns, rows, place, runs, count, matrix, columns, shift, scale, 0, false);
  return scaleInto<f64>(block, blockColumns, rows, place, runs, count, matrix, columns, shift, scale, clip, true);
}

@inline
function scaleInto<T>(
  block: usize,
  blockColumns: usize,
  rows: i32,
  place: usize,
  runs: usize,
  count: i32,
  matrix: usize,
  columns: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  clips: bool,
): bool {
  const runsEnd = runs + <usize>count * 12;
  let odd = i64x2.splat(0);
  for (; rows > 0; rows--) {
    const row = load<i32>(place);
    if (row >= 0) {
      const start = matrix + <usize>row * columns * sizeof<T>();
      for (let run = runs; run < runsEnd; run += 12) {
        const x = block + ((<usize>load<u32>(run)) << 3);
        const slot = <usize>load<u32>(run, 4);
        const at = slot << 3;
        const z = start + slot * sizeof<T>();
        odd = v128.or(odd, scaleRun<T>(load<i32>(run, 8), x, shift + at, scale + at, clip + at, z, clips));
      }
    }
    place += 4;
    block += blockColumns << 3;
  }
  return !v128.any_true(odd);
}
