/**
 * The network spec as plain checked objects: what JSON says after shorthands are expanded and defaults filled in.
 * Types alone; `networkSchema.ts` makes them.
 */

/** How the weights of a linear layer [inputs, units] start. Variances after He et al. 2015, Glorot and Bengio 2010, LeCun et al. 1998. */
export type InitSpec =
  | { type: 'he-normal' | 'he-uniform' | 'glorot-normal' | 'glorot-uniform' | 'lecun-normal' }
  | { type: 'normal'; mean: number; std: number }
  | { type: 'uniform'; low: number; high: number }
  | { type: 'zeros' };

export interface LinearSpec {
  type: 'linear';
  units: number;
  bias: boolean;
  init: InitSpec;
}

export type ActivationSpec =
  | { type: 'identity' | 'relu' | 'tanh' | 'sigmoid' | 'gelu' | 'silu' | 'softplus' }
  | { type: 'leaky-relu'; slope: number }
  | { type: 'elu'; alpha: number };

/** Sets a share of its inputs to 0 in training, and divides the rest by 1 − rate; does nothing in evaluation. */
export interface DropoutSpec {
  type: 'dropout';
  /** In [0, 1). */
  rate: number;
}

/** Each column of a batch to mean 0 and variance 1, then times a learnt scale, plus a learnt shift. */
export interface BatchNormSpec {
  type: 'batch-norm';
  /** What a batch counts in the running mean and variance, which evaluation takes: in (0, 1]. */
  momentum: number;
  /** Added to the variance. */
  epsilon: number;
}

/** The same for each row by itself, in training and evaluation alike. */
export interface LayerNormSpec {
  type: 'layer-norm';
  epsilon: number;
}

/** softmax(h) over the outputs of a row; only at the end, and only fused into its cross-entropy. */
export interface SoftmaxSpec {
  type: 'softmax';
}

/** Adds its input to the output of its layers, which must have the same width. */
export interface ResidualSpec {
  type: 'residual';
  layers: LayerSpec[];
}

export type LayerSpec =
  | LinearSpec
  | ActivationSpec
  | DropoutSpec
  | BatchNormSpec
  | LayerNormSpec
  | SoftmaxSpec
  | ResidualSpec;

export interface NetworkSpec {
  /** Width of a row; a train config may leave it to the data. */
  input?: number;
  layers: LayerSpec[];
}
