/**
 * A linear layer together with the activation that follows it: y = f(x·W + b), or
 * y = f(x·W/√inputs + b) in the NTK parametrisation (Jacot, Gabriel and Hongler 2018, section 2).
 */
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { LinearSpec } from '../spec/layerSpec.js';
import { weightRows } from '../spec/widths.js';
import { BiasActivation } from './activation.js';
import { fittedOf } from './initialize.js';
import type { Fitted, Layer, LayerContext, LayerType, Parameter, ParameterShape, Pass } from './layer.js';
import { LevelProduct } from './levelProduct.js';

class Linear implements Layer {
  readonly #kernels: Kernels;
  readonly #weight: Parameter; // [inputs, units]
  readonly #bias: Parameter | null; // [1, units]
  readonly #units: number;
  readonly #inputs: number;
  readonly #factor: number; // of x·W
  readonly #z: Tensor; // [B, units] z, and f(z + b) in the same place if f allows it
  readonly #dX: Tensor | null; // [B, inputs]
  readonly #biasActivation: BiasActivation;
  readonly #fitted: Fitted | null; // to z, before the bias is added
  readonly #levels: LevelProduct | null; // of a first layer with numbers of levels; it passes no dX on
  #x!: Tensor; // [B, inputs]

  constructor(spec: LinearSpec, context: LayerContext) {
    const { units, bias, parametrization } = spec;
    const { kernels, arena, capacity, inputs, needsInputGradient, activation } = context;
    this.#kernels = kernels;
    this.#weight = context.parameter('weight');
    this.#bias = bias ? context.parameter('bias') : null;
    this.#fitted = fittedOf(this.#weight, this.#bias);
    this.#inputs = inputs;
    this.#units = units;
    this.#factor = factorOf(parametrization, weightRows(spec, inputs));
    this.#levels = spec.columns ? new LevelProduct(spec, this.#weight, context) : null;
    this.#z = arena.tensor(capacity, units);
    this.#dX = needsInputGradient ? arena.tensor(capacity, inputs) : null;
    this.#biasActivation = new BiasActivation(activation, this.#bias, units, this.#z, context);
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#biasActivation.kinkedOutputs;
  }

  forward(rows: number, x: Tensor, { observe }: Pass): Tensor {
    this.#x = x;
    // z = factor·x·W                             [B, units] = [B, inputs]·[inputs, units]
    if (this.#levels) this.#levels.forward(rows, x, this.#z);
    else this.#kernels.gemm('NN', rows, this.#units, this.#inputs, x, this.#weight.value, 0, this.#z);
    this.#multiply(rows, this.#z);
    if (this.#fitted) observe?.(this.#fitted, rows, this.#z);
    return this.#biasActivation.forward(rows, this.#z);
  }

  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const dZ = this.#biasActivation.backward(rows, dY);
    // Once for both products: d(x·W) = factor·dZ [B, units], in the place of dZ
    this.#multiply(rows, dZ);
    if (this.#levels) {
      this.#levels.backward(rows, this.#x, dZ);
      return dZ;
    }
    // dW = xᵀ·dZ                                 [inputs, units] = [B, inputs]ᵀ·[B, units]
    this.#kernels.gemm('TN', this.#inputs, this.#units, rows, this.#x, dZ, 0, this.#weight.gradient);
    if (!needsInputGradient || !this.#dX) return dZ;
    // dX = dZ·Wᵀ                                 [B, inputs] = [B, units]·[inputs, units]ᵀ
    this.#kernels.gemm('NT', rows, this.#inputs, this.#units, dZ, this.#weight.value, 0, this.#dX);
    return this.#dX;
  }

  #multiply(rows: number, z: Tensor): void {
    if (this.#factor !== 1) this.#kernels.scale(rows * this.#units, this.#factor, z);
  }
}

/** What x·W is multiplied by. */
export function factorOf(parametrization: LinearSpec['parametrization'], inputs: number): number {
  return parametrization === 'ntk' ? 1 / Math.sqrt(inputs) : 1;
}

export const linear: LayerType<LinearSpec> = {
  takesActivation: true,
  parameters(spec, inputs) {
    const { units, bias, biasInit = { type: 'zeros' }, init, parametrization } = spec;
    const rows = weightRows(spec, inputs);
    const factor = factorOf(parametrization, rows);
    const weight: ParameterShape = {
      name: 'weight',
      kind: 'weight',
      rows,
      columns: units,
      init,
      factor,
    };
    return bias
      ? [weight, { name: 'bias', kind: 'bias', rows: 1, columns: units, init: biasInit }]
      : [weight];
  },
  build: (spec, context) => new Linear(spec, context),
};
