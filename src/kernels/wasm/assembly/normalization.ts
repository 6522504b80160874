/**
 * What batch and layer normalisation share: moments, which are three numbers of what is normalised: the mean in two parts,
 * which together are more precise than T, and 1/√(variance + ε).
 *
 * Mean and variance come from one pass in double precision over the deviations d from the column's or row's first element:
 * mean = first + Σd/n, variance = (Σd² − (Σd)²/n)/n. The first element is at most √n standard deviations from the mean, so
 * the difference keeps its digits however far the mean is from 0 (shifted data: Chan, Golub and LeVeque 1983).
 */
import { lanes, madd, storeFirst } from './simd';

/** Stores x, or what is left of it: the first `left` elements where they are fewer. */
@inline
export function keep(address: usize, x: v128, left: i32): void {
  if (left >= lanes()) v128.store(address, x);
  else storeFirst(address, x, left);
}

/** x − mean, the mean in its two parts */
@inline
export function centred(x: v128, mean: v128, rest: v128): v128 {
  return v128.sub<real>(v128.sub<real>(x, mean), rest);
}

/** The first two elements in double precision. */
@inline
export function lower(x: v128): v128 {
  return sizeof<real>() == 8 ? x : f64x2.promote_low_f32x4(x);
}

/** The other two of four. */
@inline
export function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1));
}

/** The elements of x in double precision, upper and lower added. */
@inline
export function widened(x: v128): v128 {
  return sizeof<real>() == 8 ? x : f64x2.add(lower(x), upper(x));
}

/** The same of their squares. */
@inline
export function widenedSquares(x: v128): v128 {
  const low = lower(x);
  const squares = f64x2.mul(low, low);
  if (sizeof<real>() == 8) return squares;
  const high = upper(x);
  return madd<f64>(high, high, squares);
}

/** Stores a mean in two parts. */
@inline
export function storeMean(moments: usize, momentBytes: usize, mean: f64): void {
  const rounded = <real>mean;
  store<real>(moments, rounded);
  store<real>(moments + momentBytes, <real>(mean - <f64>rounded));
}

/** Stores the moments of `count` numbers, of which `first` is the first; returns the sum of the squared deviations from the mean. */
@inline
export function storeMoments(
  moments: usize, momentBytes: usize, count: f64, epsilon: f64, first: f64, sum: f64, squares: f64,
): f64 {
  storeMean(moments, momentBytes, first + sum / count);
  const deviations = max<f64>(0.0, squares - (sum * sum) / count);
  store<real>(moments + 2 * momentBytes, <real>(1.0 / Math.sqrt(deviations / count + epsilon)));
  return deviations;
}
