/** csv-parse as we use it, which decides what a record is: its options, and its complaints in our words. */

import type { CsvError, Options } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { quote } from '../../text.js';
import { columnLabel } from '../table.js';

/** What stands between fields, and what begins a line that is skipped. One ASCII character each. */
export interface Separators {
  readonly delimiter: string;
  readonly comment?: string;
}

const MEBIBYTE = 2 ** 20;
/** Bytes, without the quotes around it and the second one of a pair. More is a quote that is never closed, rather than data. */
export const LONGEST_FIELD = MEBIBYTE;
/** Bytes of the file: a longer row would only fill the memory. Where it is looked at between pieces, a row that ends soon after it may pass. */
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
 * RFC 4180 with any delimiter: quotes, line breaks within quotes; LF, CRLF and CR end a line, also mixed; a byte order mark is
 * skipped. Whoever takes the records counts their fields, for csv-parse would name a wrong line: it counts a \r\n within quotes twice.
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

/** Where the field or record begins that is complained of. */
export interface RecordLocation {
  readonly path: string;
  readonly line: number;
  readonly delimiter: string;
  /** The names of the columns if they are known from a header. */
  readonly names?: readonly string[] | undefined;
}

/** The user's error (65) for csv-parse's. */
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

/** The error (65) of a field or row that is longer than any can be; the field is, or the row's last one has, number `index`. */
export function tooLongError(what: 'field' | 'row', index: number, location: RecordLocation): MlpError {
  const limit = (what === 'field' ? LONGEST_FIELD : LONGEST_ROW) / MEBIBYTE;
  return new MlpError(
    ExitCode.data,
    `${location.path}:${location.line}: ${labelOf(index, location)}: found a ${what} of more than ${limit} MiB`,
    'a quote may open here that is never closed, or the file is no CSV',
  );
}

function labelOf(index: number, { names }: RecordLocation): string {
  const name = names?.[index];
  return name === undefined ? columnLabel(false, String(index)) : columnLabel(true, name);
}

const LINE_END = /\r\n|\n|\r/g;

/** How many line ends the text holds. */
export function countLineEnds(text: string): number {
  return text.match(LINE_END)?.length ?? 0;
}

/** Where the line begins that has so many lines of the text before it. */
export function lineStart(text: string, linesBefore: number): number {
  if (linesBefore === 0) return 0;
  let count = 0;
  for (const { 0: end, index } of text.matchAll(LINE_END)) {
    if (++count === linesBefore) return index + end.length;
  }
  return text.length;
}

/** Where the quote is that closes the one at `start`; the end of the text where there is none. A doubled quote closes nothing. */
export function closingQuote(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
  return end < 0 ? text.length : end;
}
