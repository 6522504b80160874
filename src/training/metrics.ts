/**
 * Metrics of a network on a set of rows, gathered batch by batch: the mean loss (weighted where the rows have
 * weights, without regularisation), and accuracy with the confusion matrix for classes, R² and RMSE for regression, where
 * every row counts 1.
 */
import type { FloatArray } from '../kernels/kernels.js';
import { predictedClass } from '../network/output.js';

/** What is reported each epoch, by name and in this order: loss, then accuracy, or r2 and rmse. */
export type Metrics = { loss: number; accuracy: number } | { loss: number; r2: number; rmse: number };

export interface Evaluation {
  readonly metrics: Metrics;
  /** confusion[actual][predicted] in rows; only for classes. */
  readonly confusion?: readonly (readonly number[])[];
}

/** Accumulates an evaluation over batches. */
export interface Accumulator {
  /** A batch's logits [B, outputs]; its targets start at `firstRow`. */
  add(rows: number, logits: FloatArray, firstRow: number): void;
  /** A batch's loss: the weighted sum of its terms, and how many they are. */
  addLoss(sum: number, terms: number): void;
  result(): Evaluation;
}

export function classAccumulator(labels: ArrayLike<number>, outputs: number, classes: number): Accumulator {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  const loss = meanLoss();
  let correct = 0;
  let total = 0;
  return {
    addLoss: loss.add,
    add(rows, logits, firstRow) {
      for (let i = 0; i < rows; i++) {
        const actual = labels[firstRow + i];
        const predicted = predictedClass(logits, i * outputs, outputs);
        confusion[actual][predicted]++;
        if (predicted === actual) correct++;
      }
      total += rows;
    },
    result: () => ({ metrics: { loss: loss.mean(), accuracy: correct / total }, confusion }),
  };
}

/**
 * R² and RMSE of K outputs.
 *
 * - R² is the mean of the outputs' own R² = 1 − Σ(t − o)²/Σ(t − t̄)², as scikit-learn's `r2_score` has it (`uniform_average`).
 *   Where all targets of an output are equal, its R² is 1 for a perfect fit and 0 otherwise.
 * - RMSE is the mean of the outputs' own roots of the mean squared error, each in its target's own unit, as scikit-learn's
 *   `root_mean_squared_error` has it.
 *
 * @param targets row-major [rows, K]
 * @param units for each output, how much of its target's own unit is 1 of what the network is trained on (1 if not standardised)
 */
export function regressionAccumulator(targets: ArrayLike<number>, units: readonly number[]): Accumulator {
  const outputs = units.length;
  const loss = meanLoss();
  const squaredErrors = new Float64Array(outputs);
  let total = 0;
  return {
    addLoss: loss.add,
    add(rows, output, firstRow) {
      const offset = firstRow * outputs;
      for (let i = 0, at = 0; i < rows; i++) {
        for (let j = 0; j < outputs; j++, at++) squaredErrors[j] += (output[at] - targets[offset + at]) ** 2;
      }
      total += rows;
    },
    result() {
      let r2 = 0;
      let rmse = 0;
      units.forEach((unit, j) => {
        const squaredError = squaredErrors[j];
        const variation = totalVariation(targets, outputs, j);
        const score = variation > 0 ? 1 - squaredError / variation : squaredError === 0 ? 1 : 0;
        r2 += score / outputs;
        rmse += (unit * Math.sqrt(squaredError / total)) / outputs;
      });
      return { metrics: { loss: loss.mean(), r2, rmse } };
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
    mean: () => sum / terms,
  };
}

/** Σ(t − t̄)² of output j, in two passes so that a large mean costs no digits; exactly 0 where all are equal. */
function totalVariation(targets: ArrayLike<number>, outputs: number, j: number): number {
  const rows = targets.length / outputs;
  let mean = 0;
  let varies = false;
  for (let at = j; at < targets.length; at += outputs) {
    mean += targets[at] / rows;
    varies ||= targets[at] !== targets[j];
  }
  if (!varies) return 0; // however the mean was rounded
  let sum = 0;
  for (let at = j; at < targets.length; at += outputs) sum += (targets[at] - mean) ** 2;
  return sum;
}
