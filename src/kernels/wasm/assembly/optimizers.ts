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
function keep(address: usize, x: v128, count: i32): void {
  if (count == lanes()) v128.store(address, x);
  else storeFirst(address, x, count);
}

/** sum + the first `count` elements of x */
@inline
function addFirst(sum: v128, x: v128, count: i32): v128 {
  return v128.add<real>(sum, v128.and(x, firstLanes(count)));
}

/** Whether every lane is finite. */
@inline
function isFinite(x: v128): bool {
  return !v128.any_true(v128.sub<real>(x, x));
}

/** Whether `count` elements of x are finite, one by one. */
export function areFinite(count: i32, x: usize): bool {
  for (; count > 0; count--) {
    const element = load<real>(x);
    if (element - element != 0) return false;
    x += sizeof<real>();
  }
  return true;
}

@inline
function sgdVector(count: i32, rate: v128, p: usize, g: usize): v128 {
  const moved = madd(rate, v128.load(g), v128.load(p));
  keep(p, moved, count);
  return moved;
}

/** p ← p − rate·g */
@inline
export function sgd(count: i32, learningRate: f64, p: usize, g: usize): bool {
  const rate = splat(-learningRate);
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    sum = v128.add<real>(sum, sgdVector(lanes(), rate, p, g));
    sum2 = v128.add<real>(sum2, sgdVector(lanes(), rate, p + 16, g + 16));
    p += 32;
    g += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    sum = addFirst(sum, sgdVector(rest, rate, p, g), rest);
    p += 16;
    g += 16;
  }
  return isFinite(v128.add<real>(sum, sum2));
}

@inline
function momentumVector(
  count: i32, nesterov: bool, rate: v128, decay: v128, p: usize, g: usize, v: usize,
): v128 {
  const gradient = v128.load(g);
  const velocity = madd(decay, v128.load(v), gradient);
  keep(v, velocity, count);
  const direction = nesterov ? madd(decay, velocity, gradient) : velocity;
  const moved = madd(rate, direction, v128.load(p));
  keep(p, moved, count);
  return moved;
}

/** @param nesterov a constant: a branch in the loop costs more than a second loop */
@inline
function momentumSteps(
  nesterov: bool, count: i32, rate: v128, decay: v128, p: usize, g: usize, v: usize,
): bool {
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    sum = v128.add<real>(sum, momentumVector(lanes(), nesterov, rate, decay, p, g, v));
    sum2 = v128.add<real>(sum2, momentumVector(lanes(), nesterov, rate, decay, p + 16, g + 16, v + 16));
    p += 32;
    g += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    sum = addFirst(sum, momentumVector(rest, nesterov, rate, decay, p, g, v), rest);
    p += 16;
    g += 16;
    v += 16;
  }
  return isFinite(v128.add<real>(sum, sum2));
}

/** v ← momentum·v + g; p ← p − rate·v, with nesterov p ← p − rate·(g + momentum·v) */
@inline
export function sgdMomentum(
  count: i32, learningRate: f64, momentum: f64, nesterov: bool, p: usize, g: usize, v: usize,
): bool {
  const rate = splat(-learningRate);
  const decay = splat(momentum);
  if (nesterov) return momentumSteps(true, count, rate, decay, p, g, v);
  return momentumSteps(false, count, rate, decay, p, g, v);
}

@inline
function adamVector(
  count: i32, rate: v128, keepMean: v128, takeMean: v128, keepSquare: v128, takeSquare: v128,
  scale: v128, floor: v128, p: usize, g: usize, m: usize, v: usize,
): v128 {
  const gradient = v128.load(g);
  const mean = madd(takeMean, gradient, v128.mul<real>(keepMean, v128.load(m)));
  keep(m, mean, count);
  const weighted = v128.mul<real>(takeSquare, gradient);
  const square = madd(weighted, gradient, v128.mul<real>(keepSquare, v128.load(v)));
  keep(v, square, count);
  const size = v128.add<real>(v128.sqrt<real>(v128.mul<real>(square, scale)), floor);
  const moved = v128.sub<real>(v128.load(p), v128.div<real>(v128.mul<real>(rate, mean), size));
  keep(p, moved, count);
  return moved;
}

/**
 * m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; p ← p − rate·(m/c₁)/(√(v/c₂) + ε), with the corrections of the bias
 * towards 0, c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ.
 */
@inline
export function adam(
  count: i32, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, correction1: f64,
  correction2: f64, p: usize, g: usize, m: usize, v: usize,
): bool {
  const rate = splat(learningRate / correction1);
  const keep1 = splat(beta1);
  const take1 = splat(1.0 - beta1);
  const keep2 = splat(beta2);
  const take2 = splat(1.0 - beta2);
  const scale = splat(1.0 / correction2);
  const floor = splat(epsilon);
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    sum = v128.add<real>(sum, adamVector(
      lanes(), rate, keep1, take1, keep2, take2, scale, floor, p, g, m, v,
    ));
    sum2 = v128.add<real>(sum2, adamVector(
      lanes(), rate, keep1, take1, keep2, take2, scale, floor, p + 16, g + 16, m + 16, v + 16,
    ));
    p += 32;
    g += 32;
    m += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    sum = addFirst(sum, adamVector(
      rest, rate, keep1, take1, keep2, take2, scale, floor, p, g, m, v,
    ), rest);
    p += 16;
    g += 16;
    m += 16;
    v += 16;
  }
  return isFinite(v128.add<real>(sum, sum2));
}

@inline
function rmspropVector(
  count: i32, centered: bool, withMomentum: bool, rate: v128, keepSquare: v128, takeSquare: v128,
  floor: v128, decay: v128, p: usize, g: usize, s: usize, m: usize, v: usize,
): v128 {
  const gradient = v128.load(g);
  let square = v128.load(s);
  if (centered) {
    const mean = v128.load(m);
    const deviation = v128.sub<real>(gradient, mean);
    const part = v128.mul<real>(takeSquare, deviation);
    keep(m, v128.add<real>(mean, part), count);
    square = v128.mul<real>(keepSquare, madd(part, deviation, square));
  } else {
    square = madd(v128.mul<real>(takeSquare, gradient), gradient, v128.mul<real>(keepSquare, square));
  }
  keep(s, square, count);
  let direction = v128.div<real>(gradient, v128.add<real>(v128.sqrt<real>(square), floor));
  if (withMomentum) {
    direction = madd(decay, v128.load(v), direction);
    keep(v, direction, count);
  }
  const moved = madd(rate, direction, v128.load(p));
  keep(p, moved, count);
  return moved;
}

/** @param centered a constant, as is `withMomentum`; where it is false, m is not looked at, nor v without momentum */
@inline
function rmspropSteps(
  centered: bool, withMomentum: bool, count: i32, rate: v128, keep2: v128, take2: v128, floor: v128,
  decay: v128, p: usize, g: usize, s: usize, m: usize, v: usize,
): bool {
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    sum = v128.add<real>(sum, rmspropVector(
      lanes(), centered, withMomentum, rate, keep2, take2, floor, decay, p, g, s, m, v,
    ));
    sum2 = v128.add<real>(sum2, rmspropVector(
      lanes(), centered, withMomentum, rate, keep2, take2, floor, decay, p + 16, g + 16, s + 16,
      m + 16, v + 16,
    ));
    p += 32;
    g += 32;
    s += 32;
    m += 32;
    v += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    sum = addFirst(sum, rmspropVector(
      rest, centered, withMomentum, rate, keep2, take2, floor, decay, p, g, s, m, v,
    ), rest);
    p += 16;
    g += 16;
    s += 16;
    m += 16;
    v += 16;
  }
  return isFinite(v128.add<real>(sum, sum2));
}

/**
 * s ← α·s + (1 − α)·g², or with a mean m (not 0): s ← α·(s + (1 − α)·(g − m)²), m ← m + (1 − α)·(g − m);
 * d ← g/(√s + ε); p ← p − rate·d, or with a velocity v (not 0): v ← momentum·v + d, p ← p − rate·v
 */
@inline
export function rmsprop(
  count: i32, learningRate: f64, alpha: f64, epsilon: f64, momentum: f64, p: usize, g: usize,
  s: usize, m: usize, v: usize,
): bool {
  const rate = splat(-learningRate);
  const keep2 = splat(alpha);
  const take2 = splat(1.0 - alpha);
  const floor = splat(epsilon);
  const decay = splat(momentum);
  if (m == 0) {
    if (v == 0) return rmspropSteps(false, false, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
    return rmspropSteps(false, true, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
  }
  if (v == 0) return rmspropSteps(true, false, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
  return rmspropSteps(true, true, count, rate, keep2, take2, floor, decay, p, g, s, m, v);
}

@inline
function adagradVector(
  count: i32, rate: v128, initial: v128, floor: v128, p: usize, g: usize, s: usize,
): v128 {
  const gradient = v128.load(g);
  const square = madd(gradient, gradient, v128.load(s));
  keep(s, square, count);
  const size = v128.add<real>(v128.sqrt<real>(v128.add<real>(initial, square)), floor);
  const moved = madd(rate, v128.div<real>(gradient, size), v128.load(p));
  keep(p, moved, count);
  return moved;
}

/** s ← s + g²; p ← p − rate·g/(√(initial + s) + ε) */
@inline
export function adagrad(
  count: i32, learningRate: f64, initialAccumulator: f64, epsilon: f64, p: usize, g: usize,
  s: usize,
): bool {
  const rate = splat(-learningRate);
  const initial = splat(initialAccumulator);
  const floor = splat(epsilon);
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    sum = v128.add<real>(sum, adagradVector(lanes(), rate, initial, floor, p, g, s));
    sum2 = v128.add<real>(sum2, adagradVector(lanes(), rate, initial, floor, p + 16, g + 16, s + 16));
    p += 32;
    g += 32;
    s += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    sum = addFirst(sum, adagradVector(rest, rate, initial, floor, p, g, s), rest);
    p += 16;
    g += 16;
    s += 16;
  }
  return isFinite(v128.add<real>(sum, sum2));
}
