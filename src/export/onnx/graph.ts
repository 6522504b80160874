/** A graph of ONNX while it is built: values by their names, in the order in which they are computed. */
import type { FloatArray } from '../../kernels/kernels.js';

/** `TensorProto.DataType` */
export const DATA_TYPES = { float: 1, int64: 7, string: 8, bool: 9, double: 11 } as const;
export type DataType = keyof typeof DATA_TYPES;
/** The type of a network. */
export type Real = 'float' | 'double';

export interface Constant {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: FloatArray | BigInt64Array | readonly string[];
}

export interface Value {
  readonly name: string;
  readonly type: DataType;
  /** A text is a size that the model leaves open. */
  readonly dims: readonly (number | string)[];
  readonly description?: string;
}

/** A whole number, a float, a text, or a list of one kind. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly domain: string;
}

/** Operators of classical machine learning. */
export const ML = 'ai.onnx.ml';

export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  readonly constants = new Map<string, Constant>();
  readonly #names = new Map<string, number>();

  /** @param real the type in which the network computes */
  constructor(readonly real: Real) {}

  input(value: Value): string {
    this.inputs.push(value);
    this.#names.set(value.name, 1);
    return value.name;
  }

  /** Gives the value the name of an output, with `output_` before it if a column has that name. */
  output(from: string, value: Value): void {
    const isTaken = this.inputs.some(({ name }) => name === value.name);
    const name = isTaken ? `output_${value.name}` : value.name;
    this.outputs.push({ ...value, name });
    this.nodes.push({ op: 'Identity', inputs: [from], outputs: [name], attributes: {}, domain: '' });
    this.#names.set(name, 1);
  }

  /** A constant of this name, made once. */
  constant(name: string, constant: () => Constant): string {
    if (!this.constants.has(name)) {
      this.constants.set(name, constant());
      this.#names.set(name, 1);
    }
    return name;
  }

  /** Numbers as a constant of a type [dims]; a single row [1, n] if left out. */
  numbers(
    name: string,
    type: Exclude<DataType, 'string' | 'bool'>,
    values: ArrayLike<number>,
    dims: readonly number[] = [1, values.length],
  ): string {
    const own = this.#free(name);
    return this.constant(own, () => ({ type, dims, data: dataOf(type, values) }));
  }

  texts(name: string, data: readonly string[], dims: readonly number[] = [data.length]): string {
    const own = this.#free(name);
    return this.constant(own, () => ({ type: 'string', dims, data }));
  }

  /** Adds a node, and returns the name of its output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Node['attributes'] = {},
    { domain = '', outputs = 1 } = {},
  ): string {
    const names = Array.from({ length: outputs }, () => this.#free(op.toLowerCase()));
    this.nodes.push({ op, inputs, outputs: names, attributes, domain });
    return names[0];
  }

  cast(value: string, to: DataType): string {
    return this.node('Cast', [value], { to: { int: DATA_TYPES[to] } });
  }

  /** Columns side by side. */
  concat(values: readonly string[], axis = 1): string {
    return values.length === 1 ? values[0] : this.node('Concat', values, { axis: { int: axis } });
  }

  /** Some columns [rows, n] of a value; all if they are those. */
  columns(value: string, columns: readonly number[], width: number): string {
    if (columns.length === width && columns.every((column, i) => column === i)) return value;
    const indices = this.numbers('columns', 'int64', columns, [columns.length]);
    return this.node('Gather', [value, indices], { axis: { int: 1 } });
  }

  reshape(value: string, dims: readonly number[]): string {
    return this.node('Reshape', [value, this.numbers('shape', 'int64', dims, [dims.length])]);
  }

  /** The name, with a number where it is taken. */
  #free(name: string): string {
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    return count === 0 ? name : this.#free(`${name}_${count}`);
  }
}

function dataOf(type: 'float' | 'double' | 'int64', values: ArrayLike<number>): Constant['data'] {
  if (type === 'int64') return BigInt64Array.from(Array.from(values, BigInt));
  return type === 'float' ? Float32Array.from(values) : Float64Array.from(values);
}
