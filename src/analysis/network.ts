/** A network for a drawing: its layers with their shapes, and weights where there are few, or an image. */
import { matrixColumns } from '../data/encoding/encoding.js';
import type { Model } from '../model/load.js';
import { type LayerShape, networkShape } from '../network/shape.js';
import type { LayerResults, NetworkResults } from '../report/html/results.js';
import { imageOf } from './image.js';

/** A layer of more units is drawn as a block. */
const MOST_UNITS = 24;
const MOST_WEIGHTS = 700;
/** Units of the first layer whose weights are shown. */
const MOST_PICTURES = 48;

export function networkResults(model: Model): NetworkResults {
  const { network, tensors, features, classes, targets } = model;
  const shape = networkShape(network, network.input);
  const [first] = network.layers;
  const hasLevels = first?.type === 'linear' && first.columns !== undefined;
  const isSmall =
    !hasLevels && fitsDrawing(shape.layers, network.input) && shape.members === 1 && shape.views === 1;
  const rowsOf = (layer: LayerShape, depth: number): LayerResults[] => {
    const weights = isSmall ? tensors.get(`${layer.name}.weight`) : undefined;
    const { name, type, inputs, outputs } = layer;
    const parameters = layer.weights + layer.biases;
    return [
      { name, type, inputs, outputs, parameters, depth, ...(weights && { weights }) },
      ...(layer.layers ?? []).flatMap((inner) => rowsOf(inner, depth + 1)),
    ];
  };
  const firstWeights = firstWeightsOf(model, shape.layers);
  const outputNames =
    classes && shape.outputs === classes.length ? classes : classes ? [classes[1]] : targets;
  return {
    inputs: network.input,
    layers: shape.layers.flatMap((layer) => rowsOf(layer, 0)),
    parameters: shape.weights + shape.biases,
    weights: shape.weights,
    biases: shape.biases,
    members: Math.max(shape.members, shape.views),
    ...(isSmall && { small: { inputNames: matrixColumns(features), outputNames } }),
    ...(firstWeights && { firstWeights }),
  };
}

function fitsDrawing(layers: readonly LayerShape[], inputs: number): boolean {
  const linear = layers.filter(({ type }) => type === 'linear');
  const others = layers.every(
    ({ type, inputs, outputs, layers: inner }) => !inner && (type === 'linear' || inputs === outputs),
  );
  const weights = linear.reduce((sum, layer) => sum + layer.inputs * layer.outputs, 0);
  const widest = linear.reduce((most, { outputs }) => Math.max(most, outputs), inputs);
  return others && linear.length > 0 && widest <= MOST_UNITS && weights <= MOST_WEIGHTS;
}

function firstWeightsOf(
  { network, tensors, features }: Model,
  layers: readonly LayerShape[],
): NetworkResults['firstWeights'] {
  const image = imageOf(features);
  // A layer before it, such as dropout, changes no place; one that mixes inputs would.
  const first = layers.find(({ type }) => type !== 'dropout');
  if (!image || first?.type !== 'linear' || networkShape(network, network.input).members > 1)
    return undefined;
  const weights = tensors.get(`${first.name}.weight`);
  if (!weights || weights.length !== first.inputs * first.outputs) return undefined;
  const columnOf = (unit: number) =>
    Float64Array.from({ length: first.inputs }, (_, i) => weights[i * first.outputs + unit]);
  const all = Array.from({ length: first.outputs }, (_, number) => ({ number, weights: columnOf(number) }));
  const squares = all.map((unit) => unit.weights.reduce((sum, weight) => sum + weight * weight, 0));
  const largest = all.sort((a, b) => squares[b.number] - squares[a.number]).slice(0, MOST_PICTURES);
  const units = largest.map((unit) => ({ number: unit.number, weights: image.spread(unit.weights) }));
  return { width: image.width, units, of: first.outputs };
}
