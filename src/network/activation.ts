/** y = f(x + b): an activation, with the bias of the linear layer before it if there is one. */
import { ACTIVATION_TYPES, ACTIVATIONS, type ActivationType } from '../kernels/activations.js';
import type { Activation, Kernels, Tensor } from '../kernels/kernels.js';
import type { ActivationSpec, LayerSpec } from '../spec/layerSpec.js';
import type { Layer, LayerContext, LayerType, Parameter } from './layer.js';

export class BiasActivation implements Layer {
  readonly kinkedOutputs: readonly Tensor[];
  readonly #kernels: Kernels;
  readonly #bias: Parameter | null; // [1, width]
  readonly #activation: Activation;
  /** Without a bias and with f(x) = x there is nothing to compute. */
  readonly #isIdentity: boolean;
  readonly #y: Tensor | null; // [B, width], null if y takes the place of x
  #x!: Tensor; // [B, width]
  #output!: Tensor; // [B, width]

  /** @param ownInput the buffer of x [B, width] if y may take its place; null if others read x */
  constructor(
    spec: ActivationSpec,
    bias: Parameter | null,
    width: number,
    ownInput: Tensor | null,
    { kernels, arena, capacity }: LayerContext,
  ) {
    this.#kernels = kernels;
    this.#bias = bias;
    this.#activation = activationOf(spec);
    this.#isIdentity = bias === null && spec.type === 'identity';
    const { needsInput, kinked } = ACTIVATIONS[spec.type];
    const inPlace = this.#isIdentity || (ownInput !== null && !needsInput);
    this.#y = inPlace ? null : arena.tensor(capacity, width);
    const output = this.#y ?? ownInput;
    this.kinkedOutputs = output && kinked ? [output] : [];
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#output = this.#y ?? x;
    if (!this.#isIdentity) {
      this.#kernels.biasActivation(this.#activation, rows, x, this.#bias?.value ?? null, this.#output);
    }
    return this.#output;
  }

  backward(rows: number, dY: Tensor): Tensor {
    if (!this.#isIdentity) {
      const dBias = this.#bias?.gradient ?? null;
      this.#kernels.biasActivationBackward(this.#activation, rows, this.#x, this.#output, dY, dY, dBias);
    }
    return dY;
  }
}

export function isActivation(spec: LayerSpec): spec is ActivationSpec {
  return Object.hasOwn(ACTIVATIONS, spec.type);
}

/** The spec as the kernels take it. Its parameter, if it has one, is the key beside `type`. */
function activationOf({ type, ...parameters }: ActivationSpec): Activation {
  const [parameter = 0] = Object.values<number>(parameters);
  return { type, parameter };
}

const activation: LayerType<ActivationSpec> = {
  build: (spec, context) => new BiasActivation(spec, null, context.inputs, context.ownInput, context),
};

export const ACTIVATION_LAYERS = Object.fromEntries(
  ACTIVATION_TYPES.map((type) => [type, activation]),
) as Record<ActivationType, LayerType<ActivationSpec>>;
