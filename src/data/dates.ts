/**
 * Dates and times as text: which way of writing a column uses, if its cells prove one, and what a
 * cell means.
 */
import { ExitCode, MlpError } from '../errors.js';
import { DATE_ORDERS, type DatePart, type WrittenOrder } from '../spec/words.js';
import { quote } from '../text.js';

/** The order of the fields of a date; `time` is a time without a date. */
export type DateOrder = WrittenOrder | 'time';
const ORDERS: readonly DateOrder[] = [...DATE_ORDERS, 'time'];

/** What errors expect. */
const EXAMPLES: Readonly<Record<DateOrder, string>> = {
  ymd: 'a date such as 2024-12-31',
  dmy: 'a date such as 31/12/2024, the day first',
  mdy: 'a date such as 12/31/2024, the month first',
  time: 'a time such as 13:45',
};

export interface Moment {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 for Sunday. */
  readonly weekday: number;
  /** With its fraction, below 24, as written: no zone counts. */
  readonly hour: number;
  /** Days since 1970 in UTC; a time without a zone counts as UTC. */
  readonly elapsed: number;
}

const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?([ap]\.?m\.?)?\s?(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)?`;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\\.?';
const DAY = String.raw`(\d{1,2})(?:st|nd|rd|th)?`;
const WEEKDAY = String.raw`(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?`;
const YEAR = String.raw`(\d{4}|\d{2})`;
const END = String.raw`(?:,?(?:T|\s)\s?${TIME})?$`;

export const PATTERNS: Readonly<Record<DateOrder, RegExp>> = {
  ymd: new RegExp(String.raw`^${YEAR}([-/.])(\d{1,2})\2(\d{1,2})${END}`, 'i'),
  dmy: new RegExp(
    String.raw`^${WEEKDAY}${DAY}([-/.\s])\s?(\d{1,2}|${MONTH})(?:\2|,?\s)\s?${YEAR}${END}`,
    'i',
  ),
  mdy: new RegExp(String.raw`^${WEEKDAY}(\d{1,2}|${MONTH})([-/.\s])\s?${DAY}(?:\2|,\s?)${YEAR}${END}`, 'i'),
  time: new RegExp(`^${TIME}$`, 'i'),
};
/** 20241231, and 20241231T101500Z. */
export const COMPACT =
  /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2}(?:[.,]\d+)?)?(Z|[+-]\d{2}:?(?:\d{2})?)?)?$/;
/** 2024-12 */
export const YEAR_MONTH = /^(\d{4})[-/](\d{1,2})$/;
/** 12/2024, Dec 2024 */
export const MONTH_YEAR = new RegExp(String.raw`^(\d{1,2}|${MONTH})[-/.\s]\s?(\d{4})$`, 'i');

/** Holds the name of a month. */
const NAMED = /[a-z]{3}/i;

/** Years of two digits are from 1969 to 2068, as POSIX has it. */
const FIRST_SHORT_YEAR = 69;
const MILLISECONDS_A_DAY = 86_400_000;

/** What the cell means, written in this order; undefined if it is no such date. */
export function parseDate(text: string, order: DateOrder): Moment | undefined {
  const cell = order === 'ymd' ? spread(text.trim()) : text.trim();
  const found = PATTERNS[order].exec(cell);
  if (!found) return order === 'ymd' || order === 'dmy' ? parseMonth(cell, order) : undefined;
  if (order === 'time') {
    const hour = hourOf(found.slice(1));
    return hour && { year: 1970, month: 1, day: 1, weekday: 4, hour: hour.local, elapsed: hour.utc / 24 };
  }
  const time = found[5] === undefined ? { local: 0, utc: 0 } : hourOf(found.slice(5));
  if (time === undefined) return undefined;
  const [, first, , second, third] = found;
  if (order === 'ymd') return momentOf(first, second, third, time);
  return order === 'dmy' ? momentOf(third, second, first, time) : momentOf(third, first, second, time);
}

/** A month without a day is its first day. */
function parseMonth(cell: string, order: 'ymd' | 'dmy'): Moment | undefined {
  const [, first, second] = (order === 'ymd' ? YEAR_MONTH : MONTH_YEAR).exec(cell) ?? [];
  if (first === undefined) return undefined;
  return order === 'ymd' ? momentOf(first, second, '1') : momentOf(second, first, '1');
}

/** The cell with separators between its fields. */
function spread(cell: string): string {
  const found = cell.length < 8 ? null : COMPACT.exec(cell);
  if (!found) return cell;
  const [, year, month, day, hour, minute, second, zone = ''] = found;
  const time = hour === undefined ? '' : `T${hour}:${minute}:${second ?? '00'}${zone}`;
  return `${year}-${month}-${day}${time}`;
}

function momentOf(
  yearText: string,
  monthText: string,
  dayText: string,
  time: { readonly local: number; readonly utc: number } = { local: 0, utc: 0 },
): Moment | undefined {
  const digits = Number(yearText);
  const year = yearText.length === 4 ? digits : digits + (digits < FIRST_SHORT_YEAR ? 2000 : 1900);
  const named = MONTHS.indexOf(monthText.slice(0, 3).toLowerCase());
  const month = named < 0 ? Number(monthText) : named + 1;
  const day = Number(dayText);
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const elapsed = midnight.getTime() / MILLISECONDS_A_DAY + time.utc / 24;
  return { year, month, day, weekday: midnight.getUTCDay(), hour: time.local, elapsed };
}

/** Hours since midnight, as written and in UTC. */
function hourOf(
  fields: readonly (string | undefined)[],
): { readonly local: number; readonly utc: number } | undefined {
  const [hourText, minute, second = '0', fraction = '', half, zone] = fields;
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toLowerCase().startsWith('p') ? 12 : 0);
  }
  // 60 is a leap second.
  if (hour > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const local = hour + Number(minute) / 60 + Number(`${second}.${fraction || 0}`) / 3600;
  const offset = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  const shift = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) + Number(offset[3] ?? 0) / 60) : 0;
  return { local, utc: local - shift };
}

/** The fields of many cells: [cells], NaN for a cell that is no date. */
export type Moments = Readonly<Record<DatePart, Float64Array>>;

/** A column's levels are parsed to find the order, for the fit, and for the rows. */
const parsed = new WeakMap<readonly string[], Partial<Record<DateOrder, Moments>>>();

export function parseDates(cells: readonly string[], order: DateOrder): Moments {
  const known = parsed.get(cells);
  const before = known?.[order];
  // A reader may add levels later.
  if (before?.elapsed.length === cells.length) return before;
  const empty = () => new Float64Array(cells.length).fill(Number.NaN);
  const moments = {
    year: empty(),
    month: empty(),
    day: empty(),
    weekday: empty(),
    hour: empty(),
    elapsed: empty(),
  };
  cells.forEach((cell, i) => {
    const moment = parseDate(cell, order);
    if (moment === undefined) return;
    moments.year[i] = moment.year;
    moments.month[i] = moment.month;
    moments.day[i] = moment.day;
    moments.weekday[i] = moment.weekday;
    moments.hour[i] = moment.hour;
    moments.elapsed[i] = moment.elapsed;
  });
  parsed.set(cells, { ...known, [order]: moments });
  return moments;
}

export interface FoundDates {
  /** `ambiguous` if the first field may be the day or the month, or even the year. */
  readonly order: DateOrder | 'ambiguous';
  /** The first cell that is no date in this order; of an ambiguous order, one that shows it. */
  readonly other?: string;
}

/** So many cells show whether the others need a look. */
const SAMPLE = 200;

/**
 * The order in which most cells are dates; undefined unless more than half of them are dates in some
 * order.
 */
export function findDates(cells: readonly string[]): FoundDates | undefined {
  const sample = cells.slice(0, SAMPLE);
  if (!areMostlyDates(sample)) return undefined;
  const likely = ORDERS.filter((order) => countDates(sample, order).count > 0);
  const counted = likely.map((order) => ({ order, ...countDates(cells, order) }));
  const most = counted.reduce((best, { count }) => Math.max(best, count), 0);
  if (2 * most <= cells.length && !areMostlyDates(cells)) return undefined;
  const [best, ...others] = withoutUnusual(
    counted.filter(({ count }) => count === most),
    cells,
  );
  const isDate = (cell: string, order: DateOrder) => parseDate(cell, order) !== undefined;
  const example = cells.find(
    (cell) => others.some(({ order }) => isDate(cell, order)) && isDate(cell, best.order),
  );
  if (example !== undefined) return { order: 'ambiguous', other: example };
  return { order: best.order, ...(best.other !== undefined && { other: best.other }) };
}

function areMostlyDates(cells: readonly string[]): boolean {
  const isDate = (cell: string) => ORDERS.some((order) => parseDate(cell, order) !== undefined);
  return 2 * cells.filter(isDate).length > cells.length;
}

/** How many cells are dates in this order, and the first that is not. */
function countDates(cells: readonly string[], order: DateOrder): { count: number; other?: string } {
  const { elapsed } = parseDates(cells, order);
  const count = elapsed.reduce((count, days) => count + (Number.isNaN(days) ? 0 : 1), 0);
  return count === cells.length ? { count } : { count, other: cells[elapsed.findIndex(Number.isNaN)] };
}

/** Between dots the day comes first; a year of two digits comes first only before a hyphen. */
function withoutUnusual<Found extends { readonly order: DateOrder }>(
  found: readonly Found[],
  cells: readonly string[],
): readonly Found[] {
  if (found.length < 2) return found;
  if (cells.every((cell) => /^\d{1,2}\./.test(cell.trim()))) {
    return found.filter(({ order }) => order === 'dmy');
  }
  return cells.some((cell) => cell.includes('-')) ? found : found.filter(({ order }) => order !== 'ymd');
}

/** Bounds of dates without separators; other numbers of eight digits are hardly dates. */
const FIRST_COMPACT = 1900_01_01;
const LAST_COMPACT = 2100_12_31;

/** Whether the number is a day such as 20241231. */
export function isCompactDate(value: number): boolean {
  if (!Number.isInteger(value) || value < FIRST_COMPACT || value > LAST_COMPACT) return false;
  return parseDate(String(value), 'ymd') !== undefined;
}

/** 2024-12-31, or 2024-12-31 10:30 in UTC. */
export function formatDays(days: number, withTime = !Number.isInteger(days)): string {
  const text = new Date(Math.round(days * MILLISECONDS_A_DAY)).toISOString();
  return withTime ? text.replace('T', ' ').slice(0, -8) : text.slice(0, -14);
}

/**
 * `"31/12/2024" is read as 2024-12-31`, by a cell that shows the order; undefined for dates that no
 * one could read otherwise, such as 31 Dec 2024.
 */
export function readAs(cells: Iterable<string>, order: DateOrder): string | undefined {
  let example: string | undefined;
  for (const cell of cells) {
    if (parseDate(cell, order) === undefined) continue;
    example ??= cell;
    if (ORDERS.every((other) => other === order || parseDate(cell, other) === undefined)) {
      example = cell;
      break;
    }
  }
  const moment = example === undefined ? undefined : parseDate(example, order);
  if (example === undefined || moment === undefined || order === 'time' || NAMED.test(example)) {
    return undefined;
  }
  return `${quote(example)} is read as ${formatDays(moment.elapsed)}`;
}

/** The error ExitCode.data for a cell that is no date. */
export function notADate(location: string, cell: string, order: DateOrder): MlpError {
  const other = ORDERS.find((other) => other !== order && parseDate(cell, other) !== undefined);
  return new MlpError(
    ExitCode.data,
    `${location}: found ${quote(cell)}, expected ${EXAMPLES[order]}`,
    other === undefined
      ? 'correct the cell; if it means a missing value, list it in data.missingValues'
      : 'a column is read in one order: correct the cell',
  );
}

/** The error ExitCode.data for dates whose order nothing decides. */
export function ambiguousDates(label: string, name: string, example: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${label}: found dates such as ${quote(example)}, expected dates that show which number is the day`,
    `say what comes first: set data.dates to {${JSON.stringify(name)}: {"order": "dmy"}}, or to "mdy" or "ymd"`,
  );
}
