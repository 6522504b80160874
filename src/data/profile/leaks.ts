/**
 * Finds columns that leak the target: known only afterwards, or the target in other words. A model
 * that has such a column is perfect and useless.
 *
 * Evidence is in bits: of 2^b columns unrelated to the target, one would look like this by chance
 * at b bits. Rules without evidence raise false alarms on small tables and rare classes.
 */
import { rowsWhere } from '../locatedColumn.js';
import { type Column, numericColumn, type Table } from '../table.js';
import { type Codes, encodeCells } from './equalCells.js';
import type { ColumnProfile } from './tableProfile.js';

/**
 * How a column leaks the target, in all rows:
 *
 * - `value`: equal cells go with one target value, and cells repeat at least twice on average.
 * - `missing`: cells are missing in the rows of one of two classes, and in no others.
 * - `threshold`: thresholds between the numbers separate the classes.
 * - `linear`: the correlation with a numeric target is beyond ±0.9999.
 * - `order`: the numbers never fall, or never rise, as a numeric target rises.
 */
export type Leak = 'value' | 'missing' | 'threshold' | 'linear' | 'order';

const LINEAR = 0.9999;
/** In a sample, before all rows are examined. */
const NEARLY_LINEAR = 0.99;
/** Fewer points may easily lie on a line. */
const LEAST_POINTS = 20;
/** A sample of this size nearly always refutes an order, so no million rows are sorted. */
const SAMPLE = 1000;

/** Whether equal cells go with equal targets, in all rows where neither is missing. */
export function agrees({ codes, distinct }: Codes, target: Int32Array): boolean {
  const seen = new Int32Array(distinct).fill(-1);
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row];
    if (code < 0 || target[row] < 0) continue;
    if (seen[code] < 0) seen[code] = target[row];
    else if (seen[code] !== target[row]) return false;
  }
  return true;
}

export class LeakSearch {
  readonly #table: Table;
  readonly #target: Codes;
  readonly #rows: Int32Array;
  readonly #quantity: Float64Array | undefined;
  /** Some rows, evenly spread; in the order of a numeric target. */
  readonly #sample: Int32Array;
  /** All rows in the order of a numeric target; made on demand. */
  #order: Int32Array | undefined;

  /**
   * @param rows the rows to examine: all with a target, without repetitions of earlier rows, which
   *   prove nothing
   * @param quantity [table.rows] the target of a regression
   */
  constructor(table: Table, target: Codes, rows: Int32Array, quantity: Float64Array | undefined) {
    this.#table = table;
    this.#target = target;
    this.#rows = rows;
    this.#quantity = quantity;
    const stride = Math.max(1, Math.ceil(rows.length / SAMPLE));
    const sample = Int32Array.from({ length: Math.ceil(rows.length / stride) }, (_, i) => rows[i * stride]);
    this.#sample = quantity === undefined ? sample : orderBy(quantity, sample);
  }

  /**
   * How a column leaks the target, if it does. The column must not be the target or an identifier;
   * `agreeing` is the result of `agrees`.
   */
  find({ index, cells, missing }: ColumnProfile, agreeing: boolean): Leak | undefined {
    const { columns, rows } = this.#table;
    const column = columns[index];
    if (column === undefined) return undefined;
    if (agreeing && this.#byValue(encodeCells(column))) return 'value';
    if (missing > 0 && missing < rows && this.#byMissing(column)) return 'missing';
    if (cells === 'text') return undefined;
    const { values } = numericColumn(this.#table, index);
    if (this.#quantity === undefined) return this.#byThreshold(values) ? 'threshold' : undefined;
    if (this.#byLine(values, this.#quantity)) return 'linear';
    return this.#byOrder(column, values, this.#quantity) ? 'order' : undefined;
  }

  #byValue({ codes, distinct }: Codes): boolean {
    const present = rowsWhere(this.#rows, (row) => codes[row] >= 0);
    const different = countOf(codes, present, distinct).reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
    const repeats = present.length - different;
    const targets = countOf(this.#target.codes, present, this.#target.distinct);
    return repeats >= present.length / 2 && agreementEvidence(repeats, targets) >= CONVINCING;
  }

  #byMissing(column: Column): boolean {
    const codes =
      column.kind === 'text'
        ? column.codes.map((code) => (code < 0 ? 0 : 1))
        : Int32Array.from(column.values, (value) => (Number.isNaN(value) ? 0 : 1));
    const flags = { codes, distinct: 2 };
    return agrees(flags, this.#target.codes) && this.#byValue(flags);
  }

  #byThreshold(values: Float64Array): boolean {
    const { codes, distinct } = this.#target;
    const min = new Float64Array(distinct).fill(Number.POSITIVE_INFINITY);
    const max = new Float64Array(distinct).fill(Number.NEGATIVE_INFINITY);
    const counts = new Uint32Array(distinct);
    for (const row of this.#rows) {
      const value = values[row];
      if (Number.isNaN(value)) continue;
      const code = codes[row];
      counts[code]++;
      if (value < min[code]) min[code] = value;
      if (value > max[code]) max[code] = value;
    }
    const found = Array.from(counts.keys()).filter((code) => counts[code] > 0);
    found.sort((a, b) => min[a] - min[b]);
    for (let i = 1; i < found.length; i++) if (max[found[i - 1]] >= min[found[i]]) return false;
    return blockEvidence(counts, log2Factorial(found.length)) >= CONVINCING;
  }

  #byLine(values: Float64Array, quantity: Float64Array): boolean {
    const sample = this.#sample;
    const rows = this.#rows;
    if (!(Math.abs(correlation(values, quantity, sample)) > NEARLY_LINEAR)) return false;
    return Math.abs(correlation(values, quantity, rows)) > LINEAR;
  }

  #byOrder(column: Column, values: Float64Array, quantity: Float64Array): boolean {
    if (!isMonotone(values, quantity, this.#sample)) return false;
    this.#order ??= orderBy(quantity, this.#rows);
    if (!isMonotone(values, quantity, this.#order)) return false;
    const { codes, distinct } = encodeCells(column);
    return blockEvidence(countOf(codes, this.#rows, distinct), 1) >= CONVINCING;
  }
}

/** Pearson's correlation of the rows with a value; NaN if they are too few or equal. */
function correlation(x: Float64Array, y: Float64Array, rows: Int32Array): number {
  let count = 0;
  let meanX = 0;
  let meanY = 0;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  // In one pass without cancellation: Welford 1962.
  for (const row of rows) {
    if (Number.isNaN(x[row])) continue;
    count++;
    const dx = x[row] - meanX;
    const dy = y[row] - meanY;
    meanX += dx / count;
    meanY += dy / count;
    xx += dx * (x[row] - meanX);
    yy += dy * (y[row] - meanY);
    xy += dx * (y[row] - meanY);
  }
  return count < LEAST_POINTS ? Number.NaN : xy / Math.sqrt(xx * yy);
}

/** [distinct] How often each code but −1 occurs in these rows. */
function countOf(codes: Int32Array, rows: Int32Array, distinct: number): Uint32Array {
  const counts = new Uint32Array(distinct);
  for (const row of rows) if (codes[row] >= 0) counts[codes[row]]++;
  return counts;
}

/** From here on it is no chance: one column in 10^12. */
const CONVINCING = 40;

/**
 * The evidence of equal cells with equal targets in all rows. Each of `repeats` rows whose cell
 * came before would have hit its target with probability Σ p², where p are the shares of the
 * targets.
 */
function agreementEvidence(repeats: number, targetCounts: Uint32Array): number {
  const rows = sum(targetCounts);
  let hit = 0;
  for (const count of targetCounts) hit += (count / rows) ** 2;
  return -repeats * Math.log2(hit);
}

/**
 * The evidence of rows that stand in one block for each group. 2^`ordersBits` orders of these
 * blocks would serve as well.
 */
function blockEvidence(groupCounts: Uint32Array, ordersBits: number): number {
  let bits = log2Factorial(sum(groupCounts));
  for (const count of groupCounts) bits -= log2Factorial(count);
  return bits - ordersBits;
}

/** Stirling's series, accurate to 0.001. */
function log2Factorial(n: number): number {
  if (n < 2) return 0;
  return (n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n)) / Math.LN2;
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** These rows, sorted by their keys, which are all numbers. */
function orderBy(keys: Float64Array, rows: Int32Array): Int32Array {
  return rows.slice().sort((a, b) => keys[a] - keys[b]);
}

/**
 * Whether values never fall, or never rise, from rows of one key to rows of the next. Among rows of
 * equal keys they may do both. Rows without a value are skipped.
 * @param order rows by ascending keys
 */
function isMonotone(values: Float64Array, keys: Float64Array, order: Int32Array): boolean {
  let rising = true;
  let falling = true;
  // The bounds of all rows with smaller keys, and those including the current key.
  let minBefore = Number.POSITIVE_INFINITY;
  let maxBefore = Number.NEGATIVE_INFINITY;
  let min = minBefore;
  let max = maxBefore;
  let key = Number.NaN;
  for (const row of order) {
    const value = values[row];
    if (Number.isNaN(value)) continue;
    if (keys[row] !== key) {
      key = keys[row];
      minBefore = min;
      maxBefore = max;
    }
    if (value < maxBefore) rising = false;
    if (value > minBefore) falling = false;
    if (!rising && !falling) return false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return true;
}
