/**
 * What training needs of a file: features as one matrix, targets as labels or numbers, both sides of the split,
 * standardised by the training rows.
 */
import { isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { stratifiedSplit, trainTestSplit } from '../random/split.js';
import type { Task, TrainConfig } from '../spec/train.js';
import { printable } from '../text.js';
import { type ColumnChoice, chooseColumns, columnKinds, hasHeader, matchColumns } from './columns.js';
import { readTable } from './csv.js';
import { fitStandardization, type Standardization, standardize } from './standardize.js';
import { columnLabel, numericColumn, type Table, textColumn } from './table.js';
import { Classes, encodeLabels, resolveTask, targetValues } from './target.js';

/** One side of the split: labels for classes, targets for regression. */
export interface Split {
  readonly rows: number;
  /** [rows, features] row-major, standardised where the config says so */
  readonly features: Float64Array;
  /** [rows] The number of each row's class. */
  readonly labels?: Int32Array;
  /** [rows] In standardised units where the dataset has a `targetStandardization`. */
  readonly targets?: Float64Array;
}

export interface Dataset {
  readonly task: Task;
  /** The columns' names in the order of the features; numbers from 0 where the file has no header. */
  readonly featureNames: readonly string[];
  readonly targetName: string;
  /** The classes in the order of their labels; label 1 is the positive class of a binary task. Not there for regression. */
  readonly classes?: readonly string[];
  readonly train: Split;
  readonly validation?: Split;
  readonly standardization?: Standardization;
  readonly targetStandardization?: { readonly mean: number; readonly scale: number };
  /** Sentences for the user. */
  readonly warnings: readonly string[];
  /** SHA-256 of the training file's bytes, in hexadecimal. */
  readonly sha256: string;
}

/** A table with its columns chosen and its target understood. */
interface Source {
  readonly table: Table;
  readonly choice: ColumnChoice;
  /** [rows] Labels where there are classes, else values. */
  readonly target: Int32Array | Float64Array;
}

/**
 * Reads and splits the data of a train config; paths in it are relative to `directory`. `configPath` is for messages.
 * An MlpError where a file can't be read (66, 74, 77), holds what can't be trusted (65), or does not have what the config asks for (78).
 */
export async function loadDataset(
  config: TrainConfig,
  directory: string,
  configPath?: string,
): Promise<Dataset> {
  const { data, seed } = config;
  const place = configPath === undefined ? '' : `${configPath}: `;
  const resolve = (path: string) => (isAbsolute(path) ? path : join(directory, path));

  const table = await readTraining(resolve(data.train), config, place);
  const choice = chooseColumns(table.names, data, table.path, place);
  const task = resolveTask(table, choice.target, data.task, place);
  const classes = task === 'regression' ? undefined : Classes.of(textColumn(table, choice.target).levels);
  const source = { table, choice, target: readTarget(table, choice, classes) };

  let train: Split;
  let validation: Split | undefined;
  if (typeof data.validation === 'string') {
    train = takeRows(source);
    validation = takeRows(await readValidation(resolve(data.validation), source, classes));
  } else if (data.validation === 0) {
    train = takeRows(source);
  } else {
    const rows = splitRows(source, classes, data.validation, seed);
    train = takeRows(source, rows.train);
    validation = takeRows(source, rows.test);
  }

  const sides = validation ? [train, validation] : [train];
  const warnings: string[] = [];
  const standardization = data.standardize ? standardizeFeatures(source, sides, warnings) : undefined;
  const targetStandardization =
    data.standardizeTarget && task === 'regression' ? standardizeTargets(source, sides) : undefined;
  return {
    task,
    featureNames: choice.features.map((column) => table.names[column]),
    targetName: table.names[choice.target],
    ...(classes && { classes: classes.names }),
    train,
    ...(validation && { validation }),
    ...(standardization && { standardization }),
    ...(targetStandardization && { targetStandardization }),
    warnings,
    sha256: table.sha256,
  };
}

function readTraining(path: string, { data }: TrainConfig, place: string): Promise<Table> {
  return readTable(path, {
    header: hasHeader(data),
    kinds: (names) => columnKinds(names.length, chooseColumns(names, data, printable(path), place)),
  });
}

/** The second file with the columns and classes of the first. */
async function readValidation(path: string, training: Source, classes: Classes | undefined): Promise<Source> {
  const { header, names } = training.table;
  const match = (found: readonly string[]) =>
    matchColumns(found, printable(path), header, {
      names,
      choice: training.choice,
      path: training.table.path,
    });
  const table = await readTable(path, { header, kinds: (found) => columnKinds(found.length, match(found)) });
  const choice = match(table.names);
  return { table, choice, target: readTarget(table, choice, classes) };
}

function readTarget(table: Table, { target }: ColumnChoice, classes: Classes | undefined): Source['target'] {
  return classes ? encodeLabels(table, target, classes) : targetValues(table, target);
}

/** Row numbers of both sides, stratified for classes; in the order of scikit-learn's `train_test_split`. */
function splitRows({ table, target }: Source, classes: Classes | undefined, share: number, seed: number) {
  try {
    return classes && target instanceof Int32Array
      ? stratifiedSplit(target, classes.names.length, share, seed, classes.names)
      : trainTestSplit(table.rows, share, seed);
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(error.exitCode, `${table.path}: ${error.message}`, error.hint, { cause: error });
  }
}

/** The rows of that order, or all as they stand in the file. */
function takeRows({ table, choice, target }: Source, order?: Int32Array): Split {
  const rows = order?.length ?? table.rows;
  const width = choice.features.length;
  const features = new Float64Array(rows * width);
  choice.features.forEach((column, j) => {
    const { values } = numericColumn(table, column);
    for (let i = 0; i < rows; i++) features[i * width + j] = values[order ? order[i] : i];
  });
  if (target instanceof Int32Array) {
    return { rows, features, labels: order ? Int32Array.from(order, (row) => target[row]) : target };
  }
  return { rows, features, targets: order ? Float64Array.from(order, (row) => target[row]) : target };
}

/** Standardises the features of all sides by the first side's rows, in place. */
function standardizeFeatures(
  { table, choice }: Source,
  sides: readonly Split[],
  warnings: string[],
): Standardization {
  const { mean, scale, constant } = fitStandardization(sides[0].features, choice.features.length);
  scale.forEach((value, j) => {
    requireFiniteScale(value, table, choice.features[j]);
  });
  if (constant.length > 0) warnings.push(constantWarning(table, choice, constant));
  for (const side of sides) standardize(side.features, { mean, scale });
  return { mean, scale };
}

function standardizeTargets({ table, choice }: Source, sides: readonly Split[]) {
  const targets = sides.map((side) => side.targets ?? new Float64Array(0));
  const { mean, scale } = fitStandardization(targets[0], 1);
  requireFiniteScale(scale[0], table, choice.target);
  for (const values of targets) standardize(values, { mean, scale });
  return { mean: mean[0], scale: scale[0] };
}

function requireFiniteScale(scale: number, table: Table, column: number): void {
  if (Number.isFinite(scale)) return;
  throw new MlpError(
    ExitCode.data,
    `${table.path}: ${columnLabel(table.header, table.names[column])}: found values whose variance overflows a float64, ` +
      'expected smaller ones',
    'give the column in a larger unit',
  );
}

function constantWarning(
  { path, header, names }: Table,
  { features }: ColumnChoice,
  constant: number[],
): string {
  const labels = constant.slice(0, 5).map((j) => columnLabel(header, names[features[j]]));
  const more = constant.length > 5 ? ` and ${constant.length - 5} more` : '';
  const [holds, tells] = constant.length === 1 ? ['holds', 'tells'] : ['hold', 'tell'];
  return (
    `${path}: ${labels.join(', ')}${more} ${holds} a single value in the training rows and ${tells} nothing: ` +
    'centred, not scaled'
  );
}
