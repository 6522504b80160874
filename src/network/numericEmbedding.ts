/** Layers that replace numbers by learnt values of each; the other inputs follow behind. */
import type { Kernels, NumberEmbedding, PeriodicEmbedding, Tensor } from '../kernels/kernels.js';
import type { NumericEmbeddingSpec, PbldSpec, PeriodicSpec } from '../spec/layerSpec.js';
import { BinnedEmbedding, binnedParameters, binnedStatistics } from './binEmbedding.js';
import { allOf, intsOf, withoutThese } from './embedding.js';
import type { Layer, LayerContext, LayerType, ParameterShape } from './layer.js';

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

  constructor({ size, columns }: PbldSpec, context: LayerContext) {
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

/** As PBLD's, for `count` numbers. */
function pbldParameters({ size, frequencies, std }: PbldSpec, count: number): ParameterShape[] {
  const bound = 1 / Math.sqrt(frequencies);
  const linear = { type: 'uniform', low: -bound, high: bound } as const;
  const angle = { type: 'uniform', low: -Math.PI, high: Math.PI } as const;
  return [
    shapeOf('frequency', count, frequencies, { type: 'normal', mean: 0, std }),
    shapeOf('phase', count, frequencies, angle),
    shapeOf('weight', count * (size - 1), frequencies, linear),
    shapeOf('bias', count, size - 1, linear),
  ];
}

/**
 * PLR, of each number x by itself: relu(W·[cos(2π·f·x), sin(2π·f·x)] + b), f [k], W [size, 2k]; PL
 * without the relu (Gorishniy, Rubachev and Babenko 2022, section 3.3).
 */
class PlrEmbedding implements Layer {
  readonly kinkedOutputs: readonly Tensor[];
  readonly #kernels: Kernels;
  readonly #values: PeriodicEmbedding;
  readonly #gradients: Pick<PeriodicEmbedding, 'frequency' | 'weight' | 'bias'>;
  readonly #y: Tensor; // [B, outputs]
  readonly #dX: Tensor | null; // [B, inputs]
  #x!: Tensor; // [B, inputs]

  constructor({ size, columns, activation }: PeriodicSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient, parameter } = context;
    this.#kernels = kernels;
    const numbers = columns ?? allOf(inputs);
    const others = withoutThese(numbers, inputs);
    const [frequency, weight, bias] = ['frequency', 'weight', 'bias'].map(parameter);
    this.#values = {
      numbers: intsOf(arena, numbers),
      others: intsOf(arena, others),
      frequency: frequency.value,
      weight: weight.value,
      bias: bias.value,
      rectified: activation === 'relu',
    };
    this.#gradients = { frequency: frequency.gradient, weight: weight.gradient, bias: bias.gradient };
    this.#y = arena.tensor(capacity, numbers.length * size + others.length);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
    this.kinkedOutputs = activation === 'relu' ? [this.#y] : [];
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#kernels.embedPeriodic(rows, this.#values, x, this.#y);
    return this.#y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // With φ = 2π·f·x, [c, s] = [cos φ, sin φ] [2k] and the row's d [size], 0 where relu cuts off:
    // dW = Σ d·[c, s]ᵀ, db = Σ d, [dc, ds] = Wᵀ·d, dφ = c ⊙ ds − s ⊙ dc    sums over the rows
    // df = Σ 2π·x·dφ, dx = 2π·f·dφ
    const dX = needsInputGradient ? this.#dX : null;
    const { rectified, bias } = this.#values;
    if (rectified) this.#kernels.rectifyBackward(rows, bias.rows * bias.columns, this.#y, dY);
    this.#kernels.embedPeriodicBackward(rows, this.#values, this.#x, dY, this.#gradients, dX);
    return dX ?? dY;
  }
}

function plrParameters({ size, frequencies, std }: PeriodicSpec, count: number): ParameterShape[] {
  const bound = 1 / Math.sqrt(2 * frequencies);
  const linear = { type: 'uniform', low: -bound, high: bound } as const;
  return [
    shapeOf('frequency', count, frequencies, { type: 'truncated-normal', std, bound: 3 * std }),
    shapeOf('weight', count * size, 2 * frequencies, linear),
    shapeOf('bias', count, size, linear),
  ];
}

function shapeOf(name: string, rows: number, columns: number, init: ParameterShape['init']): ParameterShape {
  return { name, kind: 'embedding', rows, columns, init };
}

export const numericEmbedding: LayerType<NumericEmbeddingSpec> = {
  parameters(spec, inputs) {
    const count = spec.columns?.length ?? inputs;
    if (spec.kind === 'pbld') return pbldParameters(spec, count);
    return spec.kind === 'periodic' ? plrParameters(spec, count) : binnedParameters(spec, count);
  },
  statistics(spec, inputs) {
    return spec.kind === 'piecewise-linear' ? binnedStatistics(spec, spec.columns?.length ?? inputs) : [];
  },
  build(spec, context) {
    if (spec.kind === 'pbld') return new PbldEmbedding(spec, context);
    return spec.kind === 'periodic' ? new PlrEmbedding(spec, context) : new BinnedEmbedding(spec, context);
  },
};
