/**
 * The losses, from logits, as records by name: value and gradient come from one kernel, stable for logits of any size.
 * B rows, K outputs. A row with a weight w counts w times: the formulas below are those of weight 1.
 */
import type { IntVector, Kernels, Tensor } from '../kernels/kernels.js';
import type { LossName } from '../spec/train.js';

/** The targets of a batch: labels for softmax cross-entropy, values [B, K] for the rest; with weights, what each row counts. */
export type Targets = ({ readonly labels: IntVector } | { readonly values: Tensor }) & {
  /** [B, 1] What a row's loss is multiplied by; 1 where there are none. */
  readonly weights?: Tensor;
};

export interface Loss {
  readonly name: LossName;
  /** What is averaged over: B rows, or B·K elements, whatever the rows' weights are. */
  terms(rows: number, outputs: number): number;
  /**
   * rowLoss[i] ← the sum of row i's terms, times its weight; dLogits ← the gradient of the mean over all terms unless
   * null (dLogits may be logits). rowLoss is [B, 1].
   */
  evaluate(
    kernels: Kernels,
    rows: number,
    logits: Tensor,
    targets: Targets,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void;
}

export const LOSSES: Readonly<Record<LossName, Loss>> = {
  /** 1/(B·K)·Σ (o − t)²; gradient 2/(B·K)·(o − t) */
  'mean-squared-error': {
    name: 'mean-squared-error',
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, output, targets, rowLoss, dOutput) {
      const scale = 1 / this.terms(rows, output.columns);
      kernels.squaredError(rows, output, valuesOf(targets), scale, rowLoss, dOutput);
      weigh(kernels, rows, targets, rowLoss, dOutput);
    },
  },
  /** −1/(B·K)·Σ t·log σ(h) + (1 − t)·log(1 − σ(h)); gradient 1/(B·K)·(σ(h) − t) */
  'binary-cross-entropy': {
    name: 'binary-cross-entropy',
    terms: (rows, outputs) => rows * outputs,
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits) {
      const scale = 1 / this.terms(rows, logits.columns);
      kernels.sigmoidCrossEntropy(rows, logits, valuesOf(targets), scale, rowLoss, dLogits);
      weigh(kernels, rows, targets, rowLoss, dLogits);
    },
  },
  /** −1/B·Σ log P(y), P = softmax(h); gradient 1/B·(P − y) */
  'softmax-cross-entropy': {
    name: 'softmax-cross-entropy',
    terms: (rows) => rows,
    evaluate(kernels, rows, logits, targets, rowLoss, dLogits) {
      const scale = 1 / this.terms(rows, logits.columns);
      kernels.softmaxCrossEntropy(rows, logits, labelsOf(targets), scale, rowLoss, dLogits);
      weigh(kernels, rows, targets, rowLoss, dLogits);
    },
  },
};

/** A row's loss and its gradient by its weight; divided by as many terms as without weights, not by their sum. */
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
