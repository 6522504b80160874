/**
 * Writing CSV: RFC 4180 with any delimiter, and LF for line ends. What is written reads back as it was, byte order mark, empty cells and
 * line ends within cells included.
 */
import { parseDecimal } from '../cell.js';

/** What to read before the first cell as a mark of the encoding would be to lose it. */
const BYTE_ORDER_MARK = '\ufeff';

/** Gives a function that quotes a cell where `delimiter`, one ASCII character, and line ends make it necessary. */
export function cellFormatter(delimiter: string): (cell: string) => string {
  const special = new RegExp(`["\\r\\n\\x${delimiter.charCodeAt(0).toString(16).padStart(2, '0')}]`);
  return (cell) =>
    special.test(cell) || cell.startsWith(BYTE_ORDER_MARK) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** A line, of cells that are formatted. An empty cell alone is quoted, for it would be an empty line, which some readers skip. */
export function joinCells(cells: readonly string[], delimiter: string): string {
  return cells.length === 1 && cells[0] === '' ? '""\n' : `${cells.join(delimiter)}\n`;
}

const FORMULA_START = /^[=+\-@\t\r]/;

/**
 * `cell` behind an apostrophe, by which a spreadsheet knows text, where it begins like a formula (= + - @, tab or carriage return).
 * Numbers are left alone: -1.5 and +3e5 are none.
 */
export function guardFormula(cell: string): string {
  return FORMULA_START.test(cell) && Number.isNaN(parseDecimal(cell)) ? `'${cell}` : cell;
}

/** 10^0 to 10^22: the powers that a float64 holds exactly. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** A decimal of so many digits survives the way through a float32, so that fewer are never tried. */
const FEWEST_DIGITS = 6;
/** Enough to tell any two float32 apart. */
const MOST_DIGITS = 9;
const SMALLEST = 2 ** -126;

/**
 * `value` with the precision of a float32: the nearest of the decimals with the fewest digits that read back to the float32 nearest to it. So 0.1 for
 * what is 0.10000000149011612 as a float64. Beyond the range of normal float32, all digits of the float64.
 */
export function shortestFloat32(value: number): string {
  const rounded = Math.fround(value);
  const size = Math.abs(rounded);
  if (!(size >= SMALLEST && size < Number.POSITIVE_INFINITY)) return String(value);
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const decimal = nearestDecimal(rounded, size, digits);
    if (Math.fround(decimal) === rounded) return String(decimal);
  }
  return String(nearestDecimal(rounded, size, MOST_DIGITS));
}

/**
 * The float64 nearest to the decimal of so many digits that is nearest to `value`, whose size is `size`. Arithmetic, as far as the power of ten is
 * exact: the quotient is then rounded once (Clinger, 1990).
 */
function nearestDecimal(value: number, size: number, digits: number): number {
  const power = digits - 1 - Math.floor(Math.log10(size));
  if (power >= 0 && power < POWERS_OF_TEN.length) {
    return Math.round(value * POWERS_OF_TEN[power]) / POWERS_OF_TEN[power];
  }
  if (power < 0 && -power < POWERS_OF_TEN.length) {
    return Math.round(value / POWERS_OF_TEN[-power]) * POWERS_OF_TEN[-power];
  }
  return Number(value.toPrecision(digits));
}
