/**
 * The losses, from logits, by name. One kernel computes value and gradient, stable for logits of
 * any size. B rows, K outputs; formulas for rows of weight 1. With weights, the loss of each row is
 * multiplied by its weight and B is Σw: a row of weight n counts as n rows, one of weight 0 as none.
 */
import { ELEMENT_LOSSES, type ElementLoss, type ElementLossType } from '../kernels/elementLosses.js';
import type { IntVector, Kernels, MeanOf, Tensor } from '../kernels/kernels.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { LossName, LossParameters, Task } from '../spec/words.js';

/**
 * The targets of a batch: labels [B] for softmax cross-entropy, values [B, K] for the rest, [B, 1] for
 * quantiles.
 */
export type Targets = ({ readonly labels: IntVector } | { readonly values: Tensor }) & {
  /** [B, 1] What the loss of each row is multiplied by; 1 if left out. */
  readonly weights?: Tensor;
};

export interface Loss {
  readonly name: LossName;
  /** The tasks it can train. The first loss of a task in the list below is its default. */
  readonly tasks: readonly Task[];
  /** What a target is: a class from 0 (one label per row), 0 or 1, a number of at least 0, or any. */
  readonly target: 'class' | 'bit' | 'count' | 'number';
  /** What the members of a network are averaged as. */
  readonly meanOf: MeanOf;
  /** The activation that it computes itself if the network ends in it. */
  readonly fuses?: 'sigmoid' | 'softmax';
  /** The loss of a number: of targets that are numbers. */
  readonly element?: ElementLoss;
  /** Which power of the target's unit the loss of a number has. */
  readonly unitPower?: 0 | 1 | 2;
  /** What an output means, if it isn't the prediction itself: a prediction is inverse(output). */
  readonly link?: { of(prediction: number): number; inverse(output: number): number };
  /** Whether the outputs of a row rise: in evaluation, others are sorted. */
  readonly rises?: true;
  outputs(targets: number, classes: number, parameters?: LossParameters): number;
  /** The parameter of an output's element loss. */
  parameter?(parameters: LossParameters, output: number): number;
  /** What is averaged over: rows, or rows·K elements. `rows` is Σw. */
  terms(rows: number, outputs: number): number;
  /**
   * rowLoss[i] ← weighted sum of row i's terms; dLogits ← gradient of the mean unless null.
   * @returns what the mean divides by; 0 if all rows have the weight 0, and the gradient is then 0
   */
  evaluate(
    kernels: Kernels,
    rows: number,
    logits: Tensor,
    targets: Targets,
    rowLoss: Tensor,
    dLogits: Tensor | null,
    options?: LossOptions,
  ): number;
}

/** What a loss takes besides outputs and targets. */
export interface LossOptions {
  /** 0 if left out: the share of a class or bit that is spread over all of them */
  readonly smoothing?: number | undefined;
  /** [1, K] The parameters of the element losses; null for a loss without any. */
  readonly parameters?: Tensor | null;
  /** Σw of the whole batch, if these rows are a slice of it: the mean is over the batch. */
  readonly weight?: number | undefined;
}

/** A loss that is a mean over all outputs of a row. */
function meanOfElements(
  name: LossName,
  type: ElementLossType,
  more: Pick<Loss, 'unitPower'> & Partial<Loss>,
): Loss {
  return {
    name,
    tasks: ['regression'],
    target: 'number',
    meanOf: 'identity',
    element: ELEMENT_LOSSES[type],
    outputs: (targets) => targets,
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, output, targets, rowLoss, dOutput, { parameters = null, weight } = {}) {
      const terms = this.terms(totalWeight(kernels, rows, targets, weight), output.columns);
      const values = valuesOf(targets);
      kernels.elementLoss(type, rows, output, values, parameters, share(terms), rowLoss, dOutput);
      weigh(kernels, rows, targets, rowLoss, dOutput);
      return terms;
    },
    ...more,
  };
}

export const LOSSES: Readonly<Record<LossName, Loss>> = {
  /** 1/(B·K)·Σ (o − t)²; gradient 2/(B·K)·(o − t) */
  'mean-squared-error': {
    name: 'mean-squared-error',
    tasks: ['regression'],
    target: 'number',
    meanOf: 'identity',
    element: { value: (o, t) => (o - t) ** 2, derivative: (o, t) => 2 * (o - t) },
    unitPower: 2,
    outputs: (targets) => targets,
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, output, targets, rowLoss, dOutput, { weight } = {}) {
      const terms = this.terms(totalWeight(kernels, rows, targets, weight), output.columns);
      kernels.squaredError(rows, output, valuesOf(targets), share(terms), rowLoss, dOutput);
      weigh(kernels, rows, targets, rowLoss, dOutput);
      return terms;
    },
  },
  /** 1/(B·K)·Σ |o − t|; gradient 1/(B·K)·sign(o − t) */
  'mean-absolute-error': meanOfElements('mean-absolute-error', 'absoluteError', { unitPower: 1 }),
  /** 1/(B·K)·Σ ½·d² up to δ, δ·(d − ½·δ) beyond, d = |o − t| */
  huber: meanOfElements('huber', 'huberError', { unitPower: 2, parameter: ({ delta = 1 }) => delta }),
  /** 1/(B·K)·Σ max(q·(t − o), (q − 1)·(t − o)): an output for each quantile q of a single target */
  quantile: meanOfElements('quantile', 'pinballError', {
    unitPower: 1,
    rises: true,
    outputs: (_targets, _classes, { quantiles = [] } = {}) => quantiles.length,
    parameter: ({ quantiles = [] }, output) => quantiles[output],
  }),
  /** 1/(B·K)·Σ e^o − t·o, the log-likelihood of a Poisson distribution of rate e^o but for log t! */
  poisson: meanOfElements('poisson', 'poissonError', {
    target: 'count',
    unitPower: 0,
    link: { of: Math.log, inverse: Math.exp },
  }),
  /** −1/(B·K)·Σ t·log σ(h) + (1 − t)·log(1 − σ(h)); gradient 1/(B·K)·(σ(h) − t) */
  'binary-cross-entropy': {
    name: 'binary-cross-entropy',
    tasks: ['binary', 'multilabel'],
    target: 'bit',
    meanOf: 'sigmoid',
    fuses: 'sigmoid',
    outputs: (targets) => targets,
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits, { smoothing, weight } = {}) {
      const terms = this.terms(totalWeight(kernels, rows, targets, weight), logits.columns);
      const factor = share(terms);
      kernels.sigmoidCrossEntropy(rows, logits, valuesOf(targets), factor, rowLoss, dLogits, smoothing);
      weigh(kernels, rows, targets, rowLoss, dLogits);
      return terms;
    },
  },
  /** −1/B·Σ log P(y), P = softmax(h); gradient 1/B·(P − y) */
  'softmax-cross-entropy': {
    name: 'softmax-cross-entropy',
    tasks: ['binary', 'multiclass'],
    target: 'class',
    meanOf: 'softmax',
    fuses: 'softmax',
    outputs: (_, classes) => classes,
    terms: (rows) => rows,
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits, { smoothing, weight } = {}) {
      const terms = this.terms(totalWeight(kernels, rows, targets, weight), logits.columns);
      const factor = share(terms);
      kernels.softmaxCrossEntropy(rows, logits, labelsOf(targets), factor, rowLoss, dLogits, smoothing);
      weigh(kernels, rows, targets, rowLoss, dLogits);
      return terms;
    },
  },
};

/** The losses that a task can be trained on, the default first. */
export function lossesFor(task: Task): readonly LossName[] {
  return Object.values(LOSSES)
    .filter(({ tasks }) => tasks.includes(task))
    .map(({ name }) => name);
}

/** The parameters of the element losses of so many outputs; undefined for a loss without any. */
export function elementParameters(
  loss: LossName,
  parameters: LossParameters,
  outputs: number,
): number[] | undefined {
  const { parameter } = LOSSES[loss];
  return parameter && Array.from({ length: outputs }, (_, j) => parameter(parameters, j));
}

/** Whether the targets of a loss are classes or bits, which can be smoothed. */
export function canSmooth(loss: LossName): boolean {
  const { target } = LOSSES[loss];
  return target === 'class' || target === 'bit';
}

/** The loss that computes the network's last layer itself; undefined if none does. */
export function fusedLoss(layers: readonly LayerSpec[]): LossName | undefined {
  const last = layers.at(-1)?.type;
  return Object.values(LOSSES).find(({ fuses }) => fuses !== undefined && fuses === last)?.name;
}

/** A smaller divisor may make infinity of a float32. */
const LEAST_WEIGHT = 2 ** -100;

/** Σw: the number of rows if they have no weights; 0 for rows that weigh next to nothing. */
function totalWeight(kernels: Kernels, rows: number, { weights }: Targets, ofBatch?: number): number {
  const sum = ofBatch ?? (weights ? kernels.sum(rows, weights) : rows);
  return sum < LEAST_WEIGHT ? 0 : sum;
}

/** The factor of a mean over `terms`; 0 without terms. */
function share(terms: number): number {
  return terms === 0 ? 0 : 1 / terms;
}

/** Multiplies loss and gradient of each row by its weight. */
function weigh(
  kernels: Kernels,
  rows: number,
  { weights }: Targets,
  rowLoss: Tensor,
  d: Tensor | null,
): void {
  if (!weights) return;
  kernels.scaleRows(rows, weights, rowLoss);
  if (d) kernels.scaleRows(rows, weights, d);
}

function valuesOf(targets: Targets): Tensor {
  if ('values' in targets) return targets.values;
  throw new TypeError('this loss takes target values, found labels');
}

function labelsOf(targets: Targets): IntVector {
  if ('labels' in targets) return targets.labels;
  throw new TypeError('softmax cross-entropy takes labels, found target values');
}
