/**
 * The losses, from logits, by name. One kernel computes value and gradient, stable for logits of
 * any size. B rows, K outputs; formulas for rows of weight 1. With weights, the loss of each row is
 * multiplied by its weight and B is Σw: a row of weight n counts as n rows, one of weight 0 as none.
 */
import type { IntVector, Kernels, MeanOf, Tensor } from '../kernels/kernels.js';
import type { LayerSpec } from '../spec/layerSpec.js';
import type { LossName, Task } from '../spec/words.js';

/** The targets of a batch: labels [B] for softmax cross-entropy, values [B, K] for the rest. */
export type Targets = ({ readonly labels: IntVector } | { readonly values: Tensor }) & {
  /** [B, 1] What the loss of each row is multiplied by; 1 if left out. */
  readonly weights?: Tensor;
};

export interface Loss {
  readonly name: LossName;
  /** The tasks it can train. The first loss of a task in the list below is its default. */
  readonly tasks: readonly Task[];
  /** What a target is: a class from 0 (one label per row), 0 or 1, or any number. */
  readonly target: 'class' | 'bit' | 'number';
  /** What the members of a network are averaged as. */
  readonly meanOf: MeanOf;
  /** The activation that it computes itself if the network ends in it. */
  readonly fuses?: 'sigmoid' | 'softmax';
  outputs(targets: number, classes: number): number;
  /** What is averaged over: rows, or rows·K elements. `rows` is Σw. */
  terms(rows: number, outputs: number): number;
  /**
   * rowLoss[i] ← weighted sum of row i's terms; dLogits ← gradient of the mean unless null.
   * @param smoothing 0 if left out: the share of a class or bit that is spread over all of them
   * @returns what the mean divides by; 0 if all rows have the weight 0, and the gradient is then 0
   */
  evaluate(
    kernels: Kernels,
    rows: number,
    logits: Tensor,
    targets: Targets,
    rowLoss: Tensor,
    dLogits: Tensor | null,
    smoothing?: number,
  ): number;
}

export const LOSSES: Readonly<Record<LossName, Loss>> = {
  /** 1/(B·K)·Σ (o − t)²; gradient 2/(B·K)·(o − t) */
  'mean-squared-error': {
    name: 'mean-squared-error',
    tasks: ['regression'],
    target: 'number',
    meanOf: 'identity',
    outputs: (targets) => targets,
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, output, targets, rowLoss, dOutput) {
      const terms = this.terms(totalWeight(kernels, rows, targets), output.columns);
      kernels.squaredError(rows, output, valuesOf(targets), share(terms), rowLoss, dOutput);
      weigh(kernels, rows, targets, rowLoss, dOutput);
      return terms;
    },
  },
  /** −1/(B·K)·Σ t·log σ(h) + (1 − t)·log(1 − σ(h)); gradient 1/(B·K)·(σ(h) − t) */
  'binary-cross-entropy': {
    name: 'binary-cross-entropy',
    tasks: ['binary', 'multilabel'],
    target: 'bit',
    meanOf: 'sigmoid',
    fuses: 'sigmoid',
    outputs: (targets) => targets,
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits, smoothing) {
      const terms = this.terms(totalWeight(kernels, rows, targets), logits.columns);
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
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits, smoothing) {
      const terms = this.terms(totalWeight(kernels, rows, targets), logits.columns);
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

/** Whether the targets of a loss are classes or bits, which can be smoothed. */
export function canSmooth(loss: LossName): boolean {
  return LOSSES[loss].target !== 'number';
}

/** The loss that computes the network's last layer itself; undefined if none does. */
export function fusedLoss(layers: readonly LayerSpec[]): LossName | undefined {
  const last = layers.at(-1)?.type;
  return Object.values(LOSSES).find(({ fuses }) => fuses !== undefined && fuses === last)?.name;
}

/** A smaller divisor may make infinity of a float32. */
const LEAST_WEIGHT = 2 ** -100;

/** Σw: the number of rows if they have no weights; 0 for rows that weigh next to nothing. */
function totalWeight(kernels: Kernels, rows: number, { weights }: Targets): number {
  const sum = weights ? kernels.sum(rows, weights) : rows;
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
