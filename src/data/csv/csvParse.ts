/** csv-parse, which decides what a record is: options, line ends, and errors in our words. */

import { CsvError, type Options, Parser } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { QUOTED } from '../missingValues.js';
import { columnLabel, MOST_COLUMNS, tooManyColumns } from '../table.js';

/** The separator of fields and the start of comment lines, one ASCII character each. */
export interface Separators {
  readonly delimiter: string;
  readonly comment?: string;
}

const MEBIBYTE = 2 ** 20;
/**
 * In bytes, without the quotes around the field and the second quote of a pair. A longer field is a
 * quote that was never closed.
 */
export const LONGEST_FIELD = MEBIBYTE;
/** Bytes of the file. Checked between chunks, so a slightly longer row may pass. */
export const LONGEST_ROW = 16 * MEBIBYTE;

const DELIMITER_NAMES: Readonly<Record<string, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'bar',
};

/** `semicolon` */
export function delimiterName(delimiter: string): string {
  return DELIMITER_NAMES[delimiter] ?? quote(delimiter);
}

/**
 * RFC 4180 with any delimiter: quotes and line breaks within them, LF, CRLF and CR as line ends,
 * also mixed. Spaces around cells without quotes are dropped, and so are empty lines. A quote within
 * such a cell is text. Callers count the fields themselves: csv-parse counts a \r\n within quotes
 * twice, so it would name the wrong line.
 */
export function parseOptions({ delimiter, comment }: Separators): Options {
  return {
    delimiter,
    ...(comment !== undefined && { comment, comment_no_infix: true }),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    relax_quotes: true,
    ltrim: true,
    rtrim: true,
    skip_empty_lines: true,
  };
}

/** The parts of csv-parse's state that it does not publish. */
interface Internals {
  readonly options: ConstructorParameters<typeof CsvError>[2];
  readonly state: {
    readonly wasQuoting: boolean;
    readonly record: string[];
    expectedRecordLength: number;
    readonly field: {
      readonly length: number;
      readonly buf: Buffer;
      prepend: (quote: unknown) => void;
      toString(encoding: 'utf8'): string;
    };
  };
  __infoField(): object;
  __isCharTrimable(text: Buffer, position: number): number;
  __onField(): unknown;
  __onRecord(push: unknown): unknown;
}

/** csv-parse's own code for a record that is too long. */
const TOO_WIDE = 'CSV_MAX_RECORD_SIZE';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/**
 * A parser that is called, not piped to: nothing waits in it, and errors of `onRecord` come out of
 * `feed`. Records are taken at `push`, because `on_record` makes csv-parse half as slow again.
 */
export class PushParser extends Parser {
  /** Whether a cell so far had spaces around it that were dropped. */
  hasSpaces = false;
  readonly #onRecord: (cells: readonly string[]) => void;
  readonly #marked: ReadonlySet<string>;
  readonly #delimiter: number;
  #isFed = false;

  /** @param marked texts that are marked with `QUOTED` if they stand in quotes */
  constructor(
    separators: Separators,
    onRecord: (cells: readonly string[]) => void,
    marked: ReadonlySet<string> = new Set(),
  ) {
    super(parseOptions(separators));
    this.#onRecord = onRecord;
    this.#marked = marked;
    this.#delimiter = separators.delimiter.charCodeAt(0);
    this.#watch((this as unknown as { readonly api: Internals }).api);
  }

  /** @throws CsvError for text after a closing quote, or more than `MOST_COLUMNS` fields */
  feed(chunk: Buffer): void {
    this.#isFed = true;
    this._transform(chunk, 'utf8', raise);
  }

  /** @throws CsvError for a quote that is never closed */
  finish(): void {
    // csv-parse fails without a single byte.
    if (this.#isFed) this._flush(raise);
  }

  override push(cells: string[]): boolean {
    this.#onRecord(cells);
    return true;
  }

  #watch(api: Internals): void {
    const { field } = api.state;
    // With `relax_quotes`, text after a closing quote would be read as well; it comes through here.
    field.prepend = () => {
      const message = ['Invalid Closing Quote'];
      throw new CsvError('CSV_INVALID_CLOSING_QUOTE', message, api.options, api.__infoField());
    };
    // Spaces of an empty line are no cell's, so they count with the next field only on the same line.
    let spacesAt = -1;
    const isTrimable = api.__isCharTrimable.bind(api);
    api.__isCharTrimable = (text, position) => {
      const length = isTrimable(text, position);
      const byte = text[position];
      const isSpace = byte !== LINE_FEED && byte !== CARRIAGE_RETURN && byte !== this.#delimiter;
      if (length > 0 && isSpace) spacesAt = this.info.empty_lines;
      return length;
    };
    const onRecord = api.__onRecord.bind(api);
    api.__onRecord = (push) => {
      // For a record of another length, csv-parse would make an error that nobody sees: 45 µs each.
      api.state.expectedRecordLength = api.state.record.length;
      return onRecord(push);
    };
    const onField = api.__onField.bind(api);
    api.__onField = () => {
      if (!this.hasSpaces) {
        this.hasSpaces = spacesAt === this.info.empty_lines || (!api.state.wasQuoting && endsInSpace(field));
        spacesAt = -1;
      }
      // csv-parse's `cast` tells as much, but makes reading twenty times as slow.
      const isQuoted = api.state.wasQuoting && this.#marked.size > 0;
      const result = onField();
      const { record } = api.state;
      if (record.length > MOST_COLUMNS) {
        throw new CsvError(TOO_WIDE, 'Too Many Columns', api.options, api.__infoField());
      }
      if (!isQuoted) return result;
      const cell = record[record.length - 1];
      if (this.#marked.has(cell.trim())) record[record.length - 1] = QUOTED + cell;
      return result;
    };
  }
}

function endsInSpace(field: Internals['state']['field']): boolean {
  const last = field.buf[field.length - 1];
  if (field.length === 0 || (last > SPACE && last < 0x80)) return false;
  const text = field.toString('utf8');
  return text !== text.trimEnd();
}

function raise(error?: Error | null): void {
  if (error) throw error;
}

/** The start of the field or record that a message is about. */
export interface RecordLocation {
  readonly path: string;
  readonly line: number;
  readonly delimiter: string;
  /** The names of the columns, if a header has been read. */
  readonly names?: readonly string[] | undefined;
}

/** Our error ExitCode.data for an error of csv-parse. */
export function csvError(error: CsvError, location: RecordLocation): MlpError {
  const { path, line, delimiter } = location;
  const column = labelOf(Number(error.column), location);
  const endLine = Number(error.lines);
  const dataError = (what: string, hint?: string) =>
    new MlpError(ExitCode.data, `${path}:${line}: ${what}`, hint, { cause: error });
  switch (error.code) {
    case TOO_WIDE:
      return tooManyColumns(`${path}:${line}`);
    case 'CSV_QUOTE_NOT_CLOSED':
      return dataError(
        `${column}: found a quote that is never closed`,
        'close it; a quote within quotes is written twice',
      );
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
      return dataError(
        `${column}: found text after the closing quote${endLine > line ? ` on line ${endLine}` : ''}, ` +
          `expected a ${delimiterName(delimiter)} or the end of the line`,
        'a quote within quotes is written twice',
      );
    default:
      return dataError(quote(error.message));
  }
}

/**
 * The error ExitCode.data for a field or row above the limit. `index` is the field's number, or
 * that of the row's last field.
 */
export function tooLongError(what: 'field' | 'row', index: number, location: RecordLocation): MlpError {
  const limit = (what === 'field' ? LONGEST_FIELD : LONGEST_ROW) / MEBIBYTE;
  return new MlpError(
    ExitCode.data,
    `${location.path}:${location.line}: ${labelOf(index, location)}: found a ${what} of more than ${limit} MiB`,
    'a quote that opens here may never be closed, or the file is not a CSV',
  );
}

function labelOf(index: number, { names }: RecordLocation): string {
  const name = names?.[index];
  return name === undefined ? columnLabel(false, String(index)) : columnLabel(true, name);
}

const LINE_END = /\r\n|\n|\r/g;

/** Counts the line ends in a text: LF, CRLF and CR, as csv-parse does. */
export function countLineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}

/** The offset of the line that has `linesBefore` lines before it. */
export function lineStart(text: string, linesBefore: number): number {
  if (linesBefore === 0) return 0;
  let count = 0;
  for (const { 0: end, index } of text.matchAll(LINE_END)) {
    if (++count === linesBefore) return index + end.length;
  }
  return text.length;
}

/** The offset of the quote that opens the field at `start`, behind spaces; `start` without spaces. */
export function openingQuote(text: string, start: number): number {
  const quote = text.indexOf('"', start);
  return quote > start && text.slice(start, quote).trim() === '' ? quote : start;
}

/** The offset of the quote that closes the one at `start`, or the end of the text. */
export function closingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end < 0 ? text.length : end;
}
