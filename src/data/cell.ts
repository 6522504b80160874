/** The meaning of one CSV cell: a number, a missing value or text, and its look in messages. */
import { quote } from '../text.js';

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** 10^0 to 10^15, all exact. */
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));
/**
 * An integer of at most this many digits is exact, so dividing it by a power above gives the
 * nearest float64 (Clinger, 1990).
 */
const EXACT_DIGITS = 15;

/**
 * Returns the float64 nearest to a decimal number: sign, digits, fraction and exponent, no spaces.
 * ±Infinity if the number is too large, NaN if the text is not such a number. `Number` alone would
 * also accept "", "0x10" and " 1 ".
 */
export function parseDecimal(text: string): number {
  const { length } = text;
  const sign = text.charCodeAt(0);
  const first = sign === MINUS || sign === PLUS ? 1 : 0;
  let digits = 0;
  let point = -1;
  let mantissa = 0;
  for (let i = first; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
    } else if (digit === POINT - ZERO && point < 0) {
      point = i;
    } else {
      return DECIMAL.test(text) ? Number(text) : Number.NaN;
    }
  }
  if (digits === 0) return Number.NaN;
  if (digits > EXACT_DIGITS) return Number(text);
  const value = point < 0 ? mantissa : mantissa / POWERS_OF_TEN[length - 1 - point];
  return sign === MINUS ? -value : value;
}

/** Whether the text is an integer beyond ±2^53, where a float64 skips integers. */
export function isLongInteger(text: string): boolean {
  const trimmed = text.trim();
  return /^[+-]?\d{16,}$/.test(trimmed) && !Number.isSafeInteger(Number(trimmed));
}

/** What a warning says about a column of such integers. */
export const LONG_INTEGERS =
  'holds integers beyond 2^53, which lose their last digits as numbers: name it in data.exclude, or in data.categories';

/** Below it, the shortest spelling of an integer has no exponent. */
const MOST_PLAIN = 1e15;

/** Whether the text is an integer as `String` writes it: 12 or -3, not 007, +1, 1.0 or 1e3. */
export function isPlainInteger(text: string, value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) < MOST_PLAIN && String(value) === text;
}

const ZERO = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;

/** A number with a currency before it, or with a unit behind it: after a space, or a well-known one. */
const UNIT =
  /^(?:(?:US\$|USD|EUR|GBP|CHF|JPY|INR|Rs\.?)\s?[+-]?\d[\d.,]*|[+-]?\d[\d.,]*(?:\s(?:USD|EUR|GBP|CHF|JPY|INR)|\s?(?:%|‰|°[CF]?|(?:[kmcµn]?[gml]|lbs?|oz|km\/h|mph|kmpl|cc|CC|bhp|hp|[kMGT]B|[kMG]?Hz|kWh?)\b)|\s[a-zA-Zµ]{1,2}))$/;

/** Numbers in other notations. None is read, because it may mean something else. */
const NOTATIONS = [
  { pattern: DECIMAL, hint: 'a number may be as large as 1.797e308' },
  {
    pattern: /^[+-]?\d*,\d+(?:e[+-]?\d+)?$/i,
    hint: 'write a decimal point and no thousands separators, as a spreadsheet set to English does',
  },
  {
    pattern: /^[+-]?\d{1,3}(?:[\s_'’,.]\d{3})+(?:[.,]\d+)?$/,
    hint: 'write a decimal point and no thousands separators',
  },
  { pattern: /^[+-]?0(?:x[\da-f]+|o[0-7]+|b[01]+)$/i, hint: 'write the number in decimal digits' },
  {
    pattern: /^[+-]?(?:inf(?:inity)?|∞)$/i,
    hint: 'only finite numbers can be learned from: complete the cell, or leave it empty',
  },
  { pattern: /^[−–](?:\d+(?:\.\d+)?|\.\d+)$/, hint: 'write the minus as a hyphen: -' },
  {
    pattern: /^[+-]?(?:[$€£¥]\s?\d[\d.,]*|\d[\d.,]*\s?[%$€£¥])$/,
    hint: 'write the number without its unit',
  },
  { pattern: /^\([$€£¥]?\s?\d[\d.,]*\s?%?\)$/, hint: 'write a negative number with a minus' },
  {
    pattern: /^[<>≤≥~≈]\s?[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)$/,
    hint: 'write the number without the sign before it',
  },
  { pattern: /^[+-]?\d+(?:\.\d*)?d[+-]?\d+$/i, hint: 'write the exponent with an e: 1.0e5' },
  { pattern: UNIT, hint: 'write the number without its unit' },
] as const;

/** The first characters of all of them, so that most words need one test. */
const NOTATION_START = /^[-+−–.,\d$€£¥i∞(<>≤≥~≈uegcjr]/i;

/** Whether the text is a number, even too large, or looks like one in another notation. */
export function looksNumeric(text: string): boolean {
  const trimmed = text.trim();
  return NOTATION_START.test(trimmed) && NOTATIONS.some(({ pattern }) => pattern.test(trimmed));
}

/** `an empty cell`, or the quoted text. */
export function found(text: string): string {
  return text === '' ? 'an empty cell' : quote(text);
}

/** Texts that often stand for a missing value. */
const PLACEHOLDER = /^(?:#?n\/a|n\.a\.?|none|nil|missing|unknown|undefined|not available|[-–—.*?_]+)$/i;
/** Na is sodium. */
const OTHER_CASE = /^(?:NA|na|NAN|Nan|NaN|nan|NULL|Null|null)$/;

/** Whether a text often stands for a missing value. */
export function isPlaceholder(text: string): boolean {
  const trimmed = text.trim();
  return PLACEHOLDER.test(trimmed) || OTHER_CASE.test(trimmed);
}

/** How to correct a cell that should be a number; `otherwise` is for ordinary text. */
export function numberHint(text: string, otherwise: string): string {
  if (text !== text.trim()) return 'remove the spaces around the value';
  if (isPlaceholder(text)) return 'if it means a missing value, list it in data.missingValues';
  return NOTATIONS.find(({ pattern }) => pattern.test(text))?.hint ?? otherwise;
}
