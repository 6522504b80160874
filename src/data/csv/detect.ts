/** Detects the delimiter of a CSV, and whether its first record is a header. */
import { looksNumeric, parseDecimal } from '../cell.js';
import { isMissing } from '../missingValues.js';

/**
 * The order decides between equally good candidates. A file whose records all split at semicolons
 * is hardly separated by commas, but a file of semicolons is full of commas, as in `1,5;2,5` and in
 * text.
 */
const CANDIDATES = ['\t', ';', '|', ','];

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;

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
  const isBlank = (byte: number) => (byte === SPACE || byte === TAB) && byte !== separator;
  const endsField = (at: number) => {
    while (at < text.length && isBlank(text[at])) at++;
    const byte = text[at];
    return at >= text.length || byte === separator || byte === LINE_FEED || byte === CARRIAGE_RETURN;
  };
  let start = 0;
  let fields = 1;
  let isEmptyField = true;
  let quoted = false;
  let inOrder = true;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i];
    if (i === start && byte === commentStart) {
      while (i + 1 < text.length && text[i + 1] !== LINE_FEED && text[i + 1] !== CARRIAGE_RETURN) i++;
      isEmptyField = false;
    } else if (byte === QUOTE && (quoted || isEmptyField)) {
      isEmptyField = false;
      if (!quoted) {
        quoted = true;
      } else if (text[i + 1] === QUOTE) {
        i++;
      } else {
        quoted = false;
        inOrder &&= endsField(i + 1);
      }
    } else if (quoted) {
      // anything may be here
    } else if (byte === separator) {
      fields++;
      isEmptyField = true;
    } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      const isEmpty = fields === 1 && isEmptyField;
      if (text[start] !== commentStart && !isEmpty) visit(inOrder ? fields : 0, i - start);
      if (byte === CARRIAGE_RETURN && text[i + 1] === LINE_FEED) i++;
      fields = 1;
      start = i + 1;
      isEmptyField = true;
      inOrder = true;
    } else if (!isBlank(byte)) {
      isEmptyField = false;
    }
  }
  const isEmpty = fields === 1 && isEmptyField;
  if (complete && !isEmpty && text[start] !== commentStart) {
    visit(inOrder && !quoted ? fields : 0, text.length - start);
  }
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
  // A name such as NA, and no name at all, say nothing; but a cell of data is found again below.
  const isName = (cell: string, index: number) =>
    isMissing(cell) ? !below(index).some(isMissing) : isNewWord(cell, index);
  const words = first.filter((cell) => cell !== '');
  return words.length * 2 > first.length - 1 && first.every(isName) && areDistinct(words);
}

/** The names of a header, with those that were made up because a name is empty or repeated. */
export interface HeaderNames {
  readonly names: readonly string[];
  /** The numbers of these columns, from 0. */
  readonly nameless: readonly number[];
  readonly repeated: readonly number[];
}

/** Names every column as pandas does: `Unnamed: 0` where there is no name, then `score`, `score.1`. */
export function uniqueNames(header: readonly string[]): HeaderNames {
  const nameless: number[] = [];
  const repeated: number[] = [];
  const given = new Set(header);
  const taken = new Set<string>();
  /** The number behind the last name of each base: 100,000 columns may all have the same name. */
  const numbers = new Map<string, number>();
  const numbered = (base: string) => {
    let n = numbers.get(base) ?? 0;
    let free = n === 0 ? base : `${base}.${n}`;
    while (taken.has(free) || given.has(free)) free = `${base}.${++n}`;
    numbers.set(base, n);
    return free;
  };
  const names = header.map((name, index) => {
    const isNameless = name.trim() === '';
    const isRepeated = !isNameless && taken.has(name);
    if (isNameless) nameless.push(index);
    if (isRepeated) repeated.push(index);
    const own = isNameless ? numbered(`Unnamed: ${index}`) : isRepeated ? numbered(name) : name;
    taken.add(own);
    return own;
  });
  return { names, nameless, repeated };
}

/** What pandas calls a column without a name, also when such a file was saved again. */
const UNNAMED = /^Unnamed: \d+(?:\.\d+)*$/;

/**
 * The first columns that have no name and only number or name the rows, as data frames are saved:
 * whole numbers or words, all different.
 */
export function rowNameColumns(names: readonly string[], rows: readonly (readonly string[])[]): number[] {
  const columns: number[] = [];
  for (const [index, name] of names.entries()) {
    if (!UNNAMED.test(name) || !areRowNames(rows.map((cells) => cells[index] ?? ''))) break;
    columns.push(index);
  }
  return columns;
}

/** Whether all cells are different whole numbers, or different words. */
export function areRowNames(cells: readonly string[]): boolean {
  if (cells.length === 0 || !areDistinct(cells) || cells.some(isMissing)) return false;
  const numbers = cells.map(parseDecimal);
  return numbers.every((value) => Number.isInteger(value)) || numbers.every(Number.isNaN);
}

/**
 * Whether the first record is a title that is padded with separators: most of its cells are empty,
 * but not the first one, and the record below looks like the header.
 */
export function looksLikeTitle(first: readonly string[], rows: readonly (readonly string[])[]): boolean {
  const present = first.filter((cell) => cell !== '').length;
  const [header = [], ...rest] = rows;
  if (rows.length < 2 || first.length < 3 || first[0] === '' || present * 2 > first.length) return false;
  return header.every((cell) => cell !== '') && looksLikeHeader(header, rest);
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
