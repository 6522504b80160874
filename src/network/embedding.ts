/** Layers that replace some of their inputs by learnt vectors; the other inputs follow behind. */
import type { Allocator } from '../kernels/arena.js';
import type { IntVector, Kernels, LevelEmbedding, NumberEmbedding, Tensor } from '../kernels/kernels.js';
import type { EmbeddingSpec, NumericEmbeddingSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Parameter, ParameterShape } from './layer.js';

/**
 * PBLD, "periodic bias linear DenseNet", of each number x by itself:
 * [x, W·cos(2π·f·x + p) + b], f and p [k], W [size − 1, k] (Holzmüller, Grinsztajn and Steinwart
 * 2024, section 3 and appendix A, after Gorishniy, Rubachev and Babenko 2022).
 */
class PbldEmbedding implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** y [B, outputs] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #values: NumberEmbedding;
  readonly #gradients: Pick<NumberEmbedding, 'frequency' | 'phase' | 'weight' | 'bias'>;
  readonly #dX: Tensor | null; // [B, inputs]
  #x!: Tensor; // [B, inputs]

  constructor({ size, columns }: NumericEmbeddingSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient, parameter } = context;
    this.#kernels = kernels;
    const numbers = columns ?? allOf(inputs);
    const others = withoutThese(numbers, inputs);
    const [frequency, phase, weight, bias] = ['frequency', 'phase', 'weight', 'bias'].map(parameter);
    this.#values = {
      numbers: intsOf(arena, numbers),
      others: intsOf(arena, others),
      frequency: frequency.value,
      phase: phase.value,
      weight: weight.value,
      bias: bias.value,
    };
    this.#gradients = {
      frequency: frequency.gradient,
      phase: phase.gradient,
      weight: weight.gradient,
      bias: bias.gradient,
    };
    this.reusableOutput = arena.tensor(capacity, numbers.length * size + others.length);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#kernels.embedNumbers(rows, this.#values, x, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // With φ = 2π·f·x + p, c = cos φ [k] and the row's dY = [d₀, d], d [size − 1]:
    // dW = Σ d·cᵀ, db = Σ d, dφ = −sin φ ⊙ Wᵀ·d; dp = Σ dφ, df = Σ 2π·x·dφ    sums over the rows
    // dx = d₀ + 2π·f·dφ
    const dX = needsInputGradient ? this.#dX : null;
    this.#kernels.embedNumbersBackward(rows, this.#values, this.#x, dY, this.#gradients, dX);
    return dX ?? dY;
  }
}

export const numericEmbedding: LayerType<NumericEmbeddingSpec> = {
  parameters({ size, frequencies, std, columns }, inputs): ParameterShape[] {
    const count = columns?.length ?? inputs;
    const bound = 1 / Math.sqrt(frequencies);
    const linear = { type: 'uniform', low: -bound, high: bound } as const;
    const angle = { type: 'uniform', low: -Math.PI, high: Math.PI } as const;
    const of = (name: string, rows: number, columns: number, init: ParameterShape['init']) =>
      ({ name, kind: 'embedding', rows, columns, init }) as const;
    return [
      of('frequency', count, frequencies, { type: 'normal', mean: 0, std }),
      of('phase', count, frequencies, angle),
      of('weight', count * (size - 1), frequencies, linear),
      of('bias', count, size - 1, linear),
    ];
  },
  build: (spec, context) => new PbldEmbedding(spec, context),
};

/** y = the row E[level] of each category, E [levels, size]; zeros for a number that is no level. */
class LevelVectors implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** y [B, outputs] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #weight: Parameter; // E [levels of all columns, size]
  readonly #columns: LevelEmbedding;
  readonly #dX: Tensor | null; // [B, inputs]
  #x!: Tensor; // [B, inputs]

  constructor({ size, columns = [], levels = [] }: EmbeddingSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient } = context;
    this.#kernels = kernels;
    this.#weight = context.parameter('weight');
    const others = withoutThese(columns, inputs);
    let end = 0;
    this.#columns = {
      columns: intsOf(arena, columns),
      ends: intsOf(arena, [0, ...levels.map((count) => (end += count))]),
      others: intsOf(arena, others),
    };
    this.reusableOutput = arena.tensor(capacity, columns.length * size + others.length);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#kernels.embedLevels(rows, this.#columns, x, this.#weight.value, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dE[level] = Σ dY over the rows with that level; numbers of levels have no gradient
    const dX = needsInputGradient ? this.#dX : null;
    this.#kernels.embedLevelsBackward(rows, this.#columns, this.#x, dY, this.#weight.gradient, dX);
    return dX ?? dY;
  }
}

export const embedding: LayerType<EmbeddingSpec> = {
  parameters: ({ size, std, levels = [] }) => [
    {
      name: 'weight',
      kind: 'embedding',
      rows: levels.reduce((sum, count) => sum + count, 0),
      columns: size,
      init: { type: 'normal', mean: 0, std },
    },
  ],
  build: (spec, context) => new LevelVectors(spec, context),
};

function allOf(inputs: number): number[] {
  return Array.from({ length: inputs }, (_, column) => column);
}

/** The inputs beside these; there may be many thousands of both. */
function withoutThese(columns: readonly number[], inputs: number): number[] {
  const chosen = new Set(columns);
  return allOf(inputs).filter((column) => !chosen.has(column));
}

/** The numbers in the arena, where every thread writes the same. */
function intsOf(arena: Allocator, numbers: readonly number[]): IntVector {
  const { address, data } = arena.ints(numbers.length);
  if (data.length > 0) data.set(numbers);
  return { address, data };
}
