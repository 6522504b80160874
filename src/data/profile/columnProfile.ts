/** The profile of one column. */
import { areBooleans } from '../booleans.js';
import { findDates, formatDays, isCompactDate, parseDates } from '../dates.js';
import { usualParts } from '../encoding/derivedEncoding.js';
import { hardlyRepeat } from '../levels.js';
import type { Column, NumericColumn, TextColumn } from '../table.js';
import { type Codes, countCodes } from './equalCells.js';
import type { ColumnProfile, ColumnRole, DateProfile, Level } from './tableProfile.js';

/** The number of most frequent values shown for a column of text. */
const FREQUENT_LEVELS = 5;
/** With fewer cells, all being different proves nothing. */
const LEAST_CELLS = 10;
/** `id`, `customer_id`, `Customer ID`, `uuid`; and `customerId`. */
const IDENTIFIER_NAMES = [/(?:^|[^a-z])(?:id|uuid|guid|index|key)$/i, /[a-z](?:Id|ID)$/];

/** Last words of names whose values say whose a row is: several rows of one belong together. */
const OWNER_NAMES =
  /(?:^|[^a-z])(?:patient|subject|participant|person|customer|client|user|member|household|account|employee|student|speaker|device|session)$/i;

/** Whether the name says that the column tells whose a row is, or which one. */
export function namesOwner(name: string): boolean {
  return OWNER_NAMES.test(name) || IDENTIFIER_NAMES.some((pattern) => pattern.test(name));
}

/** Profiles a column, given the codes of its cells. The target is never an identifier. */
export function profileColumn(
  name: string,
  index: number,
  column: Column,
  encoded: Codes,
  isTarget: boolean,
): ColumnProfile {
  const { distinct } = encoded;
  const describe = (kind: ColumnRole, figures: Partial<ColumnProfile> = {}): ColumnProfile => ({
    name,
    index,
    kind: distinct <= 1 ? 'constant' : kind,
    cells: column.kind,
    missing: column.missing,
    distinct,
    ...figures,
  });
  if (column.kind === 'text') {
    const dates = isTarget ? undefined : profileDates(column.levels);
    if (dates) return describe('date', { dates });
    if (!isTarget && areBooleans(column.levels)) {
      return describe('boolean', { frequent: mostFrequent(column, encoded) });
    }
    return describe(textKind(column, distinct, isTarget), { frequent: mostFrequent(column, encoded) });
  }
  const moments = momentsOf(column.values);
  if (moments === undefined) return describe('constant');
  const { min, max, mean, deviation } = moments;
  if (!isTarget && areCompactDates(column, distinct, moments)) {
    const dates = profileDates([...new Set(column.values)].filter(Number.isFinite).map(String));
    if (dates) return describe('date', { dates });
  }
  const kind = numberKind(name, column, distinct, moments, isTarget);
  return describe(kind, { range: { min, max }, mean, deviation });
}

/** The dates that a column of these cells holds, if it does. */
function profileDates(cells: readonly string[]): DateProfile | undefined {
  const found = findDates(cells);
  if (found === undefined || found.order === 'ambiguous') return found && { ...found, parts: [] };
  const { order } = found;
  const moments = parseDates(cells, order);
  const { min = 0, max = 0 } = momentsOf(moments.elapsed) ?? {};
  // A time has no day.
  const format = (days: number) => (order === 'time' ? formatDays(days, true).slice(11) : formatDays(days));
  return { ...found, range: { min: format(min), max: format(max) }, parts: usualParts(moments, order) };
}

/** Whether whole numbers are days such as 20241231; few numbers prove nothing. */
function areCompactDates({ values }: NumericColumn, distinct: number, { min, max }: Moments): boolean {
  if (distinct < LEAST_CELLS || !isCompactDate(min) || !isCompactDate(max)) return false;
  return values.every((value) => Number.isNaN(value) || isCompactDate(value));
}

/** Text identifies rows if all cells differ, or levels hardly repeat. */
function textKind({ codes, missing }: TextColumn, distinct: number, isTarget: boolean): ColumnRole {
  const present = codes.length - missing;
  const identifies = distinct === present ? present >= LEAST_CELLS : hardlyRepeat(distinct, present);
  return identifies && !isTarget ? 'identifier' : 'category';
}

/**
 * Whole numbers identify rows if all differ, and they have no gaps (1 2 3 … in any order) or the
 * column is named as an identifier.
 */
function numberKind(
  name: string,
  { values, missing }: NumericColumn,
  distinct: number,
  { min, max, whole }: Moments,
  isTarget: boolean,
): ColumnRole {
  if (!whole) return 'numeric';
  const present = values.length - missing;
  const different = present >= LEAST_CELLS && distinct === present;
  const identifies =
    different && (max - min === present - 1 || IDENTIFIER_NAMES.some((pattern) => pattern.test(name)));
  return identifies && !isTarget ? 'identifier' : 'integer';
}

/** Equally frequent values are in the order of the file. */
function mostFrequent({ levels }: TextColumn, encoded: Codes): Level[] {
  const counts = countCodes(encoded);
  const top: number[] = [];
  for (let code = 0; code < counts.length; code++) {
    if (top.length === FREQUENT_LEVELS && counts[code] <= counts[top[FREQUENT_LEVELS - 1]]) continue;
    const place = top.findIndex((other) => counts[code] > counts[other]);
    top.splice(place < 0 ? top.length : place, 0, code);
    if (top.length > FREQUENT_LEVELS) top.pop();
  }
  return top.map((code) => ({ name: levels[code], rows: counts[code] }));
}

export interface Moments {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Population: divided by the count, as `numpy.std`. */
  readonly deviation: number;
  /** Whether all are whole numbers. */
  readonly whole: boolean;
}

/** The moments of all values but NaN, if there are any. The others must be finite. */
export function momentsOf(values: Float64Array): Moments | undefined {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let whole = true;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isNaN(value)) continue;
    count++;
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && value !== Math.floor(value)) whole = false;
  }
  if (count === 0) return undefined;
  // A zero without a sign.
  min += 0;
  max += 0;
  if (min === max) return { min, max, mean: min, deviation: 0, whole };

  // In units of about the largest value: no square overflows, and no digit changes.
  const unit = 2 ** Math.min(1000, Math.max(-1000, Math.floor(Math.log2(Math.max(-min, max)))));
  const scale = 1 / unit;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i])) sum += values[i] * scale;
  }
  const guess = sum / count;
  // "Corrected two-pass", Chan, Golub & LeVeque 1983.
  let rest = 0;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const distance = values[i] * scale - guess;
    rest += distance;
    squares += distance * distance;
  }
  const mean = (guess + rest / count) * unit;
  const deviation = Math.sqrt((squares - (rest * rest) / count) / count) * unit;
  return { min, max, mean, deviation, whole };
}

/** Multiples of the interquartile range. Grey levels that are nearly all 0 stay below it. */
export const FAR = 1000;
/** With fewer values the quartiles tell little. */
const LEAST_VALUES = 20;
/** Quartiles are estimated from about this many values, evenly spread over the rows. */
const SAMPLE = 2000;

/** Whether `min` or `max` is that far out. Never if the quartiles are equal. */
export function hasOutlier(values: Float64Array, { min, max }: { min: number; max: number }): boolean {
  const stride = Math.ceil(values.length / SAMPLE);
  const sample: number[] = [];
  for (let i = 0; i < values.length; i += stride) if (!Number.isNaN(values[i])) sample.push(values[i]);
  if (sample.length < LEAST_VALUES) return false;
  const sorted = Float64Array.from(sample).sort();
  const lower = sorted[Math.floor(sorted.length / 4)];
  const upper = sorted[Math.floor((sorted.length * 3) / 4)];
  const reach = FAR * (upper - lower);
  return reach > 0 && (max - upper > reach || lower - min > reach);
}
