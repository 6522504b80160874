/** The steps of the optimisers over `count` elements, all in the dtype of the parameters. */
import { lanes, madd, splat, storeFirst } from './simd';

/** Stores the first `count` elements of x; all of them where count is the constant of the main loop, without a branch. */
@inline
function keep<T>(address: usize, x: v128, count: i32): void {
  if (count == lanes<T>()) v128.store(address, x);
  else storeFirst<T>(address, x, count);
}

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

/** One vector of `sgdMomentum`, of which `count` elements are stored. */
@inline
function momentumVector<T>(
  count: i32,
  rate: v128,
  decay: v128,
  nesterov: bool,
  p: usize,
  g: usize,
  v: usize,
): void {
  const gradient = v128.load(g);
  const velocity = madd<T>(decay, v128.load(v), gradient);
  keep<T>(v, velocity, count);
  const direction = nesterov ? madd<T>(decay, velocity, gradient) : velocity;
  keep<T>(p, madd<T>(rate, direction, v128.load(p)), count);
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
  const decay = splat<T>(momentum);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    momentumVector<T>(lanes<T>(), rate, decay, nesterov, p, g, v);
    p += 16;
    g += 16;
    v += 16;
  }
  if (count > 0) momentumVector<T>(count, rate, decay, nesterov, p, g, v);
}

/** One vector of `adam`, of which `count` elements are stored. */
@inline
function adamVector<T>(
  count: i32,
  rate: v128,
  keepMean: v128,
  takeMean: v128,
  keepSquare: v128,
  takeSquare: v128,
  scaleSquare: v128,
  floor: v128,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
): void {
  const gradient = v128.load(g);
  const mean = madd<T>(takeMean, gradient, v128.mul<T>(keepMean, v128.load(m)));
  keep<T>(m, mean, count);
  const weighted = v128.mul<T>(takeSquare, gradient);
  const square = madd<T>(weighted, gradient, v128.mul<T>(keepSquare, v128.load(v)));
  keep<T>(v, square, count);
  const size = v128.add<T>(v128.sqrt<T>(v128.mul<T>(square, scaleSquare)), floor);
  keep<T>(p, v128.sub<T>(v128.load(p), v128.div<T>(v128.mul<T>(rate, mean), size)), count);
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
  const takeMean = splat<T>(1.0 - beta1);
  const keepSquare = splat<T>(beta2);
  const takeSquare = splat<T>(1.0 - beta2);
  const scale = splat<T>(1.0 / correction2);
  const floor = splat<T>(epsilon);
  for (; count >= lanes<T>(); count -= lanes<T>()) {
    adamVector<T>(lanes<T>(), rate, keepMean, takeMean, keepSquare, takeSquare, scale, floor, p, g, m, v);
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
  if (count > 0) {
    adamVector<T>(count, rate, keepMean, takeMean, keepSquare, takeSquare, scale, floor, p, g, m, v);
  }
}
