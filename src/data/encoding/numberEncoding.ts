/** Columns of numbers: missing cells are filled, then all are scaled. */
import { ExitCode, MlpError } from '../../errors.js';
import type { DType } from '../../kernels/kernels.js';
import { quartilesOf } from '../quartiles.js';
import {
  clipped,
  fitStandardization,
  fittedColumn,
  rangeColumn,
  robustColumn,
  type ScaledColumn,
  type Scaling,
  type Transform,
  transformed,
} from '../scaling.js';
import { cellLocation, columnLabel, numericColumn, type Table } from '../table.js';
import {
  type Destination,
  type FeatureRequest,
  indicatorValues,
  type NumericEncoding,
  type Writer,
} from './encoding.js';
import { allMissing, type FillPolicy, fillPolicy, fitIndicator } from './missing.js';

/** Fits the encoding on these rows of the table. `filled` [rows] is overwritten. */
export function fitNumbers(
  table: Table,
  { index, scaling, missing, leastShared }: FeatureRequest,
  rows: Int32Array,
  filled: Float64Array,
): NumericEncoding {
  const { values } = numericColumn(table, index);
  const { count, least, greatest } = gatherPresent(values, rows, filled);
  if (count === 0) throw allMissing(table, index, rows.length);

  const levels = sharedNumbers(filled.subarray(0, count), leastShared);
  const policy = fillPolicy(missing);
  const centre = policy === 'indicator' && scaling === 'robust';
  const filling = policy && fillValue(centre ? 'median' : policy, filled.subarray(0, count), least, greatest);
  if (filling !== undefined && !Number.isFinite(filling)) throw overflow(table, index, 'sum');
  if (filling !== undefined && count < rows.length) gatherFilled(values, rows, filling, filled);
  const scaled = fitScaling(scaling, filled, least, greatest);
  const { range, ...transform } = fittedColumn(scaled, least, greatest);
  const fill = centre ? transform.shift : filling;
  if (!Number.isFinite(transform.scale)) {
    throw overflow(table, index, scaling === 'standard' ? 'variance' : 'range');
  }
  return {
    kind: 'numeric',
    column: table.names[index],
    ...transform,
    ...(fill !== undefined && { fill: fill + 0 }),
    ...(levels && { levels }),
    ...(policy === 'indicator' && fitIndicator(scaling, rows.length, rows.length - count)),
    range,
  };
}

/** The writer of the matrix columns from `offset` on. */
export function numberWriter(
  table: Table,
  index: number,
  encoding: NumericEncoding,
  offset: number,
  destination: Destination,
): Writer {
  const { values } = numericColumn(table, index);
  return (from, to) => writeNumbers(destination, offset, values, encoding, from, to);
}

// A function on parameters: over a closure's variables the loop takes three times as long.
function writeNumbers(
  { rows, place, elements, width, tooLarge }: Destination,
  offset: number,
  values: Float64Array,
  { shift, scale, clip, fill = Number.NaN, levels, indicator }: NumericEncoding,
  from: number,
  to: number,
): boolean {
  const [presentMark, missingMark] = indicatorValues(indicator);
  const levelOf = levels && new Map(levels.map((level, i) => [level, i + 1]));
  const indicatorAt = levels ? 2 : 1;
  let fits = true;
  for (let i = from; i < to; i++) {
    const row = rows[i];
    const value = values[row];
    const missing = Number.isNaN(value);
    const z = ((missing ? fill : value) - shift) / scale;
    const scaled = clip === undefined ? z : clipped(z, clip);
    const at = place[row] * width + offset;
    elements[at] = scaled;
    if (levelOf) elements[at + 1] = levelOf.get(value) ?? 0;
    if (indicator) elements[at + indicatorAt] = missing ? missingMark : presentMark;
    if (!(Math.abs(scaled) < tooLarge)) fits = false;
  }
  return fits;
}

/** The error for the number in this row of the table; undefined if the matrix holds it. */
export function tooLargeAt(
  table: Table,
  index: number,
  { fill = Number.NaN, ...transform }: Transform & { readonly fill?: number },
  row: number,
  dtype: DType,
  limit: number,
): MlpError | undefined {
  const cell = numericColumn(table, index).values[row];
  const value = Number.isNaN(cell) ? fill : cell;
  const scaled = transformed(value, transform);
  if (Math.abs(scaled) < limit) return undefined;
  const found = Number.isNaN(cell) ? `a missing value, filled with ${fill}` : `${value}`;
  const shown = scaled === value ? found : `${found}, scaled ${scaled}`;
  return tooLargeError(cellLocation(table, index, row), shown, dtype);
}

/** The error ExitCode.data for a number that a matrix can't hold. */
export function tooLargeError(location: string, found: string, dtype: DType): MlpError {
  return new MlpError(
    ExitCode.data,
    `${location}: found ${found}, expected a number that fits a ${dtype}`,
    dtype === 'float32' ? 'check the value, or set "dtype" to "float64"' : 'check the value and its unit',
  );
}

/** The error ExitCode.data for a column whose numbers are too large to be scaled. */
export function overflowError(location: string, what: 'sum' | 'variance' | 'range'): MlpError {
  return new MlpError(
    ExitCode.data,
    `${location}: found values whose ${what} overflows a float64, expected smaller ones`,
    'give the column in a larger unit',
  );
}

function overflow(table: Table, index: number, what: 'sum' | 'variance' | 'range'): MlpError {
  return overflowError(`${table.path}: ${columnLabel(table.header, table.names[index])}`, what);
}

/** A number shared by fewer rows is no level: there is too little to learn an embedding from. */
const LEAST_SHARING = 10;

/**
 * The numbers, rising, that at least ten of the values share, in a column where one of them fills
 * more than half of the rows: its quartiles tell no scale, and a smooth function can't tell its
 * other values apart (Adult's capital-gain). Undefined if there are fewer than `least`.
 */
function sharedNumbers(values: Float64Array, least: number | undefined): number[] | undefined {
  if (least === undefined || !mostAreOne(values.length, (i) => values[i])) return undefined;
  const rowsOf = new Map<number, number>();
  for (const value of values) rowsOf.set(value, (rowsOf.get(value) ?? 0) + 1);
  // A map takes −0 for 0.
  const shared = [...rowsOf].filter(([, rows]) => rows >= LEAST_SHARING).map(([value]) => value);
  return shared.length >= least ? shared.sort((a, b) => a - b) : undefined;
}

/** Whether one number fills more than half of the values, by the vote of Boyer and Moore (1981). */
export function mostAreOne(count: number, valueAt: (i: number) => number): boolean {
  const vote = new MajorityVote();
  for (let i = 0; i < count; i++) vote.add(valueAt(i));
  for (let i = 0; i < count; i++) vote.count(valueAt(i));
  return 2 * vote.found > count;
}

/** Takes all values once to choose the only one that may fill more than half, and once more to count it. */
export class MajorityVote {
  #candidate = Number.NaN;
  #lead = 0;
  found = 0;

  add(value: number): void {
    if (this.#lead === 0) this.#candidate = value;
    this.#lead += value === this.#candidate ? 1 : -1;
  }

  count(value: number): void {
    if (value === this.#candidate) this.found++;
  }
}

/** Writes the values that are not missing to the start of `into`, and finds their bounds. */
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

function fitScaling(scaling: Scaling, values: Float64Array, least: number, greatest: number): ScaledColumn {
  if (scaling === 'robust') {
    // Mean, median and most frequent value are within the bounds.
    return robustColumn(quartilesOf(values, least, greatest), least, greatest);
  }
  if (scaling !== 'standard') return rangeColumn(scaling, least, greatest);
  const { mean, scale, constant } = fitStandardization(values, 1);
  return { shift: mean[0], scale: scale[0], constant: constant.length > 0 };
}

/** What fills a missing cell. `values` are the other cells, at least one. */
function fillValue(policy: FillPolicy, values: Float64Array, least: number, greatest: number): number {
  switch (policy) {
    case 'mean':
    case 'indicator': {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      // Rounding must not move the mean of equal numbers, or the column is no longer constant.
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
  // Halved first, because the sum of both may overflow.
  return sorted[middle - 1] / 2 + sorted[middle] / 2;
}

/** The value of the longest run; the first of equally long ones. */
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
