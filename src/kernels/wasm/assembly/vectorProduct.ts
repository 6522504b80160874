/** The products of a matrix and a vector: c has one row or one column, and packing would cost more than the product. */
import { lanes, loadFirst, madd, splat, storeFirst } from './simd';

/** y[i] ← Σ_p a[i, p]·x[p] (+ y[i]): rows of a `aStep` bytes apart. The lanes add up separately, and are summed at the end. */
@inline
export function dotRows(
  rows: i32, k: i32, a: usize, aStep: usize, x: usize, accumulate: bool, y: usize,
): void {
  for (; rows > 0; rows--) {
    let s0 = splat(0.0);
    let s1 = splat(0.0);
    let s2 = splat(0.0);
    let s3 = splat(0.0);
    let row = a;
    let vector = x;
    let left = k;
    for (; left >= 4 * lanes(); left -= 4 * lanes()) {
      s0 = madd(v128.load(row), v128.load(vector), s0);
      s1 = madd(v128.load(row, 16), v128.load(vector, 16), s1);
      s2 = madd(v128.load(row, 32), v128.load(vector, 32), s2);
      s3 = madd(v128.load(row, 48), v128.load(vector, 48), s3);
      row += 64;
      vector += 64;
    }
    for (; left >= lanes(); left -= lanes()) {
      s0 = madd(v128.load(row), v128.load(vector), s0);
      row += 16;
      vector += 16;
    }
    if (left > 0) s1 = madd(loadFirst(row, left), loadFirst(vector, left), s1);
    const sum = v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3));
    const total = sumLanes(sum);
    store<real>(y, accumulate ? load<real>(y) + total : total);
    a += aStep;
    y += sizeof<real>();
  }
}

/** The sum of the lanes. */
@inline
function sumLanes(x: v128): real {
  const halves = v128.add<real>(x, i64x2.shuffle(x, x, 1, 0));
  if (sizeof<real>() == 8) return v128.extract_lane<real>(halves, 0);
  return v128.extract_lane<real>(halves, 0) + v128.extract_lane<real>(halves, 1);
}

/** y[j] ← Σ_p x[p]·b[p, j] (+ y[j]) for `columns` columns, in the order of p: rows of b `bStep` bytes apart. */
@inline
export function combineRows(
  columns: i32, k: i32, x: usize, b: usize, bStep: usize, accumulate: bool, y: usize,
): void {
  for (; columns >= 4 * lanes(); columns -= 4 * lanes()) {
    let s0 = splat(0.0);
    let s1 = splat(0.0);
    let s2 = splat(0.0);
    let s3 = splat(0.0);
    let row = b;
    const end = x + k * sizeof<real>();
    for (let at = x; at < end; at += sizeof<real>()) {
      const factor = v128.load_splat<real>(at);
      s0 = madd(factor, v128.load(row), s0);
      s1 = madd(factor, v128.load(row, 16), s1);
      s2 = madd(factor, v128.load(row, 32), s2);
      s3 = madd(factor, v128.load(row, 48), s3);
      row += bStep;
    }
    if (accumulate) {
      s0 = v128.add<real>(v128.load(y), s0);
      s1 = v128.add<real>(v128.load(y, 16), s1);
      s2 = v128.add<real>(v128.load(y, 32), s2);
      s3 = v128.add<real>(v128.load(y, 48), s3);
    }
    v128.store(y, s0);
    v128.store(y, s1, 16);
    v128.store(y, s2, 32);
    v128.store(y, s3, 48);
    b += 64;
    y += 64;
  }
  for (; columns > 0; columns -= lanes()) {
    let sum = splat(0.0);
    let row = b;
    const end = x + k * sizeof<real>();
    for (let at = x; at < end; at += sizeof<real>()) {
      sum = madd(v128.load_splat<real>(at), v128.load(row), sum);
      row += bStep;
    }
    if (accumulate) sum = v128.add<real>(v128.load(y), sum);
    if (columns < lanes()) storeFirst(y, sum, columns);
    else v128.store(y, sum);
    b += 16;
    y += 16;
  }
}
