/**
 * CSV to table. csv-parse decides what a record is (RFC 4180: commas, quotes, newlines within quotes; LF, CRLF and CR
 * end a line, also mixed; a byte order mark is skipped). What a cell may hold is decided by the table builder, so that nothing is
 * guessed, trimmed or filled in: the first thing that can't be trusted is an error with its line and column.
 */
import { createHash, type Hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { ExitCode, MlpError } from '../errors.js';
import { quote } from '../spec/show.js';
import { printable } from '../text.js';
import { type ColumnKind, columnLabel, type Table } from './table.js';
import { TableBuilder } from './tableBuilder.js';
import { readText } from './textFile.js';

export interface ReadOptions {
  /** Whether the first row holds the columns' names. */
  header: boolean;
  /** Says what each column is read as, once the names are known; may throw. Without a header they are "0", "1", … */
  kinds: (names: readonly string[]) => ColumnKind[];
}

/** A record this long is a quote that is never closed, rather than data; it would fill the memory. */
const LONGEST_RECORD = 2 ** 24;

/**
 * Reads a whole file, a piece at a time.
 * An MlpError where it can't be read (66, 74, 77) or holds anything but a table of what `kinds` expects (65).
 */
export async function readTable(path: string, options: ReadOptions): Promise<Table> {
  const hash = createHash('sha256');
  const records = new RecordReader(printable(path), options);
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    // Ragged rows are refused by the table builder, which knows the line; csv-parse counts \r\n within quotes twice.
    relax_column_count: true,
    max_record_size: LONGEST_RECORD,
    on_record: (cells: string[], { lines }) => {
      records.read(cells, lines);
      return null;
    },
  });
  // Nothing comes out of the parser, and it ends only when that nothing has been read.
  parser.resume();
  try {
    await pipeline(readText(path), (chunks) => hashed(chunks, hash), parser);
  } catch (error) {
    throw error instanceof CsvError ? records.dialectError(error) : error;
  }
  return records.finish(hash.digest('hex'));
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Takes records in order, the first one being the header if there is one, and keeps count of the lines. */
class RecordReader {
  private builder: TableBuilder | undefined;
  private names: readonly string[] | undefined;
  /** The line on which the next record begins. */
  private line = 1;
  /** csv-parse's count of lines at the end of the last record. */
  private parsedLines = 0;

  constructor(
    private readonly path: string,
    private readonly options: ReadOptions,
  ) {}

  read(cells: string[], parsedLines: number): void {
    const { path, options, line } = this;
    if (this.builder === undefined) {
      const names = options.header ? cells : cells.map((_, i) => String(i));
      requireNames(path, line, names);
      this.names = names;
      this.builder = new TableBuilder(path, options.header, names, options.kinds(names));
      if (!options.header) this.builder.add(cells, line);
    } else {
      this.builder.add(cells, line);
    }
    const withinQuotes = parsedLines === this.parsedLines + 1 ? 0 : lineBreaks(cells);
    this.line = line + 1 + withinQuotes;
    this.parsedLines = parsedLines;
  }

  finish(sha256: string): Table {
    const { path, builder } = this;
    const expected = this.options.header ? 'a header and rows' : 'rows';
    if (builder === undefined) {
      throw new MlpError(ExitCode.data, `${path}: found an empty file, expected ${expected}`);
    }
    if (builder.rows === 0) {
      throw new MlpError(
        ExitCode.data,
        `${path}: found a header and nothing after it, expected ${expected}`,
        'where the first row is no header, give data.target as a column number',
      );
    }
    return builder.finish(sha256);
  }

  /** csv-parse's complaint about quotes in the words of all other messages. */
  dialectError(error: CsvError): MlpError {
    const { path, line, names } = this;
    const index = Number(error.column);
    const column = columnLabel(names !== undefined && this.options.header, names?.[index] ?? String(index));
    const options = { cause: error };
    const endLine = Number(error.lines);
    switch (error.code) {
      case 'CSV_QUOTE_NOT_CLOSED':
        return new MlpError(
          ExitCode.data,
          `${path}:${line}: ${column}: found a quote that is never closed`,
          'close it; a quote within quotes is written twice',
          options,
        );
      case 'CSV_MAX_RECORD_SIZE':
        return new MlpError(
          ExitCode.data,
          `${path}:${line}: ${column}: found a row of more than ${LONGEST_RECORD / 2 ** 20} MiB`,
          'a quote that opens on this line may never be closed',
          options,
        );
      case 'CSV_INVALID_CLOSING_QUOTE':
        return new MlpError(
          ExitCode.data,
          `${path}:${line}: ${column}: found text after the closing quote${endLine > line ? ` on line ${endLine}` : ''}, ` +
            'expected a comma or the end of the line',
          'a quote within quotes is written twice',
          options,
        );
      case 'INVALID_OPENING_QUOTE':
        return new MlpError(
          ExitCode.data,
          `${path}:${line}: ${column}: found a quote in the middle of a value`,
          'put the whole value in quotes, and write a quote within it twice',
          options,
        );
      default:
        return new MlpError(ExitCode.data, `${path}:${line}: ${error.message}`, undefined, options);
    }
  }
}

function requireNames(path: string, line: number, names: readonly string[]): void {
  if (names.length === 1 && names[0] === '') {
    throw new MlpError(
      ExitCode.data,
      `${path}:${line}: found an empty line, expected a header`,
      'remove the line',
    );
  }
  const seen = new Map<string, number>();
  names.forEach((name, index) => {
    if (name.trim() === '') {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: column ${index} (from 0): found an empty name, expected one for every column`,
        'name the column; a nameless first one is often a row number that a data frame was saved with',
      );
    }
    const first = seen.get(name);
    if (first !== undefined) {
      throw new MlpError(
        ExitCode.data,
        `${path}:${line}: found the name ${quote(name)} twice, for the columns ${first} and ${index} (from 0)`,
        'give every column a name of its own',
      );
    }
    seen.set(name, index);
  });
}

function lineBreaks(cells: readonly string[]): number {
  let count = 0;
  for (const cell of cells) count += cell.match(/\r\n|\n|\r/g)?.length ?? 0;
  return count;
}
