/**
 * The distinct values of a column of categories or classes, in an order that does not depend on the
 * rows. Levels are text: different spellings are different levels.
 */
import { listed, quote } from '../text.js';
import { parseBoolean } from './booleans.js';
import { parseDecimal } from './cell.js';

export class Levels {
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #key: (cell: string) => string;

  private constructor(
    readonly names: readonly string[],
    key: (cell: string) => string,
  ) {
    this.#key = key;
    this.#indexOf = new Map(names.map((name, index) => [name, index]));
  }

  /**
   * The levels among distinct cells, none of them missing. If all are numbers, they are in numeric
   * order, and spellings of one number in the order of text. Text is ordered by code units.
   */
  static of(cells: readonly string[]): Levels {
    return new Levels(inOrder(cells), (cell) => cell);
  }

  /** Levels in their given order, all different: of two classes, the second is the positive one. */
  static given(names: readonly string[]): Levels {
    return new Levels(names, (cell) => cell);
  }

  /** Two different levels, the second for yes. If they say no and yes, any usual spelling is one of them. */
  static yesNo(names: readonly string[]): Levels {
    if (parseBoolean(names[0]) !== false || parseBoolean(names[1]) !== true) return Levels.given(names);
    return new Levels(names, (cell) => {
      const isYes = parseBoolean(cell);
      return isYes === undefined ? cell : names[isYes ? 1 : 0];
    });
  }

  /**
   * The levels of a model file that compared numbers by value, as all did before they had
   * `missingValues`: 1, 1.0 and 01 are one level there.
   */
  static byValue(names: readonly string[]): Levels {
    const isNumeric = names.every((name) => Number.isFinite(parseDecimal(name)));
    return new Levels(names, isNumeric ? (cell) => String(parseDecimal(cell)) : (cell) => cell);
  }

  /** The index of the cell's level in `names`; undefined if it is none of them. */
  index(cell: string): number | undefined {
    return this.#indexOf.get(this.#key(cell));
  }
}

function inOrder(cells: readonly string[]): string[] {
  const numbers = new Map(cells.map((cell) => [cell, parseDecimal(cell)]));
  const text = [...cells].sort(byCodeUnit);
  if (![...numbers.values()].every(Number.isFinite)) return text;
  return text.sort((a, b) => (numbers.get(a) ?? 0) - (numbers.get(b) ?? 0));
}

/** The different numbers in ascending order; −0 is 0. */
export function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** With fewer levels, few repetitions prove nothing. */
const LEAST_LEVELS = 20;

/** Whether levels identify rows, not kinds: each occurs less than twice on average. */
export function hardlyRepeat(levels: number, cells: number): boolean {
  return levels >= LEAST_LEVELS && 2 * levels > cells;
}

/** Levels that are more need `ROWS_PER_LEVEL` cells each to tell anything. */
const FEW_LEVELS = 10;
export const ROWS_PER_LEVEL = 5;

/** Whether so many levels have too few cells each to be learned from. */
export function fewPerLevel(levels: number, cells: number): boolean {
  return levels > FEW_LEVELS && cells < ROWS_PER_LEVEL * levels;
}

/** Levels that differ only in spelling, and how. */
export interface Lookalikes {
  readonly levels: readonly string[];
  readonly differIn: 'spaces' | 'case' | 'the spelling of a number' | 'spelling';
}

/** A sentence for each group of levels that look equal; beyond this many groups, one for the rest. */
const MOST_GROUPS = 10;
const MOST_NAMED = 10;

/** Sentences for the user; `numbers` are those of a quantity. */
export function lookalikeSentences(
  label: string,
  what: 'classes' | 'levels' | 'numbers',
  levels: readonly string[],
): string[] {
  const groups = lookalikes(levels);
  const sentences = groups.slice(0, MOST_GROUPS).map((group) => {
    const names = listed(group.levels.map(quote), MOST_NAMED);
    const effect =
      what === 'numbers'
        ? 'as a quantity they are equal, as classes (data.task) they are not'
        : 'they stay different, so spell them alike if they mean the same';
    return `${label}: the ${what} ${names} differ only in ${group.differIn}: ${effect}`;
  });
  if (groups.length <= MOST_GROUPS) return sentences;
  return [
    ...sentences,
    `${label}: ${groups.length - MOST_GROUPS} more groups of ${what} differ only in spelling`,
  ];
}

const SPACES = /[\s\u200b\ufeff]+/gu;

/** The groups of levels that a reader takes for one: equal as numbers, or but for case and spaces. */
export function lookalikes(levels: readonly string[]): Lookalikes[] {
  const groups = new Map<string, string[]>();
  for (const level of levels) {
    const key = numberKey(withoutSpaces(level)) ?? caseless(withoutSpaces(level));
    const group = groups.get(key);
    if (group) group.push(level);
    else groups.set(key, [level]);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({ levels: group, differIn: difference(group) }));
}

function difference(levels: readonly string[]): Lookalikes['differIn'] {
  const areEqual = (key: (level: string) => string | undefined) =>
    levels.every((level) => key(level) !== undefined && key(level) === key(levels[0]));
  if (areEqual(withoutSpaces)) return 'spaces';
  if (areEqual(numberKey)) return 'the spelling of a number';
  return areEqual((level) => level.toUpperCase().toLowerCase()) ? 'case' : 'spelling';
}

function withoutSpaces(text: string): string {
  return text.replace(SPACES, '');
}

/** Also joins characters that look the same in two encodings, such as é. */
function caseless(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase();
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/** The exact number as text, of any length; undefined for any other text. */
function numberKey(text: string): string | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || whole + fraction === '') return undefined;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = digits.replace(/(?<!0)0+$/, '');
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === '-' ? '-' : ''}${significant}e${power}`;
}
