/**
 * Reads a CSV into a table. csv-parse decides what a record is, the column builders decide what a
 * cell is. Nothing is guessed, trimmed or filled in: the first cell that can't be trusted is an
 * error with its line and column.
 */
import { ExitCode, MlpError } from '../../errors.js';
import { found, looksNumeric } from '../cell.js';
import { allMissingTexts, DEFAULT_MISSING, MissingRule, type MissingValues } from '../missingValues.js';
import type { Source } from '../source/source.js';
import { type CellLocation, type ColumnKind, cellLocation, isGuessed, type Table } from '../table.js';
import { type CellError, type ColumnBuilder, grown, NumericBuilder, TextBuilder } from './columnBuilders.js';
import { delimiterName } from './csvParse.js';
import type { Dialect } from './dialect.js';
import { contradiction, isPlain, type Notations, plainNumbers } from './notation.js';
import { readingNotes } from './readingNotes.js';
import { readRecords } from './records.js';

export interface ReadOptions {
  /** Returns the kind of each column; may throw. */
  readonly kinds: (names: readonly string[]) => ColumnKind[];
  /** Which cells are missing; the default if left out. */
  readonly missingValues?: MissingValues;
  /** Called after each chunk; starts again if the file has to be read twice. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads all records of data, a second time if the first rows misled about an `auto` column.
 * @throws MlpError ExitCode.io if the source can't be read, data for anything but a table of these
 *   kinds
 */
export async function readTable(source: Source, dialect: Dialect, options: ReadOptions): Promise<Table> {
  const { progress, missingValues = DEFAULT_MISSING } = options;
  const kinds = options.kinds(dialect.names);
  const start = { ...dialect, missingValues };
  return buildTable(source.name, start, kinds, estimateRows(source, dialect), async (builder) => {
    await readRecords(source, dialect, {
      onRecord: (cells, line) => builder.add(cells, line),
      marked: allMissingTexts(missingValues),
      onEnd: (passed) => {
        builder.notes = readingNotes(source.name, dialect, passed);
      },
      ...(progress && { progress }),
    });
    source.requireUnchanged();
  });
}

/** Estimates the number of rows, rather too high: unused memory is never touched. */
function estimateRows({ size }: Source, { sample, dataStart }: Dialect): number {
  let bytes = 0;
  for (const cells of sample) for (const cell of cells) bytes += cell.length + 1;
  const rows = Math.ceil((1.05 * sample.length * (size - dataStart)) / bytes);
  return Math.min(Math.max(rows, 1), MOST_ROWS);
}

/** Row numbers are int32 wherever rows are shuffled. */
export const MOST_ROWS = 2 ** 31 - 1;

/** What is known of a table before its rows are read. */
interface TableStart {
  readonly header: boolean;
  readonly names: readonly string[];
  /** The first rows, as text. */
  readonly sample: readonly (readonly string[])[];
  /** Only for a file. */
  readonly delimiter?: string;
  readonly trailing?: number;
  /** Of the columns whose numbers are not plain decimals. */
  readonly notations?: Notations;
  /** Which cells are missing; the default if left out. */
  readonly missingValues?: MissingValues;
  /** Only for a table without a file. */
  readonly locations?: readonly CellLocation[];
}

/**
 * Builds a table from the rows that `read` adds, and calls it a second time if the first rows
 * misled about an `auto` column.
 * @throws MlpError ExitCode.data for cells that do not fit their column, or a table larger than
 *   memory
 */
export async function buildTable(
  path: string,
  start: TableStart,
  kinds: readonly ColumnKind[],
  capacity: number,
  read: (builder: TableBuilder) => void | Promise<void>,
): Promise<Table> {
  try {
    for (let corrected: readonly ColumnKind[] | undefined = kinds; ; ) {
      const builder: TableBuilder = new TableBuilder(path, start, corrected, capacity);
      await read(builder);
      corrected = builder.misread();
      if (corrected === undefined) return builder.finish();
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new MlpError(
      ExitCode.data,
      `${path}: found a table of ${start.names.length} columns that does not fit into memory`,
      'exclude columns with data.exclude, or use a sample of the rows',
      { cause: error },
    );
  }
}

export class TableBuilder {
  readonly #path: string;
  readonly #start: TableStart;
  readonly #kinds: readonly ColumnKind[];
  #capacity: number;
  rows = 0;
  /** How the file was read, if it is one. */
  notes: readonly string[] = [];
  #lines: Uint32Array;
  readonly #columns: (ColumnBuilder | undefined)[];
  readonly #plain: ReturnType<typeof plainNumbers> | undefined;

  /** `kinds` is in the order of the names. Room for `capacity` rows is made at once. */
  constructor(path: string, start: TableStart, kinds: readonly ColumnKind[], capacity: number) {
    this.#path = path;
    this.#start = start;
    this.#kinds = kinds;
    this.#capacity = capacity;
    this.#lines = new Uint32Array(capacity);
    this.#columns = kinds.map((kind, index) => this.#column(kind, index));
    this.#plain = start.notations && plainNumbers(start.notations);
  }

  /**
   * Adds the row on `line` of the file.
   * @throws MlpError ExitCode.data for cells that do not fit
   */
  add(cells: readonly string[], line: number): void {
    const { rows } = this;
    const columns = this.#columns;
    const { trailing = 0 } = this.#start;
    if (cells.length !== columns.length + trailing) throw this.#raggedRow(cells, line);
    if (trailing > 0) this.#requireEmpty(cells, line);
    if (rows === this.#capacity) this.#grow(line);
    this.#lines[rows] = line;
    if (this.#plain) this.#addNotated(cells);
    else for (let i = 0; i < columns.length; i++) columns[i]?.add(cells[i], rows);
    this.rows++;
  }

  /** Adds cells as `add` does, the numbers of notated columns as plain decimals. */
  #addNotated(cells: readonly string[]): void {
    this.#columns.forEach((column, index) => {
      const cell = cells[index];
      const plain = this.#kinds[index] === 'text' ? undefined : this.#plain?.get(index);
      const number = plain?.(cell);
      if (column && plain && number === undefined && isPlain(cell)) {
        const location = cellLocation(this.#context(), index, this.rows);
        throw contradiction(location, cell, this.#start.notations?.get(index) ?? {});
      }
      column?.add(number ?? cell, this.rows, cell);
    });
  }

  /**
   * Returns undefined if all columns have the kinds that their first rows suggested, otherwise the
   * kinds for a second reading.
   * @throws MlpError ExitCode.data for the first cell of a numeric column that is not a number
   */
  misread(): ColumnKind[] | undefined {
    const { rows } = this;
    const columns = this.#columns;
    const kinds = this.#kinds;
    const wrong = columns.map((column, i) => isGuessed(kinds[i]) && column?.isMisread(rows));
    let first: CellError | undefined;
    for (let i = 0; i < columns.length; i++) {
      const bad = wrong[i] ? undefined : columns[i]?.firstBad;
      if (bad && !(first && first.row <= bad.row)) first = bad;
    }
    if (first) throw first.error();
    if (!wrong.includes(true)) return undefined;
    return kinds.map((kind, i) => {
      if (!wrong[i]) return kind;
      return columns[i] instanceof NumericBuilder ? 'text' : 'numeric';
    });
  }

  /** Returns the table. The builder must not be used afterwards. */
  finish(): Table {
    const { rows } = this;
    const columns = this.#columns.map((column) => column?.finish(rows));
    return { ...this.#context(), rows, columns, lines: this.#lines.subarray(0, rows), ...this.#fileNotes() };
  }

  #column(kind: ColumnKind, index: number): ColumnBuilder | undefined {
    const capacity = this.#capacity;
    const start = this.#start;
    const { header, names, sample, locations, missingValues = DEFAULT_MISSING } = start;
    const missing = MissingRule.of(missingValues, names[index]);
    const context = {
      missing,
      ...(locations === undefined && { header }),
      name: start.names[index],
      location: (row: number) => cellLocation(this.#context(), index, row),
    };
    switch (kind) {
      case 'auto':
      case 'label':
        return isTextColumn(sample, index, missing)
          ? new TextBuilder(context, capacity)
          : new NumericBuilder(context, true, capacity, kind === 'label');
      case 'numeric':
        return new NumericBuilder(context, false, capacity);
      case 'text':
        return new TextBuilder(context, capacity);
      case 'skipped':
        return undefined;
    }
  }

  #context(): Omit<Table, 'rows' | 'columns'> {
    const { header, names, locations } = this.#start;
    return { path: this.#path, header, names, lines: this.#lines, ...(locations && { locations }) };
  }

  #grow(line: number): void {
    if (this.#capacity === MOST_ROWS) {
      throw new MlpError(
        ExitCode.data,
        `${this.#path}:${line}: found more than ${MOST_ROWS} rows`,
        'split the file, or use a sample of its rows',
      );
    }
    this.#capacity = Math.min(2 * this.#capacity, MOST_ROWS);
    this.#lines = grown(this.#lines, new Uint32Array(this.#capacity));
    for (const column of this.#columns) column?.grow(this.#capacity);
  }

  #fileNotes(): Pick<Table, 'notes'> {
    return this.#start.locations ? {} : { notes: this.notes };
  }

  /** @throws MlpError ExitCode.data for a value in a column that had none in the first rows */
  #requireEmpty(cells: readonly string[], line: number): void {
    const index = cells.findIndex((cell, i) => i >= this.#columns.length && cell !== '');
    if (index < 0) return;
    throw new MlpError(
      ExitCode.data,
      `${this.#path}:${line}: column ${index} (from 0): found ${found(cells[index])}, expected an empty cell as in the first rows`,
      'the column has no name and was taken for a separator at the end of every row: name it in the header',
    );
  }

  #raggedRow(cells: readonly string[], line: number): MlpError {
    const count = cells.length === 1 ? '1 field' : `${cells.length} fields`;
    const { trailing = 0, delimiter = ',' } = this.#start;
    return new MlpError(
      ExitCode.data,
      `${this.#path}:${line}: found ${count}, expected ${this.#columns.length + trailing}`,
      `put a value that contains a ${delimiterName(delimiter)} in quotes`,
    );
  }
}

/** Whether at least half of the first cells are words, missing ones not counted. */
function isTextColumn(sample: TableStart['sample'], index: number, rule: MissingRule): boolean {
  const cells = sample.map((row) => row[index] ?? '');
  const present = cells.filter((cell) => !rule.isMissingNumber(cell));
  if (present.length === 0) return cells.some((cell) => !rule.isMissing(cell) && !looksNumeric(cell));
  const words = present.filter((cell) => !looksNumeric(cell));
  return present.length > 0 && words.length * 2 >= present.length;
}
