/**
 * The piecewise-linear embedding: of each number x by itself a·x + b + W·e(x), where e(x) encodes x
 * by n bins (Gorishniy, Rubachev and Babenko 2022, section 3.2; version B of their package, with the
 * linear part and W = 0 at the start). The edges of the bins are quantiles of the training rows.
 */
import type { BinEmbedding, Kernels, Tensor } from '../kernels/kernels.js';
import type { PiecewiseLinearSpec } from '../spec/layerSpec.js';
import { allOf, intsOf, withoutThese } from './embedding.js';
import type { Fitted, Layer, LayerContext, ParameterShape, Pass, StatisticShape } from './layer.js';

export class BinnedEmbedding implements Layer {
  /** [B, m] They change sign where x enters another bin: there y has a kink. */
  readonly kinkedOutputs: readonly Tensor[];
  /** y [B, outputs] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #values: BinEmbedding;
  readonly #gradients: Pick<BinEmbedding, 'slope' | 'bias' | 'weight'>;
  readonly #sums: Tensor; // [m·n, size]
  readonly #places: Tensor; // [B, m]
  readonly #fitted: Fitted;
  readonly #dX: Tensor | null; // [B, inputs]
  #x!: Tensor; // [B, inputs]

  constructor({ size, bins, columns }: PiecewiseLinearSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient, parameter } = context;
    this.#kernels = kernels;
    const numbers = columns ?? allOf(inputs);
    const others = withoutThese(numbers, inputs);
    const [slope, bias, weight] = ['slope', 'bias', 'weight'].map(parameter);
    const { value } = context.statistic('edges');
    const edges = { ...value, rows: numbers.length, columns: bins + 1 };
    this.#values = {
      numbers: intsOf(arena, numbers),
      others: intsOf(arena, others),
      edges,
      slope: slope.value,
      bias: bias.value,
      weight: weight.value,
    };
    this.#gradients = { slope: slope.gradient, bias: bias.gradient, weight: weight.gradient };
    this.#fitted = { columns: inputs, fit: (x) => fitEdges(edges, x, numbers, inputs) };
    this.#sums = arena.tensor(numbers.length * bins, size);
    this.#places = arena.tensor(capacity, numbers.length);
    this.kinkedOutputs = [this.#places];
    this.reusableOutput = arena.tensor(capacity, numbers.length * size + others.length);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
  }

  forward(rows: number, x: Tensor, { observe }: Pass): Tensor {
    this.#x = x;
    observe?.(this.#fitted, rows, x);
    this.#kernels.sumBins(this.#values, this.#sums);
    this.#kernels.embedBins(rows, this.#values, x, this.#sums, this.#places, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // With the row's d [size], e(x) [n], and the width h of the bin t of x:
    // da = Σ d·x, db = Σ d, dW = Σ d·e(x)ᵀ       sums over the rows
    // dx = a·d + W_t·d/h
    const dX = needsInputGradient ? this.#dX : null;
    const [values, places, sums] = [this.#values, this.#places, this.#sums];
    this.#kernels.embedBinsBackward(rows, values, this.#x, places, dY, sums, this.#gradients, dX);
    return dX ?? dY;
  }
}

export function binnedParameters({ size, bins }: PiecewiseLinearSpec, count: number): ParameterShape[] {
  const bound = 1 / Math.sqrt(size);
  const linear = { type: 'uniform', low: -bound, high: bound } as const;
  return [
    { name: 'slope', kind: 'embedding', rows: count, columns: size, init: linear },
    { name: 'bias', kind: 'embedding', rows: count, columns: size, init: linear },
    { name: 'weight', kind: 'embedding', rows: count * bins, columns: size, init: { type: 'zeros' } },
  ];
}

export function binnedStatistics({ bins }: PiecewiseLinearSpec, count: number): StatisticShape[] {
  return [{ name: 'edges', columns: count * (bins + 1), initial: 0, fitted: true }];
}

/**
 * Sets the edges [numbers, n + 1] by the rows x [rows, inputs]: all different values of a number if
 * they are at most n + 1, else its quantiles 0, 1/n, …, 1, each once. What is left repeats the last.
 */
function fitEdges(edges: Tensor, x: Float64Array, numbers: readonly number[], inputs: number): void {
  const own = new Float64Array(x.length / inputs);
  for (const [j, column] of numbers.entries()) {
    for (let i = 0; i < own.length; i++) own[i] = x[i * inputs + column];
    own.sort();
    let end = j * edges.columns;
    const start = end;
    for (const edge of edgesOf(own, edges.columns - 1)) {
      // Edges may become equal only when they are rounded to the tensor's precision.
      edges.data[end] = edge;
      if (end === start || edges.data[end] > edges.data[end - 1]) end++;
    }
    edges.data.fill(edges.data[end - 1], end, start + edges.columns);
  }
}

/** Of sorted numbers, at least one: the edges of at most `bins` bins, not yet all different. */
function edgesOf(sorted: Float64Array, bins: number): number[] {
  const values = [sorted[0]];
  for (let i = 1; i < sorted.length && values.length <= bins + 1; i++) {
    if (sorted[i] > sorted[i - 1]) values.push(sorted[i]);
  }
  if (values.length <= bins + 1) return values;
  return Array.from({ length: bins + 1 }, (_, t) => {
    const at = (t / bins) * (sorted.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  });
}
