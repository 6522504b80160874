/**
 * A batch ensemble: k members share the weights of their linear layers and tell them apart by
 * factors, y = f(((x ⊙ r)·W) ⊙ s + b) with r, s and b of each member (Wen, Tran and Ba 2020; TabM of
 * Gorishniy, Kotelnikov and Babenko 2025, section 3). The last linear layer has weights for each.
 * Every row of a batch has k views, side by side: [B·k, width] is the same memory as [B, k·width], so
 * a product takes all members at once, and their factors are those of columns.
 */
import { type Allocator, slice } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import type { LinearSpec } from '../spec/layerSpec.js';
import type { MemberPlace } from '../spec/widths.js';
import { BiasActivation } from './activation.js';
import { fittedOf } from './initialize.js';
import type {
  Fitted,
  Layer,
  LayerContext,
  LayerType,
  MemberRows,
  Parameter,
  ParameterShape,
  Pass,
} from './layer.js';
import { factorOf, linear } from './linear.js';

/** @param capacity the most rows B of a batch */
export function memberRowsOf(members: number, capacity: number, arena: Allocator): MemberRows {
  // An arena that only counts has no data, and may be asked for any size.
  const filled = (length: number, of: (at: number) => number): IntVector => {
    const { address, data } = arena.ints(length);
    for (let at = 0; at < data.length; at++) data[at] = of(at);
    return { address, data };
  };
  const rowOf = (view: number) => Math.floor(view / members);
  return {
    members,
    capacity,
    rowOf: filled(capacity * members, rowOf),
    viewsOf: Array.from({ length: members }, (_, member) =>
      filled(capacity, (row) => row * members + member),
    ),
    placeOf: filled(capacity * members, (view) => (view % members) * capacity + rowOf(view)),
  };
}

/** The tensor [B·k, width] as [B, k·width]. */
function wide(tensor: Tensor, members: number): Tensor {
  return { ...tensor, rows: tensor.rows / members, columns: tensor.columns * members };
}

/** The tensor [B, k·width] as [B·k, width]. */
function narrow(tensor: Tensor, members: number): Tensor {
  return { ...tensor, rows: tensor.rows * members, columns: tensor.columns / members };
}

/** The layers that members have views of: makes the views, and passes them on. */
export class MemberViews implements Layer {
  readonly #kernels: Kernels;
  readonly #layers: readonly Layer[];
  readonly #rows: MemberRows;
  readonly #views: Tensor; // [B·k, inputs]
  readonly #dX: Tensor | null; // [B, inputs]

  /** @param context of the first layer, but with the capacity for rows, not for views */
  constructor(
    layers: readonly Layer[],
    rows: MemberRows,
    {
      kernels,
      arena,
      inputs,
      needsInputGradient,
    }: Pick<LayerContext, 'kernels' | 'arena' | 'inputs' | 'needsInputGradient'>,
  ) {
    this.#kernels = kernels;
    this.#layers = layers;
    this.#rows = rows;
    this.#views = arena.tensor(rows.capacity * rows.members, inputs);
    this.#dX = needsInputGradient ? arena.tensor(rows.capacity, inputs) : null;
  }

  get kinkedOutputs(): readonly Tensor[] {
    const { capacity, members } = this.#rows;
    return this.#layers
      .flatMap((layer) => layer.kinkedOutputs)
      .map((output) => (output.rows === capacity ? output : wide(output, members)));
  }

  /** y [B·k, outputs] from x [B, inputs] */
  forward(rows: number, x: Tensor, pass: Pass): Tensor {
    const views = rows * this.#rows.members;
    this.#kernels.gather(views, x, this.#rows.rowOf, this.#views);
    let y = this.#views;
    for (const layer of this.#layers) y = layer.forward(views, y, pass);
    return y;
  }

  /** dX [B, inputs] from dY [B·k, outputs] */
  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const { members } = this.#rows;
    let d = dY;
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      d = this.#layers[i].backward(rows * members, d, i > 0 || needsInputGradient);
    }
    if (!needsInputGradient || !this.#dX) return d;
    this.#kernels.sumViews(rows, members, d, this.#dX);
    return this.#dX;
  }
}

/** A linear layer whose weights all members share, with the activation that follows it. */
class SharedLinear implements Layer {
  readonly #kernels: Kernels;
  readonly #members: number;
  readonly #weight: Parameter; // W [inputs, units]
  readonly #inputScale: Parameter; // r [k, inputs]
  readonly #outputScale: Parameter; // s [k, units]
  readonly #units: number;
  readonly #inputs: number;
  readonly #factor: number; // of x·W
  readonly #u: Tensor; // [B·k, inputs]
  readonly #z: Tensor; // [B·k, units]
  readonly #h: Tensor; // [B·k, units] z ⊙ s, and f(z ⊙ s + b) in the same place if f allows it
  readonly #dU: Tensor; // [B·k, inputs]
  readonly #biasActivation: BiasActivation;
  readonly #fitted: Fitted | null; // to z
  #x!: Tensor; // [B·k, inputs]

  constructor({ units, bias, parametrization }: LinearSpec, rows: MemberRows, context: LayerContext) {
    const { kernels, arena, inputs, activation } = context;
    const { members, capacity } = rows;
    this.#kernels = kernels;
    this.#members = members;
    this.#weight = context.parameter('weight');
    this.#inputScale = rowVector(context.parameter('input_scale'));
    this.#outputScale = rowVector(context.parameter('output_scale'));
    const ownBias = bias ? rowVector(context.parameter('bias')) : null;
    this.#fitted = fittedOf(this.#weight, ownBias, members);
    this.#inputs = inputs;
    this.#units = units;
    this.#factor = factorOf(parametrization, inputs);
    this.#u = arena.tensor(capacity * members, inputs);
    this.#z = arena.tensor(capacity * members, units);
    this.#h = arena.tensor(capacity * members, units);
    this.#dU = arena.tensor(capacity * members, inputs);
    this.#biasActivation = new BiasActivation(activation, ownBias, members * units, wide(this.#h, members), {
      ...context,
      capacity,
    });
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#biasActivation.kinkedOutputs;
  }

  forward(views: number, x: Tensor, { observe }: Pass): Tensor {
    const members = this.#members;
    const rows = views / members;
    this.#x = x;
    // u = x ⊙ r                                  [B·k, inputs]
    this.#kernels.scaleColumns(rows, this.#inputScale.value, wide(x, members), wide(this.#u, members));
    // z = factor·u·W                             [B·k, units] = [B·k, inputs]·[inputs, units]
    this.#kernels.gemm('NN', views, this.#units, this.#inputs, this.#u, this.#weight.value, 0, this.#z);
    if (this.#factor !== 1) this.#kernels.scale(views * this.#units, this.#factor, this.#z);
    const z = wide(this.#z, members);
    if (this.#fitted) observe?.(this.#fitted, rows, z);
    // y = f(z ⊙ s + b)                           [B·k, units]
    const h = wide(this.#h, members);
    this.#kernels.scaleColumns(rows, this.#outputScale.value, z, h);
    return narrow(this.#biasActivation.forward(rows, h), members);
  }

  backward(views: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const members = this.#members;
    const rows = views / members;
    const kernels = this.#kernels;
    const dH = this.#biasActivation.backward(rows, wide(dY, members));
    // ds = Σ dH ⊙ z, dZ = s ⊙ dH                 sums over the rows; in the place of dH
    const { value: s, gradient: dS } = this.#outputScale;
    kernels.scaleColumnsBackward(rows, s, wide(this.#z, members), dH, dH, dS);
    const dZ = narrow(dH, members);
    if (this.#factor !== 1) kernels.scale(views * this.#units, this.#factor, dZ);
    // dW = uᵀ·dZ                                 [inputs, units] = [B·k, inputs]ᵀ·[B·k, units]
    kernels.gemm('TN', this.#inputs, this.#units, views, this.#u, dZ, 0, this.#weight.gradient);
    // dU = dZ·Wᵀ                                 [B·k, inputs] = [B·k, units]·[inputs, units]ᵀ
    kernels.gemm('NT', views, this.#inputs, this.#units, dZ, this.#weight.value, 0, this.#dU);
    // dr = Σ dU ⊙ x, dX = r ⊙ dU                 sums over the rows; in the place of dU
    const { value: r, gradient: dR } = this.#inputScale;
    const dU = wide(this.#dU, members);
    const dX = needsInputGradient ? dU : null;
    kernels.scaleColumnsBackward(rows, r, wide(this.#x, members), dU, dX, dR);
    return this.#dU;
  }
}

/** The last linear layer: one for each member, with the activation that follows it. */
class MemberHeads implements Layer {
  readonly #kernels: Kernels;
  readonly #rows: MemberRows;
  readonly #weights: readonly { readonly value: Tensor; readonly gradient: Tensor }[]; // k × [inputs, units]
  readonly #units: number;
  readonly #inputs: number;
  readonly #factor: number; // of x·W
  /** The rows of each member together. */
  readonly #own: Tensor; // [k·B, inputs]
  readonly #ownZ: Tensor; // [k·B, units]
  readonly #z: Tensor; // [B·k, units]
  readonly #dX: Tensor; // [B·k, inputs]
  readonly #biasActivation: BiasActivation;
  readonly #fitted: Fitted | null; // to z

  constructor({ units, bias, parametrization }: LinearSpec, rows: MemberRows, context: LayerContext) {
    const { kernels, arena, inputs, activation } = context;
    const { members, capacity } = rows;
    this.#kernels = kernels;
    this.#rows = rows;
    const weight = context.parameter('weight');
    const ofMember = (tensor: Tensor, member: number) =>
      slice(tensor, member * inputs * units, inputs, units);
    this.#weights = rows.viewsOf.map((_, member) => ({
      value: ofMember(weight.value, member),
      gradient: ofMember(weight.gradient, member),
    }));
    const ownBias = bias ? rowVector(context.parameter('bias')) : null;
    this.#fitted = fittedOf(weight, ownBias, members, members);
    this.#inputs = inputs;
    this.#units = units;
    this.#factor = factorOf(parametrization, inputs);
    this.#own = arena.tensor(capacity * members, inputs);
    this.#ownZ = arena.tensor(capacity * members, units);
    this.#z = arena.tensor(capacity * members, units);
    this.#dX = arena.tensor(capacity * members, inputs);
    this.#biasActivation = new BiasActivation(activation, ownBias, members * units, wide(this.#z, members), {
      ...context,
      capacity,
    });
  }

  get kinkedOutputs(): readonly Tensor[] {
    return this.#biasActivation.kinkedOutputs;
  }

  forward(views: number, x: Tensor, { observe }: Pass): Tensor {
    const kernels = this.#kernels;
    const { members, viewsOf, placeOf } = this.#rows;
    const rows = views / members;
    for (const [i, { value }] of this.#weights.entries()) {
      // z = factor·x·W of each member              [B, units] = [B, inputs]·[inputs, units]
      const [own, z] = [this.#ownOf(this.#own, i), this.#ownOf(this.#ownZ, i)];
      kernels.gather(rows, x, viewsOf[i], own);
      kernels.gemm('NN', rows, this.#units, this.#inputs, own, value, 0, z);
    }
    kernels.gather(views, this.#ownZ, placeOf, this.#z);
    if (this.#factor !== 1) kernels.scale(views * this.#units, this.#factor, this.#z);
    const z = wide(this.#z, members);
    if (this.#fitted) observe?.(this.#fitted, rows, z);
    return narrow(this.#biasActivation.forward(rows, z), members);
  }

  backward(views: number, dY: Tensor, needsInputGradient: boolean): Tensor {
    const kernels = this.#kernels;
    const { members, viewsOf, placeOf } = this.#rows;
    const rows = views / members;
    const dZ = narrow(this.#biasActivation.backward(rows, wide(dY, members)), members);
    if (this.#factor !== 1) kernels.scale(views * this.#units, this.#factor, dZ);
    for (const [i, { value, gradient }] of this.#weights.entries()) {
      const [own, d] = [this.#ownOf(this.#own, i), this.#ownOf(this.#ownZ, i)];
      kernels.gather(rows, dZ, viewsOf[i], d);
      // dW = xᵀ·dZ of each member                  [inputs, units] = [B, inputs]ᵀ·[B, units]
      kernels.gemm('TN', this.#inputs, this.#units, rows, own, d, 0, gradient);
      // dX = dZ·Wᵀ, in the place of x              [B, inputs] = [B, units]·[inputs, units]ᵀ
      if (needsInputGradient) kernels.gemm('NT', rows, this.#inputs, this.#units, d, value, 0, own);
    }
    if (!needsInputGradient) return dZ;
    kernels.gather(views, this.#own, placeOf, this.#dX);
    return this.#dX;
  }

  #ownOf(tensor: Tensor, member: number): Tensor {
    const { capacity } = this.#rows;
    return slice(tensor, member * capacity * tensor.columns, capacity, tensor.columns);
  }
}

/** The parameters of a linear layer of one network, as the members share them or have their own. */
function memberParameters(
  [weight, bias]: readonly ParameterShape[],
  { members, isHead, inputInit, inputGroups }: MemberPlace,
): ParameterShape[] {
  const biases = bias ? [{ ...bias, rows: members }] : [];
  if (isHead) return [{ ...weight, rows: members * weight.rows, fanIn: weight.rows }, ...biases];
  const init = inputInit === 'ones' ? { type: inputInit } : { type: inputInit, groups: inputGroups };
  return [
    weight,
    { name: 'input_scale', kind: 'adapter', rows: members, columns: weight.rows, init },
    { name: 'output_scale', kind: 'adapter', rows: members, columns: weight.columns, init: { type: 'ones' } },
    ...biases,
  ];
}

/** A parameter [k, width] as [1, k·width]. */
function rowVector(parameter: Parameter): Parameter {
  const flat = (tensor: Tensor): Tensor => ({ ...tensor, rows: 1, columns: tensor.rows * tensor.columns });
  const { rows, columns, value, gradient } = parameter;
  return { ...parameter, rows: 1, columns: rows * columns, value: flat(value), gradient: flat(gradient) };
}

/** A linear layer, of a batch ensemble or not. */
export const memberLinear: LayerType<LinearSpec> = {
  ...linear,
  parameters(spec, inputs, place) {
    const own = linear.parameters?.(spec, inputs) ?? [];
    return place ? memberParameters(own, place) : own;
  },
  build(spec, context) {
    const { member } = context;
    if (!member) return linear.build(spec, context);
    const { place, rows } = member;
    return place.isHead ? new MemberHeads(spec, rows, context) : new SharedLinear(spec, rows, context);
  },
};
