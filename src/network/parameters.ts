/**
 * All parameters of a network in one contiguous block, and their gradients in another of the same layout:
 * the weights of all layers first, then the biases of all layers, so that L2 (weights alone) and an optimiser's step
 * are one kernel call each.
 */
import type { Allocator } from '../kernels/arena.js';
import { slice } from '../kernels/arena.js';
import type { Tensor } from '../kernels/kernels.js';
import type { InitSpec, LayerSpec } from '../spec/network.js';

/** A parameter tensor of a linear layer: its place in the block, without any memory. */
export interface ParameterShape {
  /** `layers.0.weight`, `layers.0.bias`, … */
  readonly name: string;
  readonly kind: 'weight' | 'bias';
  /** weight: [inputs, units]; bias: [1, units] */
  readonly rows: number;
  readonly columns: number;
  /** First element in the block. */
  readonly start: number;
  /** How it starts; a bias starts at 0. */
  readonly init: InitSpec;
}

export interface ParameterLayout {
  /** In the order of the layers: weight before bias. */
  readonly shapes: readonly ParameterShape[];
  /** Elements that are weights: the first of the block. */
  readonly weights: number;
  /** Elements in all. */
  readonly total: number;
}

/** Lays out the parameters of the layers; the counts must have been checked to fit in memory. */
export function parameterLayout(layers: readonly LayerSpec[], inputs: number): ParameterLayout {
  const found = [...linearLayers(layers, inputs, '')];
  const weights = found.reduce((sum, { inputs, spec }) => sum + inputs * spec.units, 0);
  const shapes: ParameterShape[] = [];
  let nextWeight = 0;
  let nextBias = weights;
  for (const { name, inputs, spec } of found) {
    const { units, init } = spec;
    shapes.push({
      name: `${name}.weight`,
      kind: 'weight',
      rows: inputs,
      columns: units,
      start: nextWeight,
      init,
    });
    nextWeight += inputs * units;
    if (!spec.bias) continue;
    const zeros: InitSpec = { type: 'zeros' };
    shapes.push({
      name: `${name}.bias`,
      kind: 'bias',
      rows: 1,
      columns: units,
      start: nextBias,
      init: zeros,
    });
    nextBias += units;
  }
  return { shapes, weights, total: nextBias };
}

function* linearLayers(
  layers: readonly LayerSpec[],
  inputs: number,
  prefix: string,
): Generator<{ name: string; inputs: number; spec: LayerSpec & { type: 'linear' } }> {
  let width = inputs;
  for (const [index, spec] of layers.entries()) {
    const name = `${prefix}layers.${index}`;
    if (spec.type === 'residual') yield* linearLayers(spec.layers, width, `${name}.`);
    if (spec.type !== 'linear') continue;
    yield { name, inputs: width, spec };
    width = spec.units;
  }
}

/** A parameter with its memory and its gradient's. */
export interface Parameter extends ParameterShape {
  readonly value: Tensor;
  readonly gradient: Tensor;
}

/** The two blocks of a network in an arena, whole and by name. */
export class Parameters {
  /** [1, total] */
  readonly values: Tensor;
  /** [1, total] */
  readonly gradients: Tensor;
  readonly list: readonly Parameter[];
  readonly #byName: ReadonlyMap<string, Parameter>;

  constructor(
    readonly layout: ParameterLayout,
    arena: Allocator,
  ) {
    this.values = arena.tensor(1, layout.total);
    this.gradients = arena.tensor(1, layout.total);
    this.list = layout.shapes.map((shape) => ({
      ...shape,
      value: slice(this.values, shape.start, shape.rows, shape.columns),
      gradient: slice(this.gradients, shape.start, shape.rows, shape.columns),
    }));
    this.#byName = new Map(this.list.map((parameter) => [parameter.name, parameter]));
  }

  /** The parameter of that name, or undefined. */
  get(name: string): Parameter | undefined {
    return this.#byName.get(name);
  }
}
