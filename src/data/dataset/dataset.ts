/**
 * All that training needs of its data: features as one matrix, targets as labels or numbers,
 * encoded and standardised by the training rows.
 */
import type { NumberNotation } from '../../spec/cellConfig.js';
import type { Task } from '../../spec/words.js';
import type { Reading } from '../csv/dialect.js';
import type { FeatureEncoding } from '../encoding/encoding.js';
import type { FeatureMatrix, FeatureRows } from '../featureMatrix.js';
import type { MatrixFile } from '../matrixFile.js';
import type { MissingValues } from '../missingValues.js';
import type { RejectedRows } from '../rejectedRows.js';
import type { Range } from '../scaling.js';
import type { TargetUnits } from './targetUnits.js';

export type SplitName = 'train' | 'validation' | 'test';

/** The rows of one split: labels for classes, targets for a regression and for labels (0 or 1). */
export interface Split {
  readonly rows: number;
  /** [rows, features] Encoded and scaled: some of the dataset's features. */
  readonly features: FeatureRows;
  /** [rows] The number of the row's class. */
  readonly labels?: Int32Array;
  /** [rows, targets] Standardised if the dataset has a `targetStandardization`. */
  readonly targets?: Float64Array;
  /** [rows] The weight of a row in the loss; absent if all are 1. */
  readonly weights?: Float64Array;
  /** [rows] Their numbers in their table, from 1: rows that can't be read don't count. */
  readonly rowNumbers: Int32Array;
  /** [rows, targets] As in the file; only of a fold, and for a regression. */
  readonly rawTargets?: Float64Array;
}

/** In memory, or in the file of a cache. */
export type DatasetMatrix = FeatureMatrix | MatrixFile;

/** A matrix in memory is not one in a file. */
export function isInFile(matrix: DatasetMatrix): matrix is MatrixFile {
  return 'bytes' in matrix;
}

export interface Dataset extends TargetUnits {
  /** The features of all splits: training, validation, test. */
  readonly matrix: DatasetMatrix;
  readonly task: Task;
  /** Whether the columns of the training file have names. */
  readonly header: boolean;
  /** How the files are written, if not by RFC 4180. */
  readonly reading?: Reading;
  /** The character that lines to skip begin with. */
  readonly comment?: string;
  /** The encoding of the training file, if it can't be detected in later files. */
  readonly encoding?: string;
  /** By column name, how numbers are written that are not plain decimals. */
  readonly numbers?: Readonly<Record<string, NumberNotation>>;
  /** Names of the matrix columns; a category has one for each level. */
  readonly featureNames: readonly string[];
  /** How columns of the file become columns of the matrix. */
  readonly encodings: readonly FeatureEncoding[];
  /** Target columns, by number from 0 without a header. Several only for a regression or labels. */
  readonly targetNames: readonly string[];
  /** In the order of their labels, label 1 being the positive class. Absent for a regression. */
  readonly classes?: readonly string[];
  /** Of a multilabel task: the values of each target, the second for yes. */
  readonly labelValues?: readonly (readonly string[])[];
  /** Which cells are missing. */
  readonly missingValues: MissingValues;
  readonly train: Split;
  readonly validation?: Split;
  readonly test?: Split;
  /**
   * How many training rows each fold has, in their order: each member of the network holds one out. The
   * validation rows are then the training rows.
   */
  readonly folds?: readonly number[];
  /** Of a regression: the range of each target in the training rows, in its own unit. */
  readonly targetRanges?: readonly Range[];
  /** Whether rows without a target are left out of an evaluation as well. */
  readonly dropsRows?: boolean;
  /** Feature columns whose missing cells leave the row out. */
  readonly dropsMissing?: readonly string[];
  /** Whether rows that can't be read are left out. */
  readonly skipsBadRows?: boolean;
  /** The classes that count as the class "other". */
  readonly rareClasses?: readonly string[];
  /** By file, the rows that were left out because they can't be read. */
  readonly rejected?: readonly RejectedRows[];
  /** Why `data.task: "auto"` became this task: a sentence for the user. Absent if the task was given. */
  readonly taskReason?: string;
  /** One line for the user: how the training file was read. */
  readonly description: string;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}

/** The folds of a split that only members which are trained without a row may predict. */
export function foldsOf({ folds }: Dataset, split: SplitName): Dataset['folds'] {
  return split === 'validation' ? folds : undefined;
}
