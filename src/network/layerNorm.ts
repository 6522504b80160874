/**
 * Layer normalisation (Ba, Kiros and Hinton 2016): each row to mean 0 and variance 1 over its columns, then each column
 * times a learnt scale γ, plus a learnt shift β. A row never depends on another, in training or in evaluation.
 */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameters.js';

export class LayerNorm implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** [B, width] What `forward` returns. The backward pass does not need it: what comes next may overwrite it. */
  readonly output: Tensor;
  readonly #moments: Tensor; // [B, 3] of each row the mean μ in two parts and 1/√(σ² + ε)
  #x!: Tensor; // [B, width]

  constructor(
    private readonly kernels: Kernels,
    private readonly scale: Parameter, // γ [1, width]
    private readonly shift: Parameter, // β [1, width]
    private readonly epsilon: number,
    capacity: number,
    arena: Allocator,
  ) {
    this.output = arena.tensor(capacity, scale.columns);
    this.#moments = arena.tensor(capacity, 3);
  }

  forward(rows: number, x: Tensor): Tensor {
    const { kernels, epsilon, scale, shift, output } = this;
    this.#x = x;
    // x̂ = (x − μ)/√(σ² + ε), y = γ·x̂ + β, with μ and σ² [B, 1] of the rows of x [B, width]
    kernels.layerNorm(rows, epsilon, x, scale.value, shift.value, this.#moments, output);
    return output;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const { kernels, scale, shift } = this;
    // dβ = Σ dY, dγ = Σ dY·x̂                     [1, width], sums over the rows
    kernels.layerNormParameters(rows, this.#x, this.#moments, dY, scale.gradient, shift.gradient);
    // dX = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε)  [B, width], g = dY·γ, means over a row; in the place of dY
    if (needsInputGradient) kernels.layerNormBackward(rows, this.#x, this.#moments, scale.value, dY, dY);
    return dY;
  }
}
