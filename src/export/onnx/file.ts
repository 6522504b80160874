/** The file of a graph: ModelProto of onnx.proto, whose numbers of fields stand here. */

import { Message } from '../../files/protobuf.js';
import { type Attribute, type Constant, DATA_TYPES, type Graph, ML, type Node, type Value } from './graph.js';

/** ONNX 1.12; onnxruntime 1.12 and later read it. */
const IR_VERSION = 8;
const OPSET = 17;
const ML_OPSET = 2;

export interface ModelFacts {
  readonly version: string;
  readonly description: string;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

export function encodeModel(graph: Graph, { version, description, metadata }: ModelFacts): Message {
  const model = new Message()
    .integer(1, IR_VERSION)
    .text(2, 'mlp')
    .text(3, version)
    .text(6, description)
    .message(7, graphMessage(graph))
    .message(8, new Message().text(1, '').integer(2, OPSET));
  if (graph.nodes.some(({ domain }) => domain === ML)) {
    model.message(8, new Message().text(1, ML).integer(2, ML_OPSET));
  }
  for (const [key, value] of metadata) model.message(14, new Message().text(1, key).text(2, value));
  return model;
}

function graphMessage({ nodes, inputs, outputs, constants }: Graph): Message {
  const graph = new Message();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.text(2, 'mlp');
  for (const [name, constant] of constants) graph.message(5, tensorMessage(name, constant));
  for (const input of inputs) graph.message(11, valueMessage(input));
  for (const output of outputs) graph.message(12, valueMessage(output));
  return graph;
}

function nodeMessage({ op, inputs, outputs, attributes, domain }: Node): Message {
  const node = new Message();
  for (const input of inputs) node.text(1, input);
  for (const output of outputs) node.text(2, output);
  node.text(3, outputs[0]).text(4, op);
  for (const [name, attribute] of Object.entries(attributes)) {
    node.message(5, attributeMessage(name, attribute));
  }
  return domain === '' ? node : node.text(7, domain);
}

function attributeMessage(name: string, attribute: Attribute): Message {
  const message = new Message().text(1, name);
  if ('float' in attribute) return message.float(2, attribute.float).integer(20, 1);
  if ('int' in attribute) return message.integer(3, attribute.int).integer(20, 2);
  if ('ints' in attribute) {
    for (const value of attribute.ints) message.integer(8, value);
    return message.integer(20, 7);
  }
  for (const value of attribute.strings) message.text(9, value);
  return message.integer(20, 8);
}

function tensorMessage(name: string, { type, dims, data }: Constant): Message {
  const tensor = new Message();
  for (const size of dims) tensor.integer(1, size);
  tensor.integer(2, DATA_TYPES[type]);
  if (type === 'string') {
    for (const text of data as readonly string[]) tensor.text(6, text);
    return tensor.text(8, name);
  }
  const { buffer, byteOffset, byteLength } = data as Exclude<Constant['data'], readonly string[]>;
  return tensor.text(8, name).bytes(9, [new Uint8Array(buffer, byteOffset, byteLength)]);
}

function valueMessage({ name, type, dims, description }: Value): Message {
  const shape = new Message();
  for (const size of dims) {
    shape.message(1, typeof size === 'number' ? new Message().integer(1, size) : new Message().text(2, size));
  }
  const tensor = new Message().integer(1, DATA_TYPES[type]).message(2, shape);
  const value = new Message().text(1, name).message(2, new Message().message(1, tensor));
  return description === undefined ? value : value.text(3, description);
}
