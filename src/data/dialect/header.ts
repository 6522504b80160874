/** Whether the first record of a CSV names its columns, and whether those names will do. */
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { isMissing, looksNumeric, parseDecimal } from '../cell.js';

const DATE_OR_TIME = /^\d[\d\s.:/TZ+-]*$/;
/** A data frame whose columns have no names is saved with 0, 1, 2, … in their place; two of them may be chance. */
const FEWEST_COUNTED = 3;

/**
 * Whether `first` looks like names for the columns of `rows`, the records after it. It does where
 *
 * - a cell of it is a word and the column below is mostly numbers (or dates, amounts): `width` over 2.5, 3.1; or
 * - its numbers count 0, 1, 2, … beside a cell that is no number, as a data frame's do; or
 * - all its cells are words, different from each other and from all cells below them.
 *
 * Numbers in it must all be able to be names: different years, dates or counts, not fractions. So a first row of numbers
 * alone is data (2019, 2020, 2021 over other numbers may be either), as is one that ends in the word of a class; nor does a missing cell
 * say anything. A table of words that never repeat is taken to have a header.
 */
export function looksLikeHeader(first: readonly string[], rows: readonly (readonly string[])[]): boolean {
  const numbers = first.filter(isNumberLike);
  if (!numbers.every(canBeName) || !areDistinct(numbers)) return false;
  const below = (index: number) => rows.map((row) => row[index]).filter((cell) => cell !== undefined);
  const isNewWord = (cell: string, index: number) =>
    !isMissing(cell) && !isNumberLike(cell) && !below(index).includes(cell);
  if (first.some((cell, index) => isNewWord(cell, index) && areMostlyNumbers(below(index)))) return true;
  if (numbers.length > 0) {
    const counted = numbers.length >= FEWEST_COUNTED && numbers.every((cell, i) => cell === String(i));
    return counted && numbers.length < first.length;
  }
  return first.every(isNewWord) && areDistinct(first);
}

/** An MlpError (65) where a name is empty, or stands over two columns. */
export function requireNames(path: string, line: number, names: readonly string[]): void {
  const seen = new Map<string, number>();
  names.forEach((name, index) => {
    if (name.trim() === '') {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: column ${index} (from 0): found an empty name, expected one for every column`,
        'name the column; a nameless first one is often a row number that a data frame was saved with',
      );
    }
    const first = seen.get(name);
    if (first !== undefined) {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: found the name ${quote(name)} twice, for the columns ${first} and ${index} (from 0)`,
        'give every column a name of its own',
      );
    }
    seen.set(name, index);
  });
}

function isNumberLike(cell: string): boolean {
  return looksNumeric(cell) || DATE_OR_TIME.test(cell);
}

/** A year, a count, a date; no fraction and nothing below zero. */
function canBeName(cell: string): boolean {
  const value = parseDecimal(cell.trim().replace(',', '.'));
  return Number.isNaN(value) || (Number.isInteger(value) && value >= 0);
}

function areMostlyNumbers(cells: readonly string[]): boolean {
  const present = cells.filter((cell) => !isMissing(cell));
  return present.filter(isNumberLike).length > present.length / 2;
}

function areDistinct(cells: readonly string[]): boolean {
  return new Set(cells).size === cells.length;
}
