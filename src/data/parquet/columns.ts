/** Builds the columns of a table from pages, without a string for each number. */
import { ExitCode, MlpError } from '../../errors.js';
import { isPlainInteger, parseDecimal } from '../cell.js';
import { badNumber, MOST_LEVELS } from '../csv/columnBuilders.js';
import type { MissingRule } from '../missingValues.js';
import {
  type Column,
  type ColumnKind,
  MOST_SPELLINGS,
  type NumericColumn,
  type TextColumn,
} from '../table.js';
import type { CellType } from './cellTypes.js';
import { type Codes, lookUp } from './codes.js';
import type { Page, Values } from './pages.js';

export interface ColumnBuilder {
  /** Begins a column of the rows that the context says. Levels keep their codes. */
  begin(): void;
  /** Adds the next rows, for which there is room. */
  add(page: Page): void;
  finish(): Column;
  /** Frees what is known of the last dictionary. */
  forget(): void;
}

/**
 * The cells of a column that should be numbers and are none. A small file may have millions, so none
 * is an object. Threads hand it over: it is plain data.
 */
export interface BadCells {
  /** The different ones, each with its code from 1. */
  readonly texts: Map<string, number>;
  /** [rows] The code of each cell, 0 if it is sound. Empty if all are. */
  codes: Int32Array;
}

export function noBadCells(): BadCells {
  return { texts: new Map(), codes: new Int32Array() };
}

export interface BuilderContext {
  readonly type: CellType;
  readonly name: string;
  rows: number;
  readonly rule: MissingRule;
  /** Texts that mean a missing value in a CSV only. */
  readonly quoted: ReadonlySet<string>;
  /** `data.parquet:7: column "petal"` */
  readonly location: (row: number) => string;
  /** Takes cells that are no numbers; they count as missing. Otherwise the first is an error. */
  bad?: BadCells | undefined;
}

function takeBad(context: BuilderContext, text: string, row: number): void {
  const { bad, rows } = context;
  if (!bad) throw badNumber(context, text, row);
  addBadCell(bad, text, row, rows);
}

/** @param rows of the column */
export function addBadCell(bad: BadCells, text: string, row: number, rows: number): void {
  if (bad.texts.size === 0) bad.codes = new Int32Array(rows);
  const code = bad.texts.get(text) ?? bad.texts.size + 1;
  bad.texts.set(text, code);
  bad.codes[row] = code;
}

/** The builder of a column of that kind, `auto` being what the type says. */
export function columnBuilder(kind: ColumnKind, isCategory: boolean, context: BuilderContext): ColumnBuilder {
  const { numbers, isSpelled } = context.type;
  if (kind === 'text' || (kind !== 'numeric' && (isCategory || numbers === undefined)))
    return new TextBuilder(context);
  if (numbers === undefined) return new ParsingBuilder(context);
  const builder = new NumericBuilder(numbers, context, kind === 'numeric');
  return kind === 'label' && isSpelled ? new SpelledBuilder(builder, context) : builder;
}

class NumericBuilder implements ColumnBuilder {
  readonly #convert: (values: Values) => Float64Array;
  readonly #context: BuilderContext;
  readonly #isWanted: boolean;
  #values = new Float64Array();
  /** Of the last dictionary. */
  #dictionary: { readonly of: Values; readonly numbers: Float64Array; readonly isSound: boolean } | undefined;
  #row = 0;
  #missing = 0;

  /** @param isWanted whether a column without any number is numeric, too */
  constructor(convert: (values: Values) => Float64Array, context: BuilderContext, isWanted: boolean) {
    this.#convert = convert;
    this.#context = context;
    this.#isWanted = isWanted;
    this.begin();
  }

  begin(): void {
    this.#values = new Float64Array(this.#context.rows);
    this.#row = 0;
    this.#missing = 0;
  }

  forget(): void {
    this.#dictionary = undefined;
  }

  add({ values, codes, present, rows }: Page): void {
    const out = this.#values.subarray(this.#row, this.#row + rows);
    const dictionary = codes && this.#numbersOf(values);
    if (dictionary) lookUp(codes, dictionary.numbers, out);
    else out.set(this.#convert(values));
    if (present) spread(out, present, codes?.count ?? values.length, Number.NaN);
    if (present || !dictionary?.isSound) this.#check(out);
    this.#row += rows;
  }

  finish(): NumericColumn | TextColumn {
    const { rows } = this.#context;
    if (this.#missing === rows && !this.#isWanted)
      return { kind: 'text', levels: [], codes: new Int32Array(rows).fill(-1), missing: rows };
    return { kind: 'numeric', values: this.#values, missing: this.#missing };
  }

  /** The numbers of a dictionary, and whether none is infinite or means a missing value. */
  #numbersOf(values: Values) {
    if (this.#dictionary?.of !== values) {
      const numbers = this.#convert(values);
      const { rule } = this.#context;
      const isSound = numbers.every((value) => Number.isFinite(value) && !rule.isNumberMissing(value));
      this.#dictionary = { of: values, numbers, isSound };
    }
    return this.#dictionary;
  }

  /** Counts missing values; infinite ones are bad. */
  #check(values: Float64Array): void {
    const { rule } = this.#context;
    const { hasNumbers } = rule;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (hasNumbers && rule.isNumberMissing(value)) values[i] = Number.NaN;
      // The difference is NaN for NaN and infinities.
      if (values[i] - values[i] === 0) continue;
      if (!Number.isNaN(values[i])) {
        takeBad(this.#context, String(value), this.#row + i);
        values[i] = Number.NaN;
      }
      this.#missing++;
    }
  }
}

/** Moves the values at the start of `out` to the rows that have one. */
function spread(out: Float64Array | Int32Array, present: Uint8Array, count: number, missing: number): void {
  let next = count;
  for (let i = out.length - 1; i >= 0; i--) out[i] = present[i] === 0 ? missing : out[--next];
}

const MISSING = -1;
/** Dictionary entry n has the code `UNSEEN - n` until its text occurs: levels are in order of occurrence. */
const UNSEEN = -2;

/** The entries of a dictionary. */
interface CodedTexts {
  readonly of: Values;
  readonly texts: readonly string[];
  readonly codes: Int32Array;
  unseen: number;
  readonly hasMissing: boolean;
}

class TextBuilder implements ColumnBuilder {
  readonly #context: BuilderContext;
  #codes = new Int32Array();
  readonly levels: string[] = [];
  readonly #codeOf = new Map<string, number>();
  /** The last one. */
  #dictionary: CodedTexts | undefined;
  #row = 0;
  #missing = 0;

  constructor(context: BuilderContext) {
    this.#context = context;
    this.begin();
  }

  begin(): void {
    this.#codes = new Int32Array(this.#context.rows);
    this.#row = 0;
    this.#missing = 0;
  }

  forget(): void {
    this.#dictionary = undefined;
  }

  add({ values, codes, present, rows }: Page): void {
    const out = this.#codes.subarray(this.#row, this.#row + rows);
    if (codes) this.#addCodes(out, this.#textsOf(values), codes, present);
    else this.#addTexts(out, this.#context.type.texts(values), present);
    this.#row += rows;
  }

  #addCodes(out: Int32Array, dictionary: CodedTexts, codes: Codes, present: Uint8Array | undefined): void {
    lookUp(codes, dictionary.codes, out);
    if (present) spread(out, present, codes.count, MISSING);
    if (dictionary.unseen > 0) {
      for (let i = 0; i < out.length; i++) {
        if (out[i] <= UNSEEN) out[i] = this.#see(dictionary, UNSEEN - out[i], this.#row + i);
      }
    }
    if (dictionary.hasMissing) for (const code of out) this.#missing += Number(code === MISSING);
    else this.#missing += out.length - codes.count;
  }

  /** The code of an entry that was unseen when its page was read. */
  #see(dictionary: CodedTexts, entry: number, row: number): number {
    const { texts, codes } = dictionary;
    if (codes[entry] <= UNSEEN) {
      codes[entry] = this.#code(texts[entry], row);
      dictionary.unseen--;
    }
    return codes[entry];
  }

  #addTexts(out: Int32Array, texts: readonly string[], present: Uint8Array | undefined): void {
    let next = 0;
    for (let i = 0; i < out.length; i++) {
      const code = present?.[i] === 0 ? MISSING : this.#code(texts[next++], this.#row + i);
      if (code === MISSING) this.#missing++;
      out[i] = code;
    }
  }

  finish(): TextColumn {
    return { kind: 'text', levels: this.levels, codes: this.#codes, missing: this.#missing };
  }

  /** Each text of a dictionary is looked up once. */
  #textsOf(values: Values): CodedTexts {
    if (this.#dictionary?.of === values) return this.#dictionary;
    const texts = this.#context.type.texts(values);
    const codes = Int32Array.from(texts, (text, entry) => this.#codeOf.get(text) ?? UNSEEN - entry);
    const unseen = codes.reduce((count, code) => count + Number(code <= UNSEEN), 0);
    this.#dictionary = {
      of: values,
      texts,
      codes,
      unseen,
      hasMissing: texts.some((text) => this.#isMissing(text)),
    };
    return this.#dictionary;
  }

  #isMissing(text: string): boolean {
    const { rule, quoted } = this.#context;
    return rule.isMissing(text) && !quoted.has(text);
  }

  #code(text: string, row: number): number {
    const known = this.#codeOf.get(text);
    if (known !== undefined) return known;
    const isMissing = this.#isMissing(text);
    if (!isMissing && this.levels.length === MOST_LEVELS) {
      throw new MlpError(
        ExitCode.data,
        `${this.#context.location(row)}: found more than ${MOST_LEVELS} distinct texts, expected categories`,
        'if the column names its rows, list it in data.exclude',
      );
    }
    const code = isMissing ? MISSING : this.levels.push(text) - 1;
    this.#codeOf.set(text, code);
    return code;
  }
}

/** Numbers that are stored as text. */
class ParsingBuilder implements ColumnBuilder {
  readonly #context: BuilderContext;
  readonly #texts: TextBuilder;
  /** Of each level so far; NaN if it is missing, infinite if it is no number. */
  readonly #numbers: number[] = [];

  constructor(context: BuilderContext) {
    this.#context = context;
    this.#texts = new TextBuilder(context);
  }

  begin(): void {
    this.#texts.begin();
  }

  forget(): void {
    this.#texts.forget();
  }

  add(page: Page): void {
    this.#texts.add(page);
  }

  finish(): NumericColumn {
    const { rule } = this.#context;
    const { levels, codes } = this.#texts.finish();
    const numbers = this.#numbers;
    for (const level of levels.slice(numbers.length)) {
      const number = parseDecimal(level.trim());
      const bad = Number.isFinite(number) ? number : Number.POSITIVE_INFINITY;
      numbers.push(rule.isMissingNumber(level) ? Number.NaN : bad);
    }
    const values = new Float64Array(codes.length);
    let missing = 0;
    for (let row = 0; row < codes.length; row++) {
      const value = numbers[codes[row]] ?? Number.NaN;
      const isBad = value === Number.POSITIVE_INFINITY;
      if (isBad) takeBad(this.#context, levels[codes[row]], row);
      values[row] = isBad ? Number.NaN : value;
      if (Number.isNaN(values[row])) missing++;
    }
    return { kind: 'numeric', values, missing };
  }
}

/** Numbers that keep their spelling, for they may be names of classes. */
class SpelledBuilder implements ColumnBuilder {
  readonly #numbers: NumericBuilder;
  #texts: TextBuilder | undefined;

  constructor(numbers: NumericBuilder, context: BuilderContext) {
    this.#numbers = numbers;
    this.#texts = new TextBuilder(context);
  }

  begin(): void {
    this.#numbers.begin();
    this.#texts?.begin();
  }

  forget(): void {
    this.#numbers.forget();
    this.#texts?.forget();
  }

  add(page: Page): void {
    this.#numbers.add(page);
    this.#texts?.add(page);
    if (this.#texts && this.#texts.levels.length > MOST_SPELLINGS) this.#texts = undefined;
  }

  finish(): Column {
    const column = this.#numbers.finish();
    if (column.kind === 'text') return column;
    const written = this.#texts?.finish() ?? 'many';
    const isPlain =
      written !== 'many' && written.levels.every((level) => isPlainInteger(level, Number(level)));
    return isPlain ? column : { ...column, written };
  }
}
