/** What the target column means: numbers to approach, or classes; and which classes, in which order. */
import { ExitCode, MlpError } from '../errors.js';
import { quote } from '../spec/show.js';
import { oneOf, suggest } from '../spec/suggest.js';
import type { Task } from '../spec/train.js';
import { printable } from '../text.js';
import { found, numberHint, parseDecimal } from './cell.js';
import { columnLabel, type Table, textColumn } from './table.js';

/** Above this many distinct integers a column is taken for a quantity. */
const MOST_INTEGER_CLASSES = 20;
/** Integers with gaps between them are classes where each occurs this often on average. */
const ROWS_PER_CLASS = 5;

/** The distinct classes. Numbers are in numeric order and compared as numbers (1, 1.0 and 01 are one class), text by code unit. */
export class Classes {
  private readonly labelOf: Map<string, number>;

  private constructor(
    readonly names: readonly string[],
    private readonly numeric: boolean,
  ) {
    this.labelOf = new Map(names.map((name, label) => [name, label]));
  }

  /** The classes among the distinct cells of a target column. */
  static of(levels: readonly string[]): Classes {
    const numbers = levels.map(parseDecimal);
    if (!numbers.every(Number.isFinite)) return new Classes([...levels].sort(byCodeUnit), false);
    return new Classes(distinct(numbers).map(String), true);
  }

  /** The number of the cell's class, undefined where it is none of them. */
  label(cell: string): number | undefined {
    return this.labelOf.get(this.numeric ? String(parseDecimal(cell)) : cell);
  }
}

/**
 * The task of a target column read as text: as asked, or by its cells where that is `auto`.
 *
 * - Cells that are not all numbers are classes, unless most of them are numbers: then the first other one is an error.
 * - Integers are classes where there are two of them; or at most 20, and either without a gap and one of them repeated
 *   (0 1 2 2 1), or each five times on average.
 * - All other numbers are a quantity: regression.
 *
 * Two classes make a binary task, more a multiclass one. An MlpError where there is nothing to tell apart (65), a task that
 * the column can't serve (78), or a cell that is no number (65, with its line).
 */
export function resolveTask(table: Table, index: number, asked: 'auto' | Task, place: string): Task {
  const { levels } = textColumn(table, index);
  if (asked === 'regression') {
    requireNumbers(table, index);
    requireTwo(table, index, distinct(levels.map(parseDecimal)).length, 'values');
    return asked;
  }
  if (asked === 'auto' && isQuantity(table, index)) return 'regression';
  const { names } = Classes.of(levels);
  requireTwo(table, index, names.length, 'classes');
  if (asked === 'binary' && names.length > 2) {
    throw new MlpError(
      ExitCode.config,
      `${place}data.task: found "binary" for the ${names.length} classes of ${label(table, index)} in ${table.path}, expected "multiclass"`,
      'let data.task be "auto"',
    );
  }
  if (asked !== 'auto') return asked;
  return names.length === 2 ? 'binary' : 'multiclass';
}

/** The class of every row, [rows]. An MlpError (65) with the line where a row has none of the classes. */
export function encodeLabels(table: Table, index: number, classes: Classes): Int32Array {
  const { levels, codes } = textColumn(table, index);
  const labelOfCode = levels.map((level, code) => {
    const classLabel = classes.label(level);
    if (classLabel !== undefined) return classLabel;
    const hint = suggest(level, classes.names);
    throw new MlpError(
      ExitCode.data,
      `${cellPlace(table, index, codes.indexOf(code))}: found the class ${quote(level)}, ` +
        `expected ${oneOf(classes.names.slice(0, 10).map(printable))}${classes.names.length > 10 ? ', …' : ''}, ` +
        'the classes of the training data',
      hint && printable(hint),
    );
  });
  return codes.map((code) => labelOfCode[code]);
}

/** The number in every row, [rows]. An MlpError (65) with the line of the first cell that is none. */
export function targetValues(table: Table, index: number): Float64Array {
  requireNumbers(table, index);
  const { levels, codes } = textColumn(table, index);
  const values = levels.map(parseDecimal);
  return Float64Array.from(codes, (code) => values[code]);
}

/** Whether the column holds a quantity rather than classes; an MlpError (65) where it is neither. */
function isQuantity(table: Table, index: number): boolean {
  const { levels, codes } = textColumn(table, index);
  const numbers = levels.map(parseDecimal);
  if (!numbers.every(Number.isFinite)) {
    const numericRows = codes.reduce((count, code) => count + (Number.isFinite(numbers[code]) ? 1 : 0), 0);
    if (numericRows > codes.length / 2) {
      requireNumbers(table, index, 'if these are classes, set data.task to "binary" or "multiclass"');
    }
    return false;
  }
  const values = distinct(numbers);
  const count = values.length;
  if (count === 1) return false;
  if (!values.every(Number.isInteger) || count > MOST_INTEGER_CLASSES) return true;
  if (count === 2) return false;
  const withoutGap = values[count - 1] - values[0] === count - 1;
  return withoutGap ? count === table.rows : count * ROWS_PER_CLASS > table.rows;
}

function requireNumbers(
  table: Table,
  index: number,
  textHint = 'regression takes numbers; where these are classes, let data.task be "auto"',
): void {
  const { levels, codes } = textColumn(table, index);
  const code = levels.findIndex((level) => !Number.isFinite(parseDecimal(level)));
  if (code < 0) return;
  throw new MlpError(
    ExitCode.data,
    `${cellPlace(table, index, codes.indexOf(code))}: found ${found(levels[code])}, expected a number`,
    numberHint(levels[code], textHint),
  );
}

function requireTwo(table: Table, index: number, count: number, what: 'classes' | 'values'): void {
  if (count > 1) return;
  throw new MlpError(
    ExitCode.data,
    `${table.path}: ${label(table, index)}: found ${quote(textColumn(table, index).levels[0])} in all ${table.rows} rows, ` +
      `expected at least two ${what}`,
    'there is nothing to learn from one; check data.target',
  );
}

function label(table: Table, index: number): string {
  return columnLabel(table.header, table.names[index]);
}

function cellPlace(table: Table, index: number, row: number): string {
  return `${table.path}:${table.lines[row]}: ${label(table, index)}`;
}

/** The different numbers, rising. */
function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
