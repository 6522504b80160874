/** Metrics of a classifier: confusion matrix, scores, cross-entropies, areas under ROC curves. */
import { softplus } from '../kernels/activations.js';
import {
  averagePrecisionOf,
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  type SortedScores,
  sortScores,
} from './curves.js';
import { compensated, totalWeight } from './sum.js';

export interface ClassifiedRows {
  /**
   * [rows] The number of each row's class. One more than there are stands for unknown classes: such
   * rows count as wrong, in a row of the confusion matrix of their own, and not in the losses.
   */
  readonly labels: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  /** [rows, classes] row-major */
  readonly probabilities: ArrayLike<number>;
  /** [rows] Computed by `crossEntropies`. */
  readonly crossEntropies: ArrayLike<number>;
  /** [rows] What a row counts in the loss, and only there; 1 if missing. */
  readonly weights?: ArrayLike<number> | undefined;
}

export interface ClassMetrics extends ClassScores {
  /** This class against all others; null if no row is of it, or all are. */
  readonly rocAuc: number | null;
}

export interface Classification extends AverageScores {
  /** The loss that the network is trained on, without regularisation. */
  readonly loss: number;
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  /** Matthews' correlation coefficient, from −1 to 1. */
  readonly matthews: number;
  readonly logLoss: number;
  readonly brier: number;
  /** Of the second of two classes, or the mean over more classes; null if a class has no row. */
  readonly rocAuc: number | null;
  /** The area below the curve of precision over recall, in the same way. */
  readonly prAuc: number | null;
  /**
   * The expected calibration error in ten parts of [0, 1]: of two classes by the probability of the
   * second, of more by that of the predicted one.
   */
  readonly calibrationError: number;
  /** In the order of their numbers. */
  readonly classes: readonly ClassMetrics[];
  /** counts[actual][predicted] */
  readonly confusion: readonly (readonly number[])[];
}

export function evaluateClasses(rows: ClassifiedRows): Classification {
  const { labels, predicted, probabilities, crossEntropies, weights } = rows;
  const classes = probabilities.length / labels.length;
  const isKnown = (_: unknown, row: number) => labels[row] < classes;
  let hasUnknown = false;
  for (let row = 0; row < labels.length; row++) hasUnknown ||= labels[row] >= classes;
  const ofKnown = (values: ArrayLike<number>) =>
    hasUnknown ? Float64Array.from(values).filter(isKnown) : values;
  const known = ofKnown(crossEntropies);
  const confusion = confusionMatrix(labels, predicted, hasUnknown ? classes + 1 : classes);
  const areas = classAreas(labels, probabilities, classes);
  return {
    loss: weightedMean(known, weights && ofKnown(weights)),
    accuracy: accuracy(confusion),
    balancedAccuracy: balancedAccuracy(confusion),
    matthews: matthews(confusion),
    logLoss: logLoss(known),
    brier: brier(labels, probabilities, classes),
    rocAuc: meanArea(areas.map(({ roc }) => roc)),
    prAuc: meanArea(areas.map(({ precision }) => precision)),
    calibrationError: calibrationError(classCalibration(labels, predicted, probabilities, classes)),
    ...averageScores(confusion),
    classes: classScores(confusion).map((scores, j) => ({ ...scores, rocAuc: areas[j]?.roc ?? null })),
    confusion,
  };
}

/** [rows] Column j of `values` [rows, width]. */
export function columnOf(values: ArrayLike<number>, width: number, j: number): Float64Array {
  const column = new Float64Array(values.length / width);
  for (let row = 0; row < column.length; row++) column[row] = values[row * width + j];
  return column;
}

/** counts[actual][predicted]: rows of the one class that were predicted to be of the other. */
export type Confusion = readonly (readonly number[])[];

/** The confusion matrix [classes][classes] from class numbers, both [rows]. */
export function confusionMatrix(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < actual.length; row++) counts[actual[row]][predicted[row]]++;
  return counts;
}

/** The share of rows whose class was predicted; NaN without rows. */
export function accuracy(confusion: Confusion): number {
  const { hits, actual } = totalsOf(confusion);
  return total(hits) / total(actual);
}

/** The mean recall of the classes that have rows, as scikit-learn's `balanced_accuracy_score`. */
export function balancedAccuracy(confusion: Confusion): number {
  const { hits, actual } = totalsOf(confusion);
  const recalls = hits.flatMap((hit, j) => (actual[j] > 0 ? [hit / actual[j]] : []));
  return compensated.mean(recalls);
}

/**
 * The correlation of true and predicted classes (Gorodkin 2004): with n rows, c of them right, and
 * a_k and p_k rows of class k and predicted to be of it,
 * (c·n − Σ a_k·p_k) / √((n² − Σ a_k²)·(n² − Σ p_k²)); 0 where that is 0/0.
 */
export function matthews(confusion: Confusion): number {
  const { hits, actual, predicted } = totalsOf(confusion);
  const n = total(actual);
  const products = (a: readonly number[], b: readonly number[]) => total(a.map((count, k) => count * b[k]));
  const spread = (n * n - products(actual, actual)) * (n * n - products(predicted, predicted));
  return spread === 0 ? 0 : (total(hits) * n - products(actual, predicted)) / Math.sqrt(spread);
}

/**
 * The mean over the rows of Σ_k (P_k − y_k)² (Brier 1950), of two classes of the second alone, as
 * scikit-learn's `brier_score_loss`. Rows of unknown classes are left out.
 */
function brier(labels: ArrayLike<number>, probabilities: ArrayLike<number>, classes: number): number {
  const sum = compensated.sum();
  let rows = 0;
  for (let row = 0; row < labels.length; row++) {
    if (labels[row] >= classes) continue;
    rows++;
    for (let k = classes === 2 ? 1 : 0; k < classes; k++) {
      sum.add((probabilities[row * classes + k] - (labels[row] === k ? 1 : 0)) ** 2);
    }
  }
  return sum.value / rows;
}

/** In [0, 1]. */
export interface Scores {
  /** The share of the rows predicted to be of a class that are. */
  readonly precision: number;
  /** The share of the rows of a class that were predicted to be. */
  readonly recall: number;
  readonly f1: number;
}

export interface ClassScores extends Scores {
  readonly support: number;
  readonly predicted: number;
}

/**
 * Scores of each class; 0/0 (no such row or prediction) is 0, as scikit-learn's `zero_division`.
 */
export function classScores(confusion: Confusion): ClassScores[] {
  return scoresOfClasses(totalsOf(confusion));
}

export function scoresOfClasses({ hits, actual, predicted }: Totals): ClassScores[] {
  return hits.map((hit, j) => ({
    ...scoresOf(hit, actual[j], predicted[j]),
    support: actual[j],
    predicted: predicted[j],
  }));
}

/** Averaged in three ways (scikit-learn's `average`). */
export interface AverageScores {
  /** Every class that occurs among the rows or the predictions counts the same. */
  readonly macro: Scores;
  readonly weighted: Scores;
  /** Over all rows together: with one class per row, all three are the accuracy. */
  readonly micro: Scores;
}

export function averageScores(confusion: Confusion): AverageScores {
  const totals = totalsOf(confusion);
  // A class that occurs nowhere has meaningless scores of 0; scikit-learn omits it too.
  return averagesOf(totals, ({ support, predicted }) => support + predicted > 0);
}

/** Only the classes that `counts` says are in the macro average; by default all, as scikit-learn's labels. */
export function averagesOf(
  totals: Totals,
  counts: (scores: ClassScores) => boolean = () => true,
): AverageScores {
  const { hits, actual, predicted } = totals;
  const scores = scoresOfClasses(totals);
  const counted = scores.filter(counts);
  const rows = total(actual);
  return {
    macro: eachScore((key) => compensated.mean(counted.map((score) => score[key]))),
    weighted: eachScore((key) => share(total(scores.map((score) => score[key] * score.support)), rows)),
    micro: scoresOf(total(hits), rows, total(predicted)),
  };
}

function eachScore(score: (key: keyof Scores) => number): Scores {
  return { precision: score('precision'), recall: score('recall'), f1: score('f1') };
}

function scoresOf(hits: number, actual: number, predicted: number): Scores {
  return {
    precision: share(hits, predicted),
    recall: share(hits, actual),
    f1: share(2 * hits, actual + predicted),
  };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** For each class: rows predicted right, rows of it, rows predicted to be of it. */
export interface Totals {
  readonly hits: readonly number[];
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
}

function totalsOf(confusion: Confusion): Totals {
  return {
    hits: confusion.map((row, j) => row[j]),
    actual: confusion.map(total),
    predicted: confusion.map((_, j) => total(confusion.map((row) => row[j]))),
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * [rows] −log P(y) from logits, as P may round to 0: log(1 + exp(∓h)) for one output h, the logit
 * of the second of two classes; log Σ exp(h_k) − h_y for more.
 * @param logits [rows, outputs] row-major; may be longer
 */
export function crossEntropies(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  outputs: number,
): Float64Array {
  const losses = new Float64Array(labels.length);
  for (let row = 0; row < losses.length; row++) {
    losses[row] =
      outputs === 1
        ? softplus(labels[row] === 1 ? -logits[row] : logits[row])
        : softmaxCrossEntropy(labels[row], logits, row * outputs, outputs);
  }
  return losses;
}

/** (h_a − h_y) + log(1 + Σ_{k≠a} exp(h_k − h_a)), h_a the largest: small powers are not lost. */
function softmaxCrossEntropy(
  label: number,
  logits: ArrayLike<number>,
  first: number,
  outputs: number,
): number {
  let largest = first;
  for (let k = first + 1; k < first + outputs; k++) if (logits[k] > logits[largest]) largest = k;
  const top = logits[largest];
  let others = 0;
  for (let k = first; k < first + outputs; k++) if (k !== largest) others += Math.exp(logits[k] - top);
  return top - logits[first + label] + Math.log1p(others);
}

/** The loss that a network is trained on: Σ weight·loss / Σ weight. */
export function weightedMean(losses: ArrayLike<number>, weights?: ArrayLike<number>): number {
  const sum = compensated.sum();
  for (let row = 0; row < losses.length; row++) sum.add(losses[row] * (weights?.[row] ?? 1));
  return sum.value / totalWeight(losses.length, weights);
}

/**
 * The mean with probabilities clipped to [ε, 1 − ε], ε = 2⁻⁵², as scikit-learn's `log_loss` in
 * float64: no row counts more than 36.04, so it is finite.
 */
export function logLoss(crossEntropies: ArrayLike<number>): number {
  const sum = compensated.sum();
  for (let row = 0; row < crossEntropies.length; row++) {
    sum.add(Math.min(Math.max(crossEntropies[row], LEAST), MOST));
  }
  return sum.value / crossEntropies.length;
}

const LEAST = -Math.log(1 - Number.EPSILON);
const MOST = -Math.log(Number.EPSILON);

/**
 * Area under the ROC curve (Hanley and McNeil, Radiology 143, 1982): the share of pairs of a row of
 * class `positive` and another in which the first has the greater score, a tie counting half. From
 * sorted scores, O(n log n). Null without either kind of row, or if a score is NaN.
 */
export function rocAuc(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  positive: number,
): number | null {
  return areaOf(sortScores((row) => labels[row] === positive, scores));
}

function areaOf(sorted: SortedScores | undefined): number | null {
  if (!sorted) return null;
  const { own, others } = sorted;
  if (own.length === 0 || others.length === 0) return null;
  // Halves are exact, and so is the sum, up to 2^52 pairs.
  let won = 0;
  let below = 0;
  let upTo = 0;
  for (const score of own) {
    while (below < others.length && others[below] < score) below++;
    while (upTo < others.length && others[upTo] <= score) upTo++;
    won += (below + upTo) / 2;
  }
  return won / own.length / others.length;
}

/** The areas of a class against all others, below its ROC curve and that of precision over recall. */
interface Areas {
  readonly roc: number | null;
  readonly precision: number | null;
}

/** [classes] Scores are sorted once for both areas. */
function classAreas(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): readonly Areas[] {
  return Array.from({ length: classes }, (_, j) => {
    const sorted = sortScores((row) => labels[row] === j, columnOf(probabilities, classes, j));
    return { roc: areaOf(sorted), precision: sorted ? averagePrecisionOf(sorted) : null };
  });
}

/**
 * How often probabilities are right: of two classes that of the second, of more that of the predicted
 * class. Labels and predicted classes are [rows], probabilities [rows, classes].
 */
export function classCalibration(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): CalibrationBin[] {
  const rows = labels.length;
  const classOf = (row: number) => (classes === 2 ? 1 : predicted[row]);
  const isOf = Uint8Array.from({ length: rows }, (_, row) => (labels[row] === classOf(row) ? 1 : 0));
  const own = Float64Array.from({ length: rows }, (_, row) => probabilities[row * classes + classOf(row)]);
  return calibrationBins(isOf, own);
}

/** The area of the second of two classes, or the mean over more. */
function meanArea(areas: readonly (number | null)[]): number | null {
  return areas.length === 2 ? areas[1] : macroRocAuc(areas);
}

/** The area below the ROC curve, as `evaluateClasses` has it, from probabilities [rows, classes]. */
export function rocAucOf(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: number,
): number | null {
  const of = (j: number) => rocAuc(labels, columnOf(probabilities, classes, j), j);
  return classes === 2 ? of(1) : macroRocAuc(Array.from({ length: classes }, (_, j) => of(j)));
}

/** scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")`; null if an area is. */
export function macroRocAuc(areas: readonly (number | null)[]): number | null {
  const defined = areas.filter((area) => area !== null);
  return defined.length < areas.length ? null : compensated.mean(defined);
}
