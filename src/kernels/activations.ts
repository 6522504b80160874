/**
 * The activations as scalar functions: y = f(x) beside its derivative dy/dx. `p` is the slope of leaky-relu and
 * the alpha of elu. A derivative may use x or y, whichever is the shorter or the more accurate, within what NEEDS_INPUT
 * promises: for the types not listed there x is gone by the time of the backward pass.
 */
import { erfc } from './erf.js';
import type { ActivationType } from './kernels.js';

export interface ScalarFunction {
  value(x: number, p: number): number;
  derivative(x: number, y: number, p: number): number;
}

/** 1 / (1 + e^−x), with an exponential that never overflows */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** log(1 + e^x) */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Φ(x), the standard normal distribution function */
function normalCdf(x: number): number {
  return erfc(-x / Math.SQRT2) / 2;
}

/** φ(x) = Φ′(x) */
function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

// The derivatives at a kink (relu, leaky-relu, elu with alpha ≠ 1, at 0) are those from the left, as PyTorch has them;
// the conditions are written so that NaN goes through.
export const ACTIVATIONS: Readonly<Record<ActivationType, ScalarFunction>> = {
  identity: {
    value: (x) => x,
    derivative: () => 1,
  },
  relu: {
    value: (x) => Math.max(x, 0),
    derivative: (_x, y) => (y <= 0 ? 0 : 1),
  },
  'leaky-relu': {
    value: (x, slope) => (x < 0 ? slope * x : x),
    derivative: (_x, y, slope) => (y <= 0 ? slope : 1),
  },
  tanh: {
    value: (x) => Math.tanh(x),
    derivative: (_x, y) => 1 - y * y,
  },
  sigmoid: {
    value: sigmoid,
    derivative: (_x, y) => y * (1 - y),
  },
  /** x·Φ(x), the exact form (Hendrycks and Gimpel 2016), not the tanh approximation */
  gelu: {
    value: (x) => x * normalCdf(x),
    derivative: (x) => normalCdf(x) + x * normalDensity(x),
  },
  /** x·σ(x), also called swish */
  silu: {
    value: (x) => x * sigmoid(x),
    derivative: (x) => {
      const s = sigmoid(x);
      return s * (1 + x * (1 - s));
    },
  },
  /** x for x > 0, else alpha·(e^x − 1) */
  elu: {
    value: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
    derivative: (_x, y, alpha) => (y <= 0 ? y + alpha : 1),
  },
  softplus: {
    value: softplus,
    derivative: (x) => sigmoid(x),
  },
};
