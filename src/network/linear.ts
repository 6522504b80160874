/** A linear layer together with the activation that follows it: y = f(x·W + b). */
import type { Allocator } from '../kernels/arena.js';
import type { Activation, Kernels, Tensor } from '../kernels/kernels.js';
import { BiasActivation } from './activation.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameters.js';

export class Linear implements Layer {
  readonly #units: number;
  readonly #inputs: number;
  readonly #z: Tensor; // [B, units] x·W, and f(x·W + b) in the same place where f allows
  readonly #dX: Tensor | null; // [B, inputs]
  readonly #biasActivation: BiasActivation;
  #x!: Tensor; // [B, inputs]

  constructor(
    private readonly kernels: Kernels,
    private readonly weight: Parameter, // [inputs, units]
    bias: Parameter | null,
    activation: Activation,
    capacity: number,
    needsInputGradient: boolean,
    arena: Allocator,
  ) {
    this.#inputs = weight.rows;
    this.#units = weight.columns;
    this.#z = arena.tensor(capacity, this.#units);
    this.#dX = needsInputGradient ? arena.tensor(capacity, this.#inputs) : null;
    this.#biasActivation = new BiasActivation(
      kernels,
      bias,
      activation,
      capacity,
      this.#units,
      this.#z,
      arena,
    );
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#biasActivation.kinkedOutputs;
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    // z = x·W                                    [B, units] = [B, inputs]·[inputs, units]
    this.kernels.gemm('NN', rows, this.#units, this.#inputs, x, this.weight.value, 0, this.#z);
    return this.#biasActivation.forward(rows, this.#z);
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const dZ = this.#biasActivation.backward(rows, dY);
    // dW = xᵀ·dZ                                 [inputs, units] = [B, inputs]ᵀ·[B, units]
    this.kernels.gemm('TN', this.#inputs, this.#units, rows, this.#x, dZ, 0, this.weight.gradient);
    if (!needsInputGradient || !this.#dX) return dZ;
    // dX = dZ·Wᵀ                                 [B, inputs] = [B, units]·[inputs, units]ᵀ
    this.kernels.gemm('NT', rows, this.#inputs, this.#units, dZ, this.weight.value, 0, this.#dX);
    return this.#dX;
  }
}
