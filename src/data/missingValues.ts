/** Which cells are missing values: by default, as `data.missingValues` says, or as a model keeps it. */
import { isDeepStrictEqual } from 'node:util';
import { valueFor } from '../spec/words.js';
import { parseDecimal } from './cell.js';

/** Plain data, so that a model file keeps it. */
export interface MissingValues {
  /** The texts that mean a missing value. An empty cell always does. */
  readonly texts: readonly string[];
  /** Further ones in a column of numbers. */
  readonly inNumbers: readonly string[];
  /** The texts of columns that have a list of their own, by name. */
  readonly byColumn?: { readonly [column: string]: readonly string[] };
}

/** Those of pandas, and `?`. Case matters: Na is sodium. */
export const DEFAULT_MISSING: MissingValues = {
  texts: [
    ...['NA', 'N/A', 'n/a', 'NaN', 'nan', 'null', 'NULL', 'None', '<NA>', '#N/A', '#NA', '-NaN', '-nan', '?'],
    ...['#N/A N/A', '-1.#IND', '-1.#QNAN', '1.#IND', '1.#QNAN'],
  ],
  inNumbers: ['-', '.'],
};

/** Of models that do not say: these, quoted or not, in any case. */
export const OLD_MISSING: MissingValues = { texts: ['na', 'nan', 'null', '?'], inNumbers: [] };

/**
 * Before a quoted cell whose text would mean a missing value. A NUL is an error in a file, so no
 * other cell begins with it.
 */
export const QUOTED = '\0';

/** The cell without the mark. */
export function unmarked(cell: string): string {
  return cell.startsWith(QUOTED) ? cell.slice(QUOTED.length) : cell;
}

/** Decides for the cells of one column. Spaces around an unquoted cell do not count. */
export class MissingRule {
  static readonly standard = new MissingRule(DEFAULT_MISSING.texts, DEFAULT_MISSING.inNumbers);
  static readonly #old = new MissingRule(OLD_MISSING.texts, [], true);
  /** Of all columns without texts of their own. */
  static readonly #shared = new WeakMap<MissingValues, MissingRule>();

  readonly #texts: ReadonlySet<string>;
  readonly #inNumbers: ReadonlySet<string>;
  /** The texts that are numbers: −999 is −999.0 in a column of numbers. */
  readonly #numbers: ReadonlySet<number>;
  readonly #longest: number;
  readonly #anyCase: boolean;

  constructor(
    readonly texts: readonly string[],
    inNumbers: readonly string[],
    anyCase = false,
  ) {
    this.#texts = new Set(['', ...texts]);
    this.#inNumbers = new Set([...this.#texts, ...inNumbers]);
    this.#numbers = new Set(texts.map(parseDecimal).filter(Number.isFinite));
    this.#longest = [...this.#inNumbers].reduce((most, { length }) => Math.max(most, length), 0);
    this.#anyCase = anyCase;
  }

  /** The rule of a column by its name. */
  static of(values: MissingValues, column: string): MissingRule {
    const { texts, inNumbers, byColumn = {} } = values;
    const own = valueFor(byColumn, column);
    if (own) return new MissingRule(own, []);
    if (texts === DEFAULT_MISSING.texts) return MissingRule.standard;
    if (texts === OLD_MISSING.texts) return MissingRule.#old;
    let shared = MissingRule.#shared.get(values);
    if (!shared) {
      shared = new MissingRule(texts, inNumbers);
      MissingRule.#shared.set(values, shared);
    }
    return shared;
  }

  /** Whether the number itself means a missing value. */
  isNumberMissing(value: number): boolean {
    return this.#numbers.size > 0 && this.#numbers.has(value);
  }

  get hasNumbers(): boolean {
    return this.#numbers.size > 0;
  }

  /** In a column of text. A quoted cell is text. */
  isMissing(cell: string): boolean {
    return this.#has(this.#texts, cell);
  }

  /** In a column of numbers, where a quoted cell is as good as another. */
  isMissingNumber(cell: string): boolean {
    return this.#has(this.#inNumbers, unmarked(cell)) || this.isNumberMissing(parseDecimal(cell.trim()));
  }

  #has(texts: ReadonlySet<string>, cell: string): boolean {
    const trimmed = cell.trim();
    if (trimmed.length > this.#longest) return false;
    return texts.has(this.#anyCase ? trimmed.toLowerCase() : trimmed);
  }
}

/**
 * The texts of a column that are text in quotes, as in JSON or Parquet: those that only the default
 * takes for missing. A list of the user's own holds for any cell.
 */
export function quotedTexts(missingValues: MissingValues, column: string): ReadonlySet<string> {
  const isOwn = valueFor(missingValues.byColumn ?? {}, column) !== undefined;
  return hasDefaultTexts(missingValues) && !isOwn ? DEFAULT_TEXTS : NO_TEXTS;
}

function hasDefaultTexts({ texts }: MissingValues): boolean {
  return isDeepStrictEqual(texts, DEFAULT_MISSING.texts);
}

/** Whether they are the default, from wherever they were read. */
export function areDefault(missingValues: MissingValues): boolean {
  const { inNumbers, byColumn } = missingValues;
  return (
    hasDefaultTexts(missingValues) &&
    isDeepStrictEqual(inNumbers, DEFAULT_MISSING.inNumbers) &&
    Object.keys(byColumn ?? {}).length === 0
  );
}

// All columns share one set: a table may have 100,000 columns.
const DEFAULT_TEXTS: ReadonlySet<string> = new Set(DEFAULT_MISSING.texts);
const NO_TEXTS: ReadonlySet<string> = new Set();

/** All texts that mean a missing value in some column. */
export function allMissingTexts({ texts, byColumn = {} }: MissingValues): string[] {
  return [...new Set([...texts, ...Object.values(byColumn).flat()])];
}

/** `data.missingValues` of a config, with the default where it says nothing. */
export function missingValuesOf(
  setting:
    | readonly (string | number)[]
    | { readonly [column: string]: readonly (string | number)[] }
    | undefined,
): MissingValues {
  if (setting === undefined) return DEFAULT_MISSING;
  if (isList(setting)) return { texts: setting.map(String), inNumbers: [] };
  const byColumn = Object.entries(setting).map(([name, texts]) => [name, texts.map(String)]);
  return { ...DEFAULT_MISSING, byColumn: Object.fromEntries(byColumn) };
}

function isList(setting: unknown): setting is readonly (string | number)[] {
  return Array.isArray(setting);
}

/** By default, in a column of text. */
export function isMissing(cell: string): boolean {
  return MissingRule.standard.isMissing(cell);
}

/** By default, in a column of numbers. */
export function isMissingNumber(cell: string): boolean {
  return MissingRule.standard.isMissingNumber(cell);
}
