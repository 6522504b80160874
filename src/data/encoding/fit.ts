/**
 * Encodings fitted on the training rows, and on them alone. Missing cells are filled first and scaling is fitted on the
 * filled column, as a scikit-learn pipeline of SimpleImputer and a scaler does.
 */
import { ExitCode, MlpError } from '../../errors.js';
import type { MissingPolicy } from '../../spec/words.js';
import { Levels } from '../levels.js';
import { type FittedColumn, fitStandardization, rangeColumn, type Scaling } from '../scaling.js';
import { columnLabel, numericColumn, type Table, textColumn } from '../table.js';
import type { CategoryEncoding, FeatureEncoding, NumericEncoding } from './encoding.js';
import { requireComplete } from './missing.js';

/** How a column of a table is to be encoded. A column of text is a category, whatever its scaling. */
export interface FeatureRequest {
  readonly index: number;
  readonly scaling: Scaling;
  readonly missing: MissingPolicy;
  /** Its numbers are categories: the column was read as text. */
  readonly category: boolean;
}

/** Policies that fill a missing cell in; under the others it is an error here (rows to be dropped are no training rows). */
type FillPolicy = Exclude<MissingPolicy, 'error' | 'drop-row'>;

export interface FittedFeatures {
  /** In the order of the requests. */
  readonly encodings: readonly FeatureEncoding[];
  /** Names of the columns of numbers that hold a single value in the training rows, apart from missing cells. */
  readonly constant: readonly string[];
}

/**
 * Fits one encoding for each request on `trainRows`: at least one row of the table, in any order.
 *
 * - Scaling: `standard` by mean and population standard deviation, `minmax` to [0, 1] by the least and the greatest value,
 *   `none` not at all. The scale of a column that holds a single value is 1.
 * - Missing numbers are filled with the `mean`, the `median`, or the `most-frequent` value (of several the least);
 *   under `indicator` with the mean, beside a column of its own that says which cells were missing.
 * - Missing categories are filled with the most frequent level (of several the first) under `mean`, `median` and
 *   `most-frequent`; under `indicator` they have no level, but a column of their own.
 * - A column gets an indicator only where a training cell is missing. Without one `indicator` fills like the rest.
 *
 * @throws MlpError (65) for a missing cell that may not be there, with its line; for a column all of whose training cells are
 *   missing; for numbers so large that mean, variance or range overflow
 */
export function fitFeatures(
  table: Table,
  requests: readonly FeatureRequest[],
  trainRows: Int32Array,
): FittedFeatures {
  const complete = requests.filter(({ missing }) => fillPolicy(missing) === undefined);
  requireComplete(
    table,
    complete.map(({ index }) => index),
    trainRows,
  );
  const constant: string[] = [];
  // In the order of the file: a column is read from its start to its end, and sums don't hang on how rows were shuffled.
  const rows = trainRows.toSorted();
  const scratch = new Float64Array(rows.length);
  const encodings = requests.map((request) => {
    if (request.category || table.columns[request.index]?.kind === 'text') {
      return fitCategory(table, request, rows);
    }
    const fitted = fitNumeric(table, request, rows, scratch);
    if (fitted.constant) constant.push(fitted.encoding.column);
    return fitted.encoding;
  });
  return { encodings, constant };
}

/** `filled` [rows] is overwritten. */
function fitNumeric(
  table: Table,
  { index, scaling, missing }: FeatureRequest,
  rows: Int32Array,
  filled: Float64Array,
): { encoding: NumericEncoding; constant: boolean } {
  const { values } = numericColumn(table, index);
  const { count, least, greatest } = gatherPresent(values, rows, filled);
  if (count === 0) throw nothingKnown(table, index, rows.length);

  const policy = fillPolicy(missing);
  const fill = policy && fillOf(policy, filled.subarray(0, count), least, greatest);
  if (fill !== undefined && !Number.isFinite(fill)) throw overflow(table, index, 'sum');
  if (fill !== undefined && count < rows.length) gatherFilled(values, rows, fill, filled);
  const { shift, scale, constant } = fitScaling(scaling, filled, least, greatest);
  if (!Number.isFinite(scale)) throw overflow(table, index, scaling === 'minmax' ? 'range' : 'variance');
  return {
    encoding: {
      kind: 'numeric',
      column: table.names[index],
      // JSON knows no −0, and x − 0 is not x − (−0) where x is −0.
      shift: shift + 0,
      scale,
      ...(fill !== undefined && { fill: fill + 0 }),
      ...(policy === 'indicator' && count < rows.length && { indicator: true }),
    },
    constant,
  };
}

/** Puts the values of these rows that are not missing at the beginning of `into`, and finds their bounds. */
function gatherPresent(values: Float64Array, rows: Int32Array, into: Float64Array) {
  let count = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i]];
    if (Number.isNaN(value)) continue;
    into[count++] = value;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { count, least, greatest };
}

function gatherFilled(values: Float64Array, rows: Int32Array, fill: number, into: Float64Array): void {
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i]];
    into[i] = Number.isNaN(value) ? fill : value;
  }
}

function fitCategory(table: Table, { index, missing }: FeatureRequest, rows: Int32Array): CategoryEncoding {
  const column = textColumn(table, index);
  const rowsOfCode = new Int32Array(column.levels.length);
  let present = 0;
  for (let i = 0; i < rows.length; i++) {
    const code = column.codes[rows[i]];
    if (code < 0) continue;
    rowsOfCode[code]++;
    present++;
  }
  if (present === 0) throw nothingKnown(table, index, rows.length);

  const levels = Levels.of(column.levels.filter((_, code) => rowsOfCode[code] > 0));
  const policy = fillPolicy(missing);
  const indicator = policy === 'indicator' && present < rows.length;
  return {
    kind: 'category',
    column: table.names[index],
    levels: levels.names,
    ...(policy && !indicator && { fill: mostFrequentLevel(levels, column.levels, rowsOfCode) }),
    ...(indicator && { indicator }),
  };
}

/** Of levels that are equally frequent the first; several cells may be of one level, as 1 and 1.0 are. */
function mostFrequentLevel(levels: Levels, cells: readonly string[], rowsOfCode: Int32Array): string {
  const rowsOfLevel = new Float64Array(levels.names.length);
  cells.forEach((cell, code) => {
    const index = levels.index(cell);
    if (index !== undefined) rowsOfLevel[index] += rowsOfCode[code];
  });
  const most = rowsOfLevel.reduce((a, b) => Math.max(a, b));
  return levels.names[rowsOfLevel.indexOf(most)];
}

function fitScaling(scaling: Scaling, values: Float64Array, least: number, greatest: number): FittedColumn {
  if (scaling !== 'standard') return rangeColumn(scaling, least, greatest);
  const { mean, scale, constant } = fitStandardization(values, 1);
  return { shift: mean[0], scale: scale[0], constant: constant.length > 0 };
}

function fillPolicy(missing: MissingPolicy): FillPolicy | undefined {
  return missing === 'error' || missing === 'drop-row' ? undefined : missing;
}

/** What a missing cell is filled with: `values` are the cells that are not missing, at least one, from least to greatest. */
function fillOf(policy: FillPolicy, values: Float64Array, least: number, greatest: number): number {
  switch (policy) {
    case 'mean':
    case 'indicator': {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      // Rounding must not push the mean of equal numbers beside them: the column would no longer be constant.
      return Number.isFinite(mean) ? Math.min(greatest, Math.max(least, mean)) : mean;
    }
    case 'median':
      return median(values.toSorted());
    case 'most-frequent':
      return mostFrequent(values.toSorted());
  }
}

function median(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  // Halved first, for the sum of both may overflow.
  return sorted[middle - 1] / 2 + sorted[middle] / 2;
}

/** The value of the longest run; of runs equally long the first. */
function mostFrequent(sorted: Float64Array): number {
  let best = sorted[0];
  let longest = 0;
  let start = 0;
  for (let i = 1; i <= sorted.length; i++) {
    if (sorted[i] === sorted[start]) continue;
    if (i - start > longest) {
      longest = i - start;
      best = sorted[start];
    }
    start = i;
  }
  return best;
}

function nothingKnown(table: Table, index: number, rows: number): MlpError {
  return new MlpError(
    ExitCode.data,
    `${table.path}: ${columnLabel(table.header, table.names[index])}: found missing values in all ${rows} training rows, ` +
      'expected at least one value to fill them with',
    'name the column in data.exclude',
  );
}

function overflow(table: Table, index: number, what: 'sum' | 'variance' | 'range'): MlpError {
  return overflowError(`${table.path}: ${columnLabel(table.header, table.names[index])}`, what);
}

/** The error (65) for a column, found at `place`, whose numbers are too large to be scaled. */
export function overflowError(place: string, what: 'sum' | 'variance' | 'range'): MlpError {
  return new MlpError(
    ExitCode.data,
    `${place}: found values whose ${what} overflows a float64, expected smaller ones`,
    'give the column in a larger unit',
  );
}
