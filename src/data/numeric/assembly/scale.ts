/**
 * Packed decimals, and scaling whole rows in float64: z = (x − shift) / scale, with `shift` and
 * `scale` [columns]. Scaling returns whether every z is finite.
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
export function scalePacked(rows: i32, columns: i32, x: usize, shift: usize, scale: usize): bool {
  let odd = f32x4.splat(0);
  for (; rows > 0; rows--) {
    let at: usize = 0;
    let left = columns;
    for (; left >= 2; left -= 2) {
      const z = f32x4.demote_f64x2_zero(scaleTwo(unpackTwo(x), shift + at, scale + at));
      odd = v128.or(odd, notFinite(z));
      v128.store64_lane(x, z, 0);
      at += 16;
      x += 8;
    }
    if (left > 0) {
      const z = <f32>((unpackOne(x) - load<f64>(shift + at)) / load<f64>(scale + at));
      odd = v128.or(odd, notFinite(f32x4.splat(z)));
      store<f32>(x, z);
      x += 4;
    }
  }
  return !v128.any_true(odd);
}

/** x float64 [rows, columns], z of type T; z may replace x if T is f64. */
@inline
export function scaleRows<T>(rows: i32, columns: i32, x: usize, shift: usize, scale: usize, out: usize): bool {
  let held = 1;
  for (; rows > 0; rows--) {
    let at: usize = 0;
    for (let left = columns; left > 0; left--) {
      const z = <T>((load<f64>(x) - load<f64>(shift + at)) / load<f64>(scale + at));
      held &= i32(abs<T>(z) < <T>Infinity);
      store<T>(out, z);
      at += 8;
      x += 8;
      out += sizeof<T>();
    }
  }
  return held != 0;
}

@inline
function scaleTwo(x: v128, shift: usize, scale: usize): v128 {
  return f64x2.div(f64x2.sub(x, v128.load(shift)), v128.load(scale));
}

@inline
function notFinite(z: v128): v128 {
  return v128.not(f32x4.lt(f32x4.abs(z), f32x4.splat(Infinity)));
}
