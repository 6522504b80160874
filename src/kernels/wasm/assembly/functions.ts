/**
 * Elementary functions on vectors, without branches: a result does not depend on its neighbours,
 * and NaN goes through. Errors in ulp (f32, f64), as functions.test.ts checks: exp 1, 1; expm1 1,
 * 1; log1p 2, 2; log 2, 2; tanh 3, 3; sigmoid 2.5, 2; softplus 3, 3; gaussian 1.5, 1.5; normalCdf
 * 5, 4; cosineOfTurns and sineOfTurns 4, 2.
 */
import {
  EXP_32,
  EXP_64,
  EXP_DEGREE_32,
  EXP_DEGREE_64,
  LOG_32,
  LOG_64,
  LOG_DEGREE_32,
  LOG_DEGREE_64,
  NORMAL_32,
  NORMAL_64,
  NORMAL_DEGREE_32,
  NORMAL_DEGREE_64,
  SINE_32,
  SINE_64,
  SINE_DEGREE_32,
  SINE_DEGREE_64,
} from './coefficients';
import { larger, madd, select, smaller, splat, storeFirst } from './simd';

/** The polynomial with these coefficients, highest first, by Horner's rule. */
@inline
function polynomial<T = real>(x: v128, table: usize, degree: i32): v128 {
  let sum = v128.load_splat<T>(table);
  for (let end = table + degree * sizeof<T>(); table < end; ) {
    table += sizeof<T>();
    sum = madd<T>(sum, x, v128.load_splat<T>(table));
  }
  return sum;
}

/** log(2) in two parts: n·high is exact for every n in use. */
@inline
function log2High(): v128 {
  return splat(sizeof<real>() == 4 ? 0.693359375 : 6.9314718036912381649e-1);
}
@inline
function log2Low(): v128 {
  return splat(sizeof<real>() == 4 ? -2.1219444005469058e-4 : 1.9082149292705877e-10);
}

/** Adding this rounds to the nearest integer and leaves it in the low bits of the sum. */
@inline
function rounder(): v128 {
  return splat(sizeof<real>() == 4 ? 12582912.0 : 6755399441055744.0); // 1.5·2^23, 1.5·2^52
}

/** 2^n from n + rounder, for n in the range of normal numbers. */
@inline
function powerOfTwo(shifted: v128): v128 {
  if (sizeof<real>() == 4) return i32x4.add(i32x4.shl(shifted, 23), i32x4.splat(127 << 23));
  return i64x2.add(i64x2.shl(shifted, 52), i64x2.splat((<i64>1023) << 52));
}

/** r = x − n·log 2 */
@inline
function reduced(x: v128, n: v128): v128 {
  const high = v128.sub<real>(x, v128.mul<real>(n, log2High()));
  return v128.sub<real>(high, v128.mul<real>(n, log2Low()));
}

/** e^r − 1 for |r| ≤ log(2)/2: r + r²·Q(r) */
@inline
function reducedExpm1(r: v128): v128 {
  const q =
    sizeof<real>() == 4 ? polynomial(r, EXP_32, EXP_DEGREE_32) : polynomial(r, EXP_64, EXP_DEGREE_64);
  return madd(v128.mul<real>(r, r), q, r);
}

/** e^x = 2^n·e^r. Two steps apply the power, so that the result may be subnormal or overflow. */
@inline
export function exp(x: v128): v128 {
  const bounded = larger(
    smaller(x, splat(sizeof<real>() == 4 ? 89.0 : 710.0)),
    splat(sizeof<real>() == 4 ? -104.0 : -746.0),
  );
  const n = v128.sub<real>(madd(bounded, splat(1.4426950408889634), rounder()), rounder());
  const mantissa = v128.add<real>(splat(1.0), reducedExpm1(reduced(bounded, n)));
  const shiftedHalf = madd(n, splat(0.5), rounder());
  const shiftedRest = v128.add<real>(v128.sub<real>(n, v128.sub<real>(shiftedHalf, rounder())), rounder());
  return v128.mul<real>(v128.mul<real>(mantissa, powerOfTwo(shiftedHalf)), powerOfTwo(shiftedRest));
}

/** e^x − 1 for x ≤ 0: 2^n·(e^r − 1) + (2^n − 1) */
@inline
export function expm1(x: v128): v128 {
  const bounded = larger(x, splat(-50.0));
  const shifted = madd(bounded, splat(1.4426950408889634), rounder());
  const power = powerOfTwo(shifted);
  const fraction = reducedExpm1(reduced(bounded, v128.sub<real>(shifted, rounder())));
  return madd(power, fraction, v128.sub<real>(power, splat(1.0)));
}

/** log((1+s)/(1−s)) = 2s + s³·W(s²) for |s| ≤ 1/3 */
@inline
function logOfRatio<T = real>(s: v128): v128 {
  const square = v128.mul<T>(s, s);
  const w =
    sizeof<T>() == 4
      ? polynomial<T>(square, LOG_32, LOG_DEGREE_32)
      : polynomial<T>(square, LOG_64, LOG_DEGREE_64);
  return madd<T>(v128.mul<T>(square, s), w, v128.add<T>(s, s));
}

/** log(1 + z) for 0 ≤ z ≤ 1, without a reduction: s = z/(2 + z) is at most 1/3. */
@inline
export function log1p(z: v128): v128 {
  return logOfRatio(v128.div<real>(z, v128.add<real>(z, splat(2.0))));
}

/** log(x) for x ≥ 1, the sum of the shifted exponentials of a row. */
@inline
export function logFrom1(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  // x = 2^n·f with √½ ≤ f < √2: mantissa(1) − mantissa(√½) carries into the exponent.
  const carried = bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd);
  const n = <f64>(<i32>(carried >> 52) - 1023);
  const f = reinterpret<f64>((carried & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd);
  const s = v128.splat<f64>((f - 1.0) / (f + 1.0));
  const fraction = f64x2.extract_lane(logOfRatio<f64>(s), 0);
  if (!(x < Infinity)) return x;
  return n * 6.9314718036912381649e-1 + (n * 1.9082149292705877e-10 + fraction);
}

/** tanh|x| = −t/(2 + t) with t = e^(−2|x|) − 1, then the sign of x */
@inline
export function tanh(x: v128): v128 {
  const size = v128.abs<real>(x);
  const t = expm1(v128.mul<real>(size, splat(-2.0)));
  const value = v128.div<real>(t, v128.add<real>(t, splat(2.0)));
  return copySign(value, x);
}

/** |value| with the sign of x */
@inline
function copySign(value: v128, x: v128): v128 {
  return select(splat(-0.0), x, value);
}

/** 1/(1 + e^−x), from e^−|x|, which never overflows */
@inline
export function sigmoid(x: v128): v128 {
  return sigmoidFrom(x, exp(v128.neg<real>(v128.abs<real>(x))));
}

/** The sigmoid of x, given z = e^−|x|. */
@inline
export function sigmoidFrom(x: v128, z: v128): v128 {
  const one = splat(1.0);
  const numerator = select(v128.lt<real>(x, splat(0.0)), z, one);
  return v128.div<real>(numerator, v128.add<real>(one, z));
}

/** log(1 + e^x) */
@inline
export function softplus(x: v128): v128 {
  return softplusFrom(x, exp(v128.neg<real>(v128.abs<real>(x))));
}

/** The softplus of x, given z = e^−|x|. */
@inline
export function softplusFrom(x: v128, z: v128): v128 {
  return v128.add<real>(larger(x, splat(0.0)), log1p(z));
}

/**
 * e^(−x²/2). A large x would multiply the rounding error of x². So the error is computed by
 * splitting x into two halves (Dekker 1971), and corrected at the end.
 */
@inline
export function gaussian(x: v128): v128 {
  const bounded = boundedSize(x);
  const square = v128.mul<real>(bounded, bounded);
  const high = v128.and(
    bounded,
    sizeof<real>() == 4 ? i32x4.splat(<i32>0xfffff000) : i64x2.splat(<i64>0xfffffffff8000000),
  );
  const low = v128.sub<real>(bounded, high);
  const middle = v128.mul<real>(v128.add<real>(high, high), low);
  const error = v128.add<real>(
    v128.add<real>(v128.sub<real>(v128.mul<real>(high, high), square), middle),
    v128.mul<real>(low, low),
  );
  const half = splat(-0.5);
  const value = exp(v128.mul<real>(square, half));
  return madd(value, v128.mul<real>(error, half), value);
}

/** |x| up to the bound at which e^(−x²/2) is 0 and the polynomial of the tail ends. */
@inline
function boundedSize(x: v128): v128 {
  return smaller(v128.abs<real>(x), splat(sizeof<real>() == 4 ? 15.0 : 39.0));
}

/**
 * Φ(x), the standard normal distribution function, from g = gaussian(x): the tail 1 − Φ(|x|) =
 * g·P(y)/(|x| + 4), y = (|x| − 4)/(|x| + 4). Unlike ½(1 + erf(x/√2)) it never cancels. (The form of
 * the approximation is that of Shepherd and Laframboise 1981.)
 */
@inline
export function normalCdf(x: v128, g: v128): v128 {
  const size = boundedSize(x);
  const four = splat(4.0);
  const inverse = v128.div<real>(splat(1.0), v128.add<real>(size, four));
  const y = v128.mul<real>(v128.sub<real>(size, four), inverse);
  const p =
    sizeof<real>() == 4
      ? polynomial(y, NORMAL_32, NORMAL_DEGREE_32)
      : polynomial(y, NORMAL_64, NORMAL_DEGREE_64);
  const tail = v128.mul<real>(v128.mul<real>(g, p), inverse);
  return select(v128.lt<real>(x, splat(0.0)), tail, v128.sub<real>(splat(1.0), tail));
}

/** sin(2πu) for |u| ≤ ¼ */
@inline
function quarterSine(u: v128): v128 {
  const square = v128.mul<real>(u, u);
  const ratio =
    sizeof<real>() == 4
      ? polynomial(square, SINE_32, SINE_DEGREE_32)
      : polynomial(square, SINE_64, SINE_DEGREE_64);
  return v128.mul<real>(u, ratio);
}

/** 2·t to the nearest integer: the half turns in t. */
@inline
export function halfTurns(t: v128): v128 {
  return v128.nearest<real>(v128.add<real>(t, t));
}

/** cos(2πt) of t turns with n = halfTurns(t): what is left of t is exact, and 2π is in the polynomial. */
@inline
export function cosineOfTurns(t: v128, n: v128): v128 {
  const rest = v128.sub<real>(t, v128.mul<real>(n, splat(0.5)));
  return flipped(quarterSine(v128.sub<real>(splat(0.25), v128.abs<real>(rest))), n);
}

/** sin(2πt), likewise. */
@inline
export function sineOfTurns(t: v128, n: v128): v128 {
  return flipped(quarterSine(v128.sub<real>(t, v128.mul<real>(n, splat(0.5)))), n);
}

/** x, or −x after an odd number of half turns. */
@inline
function flipped(x: v128, n: v128): v128 {
  const half = v128.mul<real>(n, splat(0.5));
  const isOdd = v128.ne<real>(half, v128.floor<real>(half));
  return v128.xor(x, v128.and(isOdd, splat(-0.0)));
}

@inline
function call(kind: i32, x: v128): v128 {
  if (kind == 0) return exp(x);
  if (kind == 1) return expm1(x);
  if (kind == 2) return log1p(x);
  if (kind == 3) return v128.splat<real>(<real>logFrom1(<f64>v128.extract_lane<real>(x, 0)));
  if (kind == 4) return tanh(x);
  if (kind == 5) return sigmoid(x);
  if (kind == 6) return softplus(x);
  if (kind == 7) return gaussian(x);
  if (kind == 8) return normalCdf(x, gaussian(x));
  if (kind == 9) return cosineOfTurns(x, halfTurns(x));
  return sineOfTurns(x, halfTurns(x));
}

/** f: exp, expm1 (x ≤ 0), log1p ([0, 1]), log (x ≥ 1), tanh, sigmoid, softplus, e^(−x²/2), Φ, cos(2πx), sin(2πx). */
export function evaluate(kind: i32, count: i32, x: usize, y: usize): void {
  // One at a time: a result must not depend on its neighbours anyway.
  for (; count > 0; count--) {
    const value = call(kind, v128.load_splat<real>(x));
    storeFirst(y, value, 1);
    x += sizeof<real>();
    y += sizeof<real>();
  }
}
