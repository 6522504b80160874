/** The steps of the optimisers over `count` elements, all in the dtype of the parameters. */
import { lanes, madd, splat, storeFirst } from './simd';

/** p ← p − rate·g */
@inline
export function sgd<T>(count: i32, learningRate: f64, p: usize, g: usize): void {
  const rate = splat<T>(-learningRate);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    v128.store(p, madd<T>(rate, v128.load(g), v128.load(p)));
    p += 16;
    g += 16;
  }
  if (count > 0) storeFirst<T>(p, madd<T>(rate, v128.load(g), v128.load(p)), count);
}

/** v ← momentum·v + g; p ← p − rate·v, with nesterov p ← p − rate·(g + momentum·v) */
@inline
export function sgdMomentum<T>(
  count: i32,
  learningRate: f64,
  momentum: f64,
  nesterov: bool,
  p: usize,
  g: usize,
  v: usize,
): void {
  const rate = splat<T>(-learningRate);
  const keep = splat<T>(momentum);
  for (; count > 0; count -= lanes<T>()) {
    const gradient = v128.load(g);
    const velocity = madd<T>(keep, v128.load(v), gradient);
    const direction = nesterov ? madd<T>(keep, velocity, gradient) : velocity;
    const parameter = madd<T>(rate, direction, v128.load(p));
    if (count < lanes<T>()) {
      storeFirst<T>(v, velocity, count);
      storeFirst<T>(p, parameter, count);
      return;
    }
    v128.store(v, velocity);
    v128.store(p, parameter);
    p += 16;
    g += 16;
    v += 16;
  }
}

/**
 * m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; p ← p − rate·(m/c₁)/(√(v/c₂) + ε), with the corrections of the bias
 * towards 0, c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ.
 */
@inline
export function adam<T>(
  count: i32,
  learningRate: f64,
  beta1: f64,
  beta2: f64,
  epsilon: f64,
  correction1: f64,
  correction2: f64,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
): void {
  const rate = splat<T>(learningRate / correction1);
  const keepMean = splat<T>(beta1);
  const keepSquare = splat<T>(beta2);
  const takeMean = splat<T>(1.0 - beta1);
  const takeSquare = splat<T>(1.0 - beta2);
  const scaleSquare = splat<T>(1.0 / correction2);
  const floor = splat<T>(epsilon);
  for (; count > 0; count -= lanes<T>()) {
    const gradient = v128.load(g);
    const mean = madd<T>(takeMean, gradient, v128.mul<T>(keepMean, v128.load(m)));
    const weighted = v128.mul<T>(takeSquare, gradient);
    const square = madd<T>(weighted, gradient, v128.mul<T>(keepSquare, v128.load(v)));
    const size = v128.add<T>(v128.sqrt<T>(v128.mul<T>(square, scaleSquare)), floor);
    const parameter = v128.sub<T>(v128.load(p), v128.div<T>(v128.mul<T>(rate, mean), size));
    if (count < lanes<T>()) {
      storeFirst<T>(m, mean, count);
      storeFirst<T>(v, square, count);
      storeFirst<T>(p, parameter, count);
      return;
    }
    v128.store(m, mean);
    v128.store(v, square);
    v128.store(p, parameter);
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
}
