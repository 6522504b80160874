/** Sums and multiples of tensors, rows of minibatches, and reductions. */
import { addWide, lanes, loadFirst, madd, splat, storeFirst, sumWide } from './simd';

/** out ← a + b over `count` elements; out may be a or b. */
export function add(count: i32, a: usize, b: usize, out: usize): void {
  for (; count >= lanes(); count -= lanes()) {
    v128.store(out, v128.add<real>(v128.load(a), v128.load(b)));
    a += 16;
    b += 16;
    out += 16;
  }
  if (count > 0) storeFirst(out, v128.add<real>(v128.load(a), v128.load(b)), count);
}

/** y ← y + scale·x over `count` elements */
export function addScaled(count: i32, scale: f64, x: usize, y: usize): void {
  const factor = splat(scale);
  for (; count >= lanes(); count -= lanes()) {
    v128.store(y, madd(factor, v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  if (count > 0) storeFirst(y, madd(factor, v128.load(x), v128.load(y)), count);
}

/** y ← y + scale·sign(x) over `count` elements, sign(0) = 0; NaN stays NaN. */
export function addSigns(count: i32, scale: f64, x: usize, y: usize): void {
  const up = splat(scale);
  const down = splat(-scale);
  for (; count >= lanes(); count -= lanes()) {
    v128.store(y, v128.add<real>(v128.load(y), scaledSign(v128.load(x), up, down)));
    x += 16;
    y += 16;
  }
  if (count > 0) storeFirst(y, v128.add<real>(v128.load(y), scaledSign(v128.load(x), up, down)), count);
}

/** `up` where x > 0, `down` where x < 0, NaN where x is, else 0. */
@inline
function scaledSign(x: v128, up: v128, down: v128): v128 {
  const zero = splat(0);
  const sign = v128.or(v128.and(v128.gt<real>(x, zero), up), v128.and(v128.lt<real>(x, zero), down));
  return v128.or(sign, v128.and(v128.ne<real>(x, x), x));
}

/** x ← x·factor over `count` elements */
@inline
export function scale(count: i32, factor: f64, x: usize): void {
  const f = splat(factor);
  for (; count >= lanes(); count -= lanes()) {
    v128.store(x, v128.mul<real>(v128.load(x), f));
    x += 16;
  }
  if (count > 0) storeFirst(x, v128.mul<real>(v128.load(x), f), count);
}

/** x[i] ← factors[i]·x[i], rows of `columns` elements. */
export function scaleRows(rows: i32, columns: i32, factors: usize, x: usize): void {
  if (columns == 1) {
    // A vector of rows.
    for (; rows >= lanes(); rows -= lanes()) {
      v128.store(x, v128.mul<real>(v128.load(x), v128.load(factors)));
      factors += 16;
      x += 16;
    }
    if (rows > 0) storeFirst(x, v128.mul<real>(v128.load(x), v128.load(factors)), rows);
    return;
  }
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    scale(columns, <f64>load<real>(factors), x);
    factors += sizeof<real>();
    x += rowBytes;
  }
}

/** out ← source, `count` elements */
export function copy(count: i32, source: usize, out: usize): void {
  memory.copy(out, source, count * sizeof<real>());
}

/** Rows longer than this are copied by the engine, which knows the processor's widest way; below, the call costs more. */
const SHORT_ROW_BYTES: usize = 256;

/** out[i] ← source[indices[i]], rows of `columns` elements. */
export function gather(rows: i32, columns: i32, source: usize, indices: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    let from = source + <usize>load<i32>(indices) * rowBytes;
    indices += 4;
    if (rowBytes > SHORT_ROW_BYTES) {
      memory.copy(out, from, rowBytes);
      out += rowBytes;
      continue;
    }
    let left = columns;
    for (; left >= lanes(); left -= lanes()) {
      v128.store(out, v128.load(from));
      from += 16;
      out += 16;
    }
    if (left > 0) storeFirst(out, v128.load(from), left);
    out += left * sizeof<real>();
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
function total(term: i32, count: i32, x: usize): f64 {
  let first = f64x2.splat(0);
  let second = f64x2.splat(0);
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    first = addTerm(term, first, v128.load(x));
    second = addTerm(term, second, v128.load(x, 16));
    x += 32;
  }
  if (count >= lanes()) {
    first = addTerm(term, first, v128.load(x));
    count -= lanes();
    x += 16;
  }
  if (count > 0) second = addTerm(term, second, loadFirst(x, count));
  return sumWide(f64x2.add(first, second));
}

/** total + x, |x| or x², in double precision: the square of an f32 is exact there, and can't overflow. */
@inline
function addTerm(term: i32, sum: v128, x: v128): v128 {
  if (term == PLAIN) return addWide(sum, x);
  if (term == MAGNITUDE) return addWide(sum, v128.abs<real>(x));
  if (sizeof<real>() == 8) return madd<f64>(x, x, sum);
  const low = f64x2.promote_low_f32x4(x);
  const high = f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1));
  return madd<f64>(high, high, madd<f64>(low, low, sum));
}

export function sum(count: i32, x: usize): f64 {
  return total(PLAIN, count, x);
}

export function sumOfMagnitudes(count: i32, x: usize): f64 {
  return total(MAGNITUDE, count, x);
}

export function sumOfSquares(count: i32, x: usize): f64 {
  return total(SQUARE, count, x);
}
