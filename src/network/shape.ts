/**
 * What follows from a spec by arithmetic alone: every layer's output width and parameters, without allocating
 * anything and exactly, however large (BigInt).
 */
import type { LayerSpec, NetworkSpec } from '../spec/network.js';

/** A layer of a network as a row of its table; a residual block has the rows of its layers inside. */
export interface LayerShape {
  /** Path in the spec, and the prefix of its parameters' names: `layers.0`, `layers.2.layers.0`, … */
  readonly name: string;
  readonly type: LayerSpec['type'];
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: bigint;
  readonly biases: bigint;
  readonly layers?: readonly LayerShape[];
}

export interface NetworkShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly layers: readonly LayerShape[];
  readonly weights: bigint;
  readonly biases: bigint;
}

/** Shapes of a checked spec whose input width is known. */
export function networkShape(spec: NetworkSpec, inputs: number): NetworkShape {
  const layers = layerShapes(spec.layers, inputs, '');
  return {
    inputs,
    outputs: layers.at(-1)?.outputs ?? inputs,
    layers,
    weights: sum(layers, 'weights'),
    biases: sum(layers, 'biases'),
  };
}

function layerShapes(specs: readonly LayerSpec[], inputs: number, prefix: string): LayerShape[] {
  const shapes: LayerShape[] = [];
  let width = inputs;
  for (const [index, spec] of specs.entries()) {
    const shape = layerShape(spec, width, `${prefix}layers.${index}`);
    shapes.push(shape);
    width = shape.outputs;
  }
  return shapes;
}

function layerShape(spec: LayerSpec, inputs: number, name: string): LayerShape {
  switch (spec.type) {
    case 'linear':
      return {
        name,
        type: spec.type,
        inputs,
        outputs: spec.units,
        weights: BigInt(inputs) * BigInt(spec.units),
        biases: spec.bias ? BigInt(spec.units) : 0n,
      };
    case 'residual': {
      const layers = layerShapes(spec.layers, inputs, `${name}.`);
      return {
        name,
        type: spec.type,
        inputs,
        outputs: inputs,
        weights: sum(layers, 'weights'),
        biases: sum(layers, 'biases'),
        layers,
      };
    }
    case 'batch-norm':
    case 'layer-norm': {
      // A scale, which counts as a weight, and a shift, which counts as a bias.
      const width = BigInt(inputs);
      return { name, type: spec.type, inputs, outputs: inputs, weights: width, biases: width };
    }
    default:
      return { name, type: spec.type, inputs, outputs: inputs, weights: 0n, biases: 0n };
  }
}

function sum(layers: readonly LayerShape[], key: 'weights' | 'biases'): bigint {
  return layers.reduce((total, layer) => total + layer[key], 0n);
}

/** The largest m·n·k among the products of a network with `batch` rows. */
export function largestProduct(spec: NetworkSpec, inputs: number, batch: number): number {
  return linearWeights(networkShape(spec, inputs).layers).reduce(
    (largest, count) => Math.max(largest, batch * Number(count)),
    0,
  );
}

/** Weights of each linear layer, those inside residuals too: as many multiply-adds does a row take there. */
function linearWeights(layers: readonly LayerShape[]): bigint[] {
  return layers.flatMap(({ type, weights, layers = [] }) =>
    type === 'linear' ? [weights] : linearWeights(layers),
  );
}
