/**
 * Which rows train and which are held out: scikit-learn's `train_test_split(np.arange(rows), test_size=testShare,
 * random_state=seed)` for row numbers, order included, plain and stratified.
 * Where scikit-learn refuses to split, so do these, with an MlpError.
 */
import { ExitCode, MlpError } from '../errors.js';
import { counted } from '../text.js';
import { RandomState } from './randomState.js';

/** Row numbers of both sides; together every row once. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Holds out ⌈testShare·rows⌉ rows at random; the rest trains.
 * An MlpError where the share is not inside (0, 1) (config) or leaves no row to train on (data).
 */
export function trainTestSplit(rows: number, testShare: number, seed: number): Split {
  const { testRows } = splitSizes(rows, testShare);
  const order = new RandomState(seed).permutation(rows);
  return { train: order.slice(testRows), test: order.slice(0, testRows) };
}

/**
 * The same sizes as `trainTestSplit`, with every class on both sides in its share of the rows.
 * `labels` [rows] are in [0, classes); a class no row has is left out of account. `classNames` [classes] are for messages.
 * An MlpError as for `trainTestSplit`, and (data) where a class has a single row or a side has fewer rows than there
 * are classes.
 */
export function stratifiedSplit(
  labels: Int32Array,
  classes: number,
  testShare: number,
  seed: number,
  classNames?: readonly string[],
): Split {
  const { trainRows, testRows } = splitSizes(labels.length, testShare);
  const strata = rowsByClass(labels, classes);
  requireDivisible(strata, trainRows, testRows, (label) => classNames?.[label] ?? String(label));

  const random = new RandomState(seed);
  const rowCounts = strata.map((stratum) => stratum.rows.length);
  const trainCounts = apportion(rowCounts, trainRows, random);
  // What is left is all of the test rows, so the counts are known already. Rounding may leave a tie in the arithmetic
  // even so, and scikit-learn draws from the generator to break it: the stream stays in step only if we do.
  const leftCounts = rowCounts.map((count, i) => count - trainCounts[i]);
  apportion(leftCounts, testRows, random);

  const train = new Int32Array(trainRows);
  const test = new Int32Array(testRows);
  let trained = 0;
  let tested = 0;
  strata.forEach(({ rows }, i) => {
    random.shuffle(rows);
    train.set(rows.subarray(0, trainCounts[i]), trained);
    test.set(rows.subarray(trainCounts[i]), tested);
    trained += trainCounts[i];
    tested += leftCounts[i];
  });
  random.shuffle(train);
  random.shuffle(test);
  return { train, test };
}

function splitSizes(rows: number, testShare: number): { trainRows: number; testRows: number } {
  if (!(testShare > 0 && testShare < 1)) {
    throw new MlpError(
      ExitCode.config,
      `split: found a held-out share of ${testShare}, expected a fraction above 0 and below 1`,
      'a fifth is 0.2',
    );
  }
  const testRows = Math.ceil(testShare * rows);
  const trainRows = rows - testRows;
  if (trainRows === 0) {
    throw new MlpError(
      ExitCode.data,
      `split: found ${counted(rows, 'row')}, which a held-out share of ${testShare} takes whole, ` +
        'expected at least one row to train on',
      rows < 2 ? 'give more rows' : 'hold out a smaller share, or give more rows',
    );
  }
  return { trainRows, testRows };
}

/** The rows of one class, in rising order. */
interface Stratum {
  readonly label: number;
  readonly rows: Int32Array;
}

/** The classes that have rows, by rising label. */
function rowsByClass(labels: Int32Array, classes: number): Stratum[] {
  const counts = new Int32Array(classes);
  for (const label of labels) {
    if (!(label >= 0 && label < classes)) {
      throw new RangeError(`split: found the label ${label}, expected an integer from 0 to ${classes - 1}`);
    }
    counts[label]++;
  }
  const strata = Array.from(counts, (count, label) => ({ label, rows: new Int32Array(count) }));
  const filled = new Int32Array(classes);
  labels.forEach((label, row) => {
    strata[label].rows[filled[label]++] = row;
  });
  return strata.filter((stratum) => stratum.rows.length > 0);
}

/** Throws where the classes can't be on both sides of the split. */
function requireDivisible(
  strata: readonly Stratum[],
  trainRows: number,
  testRows: number,
  nameOf: (label: number) => string,
): void {
  const single = strata.find((stratum) => stratum.rows.length < 2);
  if (single) {
    throw new MlpError(
      ExitCode.data,
      `split: class "${nameOf(single.label)}": found 1 row (row ${single.rows[0]} from 0), ` +
        'expected at least 2, one to train on and one to hold out',
      'merge the class with another, leave its row out, or give the held-out rows as a file of their own',
    );
  }
  const sides = [
    { rows: trainRows, purpose: 'to train on', mend: 'smaller' },
    { rows: testRows, purpose: 'to hold out', mend: 'larger' },
  ];
  for (const { rows, purpose, mend } of sides) {
    if (rows >= strata.length) continue;
    throw new MlpError(
      ExitCode.data,
      `split: found ${counted(rows, 'row')} ${purpose}, expected at least ${strata.length}, one for each class`,
      `hold out a ${mend} share, or merge rare classes`,
    );
  }
}

/**
 * Parts `draws` among classes of `counts` rows in proportion: each takes the floor of its share, and the largest
 * remainders one more, ties drawn by lot (scikit-learn's `_approximate_mode`: about the mode of the multivariate
 * hypergeometric distribution). The order of the float operations is scikit-learn's, since it decides what ties.
 */
function apportion(counts: readonly number[], draws: number, random: RandomState): number[] {
  const total = sum(counts);
  const shares = counts.map((count) => (count / total) * draws);
  const parts = shares.map(Math.floor);
  const remainders = shares.map((share, i) => share - parts[i]);
  let missing = draws - sum(parts);

  const descending = [...new Set(remainders)].sort((a, b) => b - a);
  for (const remainder of descending) {
    if (missing === 0) break;
    const tied = remainders.flatMap((value, i) => (value === remainder ? [i] : []));
    const added = Math.min(tied.length, missing);
    for (const k of random.choice(tied.length, added, false)) parts[tied[k]]++;
    missing -= added;
  }
  return parts;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
