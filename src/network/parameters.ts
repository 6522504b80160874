/**
 * All parameters in one block, their gradients in another of the same layout: weights first, then
 * biases, scales and shifts, then slopes, embeddings and adapters. So L2 (weights alone) and an optimiser's
 * step are one call each. A third block holds the statistics, which nothing trains.
 */
import type { Allocator } from '../kernels/arena.js';
import { slice } from '../kernels/arena.js';
import type { Tensor } from '../kernels/kernels.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { type LayerNode, leafLayers, networksOf, walkNetwork } from '../spec/widths.js';
import { isFitted } from './initialize.js';
import type { Parameter, ParameterShape, Statistic, StatisticShape } from './layer.js';
import { ownParameters, ownStatistics } from './layerTypes.js';

export interface ParameterLayout {
  /** In the order of the layers. `start` is a parameter's first element in the block. */
  readonly shapes: readonly (ParameterShape & { readonly start: number })[];
  /** Elements that are weights: the first of the block. */
  readonly weights: number;
  readonly total: number;
}

/** The kinds in the order of the block. Those of a region stand in the order of the layers. */
const REGIONS: readonly (readonly ParameterShape['kind'][])[] = [
  ['weight'],
  ['bias', 'scale'],
  ['slope'],
  ['embedding'],
  ['adapter'],
];

/** The prefix of a member's parameters: `members.2.`; nothing for a network that is no ensemble. */
export function memberPrefix(spec: NetworkSpec, member: number): string {
  return networksOf(spec) === 1 ? '' : `members.${member}.`;
}

/** The layers of all members with the full prefix of their parameters: `members.0.layers.2`. */
function namedLayers(spec: NetworkSpec, inputs: number): { layer: LayerNode; name: string }[] {
  const layers = [...leafLayers(walkNetwork(spec, inputs))];
  return Array.from({ length: networksOf(spec) }, (_, member) =>
    layers.map((layer) => ({ layer, name: `${memberPrefix(spec, member)}${layer.name}` })),
  ).flat();
}

/** Lays out the parameters of a network; the caller has checked that they fit in memory. */
export function parameterLayout(spec: NetworkSpec, inputs: number): ParameterLayout {
  const found = namedLayers(spec, inputs).flatMap(({ layer, name }) =>
    ownParameters(layer).map((shape) => ({ ...shape, name: `${name}.${shape.name}` })),
  );
  const starts = new Map<ParameterShape, number>();
  let weights = 0;
  let total = 0;
  for (const kinds of REGIONS) {
    for (const shape of found.filter(({ kind }) => kinds.includes(kind))) {
      starts.set(shape, total);
      total += shape.rows * shape.columns;
      if (shape.kind === 'weight') weights = total;
    }
  }
  const shapes = found.map((shape) => ({ ...shape, start: starts.get(shape) as number }));
  return { shapes, weights, total };
}

/** Whether anything starts from what its layer makes of rows of data. */
export function startsFromRows(spec: NetworkSpec, inputs: number): boolean {
  return (
    parameterLayout(spec, inputs).shapes.some(isFitted) ||
    statisticsLayout(spec, inputs).shapes.some(({ fitted }) => fitted)
  );
}

/** The blocks of values and gradients of a network in an arena, as a whole and by name. */
export class Parameters {
  /** [1, total] */
  readonly values: Tensor;
  /** [1, total] */
  readonly gradients: Tensor;
  /** [1, total + behind] The gradients, and what is summed over slices of a batch with them. */
  readonly gradientBlock: Tensor;
  readonly list: readonly Parameter[];
  readonly #byName: ReadonlyMap<string, Parameter>;

  constructor(
    readonly layout: ParameterLayout,
    arena: Allocator,
    behind = 0,
  ) {
    this.values = arena.tensor(1, layout.total);
    this.gradientBlock = arena.tensor(1, layout.total + behind);
    this.gradients = slice(this.gradientBlock, 0, 1, layout.total);
    this.list = layout.shapes.map(({ start, ...shape }) => ({
      ...shape,
      value: slice(this.values, start, shape.rows, shape.columns),
      gradient: slice(this.gradients, start, shape.rows, shape.columns),
    }));
    this.#byName = new Map(this.list.map((parameter) => [parameter.name, parameter]));
  }

  get(name: string): Parameter | undefined {
    return this.#byName.get(name);
  }
}

export interface StatisticsLayout {
  /** In the order of the layers. `start` is a statistic's first element in the block. */
  readonly shapes: readonly (StatisticShape & { readonly start: number })[];
  readonly total: number;
}

/** Lays out the statistics of a network: running means and variances, and edges of bins. */
export function statisticsLayout(spec: NetworkSpec, inputs: number): StatisticsLayout {
  let total = 0;
  const shapes = namedLayers(spec, inputs).flatMap(({ layer, name }) =>
    ownStatistics(layer).map((shape) => {
      const start = total;
      total += shape.columns;
      return { ...shape, name: `${name}.${shape.name}`, start };
    }),
  );
  return { shapes, total };
}

/** The statistics of a network in an arena, as a whole and by name. */
export class Statistics {
  /** [1, total]; total is 0 for a network without batch normalisations and bins. */
  readonly values: Tensor;
  readonly list: readonly Statistic[];
  readonly #byName: ReadonlyMap<string, Statistic>;

  constructor(layout: StatisticsLayout, arena: Allocator) {
    this.values = arena.tensor(1, layout.total);
    this.list = layout.shapes.map(({ start, ...shape }) => ({
      ...shape,
      value: slice(this.values, start, 1, shape.columns),
    }));
    this.#byName = new Map(this.list.map((statistic) => [statistic.name, statistic]));
  }

  get(name: string): Statistic | undefined {
    return this.#byName.get(name);
  }
}
