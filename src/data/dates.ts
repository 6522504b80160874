/**
 * Dates and times as text: which way of writing a column uses, if its cells prove one, and what a
 * cell means.
 */

/** The order of the fields of a date; `time` is a time without a date. */
export const DATE_ORDERS = ['ymd', 'dmy', 'mdy', 'time'] as const;
export type DateOrder = (typeof DATE_ORDERS)[number];

export interface Moment {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 0 for Sunday. */
  readonly weekday: number;
  /** With its fraction, below 24. */
  readonly hour: number;
  /** Days since 1970 in UTC; a time without a zone counts as UTC. */
  readonly days: number;
}

const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(am|pm)?\s?(Z|UTC|[+-]\d{2}:?(?:\d{2})?)?`;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = String.raw`\d{1,2}|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?`;

const PATTERNS: Readonly<Record<DateOrder, RegExp>> = {
  ymd: new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:(?:T|\s)${TIME})?$`, 'i'),
  dmy: new RegExp(String.raw`^(\d{1,2})([-/.\s])\s?(${MONTH})\2(\d{4})(?:,?(?:T|\s)${TIME})?$`, 'i'),
  mdy: new RegExp(String.raw`^(${MONTH})([-/.\s])(\d{1,2})(?:,\s?|\2)(\d{4})(?:,?(?:T|\s)${TIME})?$`, 'i'),
  time: new RegExp(`^${TIME}$`, 'i'),
};

/** What the cell means, written in this order; undefined if it is no such date. */
export function parseDate(text: string, order: DateOrder): Moment | undefined {
  const found = PATTERNS[order].exec(text.trim());
  if (!found) return undefined;
  if (order === 'time') {
    const hour = hourOf(found.slice(1));
    return hour && { year: 1970, month: 1, weekday: 4, hour: hour.local, days: hour.utc / 24 };
  }
  const [year, month, day] =
    order === 'ymd'
      ? [found[1], found[3], found[4]]
      : order === 'dmy'
        ? [found[4], found[3], found[1]]
        : [found[4], found[1], found[3]];
  const m = monthOf(month);
  const time = found[5] === undefined ? { local: 0, utc: 0 } : hourOf(found.slice(5));
  const midnight = new Date(0);
  midnight.setUTCFullYear(Number(year), m - 1, Number(day));
  if (time === undefined || midnight.getUTCMonth() !== m - 1 || midnight.getUTCDate() !== Number(day)) {
    return undefined;
  }
  return {
    year: Number(year),
    month: m,
    weekday: midnight.getUTCDay(),
    hour: time.local,
    days: midnight.getTime() / 86_400_000 + time.utc / 24,
  };
}

function monthOf(text: string): number {
  const named = MONTHS.indexOf(text.slice(0, 3).toLowerCase());
  return named < 0 ? Number(text) : named + 1;
}

/** Hours since midnight, as written and in UTC. */
function hourOf(
  fields: readonly (string | undefined)[],
): { readonly local: number; readonly utc: number } | undefined {
  const [hourText, minute, second = '0', fraction = '', half, zone] = fields;
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
  }
  if (hour > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const local = hour + Number(minute) / 60 + Number(`${second}.${fraction || 0}`) / 3600;
  const offset = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  const shift = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) + Number(offset[3] ?? 0) / 60) : 0;
  return { local, utc: local - shift };
}

/**
 * The order that all cells are written in: undefined if they are not dates, `ambiguous` if day and
 * month may be either. Dots stand between days and months, in that order.
 */
export function dateOrder(cells: readonly string[]): DateOrder | 'ambiguous' | undefined {
  if (cells.length === 0) return undefined;
  const fitting = DATE_ORDERS.filter((order) => cells.every((cell) => parseDate(cell, order) !== undefined));
  if (fitting.length <= 1) return fitting[0];
  return cells.every((cell) => /^\d{1,2}\./.test(cell.trim())) ? 'dmy' : 'ambiguous';
}
