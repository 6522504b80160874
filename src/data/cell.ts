/** What one cell of a CSV says: a number, a missing value or text, and how a message shows it. */
import { quote } from '../spec/show.js';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const MISSING = new Set(['', 'na', 'nan', 'null', '?']);

/**
 * The float64 nearest to a decimal number (sign, digits, fraction and exponent, nothing around them), ±Infinity where
 * it is too large for one, NaN where the text is no such number. `Number` alone would take "", "0x10" and " 1 ".
 */
export function parseDecimal(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

/** Whether the cell stands for a missing value: blank, NA, NaN, null (in any case) or a question mark. */
export function isMissing(text: string): boolean {
  return MISSING.has(text.trim().toLowerCase());
}

/** `an empty cell`, or the quoted text. */
export function found(text: string): string {
  return text === '' ? 'an empty cell' : quote(text);
}

/** How to mend a cell that is not the number it should be; `otherwise` is for plain text. */
export function numberHint(text: string, otherwise: string): string {
  if (isMissing(text)) {
    return 'missing values are not filled in: complete the cell, remove the row, or name the column in data.exclude';
  }
  if (text !== text.trim()) return 'remove the spaces around the value';
  if (/^[+-]?\d+,\d+$/.test(text)) return 'write a point before the decimals';
  if (!Number.isNaN(parseDecimal(text))) return 'a number may be as large as 1.797e308';
  return otherwise;
}
