/** Layers that replace numbers by learnt values of each; the other inputs follow behind. */
import { slice } from '../kernels/arena.js';
import type { Activation, Kernels, NumberEmbedding, Tensor, WaveEmbedding } from '../kernels/kernels.js';
import type { NumericEmbeddingSpec, PbldSpec, PeriodicSpec } from '../spec/layerSpec.js';
import { BinnedEmbedding, binnedParameters, binnedStatistics } from './binEmbedding.js';
import { allOf, intsOf, withoutThese } from './embedding.js';
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

/** The linear layer of a number. */
interface NumberLinear {
  readonly waves: Tensor; // [B, 2k]
  readonly dWaves: Tensor; // [B, 2k]
  readonly values: Tensor; // [B, size]
  readonly dValues: Tensor; // [B, size]
  readonly weight: Pick<Parameter, 'value' | 'gradient'>; // W [size, 2k]
  readonly bias: Pick<Parameter, 'value' | 'gradient'>; // b [1, size]
}

/**
 * PLR, of each number x by itself: relu(W·[cos(2π·f·x), sin(2π·f·x)] + b), f [k], W [size, 2k]; PL
 * without the relu (Gorishniy, Rubachev and Babenko 2022, section 3.3).
 */
class PlrEmbedding implements Layer {
  readonly kinkedOutputs: readonly Tensor[];
  /** y [B, outputs] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #embedding: WaveEmbedding;
  readonly #dFrequency: Tensor; // [m, k]
  readonly #activation: Activation;
  readonly #waves: Tensor; // [m·B, 2k]
  readonly #dWaves: Tensor; // [m·B, 2k]
  readonly #values: Tensor; // [m·B, size]
  readonly #dValues: Tensor; // [m·B, size]
  readonly #linears: readonly NumberLinear[];
  readonly #dX: Tensor | null; // [B, inputs]
  #x!: Tensor; // [B, inputs]

  constructor({ size, columns, frequencies, activation }: PeriodicSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient, parameter } = context;
    this.#kernels = kernels;
    const numbers = columns ?? allOf(inputs);
    const others = withoutThese(numbers, inputs);
    const [frequency, weight, bias] = ['frequency', 'weight', 'bias'].map(parameter);
    this.#embedding = {
      numbers: intsOf(arena, numbers),
      others: intsOf(arena, others),
      frequency: frequency.value,
    };
    this.#dFrequency = frequency.gradient;
    this.#activation = { type: activation === 'relu' ? 'relu' : 'identity', parameter: 0 };
    const count = numbers.length;
    this.#waves = arena.tensor(count * capacity, 2 * frequencies);
    this.#dWaves = arena.tensor(count * capacity, 2 * frequencies);
    this.#values = arena.tensor(count * capacity, size);
    this.#dValues = arena.tensor(count * capacity, size);
    const rowsOf = (tensor: Tensor, j: number, rows: number) =>
      slice(tensor, j * rows * tensor.columns, rows, tensor.columns);
    const ownOf = ({ value, gradient }: Parameter, j: number, rows: number) => ({
      value: rowsOf(value, j, rows),
      gradient: rowsOf(gradient, j, rows),
    });
    this.#linears = numbers.map((_, j) => ({
      waves: rowsOf(this.#waves, j, capacity),
      dWaves: rowsOf(this.#dWaves, j, capacity),
      values: rowsOf(this.#values, j, capacity),
      dValues: rowsOf(this.#dValues, j, capacity),
      weight: ownOf(weight, j, size),
      bias: ownOf(bias, j, 1),
    }));
    this.reusableOutput = arena.tensor(capacity, count * size + others.length);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
    this.kinkedOutputs = activation === 'relu' ? this.#linears.map(({ values }) => values) : [];
  }

  forward(rows: number, x: Tensor): Tensor {
    const kernels = this.#kernels;
    this.#x = x;
    kernels.embedWaves(rows, this.#embedding, x, this.#waves);
    for (const { waves, values, weight, bias } of this.#linears) {
      // h = [cos(2π·f·x), sin(2π·f·x)]·Wᵀ          [B, size] = [B, 2k]·[size, 2k]ᵀ
      kernels.gemm('NT', rows, values.columns, waves.columns, waves, weight.value, 0, values);
      kernels.biasActivation(this.#activation, rows, values, bias.value, values);
    }
    kernels.joinNumbers(rows, this.#embedding, this.#values, x, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const kernels = this.#kernels;
    const f = this.#activation;
    kernels.splitNumbers(rows, this.#embedding, dY, this.#dValues);
    for (const { waves, dWaves, values, dValues, weight, bias } of this.#linears) {
      kernels.biasActivationBackward(f, rows, values, values, dValues, dValues, bias.gradient);
      // dW = dHᵀ·[c, s]                             [size, 2k] = [B, size]ᵀ·[B, 2k]
      kernels.gemm('TN', values.columns, waves.columns, rows, dValues, waves, 0, weight.gradient);
      // [dc, ds] = dH·W                             [B, 2k] = [B, size]·[size, 2k]
      kernels.gemm('NN', rows, waves.columns, values.columns, dValues, weight.value, 0, dWaves);
    }
    // dφ = c ⊙ ds − s ⊙ dc, df = Σ 2π·x·dφ, dx = 2π·f·dφ    a sum over the rows
    const dX = needsInputGradient ? this.#dX : null;
    const [waves, dWaves] = [this.#waves, this.#dWaves];
    kernels.embedWavesBackward(rows, this.#embedding, this.#x, waves, dWaves, dY, this.#dFrequency, dX);
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
