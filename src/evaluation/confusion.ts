/** Which class is taken for which, and what follows from that alone: accuracy, precision, recall, F1. */
import { meanOf } from './sum.js';

/** counts[actual][predicted]: rows of one class that were predicted to be another. */
export type Confusion = readonly (readonly number[])[];

/** The confusion matrix of rows whose classes are given by number, both [rows]; [classes][classes]. */
export function confusionMatrix(
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < actual.length; row++) counts[actual[row]][predicted[row]]++;
  return counts;
}

/** The share of rows whose class was predicted; NaN of no rows. */
export function accuracy(confusion: Confusion): number {
  const { hits, actual } = totalsOf(confusion);
  return total(hits) / total(actual);
}

/** In [0, 1]. */
export interface Scores {
  /** Of the rows predicted to be of a class, the share that are. */
  readonly precision: number;
  /** Of the rows of a class, the share predicted to be. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
}

export interface ClassScores extends Scores {
  /** Rows of the class. */
  readonly support: number;
  /** Rows predicted to be of the class. */
  readonly predicted: number;
}

/**
 * Precision, recall and F1 of each class; 0 where there is nothing to divide by (no row of the class, or none
 * predicted to be), as `zero_division` of scikit-learn's `precision_recall_fscore_support` is by default.
 */
export function classScores(confusion: Confusion): ClassScores[] {
  const { hits, actual, predicted } = totalsOf(confusion);
  return hits.map((hit, j) => ({
    ...scoresOf(hit, actual[j], predicted[j]),
    support: actual[j],
    predicted: predicted[j],
  }));
}

/** Precision, recall and F1 in one number each, in three ways that scikit-learn calls `average`. */
export interface AverageScores {
  /** Every class counts the same: those that occur among the rows or the predictions. */
  readonly macro: Scores;
  /** Every class counts by its rows. */
  readonly weighted: Scores;
  /** Of the rows of all classes together: where each has one class, all three are the accuracy. */
  readonly micro: Scores;
}

export function averageScores(confusion: Confusion): AverageScores {
  const { hits, actual, predicted } = totalsOf(confusion);
  const scores = classScores(confusion);
  // A class that is nowhere has scores of 0 that say nothing: scikit-learn doesn't know of it.
  const occurring = scores.filter(({ support, predicted }) => support + predicted > 0);
  const rows = total(actual);
  return {
    macro: eachScore((key) => meanOf(occurring.map((score) => score[key]))),
    weighted: eachScore((key) => total(scores.map((score) => score[key] * score.support)) / rows),
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
function totalsOf(confusion: Confusion): { hits: number[]; actual: number[]; predicted: number[] } {
  return {
    hits: confusion.map((row, j) => row[j]),
    actual: confusion.map(total),
    predicted: confusion.map((_, j) => total(confusion.map((row) => row[j]))),
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
