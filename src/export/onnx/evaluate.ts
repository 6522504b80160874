/**
 * The operators that an export uses, by plain loops, as https://onnx.ai/onnx/operators defines them. Others
 * are an error.
 */
import { erf, sigmoid, softplus } from '../../kernels/activations.js';
import { DATA_TYPES, type DataType, type Node } from './graph.js';

/** Row-major; a boolean is 0 or 1. */
export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: readonly string[] | Float32Array | Float64Array | Int32Array;
}

type Attributes = Node['attributes'];

function intOf(attributes: Attributes, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute && 'int' in attribute ? attribute.int : otherwise;
}

function floatOf(attributes: Attributes, name: string, otherwise: number): number {
  const attribute = attributes[name];
  return attribute && 'float' in attribute ? attribute.float : otherwise;
}

function listOf(attributes: Attributes, name: string): readonly (number | string)[] {
  const attribute = attributes[name];
  if (attribute && 'ints' in attribute) return attribute.ints;
  return attribute && 'strings' in attribute ? attribute.strings : [];
}

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Relu: (x) => Math.max(x, 0),
  Tanh: Math.tanh,
  Sigmoid: sigmoid,
  Softplus: softplus,
  Erf: erf,
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Abs: Math.abs,
  Neg: (x) => -x,
  Floor: Math.floor,
  Sin: Math.sin,
  Cos: Math.cos,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Min: Math.min,
  Max: Math.max,
  Sum: (a, b) => a + b,
};

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Equal: (a, b) => a === b,
  Greater: (a, b) => a > b,
  GreaterOrEqual: (a, b) => a >= b,
  LessOrEqual: (a, b) => a <= b,
  And: (a, b) => a === 1 && b === 1,
};

type Operator = (inputs: readonly Tensor[], attributes: Attributes) => Tensor;

const OPERATORS: Readonly<Record<string, Operator>> = {
  Identity: ([x]) => x,
  IsNaN: ([x]) =>
    made(
      'bool',
      x.dims,
      Int32Array.from(numbers(x), (value) => Number(Number.isNaN(value))),
    ),
  Cast: ([x], attributes) => {
    const to = intOf(attributes, 'to', 0);
    const type = (Object.keys(DATA_TYPES) as DataType[]).find((own) => DATA_TYPES[own] === to) as DataType;
    return of(type, x.dims, numbers(x));
  },
  Where: ([condition, a, b]) => {
    const dims = [condition, a, b].map((tensor) => tensor.dims).reduce(broadcast);
    const [c, yes, no] = [condition, a, b].map((tensor) => places(tensor.dims, dims));
    const chosen = (at: number) => {
      if (condition.data[c ? c[at] : at % condition.data.length] === 1) {
        return a.data[yes ? yes[at] : at % a.data.length];
      }
      return b.data[no ? no[at] : at % b.data.length];
    };
    const all = Array.from({ length: product(dims) }, (_, at) => chosen(at));
    return a.type === 'string'
      ? { type: 'string', dims, data: all as string[] }
      : of(a.type, dims, all as number[]);
  },
  Concat: (inputs, attributes) => {
    const axis = axisOf(attributes, inputs[0].dims);
    const size = inputs.reduce((sum, { dims }) => sum + dims[axis], 0);
    const dims = inputs[0].dims.map((own, i) => (i === axis ? size : own));
    const outer = product(dims.slice(0, axis));
    const inner = product(dims.slice(axis + 1));
    const all: number[] = [];
    for (let o = 0; o < outer; o++) {
      for (const input of inputs) {
        const width = input.dims[axis] * inner;
        for (let at = o * width; at < (o + 1) * width; at++) all.push(numbers(input)[at]);
      }
    }
    return of(inputs[0].type, dims, all);
  },
  Gather: ([data, indices], attributes) => {
    const axis = intOf(attributes, 'axis', 0);
    const outer = product(data.dims.slice(0, axis));
    const inner = product(data.dims.slice(axis + 1));
    const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
    const all: (number | string)[] = [];
    for (let o = 0; o < outer; o++) {
      for (const index of numbers(indices)) {
        const start = (o * data.dims[axis] + index) * inner;
        for (let at = start; at < start + inner; at++) all.push(data.data[at]);
      }
    }
    return data.type === 'string'
      ? { type: 'string', dims, data: all as string[] }
      : of(data.type, dims, all as number[]);
  },
  Reshape: ([x, shape]) => {
    const wanted = [...numbers(shape)];
    const known = wanted.reduce((size, own) => (own < 0 ? size : size * own), 1);
    const dims = wanted.map((own) => (own < 0 ? x.data.length / known : own));
    return { ...x, dims };
  },
  Transpose: ([x], attributes) => {
    const [a, b, c] = x.dims;
    if (listOf(attributes, 'perm').join() !== '1,0,2') throw new RangeError('another permutation');
    const all = Array.from({ length: x.data.length }, (_, at) => {
      const l = at % c;
      const i = Math.floor(at / c) % a;
      const j = Math.floor(at / (c * a));
      return numbers(x)[(i * b + j) * c + l];
    });
    return of(x.type, [b, a, c], all);
  },
  Gemm: ([a, b, bias], attributes) => {
    const y = OPERATORS.MatMul([a, b], attributes);
    return bias ? binary('Add', [y, bias]) : y;
  },
  MatMul: ([a, b]) => {
    const [m, k] = a.dims.slice(-2);
    const n = b.dims.at(-1) as number;
    const count = product(a.dims.slice(0, -2));
    const all = new Float64Array(count * m * n);
    const [x, w] = [numbers(a), numbers(b)];
    const isShared = b.dims.length < a.dims.length;
    for (let i = 0; i < count * m; i++) {
      const first = isShared ? 0 : Math.floor(i / m) * k * n;
      for (let l = 0; l < k; l++) {
        for (let j = 0; j < n; j++) all[i * n + j] += x[i * k + l] * w[first + l * n + j];
      }
    }
    return of(a.type, [...a.dims.slice(0, -1), n], all);
  },
  Softmax: ([x]) => {
    return byRow(x, (row) => {
      const largest = row.reduce((most, value) => Math.max(most, value));
      const exponentials = row.map((value) => Math.exp(value - largest));
      const sum = exponentials.reduce((total, value) => total + value);
      return exponentials.map((value) => value / sum);
    });
  },
  ArgMax: ([x]) => {
    const width = x.dims[1];
    const best = Int32Array.from({ length: x.dims[0] }, (_, row) => {
      const own = [...numbers(x).subarray(row * width, (row + 1) * width)];
      return own.indexOf(Math.max(...own));
    });
    return made('int64', [x.dims[0]], best);
  },
  TopK: ([x]) => byRow(x, (row) => row.sort((a, b) => a - b)),
  BatchNormalization: ([x, scale, bias, mean, variance], attributes) => {
    const epsilon = floatOf(attributes, 'epsilon', 1e-5);
    const inverse = numbers(variance).map((v) => 1 / Math.sqrt(v + epsilon));
    const [gamma, beta, mu] = [scale, bias, mean].map(numbers);
    return byRow(x, (row) => row.map((value, j) => gamma[j] * (value - mu[j]) * inverse[j] + beta[j]));
  },
  LayerNormalization: ([x, scale, bias], attributes) => {
    const epsilon = floatOf(attributes, 'epsilon', 1e-5);
    const [gamma, beta] = [scale, bias].map(numbers);
    return byRow(x, (row) => {
      const average = row.reduce((sum, value) => sum + value, 0) / row.length;
      const variance = row.reduce((sum, value) => sum + (value - average) ** 2, 0) / row.length;
      const inverse = 1 / Math.sqrt(variance + epsilon);
      return row.map((value, j) => gamma[j] * (value - average) * inverse + beta[j]);
    });
  },
  LabelEncoder: ([x], attributes) => {
    const keys = listOf(attributes, 'keys_strings') as readonly string[];
    const values = listOf(attributes, 'values_int64s') as readonly number[];
    const codes = new Map(keys.map((key, i) => [key, values[i]]));
    const other = intOf(attributes, 'default_int64', -1);
    const texts = x.data as readonly string[];
    return made(
      'int64',
      x.dims,
      Int32Array.from(texts, (text) => codes.get(text) ?? other),
    );
  },
};

/** @throws RangeError for an operator that is not known here */
export function compute({ op, attributes }: Node, inputs: readonly Tensor[]): Tensor {
  const [first] = inputs;
  if (op in UNARY) return of(first.type, first.dims, Float64Array.from(numbers(first)).map(UNARY[op]));
  if (op in BINARY || op in COMPARISONS) return binary(op, inputs);
  const operator = OPERATORS[op];
  if (operator === undefined) throw new RangeError(`the operator ${op} is not known here`);
  return operator(inputs, attributes);
}

function binary(op: string, [first, ...others]: readonly Tensor[]): Tensor {
  const compare = op in COMPARISONS ? COMPARISONS[op] : undefined;
  return others.reduce((a, b) => {
    const dims = broadcast(a.dims, b.dims);
    const [p, q] = [a, b].map((tensor) => places(tensor.dims, dims));
    const [x, y] = [numbers(a), numbers(b)];
    const all = new Float64Array(product(dims));
    const value = compare ? (v: number, w: number) => Number(compare(v, w)) : BINARY[op];
    for (let at = 0; at < all.length; at++) {
      all[at] = value(x[p ? p[at] : at % x.length], y[q ? q[at] : at % y.length]);
    }
    return of(compare ? 'bool' : a.type, dims, all);
  }, first);
}

function byRow(x: Tensor, of: (row: Float64Array) => Float64Array): Tensor {
  const width = x.dims.at(-1) as number;
  const all = Float64Array.from(numbers(x));
  for (let at = 0; at < all.length; at += width) all.set(of(all.slice(at, at + width)), at);
  return made(x.type, x.dims, x.type === 'float' ? Float32Array.from(all) : all);
}

type Numbers = Float32Array | Float64Array | Int32Array;

function numbers({ data, type }: Tensor): Numbers {
  if (type === 'string') throw new RangeError('found text, expected numbers');
  return data as Numbers;
}

function made(type: DataType, dims: readonly number[], data: Tensor['data']): Tensor {
  return { type, dims, data };
}

/** Numbers in the memory of a type, which rounds them. */
function of(type: DataType, dims: readonly number[], values: ArrayLike<number>): Tensor {
  if (type === 'float') return made(type, dims, Float32Array.from(values));
  return made(type, dims, type === 'double' ? Float64Array.from(values) : Int32Array.from(values));
}

function product(dims: readonly number[]): number {
  return dims.reduce((size, own) => size * own, 1);
}

function axisOf(attributes: Attributes, dims: readonly number[]): number {
  const axis = intOf(attributes, 'axis', 0);
  return axis < 0 ? dims.length + axis : axis;
}

/** The shape of two that are broadcast together. */
function broadcast(a: readonly number[], b: readonly number[]): readonly number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) =>
    Math.max(a[i + a.length - length] ?? 1, b[i + b.length - length] ?? 1),
  );
}

/**
 * For each element of a tensor of shape `to`, the element of one of shape `from`; undefined if that repeats as a whole.
 */
function places(from: readonly number[], to: readonly number[]): Int32Array | undefined {
  const steps = new Array<number>(to.length).fill(0);
  let step = 1;
  for (let i = from.length - 1; i >= 0; i--) {
    if (from[i] > 1) steps[i + to.length - from.length] = step;
    step *= from[i];
  }
  const first = from.findIndex((own) => own > 1);
  const last = first < 0 ? [] : from.slice(first);
  const isRepeated = last.every((own, i) => own === to[to.length - last.length + i]);
  if (isRepeated) return undefined;
  return Int32Array.from({ length: product(to) }, (_, at) => {
    let place = 0;
    let rest = at;
    for (let i = to.length - 1; i >= 0; i--) {
      place += steps[i] * (rest % to[i]);
      rest = Math.floor(rest / to[i]);
    }
    return place;
  });
}
