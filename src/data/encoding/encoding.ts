/**
 * How columns of a table become columns of a matrix. Encodings are plain JSON and hold all that
 * another table needs, so a model file keeps them. Each kind has a file that fits it on training
 * rows and writes it; `features.ts` joins the kinds.
 */
import type { MissingPolicy } from '../../spec/words.js';
import { type Affine, isSingle, type Range, type Scaling } from '../scaling.js';

/** A column of numbers: (x − shift) / scale. */
export interface NumericEncoding extends Affine {
  readonly kind: 'numeric';
  readonly column: string;
  /** Replaces x where the cell is missing. Without it a missing cell is an error. */
  readonly fill?: number;
  /** A second matrix column is 1 where the cell is missing, else 0. */
  readonly indicator?: true;
  /** Of the training rows. Models of earlier versions have none. */
  readonly range?: Range;
}

/** One matrix column for each level, 1 for the cell's level. Unknown levels are all 0. */
export interface CategoryEncoding {
  readonly kind: 'category';
  readonly column: string;
  /** In the order of their matrix columns, which is that of `Levels`. */
  readonly levels: readonly string[];
  /** Numbers are compared by value, as in models from before levels kept their spelling. */
  readonly byValue?: true;
  /** The level of a missing cell, which is an error without it and without an indicator. */
  readonly fill?: string;
  /** One more matrix column is 1 where the cell is missing; its levels are then all 0. */
  readonly indicator?: true;
}

/** A column with a single value in the training rows. It takes no matrix column for its values. */
export interface ConstantEncoding {
  readonly kind: 'constant';
  readonly column: string;
  readonly value: number | string;
  /** A matrix column is 1 where the cell is missing, else 0. */
  readonly indicator?: true;
}

export type FeatureEncoding = NumericEncoding | CategoryEncoding | ConstantEncoding;

/** How to encode a column. A column of text is a category, whatever its scaling. */
export interface FeatureRequest {
  readonly index: number;
  readonly scaling: Scaling;
  readonly missing: MissingPolicy;
  /** Its numbers are categories: the column was read as text. */
  readonly category: boolean;
}

/** Where rows of a table are written. */
export interface Destination {
  /** Rows of the table, rising. */
  readonly rows: Int32Array;
  /** [table rows] The row of the matrix. */
  readonly place: Int32Array;
  readonly elements: Float32Array | Float64Array;
  /** Columns of the matrix. */
  readonly width: number;
  /** Numbers of at least this size become infinite in the matrix. */
  readonly tooLarge: number;
}

/** Writes the columns for `rows[from]` to `rows[to - 1]`; false if a number is too large. */
export type Writer = (from: number, to: number) => boolean;

/** Whether a missing cell is encoded rather than an error. */
export function takesMissing(encoding: FeatureEncoding): boolean {
  return encoding.kind === 'constant' || encoding.fill !== undefined || encoding.indicator === true;
}

/** The names of the columns that tell nothing: a single value in the training rows. */
export function constantColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings
    .filter((encoding) => singleValue(encoding) !== undefined && !encoding.indicator)
    .map(({ column }) => column);
}

/**
 * The encodings, without matrix columns for single values, which tell nothing. A column of zeros
 * keeps its own, so that a picture stays whole; a model writes 0 there, whatever a cell holds.
 */
export function withoutConstants(encodings: readonly FeatureEncoding[]): FeatureEncoding[] {
  return encodings.map((encoding) => {
    const value = singleValue(encoding);
    if (value === undefined || (value === 0 && !encoding.indicator)) return encoding;
    const { column, indicator } = encoding;
    return { kind: 'constant', column, value, ...(indicator && { indicator }) };
  });
}

/** The only value of the training rows; undefined if there are more. */
function singleValue(encoding: FeatureEncoding): ConstantEncoding['value'] | undefined {
  if (encoding.kind === 'constant') return encoding.value;
  if (encoding.kind === 'numeric') {
    const { range } = encoding;
    return range && isSingle(range) ? range[0] : undefined;
  }
  return encoding.levels.length === 1 ? encoding.levels[0] : undefined;
}

/** How many matrix columns an encoding takes. */
export function encodingWidth(encoding: FeatureEncoding): number {
  return valueColumns(encoding).length + (encoding.indicator ? 1 : 0);
}

/** How many columns a matrix of all encodings has. */
export function matrixWidth(encodings: readonly FeatureEncoding[]): number {
  return encodings.reduce((width, encoding) => width + encodingWidth(encoding), 0);
}

/** The names of the matrix columns: `age`, `city=Paris`, `age missing`. */
export function matrixColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings.flatMap((encoding) => {
    const { column, indicator } = encoding;
    const values = valueColumns(encoding).map((level) => (level === '' ? column : `${column}=${level}`));
    return indicator ? [...values, `${column} missing`] : values;
  });
}

/** The level of each matrix column for values; '' for that of a number. */
function valueColumns(encoding: FeatureEncoding): readonly string[] {
  switch (encoding.kind) {
    case 'constant':
      return [];
    case 'numeric':
      return [''];
    case 'category':
      return encoding.levels;
  }
}
