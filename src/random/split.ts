/**
 * scikit-learn's `train_test_split(np.arange(rows), test_size=testShare, random_state=seed)`, plain
 * and stratified, in the same order; what it refuses to split is an MlpError.
 */
import { ExitCode, MlpError } from '../errors.js';
import { counted } from '../text.js';
import { RandomState } from './randomState.js';

/** Row numbers of both parts; together they have every row once. */
export interface RowSplit {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * @throws MlpError ExitCode.config for a share outside (0, 1), data if no row is left to train on
 */
export function trainTestSplit(rows: number, testShare: number, seed: number): RowSplit {
  const { testRows } = splitSizes(rows, testShare);
  const order = new RandomState(seed).permutation(rows);
  return { train: order.subarray(testRows), test: order.subarray(0, testRows) };
}

/**
 * As `trainTestSplit`, with every class in both parts in proportion. `labels` [rows] are in [0,
 * classes); classes without rows don't matter; `classNames` [classes] are for messages.
 * @throws MlpError also ExitCode.data if a class has one row or a part fewer rows than classes
 */
export function stratifiedSplit(
  labels: Int32Array,
  classes: number,
  testShare: number,
  seed: number,
  classNames?: readonly string[],
): RowSplit {
  const { trainRows, testRows } = splitSizes(labels.length, testShare);
  const strata = rowsByClass(labels, classes);
  requireDivisible(strata, trainRows, testRows, (label) => classNames?.[label] ?? String(label));

  const random = new RandomState(seed);
  const rowCounts = strata.map((stratum) => stratum.rows.length);
  const trainCounts = apportion(rowCounts, trainRows, random);
  // The rest are the test rows, so their counts are known. But rounding may leave a tie, and scikit-learn
  // draws from the generator to break it: the stream stays in step only if we draw too.
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
      `split: found ${counted(rows, 'row')}, all held out by a share of ${testShare}, expected at least one row to train on`,
      rows < 2 ? 'give more rows' : 'hold out a smaller share, or give more rows',
    );
  }
  return { trainRows, testRows };
}

interface Stratum {
  readonly label: number;
  readonly rows: Int32Array;
}

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

/** Checks that every class can be in both parts of the split. */
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
      'merge the class with another, remove its row, or give the held-out rows in a file of their own',
    );
  }
  const parts = [
    { rows: trainRows, purpose: 'to train on', fix: 'smaller' },
    { rows: testRows, purpose: 'to hold out', fix: 'larger' },
  ];
  for (const { rows, purpose, fix } of parts) {
    if (rows >= strata.length) continue;
    throw new MlpError(
      ExitCode.data,
      `split: found ${counted(rows, 'row')} ${purpose}, expected at least ${strata.length}, one for each class`,
      `hold out a ${fix} share, or merge rare classes`,
    );
  }
}

/**
 * Divides `draws` in proportion to `counts`: each the floor of its share, the largest remainders
 * one more, ties at random (scikit-learn's `_approximate_mode`, in its order of float operations).
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
