/** Metrics after each epoch, batch by batch; weights count in the loss alone. */
import { sigmoid } from '../kernels/activations.js';
import { predictedClass, writeProbabilities } from '../network/logits.js';
import { calibratedLoss } from './calibratedLoss.js';
import {
  accuracy,
  averageScores,
  averagesOf,
  balancedAccuracy,
  type Confusion,
  classScores,
  rocAucOf,
} from './classification.js';
import { LabelCounts, labelAreas } from './multilabel.js';
import { RegressionErrors } from './regression.js';
import { plain } from './sum.js';

/** Metrics that are computed only if asked for, named as in epochs.csv. */
export type Extra = 'balanced_accuracy' | 'calibrated_loss' | 'f1' | 'mae' | 'roc_auc';

/**
 * By name and in the order of epochs.csv. R² is null for a single row, the area under the ROC curve
 * where a class has no row.
 */
export type Metrics =
  | {
      loss: number;
      accuracy: number;
      f1?: number;
      balanced_accuracy?: number;
      roc_auc?: number | null;
      calibrated_loss?: number;
    }
  | { loss: number; r2: number | null; rmse: number; mae?: number };

export interface Evaluation {
  readonly metrics: Metrics;
  /** confusion[actual][predicted] in rows; only for classes. */
  readonly confusion?: Confusion;
}

/** Accumulates evaluations over batches, one after the other. */
export interface Accumulator {
  /** Adds a batch's outputs [B, outputs], whose targets start at `firstRow`. */
  add(rows: number, outputs: ArrayLike<number>, firstRow: number): void;
  /** Adds a batch's loss: the weighted sum of its terms, and the sum of their weights. */
  addLoss(sum: number, terms: number): void;
  /** The evaluation, once all rows are added. The next one starts from nothing. */
  result(): Evaluation;
}

/**
 * F1 is that of the second of two classes, or the mean over more; so is the area under the ROC curve.
 * @param labels [rows] the number of each row's class
 */
export function classAccumulator(
  labels: ArrayLike<number>,
  outputs: number,
  classes: number,
  extras: readonly Extra[] = [],
): Accumulator {
  const zeros = () => Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let confusion = zeros();
  const loss = meanLoss();
  const has = new Set(extras);
  // Of all rows: of their order the area is told, of all at once the best temperature.
  const probabilities =
    has.has('roc_auc') || has.has('calibrated_loss') ? new Float64Array(labels.length * classes) : undefined;
  return {
    addLoss: loss.add,
    add(rows, logits, firstRow) {
      for (let i = 0; i < rows; i++) {
        confusion[labels[firstRow + i]][predictedClass(logits, i * outputs, outputs)]++;
        if (probabilities)
          writeProbabilities(logits, i * outputs, outputs, probabilities, (firstRow + i) * classes);
      }
    },
    result() {
      const metrics = {
        loss: loss.take(),
        accuracy: accuracy(confusion),
        ...(has.has('f1') && {
          f1: classes === 2 ? classScores(confusion)[1].f1 : averageScores(confusion).macro.f1,
        }),
        ...(has.has('balanced_accuracy') && { balanced_accuracy: balancedAccuracy(confusion) }),
        ...(probabilities && has.has('roc_auc') && { roc_auc: rocAucOf(labels, probabilities, classes) }),
        ...(probabilities &&
          has.has('calibrated_loss') && { calibrated_loss: calibratedLoss(labels, probabilities, classes) }),
      };
      const evaluation = { metrics, confusion };
      confusion = zeros();
      return evaluation;
    },
  };
}

/**
 * Of labels: the share of rows with all labels right, and F1 over all cells (micro).
 * @param labels [rows, outputs] 1 for yes, 0 for no
 */
export function labelAccumulator(
  labels: ArrayLike<number>,
  outputs: number,
  extras: readonly Extra[] = [],
): Accumulator {
  let counts = new LabelCounts(outputs);
  const loss = meanLoss();
  const scores = extras.includes('roc_auc') ? new Float64Array(labels.length) : undefined;
  return {
    addLoss: loss.add,
    add(rows, logits, firstRow) {
      const isYes = (at: number) => logits[at] > 0;
      for (let i = 0; i < rows; i++) counts.add(labels, (firstRow + i) * outputs, isYes, i * outputs);
      for (let at = 0; scores && at < rows * outputs; at++)
        scores[firstRow * outputs + at] = sigmoid(logits[at]);
    },
    result() {
      const metrics = {
        loss: loss.take(),
        accuracy: counts.accuracy,
        f1: averagesOf(counts).micro.f1,
        ...(scores && { roc_auc: labelAreas(labels, scores, outputs).mean }),
      };
      counts = new LabelCounts(outputs);
      return { metrics };
    },
  };
}

/**
 * The parameters are those of `RegressionErrors`.
 * @param options.points makes predictions [rows, targets] of outputs, in the units of the targets; by
 *   default outputs are predictions
 */
export function regressionAccumulator(
  targets: ArrayLike<number>,
  units: readonly number[],
  options: {
    readonly extras?: readonly Extra[];
    readonly points?: (rows: number, outputs: ArrayLike<number>) => ArrayLike<number>;
  } = {},
): Accumulator {
  const { extras = [], points = (_, outputs) => outputs } = options;
  const errors = new RegressionErrors(targets, units, plain);
  const loss = meanLoss();
  const width = units.length;
  let sizes = 0;
  return {
    addLoss: loss.add,
    add(rows, outputs, firstRow) {
      const predicted = points(rows, outputs);
      errors.add(rows, predicted, firstRow);
      if (!extras.includes('mae')) return;
      for (let at = 0; at < rows * width; at++) {
        sizes += units[at % width] * Math.abs(predicted[at] - targets[firstRow * width + at]);
      }
    },
    result() {
      const { r2, rmse } = errors.scores();
      errors.reset();
      const mae = extras.includes('mae') && { mae: sizes / targets.length };
      sizes = 0;
      return { metrics: { loss: loss.take(), r2, rmse, ...mae } };
    },
  };
}

function meanLoss() {
  let sum = 0;
  let terms = 0;
  return {
    add(batchSum: number, batchTerms: number) {
      sum += batchSum;
      terms += batchTerms;
    },
    /** The mean, and a new start. */
    take() {
      const mean = sum / terms;
      sum = 0;
      terms = 0;
      return mean;
    },
  };
}
