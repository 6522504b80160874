/**
 * Packed decimals, and scaling whole rows in float64: z = (x − shift) / scale, with `shift` and
 * `scale` [columns]; then z / √(1 + (z / clip)²) unless `clip` [columns] is 0. An infinite clip leaves
 * z as it is. Scaling returns whether every z is finite. See `clipped` in ../../scaling.ts.
 *
 * A packed decimal holds a number of up to 8 digits exactly in 32 bits, as digits · 32 + sign · 16
 * + code. Codes 1 to 15 mean 15 − code decimal places, code 0 none.
 */

/** [32] The divisor of the digits, by sign and code. */
const DIVISORS = memory.data<f64>([
  1, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1, -1, -1e14, -1e13, -1e12, -1e11, -1e10,
  -1e9, -1e8, -1e7, -1e6, -1e5, -1e4, -1e3, -1e2, -1e1, -1,
]);

@inline
export function divisorOf(packed: u32): f64 {
  return load<f64>(DIVISORS + ((<usize>(packed & 31)) << 3));
}

/** The divisors of two packed decimals, or of two codes alone. */
@inline
export function divisorsOf(at: usize): v128 {
  const first = DIVISORS + ((<usize>(load<u32>(at) & 31)) << 3);
  const second = DIVISORS + ((<usize>(load<u32>(at, 4) & 31)) << 3);
  return v128.load64_lane(second, v128.load64_zero(first), 1);
}

/** Two packed decimals as float64: one division, rounded once. */
@inline
export function unpackTwo(at: usize): v128 {
  return f64x2.div(f64x2.convert_low_i32x4_u(i32x4.shr_u(v128.load64_zero(at), 5)), divisorsOf(at));
}

@inline
export function unpackOne(at: usize): f64 {
  const packed = load<u32>(at);
  return <f64>(packed >> 5) / divisorOf(packed);
}

/** x packed decimals [rows, columns]; z float32, in their place. */
export function scalePacked(rows: i32, columns: i32, x: usize, shift: usize, scale: usize, clip: usize): bool {
  if (clip == 0) return packedRows(rows, columns, x, shift, scale, 0, false);
  return packedRows(rows, columns, x, shift, scale, clip, true);
}

@inline
function packedRows(
  rows: i32,
  columns: i32,
  x: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  clips: bool,
): bool {
  let odd = f32x4.splat(0);
  for (; rows > 0; rows--) {
    let at: usize = 0;
    let left = columns;
    for (; left >= 2; left -= 2) {
      let two = scaleTwo(unpackTwo(x), shift + at, scale + at);
      if (clips) two = clipTwo(two, v128.load(clip + at));
      const z = f32x4.demote_f64x2_zero(two);
      odd = v128.or(odd, notFinite(z));
      v128.store64_lane(x, z, 0);
      at += 16;
      x += 8;
    }
    if (left > 0) {
      let one = (unpackOne(x) - load<f64>(shift + at)) / load<f64>(scale + at);
      if (clips) one = clipOne(one, load<f64>(clip + at));
      const z = <f32>one;
      odd = v128.or(odd, notFinite(f32x4.splat(z)));
      store<f32>(x, z);
      x += 4;
    }
  }
  return !v128.any_true(odd);
}

/** x float64 [columns], z of type T; z may replace x if T is f64. Lanes of the result that are set tell of z that is not finite. */
@inline
export function scaleRun<T>(
  columns: i32,
  x: usize,
  shift: usize,
  scale: usize,
  clip: usize,
  z: usize,
  clips: bool,
): v128 {
  let odd = i64x2.splat(0);
  for (; columns >= 2; columns -= 2) {
    let two = scaleTwo(v128.load(x), shift, scale);
    if (clips) two = clipTwo(two, v128.load(clip));
    if (sizeof<T>() == 4) {
      const narrow = f32x4.demote_f64x2_zero(two);
      odd = v128.or(odd, notFinite(narrow));
      v128.store64_lane(z, narrow, 0);
    } else {
      odd = v128.or(odd, v128.not(f64x2.lt(f64x2.abs(two), f64x2.splat(Infinity))));
      v128.store(z, two);
    }
    x += 16;
    shift += 16;
    scale += 16;
    clip += 16;
    z += 2 * sizeof<T>();
  }
  if (columns > 0) {
    let one = (load<f64>(x) - load<f64>(shift)) / load<f64>(scale);
    if (clips) one = clipOne(one, load<f64>(clip));
    const narrow = <T>one;
    odd = v128.or(odd, i64x2.splat(i64(!(abs<T>(narrow) < <T>Infinity))));
    store<T>(z, narrow);
  }
  return odd;
}

@inline
function scaleTwo(x: v128, shift: usize, scale: usize): v128 {
  return f64x2.div(f64x2.sub(x, v128.load(shift)), v128.load(scale));
}

/** Beyond this many times the clip, the result is ±clip. */
const CLIP_LIMIT: f64 = 1073741824;

@inline
function clipTwo(z: v128, clip: v128): v128 {
  const limit = f64x2.mul(clip, f64x2.splat(CLIP_LIMIT));
  const bounded = f64x2.min(f64x2.max(z, f64x2.neg(limit)), limit);
  const ratio = f64x2.div(bounded, clip);
  return f64x2.div(bounded, f64x2.sqrt(f64x2.add(f64x2.splat(1), f64x2.mul(ratio, ratio))));
}

@inline
function clipOne(z: f64, clip: f64): f64 {
  const limit = clip * CLIP_LIMIT;
  const bounded = min<f64>(max<f64>(z, -limit), limit);
  const ratio = bounded / clip;
  return bounded / Math.sqrt(1 + ratio * ratio);
}

@inline
function notFinite(z: v128): v128 {
  return v128.not(f32x4.lt(f32x4.abs(z), f32x4.splat(Infinity)));
}
