/**
 * Numbers in other notations: decimal commas, separators of thousands, signs and units around them.
 * A column with a notation is read as if its numbers were written as plain decimals.
 */
import { ExitCode, MlpError } from '../../errors.js';
import type { NumberNotation } from '../../spec/cellConfig.js';
import type { ColumnRef } from '../../spec/dataConfig.js';
import { isPattern, matches, valueFor } from '../../spec/words.js';
import { quote } from '../../text.js';
import { looksNumeric, parseDecimal } from '../cell.js';
import { DEFAULT_MISSING, MissingRule, type MissingValues } from '../missingValues.js';
import { columnLabel } from '../table.js';

/** How numbers are written, as far as it is known. */
export interface NumberRequest {
  /** For all columns of numbers; detected if left out. */
  readonly decimal?: NumberNotation['decimal'] | 'auto';
  readonly thousands?: string;
  /** By column name, on top of these. */
  readonly numbers?: Readonly<Record<string, NumberNotation>>;
  /** Columns of text, whatever it looks like. */
  readonly categories?: readonly ColumnRef[];
  /** Notations of the training file, for the columns of a later file whose own don't contradict. */
  readonly known?: Readonly<Record<string, NumberNotation>>;
  /** Which cells say nothing about a notation; the default if left out. */
  readonly missingValues?: MissingValues;
  /**
   * Whether columns get the notation that their first cells suggest, and mixtures are text, as
   * `mlp init` writes it.
   */
  readonly suggest?: boolean;
}

/** By the numbers of the columns, from 0. */
export type Notations = ReadonlyMap<number, NumberNotation>;

/** The part of a dialect that notations are told by. */
interface Start {
  readonly delimiter: string;
  readonly header: boolean;
  readonly names: readonly string[];
  readonly sample: readonly (readonly string[])[];
}

/** Adds the notations of the columns to a dialect, rewrites its sample, and says what was detected. */
export function withNotations<Dialect extends Start>(
  path: string,
  dialect: Dialect,
  request: NumberRequest,
): { dialect: Dialect & { readonly notations?: Notations }; notes: string[] } {
  const { notations, notes } = notationsOf(path, dialect, request);
  if (notations.size === 0) return { dialect, notes };
  const plain = plainNumbers(notations);
  const sample = dialect.sample.map((cells) =>
    cells.map((cell, column) => plain.get(column)?.(cell) ?? cell),
  );
  return { dialect: { ...dialect, sample, notations }, notes };
}

/** For each column with a notation, the function from a cell to the plain decimal that it means. */
export function plainNumbers(notations: Notations): Map<number, (cell: string) => string | undefined> {
  return new Map([...notations].map(([column, notation]) => [column, plainNumber(notation)]));
}

function notationsOf(
  path: string,
  { names, sample, header, delimiter }: Start,
  request: NumberRequest,
): { notations: Notations; notes: string[] } {
  const { decimal = 'auto', thousands, numbers = {}, categories = [], known = {}, suggest } = request;
  const { missingValues = DEFAULT_MISSING } = request;
  const notations = new Map<number, NumberNotation>();
  const texts = new Set(categories);
  const patterns = categories.filter((column) => typeof column === 'string' && isPattern(column)) as string[];
  const isNamed = (name: string) => texts.has(name) || patterns.some((pattern) => matches(pattern, name));
  const isText = (index: number) => texts.has(index) || (header && isNamed(names[index]));
  const cellsOf = (index: number) => {
    const rule = MissingRule.of(missingValues, names[index]);
    return sample.map((cells) => cells[index] ?? '').filter((cell) => !rule.isMissingNumber(cell));
  };
  const everywhere: NumberNotation = {
    ...(decimal !== 'auto' && decimal !== '.' && { decimal }),
    ...(thousands !== undefined && { thousands }),
  };
  const columns = names.map((_, index) => index).filter((index) => !isText(index));
  for (const index of columns) {
    const own = valueFor(numbers, names[index]);
    if (own !== undefined) notations.set(index, { ...everywhere, ...own });
    else if (Object.keys(everywhere).length > 0 && mostlyFit(cellsOf(index), everywhere))
      notations.set(index, everywhere);
  }

  const open = columns.filter((index) => !notations.has(index));
  const notes: string[] = [];
  if (decimal === 'auto' && delimiter !== ',' && thousands === undefined) {
    const { found, example } = decimalCommas(open.map((index) => [index, cellsOf(index)]));
    for (const [index, notation] of found) notations.set(index, notation);
    if (example !== undefined) {
      const [cell, notation] = example;
      notes.push(
        `${path}: numbers have a decimal comma: ${quote(cell)} is read as ${plainNumber(notation)(cell)} (data.decimal decides)`,
      );
    }
  }
  for (const index of open) {
    if (notations.has(index)) continue;
    const trained = valueFor(known, names[index]);
    if (trained === undefined && !suggest) continue;
    const cells = cellsOf(index);
    if (
      trained !== undefined &&
      !(isCommaOnly(trained) && cells.every(isPlain) && cells.some((cell) => cell.includes('.')))
    ) {
      notations.set(index, trained);
    } else if (suggest) {
      // Words among them are no numbers in any notation.
      const numeric = cells.filter(looksNumeric);
      const suggested = suggestNotation(2 * numeric.length > cells.length ? numeric : cells);
      if (suggested === undefined) continue;
      notations.set(index, suggested);
      const example = numeric.find((cell) => !isPlain(cell)) ?? cells[0];
      notes.push(
        `${path}: ${columnLabel(header, names[index])}: ${quote(example)} is read as ` +
          `${plainNumber(suggested)(example)} by ${numbersKey(names[index], suggested)}`,
      );
    }
  }
  return { notations, notes };
}

/** Whether a decimal comma is all that the notation says. */
export function isCommaOnly(notation: NumberNotation): boolean {
  return Object.keys(notation).every((key) => key === 'decimal');
}

/** Whether the cell is a plain decimal. */
export function isPlain(cell: string): boolean {
  return Number.isFinite(parseDecimal(cell));
}

/** Whether at least half of the cells are numbers in this notation. */
function mostlyFit(cells: readonly string[], notation: NumberNotation): boolean {
  const plain = plainNumber(notation);
  return cells.length > 0 && 2 * cells.filter((cell) => plain(cell) !== undefined).length >= cells.length;
}

const COMMA: NumberNotation = { decimal: ',' };
const COMMA_AND_POINTS: NumberNotation = { decimal: ',', thousands: '.' };
/** The share of the cells of a column that have to be numbers in a notation. */
const LEAST_FITTING = 0.9;
/** Three digits after a separator may be thousands. */
const MAYBE_THOUSANDS = /^[+-]?[1-9]\d{0,2}(?:[.,]\d{3})+$/;

/**
 * The columns whose numbers all have decimal commas or none, if one cell proves it: its comma can't
 * separate thousands.
 */
function decimalCommas(columns: readonly (readonly [number, readonly string[]])[]): {
  found: Map<number, NumberNotation>;
  example?: readonly [cell: string, notation: NumberNotation];
} {
  const plain = plainNumber(COMMA);
  const grouped = plainNumber(COMMA_AND_POINTS);
  // A few odd cells are errors of their own.
  const fits = (cells: readonly string[], read: (cell: string) => string | undefined) =>
    cells.filter((cell) => read(cell) !== undefined).length >= LEAST_FITTING * cells.length;
  const fitting = columns.flatMap(([index, cells]) => {
    if (!cells.some((cell) => cell.includes(','))) return [];
    if (fits(cells, plain)) return [{ index, cells, notation: COMMA }];
    return fits(cells, grouped) ? [{ index, cells, notation: COMMA_AND_POINTS }] : [];
  });
  for (const { cells, notation } of fitting) {
    const proof = cells.find(
      (cell) => /,\d/.test(cell) && !MAYBE_THOUSANDS.test(cell) && plainNumber(notation)(cell) !== undefined,
    );
    if (proof === undefined) continue;
    const found = new Map(fitting.map((column) => [column.index, column.notation]));
    if (fitting.some((column) => column.notation === COMMA_AND_POINTS)) {
      // Then 1.234 in another column is a thousand, too.
      for (const [index, cells] of columns) {
        if (
          !found.has(index) &&
          cells.some((cell) => MAYBE_THOUSANDS.test(cell)) &&
          cells.every((cell) => grouped(cell) !== undefined)
        ) {
          found.set(index, COMMA_AND_POINTS);
        }
      }
    }
    return { found, example: [proof, notation] };
  }
  return { found: new Map() };
}

const MINUS = /^[−–-]/;
const REGEXP_CHARACTERS = /[.*+?^${}()|[\]\\]/g;

/**
 * Returns a function from a cell to the plain decimal that it means; undefined for a cell that is no
 * number in this notation.
 */
export function plainNumber(notation: NumberNotation): (cell: string) => string | undefined {
  const { decimal = '.', thousands, parentheses, exponent } = notation;
  const strip = stripped(notation);
  const mark = thousands === undefined ? undefined : spacesAlike(thousands);
  // The last group has three digits, others may have two, as in 12,34,567.
  const whole = mark === undefined ? '\\d+' : `\\d{1,3}(?:${mark}\\d{2,3})*${mark}\\d{3}|\\d+`;
  const letters = exponent === undefined ? 'e' : `e${exponent}`;
  const number = new RegExp(
    `^(?:(${whole})(?:\\${decimal}(\\d*))?|\\${decimal}(\\d+))(?:[${letters}]([+-]?\\d+))?$`,
    'i',
  );
  const marks = mark && new RegExp(mark, 'g');
  return (cell) => {
    let text = cell.trim();
    let sign = '';
    if (parentheses && text.startsWith('(') && text.endsWith(')')) {
      sign = '-';
      text = text.slice(1, -1).trim();
    }
    for (let before = ''; before !== text; ) {
      before = text;
      if (sign === '' && /^[+−–-]/.test(text)) {
        sign = MINUS.test(text) ? '-' : '+';
        text = text.slice(1).trimStart();
      }
      for (const unit of strip) {
        if (text.startsWith(unit)) text = text.slice(unit.length).trimStart();
        if (text.endsWith(unit)) text = text.slice(0, text.length - unit.length).trimEnd();
      }
    }
    const match = number.exec(text);
    if (match === null) return undefined;
    const [, digits = '0', places, onlyPlaces, power] = match;
    const fraction = places || onlyPlaces;
    return (
      (sign === '+' ? '' : sign) +
      (marks ? digits.replace(marks, '') : digits) +
      (fraction ? `.${fraction}` : '') +
      (power ? `e${power}` : '')
    );
  };
}

function stripped({ strip = [] }: NumberNotation): readonly string[] {
  return (Array.isArray(strip) ? strip : [strip]).map((text: string) => text.trim());
}

/** The pattern of a separator; a space is any kind of space, an apostrophe may be curved. */
function spacesAlike(thousands: string): string {
  if (thousands.trim() === '') return '[ \\u00a0\\u202f\\u2009]';
  if (thousands === "'" || thousands === '’') return "['’]";
  return thousands.replace(REGEXP_CHARACTERS, '\\$&');
}

const CURRENCY = '[$€£¥₹]|US\\$|USD|EUR|GBP|CHF|JPY|INR|Rs\\.?';
/**
 * Before a number: a currency or a comparison; behind it: a unit, with a space unless it is well known. Spaces are
 * single: with many in a row, there would be too many ways to divide them among the parts.
 */
const AROUND = new RegExp(
  `^\\(?\\s?([<>≤≥~≈]=?)?\\s?[+−–-]?\\s?(${CURRENCY})?\\s?[+−–-]?\\s?([\\d.,'’\\s\\u00a0\\u202f]*\\d[.,]?(?:[eEdD][+-]?\\d+)?)\\s?` +
    `(%|‰|${CURRENCY}|°[CF]?|(?:[kmcµn]?[gml]|lbs?|oz|km/h|mph|kmpl|cc|CC|bhp|hp|[kMGT]B|[kMG]?Hz|kWh?)\\b)?` +
    `(\\s[a-zA-Zµ°²³/]{1,8})?\\s?\\)?$`,
);

/** More different signs or units in a column are words. */
const MOST_STRIPPED = 3;

/**
 * The notation in which all cells are numbers; undefined if they are plain decimals, or no numbers
 * in one notation.
 */
export function suggestNotation(cells: readonly string[]): NumberNotation | undefined {
  if (cells.length === 0 || cells.every(isPlain)) return undefined;
  const signs = new Set<string>();
  const units = new Set<string>();
  for (const cell of cells) {
    const match = AROUND.exec(cell.trim().replace(/\s+/g, ' '));
    if (match === null) return undefined;
    const [, comparison, currency, , sign, unit] = match;
    for (const text of [comparison, currency, sign, unit?.trim()]) if (text) signs.add(text);
    if (unit) units.add(unit.trim());
  }
  if (signs.size > MOST_STRIPPED || units.size > 1) return undefined;
  // Longer signs first: one may begin with another.
  const texts = [...signs].sort((a, b) => b.length - a.length);
  const base: NumberNotation = {
    ...(texts.length > 0 && { strip: texts.length === 1 ? texts[0] : texts }),
    ...(cells.some((cell) => cell.trim().startsWith('(')) && { parentheses: true }),
    ...(cells.some((cell) => /\dd[+-]?\d/i.test(cell)) && { exponent: 'D' as const }),
  };
  const forms: NumberNotation[] = [
    base,
    ...(cells.some((cell) => cell.includes(',')) && cells.every((cell) => !MAYBE_THOUSANDS.test(cell))
      ? [{ ...base, decimal: ',' as const }]
      : []),
    ...[',', '.', ' ', "'", '_']
      .filter((thousands) => cells.some((cell) => new RegExp(`\\d${spacesAlike(thousands)}\\d`).test(cell)))
      .map((thousands) => ({
        ...base,
        thousands,
        ...(thousands === '.' && { decimal: ',' as const }),
      })),
  ];
  return forms.find((form) => {
    // Without a key, these are plain decimals, too large or with another minus.
    if (Object.keys(form).length === 0) return false;
    const plain = plainNumber(form);
    return cells.every((cell) => plain(cell) !== undefined);
  });
}

/** `data.numbers: {"price": {"strip": "$"}}` */
export function numbersKey(name: string, notation: NumberNotation): string {
  return `data.numbers: ${JSON.stringify({ [name]: notation })}`;
}

/** The hint for a cell that is a number in another notation. */
export function notationHint(name: string, cell: string): string | undefined {
  const text = cell.trim();
  if (MAYBE_THOUSANDS.test(text)) {
    const [separator] = text.match(/[.,]/) ?? [','];
    const other = separator === ',' ? 'data.decimal: ","' : 'a decimal point needs no key';
    return `set data.thousands: ${JSON.stringify(separator)} if it separates thousands (${other})`;
  }
  const notation = suggestNotation([text]);
  if (notation === undefined) return undefined;
  const key = isCommaOnly(notation) ? 'data.decimal: ","' : numbersKey(name, notation);
  return `set ${key} to read it as ${plainNumber(notation)(text)}; if the column holds categories, name it in data.categories`;
}

/**
 * The error ExitCode.data for a plain decimal in a column whose notation it does not fit: 1.234 may
 * be a thousand where commas are decimal.
 */
export function contradiction(location: string, cell: string, { decimal }: NumberNotation): MlpError {
  return new MlpError(
    ExitCode.data,
    `${location}: found ${quote(cell)}, expected a number ${decimal === ',' ? 'with a decimal comma' : 'in the notation of its column'}`,
    decimal === ',' ? 'set data.thousands to "." if the point separates thousands' : undefined,
  );
}
