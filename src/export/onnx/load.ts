/**
 * Reads the file of a graph and runs it by plain loops: the bytes that were written are checked, not what
 * they were made of.
 */

import { type Field, readFields } from '../../files/protobuf.js';
import { compute, type Tensor } from './evaluate.js';
import { type Attribute, DATA_TYPES, type DataType, type Node } from './graph.js';

export interface LoadedGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  run(inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor>;
}

/** @throws RangeError for bytes that are no model */
export function loadGraph(bytes: Uint8Array): LoadedGraph {
  const [graph] = bytesOf(bytes, 7);
  const nodes = bytesOf(graph, 1).map(readNode);
  const constants = bytesOf(graph, 5).map(readTensor);
  const nameOf = (value: Uint8Array) => textOf(bytesOf(value, 1)[0]);
  const outputs = bytesOf(graph, 12).map(nameOf);
  return {
    inputs: bytesOf(graph, 11).map(nameOf),
    outputs,
    run(inputs) {
      const values = new Map([...constants, ...inputs]);
      for (const node of nodes) {
        const own = node.inputs.map((name) => valueIn(values, name));
        node.outputs.forEach((name, i) => {
          if (i === 0) values.set(name, compute(node, own));
        });
      }
      return new Map(outputs.map((name) => [name, valueIn(values, name)]));
    },
  };
}

function valueIn(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const value = values.get(name);
  if (value === undefined) throw new RangeError(`the graph has no value ${JSON.stringify(name)}`);
  return value;
}

function fieldsOf(message: Uint8Array, number: number): Field['value'][] {
  return [...readFields(message)].filter((field) => field.number === number).map(({ value }) => value);
}

function bytesOf(message: Uint8Array, number: number): Uint8Array[] {
  return fieldsOf(message, number) as Uint8Array[];
}

function numbersOf(message: Uint8Array, number: number): number[] {
  return fieldsOf(message, number) as number[];
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function readNode(message: Uint8Array): Node {
  const attributes = bytesOf(message, 5).map((attribute): [string, Attribute] => {
    const [type] = numbersOf(attribute, 20);
    const name = textOf(bytesOf(attribute, 1)[0]);
    if (type === 1) return [name, { float: numbersOf(attribute, 2)[0] }];
    if (type === 2) return [name, { int: numbersOf(attribute, 3)[0] }];
    if (type === 7) return [name, { ints: numbersOf(attribute, 8) }];
    return [name, { strings: bytesOf(attribute, 9).map(textOf) }];
  });
  return {
    op: textOf(bytesOf(message, 4)[0]),
    inputs: bytesOf(message, 1).map(textOf),
    outputs: bytesOf(message, 2).map(textOf),
    attributes: Object.fromEntries(attributes),
    domain: '',
  };
}

function readTensor(message: Uint8Array): [name: string, Tensor] {
  const name = textOf(bytesOf(message, 8)[0]);
  const dims = numbersOf(message, 1);
  const number = numbersOf(message, 2)[0];
  const type = (Object.keys(DATA_TYPES) as DataType[]).find((own) => DATA_TYPES[own] === number) as DataType;
  if (type === 'string') return [name, { type, dims, data: bytesOf(message, 6).map(textOf) }];
  // The bytes may begin anywhere, an array of floats may not.
  const { buffer } = Uint8Array.from(bytesOf(message, 9)[0]);
  if (type === 'int64')
    return [name, { type, dims, data: Int32Array.from(new BigInt64Array(buffer), Number) }];
  const data = type === 'float' ? new Float32Array(buffer) : new Float64Array(buffer);
  return [name, { type, dims, data }];
}
