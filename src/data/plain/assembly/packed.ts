/**
 * Packed decimals: numbers of up to 8 digits in 32 bits, exactly, as digits · 32 + sign · 16 + code. Codes 1 to 15 mean 15 − code
 * decimal places, code 0 none.
 */

/** [32] What the digits are divided by, by sign and code. */
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
