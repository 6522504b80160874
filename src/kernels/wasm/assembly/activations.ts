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
function value<T>(kind: i32, x: v128, parameter: v128): v128 {
  const zero = splat<T>(0.0);
  if (kind == RELU) return larger<T>(x, zero);
  if (kind == LEAKY_RELU) return select(v128.lt<T>(x, zero), v128.mul<T>(parameter, x), x);
  if (kind == TANH) return tanh<T>(x);
  if (kind == SIGMOID) return sigmoid<T>(x);
  if (kind == GELU) return v128.mul<T>(x, normalCdf<T>(x, gaussian<T>(x)));
  if (kind == SILU) return v128.mul<T>(x, sigmoid<T>(x));
  if (kind == ELU) return select(v128.lt<T>(x, zero), v128.mul<T>(parameter, expm1<T>(x)), x);
  if (kind == SOFTPLUS) return softplus<T>(x);
  return x;
}

/** f′ from x (where needsInput) or y; at a kink the one from the left. */
@inline
function derivative<T>(kind: i32, x: v128, y: v128, parameter: v128): v128 {
  const zero = splat<T>(0.0);
  const one = splat<T>(1.0);
  if (kind == RELU) return select(v128.le<T>(y, zero), zero, one);
  if (kind == LEAKY_RELU) return select(v128.le<T>(y, zero), parameter, one);
  if (kind == TANH) return v128.sub<T>(one, v128.mul<T>(y, y));
  if (kind == SIGMOID) return v128.mul<T>(y, v128.sub<T>(one, y));
  if (kind == GELU) {
    const g = gaussian<T>(x);
    const density = v128.mul<T>(g, splat<T>(0.3989422804014327)); // 1/√(2π)
    return madd<T>(x, density, normalCdf<T>(x, g));
  }
  if (kind == SILU) {
    const s = sigmoid<T>(x);
    return v128.mul<T>(s, madd<T>(x, v128.sub<T>(one, s), one));
  }
  if (kind == ELU) return select(v128.le<T>(y, zero), v128.add<T>(y, parameter), one);
  if (kind == SOFTPLUS) return sigmoid<T>(x);
  return one;
}

/** y ← f(x + bias) over whole rows; where needsInput, x ← x + bias. `bias` may be 0 for none. */
@inline
function forward<T>(
  kind: i32,
  rows: i32,
  columns: i32,
  x: usize,
  bias: usize,
  y: usize,
  parameter: v128,
): void {
  for (; rows > 0; rows--) {
    let biasAt = bias;
    let left = columns;
    for (; left >= lanes<T>(); left -= lanes<T>()) {
      let h = v128.load(x);
      if (bias) {
        h = v128.add<T>(h, v128.load(biasAt));
        biasAt += 16;
        if (needsInput(kind)) v128.store(x, h);
      }
      v128.store(y, value<T>(kind, h, parameter));
      x += 16;
      y += 16;
    }
    if (left == 0) continue;
    let h = v128.load(x);
    if (bias) {
      h = v128.add<T>(h, v128.load(biasAt));
      if (needsInput(kind)) storeFirst<T>(x, h, left);
    }
    storeFirst<T>(y, value<T>(kind, h, parameter), left);
    x += left * sizeof<T>();
    y += left * sizeof<T>();
  }
}

/** The vector of dY ⊙ f′ at these addresses. */
@inline
function gradient<T>(kind: i32, x: usize, y: usize, dY: usize, parameter: v128): v128 {
  const output = v128.load(y);
  const input = needsInput(kind) ? v128.load(x) : output;
  return v128.mul<T>(v128.load(dY), derivative<T>(kind, input, output, parameter));
}

/** dX ← dY ⊙ f′ over `columns` columns of rows that lie `rowBytes` apart; dBias ← their column sums, row by row. */
@inline
function backward<T>(
  kind: i32,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  parameter: v128,
): void {
  if (dBias) memory.fill(dBias, 0, columns * sizeof<T>());
  const step = rowBytes - columns * sizeof<T>();
  for (; rows > 0; rows--) {
    let biasAt = dBias;
    let left = columns;
    for (; left >= lanes<T>(); left -= lanes<T>()) {
      const d = gradient<T>(kind, x, y, dY, parameter);
      v128.store(dX, d);
      if (dBias) {
        v128.store(biasAt, v128.add<T>(v128.load(biasAt), d));
        biasAt += 16;
      }
      x += 16;
      y += 16;
      dY += 16;
      dX += 16;
    }
    if (left > 0) {
      const d = gradient<T>(kind, x, y, dY, parameter);
      storeFirst<T>(dX, d, left);
      if (dBias) storeFirst<T>(biasAt, v128.add<T>(v128.load(biasAt), d), left);
    }
    const next = left * sizeof<T>() + step;
    x += next;
    y += next;
    dY += next;
    dX += next;
  }
}

// A function for each kind: small enough for the engine to compile well, and only when it is used.

function forwardIdentity<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(IDENTITY, rows, columns, x, bias, y, p);
}
function backwardIdentity<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(IDENTITY, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardRelu<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(RELU, rows, columns, x, bias, y, p);
}
function backwardRelu<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(RELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardLeakyRelu<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(LEAKY_RELU, rows, columns, x, bias, y, p);
}
function backwardLeakyRelu<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(LEAKY_RELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardTanh<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(TANH, rows, columns, x, bias, y, p);
}
function backwardTanh<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(TANH, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSigmoid<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(SIGMOID, rows, columns, x, bias, y, p);
}
function backwardSigmoid<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(SIGMOID, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardGelu<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(GELU, rows, columns, x, bias, y, p);
}
function backwardGelu<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(GELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSilu<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(SILU, rows, columns, x, bias, y, p);
}
function backwardSilu<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(SILU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardElu<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(ELU, rows, columns, x, bias, y, p);
}
function backwardElu<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(ELU, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

function forwardSoftplus<T>(rows: i32, columns: i32, x: usize, bias: usize, y: usize, p: v128): void {
  forward<T>(SOFTPLUS, rows, columns, x, bias, y, p);
}
function backwardSoftplus<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
  p: v128,
): void {
  backward<T>(SOFTPLUS, rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}

/** y ← f(x + bias), as `forward`. */
@inline
export function biasActivation<T>(
  kind: i32,
  parameter: f64,
  rows: i32,
  columns: i32,
  x: usize,
  bias: usize,
  y: usize,
): void {
  const p = splat<T>(parameter);
  // Without a bias the rows are one long row.
  if (!bias) {
    columns *= rows;
    rows = 1;
  }
  if (kind == IDENTITY) forwardIdentity<T>(rows, columns, x, bias, y, p);
  else if (kind == RELU) forwardRelu<T>(rows, columns, x, bias, y, p);
  else if (kind == LEAKY_RELU) forwardLeakyRelu<T>(rows, columns, x, bias, y, p);
  else if (kind == TANH) forwardTanh<T>(rows, columns, x, bias, y, p);
  else if (kind == SIGMOID) forwardSigmoid<T>(rows, columns, x, bias, y, p);
  else if (kind == GELU) forwardGelu<T>(rows, columns, x, bias, y, p);
  else if (kind == SILU) forwardSilu<T>(rows, columns, x, bias, y, p);
  else if (kind == ELU) forwardElu<T>(rows, columns, x, bias, y, p);
  else if (kind == SOFTPLUS) forwardSoftplus<T>(rows, columns, x, bias, y, p);
}

/** dX ← dY ⊙ f′ and dBias, as `backward`. */
@inline
export function biasActivationBackward<T>(
  kind: i32,
  parameter: f64,
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  y: usize,
  dY: usize,
  dX: usize,
  dBias: usize,
): void {
  const p = splat<T>(parameter);
  if (kind == IDENTITY) backwardIdentity<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == RELU) backwardRelu<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == LEAKY_RELU) backwardLeakyRelu<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == TANH) backwardTanh<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SIGMOID) backwardSigmoid<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == GELU) backwardGelu<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SILU) backwardSilu<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == ELU) backwardElu<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
  else if (kind == SOFTPLUS) backwardSoftplus<T>(rows, columns, rowBytes, x, y, dY, dX, dBias, p);
}
