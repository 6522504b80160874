/**
 * The dialect of a CSV: delimiter, header, names and where the data start, detected from the first
 * records or as set. csv-parse reads these records too, so nothing else decides what quotes mean.
 */

import { CsvError } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { type Reading, readingOf } from '../../spec/dataConfig.js';
import { quote } from '../../text.js';
import { parseDecimal } from '../cell.js';
import { MissingRule } from '../missingValues.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import { columnLabel, type PassedOver } from '../table.js';
import {
  closingQuote,
  countLineEnds,
  csvError,
  delimiterName,
  LONGEST_FIELD,
  LONGEST_ROW,
  openingQuote,
  PushParser,
  type RecordLocation,
  type Separators,
  tooLongError,
} from './csvParse.js';
import {
  areRowNames,
  detectDelimiter,
  looksLikeHeader,
  looksLikeTitle,
  rowNameColumns,
  uniqueNames,
} from './detect.js';
import { type Notations, type NumberRequest, withNotations } from './notation.js';

/** How a CSV is written. */
export interface CsvFormat extends Separators {
  /** How the file is written, if not by RFC 4180: readers then see a copy. */
  readonly reading?: Reading | undefined;
  /** Whether the first record names the columns. */
  readonly header: boolean;
}

/** What the first records of a file tell. */
export interface Dialect extends CsvFormat {
  /** From the header, all different; "0", "1", … without a header. */
  readonly names: readonly string[];
  /** The columns whose name is made up, because the header has none there or has it twice. */
  readonly nameless: readonly number[];
  readonly repeated: readonly number[];
  /** The first columns that have no name and only number or name the rows. */
  readonly rowNames: readonly number[];
  /** How many empty cells end every row: they belong to no column. */
  readonly trailing: number;
  /** What was passed over up to the first record of data. */
  readonly before: PassedOver;
  /** Byte offset of the first record of data. */
  readonly dataStart: number;
  /** Its line, from 1. */
  readonly dataLine: number;
  /** The first 1 to 200 records of data, as csv-parse reads them, their numbers as plain decimals. */
  readonly sample: readonly (readonly string[])[];
  /** Of the columns whose numbers are not plain decimals, if there are any. */
  readonly notations?: Notations;
}

export interface DialectRequest extends NumberRequest, Omit<Reading, 'delimiter'> {
  /** `whitespace` for runs of blanks. */
  readonly delimiter: 'auto' | string;
  readonly header: 'auto' | boolean;
  readonly comment?: string;
}

/** Bytes of the first look. Each further look takes four times as many. */
const FIRST_LOOK = 2 ** 16;
const SAMPLE_RECORDS = 200;
/** A note names this many columns. */
const MOST_NAMED = 5;

/**
 * Reads as much of a source as its dialect needs.
 * @throws MlpError ExitCode.io if it can't be read; data if it is not UTF-8 text, has quotes out of
 *   order, has no data, begins with lines that are not part of the table, or has empty or equal
 *   names
 */
export async function detectDialect(source: Source, request: DialectRequest): Promise<Dialect> {
  const { dialect, notes } = withNotations(source.name, await readStart(source, request), request);
  source.notes.push(...notes);
  return dialect;
}

async function readStart(source: Source, request: DialectRequest): Promise<Dialect> {
  const { delimiter, quote = '"' } = request;
  if (delimiter === 'whitespace' || quote !== '"' || request.escape !== undefined) {
    return detectRewritten(source, request);
  }
  const dialect = await detectPlain(source, request);
  if (delimiter !== 'auto' || !isBlankSeparated(dialect)) return dialect;
  return detectRewritten(source, { ...request, delimiter: 'whitespace' });
}

/** Rewrites the file as RFC 4180, and reads the start of that. */
async function detectRewritten(source: Source, request: DialectRequest): Promise<Dialect> {
  const { quote = '"', comment, skipLines = 0 } = request;
  const isBlank = request.delimiter === 'whitespace';
  const delimiter = isBlank
    ? undefined
    : request.delimiter === 'auto'
      ? await detectQuoted(source, request)
      : request.delimiter;
  const notation = {
    ...(delimiter !== undefined && { delimiter }),
    quote,
    ...(request.escape !== undefined && { escape: request.escape }),
    ...(comment !== undefined && { comment }),
    skipLines,
  };
  await source.rewrite(notation, readText(source));
  return detectPlain(source, { ...request, delimiter: delimiter ?? '\t' }, readingOf(request));
}

/** The delimiter of a file with other quotes. */
async function detectQuoted(source: Source, { comment, quote = '"' }: DialectRequest): Promise<string> {
  for await (const chunk of readText(source)) {
    const text =
      quote === '"' || quote === ''
        ? chunk
        : Buffer.from(chunk.toString('latin1').replaceAll(quote, '"'), 'latin1');
    return detectDelimiter(text, chunk.length === source.size, comment);
  }
  return ',';
}

const BLANKS = /[ \t]+/;

/** Whether a single column is several ones between blanks: equally many, and most of them numbers. */
function isBlankSeparated({ names, sample, header }: Dialect): boolean {
  if (names.length > 1) return false;
  const rows = sample.map(([cell = '']) => cell.split(BLANKS));
  const records = header ? [names[0].split(BLANKS), ...rows] : rows;
  const [{ length }] = records;
  if (records.length < 2 || length < 2 || !records.every((cells) => cells.length === length)) return false;
  const cells = rows.flat();
  return cells.filter((cell) => Number.isFinite(parseDecimal(cell))).length * 2 > cells.length;
}

async function detectPlain(
  source: Source,
  request: DialectRequest,
  reading = readingOf(request),
): Promise<Dialect> {
  const { name } = source;
  let text: Buffer = Buffer.alloc(0);
  let look = FIRST_LOOK;
  for await (const chunk of readText(source)) {
    text = Buffer.concat([text, chunk]);
    for (; look < text.length; look *= 4) {
      const split = splitStart({ name, text: text.subarray(0, look), complete: false }, request);
      if (split.records.length >= 2) return tellDialect(name, split, request, reading);
    }
  }
  return tellDialect(name, splitStart({ name, text, complete: true }, request), request, reading);
}

/** `separated by semicolons, without a header` */
export function describeFormat({ delimiter, header, comment, reading }: CsvFormat): string {
  const comments = comment === undefined ? '' : `, comments after ${comment}`;
  const separators = reading?.delimiter === 'whitespace' ? 'runs of blanks' : `${delimiterName(delimiter)}s`;
  return `separated by ${separators}, ${header ? 'with' : 'without'} a header${comments}`;
}

/** The first records, and the separators that split them. */
interface SplitStart extends Separators {
  /** Empty only if the text is incomplete. */
  readonly records: readonly FirstRecord[];
  /** Whether cells of the first record had spaces around them. */
  readonly spaces: boolean;
}

function splitStart(start: FileStart, request: DialectRequest): SplitStart {
  const { header, comment, skipRows = 0 } = request;
  const { name, text, complete } = start;
  const first = beginning(text, request.skipLines);
  const delimiter = request.delimiter === 'auto' ? first.delimiter : request.delimiter;
  const separators = {
    delimiter: delimiter ?? detectDelimiter(text.subarray(first.start), complete, comment),
    ...(comment !== undefined && { comment }),
  };
  const limit = 1 + SAMPLE_RECORDS + skipRows;
  const { records, spaces } = firstRecords(start, first, separators, limit, header === true);
  if (records.length === 0 && complete) {
    throw noData(name, text.length > first.start ? 'no record' : 'an empty file', header);
  }
  const names = header === false ? 0 : 1;
  return { ...separators, records: [...records.slice(0, names), ...records.slice(names + skipRows)], spaces };
}

/** The fields of the first record, given those of most others. */
interface Layout {
  readonly header: boolean;
  /** The cells of the first record, with as many as the rows have without the `trailing` ones. */
  readonly first: readonly string[];
  readonly trailing: number;
}

function tellDialect(
  name: string,
  { records, spaces, ...separators }: SplitStart,
  request: DialectRequest,
  reading: Reading | undefined,
): Dialect {
  const layout = layOut(name, records, request);
  const { header, trailing } = layout;
  const { names, nameless, repeated } = header
    ? uniqueNames(layout.first)
    : { names: layout.first.map((_, i) => String(i)), nameless: [], repeated: [] };
  const data = header ? records.slice(1) : records.slice(0, SAMPLE_RECORDS);
  if (data.length === 0) throw noData(name, 'a header and nothing after it', header);
  const sample = data.map(({ cells }) => cells.slice(0, names.length));
  const { start: dataStart, line: dataLine, emptyLines } = data[0];
  return {
    ...separators,
    ...(reading && { reading }),
    header,
    names,
    nameless,
    repeated,
    rowNames: rowNameColumns(names, sample),
    trailing,
    before: { spaces: header && spaces, emptyLines },
    dataStart,
    dataLine,
    sample,
  };
}

/**
 * Compares the first record with the others: a header may lack the name of the row names, or the
 * separator that ends every row.
 * @throws MlpError ExitCode.data if it is part of no table
 */
function layOut(name: string, records: readonly FirstRecord[], request: DialectRequest): Layout {
  const [{ cells: first }, ...rest] = records;
  const rows = rest.map(({ cells }) => cells);
  const { length } = first;
  const fields = fieldsOfMost(rows) || length;
  const isHeader = (cells: readonly string[]) =>
    request.header === 'auto' ? looksLikeHeader(cells, rows) : request.header;
  const full = rows.filter((cells) => cells.length === fields);
  if (length < fields && full.length === rows.length) {
    const trailing = emptyAtEnd(full, fields);
    if (length >= fields - trailing && isHeader(first))
      return { header: true, first, trailing: fields - length };
    const named = ['', ...first];
    const isR = length === fields - 1 && areRowNames(full.map(([cell]) => cell)) && isHeader(named);
    if (isR) return { header: true, first: named, trailing: 0 };
  }
  if (request.header !== false && length === fields && looksLikeTitle(first, rows)) {
    throw preamble(name, records, request, rest[0].line - 1);
  }
  if (length < fields) throw preamble(name, records, request);
  const header = isHeader(first);
  // A header with more separators than the rows.
  const extra =
    header && length > fields && first.slice(fields).every((cell) => cell === '') ? fields : length;
  const trailing = extra === length ? emptyAtEnd([first, ...full], length) : 0;
  return { header, first: first.slice(0, extra - trailing), trailing };
}

/** How many fields at the end are empty in all records, of which each has `fields`; never all. */
function emptyAtEnd(records: readonly (readonly string[])[], fields: number): number {
  let empty = 0;
  const isEmpty = (cells: readonly string[]) => cells[fields - 1 - empty] === '';
  while (records.length > 1 && empty < fields - 1 && records.every(isEmpty)) empty++;
  return empty;
}

/** The error for lines above the table; it begins on the first line with as many fields as most. */
function preamble(
  name: string,
  records: readonly FirstRecord[],
  { comment }: DialectRequest,
  above?: number,
): MlpError {
  const [{ cells, line }, ...rest] = records;
  const fields = fieldsOfMost(rest.map((record) => record.cells));
  const table = rest.find((record) => record.cells.length === fields);
  const found = cells.length === 1 ? '1 field' : `${cells.length} fields`;
  return new MlpError(
    ExitCode.data,
    above === undefined
      ? `${name}:${line}: found ${found}, expected ${fields} as in the rows below`
      : `${name}:${line}: found a title with empty fields, expected a header`,
    preambleHint(cells, fields, comment, above ?? (table?.line ?? 2) - 1),
  );
}

/** What the first line may be, and how to correct it. */
function preambleHint(
  cells: readonly string[],
  fields: number,
  comment: string | undefined,
  above: number,
): string {
  if (cells[0].startsWith('#') && comment === undefined) {
    return 'it looks like a comment: remove such lines, or set data.comment to "#"';
  }
  if (cells.length > 1 && cells.length === fields - 1) {
    return `the header may lack a name; if lines are above the table, set data.skipLines to ${above}`;
  }
  return `it looks like lines above the table: set data.skipLines to ${above}`;
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

/** One sentence for each thing about a table that was read although it is unusual. */
export function readingNotes(path: string, dialect: Dialect, { spaces, emptyLines }: PassedOver): string[] {
  const { before, trailing } = dialect;
  const empty = before.emptyLines + emptyLines;
  const notes: string[] = [];
  if (spaces || before.spaces) notes.push('spaces around cells without quotes are dropped');
  if (empty > 0) notes.push(`${empty === 1 ? '1 empty line is' : `${empty} empty lines are`} skipped`);
  if (trailing > 0) {
    notes.push(
      trailing === 1
        ? 'the last column has no name and only empty cells: it is left out'
        : `the last ${trailing} columns have no names and only empty cells: they are left out`,
    );
  }
  return [...notes, ...nameNotes(dialect)].map((note) => `${path}: ${note}`);
}

/** Columns whose name is made up; those that number the rows are reported where they are left out. */
function nameNotes({ names, nameless, repeated, rowNames }: Dialect): string[] {
  const named = (what: string, columns: readonly number[]) => {
    if (columns.length === 0) return [];
    const labels = columns.slice(0, MOST_NAMED).map((column) => quote(names[column]));
    const more = columns.length > MOST_NAMED ? ` and ${columns.length - MOST_NAMED} more` : '';
    return [`${what}: called ${labels.join(', ')}${more}`];
  };
  const others = nameless.filter((column) => !rowNames.includes(column));
  return [
    ...named(others.length === 1 ? 'a column has no name' : `${others.length} columns have no name`, others),
    ...named('a name occurs more than once', repeated),
  ];
}

/** The sentence about columns that only number or name the rows, if there are any. */
export function rowNamesNote(path: string, names: readonly string[], columns: readonly number[]): string[] {
  return columns.map(
    (column) =>
      `${path}: ${columnLabel(true, names[column])} has no name in the file and only numbers or names the rows, as data frames are saved: it is no feature`,
  );
}

/** Whether the cells of a column in the first records are numbers or missing. */
export function beginsWithNumbers(
  { sample }: Pick<Dialect, 'sample'>,
  column: number,
  rule = MissingRule.standard,
): boolean {
  return sample.every((cells) => {
    const cell = (cells[column] ?? '').trim();
    return rule.isMissingNumber(cell) || Number.isFinite(parseDecimal(cell));
  });
}

interface FirstRecord extends Position {
  readonly cells: readonly string[];
}

/** The start of a record. */
interface Position {
  /** Empty lines before it. */
  readonly emptyLines: number;
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
const SPACE = 0x20;
const TAB = 0x09;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The length in bytes of a byte order mark at the start of the text. */
function markLength(text: Buffer): number {
  return text.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
}

const SEPARATOR_LINE = /^(?:sep=([^\r\n"])|"sep=([^\r\n"])")[,;\t|]*(?:\r\n|\n|\r)/i;

/** Where the first record may begin, and the delimiter that a line `sep=;` of a spreadsheet names. */
function beginning(text: Buffer, skipLines = 0): Position & { readonly delimiter?: string } {
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
function firstRecords(
  { name, text, complete }: FileStart,
  first: Position,
  separators: Separators,
  limit: number,
  header: boolean,
): Pick<SplitStart, 'records' | 'spaces'> {
  const { delimiter } = separators;
  const records: FirstRecord[] = [];
  let spaces = false;
  let next = skipToRecord(text, first, separators);
  const parser: PushParser = new PushParser(separators, (cells) => {
    if (records.length === limit) return;
    const end = first.start + parser.info.bytes;
    // A record that reaches the end may continue after it.
    if (end < text.length || complete) records.push({ cells, ...next });
    if (records.length === 1) spaces = parser.hasSpaces;
    const line = next.line + countLineEnds(text.toString('latin1', next.start, end));
    next = skipToRecord(text, { ...next, start: end, line }, separators);
  });
  try {
    parser.feed(text.subarray(first.start));
    parser.finish();
  } catch (error) {
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
  return { records, spaces };
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
