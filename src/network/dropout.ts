/**
 * Inverted dropout (Srivastava et al. 2014, section 10): in training each element is 0 with
 * probability `rate`, the rest divided by 1 − rate, so that evaluation needs nothing.
 */
import type { DropoutMask, Kernels, Tensor } from '../kernels/kernels.js';
import type { DropoutSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Pass } from './layer.js';

/** More than a network has dropout layers: the masks of a slice are those of layers that it does not have. */
const LAYERS_OF_SLICE = 2 ** 16;

class Dropout implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  readonly #kernels: Kernels;
  readonly #rate: number;
  readonly #seed: number;
  /** Which of the network's dropout layers this is: with the seed and the step it names the mask. */
  readonly #layer: number;
  readonly #y: Tensor; // [B, width]
  /** Of the last forward pass; null if it dropped nothing. */
  #mask: DropoutMask | null = null;

  constructor({ rate }: DropoutSpec, { kernels, arena, capacity, inputs, seed, ordinal }: LayerContext) {
    this.#kernels = kernels;
    this.#rate = rate;
    this.#seed = seed;
    this.#layer = ordinal;
    this.#y = arena.tensor(capacity, inputs);
  }

  forward(rows: number, x: Tensor, { training, step, slice, dropoutFactor }: Pass): Tensor {
    const layer = this.#layer + slice * LAYERS_OF_SLICE;
    const mask = { rate: this.#rate * dropoutFactor, seed: this.#seed, layer, step };
    this.#mask = training && mask.rate > 0 ? mask : null;
    if (!this.#mask) return x;
    // y = x ⊙ mask/(1 − rate)
    this.#kernels.dropout(rows, this.#mask, x, this.#y);
    return this.#y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dX = dY ⊙ mask/(1 − rate), the mask drawn again
    if (this.#mask && needsInputGradient) this.#kernels.dropout(rows, this.#mask, dY, dY);
    return dY;
  }
}

export const dropout: LayerType<DropoutSpec> = {
  build: (spec, context) => new Dropout(spec, context),
};
