/** The elementary functions by themselves, over an array. */
import { exp, expm1, gaussian, log1p, logFrom1, normalCdf, sigmoid, softplus, tanh } from './functions';
import { storeFirst } from './simd';

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
  return normalCdf(x, gaussian(x));
}

/**
 * y ← f(x) for `count` elements; f by number: exp, expm1 (x ≤ 0), log1p (0 ≤ x ≤ 1), log (x ≥ 1), tanh,
 * sigmoid, softplus, e^(−x²/2), Φ.
 */
export function evaluateFunction(kind: i32, count: i32, x: usize, y: usize): void {
  // One at a time: a result must not depend on its neighbours anyway.
  for (; count > 0; count--) {
    const value = call(kind, v128.load_splat<real>(x));
    storeFirst(y, value, 1);
    x += sizeof<real>();
    y += sizeof<real>();
  }
}
