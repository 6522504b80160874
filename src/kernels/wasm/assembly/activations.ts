/**
 * Bias and activation. An activation is a class without objects: `changetype<F>(0).value(…)` tells
 * the compiler what to inline, so each gets loops without branches.
 */
import { exp, expm1, gaussian, normalCdf, sigmoid, sigmoidFrom, softplusFrom, tanh } from './functions';
import { keep, lanes, larger, madd, select, splat, storeFirst } from './simd';

/** A pass of the activation at `kind` in the table of ../../activations.ts. */
@inline
function dispatch(
  backward: bool, kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, x: usize,
  y: usize, dY: usize, dX: usize, bias: usize,
): void {
  const p = splat(parameter);
  if (kind == 0) pass<Identity>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 1) pass<Relu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 2) pass<LeakyRelu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 3) pass<Tanh>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 4) pass<Sigmoid>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 5) pass<Gelu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 6) pass<Silu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 7) pass<Elu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 8) pass<Softplus>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 9) pass<Selu>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
  else if (kind == 10) pass<Mish>(backward, p, rows, columns, rowBytes, x, y, dY, dX, bias);
}

/** As SELU_SCALE and SELU_LIMIT of ../../activations.ts. */
const SELU_SCALE: f64 = 1.0507009873554805;
const SELU_LIMIT: f64 = 1.7580993408473768;

// The activations. `value` is f(x). `derivative` is f′ from x (where needsInput) or y; at a kink it
// is the one from the left. `shared`, their s, is what both compute from x alone. p is the parameter
// in every lane. `needsInput` is that of the table.

@unmanaged
class Identity {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 { return x; }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 { return splat(1); }
}

@unmanaged
class Relu {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 { return larger(x, splat(0)); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return select(v128.le<real>(y, splat(0)), splat(0), splat(1));
  }
}

@unmanaged
class LeakyRelu {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 {
    return select(v128.lt<real>(x, splat(0)), v128.mul<real>(p, x), x);
  }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return select(v128.le<real>(y, splat(0)), p, splat(1));
  }
}

@unmanaged
class Tanh {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 { return tanh(x); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return v128.sub<real>(splat(1), v128.mul<real>(y, y));
  }
}

@unmanaged
class Sigmoid {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 { return sigmoid(x); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return v128.mul<real>(y, v128.sub<real>(splat(1), y));
  }
}

@unmanaged
class Gelu {
  @inline needsInput(): bool { return true; }
  @inline shared(x: v128): v128 { return gaussian(x); }
  @inline value(x: v128, s: v128, p: v128): v128 { return v128.mul<real>(x, normalCdf(x, s)); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    const density = v128.mul<real>(s, splat(0.3989422804014327)); // 1/√(2π)
    return madd(x, density, normalCdf(x, s));
  }
}

@unmanaged
class Silu {
  @inline needsInput(): bool { return true; }
  @inline shared(x: v128): v128 { return sigmoid(x); }
  @inline value(x: v128, s: v128, p: v128): v128 { return v128.mul<real>(x, s); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return v128.mul<real>(s, madd(x, v128.sub<real>(splat(1), s), splat(1)));
  }
}

@unmanaged
class Elu {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 {
    return select(v128.lt<real>(x, splat(0)), v128.mul<real>(p, expm1(x)), x);
  }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    return select(v128.le<real>(y, splat(0)), v128.add<real>(y, p), splat(1));
  }
}

@unmanaged
class Softplus {
  @inline needsInput(): bool { return true; }
  @inline shared(x: v128): v128 { return expOfSize(x); }
  @inline value(x: v128, s: v128, p: v128): v128 { return softplusFrom(x, s); }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 { return sigmoidFrom(x, s); }
}

@unmanaged
class Selu {
  @inline needsInput(): bool { return false; }
  @inline shared(x: v128): v128 { return x; }
  @inline value(x: v128, s: v128, p: v128): v128 {
    const below = v128.mul<real>(splat(SELU_LIMIT), expm1(x));
    return select(v128.lt<real>(x, splat(0)), below, v128.mul<real>(splat(SELU_SCALE), x));
  }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    const below = v128.add<real>(y, splat(SELU_LIMIT));
    return select(v128.le<real>(y, splat(0)), below, splat(SELU_SCALE));
  }
}

/**
 * x·n/d with s = e^−|x|: n = s(s + 2), d = n + 2 below 0; else n = 1 + 2s, d = n + 2s². The slope is
 * n/d + 4x·(1 + s)·q/d², q = s below 0, else s².
 */
@unmanaged
class Mish {
  @inline needsInput(): bool { return true; }
  @inline shared(x: v128): v128 { return expOfSize(x); }
  @inline value(x: v128, s: v128, p: v128): v128 {
    const n = mishNumerator(x, s);
    return v128.mul<real>(x, v128.div<real>(n, mishDenominator(x, s, n)));
  }
  @inline derivative(x: v128, y: v128, s: v128, p: v128): v128 {
    const n = mishNumerator(x, s);
    const inverse = v128.div<real>(splat(1), mishDenominator(x, s, n));
    const q = select(v128.lt<real>(x, splat(0)), s, v128.mul<real>(s, s));
    const slope = v128.mul<real>(v128.mul<real>(v128.mul<real>(splat(4), x), madd(q, s, q)), inverse);
    return v128.mul<real>(v128.add<real>(n, slope), inverse);
  }
}

/** e^−|x|, which never overflows */
@inline
function expOfSize(x: v128): v128 {
  return exp(v128.neg<real>(v128.abs<real>(x)));
}

@inline
function mishNumerator(x: v128, s: v128): v128 {
  const two = splat(2);
  return select(v128.lt<real>(x, splat(0)), v128.mul<real>(s, v128.add<real>(s, two)), madd(two, s, splat(1)));
}

@inline
function mishDenominator(x: v128, s: v128, n: v128): v128 {
  const two = splat(2);
  return madd(two, select(v128.lt<real>(x, splat(0)), splat(1), v128.mul<real>(s, s)), n);
}

/** y ← f(x + bias) over whole rows; where f needsInput, x ← x + bias too. `bias` is 0 for none. */
export function biasActivation(
  kind: i32, parameter: f64, rows: i32, columns: i32, x: usize, bias: usize, y: usize,
): void {
  // Without a bias the rows are one long row.
  if (!bias) {
    columns *= rows;
    rows = 1;
  }
  dispatch(false, kind, parameter, rows, columns, 0, x, y, 0, 0, bias);
}

/** dX ← dY ⊙ f′ over rows `rowBytes` apart; dBias ← their column sums unless it is 0. */
export function biasActivationBackward(
  kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize,
  dX: usize, dBias: usize,
): void {
  dispatch(true, kind, parameter, rows, columns, rowBytes, x, y, dY, dX, dBias);
}

@inline
function pass<F>(
  isBackward: bool, p: v128, rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize,
  dX: usize, bias: usize,
): void {
  if (isBackward) backward<F>(rows, columns, rowBytes, x, y, dY, dX, bias, p);
  else forward<F>(rows, columns, x, bias, y, p);
}

function forward<F>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  const f = changetype<F>(0);
  for (; rows > 0; rows--) {
    let biasAt = bias;
    let left = columns;
    for (; left >= lanes(); left -= lanes()) {
      let h = v128.load(x);
      if (bias) {
        h = v128.add<real>(h, v128.load(biasAt));
        biasAt += 16;
        if (f.needsInput()) v128.store(x, h);
      }
      v128.store(y, f.value(h, f.shared(h), p));
      x += 16;
      y += 16;
    }
    if (left == 0) continue;
    let h = v128.load(x);
    if (bias) {
      h = v128.add<real>(h, v128.load(biasAt));
      if (f.needsInput()) storeFirst(x, h, left);
    }
    storeFirst(y, f.value(h, f.shared(h), p), left);
    x += left * sizeof<real>();
    y += left * sizeof<real>();
  }
}

function backward<F>(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize, p: v128,
): void {
  if (dBias) memory.fill(dBias, 0, columns * sizeof<real>());
  const step = rowBytes - columns * sizeof<real>();
  for (; rows > 0; rows--) {
    let biasAt = dBias;
    let left = columns;
    for (; left >= lanes(); left -= lanes()) {
      const d = gradient<F>(x, y, dY, p);
      v128.store(dX, d);
      if (dBias) {
        v128.store(biasAt, v128.add<real>(v128.load(biasAt), d));
        biasAt += 16;
      }
      x += 16;
      y += 16;
      dY += 16;
      dX += 16;
    }
    if (left > 0) {
      const d = gradient<F>(x, y, dY, p);
      storeFirst(dX, d, left);
      if (dBias) storeFirst(biasAt, v128.add<real>(v128.load(biasAt), d), left);
    }
    const next = left * sizeof<real>() + step;
    x += next;
    y += next;
    dY += next;
    dX += next;
  }
}

/** The vector of dY ⊙ f′ at these addresses. */
@inline
function gradient<F>(x: usize, y: usize, dY: usize, p: v128): v128 {
  const f = changetype<F>(0);
  const output = v128.load(y);
  const input = f.needsInput() ? v128.load(x) : output;
  return v128.mul<real>(v128.load(dY), f.derivative(input, output, f.shared(input), p));
}

/** A pass of the parametric activation at `kind`, as `dispatch`. */
@inline
function dispatchParametric(
  backward: bool, kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, x: usize,
  slope: usize, y: usize, dX: usize, bias: usize, dSlope: usize,
): void {
  const p = splat(parameter);
  if (kind == 0) parametric<Identity>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 1) parametric<Relu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 2) parametric<LeakyRelu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 3) parametric<Tanh>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 4) parametric<Sigmoid>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 5) parametric<Gelu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 6) parametric<Silu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 7) parametric<Elu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 8) parametric<Softplus>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 9) parametric<Selu>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
  else if (kind == 10) parametric<Mish>(backward, p, rows, columns, rowBytes, x, slope, y, dX, bias, dSlope);
}

/** y ← (1 − slope) ⊙ h + slope ⊙ f(h), x ← h = x + bias, over whole rows. `bias` is 0 for none. */
export function parametricActivation(
  kind: i32, parameter: f64, rows: i32, columns: i32, x: usize, bias: usize, slope: usize, y: usize,
): void {
  dispatchParametric(false, kind, parameter, rows, columns, columns * sizeof<real>(), x, slope, y, 0, bias, 0);
}

/**
 * dX ← dY ⊙ (1 − slope + slope ⊙ f′) over rows `rowBytes` apart; dSlope ← column sums of
 * dY ⊙ (f(h) − h), dBias ← those of dX unless it is 0.
 */
export function parametricActivationBackward(
  kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, h: usize, slope: usize,
  dY: usize, dX: usize, dBias: usize, dSlope: usize,
): void {
  dispatchParametric(true, kind, parameter, rows, columns, rowBytes, h, slope, dY, dX, dBias, dSlope);
}

@inline
function parametric<F>(
  isBackward: bool, p: v128, rows: i32, columns: i32, rowBytes: usize, x: usize, slope: usize,
  y: usize, dX: usize, bias: usize, dSlope: usize,
): void {
  if (isBackward) blendBackward<F>(rows, columns, rowBytes, x, slope, y, dX, bias, dSlope, p);
  else blend<F>(rows, columns, rowBytes, x, bias, slope, y, p);
}

function blend<F>(
  rows: i32, columns: i32, rowBytes: usize, x: usize, bias: usize, slope: usize, y: usize, p: v128,
): void {
  const f = changetype<F>(0);
  for (; rows > 0; rows--) {
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      let h = v128.load(x + column);
      if (bias) {
        h = v128.add<real>(h, v128.load(bias + column));
        keep(x + column, h, left);
      }
      const a = v128.load(slope + column);
      const rest = v128.mul<real>(v128.sub<real>(splat(1), a), h);
      keep(y + column, madd(a, f.value(h, f.shared(h), p), rest), left);
      column += 16;
    }
    x += rowBytes;
    y += rowBytes;
  }
}

function blendBackward<F>(
  rows: i32, columns: i32, rowBytes: usize, h: usize, slope: usize, dY: usize, dX: usize,
  dBias: usize, dSlope: usize, p: v128,
): void {
  const f = changetype<F>(0);
  if (dBias) memory.fill(dBias, 0, columns * sizeof<real>());
  memory.fill(dSlope, 0, columns * sizeof<real>());
  for (; rows > 0; rows--) {
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const x = v128.load(h + column);
      const a = v128.load(slope + column);
      const d = v128.load(dY + column);
      const s = f.shared(x);
      const y = f.value(x, s, p);
      const change = madd(d, v128.sub<real>(y, x), v128.load(dSlope + column));
      const factor = madd(a, f.derivative(x, y, s, p), v128.sub<real>(splat(1), a));
      const dH = v128.mul<real>(d, factor);
      keep(dX + column, dH, left);
      keep(dSlope + column, change, left);
      if (dBias) keep(dBias + column, v128.add<real>(v128.load(dBias + column), dH), left);
      column += 16;
    }
    h += rowBytes;
    dY += rowBytes;
    dX += rowBytes;
  }
}
