/**
 * csv-parse with what it does not tell: the line on which each record begins, also after line ends within quotes and after comments;
 * and with limits, so that a quote that is never closed does not fill the memory.
 */
import { CsvError, type Options, Parser } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { readAt } from '../source/fileBytes.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import {
  closingQuote,
  countLineEnds,
  csvError,
  LONGEST_FIELD,
  LONGEST_ROW,
  lineStart,
  parseOptions,
  type RecordLocation,
  tooLongError,
} from './csvParse.js';
import type { Dialect } from './dialect.js';

export interface RecordOptions {
  /** Takes the next record of data and the line of the file, from 1, on which it begins; may throw. */
  readonly onRecord: (cells: readonly string[], line: number) => void;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads the records of data of a source, a piece at a time.
 * An MlpError where it can't be read (74), or is no UTF-8 text, has quotes out of order or a field over 1 MiB (65).
 */
export async function readRecords(source: Source, dialect: Dialect, options: RecordOptions): Promise<void> {
  for await (const _ of readRecordChunks(source, dialect, options));
}

/** As `readRecords`, with a pause after each piece, up to 256 KiB of the file, until the next is asked for. */
export async function* readRecordChunks(
  source: Source,
  dialect: Dialect,
  { onRecord, progress }: RecordOptions,
): AsyncGenerator<void, void, undefined> {
  const reader = new RecordReader(source, dialect, onRecord);
  try {
    for await (const chunk of reader.limit(readText(source, progress))) {
      reader.parser.feed(chunk);
      yield;
    }
    reader.parser.finish();
  } catch (error) {
    throw error instanceof CsvError ? reader.quoteError(error) : error;
  }
  reader.requireWhole();
}

/**
 * A parser that is called, not piped to: nothing waits in it, and what `onRecord` throws comes out of `feed`. It takes records at
 * `push`: for an `on_record`, csv-parse writes so much about each that reading takes half as long again.
 */
class PushParser extends Parser {
  readonly #onRecord: (cells: readonly string[]) => void;
  constructor(options: Options, onRecord: (cells: readonly string[]) => void) {
    super(options);
    this.#onRecord = onRecord;
  }

  feed(chunk: Buffer): void {
    this._transform(chunk, 'utf8', raise);
  }

  finish(): void {
    this._flush(raise);
  }

  override push(cells: string[]): boolean {
    this.#onRecord(cells);
    return true;
  }
}

function raise(error?: Error | null): void {
  if (error) throw error;
}

class RecordReader {
  readonly #source: Source;
  readonly #dialect: Dialect;
  readonly #onRecord: RecordOptions['onRecord'];
  readonly parser: PushParser;
  /** The line on which the next record begins, or the first comment before it. */
  #line: number;
  /** csv-parse's counts at the end of the last record; bytes are from `dataStart` on. */
  #last = { bytes: 0, lines: 0, comments: 0 };
  /** Bytes that the parser was given. */
  #given = 0;
  /** Set when a limit is passed: the parser is given nothing more, and says where it stands. */
  #tooLong: 'field' | 'row' | undefined;

  constructor(source: Source, dialect: Dialect, onRecord: RecordOptions['onRecord']) {
    this.#source = source;
    this.#dialect = dialect;
    this.#onRecord = onRecord;
    // The data begin after a byte order mark. Limits are looked at a piece at a time, csv-parse would do so at every byte.
    const options = { ...parseOptions(dialect), bom: false, max_record_size: 0 };
    this.parser = new PushParser(options, (cells) => this.#take(cells));
    this.#line = dialect.dataLine;
  }

  /** The pieces without the header, up to the end or the first field or row that is too long. */
  async *limit(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let header = this.#dialect.dataStart;
    let comments = 0;
    let commentsEnd = 0;
    for await (const chunk of chunks) {
      const data = chunk.subarray(header);
      header -= chunk.length - data.length;
      this.#given += data.length;
      if (data.length > 0) yield data;
      const { info } = this.parser;
      if (info.comment_lines !== comments) {
        // They are no part of a row, and csv-parse doesn't say where they end.
        comments = info.comment_lines;
        commentsEnd = this.#given;
      }
      // Every byte of a field may be a quote, and thus two of the file.
      if (this.#given - Math.max(info.bytes, commentsEnd) > 2 * LONGEST_FIELD + 2) this.#tooLong = 'field';
      else if (this.#given - Math.max(this.#last.bytes, commentsEnd) > LONGEST_ROW) this.#tooLong = 'row';
      if (this.#tooLong) return;
    }
  }

  /** csv-parse's complaint about quotes, for the user. */
  quoteError(error: CsvError): MlpError {
    const source = this.#source;
    const dialect = this.#dialect;
    const last = this.#last;
    const given = this.#given;
    const column = Number(error.column);
    const bytes = Buffer.alloc(given - last.bytes);
    readAt(source, bytes, 0, bytes.length, dialect.dataStart + last.bytes);
    // One character a byte: quotes and line ends are the same in all of UTF-8.
    const text = bytes.toString('latin1');
    const start = column === 0 ? lineStart(text, this.#comments) : Number(error.bytes) + 1 - last.bytes;
    const line = this.#line + countLineEnds(text.slice(0, start));
    if (this.#tooLong) return tooLongError(this.#tooLong, column, this.#locationOf(line));
    // csv-parse begins to count after the header, and takes a CRLF within quotes for two lines.
    error.lines = line + countLineEnds(text.slice(start, closingQuote(text, start)));
    return csvError(error, this.#locationOf(line));
  }

  /** An MlpError (65) where a limit was passed within a comment, of which the parser says nothing: it has counted it as the last one. */
  requireWhole(): void {
    if (this.#tooLong === undefined) return;
    throw new MlpError(
      ExitCode.data,
      `${this.#source.name}:${this.#line + this.#comments - 1}: found a comment of more than 1 MiB`,
      'remove it',
    );
  }

  /** Comments since the last record. */
  get #comments(): number {
    return this.parser.info.comment_lines - this.#last.comments;
  }

  #take(cells: readonly string[]): void {
    const last = this.#last;
    const comments = this.#comments;
    const { info } = this.parser;
    const line = this.#line + comments;
    const end = cells.length - 1;
    if (this.#tooLong) throw tooLongError(this.#tooLong, end, this.#locationOf(fieldLine(cells, end, line)));
    if (info.bytes - last.bytes > LONGEST_FIELD) this.#requireShortFields(cells, line);
    this.#onRecord(cells, line);
    const oneLine = info.lines - last.lines === comments + 1;
    this.#line = 1 + (oneLine ? line : fieldLine(cells, cells.length, line));
    last.bytes = info.bytes;
    last.lines = info.lines;
    last.comments = info.comment_lines;
  }

  #requireShortFields(cells: readonly string[], line: number): void {
    const index = cells.findIndex((cell) => Buffer.byteLength(cell) > LONGEST_FIELD);
    if (index >= 0) throw tooLongError('field', index, this.#locationOf(fieldLine(cells, index, line)));
  }

  /** Where what begins on `line` is complained of. */
  #locationOf(line: number): RecordLocation {
    const { delimiter, header, names } = this.#dialect;
    return { path: this.#source.name, line, delimiter, names: header ? names : undefined };
  }
}

/** The line on which field `index` begins, of a record that begins on `line`. */
function fieldLine(cells: readonly string[], index: number, line: number): number {
  for (let i = 0; i < index; i++) line += countLineEnds(cells[i]);
  return line;
}
