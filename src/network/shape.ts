/** Output width and parameters of every layer, by arithmetic alone, in exact BigInts. */
import type { LayerSpec } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { type LayerNode, leafLayers, walkLayers } from '../spec/widths.js';
import { ownParameters } from './layerTypes.js';

/** A layer as a row of the parameter table; a residual has the rows of its inner layers inside. */
export interface LayerShape {
  /** `layers.0`, `layers.2.layers.0`, …: its path in the spec and the prefix of its parameters. */
  readonly name: string;
  readonly type: LayerSpec['type'];
  readonly inputs: number;
  readonly outputs: number;
  /** Scales and slopes are counted as weights, the shifts of normalisations as biases. */
  readonly weights: bigint;
  readonly biases: bigint;
  readonly layers?: readonly LayerShape[];
}

export interface NetworkShape {
  readonly inputs: number;
  readonly outputs: number;
  /** Of one member. */
  readonly layers: readonly LayerShape[];
  /** Networks of these layers; more than 1 in an ensemble. */
  readonly members: number;
  /** Of all members. */
  readonly weights: bigint;
  readonly biases: bigint;
}

export function networkShape(spec: NetworkSpec, inputs: number): NetworkShape {
  const layers = walkLayers(spec.layers, inputs).map(layerShape);
  const { members = 1 } = spec;
  return {
    inputs,
    outputs: layers.at(-1)?.outputs ?? inputs,
    layers,
    members,
    weights: BigInt(members) * sum(layers, 'weights'),
    biases: BigInt(members) * sum(layers, 'biases'),
  };
}

function layerShape(layer: LayerNode): LayerShape {
  const { spec, name, inputs, outputs } = layer;
  const layers = layer.inner.map(layerShape);
  const counts = { weights: sum(layers, 'weights'), biases: sum(layers, 'biases') };
  for (const { kind, rows, columns } of ownParameters(layer)) {
    counts[kind === 'bias' ? 'biases' : 'weights'] += BigInt(rows) * BigInt(columns);
  }
  const shape = { name, type: spec.type, inputs, outputs, ...counts };
  return layers.length > 0 ? { ...shape, layers } : shape;
}

function sum(layers: readonly LayerShape[], key: 'weights' | 'biases'): bigint {
  return layers.reduce((total, layer) => total + layer[key], 0n);
}

/** The largest m·n·k among the products of a network with `batch` rows. */
export function largestProduct(spec: NetworkSpec, inputs: number, batch: number): number {
  return [...leafLayers(walkLayers(spec.layers, inputs))]
    .flatMap(ownParameters)
    .filter(({ kind }) => kind === 'weight')
    .reduce((largest, { rows, columns }) => Math.max(largest, batch * (rows * columns)), 0);
}
