/** Metrics of labels: yes or no for each of several columns. */
import { softplus } from '../kernels/activations.js';
import {
  type AverageScores,
  averagesOf,
  type ClassScores,
  columnOf,
  macroRocAuc,
  rocAuc,
  scoresOfClasses,
  weightedMean,
} from './classification.js';

export interface LabelledRows {
  /** [rows, labels] 1 for yes, 0 for no. */
  readonly labels: ArrayLike<number>;
  /** [rows, labels] What the network predicts, 1 for yes. */
  readonly predicted: ArrayLike<number>;
  /** [rows, labels] The probability of yes. */
  readonly probabilities: ArrayLike<number>;
  /** [rows] Computed by `labelCrossEntropies`. */
  readonly crossEntropies: ArrayLike<number>;
  /** [rows] What a row counts in the loss, and only there; 1 if missing. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** Precision, recall and F1 are about the rows with the label; `support` is how many there are. */
export interface LabelMetrics extends ClassScores {
  readonly accuracy: number;
  /** Null if no row has the label, or all do. */
  readonly rocAuc: number | null;
}

export interface Multilabel extends AverageScores {
  /** The loss that the network is trained on, without regularisation. */
  readonly loss: number;
  /** The share of rows with all labels right. */
  readonly accuracy: number;
  /** The share of labels, over all rows, that are wrong. */
  readonly hammingLoss: number;
  /** The mean over the labels; null if one has none. */
  readonly rocAuc: number | null;
  readonly labels: readonly LabelMetrics[];
}

/** Counts rows by label: with it, predicted, and both. */
export class LabelCounts {
  readonly actual: number[];
  readonly predicted: number[];
  readonly hits: number[];
  #rows = 0;
  #exact = 0;

  constructor(labels: number) {
    [this.actual, this.predicted, this.hits] = [0, 1, 2].map(() => new Array<number>(labels).fill(0));
  }

  /** Adds a row, whose labels begin at `first`; its predictions are asked for from `start` on. */
  add(labels: ArrayLike<number>, first: number, isYes: (at: number) => boolean, start: number): void {
    let exact = true;
    for (let j = 0; j < this.actual.length; j++) {
      const actual = labels[first + j] === 1;
      const predicted = isYes(start + j);
      if (actual) this.actual[j]++;
      if (predicted) this.predicted[j]++;
      if (actual && predicted) this.hits[j]++;
      if (actual !== predicted) exact = false;
    }
    this.#rows++;
    if (exact) this.#exact++;
  }

  /** The share of rows with all labels right. */
  get accuracy(): number {
    return this.#exact / this.#rows;
  }

  /** [labels] The rows whose label is right. */
  get right(): number[] {
    return this.hits.map((hits, j) => this.#rows - this.actual[j] - this.predicted[j] + 2 * hits);
  }
}

export function evaluateLabels(width: number, rows: LabelledRows): Multilabel {
  const { labels, predicted, probabilities, crossEntropies, weights } = rows;
  const counts = new LabelCounts(width);
  const count = labels.length / width;
  const isYes = (at: number) => predicted[at] === 1;
  for (let row = 0; row < count; row++) counts.add(labels, row * width, isYes, row * width);
  const areas = labelAreas(labels, probabilities, width);
  const scores = scoresOfClasses(counts).map((score, j) => ({
    ...score,
    accuracy: counts.right[j] / count,
    rocAuc: areas.each[j],
  }));
  const right = counts.right.reduce((sum, rows) => sum + rows, 0);
  return {
    loss: weightedMean(crossEntropies, weights),
    accuracy: counts.accuracy,
    hammingLoss: (labels.length - right) / labels.length,
    rocAuc: areas.mean,
    ...averagesOf(counts),
    labels: scores,
  };
}

/** The area under the ROC curve of each label, and their mean. Labels and scores are [rows, width]. */
export function labelAreas(labels: ArrayLike<number>, scores: ArrayLike<number>, width: number) {
  const each = Array.from({ length: width }, (_, j) =>
    rocAuc(columnOf(labels, width, j), columnOf(scores, width, j), 1),
  );
  return { each, mean: macroRocAuc(each) };
}

/**
 * [rows] The mean over the labels of −log of the probability of what is true, from logits
 * [rows, width] so that it stays finite.
 */
export function labelCrossEntropies(
  labels: ArrayLike<number>,
  logits: ArrayLike<number>,
  width: number,
): Float64Array {
  const losses = new Float64Array(labels.length / width);
  for (let at = 0; at < labels.length; at++) {
    losses[Math.floor(at / width)] += softplus(labels[at] === 1 ? -logits[at] : logits[at]) / width;
  }
  return losses;
}
