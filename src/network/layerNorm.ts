/**
 * Layer normalisation (Ba, Kiros and Hinton 2016): each row to mean 0 and variance 1 over its
 * columns, then each column times a learnt scale γ, plus a learnt shift β.
 */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { LayerNormSpec } from '../spec/layerSpec.js';
import { type Layer, type LayerContext, type LayerType, type Parameter, scaleAndShift } from './layer.js';

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
