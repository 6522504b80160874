/** Sums and multiples of tensors, rows of minibatches, reductions, and dropout. */
import { addWide, keep, lanes, loadFirst, madd, scaledSign, splat, storeFirst, sumWide } from './simd';

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

/** out ← of each `views` rows of x in turn their sum */
export function sumViews(rows: i32, views: i32, columns: i32, x: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    let from = x;
    for (let left = columns; left > 0; left -= lanes()) {
      let sum = splat(0);
      let at = from;
      for (let v = 0; v < views; v++) {
        sum = v128.add<real>(sum, v128.load(at));
        at += rowBytes;
      }
      keep(out, sum, left);
      from += 16;
      out += left < lanes() ? <usize>left * sizeof<real>() : 16;
    }
    x += <usize>views * rowBytes;
  }
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
    // Every row is one element.
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

/** out ← factors ⊙ x, rows of `columns` elements with a factor for each column; out may be x. */
export function scaleColumns(rows: i32, columns: i32, factors: usize, x: usize, out: usize): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      keep(out + column, v128.mul<real>(v128.load(factors + column), v128.load(x + column)), left);
      column += 16;
    }
    x += rowBytes;
    out += rowBytes;
  }
}

/** dFactors ← Σ dY ⊙ x over rows `rowBytes` apart; dX ← factors ⊙ dY unless it is 0. */
export function scaleColumnsBackward(
  rows: i32, columns: i32, rowBytes: usize, factors: usize, x: usize, dY: usize, dX: usize,
  dFactors: usize,
): void {
  memory.fill(dFactors, 0, columns * sizeof<real>());
  for (; rows > 0; rows--) {
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const d = v128.load(dY + column);
      keep(dFactors + column, madd(d, v128.load(x + column), v128.load(dFactors + column)), left);
      if (dX) keep(dX + column, v128.mul<real>(v128.load(factors + column), d), left);
      column += 16;
    }
    x += rowBytes;
    dY += rowBytes;
    if (dX) dX += rowBytes;
  }
}

export function copy(count: i32, source: usize, out: usize): void {
  memory.copy(out, source, count * sizeof<real>());
}

/** The engine copies longer rows, the fastest way; for shorter ones the call costs more. */
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

/** The term of a sum: the element, its magnitude or its square. */
const PLAIN = 0;
const MAGNITUDE = 1;
const SQUARE = 2;

/** The sum of a term over x, in double precision. */
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

/** total + x, |x| or x², in double precision, where the square of an f32 is exact. */
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

// Dropout draws Philox4x32-10 on the way, as ../../reference/elementwise.ts, four counters at once.

/** The elements of four counters: one for each of their words. */
const GROUP = 16;
const ROUNDS = 10;
const M0: i32 = 0xd2511f53;
const M1: i32 = 0xcd9e8d57;
const W0: i32 = 0x9e3779b9;
const W1: i32 = 0xbb67ae85;

/**
 * out ← x/(1 − rate) for elements whose draw is at least ⌊rate·2³²⌋, else 0; out may be x. The
 * first has word 0 of the counter (block, 0, step) under the key (seed, layer).
 */
export function dropout(
  count: i32, rate: f64, seed: i32, layer: i32, step: f64, block: i32, x: usize, out: usize,
): void {
  const threshold = i32x4.splat(<i32>(<u32>(rate * 4294967296.0)));
  const scale = splat(1.0 / (1.0 - rate));
  const stepLow = i32x4.splat(<i32>(<u64>step));
  const stepHigh = i32x4.splat(<i32>((<u64>step) >> 32));
  const bytes = 4 * sizeof<real>();
  let blocks = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  for (; count > 0; count -= GROUP) {
    // Lane i of c0 to c3 holds the four words of counter i.
    let c0 = blocks;
    let c1 = i32x4.splat(0);
    let c2 = stepLow;
    let c3 = stepHigh;
    let k0 = i32x4.splat(seed);
    let k1 = i32x4.splat(layer);
    for (let round = 0; round < ROUNDS; round++) {
      const m0 = i32x4.splat(M0);
      const m1 = i32x4.splat(M1);
      const next0 = v128.xor(v128.xor(highProducts(c2, m1), c1), k0);
      const next2 = v128.xor(v128.xor(highProducts(c0, m0), c3), k1);
      c1 = i32x4.mul(c2, m1);
      c3 = i32x4.mul(c0, m0);
      c0 = next0;
      c2 = next2;
      k0 = i32x4.add(k0, i32x4.splat(W0));
      k1 = i32x4.add(k1, i32x4.splat(W1));
    }
    const kept0 = i32x4.ge_u(c0, threshold);
    const kept1 = i32x4.ge_u(c1, threshold);
    const kept2 = i32x4.ge_u(c2, threshold);
    const kept3 = i32x4.ge_u(c3, threshold);
    // Transposed, so that the four words of a counter follow each other.
    const first01 = v128.shuffle<i32>(kept0, kept1, 0, 4, 1, 5);
    const first23 = v128.shuffle<i32>(kept2, kept3, 0, 4, 1, 5);
    const last01 = v128.shuffle<i32>(kept0, kept1, 2, 6, 3, 7);
    const last23 = v128.shuffle<i32>(kept2, kept3, 2, 6, 3, 7);
    keepFour(v128.shuffle<i64>(first01, first23, 0, 2), scale, count, x, out);
    keepFour(v128.shuffle<i64>(first01, first23, 1, 3), scale, count - 4, x + bytes, out + bytes);
    keepFour(v128.shuffle<i64>(last01, last23, 0, 2), scale, count - 8, x + 2 * bytes, out + 2 * bytes);
    keepFour(v128.shuffle<i64>(last01, last23, 1, 3), scale, count - 12, x + 3 * bytes, out + 3 * bytes);
    blocks = i32x4.add(blocks, i32x4.splat(4));
    x += 4 * bytes;
    out += 4 * bytes;
  }
}

/**
 * The upper 32 of the 64 bits of each lane's product, unsigned. Even and odd lanes are multiplied
 * apart, so that a shift and a mask join their halves: cheaper than shuffling two vectors.
 */
@inline
function highProducts(x: v128, m: v128): v128 {
  const evenThenOdd = v128.shuffle<i32>(x, x, 0, 2, 1, 3);
  const even = i64x2.extmul_low_i32x4_u(evenThenOdd, m);
  const odd = i64x2.extmul_high_i32x4_u(evenThenOdd, m);
  return v128.or(i64x2.shr_u(even, 32), v128.and(odd, i32x4(0, -1, 0, -1)));
}

/** Scales four elements, or the first `count` if those are fewer; 0 if `kept` is not set. */
@inline
function keepFour(kept: v128, scale: v128, count: i32, x: usize, out: usize): void {
  if (sizeof<real>() == 4) {
    keepVector(kept, scale, count, x, out);
  } else {
    keepVector(i64x2.extend_low_i32x4_s(kept), scale, count, x, out);
    keepVector(i64x2.extend_high_i32x4_s(kept), scale, count - 2, x + 16, out + 16);
  }
}

@inline
function keepVector(kept: v128, scale: v128, count: i32, x: usize, out: usize): void {
  if (count <= 0) return;
  const y = v128.and(kept, v128.mul<real>(scale, v128.load(x)));
  keep(out, y, count);
}
