/**
 * What training needs of its files: features as one matrix, targets as labels or numbers, all sides of the split, encoded
 * and standardised by the training rows.
 */
import type { FloatArray } from '../../kernels/kernels.js';
import type { Task } from '../../spec/words.js';
import type { FeatureEncoding } from '../encoding/encoding.js';
import type { FeatureMatrix } from '../featureMatrix.js';

export type SplitName = 'train' | 'validation' | 'test';

/** The rows of one split: labels for classes, targets for regression. */
export interface Split {
  readonly rows: number;
  /** [rows, features] row-major, encoded and standardised: a view of the dataset's features */
  readonly features: FloatArray;
  /** [rows] The number of each row's class. */
  readonly labels?: Int32Array;
  /** [rows, targets] In standardised units where the dataset has a `targetStandardization`. */
  readonly targets?: Float64Array;
  /** [rows] What a row's loss counts; 1 where there are none. */
  readonly weights?: Float64Array;
}

export interface Dataset extends FeatureMatrix {
  readonly task: Task;
  /** Whether the columns of the training file have names. */
  readonly header: boolean;
  /** What the columns of the features are called; a category has one for each level. */
  readonly featureNames: readonly string[];
  /** How the feature columns of the file become those of the matrix. */
  readonly encodings: readonly FeatureEncoding[];
  /** The columns' names, or numbers from 0 where the file has no header. One, or several quantities for regression. */
  readonly targetNames: readonly string[];
  /** The classes in the order of their labels; label 1 is the positive class of a binary task. Not there for regression. */
  readonly classes?: readonly string[];
  readonly train: Split;
  readonly validation?: Split;
  readonly test?: Split;
  /** One number for each target. */
  readonly targetStandardization?: { readonly mean: readonly number[]; readonly scale: readonly number[] };
  /** How the training file was understood, in a line for the user. */
  readonly description: string;
  /** Sentences for the user. */
  readonly warnings: readonly string[];
}
