/** Scores a model chunk by chunk: it keeps predictions and targets, but no features. */

import type { TargetValues } from '../data/dataset/targets.js';
import { toNetwork } from '../data/dataset/targetUnits.js';
import { joined } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import {
  type AverageScores,
  type Classification,
  type ClassifiedRows,
  type ClassMetrics,
  type Confusion,
  columnOf,
  crossEntropies,
  evaluateClasses,
} from '../evaluation/classification.js';
import { countByScore } from '../evaluation/curves.js';
import {
  evaluateLabels,
  type LabelMetrics,
  labelCrossEntropies,
  type Multilabel,
} from '../evaluation/multilabel.js';
import {
  evaluateQuantiles,
  evaluateRegression,
  meanAbsolutePercentageError,
  poissonDeviance,
  type QuantileMetrics,
  type Regression,
  type TargetMetrics,
} from '../evaluation/regression.js';
import { type ThresholdGoal, type ThresholdTable, thresholdTable } from '../evaluation/thresholds.js';
import type { LossName, Task } from '../spec/words.js';
import type { Logits, Predicted, Thresholds } from './inference.js';
import type { ReadingModel } from './load.js';
import { isLinear, ownTargets, pointsOf, predictionOf } from './predictions.js';
import { numberLosses } from './rowLosses.js';

/**
 * The true values of a chunk: class numbers [rows], or targets [rows, targets] in the network's
 * units.
 */
export type ExpectedValues = Int32Array | Float64Array;

export interface Scorer {
  /** Adds the first `rows` rows of the last forward pass, whose logits are [capacity, outputs]. */
  add(rows: number, logits: Logits, expected: ExpectedValues): void;
  /** How many rows are scored: those that have a target. */
  readonly rows: number;
  /** The metrics of all rows; the loss uses `weights` [rows]. */
  result(weights?: Float64Array): Scored;
}

/** Of classes with the thresholds that were compared, if one was chosen: the scores are at the best one. */
export type ScoredClasses = Classification & { readonly thresholds?: ThresholdTable };
export type Scored = ScoredClasses | Multilabel | Regression;

/**
 * @param thresholds see `Inference.labels`
 * @param goal of two classes: what the best threshold for the scored rows is chosen by
 */
export function createScorer(
  model: ReadingModel,
  inference: Predicted,
  thresholds?: Thresholds,
  goal?: ThresholdGoal,
): Scorer {
  const { width, outputs } = inference;
  if (model.labelValues) {
    return new ClassScorer(inference, thresholds, {
      width,
      crossEntropies: (expected, logits) => labelCrossEntropies(expected, logits, width),
      evaluate: (rows) => evaluateLabels(width, rows),
    });
  }
  if (model.classes) {
    return new ClassScorer(inference, thresholds, {
      width: 1,
      crossEntropies: (expected, logits) => crossEntropies(expected, logits, outputs),
      evaluate: goal ? (rows) => evaluateAtBest(rows, goal) : evaluateClasses,
    });
  }
  return new RegressionScorer(model, outputs);
}

/** The scores at the best threshold for these rows. */
function evaluateAtBest(rows: ClassifiedRows, goal: ThresholdGoal): ScoredClasses {
  const { labels, probabilities } = rows;
  const second = columnOf(probabilities, 2, 1);
  const isSecond = new Uint8Array(labels.length).map((_, row) => Number(labels[row] === 1));
  const thresholds = thresholdTable(countByScore(isSecond, second), goal);
  const predicted = new Int32Array(second.length).map((_, row) =>
    Number(second[row] >= thresholds.best.threshold),
  );
  return { ...evaluateClasses({ ...rows, predicted }), thresholds };
}

/** What classes and labels differ in. */
interface Classes {
  /** How many expected values a row has: its class, or one for each label. */
  readonly width: number;
  /** [rows] */
  crossEntropies(expected: ExpectedValues, logits: Logits['data']): Float64Array;
  evaluate(rows: ClassifiedRows): Classification | Multilabel;
}

class ClassScorer implements Scorer {
  readonly #labels: ExpectedValues[] = [];
  readonly #predicted: Int32Array[] = [];
  readonly #probabilities: Float64Array[] = [];
  readonly #crossEntropies: Float64Array[] = [];

  readonly #inference: Predicted;
  readonly #thresholds: Thresholds | undefined;
  readonly #classes: Classes;

  constructor(inference: Predicted, thresholds: Thresholds | undefined, classes: Classes) {
    this.#inference = inference;
    this.#thresholds = thresholds;
    this.#classes = classes;
  }

  rows = 0;

  add(rows: number, logits: Logits, expected: ExpectedValues): void {
    const inference = this.#inference;
    const { width, crossEntropies } = this.#classes;
    const kept = scoredRows(expected, width);
    this.rows += kept.length;
    this.#labels.push(pick(expected, kept, width));
    this.#predicted.push(pick(inference.labels(rows, this.#thresholds), kept, width));
    this.#probabilities.push(pick(inference.predictions(rows), kept, inference.width));
    this.#crossEntropies.push(pick(crossEntropies(expected, logits.data), kept, 1));
  }

  result(weights?: Float64Array): Classification | Multilabel {
    requireRows(this.rows);
    return this.#classes.evaluate({
      labels: joined(Float64Array, this.#labels),
      predicted: joined(Int32Array, this.#predicted),
      probabilities: joined(Float64Array, this.#probabilities),
      crossEntropies: joined(Float64Array, this.#crossEntropies),
      weights,
    });
  }
}

class RegressionScorer implements Scorer {
  readonly #model: ReadingModel;
  readonly #width: number;
  readonly #outputs: number;
  readonly #targets: ExpectedValues[] = [];
  readonly #values: Float64Array[] = [];

  constructor(model: ReadingModel, outputs: number) {
    this.#model = model;
    this.#width = model.targets.length;
    this.#outputs = outputs;
  }

  rows = 0;

  add(rows: number, logits: Logits, expected: ExpectedValues): void {
    const kept = scoredRows(expected, this.#width);
    this.rows += kept.length;
    this.#targets.push(pick(expected, kept, this.#width));
    const values = Float64Array.from(logits.data.subarray(0, rows * this.#outputs));
    this.#values.push(pick(values, kept, this.#outputs));
  }

  result(weights?: Float64Array): Regression {
    requireRows(this.rows);
    const model = this.#model;
    const { targetStandardization, lossUnit = 1 } = model;
    const targets = joined(Float64Array, this.#targets);
    const outputs = joined(Float64Array, this.#values);
    const isSquared = isLinear(model) && model.loss === 'mean-squared-error';
    const losses = isSquared ? undefined : numberLosses(model, this.#outputs, targets, outputs, this.#width);
    const own = ownTargets(targets, this.#width, model);
    if (isLinear(model)) {
      const units = targetStandardization?.scale ?? model.targets.map(() => 1);
      const scores = evaluateRegression({ targets, outputs, units, losses, weights });
      const predictions = ownTargets(outputs, this.#width, model);
      const mape = meanAbsolutePercentageError(own, predictions);
      return { ...scores, loss: scores.loss * lossUnit, mape };
    }
    const points = pointsOf(this.rows, outputs, this.#outputs, model);
    const units = model.targets.map(() => 1);
    const scores = evaluateRegression({ targets: own, outputs: points, units, losses, weights });
    const predictions = outputs.map((value, at) => predictionOf(value, at % this.#outputs, model));
    const { quantiles } = model.lossParameters ?? {};
    return {
      ...scores,
      loss: scores.loss * lossUnit,
      mape: meanAbsolutePercentageError(own, points),
      ...(quantiles && evaluateQuantiles(own, predictions, quantiles)),
      ...(model.loss === 'poisson' && { poissonDeviance: poissonDeviance(own, points) }),
    };
  }
}

/** The rows [rows, width] that have their targets. */
function scoredRows(expected: ExpectedValues, width: number): number[] {
  const isLabels = expected instanceof Int32Array;
  const kept: number[] = [];
  for (let row = 0; row * width < expected.length; row++) {
    let present = true;
    for (let j = 0; j < width; j++) {
      const value = expected[row * width + j];
      if (isLabels ? value < 0 : Number.isNaN(value)) present = false;
    }
    if (present) kept.push(row);
  }
  return kept;
}

/** A copy of these rows of `values` [rows, width]. */
function pick<T extends ExpectedValues>(values: T, rows: readonly number[], width: number): T {
  if (rows.length * width === values.length) return values.slice() as T;
  const picked = values.slice(0, rows.length * width) as T;
  rows.forEach((row, i) => {
    for (let j = 0; j < width; j++) picked[i * width + j] = values[row * width + j];
  });
  return picked;
}

function requireRows(rows: number): void {
  if (rows > 0) return;
  throw new MlpError(ExitCode.data, 'found no row with a target, expected rows to score');
}

/** Targets as the network has them: class numbers, or values in standardised units. */
export function expectedValues(targets: TargetValues | undefined, model: ReadingModel): ExpectedValues {
  if (targets === undefined) throw new TypeError('targets were asked for');
  if ('labels' in targets) return targets.labels;
  const { values, width } = targets;
  return values.map((value, i) => toNetwork(value, i % width, model));
}

/** The metrics of a model on rows, with names: the core of `mlp evaluate --json`. */
export interface EvaluationReport {
  readonly rows: number;
  readonly task: Task;
  readonly loss: LossName;
  /** Whether rows have weights in the loss. */
  readonly weighted: boolean;
  /**
   * loss, and of classes accuracy, balancedAccuracy, matthews, logLoss, brier, rocAuc, prAuc,
   * calibrationError; of labels accuracy, hammingLoss, rocAuc; of a regression r2, rmse, mae, medianAbsoluteError, mape, with coverage or
   * poissonDeviance. Null if undefined.
   */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Only for classes and labels: precision, recall and F1 as averages. */
  readonly averages?: AverageScores;
  readonly classes?: readonly ({ readonly name: string } & ClassMetrics)[];
  /** confusion[actual][predicted] in rows. */
  readonly confusion?: Confusion;
  /** Only where a threshold was chosen. */
  readonly thresholds?: ThresholdTable;
  /** Only for a multilabel task: the scores of each label, about the rows with it. */
  readonly labels?: readonly ({ readonly name: string } & LabelMetrics)[];
  /** Only for a regression. */
  readonly targets?: readonly ({ readonly name: string } & TargetMetrics)[];
  /** Only for the loss quantile, in the unit of the target. */
  readonly quantiles?: readonly QuantileMetrics[];
}

/** The row of the confusion matrix for classes that the model does not know. */
export const UNKNOWN_CLASS = '(unknown)';

export function reportOf(
  model: ReadingModel,
  { rows, weighted, result }: { rows: number; weighted: boolean; result: Scored },
): EvaluationReport {
  const head = { rows, task: model.task, loss: model.loss, weighted };
  if ('hammingLoss' in result) {
    const { loss, accuracy, hammingLoss, rocAuc, macro, weighted: byRows, micro, labels } = result;
    return {
      ...head,
      metrics: { loss, accuracy, hammingLoss, rocAuc },
      averages: { macro, weighted: byRows, micro },
      labels: labels.map((scores, j) => ({ name: model.targets[j], ...scores })),
    };
  }
  if (!('confusion' in result)) {
    const { loss, r2, rmse, mae, medianAbsoluteError, mape = null } = result;
    const { targets, quantiles, coverage, poissonDeviance } = result;
    return {
      ...head,
      metrics: {
        loss,
        r2,
        rmse,
        mae,
        medianAbsoluteError,
        mape,
        ...(coverage !== undefined && { coverage }),
        ...(poissonDeviance !== undefined && { poissonDeviance }),
      },
      ...(quantiles && { quantiles }),
      targets: targets.map((errors, j) => ({ name: model.targets[j], ...errors })),
    };
  }
  const { loss, accuracy, balancedAccuracy, matthews, logLoss, brier, rocAuc, prAuc, calibrationError } =
    result;
  const { macro, weighted: byRows, micro, classes, confusion, thresholds } = result;
  return {
    ...head,
    metrics: {
      loss,
      accuracy,
      balancedAccuracy,
      matthews,
      logLoss,
      brier,
      rocAuc,
      prAuc,
      calibrationError,
    },
    ...(thresholds && { thresholds }),
    averages: { macro, weighted: byRows, micro },
    classes: classes.map((scores, j) => ({ name: model.classes?.[j] ?? UNKNOWN_CLASS, ...scores })),
    confusion,
  };
}
