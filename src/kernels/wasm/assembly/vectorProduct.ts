/** The products of a matrix and a vector: c has one row or one column, and packing would cost more than the product. */
import { lanes, loadFirst, madd, splat, storeFirst } from './simd';

/** y[i] ← Σ_p a[i, p]·x[p] (+ y[i]): rows of a `aStep` bytes apart. The lanes add up separately, and are summed at the end. */
@inline
export function dotRows<T>(
  rows: i32,
  k: i32,
  a: usize,
  aStep: usize,
  x: usize,
  accumulate: bool,
  y: usize,
): void {
  for (; rows > 0; rows--) {
    let s0 = splat<T>(0.0);
    let s1 = splat<T>(0.0);
    let s2 = splat<T>(0.0);
    let s3 = splat<T>(0.0);
    let row = a;
    let vector = x;
    let left = k;
    for (; left >= 4 * lanes<T>(); left -= 4 * lanes<T>()) {
      s0 = madd<T>(v128.load(row), v128.load(vector), s0);
      s1 = madd<T>(v128.load(row, 16), v128.load(vector, 16), s1);
      s2 = madd<T>(v128.load(row, 32), v128.load(vector, 32), s2);
      s3 = madd<T>(v128.load(row, 48), v128.load(vector, 48), s3);
      row += 64;
      vector += 64;
    }
    for (; left >= lanes<T>(); left -= lanes<T>()) {
      s0 = madd<T>(v128.load(row), v128.load(vector), s0);
      row += 16;
      vector += 16;
    }
    if (left > 0) s1 = madd<T>(loadFirst<T>(row, left), loadFirst<T>(vector, left), s1);
    const sum = v128.add<T>(v128.add<T>(s0, s1), v128.add<T>(s2, s3));
    const total = sumLanes<T>(sum);
    store<T>(y, accumulate ? load<T>(y) + total : total);
    a += aStep;
    y += sizeof<T>();
  }
}

/** The sum of the lanes. */
@inline
function sumLanes<T>(x: v128): T {
  const halves = v128.add<T>(x, i64x2.shuffle(x, x, 1, 0));
  if (sizeof<T>() == 8) return v128.extract_lane<T>(halves, 0);
  return v128.extract_lane<T>(halves, 0) + v128.extract_lane<T>(halves, 1);
}

/** y[j] ← Σ_p x[p]·b[p, j] (+ y[j]) for `columns` columns, in the order of p: rows of b `bStep` bytes apart. */
@inline
export function combineRows<T>(
  columns: i32,
  k: i32,
  x: usize,
  b: usize,
  bStep: usize,
  accumulate: bool,
  y: usize,
): void {
  for (; columns >= 4 * lanes<T>(); columns -= 4 * lanes<T>()) {
    let s0 = splat<T>(0.0);
    let s1 = splat<T>(0.0);
    let s2 = splat<T>(0.0);
    let s3 = splat<T>(0.0);
    let row = b;
    const end = x + k * sizeof<T>();
    for (let at = x; at < end; at += sizeof<T>()) {
      const factor = v128.load_splat<T>(at);
      s0 = madd<T>(factor, v128.load(row), s0);
      s1 = madd<T>(factor, v128.load(row, 16), s1);
      s2 = madd<T>(factor, v128.load(row, 32), s2);
      s3 = madd<T>(factor, v128.load(row, 48), s3);
      row += bStep;
    }
    if (accumulate) {
      s0 = v128.add<T>(v128.load(y), s0);
      s1 = v128.add<T>(v128.load(y, 16), s1);
      s2 = v128.add<T>(v128.load(y, 32), s2);
      s3 = v128.add<T>(v128.load(y, 48), s3);
    }
    v128.store(y, s0);
    v128.store(y, s1, 16);
    v128.store(y, s2, 32);
    v128.store(y, s3, 48);
    b += 64;
    y += 64;
  }
  for (; columns > 0; columns -= lanes<T>()) {
    let sum = splat<T>(0.0);
    let row = b;
    const end = x + k * sizeof<T>();
    for (let at = x; at < end; at += sizeof<T>()) {
      sum = madd<T>(v128.load_splat<T>(at), v128.load(row), sum);
      row += bStep;
    }
    if (accumulate) sum = v128.add<T>(v128.load(y), sum);
    if (columns < lanes<T>()) storeFirst<T>(y, sum, columns);
    else v128.store(y, sum);
    b += 16;
    y += 16;
  }
}
