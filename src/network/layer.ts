/**
 * What a layer is. B rows of the batch, x its input, y its output, `d` before a name its gradient
 */
import type { Allocator } from '../kernels/arena.js';
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import type { RandomState } from '../random/randomState.js';
import type { ActivationSpec, BiasInitSpec, InitSpec, LayerSpec } from '../spec/layerSpec.js';
import type { MemberPlace } from '../spec/widths.js';

/** Numbers of rows of a batch ensemble: of B rows of the batch, each has k views side by side. */
export interface MemberRows {
  /** k */
  readonly members: number;
  /** The most rows of a batch. */
  readonly capacity: number;
  /** [B·k] The row of each view. */
  readonly rowOf: IntVector;
  /** [k][B] The views of each member. */
  readonly viewsOf: readonly IntVector[];
  /** [B·k] Where each view is if the views of a member lie together, `capacity` of them for each. */
  readonly placeOf: IntVector;
}

export interface Pass {
  /** Whether layers behave as in training: dropout drops, batch-norm uses the batch. */
  readonly training: boolean;
  /** Whether running statistics follow: in a training step, but not where only its loss is wanted. */
  readonly learning: boolean;
  /** The number of the training step, from 0. Random masks depend on it. */
  readonly step: number;
  /** Which slice of the step's batch this is, from 0: each has random masks of its own. */
  readonly slice: number;
  /** What multiplies the rate of each dropout in this step. */
  readonly dropoutFactor: number;
  /** Sees what each layer fits something of its own to. */
  observe?(fitted: Fitted, rows: number, seen: Tensor): void;
}

/** What a layer fits to rows of data before the first step: weights, biases, or edges of bins. */
export interface Fitted {
  /** Of what it is fitted to. */
  readonly columns: number;
  /** @param seen row-major [rows, columns], in the order of the rows */
  fit(seen: Float64Array, random: RandomState): void;
}

export interface Layer {
  /** Outputs of activations with a kink at 0: there y changes sign, or leaves 0, with x. */
  readonly kinkedOutputs: readonly Tensor[];

  /** What `forward` returns, if the next layer may overwrite it before the backward pass. */
  readonly reusableOutput?: Tensor;

  /**
   * y [B, outputs] from x [B, inputs], which must not change until `backward`. May overwrite the
   * last y.
   */
  forward(rows: number, x: Tensor, pass: Pass): Tensor;

  /**
   * dX [B, inputs] from dY [B, outputs], with the gradients of its parameters. dY may be
   * overwritten. Unless `needsInputGradient`, it may skip dX and return dY.
   */
  backward(rows: number, dY: Tensor, needsInputGradient: boolean): Tensor;
}

/** How a parameter starts: as the spec says, at 1 (scales and slopes), or by a rule of its layer. */
export type ParameterInit =
  | InitSpec
  | BiasInitSpec
  | { readonly type: 'ones' }
  /** −1 or 1, or from N(0, 1): in each row one draw for all columns of a group; `groups` tells their own. */
  | { readonly type: 'random-signs' | 'random-normal'; readonly groups: () => readonly number[] | undefined }
  /** Mean 0; what is above the bound is drawn again. */
  | { readonly type: 'truncated-normal'; readonly std: number; readonly bound: number };

export interface ParameterShape {
  /**
   * `weight`, `bias`, `scale` or `slope`. A normalisation's scale and shift are `weight` and `bias`,
   * as in PyTorch.
   */
  readonly name: string;
  /** L1, L2 and weight decay act on weights alone. A shift counts as a bias. */
  readonly kind: 'weight' | 'bias' | 'scale' | 'slope' | 'embedding' | 'adapter';
  /**
   * weight: [inputs, units]; embedding: a row for each number or level; adapter, and what each member
   * of a batch ensemble has for itself: a row, or the rows, of each; the others: [1, units]
   */
  readonly rows: number;
  readonly columns: number;
  readonly init: ParameterInit;
  /** The inputs that an init by the width counts; its rows if left out. */
  readonly fanIn?: number;
  /** What the layer multiplies it by, 1 if left out: an init by the width aims at the product. */
  readonly factor?: number;
}

/** A row of numbers, one per column, that a layer keeps but nothing trains; without any memory. */
export interface StatisticShape {
  /** `running_mean`, `running_var`: PyTorch's names; `edges` of bins. */
  readonly name: string;
  readonly columns: number;
  readonly initial: 0 | 1;
  /** Whether it is fitted to rows before the first step. */
  readonly fitted?: true;
}

/** A parameter of a network with its memory and its gradient's. */
export interface Parameter extends ParameterShape {
  /** `layers.0.weight` */
  readonly name: string;
  readonly value: Tensor;
  readonly gradient: Tensor;
}

export interface Statistic extends StatisticShape {
  /** `layers.1.running_mean` */
  readonly name: string;
  /** [1, columns] */
  readonly value: Tensor;
}

/** A type of layer: one record for each, beside its mathematics; `layerTypes.ts` lists them all. */
export interface LayerType<Spec extends LayerSpec = LayerSpec> {
  /** Its own parameters, weight first; none if left out. */
  parameters?(spec: Spec, inputs: number, place?: MemberPlace): ParameterShape[];
  statistics?(spec: Spec, inputs: number): StatisticShape[];
  /** Whether it also computes the activation that follows it, in the same pass over memory. */
  readonly takesActivation?: boolean;
  /** Allocates the layer's buffers and returns it ready to run. */
  build(spec: Spec, context: LayerContext): Layer;
}

/** An activation with the slope α [1, width] that it learns; null unless it is parametric. */
export interface FollowingActivation {
  readonly spec: ActivationSpec;
  readonly slope: Parameter | null;
}

/** What a layer is built from and into. */
export interface LayerContext {
  readonly kernels: Kernels;
  readonly arena: Allocator;
  readonly capacity: number;
  readonly seed: number;
  readonly inputs: number;
  /** How many layers of the same type come before this one. */
  readonly ordinal: number;
  /** Whether the backward pass needs dX: not in the first layer, which has none before it. */
  readonly needsInputGradient: boolean;
  /** The buffer of x [B, inputs], if y may overwrite it; null if others still read x. */
  readonly ownInput: Tensor | null;
  /** The activation that follows, for a type that takes it; else undefined. */
  readonly activation: FollowingActivation | undefined;
  /** In a batch ensemble, of a linear layer; then the capacity is that of views. */
  readonly member?: { readonly place: MemberPlace; readonly rows: MemberRows } | undefined;
  buildInner(): readonly Layer[];
  parameter(name: string): Parameter;
  statistic(name: string): Statistic;
}
