/** The targets: quantities, or classes in the order that the training table decides. */
import { ExitCode, MlpError } from '../../errors.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import type { Where } from '../../spec/messages.js';
import type { Task } from '../../spec/words.js';
import { listed } from '../../text.js';
import { parseBoolean } from '../booleans.js';
import { looksNumeric } from '../cell.js';
import { overflowError } from '../encoding/numberEncoding.js';
import type { Levels } from '../levels.js';
import {
  type LocatedColumn,
  numbers,
  presentRows,
  requireNumbers,
  requirePresent,
  selectLocated,
} from '../locatedColumn.js';
import { fitStandardization, standardize } from '../scaling.js';
import { columnLabel, gather } from '../table.js';
import {
  classesOf,
  encodeLabels,
  groupRare,
  labelLevels,
  missingHint,
  type RareClasses,
  single,
  thirdValue,
  withPositive,
} from './classTargets.js';
import type { Split } from './dataset.js';
import type { Input } from './rowReaders.js';
import type { TargetDomain, TargetUnits } from './targetUnits.js';

/** A column with more distinct integers is a quantity. */
const MOST_INTEGER_CLASSES = 20;
/** Integers with gaps between them are classes if each occurs this often on average. */
const ROWS_PER_CLASS = 5;
/** Counts have so many different values, and 0 or 1 so many rows. */
const COUNTS = { values: 5, rows: 50 };

/** What the targets of the training table are: classes, or quantities without them. */
export interface TargetEncoding {
  readonly task: Task;
  readonly classes?: Levels;
  /** Of a multilabel task: the two values of each column, the second for yes. */
  readonly labels?: readonly Levels[];
  /** Why this task was chosen; absent if it was given. */
  readonly reason?: string;
  /** Whether rows without a target are left out; otherwise they are an error. */
  readonly dropsRows?: boolean;
  readonly rare?: RareClasses;
  /** Of a regression: the numbers that its targets may be, if not all. */
  readonly domain?: TargetDomain;
}

/** What a config says about its targets. */
export interface TargetRules extends Partial<Pick<DataConfig, 'rareClasses' | 'positive'>> {
  readonly task: 'auto' | Task;
  readonly dropsRows?: boolean;
  /** Whether numbers are a quantity in any case: the loss is one of numbers. */
  readonly quantity?: boolean;
}

/**
 * The targets of all rows of a table: the number of the class, or values [rows, width]. A row that is
 * left out has the class −1, or a value that is NaN.
 */
export type TargetValues =
  | { readonly labels: Int32Array }
  | { readonly values: Float64Array; readonly width: number };

/**
 * Detects the encoding from the target columns of the training table. Several columns are labels if
 * they say yes and no in words, otherwise a regression.
 * @throws MlpError ExitCode.data if they hold nothing to learn; config if they can't serve the task that
 *   was asked for
 */
export function detectTargetEncoding(
  allColumns: readonly LocatedColumn[],
  rules: TargetRules,
  where: Where,
): TargetEncoding {
  const { task: asked, dropsRows = false, rareClasses, positive, quantity = false } = rules;
  const drops = dropsRows && { dropsRows };
  const rows = dropsRows ? presentRows(allColumns) : undefined;
  if (rows?.length === 0) throw noTargets(allColumns[0]);
  const text = positive === undefined ? undefined : String(positive);
  const locatedColumns = rows ? allColumns.map((located) => selectLocated(located, rows)) : allColumns;
  const spelled = asked === 'auto' && areSpelled(locatedColumns);
  if (asked === 'multilabel' || spelled) {
    const labels = locatedColumns.map((column) => labelLevels(column, text, where));
    const reason = `${labels.length} target columns of yes and no are taken as labels (multilabel)`;
    return { task: 'multilabel', labels, ...drops, ...(spelled && { reason: decides(reason) }) };
  }
  if (locatedColumns.length > 1) {
    if (asked === 'binary' || asked === 'multiclass') {
      throw new MlpError(
        ExitCode.config,
        `${where(['data', 'task'])}: found "${asked}" for ${locatedColumns.length} target columns, expected "multilabel" or "regression"`,
        'classes are in a single column: name it in data.target',
      );
    }
    for (const located of locatedColumns) resolveTask(located, 'regression', where);
    if (text !== undefined) withPositive(undefined, text, where, locatedColumns[0]);
    const reason = `${locatedColumns.length} target columns are taken as quantities (regression)`;
    return { task: 'regression', ...drops, ...(asked === 'auto' && { reason: decides(reason) }) };
  }
  const [located] = locatedColumns;
  requirePresent(located, missingHint(located));
  const wanted = rareClasses && asked === 'binary' ? 'multiclass' : asked;
  const isQuantity = wanted === 'auto' && quantity && !hasNaN(numbers(located));
  const task = resolveTask(located, isQuantity ? 'regression' : wanted, where);
  const found = task === 'regression' ? undefined : classesOf(located);
  const reason = asked === 'auto' && { reason: decides(reasonFor(located, task, found?.names.length)) };
  const ordered = (classes: Levels | undefined, column: LocatedColumn) =>
    text === undefined
      ? classes && { classes }
      : {
          classes: withPositive(classes, text, where, column),
        };
  if (!rareClasses) return { task, ...ordered(found, located), ...drops, ...reason };
  if (!found) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'rareClasses'])}: found rare classes for a regression, which has none`,
      'remove the key, or set data.task',
    );
  }
  const { classes, rare } = groupRare(located, found, rareClasses);
  const isTwo = classes.names.length === 2;
  if (asked === 'binary' && !isTwo) throw notBinary(located, classes, where);
  const grouped = asked !== 'multiclass' && isTwo ? 'binary' : 'multiclass';
  return { task: grouped, ...ordered(classes, located), ...(rare && { rare }), ...drops, ...reason };
}

/** Whether several columns say yes and no, and not all in numbers, which may be quantities. */
function areSpelled(columns: readonly LocatedColumn[]): boolean {
  if (columns.length < 2 || columns.every((located) => !hasNaN(numbers(located)))) return false;
  return columns.every((located) =>
    classesOf(located).names.every((name) => parseBoolean(name) !== undefined),
  );
}

function noTargets(located: LocatedColumn): MlpError {
  return new MlpError(
    ExitCode.data,
    `${located.path}: ${located.label}: found no value in any row, expected a target`,
    'check data.target',
  );
}

/** More different numbers are not counted. */
const MOST_COUNTED = 1000;

/** What the cells of the target look like, and what they are taken for. */
function reasonFor(located: LocatedColumn, task: Task, classes: number | undefined): string {
  const { label } = located;
  const taken = classes === undefined ? 'a quantity (regression)' : `classes (${task})`;
  const values = numbers(located);
  if (hasNaN(values)) return `${label} holds ${classes} different texts, taken as ${taken}`;
  const isWhole = values.every(Number.isInteger);
  const count = distinctUpTo(values, MOST_COUNTED);
  const shown = count > MOST_COUNTED ? `more than ${MOST_COUNTED}` : `${count}`;
  const what = `${label} holds ${shown} different ${isWhole ? 'whole ' : ''}numbers`;
  if (!isWhole || count <= 2 || count > MOST_COUNTED) return `${what}, taken as ${taken}`;
  const { least, most } = rangeOf(values);
  return `${what}, ${least} to ${most}: classes? a quantity? Taken as ${taken}`;
}

function decides(reason: string): string {
  return `${reason}; data.task decides`;
}

/** Raw targets with at least this deviation are far from where a network starts. */
const LARGE_DEVIATION = 100;

/** A warning about labels that all training rows have, or none. `targets` [rows, columns] are theirs. */
export function labelWarnings(targets: Float64Array, names: readonly string[], path: string): string[] {
  const width = names.length;
  const same = names.filter((_, j) => targets.every((value, i) => i % width !== j || value === targets[j]));
  if (same.length === 0) return [];
  return [`${path}: ${listed(same)}: all training rows have the same value, so nothing is learned about it`];
}

/**
 * Warnings about the quantities to train on, before they are scaled. `targets` [rows, columns] are
 * those of the training rows.
 */
export function quantityWarnings(
  targets: Float64Array,
  labels: readonly string[],
  { path, isScaled }: { path: string; isScaled: boolean },
): string[] {
  const warnings: string[] = [];
  if (areOneHot(targets, labels.length)) {
    warnings.push(
      `${path}: ${listed(labels)} are one-hot: a single 1 in each row. They are trained as ${labels.length} quantities; ` +
        'for classes, write one column with the name of the class, and name it in data.target',
    );
  } else if (labels.length > 1 && targets.every((value) => value === 0 || value === 1)) {
    warnings.push(
      `${path}: ${listed(labels)} hold only 0 and 1, and are trained as ${labels.length} quantities; ` +
        'for labels that a row may have or not, set data.task to "multilabel"',
    );
  }
  if (isScaled) return warnings;
  const { scale } = fitStandardization(targets, labels.length);
  labels.forEach((label, j) => {
    if (scale[j] < LARGE_DEVIATION) return;
    warnings.push(
      `${path}: ${label}: the target has a deviation of ${Number(scale[j].toPrecision(3))} and is trained as it is, ` +
        'which is slow or fails: set data.standardizeTarget to "auto"',
    );
  });
  return warnings;
}

/** Whether each row [columns] has a single 1 among 0s: classes, written as a column each. */
function areOneHot(targets: Float64Array, columns: number): boolean {
  if (columns < 2) return false;
  for (let first = 0; first < targets.length; first += columns) {
    let ones = 0;
    for (let j = 0; j < columns; j++) {
      const value = targets[first + j];
      if (value !== 0 && value !== 1) return false;
      ones += value;
    }
    if (ones !== 1) return false;
  }
  return true;
}

/**
 * Encodes the targets of a table by the encoding of the training table. `unknown` counts the rows
 * of classes that this lacks, whose label is the number of classes.
 * @throws MlpError ExitCode.data with the location of a missing value, or a number beyond
 *   ±`largest`, which the run's dtype can't hold, or outside its domain
 */
export function encodeTargets(
  locatedColumns: readonly LocatedColumn[],
  encoding: TargetEncoding,
  largest: number,
  unknown: Map<string, number> = new Map(),
): TargetValues {
  const { classes, labels, dropsRows, domain } = encoding;
  if (classes) return { labels: encodeLabels(locatedColumns[0], encoding, classes, unknown) };
  if (labels) {
    return interleaved(locatedColumns.map((located, j) => yesNo(located, encoding, labels[j])));
  }
  const columns = locatedColumns.map((located) => {
    if (!dropsRows) return requireNumbers(located, NOT_A_QUANTITY, missingHint(located));
    requireNumbers(selectLocated(located, presentRows([located])), NOT_A_QUANTITY);
    return numbers(located);
  });
  columns.forEach((values, j) => {
    const outside = domain ? values.findIndex((value) => !(Number.isNaN(value) || domain.allows(value))) : -1;
    if (domain && outside >= 0) {
      throw new MlpError(
        ExitCode.data,
        `${locatedColumns[j].location(outside)}: found ${values[outside]}, expected ${domain.expected}`,
        domain.hint,
      );
    }
    const row = values.findIndex((value) => Math.abs(value) > largest);
    if (row < 0) return;
    throw new MlpError(
      ExitCode.data,
      `${locatedColumns[j].location(row)}: found ${values[row]}, expected a number that fits a float32`,
      'set "dtype": "float64", or "data": { "standardizeTarget": true }',
    );
  });
  return interleaved(columns);
}

/**
 * [rows] 1 for yes, 0 for no; NaN for a row that is left out.
 * @throws MlpError ExitCode.data with the location of a value that is neither
 */
function yesNo(located: LocatedColumn, encoding: TargetEncoding, levels: Levels): Float64Array {
  const codes = encodeLabels(located, encoding, levels);
  const third = codes.findIndex((code) => code > 1);
  if (third >= 0) throw thirdValue(located, third, levels.names);
  return new Float64Array(codes.length).map((_, row) => (codes[row] < 0 ? Number.NaN : codes[row]));
}

/** [rows, columns] The columns, row by row. */
function interleaved(columns: readonly Float64Array[]): { values: Float64Array; width: number } {
  if (columns.length === 1) return { values: columns[0], width: 1 };
  const values = new Float64Array(columns.length * columns[0].length);
  columns.forEach((column, j) => {
    for (let row = 0; row < column.length; row++) values[row * columns.length + j] = column[row];
  });
  return { values, width: columns.length };
}

const NOT_A_QUANTITY = 'a regression needs numbers; if these are classes, set data.task to "auto"';

/**
 * The task of a target column without missing cells: as asked, or for `auto` by its cells.
 *
 * - Cells that are not all numbers are classes. If most are numbers, the first other cell is an
 *   error.
 * - Integers are classes if there are two of them; or at most 20, either without a gap and one of
 *   them repeated (0 1 2 2 1), or five times each on average.
 * - All other numbers are a quantity: regression.
 *
 * Two classes are a binary task, more are multiclass.
 * @throws MlpError ExitCode.data if all values are equal, or with the location of a cell that is
 *   not a number; config for a task that the column can't serve
 */
function resolveTask(located: LocatedColumn, asked: 'auto' | Task, where: Where): Task {
  if (asked === 'regression') {
    const values = requireNumbers(located, NOT_A_QUANTITY, missingHint(located));
    if (!values.some((value) => value !== values[0])) throw single(located, 'values');
    return asked;
  }
  if (asked === 'auto' && isQuantity(located)) return 'regression';
  const { names } = classesOf(located);
  if (names.length < 2) throw single(located, 'classes');
  if (asked === 'binary' && names.length > 2) throw notBinary(located, { names }, where);
  if (asked !== 'auto') return asked;
  return names.length === 2 ? 'binary' : 'multiclass';
}

/**
 * Whether the column holds a quantity rather than classes.
 * @throws MlpError ExitCode.data if it is neither
 */
function isQuantity(located: LocatedColumn): boolean {
  const { column } = located;
  const values = numbers(located);
  if (column.kind === 'text' && hasNaN(values)) {
    // Cells such as 1,5 are meant as numbers, so a column of them is not a set of classes.
    const meant = column.levels.map(looksNumeric);
    const numeric = column.codes.filter((code) => meant[code]).length;
    if (numeric > values.length / 2) {
      requireNumbers(located, 'if these are classes, set data.task to "binary" or "multiclass"');
    }
    return false;
  }
  if (column.kind === 'numeric' && column.written === 'many') return true;
  if (!values.every(Number.isInteger)) return distinctUpTo(values, 1) > 1;
  const count = distinctUpTo(values, MOST_INTEGER_CLASSES);
  if (count > MOST_INTEGER_CLASSES) return true;
  if (count <= 2) return false;
  const { least, most } = rangeOf(values);
  if (least === 0 && areCounts(values, most)) return true;
  const withoutGap = most - least === count - 1;
  return withoutGap ? count === values.length : count * ROWS_PER_CLASS > values.length;
}

/** Whether whole numbers from 0 get so rare towards the largest that they count something, such as visits. */
function areCounts(values: Float64Array, most: number): boolean {
  const rows = new Map<number, number>();
  for (const value of values) rows.set(value, (rows.get(value) ?? 0) + 1);
  const rowsOfLeast = Math.max(rows.get(0) ?? 0, rows.get(1) ?? 0);
  return (
    rows.size >= COUNTS.values &&
    rowsOfLeast === Math.max(...rows.values()) &&
    rowsOfLeast >= COUNTS.rows &&
    (rows.get(most) ?? 0) < ROWS_PER_CLASS
  );
}

function notBinary({ label, path }: LocatedColumn, { names }: Pick<Levels, 'names'>, where: Where): MlpError {
  return new MlpError(
    ExitCode.config,
    `${where(['data', 'task'])}: found "binary" for the ${names.length} classes of ${label} in ${path}, expected "multiclass"`,
    'set data.task to "auto"',
  );
}

function rangeOf(values: Float64Array): { least: number; most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

/** The number of different values; counting stops above `most`. */
function distinctUpTo(values: Float64Array, most: number): number {
  const seen = new Set<number>();
  for (const value of values) {
    seen.add(value);
    if (seen.size > most) break;
  }
  return seen.size;
}

/** The rows of a table that have a target, rising. */
export function rowsWithTarget(targets: TargetValues): Int32Array {
  const isLabelled = 'labels' in targets;
  const width = isLabelled ? 1 : targets.width;
  const length = (isLabelled ? targets.labels : targets.values).length / width;
  const rows = new Int32Array(length);
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (isLabelled ? targets.labels[row] >= 0 : !hasNaN(targets.values, row * width, (row + 1) * width))
      rows[count++] = row;
  }
  return rows.subarray(0, count);
}

/** Many times as fast as `some`, which calls a function for each value. */
function hasNaN(values: Float64Array, from = 0, end = values.length): boolean {
  for (let i = from; i < end; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

/** The targets of these rows. */
export function targetsOf(targets: TargetValues, rows: Int32Array): Pick<Split, 'labels' | 'targets'> {
  if ('labels' in targets) return { labels: rows.map((row) => targets.labels[row]) };
  const { values, width } = targets;
  if (width === 1) return { targets: gather(values, rows) };
  const chosen = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < width; j++) chosen[i * width + j] = values[rows[i] * width + j];
  }
  return { targets: chosen };
}

/** Standardises the targets of all splits in place, as given, or by the rows of the first. */
export function standardizeTargets(
  splits: readonly Split[],
  { table, choice }: Input,
  given?: TargetUnits['targetStandardization'],
) {
  const targets = splits.map((rows) => rows.targets ?? new Float64Array(0));
  const { mean, scale } = given ?? fitStandardization(targets[0], choice.targets.length);
  const overflowing = scale.findIndex((value) => !Number.isFinite(value));
  if (overflowing >= 0) {
    const label = columnLabel(table.header, table.names[choice.targets[overflowing]]);
    throw overflowError(`${table.path}: ${label}`, 'variance');
  }
  for (const values of targets) standardize(values, { mean, scale });
  return { mean: [...mean], scale: [...scale] };
}
