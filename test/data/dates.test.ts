import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DateOrder, findDates, formatDays, isCompactDate, parseDate } from '../../src/data/dates.js';

/** Days from 1970 to 31 December 2024: 55 years, of which 14 are leap years, less one day. */
const DAYS = 55 * 365 + 14 - 1;
const NEW_YEARS_EVE = { year: 2024, month: 12, day: 31, weekday: 2 };

describe('a date', () => {
  it.each<[string, DateOrder]>([
    ['2024-12-31', 'ymd'],
    ['2024/12/31', 'ymd'],
    ['20241231', 'ymd'],
    ['24-12-31', 'ymd'],
    ['31/12/2024', 'dmy'],
    ['31.12.2024', 'dmy'],
    ['31.12.24', 'dmy'],
    ['31-Dec-2024', 'dmy'],
    ['31 December 2024', 'dmy'],
    ['Tuesday, 31st Dec. 2024', 'dmy'],
    ['12/31/2024', 'mdy'],
    ['12/31/24', 'mdy'],
    ['Dec 31, 2024', 'mdy'],
    ['Tue, December 31st 2024', 'mdy'],
  ])('may be %j', (text, order) => {
    expect(parseDate(` ${text} `, order)).toEqual({ ...NEW_YEARS_EVE, hour: 0, elapsed: DAYS });
  });

  it.each<[string, DateOrder, number, number]>([
    ['2024-12-31T18:45', 'ymd', 18.75, 18.75],
    ['2024-12-31 18:45:00.000Z', 'ymd', 18.75, 18.75],
    ['2024-12-31T18:45:00,5', 'ymd', 18.75 + 0.5 / 3600, 18.75 + 0.5 / 3600],
    ['2024-12-31 18:45:00+02:00', 'ymd', 18.75, 16.75],
    ['2024-12-31T18:45:00-0530', 'ymd', 18.75, 24.25],
    ['2024-12-31T18:45:00+02', 'ymd', 18.75, 16.75],
    ['20241231T184500Z', 'ymd', 18.75, 18.75],
    ['31/12/2024 18:45', 'dmy', 18.75, 18.75],
    ['12/31/2024 06:45 PM', 'mdy', 18.75, 18.75],
    ['Dec 31, 2024, 12:15 a.m.', 'mdy', 0.25, 0.25],
    ['Tue, 31 Dec 2024 18:45:00 GMT', 'dmy', 18.75, 18.75],
  ])('may have a time: %j', (text, order, hour, utc) => {
    // The hour is the one on the wall; what elapsed is the same everywhere.
    const moment = parseDate(text, order);
    expect(moment).toMatchObject({ ...NEW_YEARS_EVE, hour });
    expect(moment?.elapsed).toBeCloseTo(DAYS + utc / 24, 10);
  });

  it.each<[string, DateOrder]>([
    ['2024-12', 'ymd'],
    ['12/2024', 'dmy'],
    ['Dec 2024', 'dmy'],
  ])('may be a month: %j', (text, order) => {
    expect(parseDate(text, order)).toMatchObject({ year: 2024, month: 12, day: 1 });
  });

  it('may be a time alone', () => {
    expect(parseDate('13:30', 'time')).toMatchObject({ hour: 13.5, elapsed: 13.5 / 24 });
  });

  it.each<[string, DateOrder]>([
    ['2023-02-29', 'ymd'],
    ['2024-13-01', 'ymd'],
    ['2024-12-31T24:30', 'ymd'],
    ['2024-12-31T10:61', 'ymd'],
    ['2024-12-31 13:00 pm', 'ymd'],
    ['2024-12/31', 'ymd'],
    ['20241331', 'ymd'],
    ['31/12/2024', 'mdy'],
    ['31/12/2024', 'ymd'],
    ['31 Decoy 2024', 'dmy'],
    ['10/24', 'dmy'],
    ['1.5', 'dmy'],
    ['25:00', 'time'],
    ['16:9', 'time'],
    ['', 'ymd'],
  ])('is not %j as %s', (text, order) => {
    expect(parseDate(text, order)).toBeUndefined();
  });

  it('is the same in all orders', () => {
    const two = (value: number) => String(value).padStart(2, '0');
    const date = fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, (date) => {
        const [year, month, day] = [
          date.getUTCFullYear(),
          two(date.getUTCMonth() + 1),
          two(date.getUTCDate()),
        ];
        const days = Math.floor(date.getTime() / 86_400_000);
        expect(parseDate(`${year}-${month}-${day}`, 'ymd')?.elapsed).toBe(days);
        expect(parseDate(`${day}/${month}/${year}`, 'dmy')?.elapsed).toBe(days);
        expect(parseDate(`${month}/${day}/${year}`, 'mdy')?.elapsed).toBe(days);
        expect(isCompactDate(Number(`${year}${month}${day}`))).toBe(true);
        expect(formatDays(days)).toBe(`${year}-${month}-${day}`);
      }),
    );
  });
});

describe('a column of dates', () => {
  it.each<[readonly string[], string | undefined]>([
    [['2024-01-02', '2024-03-04'], 'ymd'],
    [['2024-01-02 10:00', '2024-03-04'], 'ymd'],
    [['01/02/2024', '31/12/2024'], 'dmy'],
    [['01/02/2024', '12/31/2024'], 'mdy'],
    [['01.02.2024', '03.04.2024'], 'dmy'],
    [['01/02/24', '31/12/24'], 'dmy'],
    [['01-02-24', '03-04-24'], 'ambiguous'],
    [['01-02-24', '03-04-99'], 'ambiguous'],
    [['01-02-24', '99-04-03'], 'ymd'],
    [['01/02/2024', '03/04/2024'], 'ambiguous'],
    [['1 Feb 2024', '2 March 2024'], 'dmy'],
    [['10:30', '23:59'], 'time'],
    [['red', 'green'], undefined],
    [['2024-01-02', 'green', 'blue'], undefined],
    [['1/2', '3/4'], undefined],
    [[], undefined],
  ])('%j is %s', (cells, order) => {
    expect(findDates(cells)?.order).toBe(order);
  });

  it('may hold other texts', () => {
    expect(findDates(['2024-01-02', '2024-01-32', '2024-02-02'])).toEqual({
      order: 'ymd',
      other: '2024-01-32',
    });
    // Two files, joined.
    const joined = ['2024-01-02', '2024-01-03', '31/12/2024', '30/12/2024'];
    expect(findDates(joined)).toEqual({ order: 'ymd', other: '31/12/2024' });
    // One way fits more.
    const cells = ['31/12/2024', '01/02/2024', '30/12/2024', '12/29/2024'];
    expect(findDates(cells)).toEqual({ order: 'dmy', other: '12/29/2024' });
  });
});
