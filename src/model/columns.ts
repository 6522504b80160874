/** Where a file has the columns of a model: by name in any order, or by number where the training file had no header. */
import type { Dialect } from '../data/csv/dialect.js';
import { ExitCode, MlpError } from '../errors.js';
import { suggest } from '../spec/messages.js';
import { printable, quote } from '../text.js';
import type { Model } from './load.js';

/** Numbers of a file's columns, from 0. */
export interface ModelColumns {
  /** One for each of the model's features. */
  readonly features: readonly number[];
  /** One for each of its targets; undefined unless the file has them all. */
  readonly targets: readonly number[] | undefined;
  /** Those that are neither. */
  readonly others: readonly number[];
}

/** Of missing columns, so many are named. */
const MOST_NAMED = 10;

type Names = Pick<Dialect, 'names'>;

/**
 * Finds the model's columns in the file `path`. An MlpError (65) where a feature is not there, or a target where they are wanted.
 *
 * Without a header, a file that has as many columns as the model has features is one without targets: it has the features in their
 * order. In any other the columns have the numbers that they had in training.
 */
export function findColumns(
  model: Model,
  { names }: Names,
  path: string,
  wantsTargets: boolean,
): ModelColumns {
  const find = model.header ? byName(names) : byNumber(names);
  const wanted = model.features.map(({ column }) => column);
  const alone = !model.header && !wantsTargets && names.length === wanted.length;
  const features = alone ? wanted.map((_, i) => i) : wanted.map(find);
  const targets = alone ? model.targets.map(() => undefined) : model.targets.map(find);
  requireAll('feature', wanted, features, model, names, path);
  if (wantsTargets) requireAll('target', model.targets, targets, model, names, path);
  const taken = new Set([...features, ...targets]);
  return {
    features: features.filter(isFound),
    targets: targets.every(isFound) ? targets.filter(isFound) : undefined,
    others: names.map((_, i) => i).filter((i) => !taken.has(i)),
  };
}

function byName(names: readonly string[]) {
  const indexOf = new Map(names.map((name, i) => [name, i]));
  return (column: string) => indexOf.get(column);
}

function byNumber(names: readonly string[]) {
  return (column: string) => (Number(column) < names.length ? Number(column) : undefined);
}

function isFound(column: number | undefined): column is number {
  return column !== undefined;
}

function requireAll(
  what: 'feature' | 'target',
  wanted: readonly string[],
  found: readonly (number | undefined)[],
  model: Model,
  names: readonly string[],
  path: string,
): void {
  const missing = wanted.filter((_, i) => found[i] === undefined);
  if (missing.length === 0) return;
  const labels = missing.slice(0, MOST_NAMED).map((column) => (model.header ? quote(column) : column));
  const more = missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : '';
  const expected = wanted.length === 1 ? `the ${what}` : `all ${wanted.length} ${what}s`;
  throw new MlpError(
    ExitCode.data,
    `${path}: found no column ${labels.join(', ')}${more}, expected ${expected} of ${model.path}`,
    hintFor(missing[0], model, names),
  );
}

function hintFor(column: string, { header }: Model, names: readonly string[]): string | undefined {
  if (names.length === 1) {
    return 'the file has a single column; columns are separated by commas, semicolons, tabs or bars';
  }
  if (!header) return `columns are counted from 0, and the file has ${names.length}`;
  const near = suggest(column, names);
  return near === undefined
    ? 'the first line of the file has to name the columns, as that of the training file did'
    : printable(near);
}
