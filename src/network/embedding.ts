/** The layer that replaces numbers of levels by learnt vectors; the other inputs follow behind. */
import type { Allocator } from '../kernels/arena.js';
import type { IntVector, Kernels, LevelEmbedding, Tensor } from '../kernels/kernels.js';
import type { EmbeddingSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Parameter } from './layer.js';

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

export function allOf(inputs: number): number[] {
  return Array.from({ length: inputs }, (_, column) => column);
}

/** The inputs beside these; there may be many thousands of both. */
export function withoutThese(columns: readonly number[], inputs: number): number[] {
  const chosen = new Set(columns);
  return allOf(inputs).filter((column) => !chosen.has(column));
}

/** The numbers in the arena, where every thread writes the same. */
export function intsOf(arena: Allocator, numbers: readonly number[]): IntVector {
  const { address, data } = arena.ints(numbers.length);
  if (data.length > 0) data.set(numbers);
  return { address, data };
}
