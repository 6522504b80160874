/**
 * The fast path for files of plain numbers: from bytes to typed values, in parallel, without a
 * string for each cell. It takes UTF-8 files without control characters, comments and empty lines,
 * whose rows all have the same number of fields and end in \n or \r\n. It declines any other file,
 * and csv-parse then reads it from the start. What it takes, it reads exactly as csv-parse's table
 * does.
 *
 * A chunk begins after a line feed. If that one is within quotes, the chunk before it ends
 * elsewhere, and it is scanned once more from there.
 *
 * There are two passes: `scan` checks the structure, counts rows and reads the kept columns; then
 * `fit` reads the numbers to their places in the matrix, or `write` does if the scaling is known.
 * Until the scaling is fitted, numbers of up to 8 digits are packed exactly into the 4 bytes that
 * they take in a float32 matrix. Columns with other numbers are read once more. If the first records
 * have longer numbers, `scan` reads all of them and keeps them as float64, as far as memory goes.
 */
import { looksNumeric } from '../cell.js';
import type { ColumnFile } from '../columnFile.js';
import { beginsWithNumbers, type Dialect } from '../csv/dialect.js';
import { readingNotes } from '../csv/readingNotes.js';
import { createFeatureMatrix, type FeatureMatrix } from '../featureMatrix.js';
import { type Scaling, type Transform, transformed } from '../scaling.js';
import { readAt, type Source } from '../source/source.js';
import {
  type Column,
  type ColumnKind,
  isGuessed,
  type NumericColumn,
  type PassedOver,
  type Table,
  type TextColumn,
} from '../table.js';
import { BadCellSummary, type FileContext, tooLarge } from './badCells.js';
import { chunkCount, type KeptNumbers, type PlacedChunk } from './chunks.js';
import { Moments, type NumericFit } from './fit.js';
import { ColumnJoiner } from './joinColumns.js';
import { inOrder, MatrixWriter, UnscaledNumbers } from './matrixWriter.js';
import { ReaderPool } from './readerPool.js';
import type { KeptColumn, KeptKind } from './scan.js';
import { TUNING, type Tuning } from './workspace.js';

export interface NumericFileRequest {
  readonly source: Source;
  readonly dialect: Dialect;
  /** Columns that are kept in memory, and their kinds: targets, weights and the like. */
  readonly kept: ReadonlyMap<number, KeptKind>;
  /** Columns that may be fitted or written later. */
  readonly features?: readonly number[];
  readonly threads: number;
  /** Takes the cells of kept columns. */
  readonly file?: ColumnFile | undefined;
  /** Called with the bytes done, of twice the size: there are two passes. */
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

interface FitRequest {
  /** Columns of the file. Feature j goes to column j of the matrix, which has no others. */
  readonly features: readonly number[];
  /** [features] */
  readonly scalings: readonly Scaling[];
  /** [rows] The row of the matrix, −1 for none. Rows from 0 are filled, in any order. */
  readonly place: Int32Array;
  /** The first `trainRows` rows of the matrix are fitted on; at least 1. */
  readonly trainRows: number;
  /** Without it, nothing is written. */
  readonly matrix?: FeatureMatrix;
  /** Whether a missing cell is an error; otherwise the file is declined. */
  readonly missingIsError: boolean;
  /** Whether a cell that is not a number is an error, as by default; otherwise the file is declined. */
  readonly badIsError?: boolean;
}

export class NumericFile {
  readonly #request: NumericFileRequest;
  readonly #pool: ReaderPool;
  readonly #chunks: readonly PlacedChunk[];
  readonly #columns: ReadonlyMap<number, NumericColumn | TextColumn>;
  readonly #passed: PassedOver;
  /** The rows with line breaks in cells, ascending: one for each. */
  readonly #breaks: Uint32Array;
  /** The numbers of files of long ones, until they are in a matrix. */
  #numbers: KeptNumbers | undefined;
  readonly rows: number;

  private constructor(
    request: NumericFileRequest,
    pool: ReaderPool,
    chunks: readonly PlacedChunk[],
    columns: ReadonlyMap<number, NumericColumn | TextColumn>,
    passed: PassedOver,
    breaks: Uint32Array,
    numbers: KeptNumbers | undefined,
  ) {
    this.#breaks = breaks;
    this.#numbers = numbers;
    this.#request = request;
    this.#pool = pool;
    this.#chunks = chunks;
    this.#columns = columns;
    this.#passed = passed;
    this.rows = chunks.reduce((rows, chunk) => rows + chunk.rows, 0);
  }

  /**
   * Null if the file is declined.
   * @throws MlpError ExitCode.io if it can't be read or changes, internal if a thread dies
   */
  static async scan(request: NumericFileRequest, changes: Partial<Tuning> = {}): Promise<NumericFile | null> {
    const { source, dialect, kept, progress } = request;
    if (dialect.comment !== undefined || dialect.notations !== undefined) return null;
    const tuning = { ...TUNING, ...changes };
    const threads = source.size < tuning.threadedBytes ? 1 : request.threads;
    const { delimiter, dataStart, names, trailing } = dialect;
    const { size, emptyLines } = withoutEmptyEnd(source, dataStart);
    const pool = new ReaderPool({
      file: { name: source.name, fd: source.fd, size },
      format: { delimiter, dataStart, columns: names.length + trailing, trailing },
      threads,
      tuning,
    });
    const wanted = [...kept].map(([column, kind]): KeptColumn => ({ column, kind }));
    wanted.sort((a, b) => a.column - b.column);
    const chunks: PlacedChunk[] = [];
    const breaks: number[] = [];
    const numbers: (Float64Array | undefined)[] = [];
    let begin = dataStart;
    let rows = 0;
    let spaces = false;
    try {
      const count = chunkCount({ size }, dataStart, tuning.chunkBytes);
      const { features = [] } = request;
      const isLong = areLong(dialect, features);
      const numeric = wanted.filter(({ kind }) => kind !== 'text').map(({ column }) => column);
      const long = isLong && {
        features: Int32Array.from(features),
        columns: Int32Array.from([...features, ...numeric]),
        // The same for each chunk, so that all together are within the limit.
        mostNumbers: tuning.keptBytes / count / Float64Array.BYTES_PER_ELEMENT,
      };
      let joiner: ColumnJoiner | undefined;
      const task = { kind: 'scan', kept: wanted, ...(long && { long }) } as const;
      const isNumeric = await pool.run(task, count, (result, index) => {
        const scanned = result.begin === begin ? result : pool.scanFrom(task, index, begin);
        if (scanned.cells === undefined) return false;
        const { cells: found, spaces: hasSpaces, breaks: inRows, numbers: read, ...chunk } = scanned;
        begin = chunk.end;
        spaces ||= hasSpaces;
        for (const row of inRows) breaks.push(rows + row);
        chunks.push({ ...chunk, firstRow: rows });
        joiner ??= new ColumnJoiner(wanted, Math.ceil(MORE_ROOM * count * chunk.rows), request.file);
        joiner.add(found);
        numbers.push(read);
        rows += chunk.rows;
        progress?.(chunk.end, 2 * source.size);
        return true;
      });
      const columns = isNumeric && rows > 0 && rows < 2 ** 31 ? joiner?.finish() : undefined;
      // csv-parse's table reads a column without any number as text.
      const isEmpty = (column: NumericColumn | TextColumn) =>
        column.kind === 'numeric' && column.missing === rows;
      if (columns && ![...columns.values()].some(isEmpty)) {
        const passed = { spaces, emptyLines };
        const broken = Uint32Array.from(breaks);
        return new NumericFile(request, pool, chunks, columns, passed, broken, isLong ? numbers : undefined);
      }
    } catch (error) {
      await pool.close();
      throw error;
    }
    await pool.close();
    return null;
  }

  /** Sentences for the user about how the file was read. */
  get notes(): string[] {
    const { source, dialect } = this.#request;
    return readingNotes(source.name, dialect, this.#passed);
  }

  /** A kept column. Asking for another one is a bug. */
  column(index: number): NumericColumn | TextColumn {
    const column = this.#columns.get(index);
    if (column === undefined)
      throw new TypeError(`column ${index} of ${this.#request.source.name} was not kept`);
    return column;
  }

  /** The line of a row, from 1. */
  line(row: number): number {
    return this.#request.dialect.dataLine + row + countBelow(this.#breaks, row);
  }

  get #context(): FileContext {
    return { ...this.#request, line: (row) => this.line(row) };
  }

  /**
   * Fits the scalings on the training rows and writes all placed rows, scaled, into the matrix, if there is one.
   * Null if the file is declined; the matrix may have been written to.
   * @throws MlpError ExitCode.data for the first cell that is not a number, missing or too large;
   *   io if the file changes
   */
  async fit(request: FitRequest): Promise<NumericFit[] | null> {
    const { features, scalings, trainRows, place, missingIsError, badIsError = true } = request;
    const writes = request.matrix !== undefined;
    const matrix = request.matrix ?? createFeatureMatrix('float64', 1, features.length);
    const target = MatrixWriter.of(this.#pool, this.#chunks, place, matrix);
    if (target === undefined) return null;
    const moments = new Moments(scalings);
    const badCells = new BadCellSummary();
    const numbers = writes ? this.#takeNumbers(matrix) : this.#numbers;
    // What is not written has to be read again.
    const unscaled = new UnscaledNumbers(features.length, numbers ?? (writes ? undefined : []));
    const isNumeric = await this.#pool.run(
      {
        kind: 'fit',
        chunks: this.#chunks,
        ...inOrder(features),
        ...target.shared,
        trainRows,
        writes,
        ...(numbers && { numbers }),
        // Robust scaling needs the mean for missing cells.
        moments: scalings.includes('standard') || scalings.includes('robust'),
        missingIsError,
      },
      this.#chunks.length,
      (chunk, index) => {
        moments.add(chunk);
        badCells.add(chunk);
        unscaled.add(chunk);
        this.#tellProgress(index);
      },
    );
    this.#request.source.requireUnchanged();
    if (!isNumeric || badCells.isMisread(this.rows)) return null;
    if (!badIsError && badCells.hasWords) return null;
    const error = badCells.error(this.#context);
    if (error) throw error;
    const quartiles = await target.quartiles(features, moments, trainRows, unscaled);
    const fitted = quartiles && moments.columns(quartiles);
    if (fitted === undefined) return null;
    if (!writes) return fitted;
    const fits = await target.scale(features, fitted, unscaled);
    if (fits === undefined) return null;
    if (!fits) await this.#requireHeld(features, fitted, place, matrix);
    this.#request.source.requireUnchanged();
    return fitted;
  }

  /**
   * Writes all placed rows, scaled, into the matrix. False if the file is declined for a cell that
   * is not a number; the matrix may have been written to.
   * @throws MlpError ExitCode.data for the first number that is too large; io if the file changes
   */
  async write(
    features: readonly number[],
    transforms: readonly Transform[],
    place: Int32Array,
    matrix: FeatureMatrix,
  ): Promise<boolean> {
    const target = MatrixWriter.of(this.#pool, this.#chunks, place, matrix);
    const numbers = this.#numbers;
    const fits = await target?.write(inOrder(features), transforms, numbers, (index) =>
      this.#tellProgress(index),
    );
    if (fits === undefined) return false;
    if (!fits) await this.#requireHeld(features, transforms, place, matrix);
    this.#request.source.requireUnchanged();
    return true;
  }

  /** Reads all numbers of these columns, row by row. */
  readNumbers(
    features: readonly number[],
    take: (row: number, feature: number, value: number) => void,
  ): Promise<void> {
    return this.#pool.readAll(this.#chunks, features, take);
  }

  /** Ends the threads. May be called twice. */
  close(): Promise<void> {
    this.#numbers = undefined;
    return this.#pool.close();
  }

  /** Throws for the first placed number that the matrix can't hold, by row and feature. */
  async #requireHeld(
    features: readonly number[],
    transforms: readonly Transform[],
    place: Int32Array,
    { dtype }: FeatureMatrix,
  ): Promise<void> {
    const round = dtype === 'float32' ? Math.fround : (value: number) => value;
    await this.#pool.readAll(this.#chunks, features, (row, j, value) => {
      if (place[row] < 0 || Number.isFinite(round(transformed(value, transforms[j])))) return;
      throw tooLarge(this.#context, { row, column: features[j], value }, transforms[j], dtype);
    });
  }

  /**
   * The kept numbers, which are not kept on. Chunks without are read twice more, which is slower than
   * packing if most are; float64 needs no packing.
   */
  #takeNumbers({ dtype }: FeatureMatrix): KeptNumbers | undefined {
    const numbers = this.#numbers;
    this.#numbers = undefined;
    const missing = numbers?.filter((chunk) => chunk === undefined).length ?? 0;
    const most = dtype === 'float64' || numbers === undefined ? 0 : numbers.length / 2;
    return missing > most ? undefined : numbers;
  }

  #tellProgress(index: number): void {
    const { source, progress } = this.#request;
    progress?.(source.size + this.#chunks[index].end, 2 * source.size);
  }
}

/** How many of ascending numbers are less than a limit. */
function countBelow(numbers: Uint32Array, limit: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of a packed number. */
const MOST_DIGITS = 8;
/** A column is long if more than one number in this many is. */
const LONG_SHARE = 16;

/** Whether a column does not fit packed into float32, by the first records. */
function areLong({ sample }: Dialect, columns: readonly number[]): boolean {
  return columns.some((column) => {
    const found = sample.filter(({ [column]: cell = '' }) => significantDigits(cell) > MOST_DIGITS);
    return found.length * LONG_SHARE > sample.length;
  });
}

/** Without the zeros before them: 0.12345678 has eight. */
function significantDigits(cell: string): number {
  return cell.length > MOST_DIGITS ? cell.replace(/^[^1-9]+|e.*|\D/gi, '').length : 0;
}

/** How many more rows there may be than in all chunks like the first: memory that nobody writes to is none. */
const MORE_ROOM = 1.05;

interface NumericTableRequest extends Omit<NumericFileRequest, 'kept'> {
  readonly kinds: readonly ColumnKind[];
}

/**
 * The table that csv-parse would give. Null if the file is declined, or an `auto` column does not
 * stay what its first rows are.
 * @throws MlpError ExitCode.io if the file can't be read or changes
 */
export async function readNumericTable(
  { kinds, ...request }: NumericTableRequest,
  changes: Partial<Tuning> = {},
): Promise<Table | null> {
  const { source, dialect } = request;
  const kept = new Map<number, KeptKind>();
  for (const [index, kind] of kinds.entries()) {
    if (kind === 'skipped') continue;
    if (isGuessed(kind) && !beginsWithNumbers(dialect, index)) kept.set(index, 'text');
    else kept.set(index, kind === 'auto' ? 'numeric' : kind);
  }
  const file = await NumericFile.scan({ ...request, kept }, changes);
  if (file === null) return null;
  try {
    const found = kinds.map((kind, index) => (kind === 'skipped' ? undefined : file.column(index)));
    if (found.some((column, index) => isGuessed(kinds[index]) && isDoubtful(column))) return null;
    source.requireUnchanged();
    const { header, names } = dialect;
    const { rows, notes } = file;
    const lines = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) lines[row] = file.line(row);
    const columns = found.map((column, index) => (request.file?.has(index) ? undefined : column));
    const table = { path: source.name, header, names, rows, columns, lines, notes };
    request.file?.finish(table, new Map(found.flatMap((column, index) => (column ? [[index, column]] : []))));
    return table;
  } finally {
    await file.close();
  }
}

/** Whether text may be mostly numbers, which csv-parse's table has to judge. */
function isDoubtful(column: Column | undefined): boolean {
  return column?.kind === 'text' && column.levels.some(looksNumeric);
}

/** Bytes of each look at the end of a file. */
const END_LOOK = 2 ** 12;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BLANK = 0x20;

/** The size of a file without the empty lines at its end, and their number. */
export function withoutEmptyEnd(source: Source, dataStart: number): { size: number; emptyLines: number } {
  const look = Buffer.alloc(END_LOOK);
  let lineFeeds = 0;
  // The end of the last row, once its line feed is found.
  let size = source.size;
  for (let from = source.size; from > dataStart; ) {
    const length = Math.min(END_LOOK, from - dataStart);
    from -= length;
    readAt(source, look, 0, length, from);
    for (let i = length - 1; i >= 0; i--) {
      const byte = look[i];
      if (byte === LINE_FEED) {
        lineFeeds++;
        size = from + i + 1;
      } else if (byte !== BLANK && !(byte === CARRIAGE_RETURN && size === from + i + 2)) {
        return lineFeeds > 0 ? { size, emptyLines: lineFeeds - 1 } : { size: source.size, emptyLines: 0 };
      }
    }
  }
  return { size: source.size, emptyLines: 0 };
}
