/**
 * The dialect of a CSV: delimiter, header, names and where the data start, detected from the first
 * records or as set. csv-parse reads these records too, so nothing else decides what quotes mean.
 */

import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { ExitCode, MlpError } from '../../errors.js';
import { isMissing, parseDecimal } from '../cell.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import {
  closingQuote,
  countLineEnds,
  csvError,
  delimiterName,
  LONGEST_FIELD,
  parseOptions,
  type RecordLocation,
  type Separators,
  tooLongError,
} from './csvParse.js';
import { detectDelimiter, looksLikeHeader, requireNames } from './detect.js';

/** How a CSV is written. */
export interface CsvFormat extends Separators {
  /** Whether the first record names the columns. */
  readonly header: boolean;
}

/** What the first records of a file tell. */
export interface Dialect extends CsvFormat {
  /** From the header, without a byte order mark; "0", "1", … without a header. */
  readonly names: readonly string[];
  /** Byte offset of the first record of data. */
  readonly dataStart: number;
  /** Its line, from 1. */
  readonly dataLine: number;
  /** The first 1 to 200 records of data, as csv-parse reads them. */
  readonly sample: readonly (readonly string[])[];
}

export interface DialectRequest {
  readonly delimiter: 'auto' | string;
  readonly header: 'auto' | boolean;
  readonly comment?: string;
}

/** Bytes of the first look. Each further look takes four times as many. */
const FIRST_LOOK = 2 ** 16;
const SAMPLE_RECORDS = 200;

/**
 * Reads as much of a source as its dialect needs.
 * @throws MlpError ExitCode.io if it can't be read; data if it is not UTF-8 text, has quotes out of
 *   order, has no data, begins with lines that are not part of the table, or has empty or equal
 *   names
 */
export async function detectDialect(source: Source, request: DialectRequest): Promise<Dialect> {
  const { name } = source;
  let text: Buffer = Buffer.alloc(0);
  let look = FIRST_LOOK;
  for await (const chunk of readText(source)) {
    text = Buffer.concat([text, chunk]);
    for (; look < text.length; look *= 4) {
      const split = splitStart({ name, text: text.subarray(0, look), complete: false }, request);
      if (split.records.length >= 2) return tellDialect(name, split, request);
    }
  }
  return tellDialect(name, splitStart({ name, text, complete: true }, request), request);
}

/** `separated by semicolons, without a header` */
export function describeFormat({ delimiter, header, comment }: CsvFormat): string {
  const comments = comment === undefined ? '' : `, comments after ${comment}`;
  return `separated by ${delimiterName(delimiter)}s, ${header ? 'with' : 'without'} a header${comments}`;
}

/** The first records, and the separators that split them. */
interface SplitStart extends Separators {
  /** Empty only if the text is incomplete. */
  readonly records: readonly FirstRecord[];
}

function splitStart(start: FileStart, { delimiter, header, comment }: DialectRequest): SplitStart {
  const { name, text, complete } = start;
  const mark = markLength(text);
  const separators = {
    delimiter: delimiter === 'auto' ? detectDelimiter(text.subarray(mark), complete, comment) : delimiter,
    ...(comment !== undefined && { comment }),
  };
  const records = firstRecords(start, separators, 1 + SAMPLE_RECORDS, header === true);
  if (records.length === 0 && complete) {
    throw noData(name, text.length > mark ? 'nothing but comments' : 'an empty file', header);
  }
  return { ...separators, records };
}

function tellDialect(name: string, { records, ...separators }: SplitStart, request: DialectRequest): Dialect {
  const [first, ...rest] = records;
  const rows = rest.map(({ cells }) => cells);
  requireTable(name, first, rows, request);
  const header = request.header === 'auto' ? looksLikeHeader(first.cells, rows) : request.header;
  if (header) requireNames(name, first.line, first.cells);
  const names = header ? first.cells : first.cells.map((_, i) => String(i));
  const data = header ? rest : records.slice(0, SAMPLE_RECORDS);
  if (data.length === 0) throw noData(name, 'a header and nothing after it', header);
  const { start: dataStart, line: dataLine } = data[0];
  return { ...separators, header, names, dataStart, dataLine, sample: data.map(({ cells }) => cells) };
}

/**
 * Refuses a first record that is an empty line, or has fewer fields than most records after it.
 * @throws MlpError ExitCode.data
 */
function requireTable(
  name: string,
  { cells, line }: FirstRecord,
  rows: readonly (readonly string[])[],
  { header, comment }: DialectRequest,
): void {
  const fields = fieldsOfMost(rows);
  if (cells.length === 1 && cells[0] === '' && (header === true || fields > 1)) {
    throw new MlpError(
      ExitCode.data,
      `${name}:${line}: found an empty line, expected a ${header === false ? 'row' : 'header'}`,
      'remove the line',
    );
  }
  if (cells.length >= fields) return;
  throw new MlpError(
    ExitCode.data,
    `${name}:${line}: found ${cells.length === 1 ? '1 field' : `${cells.length} fields`}, expected ${fields} as in the rows below`,
    preambleHint(cells, fields, comment),
  );
}

/** What the first line may be, and how to correct it. */
function preambleHint(cells: readonly string[], fields: number, comment: string | undefined): string {
  if (cells[0].startsWith('#') && comment === undefined) {
    return 'it looks like a comment: remove such lines, or set data.comment to "#"';
  }
  if (cells.length > 1 && cells.length === fields - 1) {
    return 'a header with one name too few often comes from R, which does not name the row names: name that column';
  }
  return 'it looks like a preamble: remove the lines above the table';
}

/** The number of fields of more than half of the rows, and of two at least; else 0. */
function fieldsOfMost(rows: readonly (readonly string[])[]): number {
  const rowsOf = new Map<number, number>();
  for (const { length } of rows) rowsOf.set(length, (rowsOf.get(length) ?? 0) + 1);
  for (const [fields, count] of rowsOf) {
    if (count > 1 && count > rows.length / 2) return fields;
  }
  return 0;
}

function noData(name: string, found: string, header: 'auto' | boolean): MlpError {
  return new MlpError(
    ExitCode.data,
    `${name}: found ${found}, expected ${header === true ? 'a header and rows' : 'rows'}`,
    found.startsWith('a header') ? 'if the first row is not a header, set data.header to false' : undefined,
  );
}

/** Whether the cells of a column in the first records are numbers or missing. */
export function beginsWithNumbers({ sample }: Pick<Dialect, 'sample'>, column: number): boolean {
  return sample.every((cells) => {
    const cell = cells[column] ?? '';
    return isMissing(cell) || Number.isFinite(parseDecimal(cell));
  });
}

interface FirstRecord extends Position {
  readonly cells: readonly string[];
}

/** The start of a record. */
interface Position {
  /** In bytes. */
  readonly start: number;
  /** From 1. */
  readonly line: number;
}

/** The start of a file's text, or all of it. */
interface FileStart {
  /** The file, as messages call it. */
  readonly name: string;
  readonly text: Buffer;
  readonly complete: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The length in bytes of a byte order mark at the start of the text. */
function markLength(text: Buffer): number {
  return text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

/**
 * Returns at most `limit` complete records from the start of the text, up to an error of csv-parse.
 * `header` tells that the first record holds names, for messages.
 * @throws MlpError ExitCode.data for an error in the first two records; later ones are left to the
 *   reader of the rest
 */
function firstRecords(
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
      // A record that reaches the end may continue after it.
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
  error.lines = line + countLineEnds(field.slice(0, closingQuote(field, 0)));
  throw csvError(error, { ...location, line });
}

/** Moves from the start of a line to the start of the next line that is not a comment. */
function skipComments(text: Uint8Array, { start, line }: Position, comment: string | undefined): Position {
  const mark = comment?.charCodeAt(0);
  while (start < text.length && text[start] === mark) {
    while (start < text.length && text[start] !== LINE_FEED && text[start] !== CARRIAGE_RETURN) start++;
    start += text[start] === CARRIAGE_RETURN && text[start + 1] === LINE_FEED ? 2 : 1;
    line++;
  }
  return { start, line };
}
