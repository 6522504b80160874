/**
 * Reads a CSV into a table. csv-parse decides what a record is, the column builders decide what a
 * cell is. Nothing is guessed, trimmed or filled in: the first cell that can't be trusted is an
 * error with its line and column.
 */
import { ExitCode, MlpError, withoutStack } from '../../errors.js';
import { counted } from '../../text.js';
import { found, looksNumeric } from '../cell.js';
import { CellMemory } from '../cellMemory.js';
import type { ColumnFile } from '../columnFile.js';
import {
  allMissingTexts,
  DEFAULT_MISSING,
  MissingRule,
  type MissingValues,
  unmarked,
} from '../missingValues.js';
import { type BadRow, type BadRowRules, SKIPS_BAD_ROWS, type UnreadRow } from '../rejectedRows.js';
import type { Source } from '../source/source.js';
import {
  type CellLocation,
  type Column,
  type ColumnKind,
  cellLocation,
  columnLabel,
  isGuessed,
  type MixedColumn,
  MOST_ROWS,
  type Table,
} from '../table.js';
import {
  type BuilderContext,
  type CellError,
  type ColumnBuilder,
  grown,
  NumericBuilder,
  TextBuilder,
} from './columnBuilders.js';
import { delimiterName } from './csvParse.js';
import type { Dialect } from './dialect.js';
import { contradiction, isPlain, type Notations, plainNumbers } from './notation.js';
import { readingNotes } from './readingNotes.js';
import { readRecords } from './records.js';
import { cellFormatter } from './writeCsv.js';

export interface ReadOptions extends BadRowRules {
  /** Returns the kind of each column; may throw. */
  readonly kinds: (names: readonly string[]) => ColumnKind[];
  /** Which cells are missing; the default if left out. */
  readonly missingValues?: MissingValues;
  /** Where columns go that the table then lacks. */
  readonly file?: ColumnFile | undefined;
  /** Called after each chunk; starts again if the file has to be read twice. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Reads all records of data, a second time if the first rows misled about an `auto` column.
 * @throws MlpError ExitCode.io if the source can't be read, data for anything but a table of these
 *   kinds
 */
export async function readTable(source: Source, dialect: Dialect, options: ReadOptions): Promise<Table> {
  const {
    progress,
    missingValues = DEFAULT_MISSING,
    rejected,
    keepsOddCells = false,
    findsMixtures = false,
  } = options;
  const kinds = options.kinds(dialect.names);
  const start = { ...dialect, missingValues, keepsOddCells, findsMixtures, ...(rejected && { rejected }) };
  const capacity = estimateRows(source, dialect);
  const read = async (builder: TableBuilder) => {
    await readRecords(source, dialect, {
      onRecord: (cells, line) => builder.add(cells, line),
      marked: allMissingTexts(missingValues),
      onEnd: (passed) => {
        builder.notes = readingNotes(source.name, dialect, passed);
      },
      ...(progress && { progress }),
    });
    source.requireUnchanged();
  };
  return buildTable(source.name, start, kinds, capacity, read, options.file);
}

/** Estimates the number of rows that can be read, rather too high: unused memory is never touched. */
export function estimateRows({ size }: Source, { sample, dataStart, names }: Dialect): number {
  const whole = sample.filter(({ length }) => length >= names.length);
  const typical = whole.length > 0 ? whole : [names];
  let bytes = 0;
  for (const cells of typical) for (const cell of cells) bytes += cell.length + 1;
  const rows = Math.ceil((1.05 * typical.length * (size - dataStart)) / bytes);
  return Math.min(Math.max(rows, 1), MOST_ROWS);
}

/** Of the rows that go to a file at once. */
const BLOCK_CELLS = 2 ** 22;
const LEAST_BLOCK_ROWS = 64;
const MOST_BLOCK_ROWS = 2 ** 16;

/** What is known of a table before its rows are read. */
export interface TableStart extends BadRowRules {
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
 * @param file where columns go that the table then lacks
 * @throws MlpError ExitCode.data for cells that do not fit their column, or a table larger than
 *   memory
 */
export async function buildTable(
  path: string,
  start: TableStart,
  kinds: readonly ColumnKind[],
  capacity: number,
  read: (builder: TableBuilder) => void | Promise<void>,
  file?: ColumnFile,
): Promise<Table> {
  try {
    const { rejected } = start;
    const memory = new CellMemory();
    for (let columns: ReadColumns = { kinds }; ; ) {
      rejected?.clear();
      file?.clear();
      const builder: TableBuilder = new TableBuilder(path, start, columns, capacity, memory, file);
      await read(builder);
      const corrected = builder.misread();
      if (corrected !== undefined) {
        columns = corrected;
        memory.reuse();
      } else if (builder.rows === 0 && rejected?.first) throw rejected.first;
      else return builder.finish();
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

/** What columns are read as. */
interface ReadColumns {
  /** In the order of the names. */
  readonly kinds: readonly ColumnKind[];
  /** Guessed columns that turned out to be numbers: a row with any other cell can't be read. */
  readonly strict?: ReadonlySet<number>;
  /** Guessed columns that turned out to be text. */
  readonly texts?: ReadonlySet<number>;
}

export class TableBuilder {
  readonly #path: string;
  readonly #start: TableStart;
  readonly #kinds: readonly ColumnKind[];
  readonly #strict: ReadonlySet<number>;
  readonly #texts: ReadonlySet<number>;
  /** Whether there may be cells after the last column. */
  readonly #isChecked: boolean;
  #capacity: number;
  rows = 0;
  /** How the file was read, if it is one. */
  notes: readonly string[] = [];
  #lines: Uint32Array;
  readonly #memory: CellMemory;
  readonly #columns: (ColumnBuilder | undefined)[];
  readonly #plain: ReturnType<typeof plainNumbers> | undefined;
  readonly #file: ColumnFile | undefined;
  /** The rows that go to the file at once, and those that are there. */
  readonly #blockRows: number;
  #inFile = 0;

  /** Room for `capacity` rows is made at once. */
  constructor(
    path: string,
    start: TableStart,
    { kinds, strict = new Set(), texts = new Set() }: ReadColumns,
    capacity: number,
    memory = new CellMemory(),
    file?: ColumnFile,
  ) {
    this.#file = file;
    const blockRows = Math.max(LEAST_BLOCK_ROWS, Math.min(MOST_BLOCK_ROWS, BLOCK_CELLS / kinds.length));
    this.#blockRows = file ? Math.floor(blockRows) : Number.POSITIVE_INFINITY;
    this.#path = path;
    this.#start = start;
    this.#kinds = kinds;
    this.#strict = strict;
    this.#texts = texts;
    this.#memory = memory;
    this.#isChecked = (start.trailing ?? 0) > 0;
    this.#capacity = capacity;
    this.#lines = new Uint32Array(capacity);
    this.#plain = start.notations && plainNumbers(start.notations);
    const context = this.#builderContext();
    this.#columns = kinds.map((kind, index) => this.#column(context, kind, index));
  }

  /**
   * Adds the row on `line` of the file, or rejects it. Returns why it can't be read, if it can't;
   * `unread` is known to be such a row.
   * @throws MlpError ExitCode.data for such a row if nothing takes it
   */
  add(cells: readonly string[], line: number, unread?: UnreadRow): BadRow | undefined {
    if (unread) {
      this.#start.rejected?.add(unread, line, unread.text);
      return unread;
    }
    const { rows } = this;
    const columns = this.#columns;
    if (rows === this.#capacity) this.#grow(line);
    if (rows - this.#inFile === this.#blockRows) this.#flush();
    this.#lines[rows] = line;
    let bad: BadRow | undefined;
    if (this.#start.rejected) bad = withoutStack(() => this.#badRow(cells, line));
    else if (this.#isChecked || cells.length !== columns.length) bad = this.#badRow(cells, line);
    if (bad) return this.#reject(bad, cells, line);
    if (this.#plain) this.#addNotated(cells);
    else for (let i = 0; i < columns.length; i++) columns[i]?.add(cells[i], rows);
    this.rows++;
    return undefined;
  }

  /** Adds cells as `add` does, the numbers of notated columns as plain decimals. */
  #addNotated(cells: readonly string[]): void {
    this.#columns.forEach((column, index) => {
      if (!column) return;
      const number = this.#plainNumber(cells[index], index);
      if (number instanceof MlpError) throw number;
      column.add(number, this.rows, cells[index]);
    });
  }

  /** The cell as a plain decimal, if it is a number of another notation; or an error for a plain one. */
  #plainNumber(cell: string, index: number): string | MlpError {
    const plain = this.#kinds[index] === 'text' ? undefined : this.#plain?.get(index);
    const number = plain?.(cell);
    if (!plain || number !== undefined || !isPlain(cell)) return number ?? cell;
    const location = cellLocation(this.#context(), index, this.rows);
    return contradiction(location, cell, this.#start.notations?.get(index) ?? {});
  }

  /** Why a row can't be read. Cells are looked at only if rows may be rejected. */
  #badRow(cells: readonly string[], line: number): BadRow | undefined {
    const { trailing = 0, rejected, header, names } = this.#start;
    if (cells.length !== this.#columns.length + trailing) {
      return { kind: 'with another number of fields', error: this.#raggedRow(cells, line) };
    }
    const more = trailing > 0 && this.#notEmpty(cells, line);
    if (more) return { kind: 'with a value after the last column', error: more };
    if (!rejected) return undefined;
    // Most rows are sound, and `entries` would make an array for each of their cells.
    for (let index = 0; index < this.#columns.length; index++) {
      const column = this.#columns[index];
      if (!column) continue;
      const number = this.#plainNumber(cells[index], index);
      const error = number instanceof MlpError ? number : column.problem?.(number, this.rows);
      if (error) return { kind: `with no number in ${columnLabel(header, names[index])}`, error };
    }
    return undefined;
  }

  #reject(bad: BadRow, cells: readonly string[], line: number): BadRow {
    const { rejected, delimiter = ',' } = this.#start;
    if (!rejected) throw bad.error;
    const format = cellFormatter(delimiter);
    rejected.add(bad, line, cells.map((cell) => format(unmarked(cell))).join(delimiter));
    return bad;
  }

  /**
   * Returns undefined if all columns have the kinds that their first rows suggested, otherwise the
   * kinds for a second reading; the builder must not be used then.
   * @throws MlpError ExitCode.data for the first cell of a numeric column that is not a number, if
   *   no rows may be rejected
   */
  misread(): ReadColumns | undefined {
    const { rows } = this;
    const columns = this.#columns;
    const wrong = columns.map((column, i) => isGuessed(this.#kinds[i]) && column?.isMisread(rows));
    const bad = columns.flatMap((column, index) => {
      const error = wrong[index] || this.#isOdd(column?.firstBad) ? undefined : column?.firstBad;
      return error ? [{ index, error }] : [];
    });
    if (bad.length > 0 && !this.#start.rejected) {
      throw bad.reduce((first, next) => (first.error.row <= next.error.row ? first : next)).error.error();
    }
    if (bad.length === 0 && !wrong.includes(true)) return undefined;
    const kinds = this.#kinds.map((kind, i) => {
      if (!wrong[i]) return kind;
      return columns[i] instanceof NumericBuilder ? 'text' : 'numeric';
    });
    const texts = [...kinds.keys()].filter((i) => wrong[i] && kinds[i] === 'text');
    // Else the columns of a wide table are there twice while those of the second reading are made.
    columns.length = 0;
    return {
      kinds,
      strict: new Set([...this.#strict, ...bad.map(({ index }) => index)]),
      texts: new Set([...this.#texts, ...texts]),
    };
  }

  /** Whether a cell may be kept although it is no number. A word in a first row is likely a name. */
  #isOdd({ row = 0, text = '' }: Partial<CellError> = {}): boolean {
    const { keepsOddCells = false, header } = this.#start;
    return keepsOddCells && (header || row > 0 || looksNumeric(text));
  }

  /** Returns the table. The builder must not be used afterwards. */
  finish(): Table {
    const { rows } = this;
    const mixed = this.#mixedColumns();
    this.#flush();
    const stored = new Map<number, Column>();
    const columns = this.#columns.map((column, index) => {
      if (!column || !this.#file?.has(index)) return column?.finish(rows);
      stored.set(index, column.finish(rows, 0));
      return undefined;
    });
    const odd = this.#columns.flatMap((column, index) => {
      const { row, text = '' } = column?.firstBad ?? {};
      if (row === undefined) return [];
      const texts = column?.badTexts;
      return [{ index, cells: column?.badCells ?? 0, row, text, ...(texts && { texts }) }];
    });
    const table = {
      ...this.#context(),
      rows,
      columns,
      lines: this.#lines.subarray(0, rows),
      ...(odd.length > 0 && { odd }),
      ...(mixed.length > 0 && { mixed }),
      ...this.#fileNotes(),
    };
    this.#file?.finish(table, stored);
    return table;
  }

  /** Moves the rows that are in memory to the file, but for columns that stay. */
  #flush(): void {
    const { rows } = this;
    this.#file?.add(rows - this.#inFile, (index) => (this.#columns[index] as ColumnBuilder).take(rows));
    this.#inFile = rows;
  }

  #mixedColumns(): MixedColumn[] {
    if (!this.#start.findsMixtures) return [];
    return this.#columns.flatMap((column, index) => {
      const wasGuessed = isGuessed(this.#kinds[index]) || this.#texts.has(index);
      const isMixed = wasGuessed && column instanceof TextBuilder && column.isMixture(this.rows);
      return isMixed ? [{ index, gaps: column.gaps }] : [];
    });
  }

  #builderContext(): BuilderContext {
    const { header, names, locations, missingValues = DEFAULT_MISSING, findsMixtures } = this.#start;
    return {
      memory: this.#memory,
      findsMixtures: findsMixtures === true,
      missing: (column) => MissingRule.of(missingValues, names[column]),
      plain: (column) => this.#plain?.get(column),
      messages: (column) => ({
        ...(locations === undefined && { header }),
        name: names[column],
        location: (row) => cellLocation(this.#context(), column, row),
      }),
    };
  }

  #column(context: BuilderContext, kind: ColumnKind, index: number): ColumnBuilder | undefined {
    const capacity = this.#file?.has(index) ? this.#blockRows : this.#capacity;
    const { sample, keepsOddCells = false } = this.#start;
    const isStrict = this.#strict.has(index);
    switch (kind) {
      case 'auto':
      case 'label':
        return beginsWithWords(sample, index, context.missing(index)) && !isStrict
          ? new TextBuilder(context, index, capacity)
          : new NumericBuilder(context, index, !isStrict, capacity, kind === 'label');
      case 'numeric':
        return new NumericBuilder(context, index, keepsOddCells, capacity);
      case 'text':
        return new TextBuilder(context, index, capacity);
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
    this.#memory.forget();
    this.#lines = grown(this.#lines, new Uint32Array(this.#capacity));
    this.#columns.forEach((column, index) => {
      if (!this.#file?.has(index)) column?.grow(this.#capacity);
    });
  }

  #fileNotes(): Pick<Table, 'notes'> {
    return this.#start.locations ? {} : { notes: this.notes };
  }

  /** The error ExitCode.data for a value in a column that had none in the first rows. */
  #notEmpty(cells: readonly string[], line: number): MlpError | undefined {
    const index = cells.findIndex((cell, i) => i >= this.#columns.length && cell !== '');
    if (index < 0) return undefined;
    return new MlpError(
      ExitCode.data,
      `${this.#path}:${line}: column ${index} (from 0): found ${found(cells[index])}, expected an empty cell as in the first rows`,
      'the column has no name and was taken for a separator at the end of every row: name it in the header',
    );
  }

  #raggedRow(cells: readonly string[], line: number): MlpError {
    const { trailing = 0, delimiter = ',' } = this.#start;
    const expected = this.#columns.length + trailing;
    return new MlpError(
      ExitCode.data,
      `${this.#path}:${line}: found ${counted(cells.length, 'field')}, expected ${expected}`,
      cells.length > expected
        ? `put a value that contains a ${delimiterName(delimiter)} in quotes; ${SKIPS_BAD_ROWS}`
        : `if the table starts further down, skip the lines above it (data.skipLines, --skip-lines); ${SKIPS_BAD_ROWS}`,
    );
  }
}

/** Whether at least half of the first cells are words, missing ones not counted. */
export function beginsWithWords(sample: TableStart['sample'], index: number, rule: MissingRule): boolean {
  let present = 0;
  let words = 0;
  /** Missing in a column of numbers, but not in one of text. */
  let texts = 0;
  for (const { [index]: cell = '' } of sample) {
    // The most of a ragged table, and always missing.
    if (cell === '') continue;
    if (!rule.isMissingNumber(cell)) {
      present++;
      if (!looksNumeric(cell)) words++;
    } else if (!rule.isMissing(cell) && !looksNumeric(cell)) texts++;
  }
  return present > 0 ? words * 2 >= present : texts > 0;
}
