/** Detects the delimiter of a CSV, and whether its first record is a header. */
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { isMissing, looksNumeric, parseDecimal } from '../cell.js';

/**
 * The order decides between equally good candidates. A file whose records all split at semicolons
 * is hardly separated by commas, but a file of semicolons is full of commas, as in `1,5;2,5` and in
 * text.
 */
const CANDIDATES = ['\t', ';', '|', ','];

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Returns the delimiter that splits most bytes of `text` into records of the commonest number of
 * fields, if that is more than one; otherwise the comma. `text` is the start of a file without a
 * byte order mark, or all of it if `complete`. A last record that may be cut off and lines that
 * begin with `comment` do not count.
 */
export function detectDelimiter(text: Uint8Array, complete: boolean, comment?: string): string {
  let best = { delimiter: ',', bytes: 0 };
  for (const delimiter of CANDIDATES) {
    const bytes = evenlySplitBytes(text, complete, delimiter, comment);
    if (bytes > best.bytes) best = { delimiter, bytes };
  }
  return best.delimiter;
}

/** Bytes in records of the commonest number of fields; 0 if it is 1 or quotes are wrong. */
function evenlySplitBytes(
  text: Uint8Array,
  complete: boolean,
  delimiter: string,
  comment: string | undefined,
): number {
  const splits = new Map<number, { records: number; bytes: number }>();
  forEachRecord(text, complete, delimiter, comment, (fields, bytes) => {
    const split = splits.get(fields);
    splits.set(fields, { records: 1 + (split?.records ?? 0), bytes: bytes + (split?.bytes ?? 0) });
  });
  let commonest = { fields: 0, records: 0, bytes: 0 };
  for (const [fields, { records, bytes }] of splits) {
    if (records > commonest.records || (records === commonest.records && fields > commonest.fields)) {
      commonest = { fields, records, bytes };
    }
  }
  return commonest.fields > 1 ? commonest.bytes : 0;
}

/**
 * Splits as csv-parse does, and counts 0 fields where csv-parse would report a quote. Reading with
 * csv-parse once for each candidate would be much slower.
 */
function forEachRecord(
  text: Uint8Array,
  complete: boolean,
  delimiter: string,
  comment: string | undefined,
  visit: (fields: number, bytes: number) => void,
): void {
  const separator = delimiter.charCodeAt(0);
  const commentStart = comment?.charCodeAt(0);
  const endsField = (byte: number | undefined) =>
    byte === undefined || byte === separator || byte === LINE_FEED || byte === CARRIAGE_RETURN;
  let start = 0;
  let fields = 1;
  let fieldStart = 0;
  let quoted = false;
  let inOrder = true;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (i === start && byte === commentStart) {
      while (i + 1 < text.length && text[i + 1] !== LINE_FEED && text[i + 1] !== CARRIAGE_RETURN) i++;
    } else if (byte === QUOTE) {
      if (!quoted) {
        quoted = i === fieldStart;
        inOrder &&= quoted;
      } else if (text[i + 1] === QUOTE) {
        i++;
      } else {
        quoted = false;
        inOrder &&= endsField(text[i + 1]);
      }
    } else if (quoted) {
      // anything may be here
    } else if (byte === separator) {
      fields++;
      fieldStart = i + 1;
    } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      if (text[start] !== commentStart) visit(inOrder ? fields : 0, i - start);
      if (byte === CARRIAGE_RETURN && text[i + 1] === LINE_FEED) i++;
      fields = 1;
      start = i + 1;
      fieldStart = start;
      inOrder = true;
    }
  }
  const last = complete && start < text.length && text[start] !== commentStart;
  if (last) visit(inOrder && !quoted ? fields : 0, text.length - start);
}

const DATE_OR_TIME = /^\d[\d\s.:/TZ+-]*$/;
/** A data frame without names is saved with 0, 1, 2, … instead. Two may be chance. */
const FEWEST_COUNTED = 3;

/**
 * Whether `first` looks like names for the columns of `rows`, the records after it:
 *
 * - one of its cells is a word and the column below is mostly numbers (or dates, amounts): `width`
 *   over 2.5, 3.1; or
 * - its numbers count 0, 1, 2, … beside a cell that is not a number, as in a saved data frame; or
 * - all its cells are words, different from each other and from all cells below them.
 *
 * Numbers in it must all be possible names: different years, dates or counts, not fractions. So a
 * first row of numbers is data (2019, 2020, 2021 over other numbers may be either), and so is one
 * that ends in the word of a class. Missing cells do not count. A table of words that never repeat
 * is taken to have a header.
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

/**
 * Checks the names of a header.
 * @throws MlpError ExitCode.data for a name that is empty or occurs twice
 */
export function requireNames(path: string, line: number, names: readonly string[]): void {
  const seen = new Map<string, number>();
  names.forEach((name, index) => {
    if (name.trim() === '') {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: column ${index} (from 0): found an empty name, expected one for every column`,
        'name the column; a first column without a name often holds the row numbers of a saved data frame',
      );
    }
    const first = seen.get(name);
    if (first !== undefined) {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: found the name ${quote(name)} twice, for the columns ${first} and ${index} (from 0)`,
        'give every column its own name',
      );
    }
    seen.set(name, index);
  });
}

function isNumberLike(cell: string): boolean {
  return looksNumeric(cell) || DATE_OR_TIME.test(cell);
}

/** A year, a count or a date; no fraction, nothing below zero. */
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
