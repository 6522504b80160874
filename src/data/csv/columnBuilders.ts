/** Builds the columns of a table from cells of text, row by row. */
import { ExitCode, MlpError } from '../../errors.js';
import { found, isPlainInteger, looksNumeric, numberHint, parseDecimal } from '../cell.js';
import type { CellMemory } from '../cellMemory.js';
import { type MissingRule, QUOTED, unmarked } from '../missingValues.js';
import { isMixture } from '../mixture.js';
import { type Column, MOST_SPELLINGS, type TextColumn, type WrittenNumbers } from '../table.js';
import { notationHint } from './notation.js';

export interface ColumnBuilder {
  /** Makes room for `capacity` rows. */
  grow(capacity: number): void;
  /**
   * Adds the cell of `row`, for which there is room. `written` is its spelling, if that is another.
   * @throws MlpError ExitCode.data for a cell that can't be in this column
   */
  add(cell: string, row: number, written?: string): void;
  /** The error that `add` would throw for a cell, while the column is unchanged. */
  problem?(cell: string, row: number): MlpError | undefined;
  /** Whether an `auto` column has the other kind: the first rows misled. */
  isMisread(rows: number): boolean;
  /** The first cell that is wrong, now that all rows are known. */
  readonly firstBad: CellError | undefined;
  /** How many cells are. */
  readonly badCells?: number;
  /** Their different texts, if mixtures are asked for. */
  readonly badTexts?: readonly string[] | undefined;
  /** The cells of the rows before `end` that were not taken: their memory is used again. */
  take(end: number): Float64Array | Int32Array;
  /**
   * Returns the column. The builder must not be used afterwards.
   * @param kept how many rows are in memory: all, or none
   */
  finish(rows: number, kept?: number): Column;
}

export interface CellError {
  readonly row: number;
  readonly text?: string;
  error(): MlpError;
}

/** What messages about a column need from its table. */
interface ColumnContext {
  /** Whether the file has a header; absent for a table without a file. */
  readonly header?: boolean;
  readonly name?: string;
  /** `data.csv:7: column "petal"` */
  location(row: number): string;
}

/** What the builders of a table share: it may have 100,000 of them. Columns count from 0. */
export interface BuilderContext {
  /** Whether a column that is mostly numbers may be text (see mixture.ts). */
  readonly findsMixtures: boolean;
  readonly memory: CellMemory;
  /** Which cells are missing. */
  missing(column: number): MissingRule;
  /** The plain decimal that a cell means, if the numbers of the column have another notation. */
  plain(column: number): ((cell: string) => string | undefined) | undefined;
  messages(column: number): ColumnContext;
}

type Growable = Float64Array | Int32Array | Uint32Array;

/** Copies `from` to the start of the larger array `to`. */
export function grown<T extends Growable>(from: T, to: T): T {
  to.set(from);
  return to;
}

export class NumericBuilder implements ColumnBuilder {
  readonly #context: BuilderContext;
  readonly #column: number;
  readonly #guess: boolean;
  firstBad: CellError | undefined;
  #values: Float64Array;
  /** The first row whose cell was not taken. */
  #first = 0;
  #missing = 0;
  /** Cells that are neither numbers nor missing; their values are NaN. */
  badCells = 0;
  /** Cells that look like words, not like numbers. */
  #words = 0;
  /** Only if mixtures are asked for: each different bad cell, if there is one. More of them count as the first. */
  #others: Map<string, number> | undefined;
  readonly #spellings: Spellings | undefined;
  readonly #rule: MissingRule;
  readonly #hasMissingNumbers: boolean;

  /**
   * With `guess`, cells that are not numbers are counted. Otherwise the first is an error. With
   * `labels`, numbers keep their spelling.
   */
  constructor(context: BuilderContext, column: number, guess: boolean, capacity: number, labels = false) {
    this.#context = context;
    this.#column = column;
    this.#guess = guess;
    this.#values = context.memory.floats(capacity);
    this.#spellings = labels ? new Spellings() : undefined;
    this.#rule = context.missing(column);
    this.#hasMissingNumbers = this.#rule.hasNumbers;
  }

  grow(capacity: number): void {
    this.#values = grown(this.#values, this.#context.memory.floats(capacity));
  }

  add(cell: string, row: number, written = cell): void {
    const value = parseDecimal(cell);
    if (Number.isFinite(value) && !(this.#hasMissingNumbers && this.#rule.isNumberMissing(value)))
      this.#values[row - this.#first] = value;
    else this.#addOther(cell, row);
    this.#spellings?.add(written, row, this.#values);
  }

  problem(cell: string, row: number): MlpError | undefined {
    if (this.#guess || Number.isFinite(parseDecimal(cell))) return undefined;
    const text = unmarked(cell.trim());
    if (text !== cell) return this.problem(text, row);
    return this.#rule.isMissingNumber(cell) ? undefined : this.#badNumber(text, row);
  }

  get badTexts(): string[] | undefined {
    return this.#others && [...this.#others.keys()];
  }

  isMisread(rows: number): boolean {
    const present = rows - this.#missing;
    if (present > 0 && this.#words * 2 >= present) return true;
    return (
      this.#others !== undefined && isMixture({ numbers: present - this.badCells, others: this.#others })
    );
  }

  take(end: number): Float64Array {
    const cells = this.#values.subarray(0, end - this.#first);
    this.#first = end;
    return cells;
  }

  finish(rows: number, kept = rows): Column {
    const values = this.#values;
    const missing = this.#missing + this.badCells;
    if (this.#guess && missing === rows) {
      return { kind: 'text', levels: [], codes: this.#context.memory.integers(kept).fill(MISSING), missing };
    }
    const written = this.#spellings?.finish(rows, missing);
    return { kind: 'numeric', values: values.subarray(0, kept), missing, ...(written && { written }) };
  }

  #addOther(cell: string, row: number): void {
    // Only a cell in quotes still has spaces around it.
    const trimmed = cell.trim();
    if (trimmed !== cell) {
      this.add(trimmed, row);
      return;
    }
    this.#values[row - this.#first] = Number.NaN;
    if (this.#rule.isMissingNumber(cell)) {
      this.#missing++;
      return;
    }
    const text = unmarked(cell);
    if (!this.#guess) throw this.#badNumber(text, row);
    this.badCells++;
    this.firstBad ??= { row, text, error: () => this.#badNumber(text, row) };
    if (!looksNumeric(text)) this.#words++;
    if (!this.#context.findsMixtures) return;
    this.#others ??= new Map();
    countText(this.#others, text);
  }

  #badNumber(text: string, row: number): MlpError {
    return badNumber(this.#context.messages(this.#column), text, row);
  }
}

/** More different texts are counted as the first. */
const MOST_COUNTED = 10_000;

function countText(counts: Map<string, number>, text: string): void {
  const known = counts.get(text);
  if (known !== undefined || counts.size < MOST_COUNTED) {
    counts.set(text, (known ?? 0) + 1);
    return;
  }
  const [[first, count]] = counts;
  counts.set(first, count + 1);
}

/** How the numbers of a column are written. It costs nothing as long as all are plain integers. */
export class Spellings {
  readonly #levels = new Map<string, number>();
  /** Undefined while all are plain integers. */
  #codes: Int32Array | undefined;
  #isMany = false;

  /** Adds the cell of `row`, whose value is in `values` with those of all rows before; NaN if missing. */
  add(cell: string, row: number, values: Float64Array): void {
    if (this.#isMany) return;
    const value = values[row];
    if (this.#codes === undefined) {
      if (isPlainInteger(cell, value) || Number.isNaN(value)) return;
      this.#codes = new Int32Array(values.length);
      for (let i = 0; i < row; i++) this.#codes[i] = this.#code(String(values[i]), values[i]);
    } else if (row >= this.#codes.length) {
      this.#codes = grown(this.#codes, new Int32Array(values.length));
    }
    this.#codes[row] = this.#code(cell, value);
    if (this.#levels.size <= MOST_SPELLINGS) return;
    this.#isMany = true;
    this.#codes = undefined;
  }

  /** Undefined if all are plain integers. */
  finish(rows: number, missing: number): WrittenNumbers | undefined {
    if (this.#isMany) return 'many';
    if (this.#codes === undefined) return undefined;
    return { kind: 'text', levels: [...this.#levels.keys()], codes: this.#codes.subarray(0, rows), missing };
  }

  #code(text: string, value: number): number {
    if (Number.isNaN(value)) return MISSING;
    const known = this.#levels.get(text);
    if (known !== undefined) return known;
    return this.#levels.set(text, this.#levels.size).size - 1;
  }
}

/** A column with more distinct texts names its rows. A Map could not hold twice as many. */
export const MOST_LEVELS = 10_000_000;
const MISSING = -1;

export class TextBuilder implements ColumnBuilder {
  readonly #context: BuilderContext;
  readonly #column: number;
  readonly #mostLevels: number;
  readonly firstBad = undefined;
  #codes: Int32Array;
  /** The first row whose cell was not taken, and the cells of each level before it. */
  #first = 0;
  readonly #taken: number[] = [];
  readonly #levels: string[] = [];
  /** Every text so far but the empty one, including those that mean a missing value. Many columns have none. */
  #codeOf: Map<string, number> | undefined;
  #missing = 0;
  readonly #rule: MissingRule;

  constructor(context: BuilderContext, column: number, capacity: number, mostLevels = MOST_LEVELS) {
    this.#context = context;
    this.#column = column;
    this.#mostLevels = mostLevels;
    this.#codes = context.memory.integers(capacity);
    this.#rule = context.missing(column);
  }

  grow(capacity: number): void {
    this.#codes = grown(this.#codes, this.#context.memory.integers(capacity));
  }

  add(cell: string, row: number): void {
    const code = cell === '' ? MISSING : (this.#codeOf?.get(cell) ?? this.#addText(cell, row));
    this.#codes[row - this.#first] = code;
    if (code === MISSING) this.#missing++;
  }

  take(end: number): Int32Array {
    const cells = this.#codes.subarray(0, end - this.#first);
    for (const code of cells) if (code !== MISSING) this.#taken[code] = (this.#taken[code] ?? 0) + 1;
    this.#first = end;
    return cells;
  }

  isMisread(rows: number): boolean {
    const cells = this.#countLevels(rows);
    let numeric = 0;
    let others = 0;
    this.#levels.forEach((level, code) => {
      if (looksNumeric(level)) numeric += cells[code];
      else others += cells[code];
    });
    return numeric > others && !(this.#context.findsMixtures && this.isMixture(rows, cells));
  }

  /** Whether the column is mostly numbers, but not a column of numbers. `cells` are of each level. */
  isMixture(rows: number, cells = this.#countLevels(rows)): boolean {
    const plain = this.#context.plain(this.#column);
    const others = new Map<string, number>();
    let numbers = 0;
    this.#levels.forEach((level, code) => {
      if (Number.isFinite(parseDecimal(plain?.(level) ?? level.trim()))) numbers += cells[code];
      else if (cells[code] > 0) others.set(level, cells[code]);
    });
    return isMixture({ numbers, others });
  }

  /** The texts of missing cells, but for empty ones. */
  get gaps(): string[] {
    const texts = [...(this.#codeOf ?? [])].flatMap(([cell, code]) =>
      code === MISSING ? unmarked(cell).trim() : [],
    );
    return [...new Set(texts)].filter((text) => text !== '');
  }

  /** The cells of each level; none of those that are missing in a column of numbers. */
  #countLevels(rows: number): Float64Array {
    const cells = Float64Array.from(this.#levels, (_, code) => this.#taken[code] ?? 0);
    for (let i = 0; i < rows - this.#first; i++) if (this.#codes[i] !== MISSING) cells[this.#codes[i]]++;
    this.#levels.forEach((level, code) => {
      if (this.#rule.isMissingNumber(level)) cells[code] = 0;
    });
    return cells;
  }

  finish(rows: number, kept = rows): TextColumn {
    const levels = this.#levels;
    const codes = this.#codes;
    const missing = this.#missing;
    return { kind: 'text', levels, codes: codes.subarray(0, kept), missing };
  }

  /** The code of a new text. */
  #addText(cell: string, row: number): number {
    const text = unmarked(cell);
    const isMissing = this.#rule.isMissing(cell);
    const code = isMissing ? MISSING : (this.#levelOf(text) ?? this.#addLevel(text, row));
    this.#codeOf ??= new Map();
    this.#codeOf.set(cell, code);
    return code;
  }

  /** The code of a level that was seen before, quoted or not. */
  #levelOf(text: string): number | undefined {
    const quoted = this.#codeOf?.get(QUOTED + text);
    const plain = this.#codeOf?.get(text);
    return quoted ?? (plain === MISSING ? undefined : plain);
  }

  #addLevel(cell: string, row: number): number {
    if (this.#levels.length === this.#mostLevels) {
      throw new MlpError(
        ExitCode.data,
        `${this.#context.messages(this.#column).location(row)}: found more than ${this.#mostLevels} distinct texts, expected categories`,
        'if the column names its rows, list it in data.exclude',
      );
    }
    return this.#levels.push(cell) - 1;
  }
}

/** The error ExitCode.data for a cell that is not a number; `row` counts from 0. */
export function badNumber({ header, name, location }: ColumnContext, cell: string, row: number): MlpError {
  // 1e400 is a number, only too large; the word Infinity is not.
  const overflow = Math.abs(parseDecimal(cell)) === Number.POSITIVE_INFINITY;
  return new MlpError(
    ExitCode.data,
    `${location(row)}: found ${found(cell)}, expected a number${overflow ? ' that fits a float64' : ''}`,
    row === 0 && header !== undefined && !looksNumeric(cell)
      ? firstRowHint(header)
      : ((name === undefined ? undefined : notationHint(name, cell)) ?? numberHint(cell, WORD_HINT)),
  );
}

/** A word above numbers is more likely a name or a unit than a typing error. */
function firstRowHint(header: boolean): string {
  return header
    ? 'is this a second header row, such as units? set data.skipRows to 1; if the column holds text, name it in data.exclude'
    : 'if the first row is a header, set data.header to true, or give data.target as a name';
}

const WORD_HINT =
  'numbers are plain decimals such as -1.5e3; list a column of categories in data.categories, or exclude it with data.exclude';
