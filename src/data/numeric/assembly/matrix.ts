/** The exports of the module that works in the memory of a matrix. */
import { scaleRows } from './scale';

export { scalePacked } from './scale';

/** x ← (x − shift) / scale, float64, and clipped; see scale.ts. */
export function scaleFloat64(rows: i32, columns: i32, x: usize, shift: usize, scale: usize, clip: usize): bool {
  return scaleRows<f64>(rows, columns, x, shift, scale, clip, x);
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
