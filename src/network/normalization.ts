/** Normalisation by columns (batch-norm) and by rows (layer-norm), with a learnt scale and shift. */
import type { Kernels, RunningMoments, Tensor } from '../kernels/kernels.js';
import type { BatchNormSpec, LayerNormSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Parameter, ParameterShape, Pass } from './layer.js';

/**
 * Batch normalisation (Ioffe and Szegedy 2015): columns to mean 0 and variance 1 over the batch,
 * times a learnt scale γ, plus a shift β; evaluation uses the running moments. A batch of one row
 * has x̂ = 0, so y = β; having no variance, it leaves the running moments as they are.
 */
class BatchNorm implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** y [B, width] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #epsilon: number;
  readonly #scale: Parameter; // γ [1, width]
  readonly #shift: Parameter; // β [1, width]
  readonly #running: RunningMoments;
  /** Of the last batch in training: the mean μ in two parts, and 1/√(σ² + ε). */
  readonly #moments: Tensor; // [3, width]
  #x!: Tensor; // [B, width]

  constructor({ momentum, epsilon }: BatchNormSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs } = context;
    this.#kernels = kernels;
    this.#epsilon = epsilon;
    this.#scale = context.parameter('weight');
    this.#shift = context.parameter('bias');
    const { value: mean } = context.statistic('running_mean');
    const { value: variance } = context.statistic('running_var');
    this.#running = { momentum, mean, variance };
    this.reusableOutput = arena.tensor(capacity, inputs);
    this.#moments = arena.tensor(3, inputs);
  }

  forward(rows: number, x: Tensor, { training, learning }: Pass): Tensor {
    const { value: scale } = this.#scale;
    const { value: shift } = this.#shift;
    const y = this.reusableOutput;
    this.#x = x;
    if (training) {
      // x̂ = (x − μ)/√(σ² + ε), y = γ·x̂ + β, with μ and σ² [1, width] of the columns of x [B, width]
      const followed = learning && rows > 1 ? this.#running : null;
      this.#kernels.batchNorm(rows, this.#epsilon, x, scale, shift, this.#moments, followed, y);
    } else {
      // The same with the running μ and σ².
      this.#kernels.batchNormEvaluation(rows, this.#epsilon, x, scale, shift, this.#running, y);
    }
    return y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dβ = Σ dY, dγ = Σ dY·x̂                     [1, width], sums over the rows
    // dX = γ/√(σ² + ε)·(dY − dβ/B − x̂·dγ/B)      [B, width], in the place of dY
    const { value: scale, gradient: dScale } = this.#scale;
    const { gradient: dShift } = this.#shift;
    const dX = needsInputGradient ? dY : null;
    this.#kernels.batchNormBackward(rows, this.#x, this.#moments, scale, dY, dX, dScale, dShift);
    return dY;
  }
}

export const batchNorm: LayerType<BatchNormSpec> = {
  parameters: (_, inputs) => scaleAndShift(inputs),
  statistics: (_, inputs) => [
    { name: 'running_mean', columns: inputs, initial: 0 },
    { name: 'running_var', columns: inputs, initial: 1 },
  ],
  build: (spec, context) => new BatchNorm(spec, context),
};

/**
 * Layer normalisation (Ba, Kiros and Hinton 2016): each row to mean 0 and variance 1 over its
 * columns, then each column times a learnt scale γ, plus a learnt shift β.
 */
class LayerNorm implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** y [B, width] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #epsilon: number;
  readonly #scale: Parameter; // γ [1, width]
  readonly #shift: Parameter; // β [1, width]
  readonly #moments: Tensor; // [B, 3] of each row the mean μ in two parts and 1/√(σ² + ε)
  #x!: Tensor; // [B, width]

  constructor({ epsilon }: LayerNormSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs } = context;
    this.#kernels = kernels;
    this.#epsilon = epsilon;
    this.#scale = context.parameter('weight');
    this.#shift = context.parameter('bias');
    this.reusableOutput = arena.tensor(capacity, inputs);
    this.#moments = arena.tensor(capacity, 3);
  }

  forward(rows: number, x: Tensor): Tensor {
    const { value: scale } = this.#scale;
    const { value: shift } = this.#shift;
    this.#x = x;
    // x̂ = (x − μ)/√(σ² + ε), y = γ·x̂ + β, with μ and σ² [B, 1] of the rows of x [B, width]
    this.#kernels.layerNorm(rows, this.#epsilon, x, scale, shift, this.#moments, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const { value: scale, gradient: dScale } = this.#scale;
    const { gradient: dShift } = this.#shift;
    // dβ = Σ dY, dγ = Σ dY·x̂                     [1, width], sums over the rows
    this.#kernels.layerNormParameters(rows, this.#x, this.#moments, dY, dScale, dShift);
    // dX = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε)  [B, width], g = dY·γ, means over a row; in the place of dY
    if (needsInputGradient) this.#kernels.layerNormBackward(rows, this.#x, this.#moments, scale, dY, dY);
    return dY;
  }
}

export const layerNorm: LayerType<LayerNormSpec> = {
  parameters: (_, inputs) => scaleAndShift(inputs),
  build: (spec, context) => new LayerNorm(spec, context),
};

/** γ and β, which PyTorch calls weight and bias. */
function scaleAndShift(inputs: number): ParameterShape[] {
  return [
    { name: 'weight', kind: 'scale', rows: 1, columns: inputs, init: { type: 'ones' } },
    { name: 'bias', kind: 'bias', rows: 1, columns: inputs, init: { type: 'zeros' } },
  ];
}
