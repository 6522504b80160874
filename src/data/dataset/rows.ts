/**
 * The rows of one CSV for a dataset, whichever way they are read: `PlainRows` goes over the bytes of a plain numeric file as often
 * as need be and keeps no cells, `TableRows` has all cells in memory, as csv-parse read them.
 */
import { settingOf } from '../../spec/columnSettings.js';
import type { DataConfig } from '../../spec/train.js';
import { readTable } from '../csv/readTable.js';
import { type Beginning, beginsWithNumbers } from '../dialect/dialect.js';
import { type FeatureEncoding, matrixWidth } from '../encode/encoding.js';
import { type FeatureRequest, fitFeatures } from '../encode/fit.js';
import { rowsWithMissing } from '../encode/missing.js';
import { type UnknownLevel, writeFeatures } from '../encode/write.js';
import type { ArenaMatrix } from '../plain/matrix.js';
import { PlainFile } from '../plain/plainFile.js';
import type { Scaling } from '../scaling.js';
import type { Source } from '../source/source.js';
import { type Column, type ColumnKind, columnLabel, type Table } from '../table.js';
import type { ColumnChoice } from './columns.js';
import { type Field, firstRows } from './field.js';
import { selectRows } from './selectRows.js';

/** An open file with its columns chosen. */
export interface Csv {
  readonly source: Source;
  readonly beginning: Beginning;
  readonly choice: ColumnChoice;
}

export interface ReadRowsOptions {
  readonly data: DataConfig;
  /** The rows of the training file, where this is another: its features are of the same kinds. */
  readonly training?: RowReader;
  readonly threads: number;
  readonly progress?: (doneBytes: number, totalBytes: number) => void;
}

/** Where the rows of a file go in the matrix. */
export interface Placement {
  /** [rows of the file] The row of the matrix; −1 for a row that has none. */
  readonly place: Int32Array;
  /** The training rows, in the order of the matrix, whose first rows they are. */
  readonly train: Int32Array;
}

export interface Fitted {
  readonly encodings: readonly FeatureEncoding[];
  /** Names of the columns of numbers that hold a single value in the training rows. */
  readonly constant: readonly string[];
  readonly unknown: readonly UnknownLevel[];
}

export interface RowReader {
  readonly rows: number;
  /** How many rows of the file are left out because a cell of theirs is missing. */
  readonly dropped: number;
  /** Whether a feature is a number or a category; `j` counts the features. */
  featureKind(j: number): Column['kind'];
  /** A column that is no feature: a target, weights, or one that says which rows are held out. */
  field(column: number): Field;
  /**
   * Fits the encodings on the training rows and writes all rows into the matrix that `create` makes for so many columns.
   * Undefined where the file turned out not to be plain.
   */
  fit(placement: Placement, create: (columns: number) => ArenaMatrix): Promise<Fitted | undefined>;
  /** Writes the rows by encodings fitted elsewhere. */
  write(
    encodings: readonly FeatureEncoding[],
    place: Int32Array,
    matrix: ArenaMatrix,
  ): Promise<readonly UnknownLevel[] | undefined>;
  close(): Promise<void>;
}

/** Rows whose features are all plain numbers; undefined where the file is of another kind. */
export class PlainRows implements RowReader {
  readonly dropped = 0;

  private constructor(
    private readonly csv: Csv,
    private readonly file: PlainFile,
    private readonly data: DataConfig,
  ) {}

  static async scan(csv: Csv, { data, threads, progress }: ReadRowsOptions): Promise<PlainRows | undefined> {
    const { source, beginning, choice } = csv;
    if (beginning.comment !== undefined || choice.categories.length > 0) return undefined;
    if (!choice.features.every((column) => beginsWithNumbers(beginning, column))) return undefined;
    if (!featureRequests(csv, data).every(hasPlainFill)) return undefined;
    const captured = new Map(
      otherColumns(choice).map(
        (column) => [column, beginsWithNumbers(beginning, column) ? 'numeric' : 'text'] as const,
      ),
    );
    const file = await PlainFile.scan({
      source,
      beginning,
      captured,
      threads,
      ...(progress && { progress }),
    });
    return file ? new PlainRows(csv, file, data) : undefined;
  }

  get rows(): number {
    return this.file.rows;
  }

  featureKind(): 'numeric' {
    return 'numeric';
  }

  field(column: number): Field {
    return fieldOf(this.csv, this.file.column(column), column, (row) => this.file.line(row));
  }

  async fit(
    { place, train }: Placement,
    create: (columns: number) => ArenaMatrix,
  ): Promise<Fitted | undefined> {
    const { features } = this.csv.choice;
    const requests = featureRequests(this.csv, this.data);
    const fitted = await this.file.fit({
      features,
      scalings: requests.map(({ scaling }) => scaling),
      missingIsError: requests.every(({ missing }) => missing === 'error'),
      place,
      trainRows: train.length,
      matrix: create(features.length),
    });
    if (fitted === null) return undefined;
    const { names } = this.csv.beginning;
    return {
      encodings: fitted.map(({ shift, scale }, j) => ({
        kind: 'numeric',
        column: names[features[j]],
        shift,
        scale,
        ...(fillsMean(requests[j]) && { fill: shift }),
      })),
      constant: fitted.flatMap(({ constant }, j) => (constant ? [names[features[j]]] : [])),
      unknown: [],
    };
  }

  async write(encodings: readonly FeatureEncoding[], place: Int32Array, matrix: ArenaMatrix) {
    const transforms = encodings.filter((encoding) => encoding.kind === 'numeric');
    const { features } = this.csv.choice;
    if (transforms.length < features.length) return undefined;
    return (await this.file.write(features, transforms, place, matrix)) ? [] : undefined;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Rows of any kind. */
export class TableRows implements RowReader {
  private constructor(
    private readonly csv: Csv,
    private readonly table: Table,
    private readonly data: DataConfig,
    readonly dropped: number,
  ) {}

  static async read(csv: Csv, options: ReadRowsOptions): Promise<TableRows> {
    const { source, beginning, choice } = csv;
    const { data, progress } = options;
    const kinds = columnKinds(beginning, choice, options);
    const whole = await readTable(source, beginning, { kinds: () => kinds, ...(progress && { progress }) });
    const droppable = [...choice.features, ...choice.targets].filter(
      (column) => settingOf(data.missing, beginning.names[column], 'error') === 'drop-row',
    );
    const incomplete = rowsWithMissing(whole, droppable);
    const kept = firstRows(whole.rows).filter((row) => !incomplete[row]);
    const table = kept.length < whole.rows ? selectRows(whole, kept) : whole;
    return new TableRows(csv, table, data, whole.rows - kept.length);
  }

  get rows(): number {
    return this.table.rows;
  }

  featureKind(j: number): Column['kind'] {
    return this.table.columns[this.csv.choice.features[j]]?.kind ?? 'text';
  }

  field(column: number): Field {
    return fieldOf(this.csv, this.table.columns[column], column, (row) => this.table.lines[row]);
  }

  async fit({ place, train }: Placement, create: (columns: number) => ArenaMatrix): Promise<Fitted> {
    const { encodings, constant } = fitFeatures(this.table, featureRequests(this.csv, this.data), train);
    const { unknown } = writeFeatures(
      this.table,
      this.csv.choice.features,
      encodings,
      place,
      create(matrixWidth(encodings)),
    );
    return { encodings, constant, unknown };
  }

  async write(encodings: readonly FeatureEncoding[], place: Int32Array, matrix: ArenaMatrix) {
    return writeFeatures(this.table, this.csv.choice.features, encodings, place, matrix).unknown;
  }

  async close(): Promise<void> {}
}

/** The columns that have a part in a dataset but are no features. */
function otherColumns({ targets, weights, validation, test }: ColumnChoice): number[] {
  return [...targets, weights, validation, test].filter((column) => column !== undefined);
}

function fieldOf(
  { source, beginning }: Csv,
  column: Column | undefined,
  index: number,
  line: (row: number) => number,
): Field {
  if (column === undefined) throw new TypeError(`column ${index} of ${source.name} was not read`);
  return { column, path: source.name, label: columnLabel(beginning.header, beginning.names[index]), line };
}

function featureRequests({ beginning, choice }: Csv, data: DataConfig): FeatureRequest[] {
  return choice.features.map((index) => {
    const name = beginning.names[index];
    const standardize = settingOf(data.standardize, name, true);
    const scaling: Scaling = standardize === 'minmax' ? 'minmax' : standardize ? 'standard' : 'none';
    const category = choice.categories.includes(index);
    return { index, scaling, missing: settingOf(data.missing, name, 'error'), category };
  });
}

/** Whether what a missing cell is filled with follows from the scaling, for no cell is kept that it could be fitted on. */
function hasPlainFill(request: FeatureRequest): boolean {
  const { missing, scaling } = request;
  return missing === 'error' || missing === 'drop-row' || (fillsMean(request) && scaling === 'standard');
}

function fillsMean({ missing }: FeatureRequest): boolean {
  return missing === 'mean' || missing === 'indicator';
}

/**
 * What csv-parse's cells are read as. A target that begins with text, or whose numbers are said to be classes, is text: it may be a mixture of
 * both, and only its task says what that means.
 */
function columnKinds(
  beginning: Beginning,
  choice: ColumnChoice,
  { data, training }: ReadRowsOptions,
): ColumnKind[] {
  const kinds = new Array<ColumnKind>(beginning.names.length).fill('skipped');
  choice.features.forEach((feature, j) => {
    kinds[feature] = training?.featureKind(j) ?? 'auto';
  });
  for (const category of choice.categories) kinds[category] = 'text';
  for (const other of otherColumns(choice))
    kinds[other] = beginsWithNumbers(beginning, other) ? 'auto' : 'text';
  if (data.task === 'binary' || data.task === 'multiclass')
    for (const target of choice.targets) kinds[target] = 'text';
  return kinds;
}
