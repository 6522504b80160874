/**
 * Loads the dataset of a config, in the order of the data: open the tables and choose their
 * columns, read the rows, encode the targets, split the rows, fit the encodings on the training
 * rows, and write all rows into one matrix.
 */
import { availableParallelism } from 'node:os';
import { ExitCode, MlpError } from '../../errors.js';
import { memoryLimit } from '../../kernels/arena.js';
import { type DataConfig, isMemberFolds, settingOf } from '../../spec/dataConfig.js';
import { formatPath, type Where } from '../../spec/messages.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { leastGatheredOf, networksOf } from '../../spec/widths.js';
import { lossNameOf, NUMBER_LOSSES } from '../../spec/words.js';
import { listed, quote } from '../../text.js';
import { readingOf } from '../csv/dialect.js';
import { isNumbered } from '../encoding/encoding.js';
import { openJoined } from '../joinedTable.js';
import { type MemoryData, memoryTable } from '../memory.js';
import { missingValuesOf } from '../missingValues.js';
import { openTable } from '../openTable.js';
import { releaseMemory } from '../releaseMemory.js';
import { filesOf, sourcePath } from '../source/source.js';
import { type DataFile, ReadFiles } from '../source/storedFile.js';
import type { TableSource } from '../tableSource.js';
import { assembleDataset, type InputRows, type SplitRows, targetColumns } from './assembleDataset.js';
import { chooseColumns, matchColumns, wantedHeader } from './columnChoice.js';
import type { Dataset, SplitName } from './dataset.js';
import { DatasetCaches, filled } from './datasetCaches.js';
import { fillMatrix } from './fillMatrix.js';
import {
  configFor,
  type GivenEncodings,
  givenCategories,
  givenColumns,
  givenTargetEncoding,
} from './givenEncodings.js';
import { NumericRows } from './numericRows.js';
import { refitRows, withPlaces } from './refitRows.js';
import { type Input, NotNumeric, type ReadRowsOptions, type RowReader } from './rowReaders.js';
import { rowWeights, weightedRows } from './rowWeights.js';
import { splitRows } from './splitRows.js';
import { TableRows } from './tableRows.js';
import {
  detectTargetEncoding,
  encodeTargets,
  rowsWithTarget,
  type TargetEncoding,
  type TargetRules,
  type TargetValues,
} from './targets.js';
import { standardizesTarget, targetDomain } from './targetUnits.js';

export interface LoadOptions {
  /** Tables in memory that replace the config's files. */
  readonly memory?: { readonly [Name in SplitName]?: MemoryData };
  /** Takes the files that are read. */
  readonly files?: ReadFiles;
  /** Whether a cache may be written where the config asks for one, as by default, or is only read. */
  readonly cache?: 'write' | 'read' | undefined;
  /** Told of caches that are used or damaged. */
  readonly note?: (sentence: string) => void;
  /** Encodings to take instead of fitting some. */
  readonly encodings?: GivenEncodings;
  /** Threads for reading; all of the machine by default. */
  readonly threads?: number;
  /** The most bytes of a part of the matrix; only tests change it. */
  readonly bytesOfPart?: number;
  /** Features of more bytes stay on the disk; only tests change it. */
  readonly bytesInMemory?: number;
  /** Called now and then with the bytes read and the total. */
  readonly progress?: (file: string, doneBytes: number, totalBytes: number | undefined) => void;
}

/**
 * Reads and splits the data of a train config. Paths in it are relative to `directory`; `where` names
 * its keys in messages.
 * @throws MlpError ExitCode.noInput, noPermission or io for a file that can't be read, data for
 *   content that can't be trusted, config for data that lack what the config asks for
 */
export async function loadDataset(
  config: TrainConfig,
  directory: string,
  where: Where = formatPath,
  options: LoadOptions = {},
): Promise<Dataset> {
  return (await loadDatasets(config, directory, where, options, false)).dataset;
}

/** Reading so much, and what follows it, takes far longer than the 25 ms of giving it back. */
const LEAST_OF_TABLES = 2 ** 24;

/** The rows split as the config says, and for a refit with training and validation rows together. */
export interface Datasets {
  readonly dataset: Dataset;
  readonly refit?: Dataset;
}

/**
 * As `loadDataset`, from one reading.
 * @param refit whether to return that dataset too; it has the classes of the other
 */
export async function loadDatasets(
  config: TrainConfig,
  directory: string,
  where: Where,
  options: LoadOptions,
  refit: boolean,
): Promise<Datasets> {
  const datasets = await readDatasets(config, directory, where, options, refit);
  // Of the tables, which nobody has any more.
  releaseMemory(LEAST_OF_TABLES);
  return datasets;
}

async function readDatasets(
  config: TrainConfig,
  directory: string,
  where: Where,
  options: LoadOptions,
  refit: boolean,
): Promise<Datasets> {
  const { encodings } = options;
  const whole = encodings ? configFor(config, encodings, where) : config;
  const loading: Loading = { config: whole, directory, where, options, open: [] };
  if (!options.files) {
    // Their hashes name a cache.
    const files = new ReadFiles();
    loading.options = { ...options, files };
    loading.open.push(files);
  }
  try {
    const inputs = await openInputs(loading);
    loading.caches = await DatasetCaches.of(whole, { ...loading.options, directory, where });
    const cached = await loading.caches?.open(refit);
    if (cached) return cached;
    if (options.cache === 'read') loading.caches = undefined;
    const numeric =
      // Two files can only be fitted together as tables.
      refit && inputs.validation
        ? undefined
        : await buildDatasets(loading, inputs, NumericRows.scan, refit).catch(unlessNotNumeric);
    return numeric ?? (await buildDatasets(loading, inputs, TableRows.read, refit));
  } finally {
    for (const resource of loading.open) await resource.close();
  }
}

/** What all steps need. */
interface Loading {
  readonly config: TrainConfig;
  readonly directory: string;
  readonly where: Where;
  options: LoadOptions;
  /** Of a config that asks for one, once its files are open. */
  caches?: DatasetCaches | undefined;
  /** Closed at the end, whatever happens. */
  readonly open: { close(): void | Promise<void> }[];
}

/** The training table, and the tables of held-out rows that have their own. */
interface Inputs {
  readonly train: Input;
  readonly validation?: Input;
  readonly test?: Input;
}

/**
 * One of the two ways to read the rows of a table.
 * @throws NotNumeric if the table needs the other way
 */
type ReadRows = (input: Input, options: ReadRowsOptions) => Promise<RowReader>;

/** A message names this many classes and counts the rest. */
const MOST_NAMED = 5;

/** A larger float64 rounds to infinity in float32. */
const LARGEST_FLOAT32 = 3.4028235677973362e38;

function unlessNotNumeric(error: unknown): undefined {
  if (!(error instanceof NotNumeric)) throw error;
}

async function openInputs(loading: Loading): Promise<Inputs> {
  const { config, where, options } = loading;
  const { data } = config;
  const { memory = {}, encodings } = options;
  if (memory.train) options.files?.add('data.train', '-');
  const table = memory.train
    ? memoryTable(memory.train)
    : await openFiles(loading, 'data.train', data.train, wantedHeader(data, where));
  const chosen = chooseColumns(table, data, where);
  const choice = encodings ? givenColumns(table, chosen, encodings, where) : chosen;
  const train = { table, choice };
  const heldOut: { [Name in 'validation' | 'test']?: Input } = {};
  for (const name of ['validation', 'test'] as const) {
    const given = memory[name];
    const path = data[name];
    if (given === undefined && typeof path !== 'string') continue;
    if (given) options.files?.add(`data.${name}`, '-');
    const other = given
      ? memoryTable(given, `data.${name}`)
      : await openFiles(loading, `data.${name}`, path as string, table.header);
    heldOut[name] = { table: other, choice: matchColumns(other, { ...table, choice }) };
  }
  return { train, ...heldOut };
}

/** Opens the file at a path, or all files of a list or a pattern as one table. */
async function openFiles(
  loading: Loading,
  key: DataFile['key'],
  given: string | readonly string[],
  header: 'auto' | boolean,
): Promise<TableSource> {
  return openJoined(filesOf(given, loading.directory), (path, first = header) =>
    openFile(loading, key, path, first),
  );
}

async function openFile(
  loading: Loading,
  key: DataFile['key'],
  path: string,
  header: 'auto' | boolean,
): Promise<TableSource> {
  const { data } = loading.config;
  const { delimiter, comment, encoding, decimal, thousands, numbers, categories, badRows } = data;
  const { progress, files, encodings } = loading.options;
  const table = await openTable(
    sourcePath(path, loading.directory),
    {
      ...readingOf(data),
      delimiter,
      header,
      ...(comment !== undefined && { comment }),
      ...(encoding !== undefined && { encoding }),
      ...(decimal !== undefined && { decimal }),
      ...(thousands !== undefined && { thousands }),
      ...(numbers !== undefined && { numbers }),
      missingValues: missingValuesOf(data.missingValues),
      categories: encodings ? [...categories, ...givenCategories(encodings)] : categories,
      skipsBadRows: badRows === 'skip',
      ...(files && { keep: (stored) => files.add(key, path, stored) }),
    },
    progress && ((done, total) => progress(path, done, total)),
  );
  loading.open.push(table);
  return table;
}

async function buildDatasets(
  loading: Loading,
  inputs: Inputs,
  read: ReadRows,
  refit: boolean,
): Promise<Datasets> {
  const { config, where } = loading;
  const { encodings: given, bytesOfPart } = loading.options;
  const reader = await readRows(loading, inputs.train, read);
  const columns = targetColumns(inputs.train, reader);
  const rules = targetRules(config, inputs.train);
  const detected = given
    ? givenTargetEncoding(columns, given, rules)
    : detectTargetEncoding(columns, rules, where);
  const { targetTransform } = config.data;
  const loss = lossNameOf(config.training.loss);
  const domain =
    detected.task === 'regression' && targetDomain({ loss, ...(targetTransform && { targetTransform }) });
  if (targetTransform && detected.task !== 'regression') {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'targetTransform'])}: found "${targetTransform}" in a ${detected.task} task, expected a regression`,
      'classes and labels have no logarithm: remove the key, or check data.target',
    );
  }
  const targetEncoding = { ...detected, ...(domain && { domain }) };
  const { splits, folds } = await splitInputs(loading, inputs, reader, targetEncoding, read);
  const all = folds ? [...splits, heldOutFolds(splits[0], folds, config)] : splits;
  const { task } = targetEncoding;
  // Of the chunks that the table was read in.
  releaseMemory();
  const dataset = await filled(loading, { name: 'dataset', task }, async (cache) => {
    const options = { given, embeds: true, leastGathered: leastGatheredOf(config), bytesOfPart, cache };
    const matrix = await fillMatrix(splits, config.dtype, options);
    const assembled = assembleDataset(config, targetEncoding, all, matrix, given);
    return folds ? { ...assembled, folds } : assembled;
  });
  if (!refit) return { dataset };
  // Where the network embeds no levels, more rows must not make it necessary.
  const embeds = dataset.encodings.some(isNumbered);
  const leastGathered = leastGatheredOf(config);
  const rows = refitRows(splits);
  const dataOfRefit = await filled(loading, { name: 'refit', task }, async (cache) => {
    const again = await fillMatrix(rows, config.dtype, { given, embeds, leastGathered, bytesOfPart, cache });
    // The other dataset has told what there is to tell of the tables.
    return assembleDataset(config, targetEncoding, rows, { ...again, unknown: new Map() }, given);
  });
  return { dataset, refit: dataOfRefit };
}

/** The training rows of the folds that a member is trained without, in the same place. */
function heldOutFolds(train: SplitRows, folds: readonly number[], { network }: TrainConfig): SplitRows {
  const members = network.members === undefined ? folds.length : networksOf(network);
  const rows = folds.slice(0, members).reduce((sum, count) => sum + count, 0);
  return { ...train, name: 'validation', rows: train.rows.subarray(0, rows) };
}

/** Which rows validate. A single network holds out the first of the folds, as in a cross-validation. */
function validationRule({ data: { validation }, network }: TrainConfig): DataConfig['validation'] {
  if (!isMemberFolds(validation) || network.members === undefined || networksOf(network) > 1) {
    return validation;
  }
  const { folds: of, ...shape } = validation;
  return { fold: 1, of, repeat: 1, ...shape };
}

async function readRows(
  { config, options, open }: Loading,
  input: Input,
  read: ReadRows,
  training?: RowReader,
): Promise<RowReader> {
  const { threads = availableParallelism(), progress, encodings } = options;
  const { bytesInMemory: mostBytes = mostBytesOf(config.data) } = options;
  const reader = await read(input, {
    data: config.data,
    threads,
    mostBytes,
    ...(training && { training }),
    ...(encodings && { encodings: encodings.features }),
    ...(progress && { progress: (done, total) => progress(input.table.path, done, total) }),
  });
  open.push(reader);
  return reader;
}

/** Columns are read from a disk several times, which takes longer than once to memory. */
function mostBytesOf({ cache }: DataConfig): number {
  const limit = memoryLimit();
  return cache === undefined ? limit / 4 : Math.min(limit / 8, 2 ** 29);
}

/** Splits the training table, reads the others, and returns the splits that have rows of their own. */
async function splitInputs(
  loading: Loading,
  inputs: Inputs,
  reader: RowReader,
  targetEncoding: TargetEncoding,
  read: ReadRows,
): Promise<{ splits: SplitRows[]; folds?: readonly number[] }> {
  const {
    config: { data, dtype, seed },
    where,
  } = loading;
  const largest =
    dtype === 'float32' && !standardizesTarget(loading.config) && !data.targetTransform
      ? LARGEST_FLOAT32
      : Number.MAX_VALUE;
  const withTargets = (input: Input, reader: RowReader): InputRows => {
    const unknownClasses = new Map<string, number>();
    const targets = encodeTargets(targetColumns(input, reader), targetEncoding, largest, unknownClasses);
    const column = input.choice.weights;
    const weights = rowWeights(data.weights, targets, targetEncoding, {
      column: column === undefined ? undefined : reader.located(column),
      where,
    });
    return withPlaces({ input, reader, targets, unknownClasses, weights });
  };
  const training = withTargets(inputs.train, reader);
  const { task, classes } = targetEncoding;
  const { train, folds, ...taken } = splitRows({
    // A table of its own takes no rows of the training table.
    validation: inputs.validation ? 0 : validationRule(loading.config),
    test: inputs.test ? 0 : data.test,
    locatedColumns: markColumns(inputs.train, reader),
    from: weightedRows(rowsWithTarget(training.targets), training.weights, inputs.train.table.path),
    ...(task === 'regression' && 'values' in training.targets && { values: firstTargets(training.targets) }),
    ...(classes &&
      'labels' in training.targets && { classes: { ...training.targets, names: classes.names } }),
    seed,
    path: inputs.train.table.path,
    where,
    ...(data.dates && { dates: data.dates }),
  });

  const splits: SplitRows[] = [];
  let first = 0;
  const add = (name: SplitName, from: InputRows, rows: Int32Array) => {
    if (rows.length === 0) return;
    splits.push({ name, from, rows, first });
    for (let i = 0; i < rows.length; i++) from.place[rows[i]] = first + i;
    first += rows.length;
  };
  add('train', training, train);
  for (const name of ['validation', 'test'] as const) {
    const input = inputs[name];
    if (input === undefined) {
      add(name, training, taken[name]);
    } else {
      const other = await readRows(loading, input, read, reader);
      const held = withTargets(input, other);
      const known = knownRows(held.targets, classes?.names.length);
      if (known.length === 0 && held.unknownClasses.size > 0) throw noKnownClass(held, classes?.names ?? []);
      add(name, held, weightedRows(known, held.weights, input.table.path));
    }
  }
  return { splits, ...(folds && { folds }) };
}

function targetRules({ data, training }: TrainConfig, { table, choice }: Input): TargetRules {
  const { task, rareClasses, positive } = data;
  const dropsRows = choice.targets.some(
    (column) => settingOf(data.missing, table.names[column], 'error') === 'drop-row',
  );
  return {
    task,
    dropsRows,
    ...((data.targetTransform ||
      (NUMBER_LOSSES as readonly string[]).includes(lossNameOf(training.loss))) && {
      quantity: true,
    }),
    ...(rareClasses && { rareClasses }),
    ...(positive !== undefined && { positive }),
  };
}

/** The rows that have a target of the training table's `classes`, rising. */
function knownRows(targets: TargetValues, classes = 0): Int32Array {
  const rows = rowsWithTarget(targets);
  return 'labels' in targets ? rows.filter((row) => targets.labels[row] < classes) : rows;
}

function noKnownClass({ input, reader, unknownClasses }: InputRows, classes: readonly string[]): MlpError {
  const found = listed([...unknownClasses.keys()].map(quote), MOST_NAMED);
  const [{ label, path }] = targetColumns(input, reader);
  return new MlpError(
    ExitCode.data,
    `${path}: ${label}: found only classes that the training data lack (${found}), ` +
      `expected ${listed(classes.map(quote), MOST_NAMED)}`,
  );
}

/** [rows] The first of several targets. */
function firstTargets({ values, width }: { values: Float64Array; width: number }): Float64Array {
  return width === 1 ? values : values.filter((_, i) => i % width === 0);
}

function markColumns({ choice: { validation, test } }: Input, reader: RowReader) {
  return {
    ...(validation !== undefined && { validation: reader.located(validation) }),
    ...(test !== undefined && { test: reader.located(test) }),
  };
}
