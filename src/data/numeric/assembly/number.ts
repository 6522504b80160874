/**
 * Decimal numbers to the nearest float64, exactly or not at all: the caller reads what is uncertain
 * here. Digits up to 2^53 and powers of ten up to 10^22 are exact, so one division or product
 * rounds once (Clinger, How to read floating point numbers accurately, 1990). Other digits are
 * multiplied by a power of ten of 64 bits (after Lemire, Number parsing at a gigabyte per second,
 * 2021).
 */

const PLUS: u32 = 43;
const MINUS: u32 = 45;
const POINT: u32 = 46;
const ZERO: u32 = 48;
const LOWER_E: u32 = 101;

/** [23] */
export const EXACT_POWERS = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
export const LARGEST_EXACT_POWER: i32 = 22;
const LARGEST_EXACT: u64 = 1 << 53;

/** The exponents of ten in `powersOfTen` go from −mostPower to mostPower. */
export const mostPower: i32 = 80;
/** [2 · mostPower + 1] u64: the upper 64 bits of each power, rounded down. The loader writes it. */
export const powersOfTen: usize = memory.data(1288, 16);

/** Any number of this many digits is less than 2^64. */
const MOST_DIGITS: i32 = 19;

/** The last number was digits · 10^power, without its sign. */
export let digits: u64 = 0;
export let power: i32 = 0;

/**
 * Reads the number in the characters start..stop: sign, digits, fraction, exponent. Sets `digits`
 * and `power`. NaN if they are not a number, or the nearest float64 is uncertain.
 */
export function readNumber(start: usize, stop: usize): f64 {
  const sign = <u32>load<u8>(start);
  if (!readDecimal(start + usize(sign == MINUS || sign == PLUS), stop)) return NaN;
  const value = scaled();
  return sign == MINUS ? -value : value;
}

/** Reads a number of at most 19 significant digits; false for other characters. */
function readDecimal(from: usize, stop: usize): bool {
  let sum: u64 = 0;
  let significant = 0;
  let places = 0;
  let isFound = false;
  let isFraction = 0;
  let at = from;
  for (; at < stop; at++) {
    const character = <u32>load<u8>(at);
    const digit = character - ZERO;
    if (digit <= 9) {
      sum = sum * 10 + digit;
      significant += i32(sum != 0);
      if (significant > MOST_DIGITS) return false;
      places += isFraction;
      isFound = true;
    } else if (character == POINT && isFraction == 0) {
      isFraction = 1;
    } else {
      break;
    }
  }
  if (!isFound) return false;
  digits = sum;
  power = -places;
  return at == stop || readExponent(at, stop);
}

/** Adds the exponent at `at` to `power`. */
function readExponent(at: usize, stop: usize): bool {
  if ((<u32>load<u8>(at) | 32) != LOWER_E) return false;
  at++;
  const sign = <u32>load<u8>(at);
  if (at < stop && (sign == MINUS || sign == PLUS)) at++;
  if (at >= stop) return false;
  let exponent = 0;
  for (; at < stop; at++) {
    const digit = <u32>load<u8>(at) - ZERO;
    if (digit > 9) return false;
    // Beyond every float64, so larger does not matter, except for 0, which the caller handles.
    if (exponent < 100000000) exponent = exponent * 10 + <i32>digit;
  }
  power += sign == MINUS ? -exponent : exponent;
  return true;
}

/** digits · 10^power as the nearest float64; NaN if it is uncertain. */
@inline
function scaled(): f64 {
  if (digits == 0) return 0;
  if (digits <= LARGEST_EXACT) {
    const number = <f64>(<i64>digits);
    if (power <= 0 && power >= -LARGEST_EXACT_POWER) return number / load<f64>(EXACT_POWERS + ((<usize>-power) << 3));
    if (power > 0 && power <= LARGEST_EXACT_POWER) return number * load<f64>(EXACT_POWERS + ((<usize>power) << 3));
  }
  if (power < -mostPower || power > mostPower) return NaN;
  return roundedProduct(digits, power);
}

/**
 * digits · 10^power for −mostPower ≤ power ≤ mostPower; any number for no digits. The table's power is less than one unit in
 * the last place below the true one, so the product, in units of its upper half, is less than 1
 * below. NaN if that could change the rounding.
 */
@inline
function roundedProduct(digits: u64, power: i32): f64 {
  const leadingZeros = clz(digits);
  const a = digits << leadingZeros;
  const b = load<u64>(powersOfTen + ((<usize>(power + mostPower)) << 3));
  // The 128 bits of a·b, by halves.
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  const high = aHigh * bHigh + (middle >> 32) + (other >> 32);

  // 53 bits are kept.
  const dropped = 10 + (high >> 63);
  const half: u64 = (<u64>1) << (dropped - 1);
  const rest = high & (2 * half - 1);
  if (rest - (half - 1) <= 1) return NaN;
  const mantissa = (high >> dropped) + u64(rest >= half);
  // 10^power is b · 2^(⌊log2(10^power)⌋ − 63); the floor is 217706·power >> 16.
  const exponent = ((217706 * power) >> 16) - 63 - <i32>leadingZeros + 64 + <i32>dropped;
  // The mantissa's leading bit adds 1 to the exponent, as does a carry out of it.
  return reinterpret<f64>(((<u64>(exponent + 1074)) << 52) + mantissa);
}
