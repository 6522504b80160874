/**
 * Columns of numbers and other text, such as the tickets `113803` and `PC 17609`. A few odd cells in a
 * column of numbers are errors; a mixture is text, or numbers with a word for a missing value.
 * Only `mlp inspect` and `mlp init` look for mixtures, and the config says what they found.
 */
import type { NumberNotation } from '../spec/cellConfig.js';
import { counted, quote } from '../text.js';
import { looksNumeric, parseDecimal } from './cell.js';
import { type Notations, plainNumber, suggestNotation } from './csv/notation.js';
import { fewPerLevel } from './levels.js';
import { MissingRule } from './missingValues.js';
import {
  type Column,
  countMissing,
  gather,
  type MixedColumn,
  type NumericColumn,
  type Table,
  textColumn,
} from './table.js';

/** The cells of a column that are not missing. */
interface Tally {
  /** How many are plain decimals. */
  readonly numbers: number;
  /** How often each other text occurs. */
  readonly others: ReadonlyMap<string, number>;
}

/** Of all cells: from this share on, words are no errors; */
const MANY = 0.1;
/** from this one, if so many are different; */
const SEVERAL = 0.05;
const KINDS = 10;
/** from this one, if each occurs twice on average: typing errors hardly repeat. */
const REPEATED = 0.01;
/** Fewer words prove nothing, unless they repeat. */
const LEAST_WORDS = 3;

/** Whether a column that is mostly numbers has so many words, or such ones, that they belong there. */
export function isMixture({ numbers, others }: Tally): boolean {
  const all = numbers + sum(others.values());
  const kinds = wordsOf(others.keys());
  const words = sum(kinds.map((word) => others.get(word) ?? 0));
  if (2 * numbers <= all || words === 0) return false;
  return (
    (words >= LEAST_WORDS && words > MANY * all) ||
    (kinds.length >= KINDS && words >= SEVERAL * all) ||
    (words >= 2 * kinds.length && words >= REPEATED * all)
  );
}

/** The texts that are no numbers, in no notation that a key could name. */
function wordsOf(texts: Iterable<string>): string[] {
  const all = [...texts];
  const notated = all.filter(looksNumeric);
  return suggestNotation(notated) === undefined ? all : all.filter((text) => !looksNumeric(text));
}

/** How a mixture is read. */
export interface Mixture {
  readonly numbers: number;
  /** The cells that are no numbers, and one of them. */
  readonly words: number;
  readonly example: string;
  /** The texts that mean a missing value in a column of numbers; absent if the column is text. */
  readonly missingValues?: readonly string[];
}

/** `661 numbers and 230 other cells, such as "PC 17609"` */
export function mixtureText({ numbers, words, example }: Mixture): string {
  return `${counted(numbers, 'number')} and ${counted(words, 'other cell')}, such as ${quote(example)}`;
}

/** More different words are no words for a missing value. */
const MOST_MARKERS = 3;
/** Fewer different numbers are levels. */
const LEAST_NUMBERS = 3;

/**
 * The table with its mixtures as they are to be read, and these by column number.
 *
 * A word without a digit, such as `n.b.`, says that there is no number, so it becomes a missing value.
 * Several words are levels like the numbers, and so is one in a target, unless the numbers are too many
 * to be levels.
 */
export function settleMixtures(
  table: Table,
  target: number | undefined,
  notations: Notations = new Map(),
): { table: Table; mixtures: ReadonlyMap<number, Mixture> } {
  const mixtures = new Map<number, Mixture>();
  const columns = [...table.columns];
  for (const mixed of [...(table.mixed ?? []), ...storedAsText(table, target)]) {
    const { index } = mixed;
    const { column, mixture } = settle(table, mixed, index === target, notations.get(index));
    columns[index] = column;
    mixtures.set(index, mixture);
  }
  return { table: mixtures.size === 0 ? table : { ...table, columns }, mixtures };
}

/** A target whose numbers are stored as text, beside other text: it is neither numbers nor classes. */
function storedAsText({ columns, mixed = [] }: Table, target: number | undefined): MixedColumn[] {
  const column = target === undefined ? undefined : columns[target];
  if (target === undefined || column?.kind !== 'text' || mixed.some(({ index }) => index === target))
    return [];
  const isNumber = column.levels.map((level) => looksNumeric(level));
  const numbers = column.codes.filter((code) => isNumber[code]).length;
  const isMixed = isNumber.includes(false) && 2 * numbers > column.codes.length - column.missing;
  return isMixed ? [{ index: target, gaps: [] }] : [];
}

function settle(
  table: Table,
  { index, gaps }: MixedColumn,
  isTarget: boolean,
  notation: NumberNotation | undefined,
): { column: Column; mixture: Mixture } {
  const column = textColumn(table, index);
  const { levels, codes } = column;
  const rule = MissingRule.standard;
  const plain = notation && plainNumber(notation);
  const numbers = levels.map((level) => parseDecimal(plain?.(level) ?? level.trim()));
  const isGap = levels.map((level) => rule.isMissingNumber(level));
  const markers = levels.filter((_, code) => !isGap[code] && !Number.isFinite(numbers[code]));
  const cells = new Float64Array(levels.length);
  for (const code of codes) if (code >= 0) cells[code]++;
  const count = (counts: (code: number) => boolean) => sum(cells.filter((_, code) => counts(code)));
  const mixture = {
    numbers: count((code) => Number.isFinite(numbers[code])),
    words: count((code) => !isGap[code] && !Number.isFinite(numbers[code])),
    example: markers[0],
  };
  const different = new Set(numbers.filter(Number.isFinite)).size;
  const isOne = markers.length === 1 && different >= LEAST_NUMBERS && !isTarget;
  const areMarkers =
    markers.length <= MOST_MARKERS &&
    markers.every((text) => !/\d/.test(text)) &&
    (isOne || fewPerLevel(levels.length, codes.length - column.missing));
  if (!areMarkers) return { column, mixture };
  const missingValues = [...markers, ...levels.filter((_, code) => isGap[code]), ...gaps];
  return { column: withoutWords(codes, numbers), mixture: { ...mixture, missingValues } };
}

function withoutWords(codes: Int32Array, numbers: readonly number[]): NumericColumn {
  const values = gather(
    numbers.map((value) => (Number.isFinite(value) ? value : Number.NaN)),
    codes,
  );
  return { kind: 'numeric', values, missing: countMissing(values) };
}

function sum(counts: Iterable<number>): number {
  let all = 0;
  for (const count of counts) all += count;
  return all;
}
