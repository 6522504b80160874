/**
 * One metric of averaged predictions, cheap enough for thousands of ensembles: what
 * `mlp evaluate` reports of them, without its other metrics.
 */
import { toNetwork } from '../../data/dataset/targetUnits.js';
import { weightedMean } from '../../evaluation/classification.js';
import { likeliest } from '../../model/ensembleInference.js';
import type { ReadingModel } from '../../model/load.js';
import { middleOf, targetOf } from '../../model/predictions.js';
import { elementParameters, LOSSES } from '../../network/loss.js';
import type { EnsembleMetric } from '../../spec/words.js';
import type { HeldOut } from './heldOut.js';

type ScoredRows = Pick<HeldOut, 'rows' | 'truth' | 'weights'>;

export type Score = (predictions: Float64Array) => number;

/** The score of predictions [rows, width] by a metric that the task has. */
export function scoreBy(metric: EnsembleMetric, model: ReadingModel, rows: ScoredRows): Score {
  const isRegression = model.task === 'regression';
  if (metric === 'validation_rmse') return rmseOf(model, rows);
  if (metric === 'validation_accuracy') return accuracyOf(model, rows);
  const losses = isRegression ? regressionLosses(model, rows) : crossEntropies(model, rows);
  return (predictions) => weightedMean(losses(predictions), rows.weights);
}

/** [rows] −log of the probability of what is true, at most 744; over labels their mean. */
function crossEntropies({ labelValues, classes }: ReadingModel, { rows, truth }: ScoredRows) {
  const losses = new Float64Array(rows);
  if (classes) {
    const width = classes.length;
    return (predictions: Float64Array) => {
      for (let row = 0; row < rows; row++) losses[row] = costOf(predictions[row * width + truth[row]]);
      return losses;
    };
  }
  const width = labelValues?.length ?? 1;
  return (predictions: Float64Array) => {
    losses.fill(0);
    for (let at = 0; at < truth.length; at++) {
      const probability = truth[at] === 1 ? predictions[at] : 1 - predictions[at];
      losses[Math.floor(at / width)] += costOf(probability) / width;
    }
    return losses;
  };
}

/** Finite for a probability of 0, too, which a saturated network gives. */
function costOf(probability: number): number {
  return -Math.log(Math.max(probability, Number.MIN_VALUE));
}

/** The share of rows whose class, or all of whose labels, are right. */
function accuracyOf({ labelValues, classes }: ReadingModel, { rows, truth }: ScoredRows): Score {
  const width = classes?.length ?? labelValues?.length ?? 1;
  const isRight = (predictions: Float64Array, row: number): boolean => {
    const first = row * width;
    if (!classes) {
      for (let j = first; j < first + width; j++) if (predictions[j] > 0.5 !== (truth[j] === 1)) return false;
      return true;
    }
    return likeliest(predictions, first, width) === truth[row];
  };
  return (predictions) => {
    let right = 0;
    for (let row = 0; row < rows; row++) if (isRight(predictions, row)) right++;
    return right / rows;
  };
}

/** [rows] The loss of the model in its network's units, over several outputs the mean. */
function regressionLosses(model: ReadingModel, { rows, truth }: ScoredRows) {
  const { loss, lossParameters = {}, targets, lossUnit = 1 } = model;
  const { element, link } = LOSSES[loss];
  const outputs = lossParameters.quantiles?.length ?? targets.length;
  const parameters = elementParameters(loss, lossParameters, outputs);
  const expected = truth.map((value, at) => toNetwork(value, at % targets.length, model));
  const losses = new Float64Array(rows);
  const lossAt = (predictions: Float64Array, row: number, j: number) => {
    const target = targetOf(j, model);
    const own = toNetwork(predictions[row * outputs + j], target, model);
    const output = link ? link.of(own) : own;
    const wanted = expected[row * targets.length + target];
    return element ? element.value(output, wanted, parameters?.[j] ?? 0) : (output - wanted) ** 2;
  };
  return (predictions: Float64Array) => {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let j = 0; j < outputs; j++) sum += lossAt(predictions, row, j);
      losses[row] = (sum / outputs) * lossUnit;
    }
    return losses;
  };
}

/** √ of the mean squared error in the target's own unit; over several targets the mean of theirs. */
function rmseOf({ targets, lossParameters = {} }: ReadingModel, { rows, truth }: ScoredRows): Score {
  const { quantiles } = lossParameters;
  const width = quantiles?.length ?? targets.length;
  const column = quantiles ? middleOf(lossParameters) : undefined;
  return (predictions) => {
    let mean = 0;
    for (let j = 0; j < targets.length; j++) {
      let squares = 0;
      for (let row = 0; row < rows; row++) {
        squares += (predictions[row * width + (column ?? j)] - truth[row * targets.length + j]) ** 2;
      }
      mean += Math.sqrt(squares / rows) / targets.length;
    }
    return mean;
  };
}
