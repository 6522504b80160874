/**
 * Batch normalisation (Ioffe and Szegedy 2015): columns to mean 0 and variance 1 over the batch,
 * times a learnt scale γ, plus a shift β; evaluation uses the running moments. A batch of one row
 * has x̂ = 0, so y = β; having no variance, it leaves the running moments as they are.
 */
import type { Kernels, RunningMoments, Tensor } from '../kernels/kernels.js';
import type { BatchNormSpec } from '../spec/layerSpec.js';
import {
  type Layer,
  type LayerContext,
  type LayerType,
  type Parameter,
  type Pass,
  scaleAndShift,
} from './layer.js';

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
