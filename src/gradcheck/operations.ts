/** The operations of a scalar graph: values and derivatives, in numbers and symbols (x → y). */

export interface Operation {
  readonly name: string;
  /** y = f(x) */
  value(x: readonly number[]): number;
  /** ∂y/∂x_k for every operand k */
  derivatives(x: readonly number[], y: number): number[];
  /** The same in the names of operands and result; left out if every derivative is a plain number. */
  symbols?(x: readonly string[], y: string): string[];
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
  symbols: ([a, b]) => [b, a],
};

export const divide: Operation = {
  name: '/',
  value: ([a, b]) => a / b,
  derivatives: ([, b], y) => [1 / b, -y / b],
  symbols: ([a, b]) => [`1/${b}`, `-${a}/${b}²`],
  side: ([, b]) => b,
};

/** max(x, slope·x) for slopes below 1. The derivative at exactly 0 is the slope, as in PyTorch. */
export function leakyRelu(slope: number): Operation {
  return {
    name: 'leaky_relu',
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

export const tanh: Operation = {
  name: 'tanh',
  value: ([x]) => Math.tanh(x),
  derivatives: (_, y) => [1 - y * y],
  symbols: (_, y) => [`1 - ${y}²`],
};

export const sigmoid: Operation = {
  name: 'sigmoid',
  // Two forms, so that exp never overflows.
  value: ([x]) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  derivatives: (_, y) => [y * (1 - y)],
  symbols: (_, y) => [`${y}·(1 - ${y})`],
};

export const exp: Operation = {
  name: 'exp',
  value: ([x]) => Math.exp(x),
  derivatives: (_, y) => [y],
  symbols: (_, y) => [y],
};

export const log: Operation = {
  name: 'log',
  value: ([x]) => Math.log(x),
  derivatives: ([x]) => [1 / x],
  symbols: ([x]) => [`1/${x}`],
  side: ([x]) => x,
};

export const sqrt: Operation = {
  name: 'sqrt',
  value: ([x]) => Math.sqrt(x),
  derivatives: (_, y) => [1 / (2 * y)],
  symbols: (_, y) => [`1/(2·${y})`],
  side: ([x]) => x,
};

export const square: Operation = {
  name: 'square',
  value: ([x]) => x * x,
  derivatives: ([x]) => [2 * x],
  symbols: ([x]) => [`2·${x}`],
};

/** max(a, b); equal arguments share the derivative, half each, as in PyTorch's `maximum`. */
export const max: Operation = {
  name: 'max',
  value: ([a, b]) => Math.max(a, b),
  derivatives: ([a, b]) => (a > b ? [1, 0] : a < b ? [0, 1] : [0.5, 0.5]),
  side: ([a, b]) => a - b,
};

/** Slope of `leaky_relu(x)` without a second argument; PyTorch's default. */
const DEFAULT_SLOPE = 0.01;

/** What an expression may call, with the number of arguments. leaky_relu also accepts a slope. */
export const FUNCTIONS: ReadonlyMap<string, { operation: Operation; arity: number }> = new Map([
  ...[relu, leakyRelu(DEFAULT_SLOPE), tanh, sigmoid, exp, log, sqrt, square].map(
    (operation) => [operation.name, { operation, arity: 1 }] as const,
  ),
  [max.name, { operation: max, arity: 2 }],
]);
