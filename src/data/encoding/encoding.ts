/**
 * How columns of a table become columns of a matrix. Encodings are plain JSON and hold all that
 * another table needs, so a model file keeps them. Each kind has a file that fits it on training
 * rows and writes it; `features.ts` joins the kinds.
 */
import type { MissingPolicy } from '../../spec/words.js';
import type { Affine, Scaling } from '../scaling.js';

/** A column of numbers: (x − shift) / scale. */
export interface NumericEncoding extends Affine {
  readonly kind: 'numeric';
  readonly column: string;
  /** Replaces x where the cell is missing. Without it a missing cell is an error. */
  readonly fill?: number;
  /** A second matrix column is 1 where the cell is missing, else 0. */
  readonly indicator?: true;
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

export type FeatureEncoding = NumericEncoding | CategoryEncoding;

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
export function takesMissing({ fill, indicator }: FeatureEncoding): boolean {
  return fill !== undefined || indicator === true;
}

/** How many matrix columns an encoding takes. */
export function encodingWidth(encoding: FeatureEncoding): number {
  return (encoding.kind === 'numeric' ? 1 : encoding.levels.length) + (encoding.indicator ? 1 : 0);
}

/** How many columns a matrix of all encodings has. */
export function matrixWidth(encodings: readonly FeatureEncoding[]): number {
  return encodings.reduce((width, encoding) => width + encodingWidth(encoding), 0);
}

/** The names of the matrix columns: `age`, `city=Paris`, `age missing`. */
export function matrixColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings.flatMap((encoding) => {
    const { column, indicator } = encoding;
    const names =
      encoding.kind === 'numeric' ? [column] : encoding.levels.map((level) => `${column}=${level}`);
    return indicator ? [...names, `${column} missing`] : names;
  });
}
