/** The first records of a CSV out of the beginning of its text, each with the place where it begins. */
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import {
  closingQuote,
  countLineEnds,
  csvError,
  LONGEST_FIELD,
  parseOptions,
  type RecordLocation,
  type Separators,
  tooLongError,
} from './csvParse.js';

export interface FirstRecord extends Position {
  readonly cells: readonly string[];
}

/** Where a record begins. */
interface Position {
  /** Byte offset. */
  readonly start: number;
  /** From 1. */
  readonly line: number;
}

/** The beginning of a file's text, or all of it. */
export interface FileStart {
  /** The file, as messages call it. */
  readonly name: string;
  readonly text: Buffer;
  readonly complete: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** How many bytes of the text are a byte order mark. */
export function markLength(text: Buffer): number {
  return text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

/**
 * At most `limit` whole records, from the first on; fewer where the text ends, and up to where csv-parse complains.
 * An MlpError (65) where it complains of one of the first two; what comes later is for whoever reads the rest.
 * `header` says that the first record is known to hold names, for that message.
 */
export function firstRecords(
  { name, text, complete }: FileStart,
  separators: Separators,
  limit: number,
  header: boolean,
): FirstRecord[] {
  const { delimiter, comment } = separators;
  const records: FirstRecord[] = [];
  let next = skipComments(text, { start: markLength(text), line: 1 }, comment);
  const options = {
    ...parseOptions(separators),
    to: limit,
    on_record(cells: string[], { bytes: end }: { bytes: number }) {
      // A record that reaches the end may go on after it.
      if (end < text.length || complete) records.push({ cells, ...next });
      const line = next.line + countLineEnds(text.toString('latin1', next.start, end));
      next = skipComments(text, { start: end, line }, comment);
      return null;
    },
  };
  try {
    parse(text, options);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const names = header ? records[0]?.cells : undefined;
    if (records.length < 2) throwComplaint(error, text, complete, next, { path: name, delimiter, names });
  }
  return records;
}

/** Throws the user's error for csv-parse's, unless only the end of an incomplete text is to blame. */
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
    // Every byte of a field may be a quote, and thus two of the file.
    if (text.length - start <= 2 * LONGEST_FIELD + 2) return;
    throw tooLongError('field', column, { ...location, line });
  }
  // csv-parse takes a CRLF within quotes for two lines.
  const field = text.toString('latin1', start);
  error.lines = line + countLineEnds(field.slice(0, closingQuote(field, 0)));
  throw csvError(error, { ...location, line });
}

/** From the beginning of a line to that of the next one which is no comment. */
function skipComments(text: Uint8Array, { start, line }: Position, comment: string | undefined): Position {
  const mark = comment?.charCodeAt(0);
  while (start < text.length && text[start] === mark) {
    while (start < text.length && text[start] !== LINE_FEED && text[start] !== CARRIAGE_RETURN) start++;
    start += text[start] === CARRIAGE_RETURN && text[start + 1] === LINE_FEED ? 2 : 1;
    line++;
  }
  return { start, line };
}
