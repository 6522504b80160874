/**
 * Vectors of 128 bits of `real` (f32 or f64), and tails. A load may read past the end of a tensor
 * (the arena has padding); a store never writes past it: another thread may own what follows.
 */

/** Elements in a vector. */
@inline
export function lanes(): i32 {
  return 16 / (<i32>sizeof<real>());
}

/** The constant in every lane, rounded to real. */
@inline
export function splat(value: f64): v128 {
  return v128.splat<real>(<real>value);
}

/** a·b + c: with relaxed SIMD one rounding if the machine has it, else two. */
@inline
export function madd<T = real>(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_madd<T>(a, b, c);
  return v128.add<T>(v128.mul<T>(a, b), c);
}

/** The mask of the lanes from 0 to count − 1. */
@inline
export function firstLanes(count: i32): v128 {
  if (sizeof<real>() == 4) return i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3));
  return i64x2.gt_s(i64x2.splat(count), i64x2(0, 1));
}

/** The first `count` < lanes elements from an address, then zeros. */
@inline
export function loadFirst(address: usize, count: i32): v128 {
  return v128.and(v128.load(address), firstLanes(count));
}

/** Stores the first `count` < lanes elements. */
@inline
export function storeFirst(address: usize, x: v128, count: i32): void {
  if (sizeof<real>() == 8) {
    v128.store_lane<f64>(address, x, 0);
  } else {
    if (count == 1) v128.store_lane<f32>(address, x, 0);
    else v128.store_lane<f64>(address, x, 0);
    if (count == 3) v128.store_lane<f32>(address, x, 2, 8);
  }
}

/** Stores x, or only its first `count` elements if they are fewer than the lanes. */
@inline
export function keep(address: usize, x: v128, count: i32): void {
  if (count >= lanes()) v128.store(address, x);
  else storeFirst(address, x, count);
}

/** a where `mask` is set, b elsewhere. */
@inline
export function select(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** The larger lane by lane; NaN in x stays, NaN in y is dropped. */
@inline
export function larger(x: v128, y: v128): v128 {
  return v128.pmax<real>(x, y);
}

/** The smaller lane by lane; NaN in x stays, NaN in y is dropped. */
@inline
export function smaller(x: v128, y: v128): v128 {
  return v128.pmin<real>(x, y);
}

/** total + the lanes of x, in double precision: total is f64x2. */
@inline
export function addWide(total: v128, x: v128): v128 {
  if (sizeof<real>() == 8) return f64x2.add(total, x);
  return f64x2.add(f64x2.add(total, f64x2.promote_low_f32x4(x)), f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1)));
}

/** The sum of the two lanes. */
@inline
export function sumWide(total: v128): f64 {
  return f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
}

/** `up` for x > 0, `down` for x < 0, NaN for NaN, else 0. */
@inline
export function scaledSign(x: v128, up: v128, down: v128): v128 {
  const zero = splat(0);
  const sign = v128.or(v128.and(v128.gt<real>(x, zero), up), v128.and(v128.lt<real>(x, zero), down));
  return v128.or(sign, v128.and(v128.ne<real>(x, x), x));
}
