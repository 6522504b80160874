/** Columns of classes as targets: which classes, in which order, and the class of each row. */
import { ExitCode, MlpError } from '../../errors.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import { oneOf, suggest, type Where } from '../../spec/messages.js';
import { counted, listed, printable, quote } from '../../text.js';
import { parseBoolean } from '../booleans.js';
import { Levels } from '../levels.js';
import {
  asLabels,
  cellText,
  firstRows,
  type LocatedColumn,
  requirePresent,
  rowCount,
} from '../locatedColumn.js';

/** The name of the class that rare classes become. */
const OTHER = 'other';

/** Classes of few rows, which count as OTHER or are left out. */
export interface RareClasses {
  readonly names: readonly string[];
  readonly as: 'other' | 'drop';
}

/** What the rows of a target column become classes by. */
interface ClassRules {
  /** Whether rows without a class are left out; otherwise they are an error. */
  readonly dropsRows?: boolean;
  readonly rare?: RareClasses;
}

/** The classes that occur in a target column; its levels may include some that no row has. */
export function classesOf(located: LocatedColumn): Levels {
  const { column } = asLabels(located);
  if (column.kind === 'numeric') return Levels.of([...new Set(column.values)].map((value) => String(value)));
  const present = new Uint8Array(column.levels.length);
  for (const code of column.codes) present[code] = 1;
  return Levels.of(column.levels.filter((_, code) => present[code]));
}

/**
 * [rows] The number of each row's class. A row without a target has −1. A class that is not among
 * `classes` has the next number after theirs, and `unknown` counts its rows.
 */
export function encodeLabels(
  located: LocatedColumn,
  { dropsRows = false, rare }: ClassRules,
  classes: Levels,
  unknown: Map<string, number> = new Map(),
): Int32Array {
  if (!dropsRows) requirePresent(located, missingHint(located));
  const rareNames = new Set(rare?.names);
  const rareLabel = rare?.as === 'other' ? classes.index(OTHER) : -1;
  const labelOfText = (text: string) =>
    classes.index(text) ?? (rareNames.has(text) ? rareLabel : classes.index(otherPoint(text)));
  const labels = asLabels(located);
  const { column } = labels;
  const labelOfLevel = column.kind === 'text' ? column.levels.map(labelOfText) : [];
  const labelOfNumber = new Map<number, number | undefined>();
  const labelOf = (row: number): number | undefined => {
    if (column.kind === 'text') return labelOfLevel[column.codes[row]];
    const value = column.values[row];
    if (!labelOfNumber.has(value)) labelOfNumber.set(value, labelOfText(String(value)));
    return labelOfNumber.get(value);
  };
  return firstRows(rowCount(located)).map((row) => {
    const label = labelOf(row);
    if (label !== undefined) return label;
    const text = cellText(labels, row);
    if (text === '') return -1;
    unknown.set(text, (unknown.get(text) ?? 0) + 1);
    return classes.names.length;
  });
}

/** The text without the point at its end, or with one: UCI's Adult has it in one of its two files. */
function otherPoint(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : `${text}.`;
}

/** Classes of a column that are known but for a point at their end, and are read as the known ones. */
export function pointedClasses(located: LocatedColumn, classes: Levels): string[] {
  const { column } = asLabels(located);
  if (column.kind === 'numeric') return [];
  return column.levels.filter(
    (text) => classes.index(text) === undefined && classes.index(otherPoint(text)) !== undefined,
  );
}

/** The sentence about such classes; none without them. */
export function pointWarning(path: string, pointed: readonly string[]): string[] {
  if (pointed.length === 0) return [];
  const [noun, are] = pointed.length === 1 ? ['class', 'is'] : ['classes', 'are'];
  const known = listed(pointed.map((text) => quote(otherPoint(text))));
  return [
    `${path}: the ${noun} ${listed(pointed.map(quote))} ${are} read as ${known}: only a point at the end differs`,
  ];
}

/**
 * Two classes with the positive one last.
 * @throws MlpError ExitCode.config if the column has no two classes or this is none of them
 */
export function withPositive(
  classes: Levels | undefined,
  positive: string,
  where: Where,
  { label, path }: LocatedColumn,
): Levels {
  const column = `${label} in ${path}`;
  const names = classes?.names ?? [];
  if (names.length === 2 && names.includes(positive)) {
    return Levels.given([...names.filter((name) => name !== positive), positive]);
  }
  const isTwo = names.length === 2;
  const what = isTwo ? 'no class' : classes ? `the ${names.length} classes` : 'a quantity';
  throw new MlpError(
    ExitCode.config,
    isTwo
      ? `${where(['data', 'positive'])}: found ${quote(positive)}, which is no class of ${column}, expected ${oneOf(names.map(printable))}`
      : `${where(['data', 'positive'])}: found ${quote(positive)} for ${what} of ${column}, expected two classes`,
    isTwo
      ? suggest(positive, names)
      : 'only one of two classes is the positive one: remove the key, or check data.task',
  );
}

/** Sets the classes of fewer rows aside. Classes that stay have their order; OTHER may be one of them already. */
export function groupRare(
  located: LocatedColumn,
  classes: Levels,
  { fewerThan, as }: NonNullable<DataConfig['rareClasses']>,
): { classes: Levels; rare?: RareClasses } {
  const counts = new Float64Array(classes.names.length);
  for (const label of encodeLabels(located, {}, classes)) counts[label]++;
  const names = classes.names.filter((_, label) => counts[label] < fewerThan);
  const kept = classes.names.filter((_, label) => counts[label] >= fewerThan);
  if (names.length === 0) return { classes };
  const left = as === 'other' && !kept.includes(OTHER) ? [...kept, OTHER] : kept;
  if (left.length < 2) {
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found ${counted(kept.length, 'class', 'classes')} of at least ${fewerThan} rows, expected enough for at least two classes`,
      'lower data.rareClasses.fewerThan',
    );
  }
  return { classes: Levels.of(left), rare: { names, as } };
}

/** A sentence about the rare classes; none without them. */
export function rareWarnings(
  { rare }: { readonly rare?: RareClasses },
  label: string,
  path: string,
): string[] {
  if (!rare) return [];
  const names = listed(rare.names.map(quote));
  const [noun, has] = rare.names.length === 1 ? ['class', 'has'] : ['classes', 'have'];
  const what = rare.as === 'other' ? `counted as "${OTHER}"` : 'left out';
  return [
    `${path}: ${label}: the ${noun} ${names} ${has} few rows and ${rare.names.length === 1 ? 'is' : 'are'} ${what}`,
  ];
}

export function missingHint({ label }: LocatedColumn): string {
  const name = label.replace(/^column /, '');
  const key = name.startsWith('"') ? name : `"${name}"`;
  return `complete the cell, remove the row, or leave out such rows: "data": { "missing": { ${key}: "drop-row" } }; a target is never filled in`;
}

export function single(located: LocatedColumn, what: 'classes' | 'values'): MlpError {
  return new MlpError(
    ExitCode.data,
    `${located.path}: ${located.label}: found ${quote(cellText(located, 0))} in all ${rowCount(located)} rows, ` +
      `expected at least two ${what}`,
    'one value leaves nothing to learn; check data.target',
  );
}

/**
 * The two values of a column of labels, the second for yes: spellings of no and yes, or any two values
 * in their order.
 * @throws MlpError ExitCode.data if all rows have the same one, or with the location of a third
 */
export function labelLevels(located: LocatedColumn, positive: string | undefined, where: Where): Levels {
  requirePresent(located, missingHint(located));
  const classes = classesOf(located);
  const [no, yes] = [false, true].map((asked) =>
    classes.names.filter((name) => parseBoolean(name) === asked),
  );
  const isSpelled = no.length + yes.length === classes.names.length;
  if (classes.names.length < 2 || (isSpelled && (no.length === 0 || yes.length === 0))) {
    throw single(located, 'values');
  }
  if (classes.names.length === 2) {
    if (positive !== undefined) return withPositive(classes, positive, where, located);
    return Levels.yesNo(isSpelled ? [no[0], yes[0]] : classes.names);
  }
  if (isSpelled && positive === undefined) return Levels.yesNo([no[0], yes[0]]);
  const expected = no.length > 0 || yes.length > 0 ? [...no, ...yes] : classes.names.slice(0, 2);
  const labels = asLabels(located);
  const third = firstRows(rowCount(located)).find((row) => !expected.includes(cellText(labels, row)));
  throw thirdValue(located, third ?? 0, expected);
}

/** The error about a label that is neither yes nor no. */
export function thirdValue(located: LocatedColumn, row: number, expected: readonly string[]): MlpError {
  const text = cellText(asLabels(located), row);
  return new MlpError(
    ExitCode.data,
    `${located.location(row)}: found ${quote(text)}, a third value, expected ${oneOf(expected.map(printable))}`,
    'a label is yes or no: data.task "multilabel" takes columns of two values',
  );
}
