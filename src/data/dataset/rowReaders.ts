/**
 * Reads the rows of a table for a dataset, in one of two ways. `NumericRows` goes over the bytes of
 * a numeric file as often as needed and keeps no cells. `TableRows` reads columns, which stay on a disk if they are
 * large.
 */

import { ExitCode, MlpError } from '../../errors.js';
import type { DType } from '../../kernels/kernels.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import { dateSettingOf, settingOf } from '../../spec/dataConfig.js';
import { looksNumeric } from '../cell.js';
import { type ColumnStore, type StoredTable, selectStored, storeOf } from '../columnStore.js';
import { beginsWithNumbers } from '../csv/dialect.js';
import { beginsWithWords } from '../csv/readTable.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import {
  arePixels,
  constantColumns,
  encodingWidth,
  type FeatureEncoding,
  type FeatureRequest,
  matrixWidth,
  type NumericEncoding,
  withoutConstants,
} from '../encoding/encoding.js';
import { FeatureFitter, unknownIn, writeFeatures } from '../encoding/features.js';
import { rowsWithMissing } from '../encoding/missing.js';
import { MajorityVote, mostAreOne } from '../encoding/numberEncoding.js';
import { elementsOf, type FeatureMatrix, keepColumns } from '../featureMatrix.js';
import { joinStored } from '../joinedTable.js';
import { firstRows, type LocatedColumn, rowsWhere } from '../locatedColumn.js';
import { MissingRule, missingValuesOf } from '../missingValues.js';
import { fitInBlocks, type NumericFit, trainBlocks } from '../numeric/fit.js';
import { NumericFile } from '../numeric/numericFile.js';
import type { KeptKind } from '../numeric/scan.js';
import { type Scaling, type Transform, transformed } from '../scaling.js';
import {
  type Column,
  type ColumnKind,
  cellLocation,
  columnLabel,
  numericColumn,
  type Table,
} from '../table.js';
import type { TableSource } from '../tableSource.js';
import type { ColumnChoice } from './columnChoice.js';

/** An open table with its columns chosen. */
export interface Input {
  readonly table: TableSource;
  readonly choice: ColumnChoice;
}

export interface ReadRowsOptions {
  readonly data: DataConfig;
  /** The training rows, if they are in another table: features have the same kinds. */
  readonly training?: RowReader;
  /** Encodings of the features that the rows are to be written by, if none are to be fitted. */
  readonly encodings?: readonly FeatureEncoding[];
  readonly threads: number;
  /** Features of more bytes stay on the disk. */
  readonly mostBytes: number;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** Takes rows of the matrix that are the first of `rows`, and where they belong. */
export type TakeRows = (rows: FeatureMatrix, places: Int32Array) => void;

/** The rows of the matrix that a table fills. */
interface Placement {
  /** [rows of the table] The row of the matrix; −1 for a row that is left out. */
  readonly place: Int32Array;
  /** The training rows in the order of the matrix, whose first rows they are. */
  readonly train: Int32Array;
  /** Whether all tables of the dataset are numeric, and so fitted as numeric files. */
  readonly numeric: boolean;
  /** Whether levels may become numbers for an embedding, as the config says; else they never do. */
  readonly embeds: boolean;
  /** From how many levels on the network takes numbers of levels in place of one-hot columns. */
  readonly leastGathered: number;
}

export interface Fitted {
  /** One for each feature column. */
  readonly encodings: readonly FeatureEncoding[];
  readonly matrix: FeatureMatrix;
}

export interface RowReader {
  readonly rows: number;
  /** Rows that were dropped because a cell is missing. */
  readonly dropped: number;
  /** Sentences for the user about how the file was read. */
  readonly notes: readonly string[];
  /** Whether all features are numbers without missing cells. */
  readonly isNumeric: boolean;
  /** The number of a row in the table, from 1: dropped rows count too, those that can't be read don't. */
  rowNumber(row: number): number;
  /** Whether feature `j` is a number or a category. */
  featureKind(j: number): Column['kind'];
  /** A column that is not a feature: targets, weights, or marks of held-out rows. */
  located(column: number): LocatedColumn;
  /**
   * Fits the encodings on the training rows, and writes all rows into the matrix that `create`
   * makes for a number of columns.
   * @throws NotNumeric if the file turns out not to be numeric
   */
  fit(placement: Placement, create: (columns: number) => FeatureMatrix): Promise<Fitted>;
  /**
   * Fits the same encodings, and writes nothing: `write` does.
   * @param dtype of the matrix
   * @throws NotNumeric as `fit`
   */
  measure(placement: Placement, dtype: DType): Promise<readonly FeatureEncoding[]>;
  /**
   * Writes the rows that have a place by encodings fitted before or elsewhere.
   * @throws NotNumeric as `fit`
   */
  write(encodings: readonly FeatureEncoding[], place: Int32Array, matrix: FeatureMatrix): Promise<void>;
  /**
   * As `write`, but some rows at a time, in the order of the file: `rows` is a matrix for each of them.
   * @throws NotNumeric as `fit`
   */
  writeSome(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    rows: FeatureMatrix,
    take: TakeRows,
  ): Promise<void>;
  /** The levels of the rows that have a place which the encodings don't know. */
  unknown(encodings: readonly FeatureEncoding[], place: Int32Array): Promise<readonly UnknownLevel[]>;
  close(): Promise<void>;
}

/** Thrown if a file is not numeric, so all rows have to be read as tables. */
export class NotNumeric extends Error {}

/** Rows whose features are all plain numbers. */
export class NumericRows implements RowReader {
  readonly #input: Input;
  readonly #file: NumericFile;
  readonly #data: DataConfig;
  readonly dropped = 0;
  readonly isNumeric = true;

  private constructor(input: Input, file: NumericFile, data: DataConfig) {
    this.#input = input;
    this.#file = file;
    this.#data = data;
  }

  /** @throws NotNumeric for any other table */
  static async scan(
    input: Input,
    { data, threads, progress, encodings }: ReadRowsOptions,
  ): Promise<NumericRows> {
    const { table, choice } = input;
    const areNumbers = encodings ? encodings.every(isPlainNumber) : isNumericRequest(input, data);
    if (
      table.csv === undefined ||
      table.csv.dialect.comment !== undefined ||
      table.csv.dialect.notations !== undefined ||
      data.missingValues !== undefined ||
      !areNumbers
    ) {
      throw new NotNumeric();
    }
    if (!choice.features.every((column) => beginsWithNumbers(table, column))) throw new NotNumeric();
    const number = data.task === 'regression' ? 'numeric' : 'label';
    const kept = new Map<number, KeptKind>();
    for (const column of otherColumns(choice)) {
      const kind = choice.targets.includes(column) ? number : 'numeric';
      kept.set(column, beginsWithNumbers(table, column) ? kind : 'text');
    }
    const { features } = choice;
    const file = await NumericFile.scan({
      ...table.csv,
      kept,
      features,
      threads,
      ...(progress && { progress }),
    });
    if (file === null) throw new NotNumeric();
    const isSure = areClasses(data.task);
    // Whether such a column holds numbers and bad rows is judged on the table.
    const isDoubtful =
      data.badRows === 'skip' && [...kept.keys()].some((column) => isMixed(file.column(column)));
    if (isDoubtful || (isSure && choice.targets.some((column) => hasManySpellings(file.column(column))))) {
      await file.close();
      throw new NotNumeric();
    }
    return new NumericRows(input, file, data);
  }

  get rows(): number {
    return this.#file.rows;
  }

  get notes(): readonly string[] {
    return this.#file.notes;
  }

  rowNumber(row: number): number {
    return row + 1;
  }

  featureKind(): 'numeric' {
    return 'numeric';
  }

  located(column: number): LocatedColumn {
    const { table } = this.#input;
    const label = columnLabel(table.header, table.names[column]);
    const location = (row: number) => `${table.path}:${this.#file.line(row)}: ${label}`;
    const name = table.names[column];
    return { name, column: this.#file.column(column), path: table.path, label, location };
  }

  async fit({ place, train }: Placement, create: (columns: number) => FeatureMatrix): Promise<Fitted> {
    const { features } = this.#input.choice;
    const matrix = create(features.length);
    const { requests, numbers } = await this.#fitted(place, train.length, matrix);
    const isMost = (j: number) => mostAreOne(train.length, elementsOf(matrix, j));
    if (mayShare(requests, numbers, isMost)) throw new NotNumeric();
    const encodings = varying(this.#input, train.length, numbers);
    const kept = features.map((_, j) => j).filter((j) => encodings[j].kind !== 'constant');
    return { encodings, matrix: keepColumns(matrix, kept) };
  }

  async measure({ place, train }: Placement, dtype: DType): Promise<readonly FeatureEncoding[]> {
    const { requests, numbers } = await this.#fitted(place, train.length);
    if (mayShare(requests, numbers, () => true)) {
      const isMost = await this.#mostAreOne(place, train.length, numbers, dtype);
      if (mayShare(requests, numbers, (j) => isMost[j])) throw new NotNumeric();
    }
    return varying(this.#input, train.length, numbers);
  }

  async #fitted(place: Int32Array, trainRows: number, matrix?: FeatureMatrix) {
    const { features } = this.#input.choice;
    const requests = featureRequests(this.#input, this.#data);
    const fitted = await this.#file.fit({
      features,
      scalings: requests.map(({ scaling }) => scaling),
      missingIsError: requests.every(({ missing }) => missing === 'error'),
      badIsError: this.#data.badRows !== 'skip',
      place,
      trainRows,
      ...(matrix && { matrix }),
    });
    if (fitted === null) throw new NotNumeric();
    return { requests, numbers: numericEncodings(this.#input, requests, fitted) };
  }

  /** Whether one number fills more than half of the training rows, for each feature as the matrix would have it. */
  async #mostAreOne(
    place: Int32Array,
    trainRows: number,
    encodings: readonly Transform[],
    dtype: DType,
  ): Promise<boolean[]> {
    const { features } = this.#input.choice;
    const round = dtype === 'float32' ? Math.fround : (value: number) => value;
    const votes = encodings.map(() => new MajorityVote());
    const each = (take: (vote: MajorityVote, value: number) => void) =>
      this.#file.readNumbers(features, (row, j, value) => {
        if (place[row] >= 0 && place[row] < trainRows)
          take(votes[j], round(transformed(value, encodings[j])));
      });
    await each((vote, value) => vote.add(value));
    await each((vote, value) => vote.count(value));
    return votes.map(({ found }) => 2 * found > trainRows);
  }

  async write(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    matrix: FeatureMatrix,
  ): Promise<void> {
    const varying = encodings.filter(({ kind }) => kind !== 'constant');
    const transforms = varying.filter((encoding) => encoding.kind === 'numeric');
    const features = this.#input.choice.features.filter((_, j) => encodings[j].kind !== 'constant');
    if (transforms.length < features.length) throw new NotNumeric();
    if (!(await this.#file.write(features, transforms, place, matrix))) throw new NotNumeric();
  }

  async writeSome(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    rows: FeatureMatrix,
    take: TakeRows,
  ): Promise<void> {
    const local = new Int32Array(new SharedArrayBuffer(place.byteLength)).fill(-1);
    for (const { from, to, places } of windowsOf(place, rows.rows, local)) {
      await this.write(encodings, local, rows);
      take(rows, places);
      local.fill(-1, from, to);
    }
  }

  async unknown(): Promise<readonly UnknownLevel[]> {
    return [];
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/**
 * Places of as many rows as a matrix has, in the order of the file. Meanwhile `local` says which row of the matrix
 * each of them is.
 */
function* windowsOf(place: Int32Array, most: number, local: Int32Array) {
  for (let from = 0; from < place.length; ) {
    const places: number[] = [];
    let to = from;
    for (; to < place.length && places.length < most; to++) {
      if (place[to] >= 0) local[to] = places.push(place[to]) - 1;
    }
    if (places.length > 0) yield { from, to, places: Int32Array.from(places) };
    from = to;
  }
}

/** Rows of any kind. */
export class TableRows implements RowReader {
  readonly #input: Input;
  /** Without the features, if these stay on the disk. */
  readonly #table: Table;
  readonly #store: ColumnStore;
  readonly #data: DataConfig;
  /** [rows] The rows of the table that were kept; undefined for all. */
  readonly #kept: Int32Array | undefined;
  readonly isNumeric: boolean;

  private constructor(
    input: Input,
    { table, store }: StoredTable,
    data: DataConfig,
    readonly dropped: number,
    kept?: Int32Array,
  ) {
    this.#input = input;
    this.#table = table;
    this.#store = store;
    this.#data = data;
    this.#kept = kept;
    const { csv } = input.table;
    // A CSV that gets here was not numeric, but a table in memory may be.
    this.isNumeric =
      csv === undefined &&
      dropped === 0 &&
      isNumericRequest(input, data) &&
      input.choice.features.every((column) => {
        const { kind, missing } = store.column(column);
        return kind === 'numeric' && missing === 0;
      });
  }

  static async read(input: Input, options: ReadRowsOptions): Promise<TableRows> {
    const { data } = options;
    const { choice, table } = input;
    const whole = await readColumns(input, options);
    const isDroppable = (column: number) =>
      settingOf(data.missing, table.names[column], 'error') === 'drop-row';
    const incomplete = rowsWithMissing(whole.table, choice.targets.filter(isDroppable));
    const { rows } = whole.table;
    const droppable = choice.features.filter(
      (column) => isDroppable(column) && whole.store.column(column).missing > 0,
    );
    await whole.store.each(droppable, (part, column) => {
      rowsWithMissing(part, [column], incomplete);
    });
    const kept = rowsWhere(firstRows(rows), (row) => !incomplete[row]);
    if (kept.length === rows) return new TableRows(input, whole, data, 0);
    return new TableRows(input, selectStored(whole, kept), data, rows - kept.length, kept);
  }

  get rows(): number {
    return this.#table.rows;
  }

  get notes(): readonly string[] {
    return this.#table.notes ?? [];
  }

  rowNumber(row: number): number {
    return (this.#kept?.[row] ?? row) + 1;
  }

  featureKind(j: number): Column['kind'] {
    return this.#store.column(this.#input.choice.features[j]).kind;
  }

  located(index: number): LocatedColumn {
    const { path, header, names, columns } = this.#table;
    const column = columns[index];
    if (column === undefined) throw new TypeError(`column ${index} of ${path} was not read`);
    const location = (row: number) => cellLocation(this.#table, index, row);
    return { name: names[index], column, path, label: columnLabel(header, names[index]), location };
  }

  async fit(placement: Placement, create: (columns: number) => FeatureMatrix): Promise<Fitted> {
    const encodings = await this.measure(placement);
    const matrix = create(matrixWidth(encodings));
    await this.write(encodings, placement.place, matrix);
    return { encodings, matrix };
  }

  async measure(placement: Placement): Promise<readonly FeatureEncoding[]> {
    const fitted = (await this.#fitNumeric(placement)) ?? (await this.#fitTable(placement));
    return varying(this.#input, placement.train.length, fitted);
  }

  async write(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    matrix: FeatureMatrix,
  ): Promise<void> {
    const { features } = this.#input.choice;
    let first = 0;
    for await (const part of this.#store.parts(features)) {
      writeFeatures(part, features, encodings, place.subarray(first, first + part.rows), matrix);
      first += part.rows;
    }
  }

  async writeSome(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    rows: FeatureMatrix,
    take: TakeRows,
  ): Promise<void> {
    const { features } = this.#input.choice;
    let first = 0;
    for await (const part of this.#store.parts(features)) {
      const own = place.subarray(first, first + part.rows);
      const local = new Int32Array(part.rows).fill(-1);
      for (const { from, to, places } of windowsOf(own, rows.rows, local)) {
        writeFeatures(part, features, encodings, local, rows);
        take(rows, places);
        local.fill(-1, from, to);
      }
      first += part.rows;
    }
  }

  async unknown(encodings: readonly FeatureEncoding[], place: Int32Array): Promise<readonly UnknownLevel[]> {
    const { features } = this.#input.choice;
    const found: UnknownLevel[] = [];
    const ofLevels = features.flatMap((column, j) => (hasLevels(encodings[j]) ? [{ column, j }] : []));
    let next = 0;
    await this.#store.each(
      ofLevels.map(({ column }) => column),
      (part, column) => {
        const { j } = ofLevels[next++];
        found.push(...unknownIn(part, [column], [encodings[j]], place));
      },
    );
    return found;
  }

  async close(): Promise<void> {
    this.#store.close();
  }

  /** Gives the same bits as a CSV of these numbers, up to 1 MiB. */
  async #fitNumeric({ numeric, place, train }: Placement): Promise<FeatureEncoding[] | undefined> {
    if (!numeric) return undefined;
    const requests = featureRequests(this.#input, this.#data);
    const { features } = this.#input.choice;
    const blocks = trainBlocks(this.#table.names.length, place, train.length);
    const fitted: NumericFit[] = [];
    let next = 0;
    await this.#store.each(features, (part, column) => {
      const fit = fitInBlocks(numericColumn(part, column).values, requests[next++].scaling, blocks);
      if (fit) fitted.push(fit);
    });
    if (fitted.length < features.length) return undefined;
    const numbers = numericEncodings(this.#input, requests, fitted);
    const asked = features.filter(
      (_, j) => requests[j].leastShared !== undefined && requests[j].leastShared < NEVER,
    );
    if (asked.length === 0 || arePixels(numbers)) return numbers;
    let isShared = false;
    await this.#store.each(asked, (part, column) => {
      const { values } = numericColumn(part, column);
      isShared ||= mostAreOne(train.length, (row) => values[train[row]]);
    });
    return isShared ? undefined : numbers;
  }

  async #fitTable({ train, embeds, leastGathered }: Placement): Promise<FeatureEncoding[]> {
    const requests = featureRequests(this.#input, this.#data).map((request) => ({
      ...request,
      leastGathered,
    }));
    const all = embeds
      ? requests
      : requests.map((request) => ({ ...request, leastEmbedded: NEVER, leastShared: NEVER }));
    const fitter = new FeatureFitter(all, train);
    await this.#store.each(this.#input.choice.features, (part) => fitter.add(part));
    return fitter.finish();
  }

  /** These rows, then those of another table with the same features; the features alone. */
  joined(other: TableRows): TableRows {
    const { features } = this.#input.choice;
    const parts = [this, other].map((part) => {
      // What was found in columns, by their numbers in each table, has been told.
      const { odd: _, mixed: __, ...table } = part.#table;
      const columns = this.#table.names.map((): number => -1);
      part.#input.choice.features.forEach((column, j) => {
        columns[features[j]] = column;
      });
      return { table, store: part.#store, columns };
    });
    const path = `${this.#table.path} and ${other.#table.path}`;
    const stored = joinStored(path, parts, this.#table.names);
    return new TableRows(this.#input, stored, this.#data, this.dropped + other.dropped, this.#kept);
  }
}

/** Of columns that are read from their file again. */
const BYTES_OF_COLUMNS = 2 ** 26;

/** Reads the columns that a dataset needs, and leaves large ones on the disk. */
async function readColumns(input: Input, options: ReadRowsOptions): Promise<StoredTable> {
  const { table, choice } = input;
  const { data, progress, threads, mostBytes } = options;
  const missingValues = missingValuesOf(data.missingValues);
  const kinds = columnKinds(input, options);
  const bytes = (table.mostRows ?? 0) * choice.features.length * Float64Array.BYTES_PER_ELEMENT;
  const most = table.isColumnar ? Math.min(mostBytes, BYTES_OF_COLUMNS) : mostBytes;
  if (table.store && bytes > most && data.badRows !== 'skip') {
    return table.store(kinds, new Set(otherColumns(choice)), progress, missingValues, threads);
  }
  const whole = await table.read(kinds, progress, missingValues, threads);
  return { table: whole, store: storeOf(whole) };
}

function hasLevels({ kind }: FeatureEncoding): boolean {
  return kind === 'category' || kind === 'boolean';
}

/**
 * Whether a column may have numbers to embed, which only the cells of a table tell.
 * @param isMost whether one number fills more than half of the training rows of a column
 */
function mayShare(
  requests: readonly FeatureRequest[],
  encodings: readonly FeatureEncoding[],
  isMost: (j: number) => boolean,
): boolean {
  if (arePixels(encodings)) return false;
  return requests.some(({ leastShared = NEVER }, j) => leastShared < NEVER && isMost(j));
}

function isMixed(column: Column): boolean {
  return column.kind === 'text' && column.levels.some(looksNumeric);
}

function hasManySpellings(column: Column): boolean {
  return column.kind === 'numeric' && column.written === 'many';
}

/** The columns that a dataset needs but that are not features. */
function otherColumns({ targets, weights, validation, test }: ColumnChoice): number[] {
  return [...targets, weights, validation, test].filter((column) => column !== undefined);
}

/**
 * Takes the columns of a single value out of the matrix. A single training row tells of none.
 * @throws MlpError ExitCode.data if all are
 */
function varying(
  { table }: Input,
  trainRows: number,
  encodings: readonly FeatureEncoding[],
): readonly FeatureEncoding[] {
  if (trainRows === 1) return encodings;
  const fitted = withoutConstants(encodings);
  const others = fitted.filter((encoding) => encodingWidth(encoding) > 0);
  if (constantColumns(others).length < others.length) return fitted;
  const where =
    fitted.length === 1 ? 'the only feature column' : `each of the ${fitted.length} feature columns`;
  throw new MlpError(
    ExitCode.data,
    `${table.path}: found a single value in ${where} of the training rows, expected a column that varies`,
    'check data.features and data.exclude',
  );
}

/** The encodings of numeric features. */
function numericEncodings(
  { table, choice: { features } }: Input,
  requests: readonly FeatureRequest[],
  fitted: readonly NumericFit[],
): NumericEncoding[] {
  return fitted.map(({ mean, range, ...transform }, j) => ({
    kind: 'numeric',
    column: table.names[features[j]],
    ...transform,
    // The shift is the mean, or the median that an indicator goes with.
    ...(fillsCentre(requests[j]) && {
      fill: requests[j].missing === 'mean' ? (mean ?? transform.shift) : transform.shift,
    }),
    range,
  }));
}

/** Whether the encoding takes a number alone, and gives one. */
function isPlainNumber(encoding: FeatureEncoding): boolean {
  if (encoding.indicator) return false;
  return encoding.kind === 'constant' || (encoding.kind === 'numeric' && encoding.levels === undefined);
}

const NEVER = Number.POSITIVE_INFINITY;

function featureRequests({ table, choice }: Input, data: DataConfig): FeatureRequest[] {
  const categories = new Set(choice.categories);
  return choice.features.map((index) => {
    const name = table.names[index];
    const standardize = settingOf(data.standardize, name, true);
    const scaling: Scaling =
      typeof standardize === 'string' ? standardize : standardize ? 'standard' : 'none';
    const category = categories.has(index);
    const dates = dateSettingOf(data, name);
    const missing = settingOf(data.missing, name, 'error');
    const { embedFrom = NEVER, embedNumbersFrom = NEVER } = data;
    const leastEmbedded = settingOf(embedFrom, name, NEVER);
    const leastShared = settingOf(embedNumbersFrom, name, NEVER);
    return { index, scaling, missing, category, leastEmbedded, leastShared, ...(dates && { dates }) };
  });
}

/**
 * Whether the config asks only for numbers, and missing cells are filled with the mean or the
 * median, which the scaling needs: the numeric path keeps no cell to fit on.
 */
function isNumericRequest(input: Input, data: DataConfig): boolean {
  return input.choice.categories.length === 0 && featureRequests(input, data).every(hasNumericFill);
}

function hasNumericFill(request: FeatureRequest): boolean {
  const { missing, scaling, dates } = request;
  if (dates) return false;
  return (
    missing === 'error' ||
    missing === 'drop-row' ||
    (fillsCentre(request) && (scaling === 'standard' || scaling === 'robust'))
  );
}

function fillsCentre({ missing }: FeatureRequest): boolean {
  return missing === 'mean' || missing === 'indicator';
}

/**
 * The kinds to read columns as. A target that starts with text, or whose numbers are classes, is
 * text: it may be a mixture, and only its task tells what that means.
 */
function columnKinds({ table, choice }: Input, { data, training, encodings }: ReadRowsOptions): ColumnKind[] {
  const missingValues = missingValuesOf(data.missingValues);
  // A bad row may be among the first.
  const skips = data.badRows === 'skip';
  const kinds = new Array<ColumnKind>(table.names.length).fill('skipped');
  choice.features.forEach((feature, j) => {
    if (encodings) {
      kinds[feature] = encodings[j].kind === 'numeric' ? 'numeric' : 'text';
      return;
    }
    const isDate = dateSettingOf(data, table.names[feature]) !== undefined;
    kinds[feature] = isDate ? 'text' : (training?.featureKind(j) ?? 'auto');
  });
  for (const category of choice.categories) kinds[category] = 'text';
  for (const other of otherColumns(choice)) {
    const rule = MissingRule.of(missingValues, table.names[other]);
    kinds[other] = skips || beginsWithNumbers(table, other, rule) ? 'auto' : 'text';
  }
  // Numbers that are stored as text are text, unless bad ones are to be found.
  if (data.task === 'regression' && table.rejected && !table.csv) {
    for (const target of choice.targets) {
      const rule = MissingRule.of(missingValues, table.names[target]);
      if (!beginsWithWords(table.sample, target, rule)) kinds[target] = 'numeric';
    }
  }
  if (data.task === 'auto')
    for (const target of choice.targets) if (kinds[target] === 'auto') kinds[target] = 'label';
  if (areClasses(data.task)) for (const target of choice.targets) kinds[target] = 'text';
  return kinds;
}

/** Whether the task says that targets are text, whatever they look like. */
function areClasses(task: DataConfig['task']): boolean {
  return task !== 'auto' && task !== 'regression';
}
