/**
 * Reads records with csv-parse and adds what it lacks: the line of each record, also after line
 * ends within quotes and after comments, and limits, so that a quote that is never closed does not
 * fill the memory.
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

interface RecordOptions {
  /** Takes the next record of data, and its line in the file, from 1; may throw. */
  readonly onRecord: (cells: readonly string[], line: number) => void;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads the records of data of a source, chunk by chunk.
 * @throws MlpError ExitCode.io if it can't be read; data if it is not UTF-8 text, has quotes out of
 *   order or a field over 1 MiB
 */
export async function readRecords(source: Source, dialect: Dialect, options: RecordOptions): Promise<void> {
  for await (const _ of readRecordChunks(source, dialect, options));
}

/** Like `readRecords`, but pauses after each chunk of up to 256 KiB of the file. */
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
 * A parser that is called, not piped to: nothing waits in it, and errors of `onRecord` come out of
 * `feed`. Records are taken at `push`, because `on_record` makes csv-parse half as slow again.
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
  /** The line of the next record, or of the first comment before it. */
  #line: number;
  /** csv-parse's counts at the end of the last record; bytes count from `dataStart`. */
  #last = { bytes: 0, lines: 0, comments: 0 };
  /** Bytes given to the parser. */
  #given = 0;
  /** Set when a limit is passed. The parser then gets no more bytes and reports where it is. */
  #tooLong: 'field' | 'row' | undefined;

  constructor(source: Source, dialect: Dialect, onRecord: RecordOptions['onRecord']) {
    this.#source = source;
    this.#dialect = dialect;
    this.#onRecord = onRecord;
    // The data begin after a byte order mark. csv-parse would check its limit at every byte.
    const options = { ...parseOptions(dialect), bom: false, max_record_size: 0 };
    this.parser = new PushParser(options, (cells) => this.#take(cells));
    this.#line = dialect.dataLine;
  }

  /** The chunks without the header, up to the first field or row that is too long. */
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
        // Comments are not part of a row, and csv-parse does not tell where they end.
        comments = info.comment_lines;
        commentsEnd = this.#given;
      }
      // Every byte of a field may be a quote, which takes two bytes in the file.
      if (this.#given - Math.max(info.bytes, commentsEnd) > 2 * LONGEST_FIELD + 2) this.#tooLong = 'field';
      else if (this.#given - Math.max(this.#last.bytes, commentsEnd) > LONGEST_ROW) this.#tooLong = 'row';
      if (this.#tooLong) return;
    }
  }

  /** Our error for csv-parse's error about quotes. */
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
    // csv-parse counts from the end of the header, and a CRLF within quotes as two lines.
    error.lines = line + countLineEnds(text.slice(start, closingQuote(text, start)));
    return csvError(error, this.#locationOf(line));
  }

  /**
   * Refuses a comment that passed a limit: the parser reports nothing and has counted it as the
   * last comment.
   * @throws MlpError ExitCode.data
   */
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

  /** The location for a message about something that begins on `line`. */
  #locationOf(line: number): RecordLocation {
    const { delimiter, header, names } = this.#dialect;
    return { path: this.#source.name, line, delimiter, names: header ? names : undefined };
  }
}

/** The line of field `index` of a record that begins on `line`. */
function fieldLine(cells: readonly string[], index: number, line: number): number {
  for (let i = 0; i < index; i++) line += countLineEnds(cells[i]);
  return line;
}
