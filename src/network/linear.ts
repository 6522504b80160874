/** A linear layer together with the activation that follows it: y = f(x·W + b). */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { LinearSpec } from '../spec/layerSpec.js';
import { BiasActivation } from './activation.js';
import type { Layer, LayerContext, LayerType, Parameter } from './layer.js';

class Linear implements Layer {
  readonly #kernels: Kernels;
  readonly #weight: Parameter; // [inputs, units]
  readonly #units: number;
  readonly #inputs: number;
  readonly #z: Tensor; // [B, units] x·W, and f(x·W + b) in the same place if f allows it
  readonly #dX: Tensor | null; // [B, inputs]
  readonly #biasActivation: BiasActivation;
  #x!: Tensor; // [B, inputs]

  constructor({ units, bias }: LinearSpec, context: LayerContext) {
    const { kernels, arena, capacity, inputs, needsInputGradient, activation } = context;
    this.#kernels = kernels;
    this.#weight = context.parameter('weight');
    this.#inputs = inputs;
    this.#units = units;
    this.#z = arena.tensor(capacity, units);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
    this.#biasActivation = new BiasActivation(
      activation ?? { type: 'identity' },
      bias ? context.parameter('bias') : null,
      units,
      this.#z,
      context,
    );
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#biasActivation.kinkedOutputs;
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    // z = x·W                                    [B, units] = [B, inputs]·[inputs, units]
    this.#kernels.gemm('NN', rows, this.#units, this.#inputs, x, this.#weight.value, 0, this.#z);
    return this.#biasActivation.forward(rows, this.#z);
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const dZ = this.#biasActivation.backward(rows, dY);
    // dW = xᵀ·dZ                                 [inputs, units] = [B, inputs]ᵀ·[B, units]
    this.#kernels.gemm('TN', this.#inputs, this.#units, rows, this.#x, dZ, 0, this.#weight.gradient);
    if (!needsInputGradient || !this.#dX) return dZ;
    // dX = dZ·Wᵀ                                 [B, inputs] = [B, units]·[inputs, units]ᵀ
    this.#kernels.gemm('NT', rows, this.#inputs, this.#units, dZ, this.#weight.value, 0, this.#dX);
    return this.#dX;
  }
}

export const linear: LayerType<LinearSpec> = {
  takesActivation: true,
  parameters: ({ units, bias, init }, inputs) => [
    { name: 'weight', kind: 'weight', rows: inputs, columns: units, init },
    ...(bias
      ? [{ name: 'bias', kind: 'bias', rows: 1, columns: units, init: { type: 'zeros' } } as const]
      : []),
  ],
  build: (spec, context) => new Linear(spec, context),
};
