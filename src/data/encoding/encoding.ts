/**
 * How the columns of a table become columns of a matrix. Encodings are plain JSON and hold all that is needed to encode another
 * table: a model file keeps them. `fit.ts` makes them from the training rows, `write.ts` applies them.
 */
import type { Affine } from '../scaling.js';

/** A column of numbers: (x − shift) / scale. */
export interface NumericEncoding extends Affine {
  readonly kind: 'numeric';
  readonly column: string;
  /** Stands in for x where the cell is missing. Without one a missing cell is an error. */
  readonly fill?: number;
  /** A second matrix column is 1 where the cell is missing, else 0. */
  readonly indicator?: true;
}

/**
 * One matrix column for each level: 1 in the cell's own, 0 in the others; 0 in all for a level that is not known.
 * Never scaled.
 */
export interface CategoryEncoding {
  readonly kind: 'category';
  readonly column: string;
  /** In the order of their matrix columns, as `Levels` has it. */
  readonly levels: readonly string[];
  /** The level that stands in for a missing cell. Without one, and without an indicator, a missing cell is an error. */
  readonly fill?: string;
  /** One more matrix column is 1 where the cell is missing, which has 0 in all levels. */
  readonly indicator?: true;
}

export type FeatureEncoding = NumericEncoding | CategoryEncoding;

/** How many matrix columns an encoding takes. */
export function encodingWidth(encoding: FeatureEncoding): number {
  return (encoding.kind === 'numeric' ? 1 : encoding.levels.length) + (encoding.indicator ? 1 : 0);
}

/** How many columns a matrix of all encodings has; they lie side by side in their order. */
export function matrixWidth(encodings: readonly FeatureEncoding[]): number {
  return encodings.reduce((width, encoding) => width + encodingWidth(encoding), 0);
}

/** What the columns of the matrix are called: `age`, `city=Paris`, `age missing`. */
export function matrixColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings.flatMap((encoding) => {
    const { column, indicator } = encoding;
    const names =
      encoding.kind === 'numeric' ? [column] : encoding.levels.map((level) => `${column}=${level}`);
    return indicator ? [...names, `${column} missing`] : names;
  });
}

/** Whether a missing cell has an encoding, rather than being an error. */
export function takesMissing({ fill, indicator }: FeatureEncoding): boolean {
  return fill !== undefined || indicator === true;
}
