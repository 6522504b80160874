/**
 * One step of each optimiser of ../../optimizers.ts over `count` elements. Scalars are doubles in
 * memory; a state that is not needed is 0. Returns whether the sum of the parameters is finite,
 * lane by lane: then each is. A sum that is not may have overflowed, and only `areFinite` tells.
 */
import { firstLanes, keep, lanes, madd, splat } from './simd';

const SGD = 0;
const MOMENTUM = 1;
const NESTEROV = 2;
const ADAM = 3;
const ADAGRAD = 4;
const RMSPROP = 8; // plus:
const CENTERED = 1;
const WITH_MOMENTUM = 2;

/**
 * The new parameters from x and their gradients g. Stores the first `count` elements of the new
 * states at s0 to s2.
 * @param rule a constant: a branch in the loop costs more than a second loop
 */
@inline
function update(
  rule: i32, count: i32, x: v128, g: v128, c0: v128, c1: v128, c2: v128, c3: v128, c4: v128, c5: v128,
  c6: v128, s0: usize, s1: usize, s2: usize,
): v128 {
  if (rule == SGD) return madd(c0, g, x); // c0 = −rate
  if (rule == MOMENTUM || rule == NESTEROV) {
    // c0 = −rate, c1 = momentum; s0: velocity
    const velocity = madd(c1, v128.load(s0), g);
    keep(s0, velocity, count);
    return madd(c0, rule == NESTEROV ? madd(c1, velocity, g) : velocity, x);
  }
  if (rule == ADAM) {
    // c0 = rate/correction₁, c1 = β₁, c2 = 1 − β₁, c3 = β₂, c4 = 1 − β₂, c5 = 1/correction₂, c6 =
    // ε; s0: m, s1: v
    const mean = madd(c2, g, v128.mul<real>(c1, v128.load(s0)));
    keep(s0, mean, count);
    const square = madd(v128.mul<real>(c4, g), g, v128.mul<real>(c3, v128.load(s1)));
    keep(s1, square, count);
    const size = v128.add<real>(v128.sqrt<real>(v128.mul<real>(square, c5)), c6);
    return v128.sub<real>(x, v128.div<real>(v128.mul<real>(c0, mean), size));
  }
  if (rule == ADAGRAD) {
    // c0 = −rate, c1 = initial, c2 = ε; s0: squares
    const square = madd(g, g, v128.load(s0));
    keep(s0, square, count);
    const size = v128.add<real>(v128.sqrt<real>(v128.add<real>(c1, square)), c2);
    return madd(c0, v128.div<real>(g, size), x);
  }
  // RMSprop: c0 = −rate, c1 = α, c2 = 1 − α, c3 = ε, c4 = momentum; s0: squares, s1: mean, s2:
  // velocity
  let square = v128.load(s0);
  if (rule & CENTERED) {
    const mean = v128.load(s1);
    const deviation = v128.sub<real>(g, mean);
    const part = v128.mul<real>(c2, deviation);
    keep(s1, v128.add<real>(mean, part), count);
    square = v128.mul<real>(c1, madd(part, deviation, square));
  } else {
    square = madd(v128.mul<real>(c2, g), g, v128.mul<real>(c1, square));
  }
  keep(s0, square, count);
  let direction = v128.div<real>(g, v128.add<real>(v128.sqrt<real>(square), c3));
  if (rule & WITH_MOMENTUM) {
    direction = madd(c4, v128.load(s2), direction);
    keep(s2, direction, count);
  }
  return madd(c0, direction, x);
}

/** The whole step of a rule, two vectors a turn: adding up the parameters then costs nothing. */
@inline
function steps(
  rule: i32, count: i32, p: usize, g: usize, s0: usize, s1: usize, s2: usize, c0: v128, c1: v128,
  c2: v128, c3: v128, c4: v128, c5: v128, c6: v128,
): bool {
  let sum = splat(0);
  let sum2 = sum;
  for (; count >= 2 * lanes(); count -= 2 * lanes()) {
    let x = update(rule, lanes(), v128.load(p), v128.load(g), c0, c1, c2, c3, c4, c5, c6, s0, s1, s2);
    v128.store(p, x);
    sum = v128.add<real>(sum, x);
    x = update(
      rule, lanes(), v128.load(p, 16), v128.load(g, 16), c0, c1, c2, c3, c4, c5, c6, s0 + 16, s1 + 16, s2 + 16,
    );
    v128.store(p, x, 16);
    sum2 = v128.add<real>(sum2, x);
    p += 32;
    g += 32;
    s0 += 32;
    s1 += 32;
    s2 += 32;
  }
  for (; count > 0; count -= lanes()) {
    const rest = min(count, lanes());
    const x = update(rule, rest, v128.load(p), v128.load(g), c0, c1, c2, c3, c4, c5, c6, s0, s1, s2);
    keep(p, x, rest);
    sum = v128.add<real>(sum, v128.and(x, firstLanes(rest)));
    p += 16;
    g += 16;
    s0 += 16;
    s1 += 16;
    s2 += 16;
  }
  const total = v128.add<real>(sum, sum2);
  return !v128.any_true(v128.sub<real>(total, total));
}

/** Scalar i of a rule. */
@inline
function scalar(scalars: usize, i: i32): f64 {
  return load<f64>(scalars + (i << 3));
}

/** p ← p − rate·g, or v ← momentum·v + g, p ← p − rate·v (nesterov: rate·(g + momentum·v)) */
export function sgd(count: i32, scalars: usize, p: usize, g: usize, v: usize): bool {
  const rate = splat(-scalar(scalars, 0));
  const momentum = splat(scalar(scalars, 1));
  const no = rate; // not used
  if (!v) return steps(SGD, count, p, g, v, v, v, rate, no, no, no, no, no, no);
  if (scalar(scalars, 2)) return steps(NESTEROV, count, p, g, v, v, v, rate, momentum, no, no, no, no, no);
  return steps(MOMENTUM, count, p, g, v, v, v, rate, momentum, no, no, no, no, no);
}

/**
 * m ← β₁·m + (1 − β₁)·g; v ← β₂·v + (1 − β₂)·g²; p ← p − rate·(m/c₁)/(√(v/c₂) + ε), with the
 * corrections of the bias towards 0, c₁ = 1 − β₁ᵗ and c₂ = 1 − β₂ᵗ.
 */
export function adam(count: i32, scalars: usize, p: usize, g: usize, m: usize, v: usize): bool {
  const beta1 = scalar(scalars, 1);
  const beta2 = scalar(scalars, 2);
  return steps(
    ADAM, count, p, g, m, v, v, splat(scalar(scalars, 0) / scalar(scalars, 4)), splat(beta1),
    splat(1.0 - beta1), splat(beta2), splat(1.0 - beta2), splat(1.0 / scalar(scalars, 5)), splat(scalar(scalars, 3)),
  );
}

/** s ← s + g²; p ← p − rate·g/(√(initial + s) + ε) */
export function adagrad(count: i32, scalars: usize, p: usize, g: usize, s: usize): bool {
  const rate = splat(-scalar(scalars, 0));
  const initial = splat(scalar(scalars, 1));
  const epsilon = splat(scalar(scalars, 2));
  return steps(ADAGRAD, count, p, g, s, s, s, rate, initial, epsilon, rate, rate, rate, rate);
}

/**
 * s ← α·s + (1 − α)·g², or with a mean m: s ← α·(s + (1 − α)·(g − m)²), m ← m + (1 − α)·(g − m);
 * d ← g/(√s + ε); p ← p − rate·d, or with a velocity v: v ← momentum·v + d, p ← p − rate·v
 */
export function rmsprop(count: i32, scalars: usize, p: usize, g: usize, s: usize, m: usize, v: usize): bool {
  const rate = splat(-scalar(scalars, 0));
  const alpha = splat(scalar(scalars, 1));
  const rest = splat(1.0 - scalar(scalars, 1));
  const epsilon = splat(scalar(scalars, 2));
  const momentum = splat(scalar(scalars, 3));
  if (!m) {
    if (!v) return steps(RMSPROP, count, p, g, s, m, v, rate, alpha, rest, epsilon, rate, rate, rate);
    return steps(RMSPROP | WITH_MOMENTUM, count, p, g, s, m, v, rate, alpha, rest, epsilon, momentum, rate, rate);
  }
  if (!v) return steps(RMSPROP | CENTERED, count, p, g, s, m, v, rate, alpha, rest, epsilon, rate, rate, rate);
  return steps(
    RMSPROP | CENTERED | WITH_MOMENTUM, count, p, g, s, m, v, rate, alpha, rest, epsilon, momentum, rate, rate,
  );
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
