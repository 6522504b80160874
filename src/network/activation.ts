/**
 * y = f(h), h = x + b: an activation, with the bias of the linear layer before it if there is one.
 * A parametric activation learns a slope α: y = (1 − α) ⊙ h + α ⊙ f(h).
 */
import { ACTIVATION_TYPES, ACTIVATIONS, type ActivationType } from '../kernels/activations.js';
import type { Activation, Kernels, Tensor } from '../kernels/kernels.js';
import type { ActivationSpec, LayerSpec } from '../spec/layerSpec.js';
import type { FollowingActivation, Layer, LayerContext, LayerType, Parameter } from './layer.js';

const IDENTITY: FollowingActivation = { spec: { type: 'identity' }, slope: null };

export class BiasActivation implements Layer {
  readonly #kernels: Kernels;
  readonly #bias: Parameter | null; // [1, width]
  readonly #slope: Parameter | null; // α [1, width], null if the activation is not parametric
  readonly #activation: Activation;
  readonly #isKinked: boolean;
  /** Without a bias and with f(x) = x there is nothing to compute. */
  readonly #isIdentity: boolean;
  readonly #y: Tensor | null; // [B, width], null if y takes the place of x
  #x!: Tensor; // [B, width] h after the forward pass, where y does not take its place
  #output!: Tensor; // [B, width]

  /**
   * @param following the activation; f(x) = x without one
   * @param ownInput the buffer of x [B, width] if y may take its place; null if others read x
   */
  constructor(
    following: FollowingActivation | undefined,
    bias: Parameter | null,
    width: number,
    ownInput: Tensor | null,
    { kernels, arena, capacity }: LayerContext,
  ) {
    const { spec, slope } = following ?? IDENTITY;
    this.#kernels = kernels;
    this.#bias = bias;
    this.#slope = slope;
    this.#activation = activationOf(spec);
    this.#isIdentity = bias === null && slope === null && spec.type === 'identity';
    const { needsInput, kinked } = ACTIVATIONS[spec.type];
    this.#isKinked = kinked;
    const inPlace = this.#isIdentity || (ownInput !== null && slope === null && !needsInput);
    this.#y = inPlace ? null : arena.tensor(capacity, width);
  }

  get kinkedOutputs(): readonly Tensor[] {
    // With a slope, y may be on either side of 0 or leave 0 on both; h is still there.
    return this.#isKinked ? [this.#slope ? this.#x : this.#output] : [];
  }

  forward(rows: number, x: Tensor): Tensor {
    this.#x = x;
    this.#output = this.#y ?? x;
    const bias = this.#bias?.value ?? null;
    if (this.#slope) {
      this.#kernels.parametricActivation(this.#activation, rows, x, bias, this.#slope.value, this.#output);
    } else if (!this.#isIdentity) {
      this.#kernels.biasActivation(this.#activation, rows, x, bias, this.#output);
    }
    return this.#output;
  }

  backward(rows: number, dY: Tensor): Tensor {
    const f = this.#activation;
    const dBias = this.#bias?.gradient ?? null;
    if (this.#slope) {
      // dα = Σ dY ⊙ (f(h) − h)                   [1, width], a sum over the rows
      const { value, gradient } = this.#slope;
      this.#kernels.parametricActivationBackward(f, rows, this.#x, value, dY, dY, dBias, gradient);
    } else if (!this.#isIdentity) {
      this.#kernels.biasActivationBackward(f, rows, this.#x, this.#output, dY, dY, dBias);
    }
    return dY;
  }
}

export function isActivation(spec: LayerSpec): spec is ActivationSpec {
  return Object.hasOwn(ACTIVATIONS, spec.type);
}

/** The spec as the kernels take it. Its parameter, if it has one, is the key beside these. */
function activationOf({ type, parametric: _, ...parameters }: ActivationSpec): Activation {
  const [parameter = 0] = Object.values<number>(parameters);
  return { type, parameter };
}

const activation: LayerType<ActivationSpec> = {
  parameters: ({ parametric }, inputs) =>
    parametric ? [{ name: 'slope', kind: 'slope', rows: 1, columns: inputs, init: { type: 'ones' } }] : [],
  build(spec, context) {
    const slope = spec.parametric ? context.parameter('slope') : null;
    return new BiasActivation({ spec, slope }, null, context.inputs, context.ownInput, context);
  },
};

export const ACTIVATION_LAYERS = Object.fromEntries(
  ACTIVATION_TYPES.map((type) => [type, activation]),
) as Record<ActivationType, LayerType<ActivationSpec>>;
