/** Rows of any table: reads columns, which stay on a disk if they are large. */
import type { DataConfig } from '../../spec/dataConfig.js';
import { dateSettingOf, settingOf } from '../../spec/dataConfig.js';
import { type ColumnStore, type StoredTable, selectStored, storeOf } from '../columnStore.js';
import { beginsWithNumbers } from '../csv/dialect.js';
import { beginsWithWords } from '../csv/readTable.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { arePixels, type FeatureEncoding, matrixWidth } from '../encoding/encoding.js';
import { FeatureFitter, unknownIn, writeFeatures } from '../encoding/features.js';
import { rowsWithMissing } from '../encoding/missing.js';
import { mostAreOne } from '../encoding/numberEncoding.js';
import type { FeatureMatrix } from '../featureMatrix.js';
import { joinStored } from '../joinedTable.js';
import { firstRows, type LocatedColumn, rowsWhere } from '../locatedColumn.js';
import { MissingRule, missingValuesOf } from '../missingValues.js';
import { fitInBlocks, type NumericFit, trainBlocks } from '../numeric/fit.js';
import {
  type Column,
  type ColumnKind,
  cellLocation,
  columnLabel,
  numericColumn,
  type Table,
} from '../table.js';
import { featureRequests, isNumericRequest, NEVER, numericEncodings } from './featureRequests.js';
import {
  areClasses,
  type Fitted,
  type Input,
  otherColumns,
  type Placement,
  type ReadRowsOptions,
  type RowReader,
  type TakeRows,
  varying,
  windowsOf,
} from './rowReaders.js';

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
