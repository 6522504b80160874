/** All features of a table: fitted on the training rows alone, then written for any rows. */
import { MlpError } from '../../errors.js';
import { areBooleans } from '../booleans.js';
import { findDates } from '../dates.js';
import { placesIn, type WritableMatrix } from '../featureMatrix.js';
import { type Column, type Table, textColumn } from '../table.js';
import { categoryWriter, fitCategory, type UnknownLevel, unknownLevels } from './categoryEncoding.js';
import { derivedWriter, fitBoolean, fitDate } from './derivedEncoding.js';
import {
  arePixels,
  type Destination,
  encodingWidth,
  type FeatureEncoding,
  type FeatureRequest,
  type Indicator,
  indicatorValues,
  matrixWidth,
  takesMissing,
  type Writer,
} from './encoding.js';
import { FirstMissing, fillPolicy, isMissingAt, requireComplete } from './missing.js';
import { fitNumbers, numberWriter, tooLargeAt } from './numberEncoding.js';

/**
 * Rows are written in blocks, column by column within each, so that the rows of a block stay in the
 * cache wherever they are in the matrix. A million shuffled rows of 30 columns take a sixth of the
 * time they take in one block.
 */
const BLOCK_BYTES = 2 ** 18;
const LEAST_BLOCK_ROWS = 32;
const MOST_BLOCK_ROWS = 512;

/** Numbers from here on are rounded to infinity. */
export const TOO_LARGE = { float32: 2 ** 128 - 2 ** 103, float64: Number.POSITIVE_INFINITY };

/**
 * Fits one encoding for each request on `trainRows`: at least one row of the table, in any order.
 * Missing cells are filled before scaling is fitted, as in a scikit-learn pipeline of SimpleImputer
 * and a scaler.
 *
 * - Scaling: `standard` by mean and population standard deviation, `minmax` to [0, 1] by the
 *   bounds, `robust` by median and quartiles with a smooth clip, `none` not at all. The scale of a
 *   column with a single value is 1. `robust` transforms the columns of categories, booleans and
 *   indicators by the same rule; categories of two levels then have one column.
 * - Missing numbers are filled with the `mean`, the `median`, or the `most-frequent` value (the
 *   least of several); under `indicator` with the mean, and one more matrix column marks the
 *   missing cells. Under `robust`, `indicator` fills with the median, which becomes 0.
 * - Missing categories are filled with the most frequent level (the first of several) under `mean`,
 *   `median` and `most-frequent`; under `indicator` they have a matrix column instead of a level.
 * - Dates and booleans are read from text (see derivedEncoding.ts), and their numbers are fitted so.
 * - A column gets an indicator only if a training cell is missing. Otherwise `indicator` fills like
 *   the others.
 *
 * @throws MlpError ExitCode.data for a missing cell under `error`, with its location; for a column
 *   whose training cells are all missing; for numbers so large that mean, variance or range
 *   overflow
 * @returns the encodings in the order of the requests
 */
export function fitFeatures(
  table: Table,
  requests: readonly FeatureRequest[],
  trainRows: Int32Array,
): FeatureEncoding[] {
  const fitter = new FeatureFitter(requests, trainRows);
  for (const _ of requests) fitter.add(table);
  return fitter.finish();
}

/** As `fitFeatures`, of columns that come one after another. */
export class FeatureFitter {
  readonly #requests: readonly FeatureRequest[];
  /** In file order, columns are read from start to end, and sums don't depend on the shuffle. */
  readonly #rows: Int32Array;
  readonly #scratch: Float64Array;
  readonly #missing: FirstMissing;
  readonly #encodings: FeatureEncoding[] = [];
  #next = 0;
  #failure: MlpError | undefined;

  constructor(requests: readonly FeatureRequest[], trainRows: Int32Array) {
    this.#requests = requests;
    this.#rows = trainRows.toSorted();
    this.#scratch = new Float64Array(trainRows.length);
    this.#missing = new FirstMissing(this.#rows);
  }

  /** Takes the column of the next request, in a table that has it. */
  add(table: Table): void {
    const request = this.#requests[this.#next++];
    if (fillPolicy(request.missing) === undefined) this.#missing.add(table, request.index);
    if (this.#missing.error || this.#failure) return;
    try {
      this.#encodings.push(fitFeature(table, request, this.#rows, this.#scratch));
    } catch (error) {
      if (!(error instanceof MlpError)) throw error;
      // Unless a later column misses a cell.
      this.#failure = error;
    }
  }

  /** @throws as `fitFeatures` */
  finish(): FeatureEncoding[] {
    const error = this.#missing.error ?? this.#failure;
    if (error) throw error;
    const encodings = this.#encodings;
    return arePixels(encodings) ? encodings.map(withoutLevels) : encodings;
  }
}

function fitFeature(
  table: Table,
  request: FeatureRequest,
  rows: Int32Array,
  scratch: Float64Array,
): FeatureEncoding {
  if (table.columns[request.index]?.kind !== 'text' && !request.category) {
    return fitNumbers(table, request, rows, scratch);
  }
  return fitDerived(table, request, rows, scratch) ?? fitCategory(table, request, rows);
}

/** The shades of a pixel are quantities, though most may be black. */
function withoutLevels(encoding: FeatureEncoding): FeatureEncoding {
  if (encoding.kind !== 'numeric') return encoding;
  const { levels: _, ...others } = encoding;
  return others;
}

/** Dates or booleans, unless the config names the column as a category. */
function fitDerived(table: Table, request: FeatureRequest, rows: Int32Array, scratch: Float64Array) {
  const { levels, codes } = textColumn(table, request.index);
  const first = codes[rows[0]];
  // A single level tells nothing, whatever it is.
  if (request.category || (!request.dates && rows.every((row) => codes[row] === first))) return undefined;
  const dates = request.dates ?? (findDates(levels) && {});
  if (dates !== undefined) return fitDate(table, request, dates, rows, scratch);
  return areBooleans(levels) ? fitBoolean(table, request, rows) : undefined;
}

/**
 * The unknown levels of the rows whose `place` [table rows] is not negative, in the order of the
 * encodings. `indices` are the table's columns, one for each encoding.
 */
export function unknownIn(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  place: Int32Array,
): UnknownLevel[] {
  const rows = placedRows(place);
  return encodings.flatMap((encoding, i) =>
    encoding.kind === 'category' || encoding.kind === 'boolean'
      ? unknownLevels(table, indices[i], encoding, rows)
      : [],
  );
}

/**
 * Writes every row whose `place` is not negative to that row of the matrix, and returns the unknown
 * levels, as `unknownIn`.
 *
 * @throws MlpError ExitCode.data with the location of the first missing cell that its encoding does
 *   not fill, or of the first scaled number that the matrix can't hold; rows before it may have
 *   been written
 */
export function writeFeatures(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  place: Int32Array,
  matrix: WritableMatrix,
): { unknown: UnknownLevel[] } {
  const width = matrixWidth(encodings);
  if (matrix.columns !== width) throw new RangeError(`${matrix.columns} columns when expected ${width}`);
  const rows = placedRows(place);
  requireComplete(
    table,
    indices.filter((_, i) => !takesMissing(encodings[i])),
    rows,
  );

  const { dtype } = matrix;
  const tooLarge = TOO_LARGE[dtype];
  matrix.parts.forEach(({ features }, part) => {
    const inPart = placesIn(matrix, part, place);
    const own = inPart === place ? rows : placedRows(inPart);
    const destination = { rows: own, place: inPart, elements: features.data, width, tooLarge };
    const writers = writersOf(table, indices, encodings, destination);
    const rowBytes = width * features.data.BYTES_PER_ELEMENT;
    const step = Math.max(LEAST_BLOCK_ROWS, Math.min(MOST_BLOCK_ROWS, Math.floor(BLOCK_BYTES / rowBytes)));
    for (let from = 0; from < own.length; from += step) {
      const to = Math.min(from + step, own.length);
      let fits = true;
      for (const write of writers) fits = write(from, to) && fits;
      if (!fits) throwTooLarge(own.subarray(from, to));
    }
  });
  return { unknown: unknownIn(table, indices, encodings, place) };

  /** Throws for the first number that is too large, by row and then by feature. */
  function throwTooLarge(block: Int32Array): never {
    for (const row of block) {
      for (const [i, encoding] of encodings.entries()) {
        const error =
          encoding.kind === 'numeric' && tooLargeAt(table, indices[i], encoding, row, dtype, tooLarge);
        if (error) throw error;
      }
    }
    throw new RangeError('no number is too large');
  }
}

/** The writer of each encoding. */
function writersOf(
  table: Table,
  indices: readonly number[],
  encodings: readonly FeatureEncoding[],
  destination: Destination,
): Writer[] {
  let offset = 0;
  return encodings.map((encoding, i): Writer => {
    const first = offset;
    offset += encodingWidth(encoding);
    switch (encoding.kind) {
      case 'numeric':
        return numberWriter(table, indices[i], encoding, first, destination);
      case 'category':
        return categoryWriter(table, indices[i], encoding, first, destination);
      case 'constant':
        return encoding.indicator
          ? indicatorWriter(table.columns[indices[i]], encoding.indicator, first, destination)
          : () => true;
      default:
        return derivedWriter(table, indices[i], encoding, first, destination);
    }
  });
}

/** The writer of the matrix column that marks missing cells. A column that is not there misses all. */
function indicatorWriter(
  column: Column | undefined,
  indicator: Indicator,
  offset: number,
  { rows, place, elements, width }: Destination,
): Writer {
  const [present, missing] = indicatorValues(indicator);
  return (from, to) => {
    for (let i = from; i < to; i++) {
      const isPresent = column && !isMissingAt(column, rows[i]);
      elements[place[rows[i]] * width + offset] = isPresent ? present : missing;
    }
    return true;
  };
}

/** The rows that have a place, rising. */
function placedRows(place: Int32Array): Int32Array {
  const rows = new Int32Array(place.length);
  let count = 0;
  for (let row = 0; row < place.length; row++) if (place[row] >= 0) rows[count++] = row;
  return rows.subarray(0, count);
}
