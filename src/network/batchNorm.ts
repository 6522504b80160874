/**
 * Batch normalisation (Ioffe and Szegedy 2015): each column to mean 0 and variance 1 over the rows of the batch, then
 * times a learnt scale γ, plus a learnt shift β. Evaluation takes the running mean and variance instead, so that a row's
 * output does not depend on the rows beside it.
 *
 * A batch of a single row, which may be left over at the end of an epoch, has x̂ = 0 and so y = β: finite, with a
 * gradient for β alone. It says nothing of a variance, and leaves the running mean and variance as they are.
 */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, RunningMoments, Tensor } from '../kernels/kernels.js';
import type { Layer, Pass } from './layer.js';
import type { Parameter } from './parameters.js';

export class BatchNorm implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** [B, width] What `forward` returns. The backward pass does not need it: what comes next may overwrite it. */
  readonly output: Tensor;
  readonly #moments: Tensor; // [3, width] the mean μ in two parts and 1/√(σ² + ε), of the last batch in training
  #x!: Tensor; // [B, width]

  constructor(
    private readonly kernels: Kernels,
    private readonly scale: Parameter, // γ [1, width]
    private readonly shift: Parameter, // β [1, width]
    private readonly running: RunningMoments,
    private readonly epsilon: number,
    capacity: number,
    arena: Allocator,
  ) {
    this.output = arena.tensor(capacity, scale.columns);
    this.#moments = arena.tensor(3, scale.columns);
  }

  forward(rows: number, x: Tensor, { training, learning }: Pass): Tensor {
    const { kernels, epsilon, scale, shift, running, output } = this;
    this.#x = x;
    if (training) {
      // x̂ = (x − μ)/√(σ² + ε), y = γ·x̂ + β, with μ and σ² [1, width] of the columns of x [B, width]
      const followed = learning && rows > 1 ? running : null;
      kernels.batchNorm(rows, epsilon, x, scale.value, shift.value, this.#moments, followed, output);
    } else {
      // The same with the running μ and σ².
      kernels.batchNormEvaluation(rows, epsilon, x, scale.value, shift.value, running, output);
    }
    return output;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dβ = Σ dY, dγ = Σ dY·x̂                     [1, width], sums over the rows
    // dX = γ/√(σ² + ε)·(dY − dβ/B − x̂·dγ/B)      [B, width], in the place of dY
    const { kernels, scale, shift } = this;
    const dX = needsInputGradient ? dY : null;
    kernels.batchNormBackward(
      rows,
      this.#x,
      this.#moments,
      scale.value,
      dY,
      dX,
      scale.gradient,
      shift.gradient,
    );
    return dY;
  }
}
