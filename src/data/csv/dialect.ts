/**
 * The dialect of a CSV: delimiter, header, names and where the data start, detected from the first
 * records or as set. csv-parse reads these records too, so nothing else decides what quotes mean.
 */

import { ExitCode, MlpError } from '../../errors.js';
import { parseDecimal } from '../cell.js';
import { MissingRule } from '../missingValues.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import type { PassedOver } from '../table.js';
import type { Separators } from './csvParse.js';
import { detectDelimiter, rowNameColumns, uniqueNames } from './detect.js';
import { beginning, type FileStart, type FirstRecords, firstRecords } from './firstRecords.js';
import { layOut, leadingComments } from './layout.js';
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
  /** Comments above the table that no character was set for. */
  readonly comments: readonly string[];
  /** What was passed over up to the first record of data. */
  readonly before: PassedOver;
  /** Byte offset of the first record of data. */
  readonly dataStart: number;
  /** Its line, from 1. */
  readonly dataLine: number;
  /** The first 1 to 200 records of data (none if there may be none), as csv-parse reads them, their numbers as plain decimals. */
  readonly sample: readonly (readonly string[])[];
  /** Of the columns whose numbers are not plain decimals, if there are any. */
  readonly notations?: Notations;
}

export interface DialectRequest extends NumberRequest, Omit<Reading, 'delimiter'> {
  /** `whitespace` for runs of blanks. */
  readonly delimiter: 'auto' | string;
  readonly header: 'auto' | boolean;
  readonly comment?: string;
  /** Whether a header without rows is no error. */
  readonly mayBeEmpty?: boolean;
}

/** How files are written beyond RFC 4180: what a model needs to know for later files. */
export interface Reading {
  readonly delimiter?: 'whitespace';
  readonly quote?: string;
  readonly escape?: string;
  readonly skipLines?: number;
  readonly skipRows?: number;
}

/** The unusual settings of `data`; undefined if there are none. */
export function readingOf(
  data: Omit<Reading, 'delimiter'> & { delimiter?: string | undefined },
): Reading | undefined {
  const { delimiter, quote, skipLines = 0, skipRows = 0 } = data;
  const reading: Reading = {
    ...(delimiter === 'whitespace' && { delimiter }),
    ...(quote !== undefined && quote !== '"' && { quote }),
    ...(data.escape !== undefined && { escape: data.escape }),
    ...(skipLines > 0 && { skipLines }),
    ...(skipRows > 0 && { skipRows }),
  };
  return Object.keys(reading).length > 0 ? reading : undefined;
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

/** Whether text may stand between blanks: then this many rows, at least, have as many cells. */
const FEW_ROWS = 10;

/**
 * Whether a single column is several ones between blanks: equally many, and most of their cells are
 * numbers, or one of at least three columns is in many rows.
 */
function isBlankSeparated({ names, sample, header }: Dialect): boolean {
  if (names.length > 1) return false;
  const rows = sample.map(([cell = '']) => cell.split(BLANKS));
  const records = header ? [names[0].split(BLANKS), ...rows] : rows;
  const [{ length }] = records;
  if (records.length < 2 || length < 2 || !records.every((cells) => cells.length === length)) return false;
  const isNumber = (cell: string) => Number.isFinite(parseDecimal(cell));
  const cells = rows.flat();
  if (cells.filter(isNumber).length * 2 > cells.length) return true;
  const isNumeric = (_: string, column: number) => rows.every((row) => isNumber(row[column]));
  return length > 2 && rows.length >= FEW_ROWS && rows[0].some(isNumeric);
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

/** The first records, and the separators that split them. */
interface SplitStart extends Separators, FirstRecords {
  /** Comments above the table that no character was set for. */
  readonly comments: readonly string[];
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
  const { records: all, spaces, end } = firstRecords(start, first, separators, limit, header === true);
  const commentLines = comment === undefined ? leadingComments(all) : 0;
  const records = all.slice(commentLines);
  if (records.length === 0 && complete) {
    throw noData(name, text.length > first.start ? 'no record' : 'an empty file', header);
  }
  const names = header === false ? 0 : 1;
  return {
    ...separators,
    records: [...records.slice(0, names), ...records.slice(names + skipRows)],
    comments: all.slice(0, commentLines).map(({ cells: [text] }) => text),
    spaces,
    end,
  };
}

function tellDialect(
  name: string,
  { records, comments, spaces, end, ...separators }: SplitStart,
  request: DialectRequest,
  reading: Reading | undefined,
): Dialect {
  const layout = layOut(name, records, request);
  const { header, trailing } = layout;
  const { names, nameless, repeated } = header
    ? uniqueNames(layout.first)
    : { names: layout.first.map((_, i) => String(i)), nameless: [], repeated: [] };
  const data = header ? records.slice(1) : records.slice(0, SAMPLE_RECORDS);
  if (data.length === 0 && !(header && request.mayBeEmpty)) {
    throw noData(name, 'a header and nothing after it', header);
  }
  const sample = data.map(({ cells }) => cells.slice(0, names.length));
  const { start: dataStart, line: dataLine, emptyLines } = data.at(0) ?? end;
  return {
    ...separators,
    ...(reading && { reading }),
    header,
    names,
    nameless,
    repeated,
    rowNames: rowNameColumns(names, sample),
    trailing,
    comments,
    before: { spaces: header && spaces, emptyLines },
    dataStart,
    dataLine,
    sample,
  };
}

function noData(name: string, found: string, header: 'auto' | boolean): MlpError {
  return new MlpError(
    ExitCode.data,
    `${name}: found ${found}, expected ${header === true ? 'a header and rows' : 'rows'}`,
    found.startsWith('a header') ? 'if the first row is not a header, set data.header to false' : undefined,
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
