/** y = s ⊙ x: a learnt factor for each column, such as the features of a table. */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { ScaleSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Parameter } from './layer.js';

class Scale implements Layer {
  readonly kinkedOutputs: readonly Tensor[] = [];
  /** y [B, width] The backward pass does not need it. */
  readonly reusableOutput: Tensor;
  readonly #kernels: Kernels;
  readonly #scale: Parameter; // s [1, width]
  #x!: Tensor; // [B, width]

  constructor(context: LayerContext) {
    this.#kernels = context.kernels;
    this.#scale = context.parameter('scale');
    this.reusableOutput = context.arena.tensor(context.capacity, context.inputs);
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#kernels.scaleColumns(rows, this.#scale.value, x, this.reusableOutput);
    return this.reusableOutput;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // ds = Σ dY ⊙ x                              [1, width], a sum over the rows
    // dX = s ⊙ dY                                [B, width], in the place of dY
    const { value, gradient } = this.#scale;
    const dX = needsInputGradient ? dY : null;
    this.#kernels.scaleColumnsBackward(rows, value, this.#x, dY, dX, gradient);
    return dY;
  }
}

export const scale: LayerType<ScaleSpec> = {
  parameters: (_, inputs) => [
    { name: 'scale', kind: 'scale', rows: 1, columns: inputs, init: { type: 'ones' } },
  ],
  build: (_, context) => new Scale(context),
};
