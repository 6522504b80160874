/**
 * Folds as scikit-learn draws them: `KFold`, `StratifiedKFold` and `GroupKFold`, each with
 * `shuffle=True, random_state=random`, and `TimeSeriesSplit`. Who draws again from the same generator
 * gets the next repeat of `RepeatedKFold` or `RepeatedStratifiedKFold`. The functions return the number
 * of each row's fold, from 0.
 */
import { ExitCode, MlpError } from '../errors.js';
import { counted } from '../text.js';
import type { RandomState } from './randomState.js';

/**
 * [rows] Folds of equal size; if the rows don't divide, the first folds have one more.
 * @throws MlpError ExitCode.data for fewer rows than folds
 */
export function plainFolds(rows: number, folds: number, random: RandomState): Int32Array {
  requireEnough(rows, folds, 'row');
  const dealt = dealer(rows, folds);
  const foldOf = new Int32Array(rows);
  random.permutation(rows).forEach((row, at) => {
    foldOf[row] = dealt(at);
  });
  return foldOf;
}

/**
 * [rows] Folds with every class in proportion. `labels` [rows] are in [0, classes). A class of fewer
 * rows than folds is not in all of them.
 * @throws MlpError ExitCode.data for fewer rows than folds, or if each class has fewer
 */
export function stratifiedFolds(
  labels: Int32Array,
  classes: number,
  folds: number,
  random: RandomState,
): Int32Array {
  requireEnough(labels.length, folds, 'row');
  const rowsOf = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, row) => {
    rowsOf[label].push(row);
  });
  // scikit-learn numbers the classes by their first rows.
  const strata = rowsOf.filter((rows) => rows.length > 0).sort((a, b) => a[0] - b[0]);
  const most = Math.max(...strata.map((rows) => rows.length));
  if (most < folds) {
    throw new MlpError(
      ExitCode.data,
      `folds: found at most ${counted(most, 'row')} of a class, expected at least ${folds}, one for each fold`,
      'take fewer folds, or folds that are not stratified',
    );
  }
  const foldOf = new Int32Array(labels.length);
  let first = 0;
  for (const rows of strata) {
    // The rows, sorted by class, go to the folds in turn; within a class by chance.
    const own = Int32Array.from(rows, (_, i) => (first + i) % folds).sort();
    random.shuffle(own);
    rows.forEach((row, i) => {
      foldOf[row] = own[i];
    });
    first += rows.length;
  }
  return foldOf;
}

/**
 * [groups] Folds of equally many groups. The groups are numbered in their sorted order.
 * @throws MlpError ExitCode.data for fewer groups than folds
 */
export function groupFolds(groups: number, folds: number, random: RandomState): Int32Array {
  requireEnough(groups, folds, 'group');
  return plainFolds(groups, folds, random);
}

/**
 * The rows that fold number `fold` of `TimeSeriesSplit` tests: from `first` up to `end`. It trains on
 * those before `first`.
 * @throws MlpError ExitCode.data unless there are more rows than folds
 */
export function timeSeriesFold(rows: number, folds: number, fold: number): { first: number; end: number } {
  requireEnough(rows, folds + 1, 'row', ' and one for the first to train on');
  const size = Math.floor(rows / (folds + 1));
  const first = rows - (folds - fold) * size;
  return { first, end: first + size };
}

/** The fold of each place if `count` places are dealt in runs to the folds. */
function dealer(count: number, folds: number): (place: number) => number {
  const size = Math.floor(count / folds);
  const larger = count % folds;
  const inLarger = larger * (size + 1);
  return (place) =>
    place < inLarger ? Math.floor(place / (size + 1)) : larger + Math.floor((place - inLarger) / size);
}

function requireEnough(found: number, needed: number, noun: string, also = ''): void {
  if (found >= needed) return;
  throw new MlpError(
    ExitCode.data,
    `folds: found ${counted(found, noun)}, expected at least ${needed}, one for each fold${also}`,
    `take fewer folds, or give more ${noun}s`,
  );
}
