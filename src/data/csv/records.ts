/**
 * Reads records with csv-parse and adds what it lacks: the line of each record, also after line
 * ends within quotes and after comments, and limits, so that a quote that is never closed does not
 * fill the memory.
 */
import { CsvError } from 'csv-parse';
import { ExitCode, MlpError } from '../../errors.js';
import { readAt } from '../source/fileBytes.js';
import type { Source } from '../source/source.js';
import { readText } from '../source/textFile.js';
import type { PassedOver } from '../table.js';
import {
  closingQuote,
  countLineEnds,
  csvError,
  LONGEST_FIELD,
  LONGEST_ROW,
  lineStart,
  openingQuote,
  PushParser,
  type RecordLocation,
  tooLongError,
} from './csvParse.js';
import type { Dialect } from './dialect.js';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Bytes between two pauses: few, because they may hold a row in every two of them. */
const PIECE = 2 ** 14;

export interface RecordOptions {
  /** Takes the next record of data, and its line in the file, from 1; may throw. */
  readonly onRecord: (cells: readonly string[], line: number) => unknown;
  /** Told at the end. */
  readonly onEnd?: (passed: PassedOver) => void;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
  /** Texts that are marked with `QUOTED` if they stand in quotes. None by default. */
  readonly marked?: readonly string[];
}

/**
 * Reads the records of data of a source, chunk by chunk.
 * @throws MlpError ExitCode.io if it can't be read; data if it is not UTF-8 text, has quotes out of
 *   order or a field over 1 MiB
 */
export async function readRecords(source: Source, dialect: Dialect, options: RecordOptions): Promise<void> {
  for await (const _ of readRecordChunks(source, dialect, options));
}

/** Like `readRecords`, but pauses after each `PIECE` bytes of the file. */
export async function* readRecordChunks(
  source: Source,
  dialect: Dialect,
  { onRecord, onEnd, progress, marked = [] }: RecordOptions,
): AsyncGenerator<void, void, undefined> {
  const reader = new RecordReader(source, dialect, onRecord, new Set(marked));
  try {
    for await (const chunk of reader.limit(inPieces(readText(source, progress)))) {
      reader.parser.feed(chunk);
      yield;
    }
    reader.parser.finish();
  } catch (error) {
    throw error instanceof CsvError ? reader.quoteError(error) : error;
  }
  reader.requireWhole();
  onEnd?.(reader.passedOver);
}

async function* inPieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
  }
}

class RecordReader {
  readonly #source: Source;
  readonly #dialect: Dialect;
  readonly #onRecord: RecordOptions['onRecord'];
  readonly parser: PushParser;
  /** The line of the next record, or of the first comment before it. */
  #line: number;
  /** csv-parse's counts at the end of the last record; bytes count from `dataStart`. */
  #last = { bytes: 0, lines: 0, skipped: 0 };
  /** Bytes given to the parser. */
  #given = 0;
  #lastByte = 0;
  /** Set when a limit is passed. The parser then gets no more bytes and reports where it is. */
  #tooLong: 'field' | 'row' | undefined;

  constructor(
    source: Source,
    dialect: Dialect,
    onRecord: RecordOptions['onRecord'],
    marked: ReadonlySet<string>,
  ) {
    this.#source = source;
    this.#dialect = dialect;
    this.#onRecord = onRecord;
    this.parser = new PushParser(dialect, (cells) => this.#take(cells), marked);
    this.#line = dialect.dataLine;
  }

  /** The chunks without the header, up to the first field or row that is too long. */
  async *limit(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    let header = this.#dialect.dataStart;
    let skipped = 0;
    let skippedEnd = 0;
    for await (const chunk of chunks) {
      const data = chunk.subarray(header);
      header -= chunk.length - data.length;
      this.#given += data.length;
      if (data.length > 0) {
        this.#lastByte = data[data.length - 1];
        yield data;
      }
      const { info } = this.parser;
      if (this.#skippedLines !== skipped) {
        // Comments and empty lines are not part of a row; csv-parse does not tell where they end.
        skipped = this.#skippedLines;
        skippedEnd = this.#given;
      }
      // Every byte of a field may be a quote, which takes two bytes in the file.
      if (this.#given - Math.max(info.bytes, skippedEnd) > 2 * LONGEST_FIELD + 2) this.#tooLong = 'field';
      else if (this.#given - Math.max(this.#last.bytes, skippedEnd) > LONGEST_ROW) this.#tooLong = 'row';
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
    const field = column === 0 ? lineStart(text, this.#skipped) : Number(error.bytes) + 1 - last.bytes;
    const start = openingQuote(text, field);
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
      `${this.#source.name}:${this.#line + this.#skipped - 1}: found a comment of more than 1 MiB`,
      'remove it',
    );
  }

  /** What was passed over, once all is read. */
  get passedOver(): PassedOver {
    const { info, hasSpaces } = this.parser;
    // csv-parse counts the end of the file as an empty line if a line end is before it.
    const atEnd = this.#lastByte === LINE_FEED || this.#lastByte === CARRIAGE_RETURN ? 1 : 0;
    return { spaces: hasSpaces, emptyLines: info.empty_lines - atEnd };
  }

  /** Comments and empty lines since the last record. */
  get #skipped(): number {
    return this.#skippedLines - this.#last.skipped;
  }

  get #skippedLines(): number {
    const { comment_lines: comments, empty_lines: empty } = this.parser.info;
    return comments + empty;
  }

  #take(cells: readonly string[]): void {
    const last = this.#last;
    const skipped = this.#skipped;
    const { info } = this.parser;
    const line = this.#line + skipped;
    const end = cells.length - 1;
    if (this.#tooLong) throw tooLongError(this.#tooLong, end, this.#locationOf(fieldLine(cells, end, line)));
    if (info.bytes - last.bytes > LONGEST_FIELD) this.#requireShortFields(cells, line);
    this.#onRecord(cells, line);
    const oneLine = info.lines - last.lines === skipped + 1;
    this.#line = 1 + (oneLine ? line : fieldLine(cells, cells.length, line));
    last.bytes = info.bytes;
    last.lines = info.lines;
    last.skipped = this.#skippedLines;
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
