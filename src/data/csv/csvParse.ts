/** csv-parse, which decides what a record is: options, line ends, and errors in our words. */

import type { CsvError, Options } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { columnLabel } from '../table.js';

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
 * also mixed. A byte order mark is skipped. Callers count the fields themselves: csv-parse counts a
 * \r\n within quotes twice, so it would name the wrong line.
 */
export function parseOptions({ delimiter, comment }: Separators): Options {
  return {
    bom: true,
    delimiter,
    ...(comment !== undefined && { comment, comment_no_infix: true }),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    max_record_size: LONGEST_ROW,
  };
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
    case 'CSV_QUOTE_NOT_CLOSED':
      return dataError(
        `${column}: found a quote that is never closed`,
        'close it; a quote within quotes is written twice',
      );
    case 'CSV_MAX_RECORD_SIZE':
      return tooLongError('row', Number(error.column), location);
    case 'CSV_INVALID_CLOSING_QUOTE':
      return dataError(
        `${column}: found text after the closing quote${endLine > line ? ` on line ${endLine}` : ''}, ` +
          `expected a ${delimiterName(delimiter)} or the end of the line`,
        'a quote within quotes is written twice',
      );
    case 'INVALID_OPENING_QUOTE':
      return dataError(
        `${column}: found a quote in the middle of a value`,
        'put the whole value in quotes, and write a quote within it twice',
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

/** The offset of the quote that closes the one at `start`, or the end of the text. */
export function closingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end < 0 ? text.length : end;
}
