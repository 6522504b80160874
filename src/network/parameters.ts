/**
 * All parameters of a network in one contiguous block, and their gradients in another of the same layout:
 * the weights of all linear layers first, then biases, scales and shifts, so that L2 (weights alone) and an optimiser's
 * step are one kernel call each. Beside them, in a block of their own, what layers keep that is not trained.
 */
import type { Allocator } from '../kernels/arena.js';
import { slice } from '../kernels/arena.js';
import type { Tensor } from '../kernels/kernels.js';
import type { InitSpec, LayerSpec } from '../spec/network.js';

/** How a parameter starts: as the spec says, or, the scale of a normalisation, at 1. */
export type ParameterInit = InitSpec | { readonly type: 'ones' };

/** A parameter tensor of a layer: its place in the block, without any memory. */
export interface ParameterShape {
  /** `layers.0.weight`, `layers.0.bias`, …; the scale and the shift of a normalisation are called so too, as in PyTorch. */
  readonly name: string;
  /** A shift counts as a bias. */
  readonly kind: 'weight' | 'bias' | 'scale';
  /** weight: [inputs, units]; bias and scale: [1, units] */
  readonly rows: number;
  readonly columns: number;
  /** First element in the block. */
  readonly start: number;
  /** A bias starts at 0. */
  readonly init: ParameterInit;
}

export interface ParameterLayout {
  /** In the order of the layers: weight before bias. */
  readonly shapes: readonly ParameterShape[];
  /** Elements that are weights of linear layers: the first of the block. */
  readonly weights: number;
  /** Elements in all. */
  readonly total: number;
}

/** Lays out the parameters of the layers; the counts must have been checked to fit in memory. */
export function parameterLayout(layers: readonly LayerSpec[], inputs: number): ParameterLayout {
  const found = [...layersWithWidths(layers, inputs, '')];
  const weights = found.reduce((sum, { inputs, spec }) => {
    return spec.type === 'linear' ? sum + inputs * spec.units : sum;
  }, 0);
  const shapes: ParameterShape[] = [];
  let nextWeight = 0;
  let nextVector = weights;
  const addVector = (name: string, kind: 'bias' | 'scale', columns: number, init: ParameterInit) => {
    shapes.push({ name, kind, rows: 1, columns, start: nextVector, init });
    nextVector += columns;
  };
  for (const { name, inputs, spec } of found) {
    if (spec.type === 'linear') {
      const { units, init } = spec;
      const start = nextWeight;
      shapes.push({ name: `${name}.weight`, kind: 'weight', rows: inputs, columns: units, start, init });
      nextWeight += inputs * units;
      if (spec.bias) addVector(`${name}.bias`, 'bias', units, { type: 'zeros' });
    } else if (spec.type === 'batch-norm' || spec.type === 'layer-norm') {
      addVector(`${name}.weight`, 'scale', inputs, { type: 'ones' });
      addVector(`${name}.bias`, 'bias', inputs, { type: 'zeros' });
    }
  }
  return { shapes, weights, total: nextVector };
}

/** Every layer, those inside residuals in place of these, with its name and the width of its input. */
function* layersWithWidths(
  layers: readonly LayerSpec[],
  inputs: number,
  prefix: string,
): Generator<{ name: string; inputs: number; spec: LayerSpec }> {
  let width = inputs;
  for (const [index, spec] of layers.entries()) {
    const name = `${prefix}layers.${index}`;
    if (spec.type === 'residual') yield* layersWithWidths(spec.layers, width, `${name}.`);
    else yield { name, inputs: width, spec };
    if (spec.type === 'linear') width = spec.units;
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

/** A number for each column that a layer keeps but nothing trains: its place in the block, without any memory. */
export interface StatisticShape {
  /** `layers.1.running_mean`, `layers.1.running_var`: what PyTorch calls them. */
  readonly name: string;
  readonly columns: number;
  /** First element in the block. */
  readonly start: number;
  /** What every element starts at. */
  readonly initial: 0 | 1;
}

export interface StatisticsLayout {
  /** In the order of the layers: mean before variance. */
  readonly shapes: readonly StatisticShape[];
  readonly total: number;
}

/** Lays out the running means and variances of the layers' batch normalisations. */
export function statisticsLayout(layers: readonly LayerSpec[], inputs: number): StatisticsLayout {
  const shapes: StatisticShape[] = [];
  let total = 0;
  const add = (name: string, columns: number, initial: 0 | 1) => {
    shapes.push({ name, columns, start: total, initial });
    total += columns;
  };
  for (const { name, inputs: columns, spec } of layersWithWidths(layers, inputs, '')) {
    if (spec.type !== 'batch-norm') continue;
    add(`${name}.running_mean`, columns, 0);
    add(`${name}.running_var`, columns, 1);
  }
  return { shapes, total };
}

/** A running mean or variance with its memory. */
export interface Statistic extends StatisticShape {
  /** [1, columns] */
  readonly value: Tensor;
}

/** The running means and variances of a network in an arena, whole and by name. */
export class Statistics {
  /** [1, total]; total is 0 where the network has no batch normalisation. */
  readonly values: Tensor;
  readonly list: readonly Statistic[];
  readonly #byName: ReadonlyMap<string, Statistic>;

  constructor(layout: StatisticsLayout, arena: Allocator) {
    this.values = arena.tensor(1, layout.total);
    this.list = layout.shapes.map((shape) => ({
      ...shape,
      value: slice(this.values, shape.start, 1, shape.columns),
    }));
    this.#byName = new Map(this.list.map((statistic) => [statistic.name, statistic]));
  }

  /** The statistic of that name, or undefined. */
  get(name: string): Statistic | undefined {
    return this.#byName.get(name);
  }
}
