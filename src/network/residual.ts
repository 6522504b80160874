/** A residual block: y = x + F(x), F its inner layers (He et al. 2016, eq. 1). */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { Layer, Pass } from './layer.js';

export class Residual implements Layer {
  readonly #y: Tensor; // [B, width]
  readonly #dX: Tensor; // [B, width]

  constructor(
    private readonly kernels: Kernels,
    private readonly layers: readonly Layer[],
    capacity: number,
    width: number,
    arena: Allocator,
  ) {
    this.#y = arena.tensor(capacity, width);
    this.#dX = arena.tensor(capacity, width);
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.layers.flatMap((layer) => layer.kinkedOutputs);
  }

  forward(rows: number, x: Tensor, pass: Pass): Tensor {
    let inner = x;
    for (const layer of this.layers) inner = layer.forward(rows, inner, pass);
    this.kernels.add(rows, x, inner, this.#y);
    return this.#y;
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    // dX = dY + dY·F′(x); the inner layers may overwrite dY, so the first term is set aside before.
    if (needsInputGradient) this.kernels.copy(rows, dY, this.#dX);
    let inner = dY;
    for (let i = this.layers.length - 1; i >= 0; i--) {
      inner = this.layers[i].backward(rows, inner, i > 0 || needsInputGradient);
    }
    if (!needsInputGradient) return inner;
    this.kernels.add(rows, this.#dX, inner, this.#dX);
    return this.#dX;
  }
}
