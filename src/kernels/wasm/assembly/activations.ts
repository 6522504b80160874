/**
 * Bias and activation, forward and backward. `kind` is always a constant where these functions are inlined, so
 * each activation becomes a loop of its own. The order of kinds is that of ACTIVATION_KINDS in wasmKernels.ts.
 */
import { exp, expm1, gaussian, normalCdf, sigmoid, softplus, tanh } from './functions';
import { lanes, larger, madd, select, splat, storeFirst } from './simd';

const IDENTITY = 0;
const RELU = 1;
const LEAKY_RELU = 2;
const TANH = 3;
const SIGMOID = 4;
const GELU = 5;
const SILU = 6;
const ELU = 7;
const SOFTPLUS = 8;

/** Whether the backward pass needs x itself: NEEDS_INPUT of kernels.ts. */
@inline
function needsInput(kind: i32): bool {
  return kind == GELU || kind == SILU || kind == SOFTPLUS;
}

/** f(x) */
@inline
function value(kind: i32, x: v128, parameter: v128): v128 {
  const zero = splat(0.0);
  if (kind == RELU) return larger(x, zero);
  if (kind == LEAKY_RELU) return select(v128.lt<real>(x, zero), v128.mul<real>(parameter, x), x);
  if (kind == TANH) return tanh(x);
  if (kind == SIGMOID) return sigmoid(x);
  if (kind == GELU) return v128.mul<real>(x, normalCdf(x, gaussian(x)));
  if (kind == SILU) return v128.mul<real>(x, sigmoid(x));
  if (kind == ELU) return select(v128.lt<real>(x, zero), v128.mul<real>(parameter, expm1(x)), x);
  if (kind == SOFTPLUS) return softplus(x);
  return x;
}

/** f′ from x (where needsInput) or y; at a kink the one from the left. */
@inline
function derivative(kind: i32, x: v128, y: v128, parameter: v128): v128 {
  const zero = splat(0.0);
  const one = splat(1.0);
  if (kind == RELU) return select(v128.le<real>(y, zero), zero, one);
  if (kind == LEAKY_RELU) return select(v128.le<real>(y, zero), parameter, one);
  if (kind == TANH) return v128.sub<real>(one, v128.mul<real>(y, y));
  if (kind == SIGMOID) return v128.mul<real>(y, v128.sub<real>(one, y));
  if (kind == GELU) {
    const g = gaussian(x);
    const density = v128.mul<real>(g, splat(0.3989422804014327)); // 1/√(2π)
    return madd(x, density, normalCdf(x, g));
  }
  if (kind == SILU) {
    const s = sigmoid(x);
    return v128.mul<real>(s, madd(x, v128.sub<real>(one, s), one));
  }
  if (kind == ELU) return select(v128.le<real>(y, zero), v128.add<real>(y, parameter), one);
  if (kind == SOFTPLUS) return sigmoid(x);
  return one;
}

/** y ← f(x + bias) over whole rows; where needsInput, x ← x + bias. `bias` may be 0 for none. */
@inline
function forward(
  kind: i32, rows: i32, columns: i32, x: usize, bias: usize, y: usize, parameter: v128,
): void {
  for (; rows > 0; rows--) {
    let biasAt = bias;
    let left = columns;
    for (; left >= lanes(); left -= lanes()) {
      let h = v128.load(x);
      if (bias) {
        h = v128.add<real>(h, v128.load(biasAt));
        biasAt += 16;
        if (needsInput(kind)) v128.store(x, h);
      }
      v128.store(y, value(kind, h, parameter));
      x += 16;
      y += 16;
    }
    if (left == 0) continue;
    let h = v128.load(x);
    if (bias) {
      h = v128.add<real>(h, v128.load(biasAt));
      if (needsInput(kind)) storeFirst(x, h, left);
    }
    storeFirst(y, value(kind, h, parameter), left);
    x += left * sizeof<real>();
    y += left * sizeof<real>();
  }
}

/** The vector of dY ⊙ f′ at these addresses. */
@inline
function gradient(kind: i32, x: usize, y: usize, dY: usize, parameter: v128): v128 {
  const output = v128.load(y);
  const input = needsInput(kind) ? v128.load(x) : output;
  return v128.mul<real>(v128.load(dY), derivative(kind, input, output, parameter));
}

/** dX ← dY ⊙ f′ over `columns` columns of rows that lie `rowBytes` apart; dBias ← their column sums, row by row. */
@inline
function backward(
  kind: i32, rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize,
  dBias: usize, parameter: v128,
): void {
  if (dBias) memory.fill(dBias, 0, columns * sizeof<real>());
  const step = rowBytes - columns * sizeof<real>();
  for (; rows > 0; rows--) {
    let biasAt = dBias;
    let left = columns;
    for (; left >= lanes(); left -= lanes()) {
      const d = gradient(kind, x, y, dY, parameter);
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
      const d = gradient(kind, x, y, dY, parameter);
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

// A function for each kind: small enough for the engine to compile well, and only when it is used.

function forwardIdentity(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(IDENTITY, rows, columns, x, bias, y, p);
}
function backwardIdentity(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(IDENTITY, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardRelu(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(RELU, rows, columns, x, bias, y, p);
}
function backwardRelu(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(RELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardLeakyRelu(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(LEAKY_RELU, rows, columns, x, bias, y, p);
}
function backwardLeakyRelu(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(LEAKY_RELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardTanh(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(TANH, rows, columns, x, bias, y, p);
}
function backwardTanh(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(TANH, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSigmoid(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(SIGMOID, rows, columns, x, bias, y, p);
}
function backwardSigmoid(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(SIGMOID, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardGelu(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(GELU, rows, columns, x, bias, y, p);
}
function backwardGelu(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(GELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSilu(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(SILU, rows, columns, x, bias, y, p);
}
function backwardSilu(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(SILU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardElu(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(ELU, rows, columns, x, bias, y, p);
}
function backwardElu(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(ELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSoftplus(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward(SOFTPLUS, rows, columns, x, bias, y, p);
}
function backwardSoftplus(
  rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize, dY: usize, dX: usize, dBias: usize,
  p: v128,
): void {
  backward(SOFTPLUS, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

/** y ← f(x + bias), as `forward`. */
@inline
export function biasActivation(
  kind: i32, parameter: f64, rows: i32, columns: i32, x: usize, bias: usize, y: usize,
): void {
  const p = splat(parameter);
  // Without a bias the rows are one long row.
  if (!bias) {
    columns *= rows;
    rows = 1;
  }
  if (kind == IDENTITY) forwardIdentity(rows, columns, x, bias, y, p);
  else if (kind == RELU) forwardRelu(rows, columns, x, bias, y, p);
  else if (kind == LEAKY_RELU) forwardLeakyRelu(rows, columns, x, bias, y, p);
  else if (kind == TANH) forwardTanh(rows, columns, x, bias, y, p);
  else if (kind == SIGMOID) forwardSigmoid(rows, columns, x, bias, y, p);
  else if (kind == GELU) forwardGelu(rows, columns, x, bias, y, p);
  else if (kind == SILU) forwardSilu(rows, columns, x, bias, y, p);
  else if (kind == ELU) forwardElu(rows, columns, x, bias, y, p);
  else if (kind == SOFTPLUS) forwardSoftplus(rows, columns, x, bias, y, p);
}

/** dX ← dY ⊙ f′ and dBias, as `backward`. */
@inline
export function biasActivationBackward(
  kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize,
  dY: usize, dX: usize, dBias: usize,
): void {
  const p = splat(parameter);
  if (kind == IDENTITY) backwardIdentity(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == RELU) backwardRelu(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == LEAKY_RELU) backwardLeakyRelu(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == TANH) backwardTanh(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SIGMOID) backwardSigmoid(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == GELU) backwardGelu(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SILU) backwardSilu(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == ELU) backwardElu(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SOFTPLUS) backwardSoftplus(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}
