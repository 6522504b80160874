/** What a dataset asks of the rows of a table, whichever of two ways reads them: `NumericRows` or `TableRows`. */
import { ExitCode, MlpError } from '../../errors.js';
import type { DType } from '../../kernels/kernels.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import {
  constantColumns,
  encodingWidth,
  type FeatureEncoding,
  withoutConstants,
} from '../encoding/encoding.js';
import type { FeatureMatrix } from '../featureMatrix.js';
import type { LocatedColumn } from '../locatedColumn.js';
import type { Column } from '../table.js';
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
export interface Placement {
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

/**
 * Places of as many rows as a matrix has, in the order of the file. Meanwhile `local` says which row of the matrix
 * each of them is.
 */
export function* windowsOf(place: Int32Array, most: number, local: Int32Array) {
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

/** The columns that a dataset needs but that are not features. */
export function otherColumns({ targets, weights, validation, test }: ColumnChoice): number[] {
  return [...targets, weights, validation, test].filter((column) => column !== undefined);
}

/**
 * Takes the columns of a single value out of the matrix. A single training row tells of none.
 * @throws MlpError ExitCode.data if all are
 */
export function varying(
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

/** Whether the task says that targets are text, whatever they look like. */
export function areClasses(task: DataConfig['task']): boolean {
  return task !== 'auto' && task !== 'regression';
}
