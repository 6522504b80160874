/** The area under the receiver operating characteristic: how well scores put the rows of a class before all others. */
import { meanOf } from './sum.js';

/**
 * The share of pairs of a row of class `positive` and another row in which the former has the greater score; a tie
 * counts half. It is the area under the ROC curve (Hanley and McNeil, Radiology 143, 1982), from sorted scores: O(n log n).
 *
 * Null where it is not defined: without a row of the class, without another one, or with a score that is not a number.
 *
 * @param labels [rows] the rows' classes
 * @param scores [rows] the greater, the rather is it the class
 */
export function rocAuc(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  positive: number,
): number | null {
  let count = 0;
  for (let row = 0; row < labels.length; row++) if (labels[row] === positive) count++;
  const own = new Float64Array(count);
  const others = new Float64Array(labels.length - count);
  if (own.length === 0 || others.length === 0) return null;
  for (let row = 0, i = 0, j = 0; row < labels.length; row++) {
    if (Number.isNaN(scores[row])) return null;
    if (labels[row] === positive) own[i++] = scores[row];
    else others[j++] = scores[row];
  }
  own.sort();
  others.sort();

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

/**
 * The mean of the classes' areas, each class against all others: scikit-learn's
 * `roc_auc_score(multi_class="ovr", average="macro")`. Null where one of them is not defined.
 */
export function macroRocAuc(areas: readonly (number | null)[]): number | null {
  const defined = areas.filter((area) => area !== null);
  return defined.length < areas.length ? null : meanOf(defined);
}
