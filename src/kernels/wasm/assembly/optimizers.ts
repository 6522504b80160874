/**
 * The steps of the optimisers over `count` elements, all in the dtype of the parameters. Each returns whether the sum of the
 * parameters after it is finite, lane by lane: then so is every one of them. A sum that is not may have overflowed, and only
 * `areFinite` tells. Two vectors a turn: then adding up costs the loops nothing.
 *
 * `…Vector` does one vector, of which `count` elements are stored, and returns the new p.
 */
import { firstLanes, lanes, madd, splat, storeFirst } from './simd';

/** Stores the first `count` elements of x; all of them where count is the constant of the main loop, without a branch. */
@inline
function keep<T>(address: usize, x: v128, count: i32): void {
  if (count == lanes<T>()) v128.store(address, x);
  else storeFirst<T>(address, x, count);
}

/** sum + the first `count` elements of x */
@inline
function addFirst<T>(sum: v128, x: v128, count: i32): v128 {
  return v128.add<T>(sum, v128.and(x, firstLanes<T>(count)));
}

/** Whether every lane is finite. */
@inline
function isFinite<T>(x: v128): bool {
  return !v128.any_true(v128.sub<T>(x, x));
}

/** Whether `count` elements of x are finite, one by one. */
export function areFinite<T>(count: i32, x: usize): bool {
  for (; count > 0; count--) {
    const element = load<T>(x);
    if (element - element != 0) return false;
    x += sizeof<T>();
  }
  return true;
}

@inline
function sgdVector<T>(count: i32, rate: v128, p: usize, g: usize): v128 {
  const moved = madd<T>(rate, v128.load(g), v128.load(p));
  keep<T>(p, moved, count);
  return moved;
}

/** p ← p − rate·g */
@inline
export function sgd<T>(count: i32, learningRate: f64, p: usize, g: usize): bool {
  const rate = splat<T>(-learningRate);
  let sum = splat<T>(0);
  let sum2 = sum;
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    sum = v128.add<T>(sum, sgdVector<T>(lanes<T>(), rate, p, g));
    sum2 = v128.add<T>(sum2, sgdVector<T>(lanes<T>(), rate, p + 16, g + 16));
    p += 32;
    g += 32;
  }
  for (; count > 0; count -= lanes<T>()) {
    const rest = min(count, lanes<T>());
    sum = addFirst<T>(sum, sgdVector<T>(rest, rate, p, g), rest);
    p += 16;
    g += 16;
  }
  return isFinite<T>(v128.add<T>(sum, sum2));
}

@inline
function momentumVector<T>(
  count: i32,
  nesterov: bool,
  rate: v128,
  decay: v128,
  p: usize,
  g: usize,
  v: usize,
): v128 {
  const gradient = v128.load(g);
  const velocity = madd<T>(decay, v128.load(v), gradient);
  keep<T>(v, velocity, count);
  const direction = nesterov ? madd<T>(decay, velocity, gradient) : velocity;
  const moved = madd<T>(rate, direction, v128.load(p));
  keep<T>(p, moved, count);
  return moved;
}

/** @param nesterov a constant: a branch in the loop costs more than a second loop */
@inline
function momentumSteps<T>(
  nesterov: bool,
  count: i32,
  rate: v128,
  decay: v128,
  p: usize,
  g: usize,
  v: usize,
): bool {
  let sum = splat<T>(0);
  let sum2 = sum;
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    sum = v128.add<T>(sum, momentumVector<T>(lanes<T>(), nesterov, rate, decay, p, g, v));
    sum2 = v128.add<T>(sum2, momentumVector<T>(lanes<T>(), nesterov, rate, decay, p + 16, g + 16, v + 16));
    p += 32;
    g += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes<T>()) {
    const rest = min(count, lanes<T>());
    sum = addFirst<T>(sum, momentumVector<T>(rest, nesterov, rate, decay, p, g, v), rest);
    p += 16;
    g += 16;
    v += 16;
  }
  return isFinite<T>(v128.add<T>(sum, sum2));
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
): bool {
  const rate = splat<T>(-learningRate);
  const decay = splat<T>(momentum);
  if (nesterov) return momentumSteps<T>(true, count, rate, decay, p, g, v);
  return momentumSteps<T>(false, count, rate, decay, p, g, v);
}

@inline
function adamVector<T>(
  count: i32,
  rate: v128,
  keepMean: v128,
  takeMean: v128,
  keepSquare: v128,
  takeSquare: v128,
  scale: v128,
  floor: v128,
  p: usize,
  g: usize,
  m: usize,
  v: usize,
): v128 {
  const gradient = v128.load(g);
  const mean = madd<T>(takeMean, gradient, v128.mul<T>(keepMean, v128.load(m)));
  keep<T>(m, mean, count);
  const weighted = v128.mul<T>(takeSquare, gradient);
  const square = madd<T>(weighted, gradient, v128.mul<T>(keepSquare, v128.load(v)));
  keep<T>(v, square, count);
  const size = v128.add<T>(v128.sqrt<T>(v128.mul<T>(square, scale)), floor);
  const moved = v128.sub<T>(v128.load(p), v128.div<T>(v128.mul<T>(rate, mean), size));
  keep<T>(p, moved, count);
  return moved;
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
): bool {
  const rate = splat<T>(learningRate / correction1);
  const keep1 = splat<T>(beta1);
  const take1 = splat<T>(1.0 - beta1);
  const keep2 = splat<T>(beta2);
  const take2 = splat<T>(1.0 - beta2);
  const scale = splat<T>(1.0 / correction2);
  const floor = splat<T>(epsilon);
  let sum = splat<T>(0);
  let sum2 = sum;
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    sum = v128.add<T>(sum, adamVector<T>(
      lanes<T>(), rate, keep1, take1, keep2, take2, scale, floor, p, g, m, v,
    ));
    sum2 = v128.add<T>(sum2, adamVector<T>(
      lanes<T>(), rate, keep1, take1, keep2, take2, scale, floor, p + 16, g + 16, m + 16, v + 16,
    ));
    p += 32;
    g += 32;
    m += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes<T>()) {
    const rest = min(count, lanes<T>());
    sum = addFirst<T>(sum, adamVector<T>(
      rest, rate, keep1, take1, keep2, take2, scale, floor, p, g, m, v,
    ), rest);
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
  return isFinite<T>(v128.add<T>(sum, sum2));
}

@inline
function rmspropVector<T>(
  count: i32,
  centered: bool,
  withMomentum: bool,
  rate: v128,
  keepSquare: v128,
  takeSquare: v128,
  floor: v128,
  decay: v128,
  p: usize,
  g: usize,
  s: usize,
  m: usize,
  v: usize,
): v128 {
  const gradient = v128.load(g);
  let square = v128.load(s);
  if (centered) {
    const mean = v128.load(m);
    const deviation = v128.sub<T>(gradient, mean);
    const part = v128.mul<T>(takeSquare, deviation);
    keep<T>(m, v128.add<T>(mean, part), count);
    square = v128.mul<T>(keepSquare, madd<T>(part, deviation, square));
  } else {
    square = madd<T>(v128.mul<T>(takeSquare, gradient), gradient, v128.mul<T>(keepSquare, square));
  }
  keep<T>(s, square, count);
  let direction = v128.div<T>(gradient, v128.add<T>(v128.sqrt<T>(square), floor));
  if (withMomentum) {
    direction = madd<T>(decay, v128.load(v), direction);
    keep<T>(v, direction, count);
  }
  const moved = madd<T>(rate, direction, v128.load(p));
  keep<T>(p, moved, count);
  return moved;
}

/** @param centered a constant, as is `withMomentum`; where it is false, m is not looked at, nor v without momentum */
@inline
function rmspropSteps<T>(
  centered: bool,
  withMomentum: bool,
  count: i32,
  rate: v128,
  keep2: v128,
  take2: v128,
  floor: v128,
  decay: v128,
  p: usize,
  g: usize,
  s: usize,
  m: usize,
  v: usize,
): bool {
  let sum = splat<T>(0);
  let sum2 = sum;
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    sum = v128.add<T>(sum, rmspropVector<T>(
      lanes<T>(), centered, withMomentum, rate, keep2, take2, floor, decay, p, g, s, m, v,
    ));
    sum2 = v128.add<T>(sum2, rmspropVector<T>(
      lanes<T>(), centered, withMomentum, rate, keep2, take2, floor, decay, p + 16, g + 16, s + 16, m + 16, v + 16,
    ));
    p += 32;
    g += 32;
    s += 32;
    m += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes<T>()) {
    const rest = min(count, lanes<T>());
    sum = addFirst<T>(sum, rmspropVector<T>(
      rest, centered, withMomentum, rate, keep2, take2, floor, decay, p, g, s, m, v,
    ), rest);
    p += 16;
    g += 16;
    s += 16;
    m += 16;
    v += 16;
  }
  return isFinite<T>(v128.add<T>(sum, sum2));
}

/**
 * s ← α·s + (1 − α)·g², or with a mean m (not 0): s ← α·(s + (1 − α)·(g − m)²), m ← m + (1 − α)·(g − m);
 * d ← g/(√s + ε); p ← p − rate·d, or with a velocity v (not 0): v ← momentum·v + d, p ← p − rate·v
 */
@inline
export function rmsprop<T>(
  count: i32,
  learningRate: f64,
  alpha: f64,
  epsilon: f64,
  momentum: f64,
  p: usize,
  g: usize,
  s: usize,
  m: usize,
  v: usize,
): bool {
  const rate = splat<T>(-learningRate);
  const keep2 = splat<T>(alpha);
  const take2 = splat<T>(1.0 - alpha);
  const floor = splat<T>(epsilon);
  const decay = splat<T>(momentum);
  if (m == 0) {
    if (v == 0) return rmspropSteps<T>(false, false, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
    return rmspropSteps<T>(false, true, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
  }
  if (v == 0) return rmspropSteps<T>(true, false, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
  return rmspropSteps<T>(true, true, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
}

@inline
function adagradVector<T>(
  count: i32,
  rate: v128,
  initial: v128,
  floor: v128,
  p: usize,
  g: usize,
  s: usize,
): v128 {
  const gradient = v128.load(g);
  const square = madd<T>(gradient, gradient, v128.load(s));
  keep<T>(s, square, count);
  const size = v128.add<T>(v128.sqrt<T>(v128.add<T>(initial, square)), floor);
  const moved = madd<T>(rate, v128.div<T>(gradient, size), v128.load(p));
  keep<T>(p, moved, count);
  return moved;
}

/** s ← s + g²; p ← p − rate·g/(√(initial + s) + ε) */
@inline
export function adagrad<T>(
  count: i32,
  learningRate: f64,
  initialAccumulator: f64,
  epsilon: f64,
  p: usize,
  g: usize,
  s: usize,
): bool {
  const rate = splat<T>(-learningRate);
  const initial = splat<T>(initialAccumulator);
  const floor = splat<T>(epsilon);
  let sum = splat<T>(0);
  let sum2 = sum;
  for (; count >= 2 * lanes<T>(); count -= 2 * lanes<T>()) {
    sum = v128.add<T>(sum, adagradVector<T>(lanes<T>(), rate, initial, floor, p, g, s));
    sum2 = v128.add<T>(sum2, adagradVector<T>(lanes<T>(), rate, initial, floor, p + 16, g + 16, s + 16));
    p += 32;
    g += 32;
    s += 32;
  }
  for (; count > 0; count -= lanes<T>()) {
    const rest = min(count, lanes<T>());
    sum = addFirst<T>(sum, adagradVector<T>(rest, rate, initial, floor, p, g, s), rest);
    p += 16;
    g += 16;
    s += 16;
  }
  return isFinite<T>(v128.add<T>(sum, sum2));
}
