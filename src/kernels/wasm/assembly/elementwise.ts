/** Sums and multiples of tensors, rows of minibatches, and reductions. */
import { addWide, lanes, loadFirst, madd, splat, storeFirst, sumWide } from './simd';

/** out ← a + b over `count` elements; out may be a or b. */
@inline
export function add<T>(count: i32, a: usize, b: usize, out: usize): void {
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    v128.store(out, v128.add<T>(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    out += 16;
  }
  if (count > 0) storeFirst<T>(out, v128.add<T>(v128.load(a), v128.load(b)), count);
}

/** y ← y + scale·x over `count` elements */
@inline
export function addScaled<T>(count: i32, scale: f64, x: usize, y: usize): void {
  const factor = splat<T>(scale);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    v128.store(y, madd<T>(factor, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  if (count > 0) storeFirst<T>(y, madd<T>(factor, v128.load(x), v128.load(y)), count);
}

/** y ← y + scale·sign(x) over `count` elements, sign(0) = 0; NaN stays NaN. */
@inline
export function addSigns<T>(count: i32, scale: f64, x: usize, y: usize): void {
  const up = splat<T>(scale);
  const down = splat<T>(-scale);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    v128.store(y, v128.add<T>(v128.load(y), scaledSign<T>(v128.load(x), up, down)));
    x += 16;
    y += 16;
  }
  if (count > 0) storeFirst<T>(y, v128.add<T>(v128.load(y), scaledSign<T>(v128.load(x), up, down)), count);
}

/** `up` where x > 0, `down` where x < 0, NaN where x is, else 0. */
@inline
function scaledSign<T>(x: v128, up: v128, down: v128): v128 {
  const zero = splat<T>(0);
  const sign = v128.or(v128.and(v128.gt<T>(x, zero), up), v128.and(v128.lt<T>(x, zero), down));
  return v128.or(sign, v128.and(v128.ne<T>(x, x), x));
}

/** x ← x·factor over `count` elements */
@inline
export function multiply<T>(count: i32, factor: f64, x: usize): void {
  const f = splat<T>(factor);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    v128.store(x, v128.mul<T>(v128.load(x), f));
    x += 16;
  }
  if (count > 0) storeFirst<T>(x, v128.mul<T>(v128.load(x), f), count);
}

/** x[i] ← factors[i]·x[i], rows of `columns` elements. */
@inline
export function scaleRows<T>(rows: i32, columns: i32, factors: usize, x: usize): void {
  if (columns == 1) {
    // A vector of rows.
    for (; rows >= lanes<T>(); rows -= lanes<T>()) {
      v128.store(x, v128.mul<T>(v128.load(x), v128.load(factors)));
      factors += 16;
      x += 16;
    }
    if (rows > 0) storeFirst<T>(x, v128.mul<T>(v128.load(x), v128.load(factors)), rows);
    return;
  }
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    multiply<T>(columns, <f64>load<T>(factors), x);
    factors += sizeof<T>();
    x += rowBytes;
  }
}

/** out ← source, `count` elements */
@inline
export function copy<T>(count: i32, source: usize, out: usize): void {
  memory.copy(out, source, count * sizeof<T>());
}

/** Rows longer than this are copied by the engine, which knows the processor's widest way; below, the call costs more. */
const SHORT_ROW_BYTES: usize = 256;

/** out[i] ← source[indices[i]], rows of `columns` elements. */
@inline
export function gather<T>(rows: i32, columns: i32, source: usize, indices: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    let from = source + <usize>load<i32>(indices) * rowBytes;
    indices += 4;
    if (rowBytes > SHORT_ROW_BYTES) {
      memory.copy(out, from, rowBytes);
      out += rowBytes;
      continue;
    }
    let left = columns;
    for (; left >= lanes<T>(); left -= lanes<T>()) {
      v128.store(out, v128.load(from));
      from += 16;
      out += 16;
    }
    if (left > 0) storeFirst<T>(out, v128.load(from), left);
    out += left * sizeof<T>();
  }
}

/** out[i] ← source[indices[i]], labels. */
@inline
export function gatherLabels(rows: i32, source: usize, indices: usize, out: usize): void {
  for (; rows > 0; rows--) {
    store<i32>(out, load<i32>(source + ((<usize>load<i32>(indices)) << 2)));
    indices += 4;
    out += 4;
  }
}

/** What is summed of each element: itself, its magnitude, its square. */
const PLAIN = 0;
const MAGNITUDE = 1;
const SQUARE = 2;

/** The sum over x of a term by its number, in double precision. */
@inline
function total<T>(term: i32, count: i32, x: usize): f64 {
  let first = f64x2.splat(0);
  let second = f64x2.splat(0);
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    first = addTerm<T>(term, first, v128.load(x));
    second = addTerm<T>(term, second, v128.load(x, 16));
    x += 32;
  }
  if (count >= lanes<T>()) {
    first = addTerm<T>(term, first, v128.load(x));
    count -= lanes<T>();
    x += 16;
  }
  if (count > 0) second = addTerm<T>(term, second, loadFirst<T>(x, count));
  return sumWide(f64x2.add(first, second));
}

/** total + x, |x| or x², in double precision: the square of an f32 is exact there, and can't overflow. */
@inline
function addTerm<T>(term: i32, sum: v128, x: v128): v128 {
  if (term == PLAIN) return addWide<T>(sum, x);
  if (term == MAGNITUDE) return addWide<T>(sum, v128.abs<T>(x));
  if (sizeof<T>() == 8) return madd<f64>(x, x, sum);
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1));
  return madd<f64>(high, high, madd<f64>(low, low, sum));
}

@inline
export function sum<T>(count: i32, x: usize): f64 {
  return total<T>(PLAIN, count, x);
}

@inline
export function sumOfMagnitudes<T>(count: i32, x: usize): f64 {
  return total<T>(MAGNITUDE, count, x);
}

@inline
export function sumOfSquares<T>(count: i32, x: usize): f64 {
  return total<T>(SQUARE, count, x);
}
