/** Metrics after each epoch, batch by batch; weights count in the loss alone. */
import { predictedClass } from '../network/logits.js';
import { accuracy, averagesOf, type Confusion } from './classification.js';
import { LabelCounts } from './multilabel.js';
import { RegressionErrors } from './regression.js';
import { plain } from './sum.js';

/** By name and in the order of epochs.csv. R² is null for a single row. */
export type Metrics =
  | { loss: number; accuracy: number; f1?: number }
  | { loss: number; r2: number | null; rmse: number };

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

/** @param labels [rows] the number of each row's class */
export function classAccumulator(labels: ArrayLike<number>, outputs: number, classes: number): Accumulator {
  const zeros = () => Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let confusion = zeros();
  const loss = meanLoss();
  return {
    addLoss: loss.add,
    add(rows, logits, firstRow) {
      for (let i = 0; i < rows; i++) {
        confusion[labels[firstRow + i]][predictedClass(logits, i * outputs, outputs)]++;
      }
    },
    result() {
      const metrics = { loss: loss.take(), accuracy: accuracy(confusion) };
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
export function labelAccumulator(labels: ArrayLike<number>, outputs: number): Accumulator {
  let counts = new LabelCounts(outputs);
  const loss = meanLoss();
  return {
    addLoss: loss.add,
    add(rows, logits, firstRow) {
      const isYes = (at: number) => logits[at] > 0;
      for (let i = 0; i < rows; i++) counts.add(labels, (firstRow + i) * outputs, isYes, i * outputs);
    },
    result() {
      const metrics = { loss: loss.take(), accuracy: counts.accuracy, f1: averagesOf(counts).micro.f1 };
      counts = new LabelCounts(outputs);
      return { metrics };
    },
  };
}

/**
 * The parameters are those of `RegressionErrors`.
 * @param points makes predictions [rows, targets] of outputs, in the units of the targets; by default
 *   outputs are predictions
 */
export function regressionAccumulator(
  targets: ArrayLike<number>,
  units: readonly number[],
  points: (rows: number, outputs: ArrayLike<number>) => ArrayLike<number> = (_, outputs) => outputs,
): Accumulator {
  const errors = new RegressionErrors(targets, units, plain);
  const loss = meanLoss();
  return {
    addLoss: loss.add,
    add: (rows, outputs, firstRow) => errors.add(rows, points(rows, outputs), firstRow),
    result() {
      const { r2, rmse } = errors.scores();
      errors.reset();
      return { metrics: { loss: loss.take(), r2, rmse } };
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
