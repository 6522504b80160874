/** A residual block: y = x + F(x), F its inner layers (He et al. 2016, eq. 1). */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { ResidualSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Pass } from './layer.js';

class Residual implements Layer {
  readonly #kernels: Kernels;
  readonly #layers: readonly Layer[];
  readonly #y: Tensor; // [B, width]
  readonly #dX: Tensor; // [B, width]

  constructor(context: LayerContext) {
    const { kernels, arena, capacity, inputs } = context;
    this.#kernels = kernels;
    this.#layers = context.buildInner();
    this.#y = arena.tensor(capacity, inputs);
    this.#dX = arena.tensor(capacity, inputs);
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#layers.flatMap((layer) => layer.kinkedOutputs);
  }

  forward(rows: number, x: Tensor, pass: Pass): Tensor {
    let inner = x;
    for (const layer of this.#layers) inner = layer.forward(rows, inner, pass);
    this.#kernels.add(rows, x, inner, this.#y);
    return this.#y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dX = dY + dY·F′(x). The inner layers may overwrite dY, so the first term is copied before.
    if (needsInputGradient) this.#kernels.copy(rows, dY, this.#dX);
    let inner = dY;
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      inner = this.#layers[i].backward(rows, inner, i > 0 || needsInputGradient);
    }
    if (!needsInputGradient) return inner;
    this.#kernels.add(rows, this.#dX, inner, this.#dX);
    return this.#dX;
  }
}

export const residual: LayerType<ResidualSpec> = {
  build: (_, context) => new Residual(context),
};
