/**
 * Metrics of a network on a set of rows, gathered batch by batch: the mean loss (without regularisation), and
 * accuracy with the confusion matrix for classes, R² and RMSE for regression.
 */
import type { FloatArray } from '../kernels/kernels.js';

/** What is reported each epoch, by name and in this order: loss, then accuracy, or r2 and rmse. */
export type Metrics = { loss: number; accuracy: number } | { loss: number; r2: number; rmse: number };

export interface Evaluation {
  readonly metrics: Metrics;
  /** confusion[actual][predicted] in rows; only for classes. */
  readonly confusion?: readonly (readonly number[])[];
}

/** The class of a row of logits: the largest one, the first of equals; of a single logit, whether it is above 0. */
export function predictedClass(logits: FloatArray, start: number, outputs: number): number {
  if (outputs === 1) return logits[start] > 0 ? 1 : 0;
  let best = 0;
  for (let j = 1; j < outputs; j++) if (logits[start + j] > logits[start + best]) best = j;
  return best;
}

/** Accumulates an evaluation over batches. */
export interface Accumulator {
  /** A batch's logits [B, outputs]; its targets start at `firstRow`. */
  add(rows: number, logits: FloatArray, firstRow: number): void;
  /** A batch's loss: the sum of its terms, and how many they are. */
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
 * R² = 1 − Σ(t − o)²/Σ(t − t̄)² over all outputs together, and RMSE in the target's own unit.
 * Where all targets are equal, R² is 1 for a perfect fit and 0 otherwise, as scikit-learn has it.
 *
 * @param targets row-major [rows, outputs]
 * @param unit how much of the target's own unit is 1 of what the network is trained on (1 if not standardised)
 */
export function regressionAccumulator(
  targets: ArrayLike<number>,
  outputs: number,
  unit: number,
): Accumulator {
  const loss = meanLoss();
  let squaredError = 0;
  let count = 0;
  return {
    addLoss: loss.add,
    add(rows, output, firstRow) {
      const offset = firstRow * outputs;
      for (let at = 0; at < rows * outputs; at++) squaredError += (output[at] - targets[offset + at]) ** 2;
      count += rows * outputs;
    },
    result() {
      const variation = totalVariation(targets);
      const r2 = variation > 0 ? 1 - squaredError / variation : squaredError === 0 ? 1 : 0;
      return { metrics: { loss: loss.mean(), r2, rmse: unit * Math.sqrt(squaredError / count) } };
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

/** Σ(t − t̄)², in two passes so that a large mean costs no digits. */
function totalVariation(targets: ArrayLike<number>): number {
  let mean = 0;
  for (let i = 0; i < targets.length; i++) mean += targets[i] / targets.length;
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (targets[i] - mean) ** 2;
  return sum;
}
