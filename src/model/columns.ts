/** Finds the columns of a model in a table. */
import type { ColumnKind } from '../data/table.js';
import { ExitCode, MlpError } from '../errors.js';
import { suggest } from '../spec/messages.js';
import { listed, printable, quote } from '../text.js';
import type { ReadingModel } from './load.js';

/** A table, before its rows are read. */
export interface NamedTable {
  /** The file, as messages name it; `data.rows` for rows in memory. */
  readonly path: string;
  readonly header: boolean;
  readonly names: readonly string[];
  readonly isFile: boolean;
}

/** A feature is read as in training; classes are text, whatever they look like. */
export function columnKinds(
  { features, task }: ReadingModel,
  names: readonly string[],
  featureColumns: readonly number[],
  targetColumns: readonly number[] = [],
): ColumnKind[] {
  const kinds = new Array<ColumnKind>(names.length).fill('skipped');
  featureColumns.forEach((index, j) => {
    // What the network ignores may be anything.
    if (index !== ABSENT) kinds[index] = features[j].kind === 'numeric' ? 'numeric' : 'text';
  });
  for (const index of targetColumns) kinds[index] = task === 'regression' ? 'numeric' : 'text';
  return kinds;
}

const ABSENT = -1;

/** How many missing columns a message names. */
const MOST_NAMED = 10;

/**
 * The numbers of the model's columns in a table, from 0: of the features (−1 for a column that the
 * network ignores and that is not there), of the targets (undefined unless all are there), and of
 * all others. Columns are found by name, or by number in a file
 * without a header.
 *
 * Without a header, a file with as many columns as the model has features has no targets: its
 * columns are the features in their order. In any other file the columns have the numbers that they
 * had in training.
 *
 * @throws MlpError ExitCode.data if a feature is missing, or a target that is wanted
 */
export function findColumns(
  model: ReadingModel,
  origin: NamedTable,
  wantsTargets: boolean,
): {
  readonly features: readonly number[];
  readonly targets: readonly number[] | undefined;
  readonly others: readonly number[];
} {
  const { names, header } = origin;
  const find = header ? byName(names) : byNumber(names);
  const wanted = model.features.map(({ column }) => column);
  const hasOnlyFeatures = !header && !wantsTargets && names.length === wanted.length;
  const features = hasOnlyFeatures ? wanted.map((_, i) => i) : wanted.map(find);
  const targets = hasOnlyFeatures ? model.targets.map(() => undefined) : model.targets.map(find);
  const needed = model.features.map(({ kind, indicator }) => kind !== 'constant' || indicator);
  requireAll(
    'feature',
    wanted.filter((_, j) => needed[j]),
    features.filter((_, j) => needed[j]),
    model,
    origin,
  );
  if (wantsTargets) requireAll('target', model.targets, targets, model, origin);
  const taken = new Set([...features, ...targets]);
  return {
    features: features.map((column) => column ?? ABSENT),
    targets: targets.every(isFound) ? targets.filter(isFound) : undefined,
    others: names.map((_, i) => i).filter((i) => !taken.has(i)),
  };
}

function byName(names: readonly string[]) {
  const indexOf = new Map(names.map((name, i) => [name, i]));
  // Models of earlier versions kept the spaces around a name.
  return (column: string) => indexOf.get(column) ?? indexOf.get(column.trim());
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
  model: ReadingModel,
  origin: NamedTable,
): void {
  const missing = wanted.filter((_, i) => found[i] === undefined);
  if (missing.length === 0) return;
  const labels = missing.map((column) => (origin.header ? quote(column) : column));
  const expected = wanted.length === 1 ? `the ${what}` : `all ${wanted.length} ${what}s`;
  throw new MlpError(
    ExitCode.data,
    `${origin.path}: found no column ${listed(labels, MOST_NAMED)}, expected ${expected} of ${model.path}`,
    hintFor(missing[0], origin),
  );
}

function hintFor(column: string, { names, header, isFile }: NamedTable): string | undefined {
  if (isFile && names.length === 1) {
    return 'the file has a single column; columns are separated by commas, semicolons, tabs or bars';
  }
  if (!header) return `columns are counted from 0, and the file has ${names.length}`;
  const near = suggest(column, names);
  if (near !== undefined) return printable(near);
  return isFile ? 'the first line must name the columns, as in the training file' : undefined;
}
