/** Scores a model chunk by chunk: it keeps predictions and targets, but no features. */
import type { TargetValues } from '../data/dataset/targets.js';
import {
  type AverageScores,
  type Classification,
  type ClassMetrics,
  type Confusion,
  crossEntropies,
  evaluateClasses,
} from '../evaluation/classification.js';
import { evaluateRegression, type Regression, type TargetMetrics } from '../evaluation/regression.js';
import type { Tensor } from '../kernels/kernels.js';
import type { LossName, Task } from '../spec/words.js';
import type { Inference } from './inference.js';
import type { Model } from './load.js';

/**
 * The true values of a chunk: class numbers [rows], or targets [rows, targets] in the network's
 * units.
 */
export type ExpectedValues = Int32Array | Float64Array;

export interface Scorer {
  /** Adds the first `rows` rows of the last forward pass, whose logits are [capacity, outputs]. */
  add(rows: number, logits: Tensor, expected: ExpectedValues): void;
  /** The metrics of all rows; the loss uses `weights` [rows]. */
  result(weights?: Float64Array): Classification | Regression;
}

export function createScorer(model: Model, inference: Inference): Scorer {
  return model.classes ? new ClassScorer(inference) : new RegressionScorer(model);
}

class ClassScorer implements Scorer {
  readonly #labels: ExpectedValues[] = [];
  readonly #predicted: Int32Array[] = [];
  readonly #probabilities: Float64Array[] = [];
  readonly #crossEntropies: Float64Array[] = [];

  readonly #inference: Inference;

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    const inference = this.#inference;
    this.#labels.push(expected.slice());
    this.#predicted.push(inference.labels(rows).slice());
    this.#probabilities.push(inference.predictions(rows).slice());
    this.#crossEntropies.push(crossEntropies(expected, logits.data, inference.outputs));
  }

  result(weights?: Float64Array): Classification {
    return evaluateClasses({
      labels: joined(Int32Array, this.#labels),
      predicted: joined(Int32Array, this.#predicted),
      probabilities: joined(Float64Array, this.#probabilities),
      crossEntropies: joined(Float64Array, this.#crossEntropies),
      weights,
    });
  }
}

class RegressionScorer implements Scorer {
  readonly #units: readonly number[];
  readonly #lossUnit: number;
  readonly #targets: ExpectedValues[] = [];
  readonly #outputs: Float64Array[] = [];

  constructor({ targets, targetStandardization, lossUnit = 1 }: Model) {
    this.#units = targetStandardization?.scale ?? targets.map(() => 1);
    this.#lossUnit = lossUnit;
  }

  add(rows: number, logits: Tensor, expected: ExpectedValues): void {
    this.#targets.push(expected.slice());
    this.#outputs.push(Float64Array.from(logits.data.subarray(0, rows * logits.columns)));
  }

  result(weights?: Float64Array): Regression {
    const scores = evaluateRegression({
      targets: joined(Float64Array, this.#targets),
      outputs: joined(Float64Array, this.#outputs),
      units: this.#units,
      weights,
    });
    return { ...scores, loss: scores.loss * this.#lossUnit };
  }
}

function joined<T extends ExpectedValues>(
  type: new (length: number) => T,
  parts: readonly ExpectedValues[],
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let next = 0;
  for (const part of parts) {
    all.set(part, next);
    next += part.length;
  }
  return all;
}

/** Targets as the network has them: class numbers, or values in standardised units. */
export function expectedValues(
  targets: TargetValues | undefined,
  { targetStandardization }: Model,
): ExpectedValues {
  if (targets === undefined) throw new TypeError('targets were asked for');
  if ('labels' in targets) return targets.labels;
  const { values, width } = targets;
  if (targetStandardization === undefined) return values;
  const { mean, scale } = targetStandardization;
  return values.map((value, i) => (value - mean[i % width]) / scale[i % width]);
}

/** The metrics of a model on rows, with names: the core of `mlp evaluate --json`. */
export interface EvaluationReport {
  readonly rows: number;
  readonly task: Task;
  readonly loss: LossName;
  /** Whether rows have weights in the loss. */
  readonly weighted: boolean;
  /** loss and accuracy, logLoss, rocAuc, or r2, rmse, mae. Null if undefined. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Only for classes: precision, recall and F1 as averages. */
  readonly averages?: AverageScores;
  readonly classes?: readonly ({ readonly name: string } & ClassMetrics)[];
  /** confusion[actual][predicted] in rows. */
  readonly confusion?: Confusion;
  /** Only for a regression. */
  readonly targets?: readonly ({ readonly name: string } & TargetMetrics)[];
}

export function reportOf(
  model: Model,
  { rows, weighted, result }: { rows: number; weighted: boolean; result: Classification | Regression },
): EvaluationReport {
  const head = { rows, task: model.task, loss: model.loss, weighted };
  if (!('confusion' in result)) {
    const { loss, r2, rmse, mae, targets } = result;
    return {
      ...head,
      metrics: { loss, r2, rmse, mae },
      targets: targets.map((errors, j) => ({ name: model.targets[j], ...errors })),
    };
  }
  const { loss, accuracy, logLoss, rocAuc, macro, weighted: byRows, micro, classes, confusion } = result;
  return {
    ...head,
    metrics: { loss, accuracy, logLoss, rocAuc },
    averages: { macro, weighted: byRows, micro },
    classes: classes.map((scores, j) => ({ name: model.classes?.[j] ?? '', ...scores })),
    confusion,
  };
}
