/** All metrics of a classifier on a set of rows. */
import {
  type AverageScores,
  accuracy,
  averageScores,
  type ClassScores,
  classScores,
  confusionMatrix,
} from './confusion.js';
import { logLoss, weightedMean } from './crossEntropy.js';
import { macroRocAuc, rocAuc } from './rocAuc.js';

export interface ClassifiedRows {
  /** [rows] The number of each row's class. */
  readonly labels: ArrayLike<number>;
  /** [rows] The class predicted. */
  readonly predicted: ArrayLike<number>;
  /** [rows, classes] row-major */
  readonly probabilities: ArrayLike<number>;
  /** [rows] As `crossEntropies` has them. */
  readonly crossEntropies: ArrayLike<number>;
  /** [rows] What a row counts in the loss, and nowhere else; 1 where there are none. */
  readonly weights?: ArrayLike<number> | undefined;
}

export interface ClassMetrics extends ClassScores {
  /** Of this class against all others; null where no row is of it, or all are. */
  readonly rocAuc: number | null;
}

export interface Classification extends AverageScores {
  /** What the network is trained on, regularisation left out. */
  readonly loss: number;
  readonly accuracy: number;
  readonly logLoss: number;
  /** Of the second of two classes, or the mean over more; null where a class has no row. */
  readonly rocAuc: number | null;
  /** In the order of their numbers. */
  readonly classes: readonly ClassMetrics[];
  /** counts[actual][predicted] */
  readonly confusion: readonly (readonly number[])[];
}

/** At least one row. */
export function evaluateClasses(rows: ClassifiedRows): Classification {
  const { labels, predicted, probabilities, crossEntropies, weights } = rows;
  const classes = probabilities.length / labels.length;
  const confusion = confusionMatrix(labels, predicted, classes);
  const areas = Array.from({ length: classes }, (_, j) =>
    rocAuc(labels, columnOf(probabilities, classes, j), j),
  );
  return {
    loss: weightedMean(crossEntropies, weights),
    accuracy: accuracy(confusion),
    logLoss: logLoss(crossEntropies),
    rocAuc: classes === 2 ? areas[1] : macroRocAuc(areas),
    ...averageScores(confusion),
    classes: classScores(confusion).map((scores, j) => ({ ...scores, rocAuc: areas[j] })),
    confusion,
  };
}

/** [rows] Column j of `values` [rows, width]. */
function columnOf(values: ArrayLike<number>, width: number, j: number): Float64Array {
  const column = new Float64Array(values.length / width);
  for (let row = 0; row < column.length; row++) column[row] = values[row * width + j];
  return column;
}
