/**
 * Dropout: in training each element is set to 0 with probability `rate`, and the rest are divided by 1 − rate, so that
 * the expectation stays and an evaluation needs nothing at all (inverted dropout; Srivastava et al. 2014, section 10).
 */
import type { Allocator } from '../kernels/arena.js';
import type { DropoutMask, Kernels, Tensor } from '../kernels/kernels.js';
import type { Layer, Pass } from './layer.js';

export class Dropout implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  readonly #y: Tensor; // [B, width]
  /** Of the last forward pass; null where that dropped nothing. */
  #mask: DropoutMask | null = null;

  /**
   * @param seed the run's
   * @param layer which of the network's dropout layers this is: with the seed and the step it names the mask
   */
  constructor(
    private readonly kernels: Kernels,
    private readonly rate: number,
    private readonly seed: number,
    private readonly layer: number,
    capacity: number,
    width: number,
    arena: Allocator,
  ) {
    this.#y = arena.tensor(capacity, width);
  }

  forward(rows: number, x: Tensor, { training, step }: Pass): Tensor {
    const { rate, seed, layer } = this;
    this.#mask = training && rate > 0 ? { rate, seed, layer, step } : null;
    if (!this.#mask) return x;
    // y = x ⊙ mask/(1 − rate)
    this.kernels.dropout(rows, this.#mask, x, this.#y);
    return this.#y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dX = dY ⊙ mask/(1 − rate), the mask drawn again
    if (this.#mask && needsInputGradient) this.kernels.dropout(rows, this.#mask, dY, dY);
    return dY;
  }
}
