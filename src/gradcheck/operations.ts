/**
 * The operations of a scalar graph: values, derivatives, and the derivatives as formulas. All that an
 * operation needs stands here: the parser, the check, the text and LaTeX take it from its record.
 */
import { ACTIVATIONS, normalCdf, normalDensity } from '../kernels/activations.js';
import { formatNumber } from '../text.js';

export interface Operation {
  readonly name: string;
  /** y = f(x) */
  value(x: readonly number[]): number;
  /** ∂y/∂x_k for every operand k */
  derivatives(x: readonly number[], y: number): number[];
  /** The same as expressions in the operands a and b and the result y; left out if all are plain numbers. */
  readonly formulas?: readonly string[];
  /** What is fixed in the expression: the slope of leaky_relu, the exponent of a power. */
  readonly parameter?: number;
  /** Its sign tells which smooth piece applies: a ReLU's argument, a − b of max, a denominator. */
  side?(x: readonly number[]): number;
}

/** A number in an expression: no operands, hence no derivatives. */
export function constant(value: number): Operation {
  return { name: 'constant', value: () => value, derivatives: () => [] };
}

/** A node that is another name for a node. */
export const identity: Operation = { name: 'identity', value: ([a]) => a, derivatives: () => [1] };

export const add: Operation = { name: '+', value: ([a, b]) => a + b, derivatives: () => [1, 1] };

export const subtract: Operation = { name: '-', value: ([a, b]) => a - b, derivatives: () => [1, -1] };

export const negate: Operation = { name: '-', value: ([a]) => -a, derivatives: () => [-1] };

export const multiply: Operation = {
  name: '*',
  value: ([a, b]) => a * b,
  derivatives: ([a, b]) => [b, a],
  formulas: ['b', 'a'],
};

export const divide: Operation = {
  name: '/',
  value: ([a, b]) => a / b,
  derivatives: ([, b], y) => [1 / b, -y / b],
  formulas: ['1/b', '-a/b^2'],
  side: ([, b]) => b,
};

/** max(x, slope·x) for slopes below 1. The derivative at exactly 0 is the slope, as in PyTorch. */
export function leakyRelu(slope: number): Operation {
  return {
    name: 'leaky_relu',
    parameter: slope,
    value: ([x]) => (x > 0 ? x : slope * x),
    derivatives: ([x]) => [x > 0 ? 1 : slope],
    side: ([x]) => x,
  };
}

/** max(0, x). The derivative at exactly 0 is 0, as in PyTorch. */
export const relu: Operation = {
  name: 'relu',
  value: ([x]) => Math.max(0, x),
  derivatives: ([x]) => [x > 0 ? 1 : 0],
  side: ([x]) => x,
};

/** |x|. The derivative at exactly 0 is 0, as in PyTorch. */
export const abs: Operation = {
  name: 'abs',
  value: ([x]) => Math.abs(x),
  derivatives: ([x]) => [Math.sign(x)],
  side: ([x]) => x,
};

export const tanh: Operation = {
  name: 'tanh',
  value: ([x]) => Math.tanh(x),
  derivatives: (_, y) => [1 - y * y],
  formulas: ['1 - y^2'],
};

export const sigmoid: Operation = {
  name: 'sigmoid',
  value: ([x]) => ACTIVATIONS.sigmoid.value(x),
  derivatives: (_, y) => [y * (1 - y)],
  formulas: ['y*(1 - y)'],
};

export const exp: Operation = {
  name: 'exp',
  value: ([x]) => Math.exp(x),
  derivatives: (_, y) => [y],
  formulas: ['y'],
};

export const log: Operation = {
  name: 'log',
  value: ([x]) => Math.log(x),
  derivatives: ([x]) => [1 / x],
  formulas: ['1/a'],
  side: ([x]) => x,
};

export const sqrt: Operation = {
  name: 'sqrt',
  value: ([x]) => Math.sqrt(x),
  derivatives: (_, y) => [1 / (2 * y)],
  formulas: ['1/(2*y)'],
  side: ([x]) => x,
};

export const square: Operation = {
  name: 'square',
  value: ([x]) => x * x,
  derivatives: ([x]) => [2 * x],
  formulas: ['2*a'],
};

/** max(a, b); equal arguments share the derivative, half each, as in PyTorch's `maximum`. */
export const max: Operation = {
  name: 'max',
  value: ([a, b]) => Math.max(a, b),
  derivatives: ([a, b]) => (a > b ? [1, 0] : a < b ? [0, 1] : [0.5, 0.5]),
  side: ([a, b]) => a - b,
};

/** min(a, b), as max. */
export const min: Operation = {
  name: 'min',
  value: ([a, b]) => Math.min(a, b),
  derivatives: ([a, b]) => (a < b ? [1, 0] : a > b ? [0, 1] : [0.5, 0.5]),
  side: ([a, b]) => a - b,
};

export const sin: Operation = {
  name: 'sin',
  value: ([x]) => Math.sin(x),
  derivatives: ([x]) => [Math.cos(x)],
  formulas: ['cos(a)'],
};

export const cos: Operation = {
  name: 'cos',
  value: ([x]) => Math.cos(x),
  derivatives: ([x]) => [-Math.sin(x)],
  formulas: ['-sin(a)'],
};

/** log(1 + e^x) */
export const softplus: Operation = {
  name: 'softplus',
  value: ([x]) => ACTIVATIONS.softplus.value(x),
  derivatives: ([x]) => [ACTIVATIONS.softplus.derivative(x)],
  formulas: ['sigmoid(a)'],
};

/** x·Φ(x), the exact form. */
export const gelu: Operation = {
  name: 'gelu',
  value: ([x]) => ACTIVATIONS.gelu.value(x),
  derivatives: ([x]) => [ACTIVATIONS.gelu.derivative(x)],
  formulas: ['normal_cdf(a) + a*normal_pdf(a)'],
};

/** x·σ(x) */
export const silu: Operation = {
  name: 'silu',
  value: ([x]) => ACTIVATIONS.silu.value(x),
  derivatives: ([x]) => [ACTIVATIONS.silu.derivative(x)],
  formulas: ['sigmoid(a)*(1 + a*(1 - sigmoid(a)))'],
};

/** Φ(x) of the standard normal distribution: the derivative of gelu needs it. */
export const normalCdfOperation: Operation = {
  name: 'normal_cdf',
  value: ([x]) => normalCdf(x),
  derivatives: ([x]) => [normalDensity(x)],
  formulas: ['normal_pdf(a)'],
};

/** φ(x) = Φ′(x) */
export const normalPdfOperation: Operation = {
  name: 'normal_pdf',
  value: ([x]) => normalDensity(x),
  derivatives: ([x], y) => [-x * y],
  formulas: ['-a*y'],
};

/** x^n for a constant n. Unless n is a whole number from 0 on, its domain ends at 0. */
export function power(n: number): Operation {
  const operation: Operation = {
    name: '^',
    parameter: n,
    value: ([x]) => x ** n,
    derivatives: ([x]) => [n === 0 ? 0 : n * x ** (n - 1)],
    ...(n !== 0 && n !== 1 && { formulas: [powerFormula(n)] }),
  };
  return Number.isInteger(n) && n >= 0 ? operation : { ...operation, side: ([x]) => x };
}

/** n·aⁿ⁻¹, as a fraction where the exponent is negative. */
function powerFormula(n: number): string {
  const size = formatNumber(Math.abs(n - 1));
  const factor = size === '1' ? 'a' : `a^${size}`;
  return `${formatNumber(n)}${n < 1 ? '/' : '*'}${factor}`;
}

/** Slope of `leaky_relu(x)` without a second argument; PyTorch's default. */
const DEFAULT_SLOPE = 0.01;

const UNARY = [
  relu,
  leakyRelu(DEFAULT_SLOPE),
  tanh,
  sigmoid,
  exp,
  log,
  sqrt,
  square,
  abs,
  sin,
  cos,
  softplus,
  gelu,
  silu,
  normalCdfOperation,
  normalPdfOperation,
];

/** What an expression may call, with the number of arguments. leaky_relu also accepts a slope. */
export const FUNCTIONS: ReadonlyMap<string, { operation: Operation; arity: number }> = new Map(
  [...UNARY, max, min].map((operation) => [
    operation.name,
    { operation, arity: UNARY.includes(operation) ? 1 : 2 },
  ]),
);
