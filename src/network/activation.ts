/** y = f(x + b): an activation, with the bias of the linear layer before it where there is one. */
import type { Allocator } from '../kernels/arena.js';
import type { Activation, ActivationType, Kernels, Tensor } from '../kernels/kernels.js';
import { NEEDS_INPUT } from '../kernels/kernels.js';
import type { Layer } from './layer.js';
import type { Parameter } from './parameters.js';

/** Whose first or second derivative jumps at 0. */
const KINKED: ReadonlySet<ActivationType> = new Set(['relu', 'leaky-relu', 'elu']);

export class BiasActivation implements Layer {
  readonly kinkedOutputs: readonly Tensor[];
  /** Without a bias and with f(x) = x there is nothing to compute. */
  readonly #isIdentity: boolean;
  readonly #y: Tensor | null; // [B, width], null where y takes the place of x
  #x!: Tensor; // [B, width]
  #output!: Tensor; // [B, width]

  /**
   * @param ownInput the buffer of x [B, width] where the layer before has no more need of it, so that y may take its
   * place; null where others may read x
   */
  constructor(
    private readonly kernels: Kernels,
    private readonly bias: Parameter | null, // [1, width]
    private readonly activation: Activation,
    capacity: number,
    width: number,
    ownInput: Tensor | null,
    arena: Allocator,
  ) {
    this.#isIdentity = bias === null && activation.type === 'identity';
    const inPlace = this.#isIdentity || (ownInput !== null && !NEEDS_INPUT.has(activation.type));
    this.#y = inPlace ? null : arena.tensor(capacity, width);
    const output = this.#y ?? ownInput;
    this.kinkedOutputs = output && KINKED.has(activation.type) ? [output] : [];
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#output = this.#y ?? x;
    if (!this.#isIdentity) {
      this.kernels.biasActivation(this.activation, rows, x, this.bias?.value ?? null, this.#output);
    }
    return this.#output;
  }

  backward(rows: number, dY: Tensor): Tensor {
    if (!this.#isIdentity) {
      const dBias = this.bias?.gradient ?? null;
      this.kernels.biasActivationBackward(this.activation, rows, this.#x, this.#output, dY, dY, dBias);
    }
    return dY;
  }
}
