/** What a layer is. Symbols: B rows of the batch at hand, x its input, y its output, `d` before a name its gradient. */
import type { Tensor } from '../kernels/kernels.js';

/** What a forward pass is part of. */
export interface Pass {
  /** Whether layers do what they do in training alone, as dropout does. */
  readonly training: boolean;
  /** Whether running statistics follow: in a training step, not where its loss alone is asked for. */
  readonly learning: boolean;
  /** The number of the training step, from 0: what is random in a layer is drawn by it. */
  readonly step: number;
}

export interface Layer {
  /** The outputs of its activations that have a kink at 0: there y changes sign, or leaves 0, with x. */
  readonly kinkedOutputs: readonly Tensor[];

  /**
   * y [B, outputs] from x [B, inputs]. x is kept for the backward pass: it must not change in between.
   * The returned tensor belongs to the layer (or is x itself) and is overwritten by the next call.
   */
  forward(rows: number, x: Tensor, pass: Pass): Tensor;

  /**
   * dX [B, inputs] from dY [B, outputs], and the gradients of the layer's own parameters into their block.
   * dY may be overwritten. Where `needsInputGradient` is false, nobody reads the result: the layer may skip it
   * and return dY.
   */
  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor;
}
