/** The first records of a CSV, as csv-parse reads them, with their lines and byte offsets. */
import { CsvError } from 'csv-parse';
import { MOST_COLUMNS } from '../table.js';
import {
  closingQuote,
  countLineEnds,
  csvError,
  LONGEST_FIELD,
  LONGEST_ROW,
  openingQuote,
  PushParser,
  type RecordLocation,
  type Separators,
  tooLongError,
} from './csvParse.js';

export interface FirstRecord extends Position {
  readonly cells: readonly string[];
}

/** The start of a record. */
export interface Position {
  /** Empty lines before it. */
  readonly emptyLines: number;
  /** In bytes. */
  readonly start: number;
  /** From 1. */
  readonly line: number;
}

export interface FirstRecords {
  /** Empty only if the text is incomplete. */
  readonly records: readonly FirstRecord[];
  /** Where the record after the last one may begin. */
  readonly end: Position;
  /** Whether cells of the first record had spaces around them. */
  readonly spaces: boolean;
}

/** The start of a file's text, or all of it. */
export interface FileStart {
  /** The file, as messages call it. */
  readonly name: string;
  readonly text: Buffer;
  readonly complete: boolean;
}

const LINE_FEED = 0x0a;

const CARRIAGE_RETURN = 0x0d;

const SPACE = 0x20;

const TAB = 0x09;

const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Ends the reading. */
const ENOUGH = Symbol('enough records');

/** The length in bytes of a byte order mark at the start of the text. */
function markLength(text: Buffer): number {
  return text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

const SEPARATOR_LINE = /^(?:sep=([^\r\n"])|"sep=([^\r\n"])")[,;\t|]*(?:\r\n|\n|\r)/i;

/** Where the first record may begin, and the delimiter that a line `sep=;` of a spreadsheet names. */
export function beginning(text: Buffer, skipLines = 0): Position & { readonly delimiter?: string } {
  let start = markLength(text);
  let line = 1;
  for (; line <= skipLines && start < text.length; line++) {
    const end = text.indexOf(LINE_FEED, start);
    start = end < 0 ? text.length : end + 1;
  }
  const [named, bare, quoted] = SEPARATOR_LINE.exec(text.toString('latin1', start, start + 64)) ?? [];
  const position = { start, line, emptyLines: 0 };
  if (named === undefined) return position;
  return { ...position, start: start + named.length, line: line + 1, delimiter: bare ?? quoted };
}

/**
 * Returns at most `limit` complete records from the start of the text, up to an error of csv-parse.
 * `header` tells that the first record holds names, for messages.
 * @throws MlpError ExitCode.data for an error in the first two records; later ones are left to the
 *   reader of the rest
 */
export function firstRecords(
  { name, text, complete }: FileStart,
  first: Position,
  separators: Separators,
  limit: number,
  header: boolean,
): FirstRecords {
  const { delimiter } = separators;
  const records: FirstRecord[] = [];
  let spaces = false;
  let next = skipToRecord(text, first, separators);
  const add = (cells: readonly string[], end: number, hasSpaces: boolean) => {
    if (records.length === limit) throw ENOUGH;
    // A record that reaches the end may continue after it.
    if (end < text.length || complete) records.push({ cells, ...next });
    if (records.length === 1) spaces = hasSpaces;
    const line = next.line + countLineEnds(text.toString('latin1', next.start, end));
    next = skipToRecord(text, { ...next, start: end, line }, separators);
  };
  try {
    const plain = plainText(text, first.start, separators);
    if (plain === undefined) {
      const parser: PushParser = new PushParser(separators, (cells) =>
        add(cells, first.start + parser.info.bytes, parser.hasSpaces),
      );
      parser.feed(text.subarray(first.start));
      parser.finish();
    } else {
      for (let start = 0; start < plain.length; ) {
        const lineFeed = plain.indexOf('\n', start);
        const end = lineFeed < 0 ? plain.length : lineFeed;
        const next = Math.min(end + 1, plain.length);
        if (end > start) add(plain.slice(start, end).split(delimiter), first.start + next, false);
        start = next;
      }
    }
  } catch (error) {
    if (error === ENOUGH) return { records, spaces, end: next };
    if (!(error instanceof CsvError)) throw error;
    const names = header ? records[0]?.cells : undefined;
    if (records.length < 2) {
      error.bytes = Number(error.bytes) + first.start;
      throwComplaint(error, text, complete, next, { path: name, delimiter, names });
    }
  }
  if (records.length < 2 && !complete && text.length - next.start > LONGEST_ROW) {
    throw tooLongError('row', 0, { path: name, line: next.line, delimiter });
  }
  return { records, spaces, end: next };
}

/** More than lines and separators, for which csv-parse is needed: quotes, spaces, other line ends. */
const NOT_PLAIN = /[^!#-~\t\n]/;

/** The text from `start` if splitting it tells its records, as csv-parse would. */
function plainText(text: Buffer, start: number, { delimiter, comment }: Separators): string | undefined {
  // Shorter than a record of too many fields.
  if (comment !== undefined || text.length - start > MOST_COLUMNS) return undefined;
  const plain = text.toString('latin1', start);
  const hasTabs = delimiter !== '\t' && plain.includes('\t');
  return hasTabs || NOT_PLAIN.test(plain) ? undefined : plain;
}

/** Throws our error for csv-parse's, unless only the end of an incomplete text causes it. */
function throwComplaint(
  error: CsvError,
  text: Buffer,
  complete: boolean,
  record: Position,
  location: Omit<RecordLocation, 'line'>,
): void {
  const column = Number(error.column);
  const start = column === 0 ? record.start : Number(error.bytes) + 1;
  const line = record.line + countLineEnds(text.toString('latin1', record.start, start));
  if (error.code === 'CSV_QUOTE_NOT_CLOSED' && !complete) {
    // Every byte of a field may be a quote, which takes two bytes in the file.
    if (text.length - start <= 2 * LONGEST_FIELD + 2) return;
    throw tooLongError('field', column, { ...location, line });
  }
  // csv-parse counts a CRLF within quotes as two lines.
  const field = text.toString('latin1', start);
  error.lines = line + countLineEnds(field.slice(0, closingQuote(field, openingQuote(field, 0))));
  throw csvError(error, { ...location, line });
}

/** Moves from the start of a line to the start of the next one that is no comment and not empty. */
function skipToRecord(text: Uint8Array, from: Position, { delimiter, comment }: Separators): Position {
  const mark = comment?.charCodeAt(0);
  const separator = delimiter.charCodeAt(0);
  let { start, line, emptyLines } = from;
  while (start < text.length) {
    let end = start;
    if (text[start] === mark) {
      while (end < text.length && text[end] !== LINE_FEED && text[end] !== CARRIAGE_RETURN) end++;
    } else {
      while ((text[end] === SPACE || text[end] === TAB) && text[end] !== separator) end++;
      if (end < text.length && text[end] !== LINE_FEED && text[end] !== CARRIAGE_RETURN) break;
      emptyLines++;
    }
    start = end + (text[end] === CARRIAGE_RETURN && text[end + 1] === LINE_FEED ? 2 : 1);
    line++;
  }
  return { start, line, emptyLines };
}
