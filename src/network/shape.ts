/** Output width and parameters of every layer, by arithmetic alone, in exact BigInts. */
import type { LayerSpec } from '../spec/layerSpec.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { type LayerNode, leafLayers, networksOf, viewsOf, walkNetwork, weightRows } from '../spec/widths.js';
import type { ParameterShape } from './layer.js';
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
  /** Members that share the weights of these layers, all counted in them; 1 but for a batch ensemble. */
  readonly views: number;
  /** Of all members. */
  readonly weights: bigint;
  readonly biases: bigint;
  /** Of a row, for all members: each weight takes part in one, and a shared one in one for each member. */
  readonly multiplyAdds: bigint;
}

export function networkShape(spec: NetworkSpec, inputs: number): NetworkShape {
  const nodes = walkNetwork(spec, inputs);
  const layers = nodes.map(layerShape);
  const members = networksOf(spec);
  const weights = BigInt(members) * sum(layers, 'weights');
  return {
    inputs,
    outputs: layers.at(-1)?.outputs ?? inputs,
    layers,
    members,
    views: viewsOf(spec),
    weights,
    biases: BigInt(members) * sum(layers, 'biases'),
    multiplyAdds: weights + BigInt(members) * (moreForViews(nodes) - rowsNotTaken(nodes)),
  };
}

/** What the other members add to the multiply-adds of weights that all share. */
function moreForViews(nodes: readonly LayerNode[]): bigint {
  let total = 0n;
  for (const node of leafLayers(nodes)) {
    const others = viewsOfWeights(node) - 1;
    for (const { kind, rows, columns } of ownParameters(node)) {
      if (kind === 'weight') total += BigInt(others) * elements({ rows, columns });
    }
  }
  return total;
}

/** The weights of the levels that a row does not have, which no product reads. */
function rowsNotTaken(nodes: readonly LayerNode[]): bigint {
  let total = 0n;
  for (const { spec, inputs } of leafLayers(nodes)) {
    if (spec.type === 'linear') total += BigInt(weightRows(spec, inputs) - inputs) * BigInt(spec.units);
  }
  return total;
}

/** How many rows of the product there are for each row of the batch. */
function viewsOfWeights({ place }: LayerNode): number {
  return place && !place.isHead ? place.members : 1;
}

function layerShape(layer: LayerNode): LayerShape {
  const { spec, name, inputs, outputs } = layer;
  const layers = layer.inner.map(layerShape);
  const counts = { weights: sum(layers, 'weights'), biases: sum(layers, 'biases') };
  for (const shape of ownParameters(layer)) {
    counts[shape.kind === 'bias' ? 'biases' : 'weights'] += elements(shape);
  }
  const shape = { name, type: spec.type, inputs, outputs, ...counts };
  return layers.length > 0 ? { ...shape, layers } : shape;
}

/** Exact, though the rows of several members may be too many for a number. */
function elements({ rows, columns, fanIn }: Pick<ParameterShape, 'rows' | 'columns' | 'fanIn'>): bigint {
  if (fanIn === undefined) return BigInt(rows) * BigInt(columns);
  return BigInt(Math.round(rows / fanIn)) * BigInt(fanIn) * BigInt(columns);
}

function sum(layers: readonly LayerShape[], key: 'weights' | 'biases'): bigint {
  return layers.reduce((total, layer) => total + layer[key], 0n);
}

/** The largest m·n·k among the products of a network with `batch` rows. */
export function largestProduct(spec: NetworkSpec, inputs: number, batch: number): number {
  return [...leafLayers(walkNetwork(spec, inputs))]
    .flatMap((node) =>
      ownParameters(node)
        .filter(({ kind }) => kind === 'weight')
        // Levels are no product.
        .map((shape) =>
          node.spec.type === 'linear' && node.spec.columns ? { ...shape, rows: node.inputs } : shape,
        )
        .map(({ rows, columns, fanIn = rows }) => batch * viewsOfWeights(node) * (fanIn * columns)),
    )
    .reduce((largest, size) => Math.max(largest, size), 0);
}
