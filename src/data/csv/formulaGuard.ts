/** Text that a spreadsheet would run when it opens a CSV, made harmless. https://owasp.org/www-community/attacks/CSV_Injection */
import { parseDecimal } from '../cell.js';

const FORMULA_START = /^[=+\-@\t\r]/;

/**
 * `cell` behind an apostrophe, by which a spreadsheet knows text, where it begins like a formula (= + - @, tab or carriage return).
 * Numbers are left alone: -1.5 and +3e5 are none.
 */
export function guardFormula(cell: string): string {
  return FORMULA_START.test(cell) && Number.isNaN(parseDecimal(cell)) ? `'${cell}` : cell;
}
