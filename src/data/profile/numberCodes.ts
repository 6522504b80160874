/**
 * Finds whole numbers that are codes, such as those of schools: from a number to the next, the target jumps by more than chance
 * and a curve explain. A network that reads them as a quantity would have to learn each jump.
 */
import { numericColumn, type Table } from '../table.js';
import { momentsOf } from './columnProfile.js';
import { type Codes, countCodes } from './equalCells.js';
import type { ColumnProfile } from './tableProfile.js';

/** Embeddings of quantities tell fewer numbers apart. */
const LEAST_NUMBERS = 32;
/** A number of fewer rows tells too little. */
const LEAST_ROWS = 5;
/** Of the rows with a number, in numbers of so many rows. Of quantities, many are rare. */
const LEAST_COVERED = 0.8;
/** Codes are given in turn: they leave out at most four of five numbers. Quantities such as sums of money leave out most. */
const MOST_GAPS = 5;
/** Years are in order, whatever happened in them. */
const YEARS = { first: 1800, last: 2100 };
/** Of the target's variance, what the jumps explain. */
const LEAST_SHARE = 0.05;
/** In deviations of what chance gives. */
const SURE = 6;
/** Sums of classes, as numbers. */
const MOST_SUMS = 2 ** 22;
/** Hundreds of columns of many whole numbers are pixels, or other quantities side by side. */
const MOST_COLUMNS = 64;

/**
 * The columns whose numbers are codes. Equal numbers are the same code, and NaN is none.
 * @param rows with a target
 * @param quantity [table.rows] the target of a regression
 */
export function columnsOfCodes(
  table: Table,
  columns: readonly ColumnProfile[],
  target: Codes,
  rows: Int32Array,
  quantity: Float64Array | undefined,
): ColumnProfile[] {
  const candidates = columns.filter(mayBeCodes);
  if (candidates.length === 0 || candidates.length > MOST_COLUMNS) return [];
  const search = new CodeSearch(target, rows, quantity);
  return candidates.filter((column) => search.jumps(column, numericColumn(table, column.index).values));
}

function mayBeCodes({ kind, range, distinct }: ColumnProfile): boolean {
  if (kind !== 'integer' || !range || distinct < LEAST_NUMBERS) return false;
  const { min, max } = range;
  return spanOf(range) <= MOST_GAPS * distinct && !(min >= YEARS.first && max <= YEARS.last);
}

const spanOf = ({ min, max }: { readonly min: number; readonly max: number }) => max - min + 1;

class CodeSearch {
  readonly #target: Codes;
  readonly #rows: Int32Array;
  readonly #quantity: Float64Array | undefined;
  /** Of the target as a vector: a quantity as it is, a class as 1 in its place. */
  readonly #width: number;
  readonly #mean: number;
  readonly #variance: number;

  constructor(target: Codes, rows: Int32Array, quantity: Float64Array | undefined) {
    this.#target = target;
    this.#rows = rows;
    this.#quantity = quantity;
    this.#width = quantity ? 1 : target.distinct;
    const { mean = 0, deviation = 0 } = (quantity && momentsOf(quantity)) ?? {};
    this.#mean = mean;
    this.#variance = quantity
      ? deviation ** 2
      : 1 - countCodes(target).reduce((sum, count) => sum + (count / rows.length) ** 2, 0);
  }

  /**
   * Whether the target jumps from each number to the next.
   *
   * Of the means of n and m rows with the same expectation, the expected squared distance is v/n + w/m, where v and w are the
   * variances of the rows. What is more comes from jumps. Pairs of neighbours are weighted by the rows that they have.
   */
  jumps({ range }: ColumnProfile, values: Float64Array): boolean {
    if (!range || spanOf(range) * this.#width > MOST_SUMS) return false;
    const { counts, sums, squares } = this.#sumsOf(values, range.min, spanOf(range));
    const width = this.#width;
    const numbers = Array.from(counts.keys()).filter((number) => counts[number] >= LEAST_ROWS);
    const covered = numbers.reduce((sum, number) => sum + counts[number], 0);
    const all = counts.reduce((sum, count) => sum + count, 0);
    const most = counts.reduce((a, b) => Math.max(a, b), 0);
    // The most frequent number may stand for none.
    if (numbers.length < LEAST_NUMBERS || covered - most < LEAST_COVERED * (all - most)) return false;

    /** The variance of the mean of a number's rows. */
    const noiseOf = (number: number) => {
      const count = counts[number];
      let within = squares[number];
      for (let j = 0; j < width; j++) within -= sums[number * width + j] ** 2 / count;
      return within / (count - 1) / count;
    };
    let [excess, chance, weights] = [0, 0, 0];
    let noiseBefore = noiseOf(numbers[0]);
    for (let i = 1; i < numbers.length; i++) {
      const [a, b] = [numbers[i - 1], numbers[i]];
      const weight = 1 / (1 / counts[a] + 1 / counts[b]);
      const own = noiseOf(b);
      const noise = noiseBefore + own;
      noiseBefore = own;
      let distance = 0;
      for (let j = 0; j < width; j++) {
        distance += (sums[a * width + j] / counts[a] - sums[b * width + j] / counts[b]) ** 2;
      }
      weights += weight;
      excess += weight * (distance - noise);
      // The variance of a squared normal number is 2, and pairs that share a number add half of that.
      chance += 3 * (weight * noise) ** 2;
    }
    // A distance of two codes has twice their variance.
    return excess > SURE * Math.sqrt(chance) && excess / (2 * weights) >= LEAST_SHARE * this.#variance;
  }

  /** Of each number: rows [span], and of their targets the sums [span, width] and those of the squares [span]. */
  #sumsOf(values: Float64Array, min: number, span: number) {
    const { codes } = this.#target;
    const [quantity, mean, width] = [this.#quantity, this.#mean, this.#width];
    const counts = new Uint32Array(span);
    const sums = new Float64Array(span * width);
    const squares = new Float64Array(span);
    for (const row of this.#rows) {
      const number = values[row] - min;
      if (Number.isNaN(number)) continue;
      // From the mean, so that squares do not cancel.
      const y = quantity ? quantity[row] - mean : 1;
      counts[number]++;
      sums[quantity ? number : number * width + codes[row]] += y;
      squares[number] += y * y;
    }
    return { counts, sums, squares };
  }
}
