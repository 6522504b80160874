/**
 * Writes CSV: RFC 4180 with any delimiter, LF as line end. What is written reads back unchanged,
 * including byte order marks, empty cells and line ends within cells.
 */
import { parseDecimal } from '../cell.js';

/** Returns a function that quotes a cell if the delimiter, line ends or spaces around it require it. */
export function cellFormatter(delimiter: string): (cell: string) => string {
  const special = new RegExp(`["\\r\\n\\x${delimiter.charCodeAt(0).toString(16).padStart(2, '0')}]`);
  return (cell) => (special.test(cell) || cell !== cell.trim() ? `"${cell.replaceAll('"', '""')}"` : cell);
}

/** Joins formatted cells. A single empty cell is quoted, as some readers skip empty lines. */
export function joinCells(cells: readonly string[], delimiter: string): string {
  return cells.length === 1 && cells[0] === '' ? '""\n' : `${cells.join(delimiter)}\n`;
}

/** A sign alone is no formula, but a common mark of a missing value. */
const FORMULA_START = /^[=+\-@＝＋－＠\t\r\n](?!$)/;

/**
 * Puts an apostrophe before a cell that a spreadsheet would run as a formula: one that starts with
 * = + - @, their full-width forms, a tab, a carriage return or a line feed. The apostrophe marks
 * text. Numbers such as -1.5 and +3e5 stay.
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function guardFormula(cell: string): string {
  return FORMULA_START.test(cell) && Number.isNaN(parseDecimal(cell)) ? `'${cell}` : cell;
}

/** 10^0 to 10^22, the powers that a float64 holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** A decimal of this many digits survives a float32, so fewer are never tried. */
const FEWEST_DIGITS = 6;
/** Enough to distinguish any two float32. */
const MOST_DIGITS = 9;
const SMALLEST = 2 ** -126;

/**
 * The shortest decimal that reads back to the float32 nearest to `value`: 0.1 for the float64
 * 0.10000000149011612. Outside the range of normal float32, all digits of the float64.
 */
export function shortestFloat32(value: number): string {
  const rounded = Math.fround(value);
  const size = Math.abs(rounded);
  if (!(size >= SMALLEST && size < Number.POSITIVE_INFINITY)) return String(value);
  const exponent = Math.floor(Math.log10(size));
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const decimal = nearestDecimal(rounded, exponent, digits);
    if (Math.fround(decimal) === rounded) return String(decimal);
  }
  return String(nearestDecimal(rounded, exponent, MOST_DIGITS));
}

/**
 * The float64 nearest to the decimal of `digits` digits nearest to `value`, whose first digit counts
 * 10^exponent. Computed by arithmetic while the power of ten is exact, because the quotient is then
 * rounded once (Clinger, 1990).
 */
function nearestDecimal(value: number, exponent: number, digits: number): number {
  const power = digits - 1 - exponent;
  if (power >= 0 && power < POWERS_OF_TEN.length) {
    return Math.round(value * POWERS_OF_TEN[power]) / POWERS_OF_TEN[power];
  }
  if (power < 0 && -power < POWERS_OF_TEN.length) {
    return Math.round(value / POWERS_OF_TEN[-power]) * POWERS_OF_TEN[-power];
  }
  return Number(value.toPrecision(digits));
}
