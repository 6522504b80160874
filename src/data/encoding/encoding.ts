/**
 * How columns of a table become columns of a matrix. Encodings are plain JSON and hold all that
 * another table needs, so a model file keeps them. Each kind has a file that fits it on training
 * rows and writes it; `features.ts` joins the kinds.
 */
import type { DateSetting } from '../../spec/dataConfig.js';
import type { InputKind } from '../../spec/widths.js';
import type { DatePart, MissingPolicy } from '../../spec/words.js';
import type { DateOrder } from '../dates.js';
import { isSingle, type Range, type Scaling, type Transform, transformed } from '../scaling.js';

/**
 * A matrix column that is 1 where the cell is missing, else 0. Under robust scaling it is
 * transformed like the other columns.
 */
export type Indicator = true | Transform;

/** A column of numbers, transformed. */
export interface NumericEncoding extends Transform {
  readonly kind: 'numeric';
  readonly column: string;
  /** Replaces x where the cell is missing. Without it a missing cell is an error. */
  readonly fill?: number;
  /**
   * Numbers that many training rows share, rising. Their place from 1 is a matrix column of its own,
   * for an embedding; it is 0 for any other cell.
   */
  readonly levels?: readonly number[];
  /** A last matrix column marks missing cells. */
  readonly indicator?: Indicator;
  /** Of the training rows. Models of earlier versions have none. */
  readonly range?: Range;
}

/**
 * One matrix column for each level, 1 for the cell's level. Unknown levels are all 0. Robust scaling
 * transforms these columns, and gives two levels a single one.
 */
export interface CategoryEncoding {
  readonly kind: 'category';
  readonly column: string;
  /** In the order of their matrix columns, which is that of `Levels`. */
  readonly levels: readonly string[];
  /** Numbers are compared by value, as in models from before levels kept their spelling. */
  readonly byValue?: true;
  /** The level of a missing cell, which is an error without it and without an indicator. */
  readonly fill?: string;
  /** One more matrix column marks missing cells; their levels are then all 0. */
  readonly indicator?: Indicator;
  /** Under robust scaling, of each matrix column but the indicator's. */
  readonly transforms?: readonly Transform[];
  /** One matrix column for two levels: −1 for the first, 1 for the second, 0 for any other cell. */
  readonly signs?: true;
  /**
   * One matrix column for an embedding, or for a first layer that gathers: the number of the level from
   * 1; 0 for any other cell.
   */
  readonly numbered?: true;
  /** Of numbers of levels that stand for one-hot columns under robust scaling. */
  readonly scaled?: ScaledLevels;
  /** Whether a missing cell is 0 then, too. */
  readonly takesMissing?: true;
}

/** What robust scaling makes of one-hot columns: the same of all but a few, which a quarter of the rows and more have. */
export interface ScaledLevels {
  /** Of the columns of all other levels. It keeps 0. */
  readonly transform: Transform;
  /** Levels with matrix columns of their own, behind that of the numbers, and their transforms. */
  readonly apart: readonly { readonly level: number; readonly transform: Transform }[];
}

/** A column with a single value in the training rows. It takes no matrix column for its values. */
export interface ConstantEncoding {
  readonly kind: 'constant';
  readonly column: string;
  readonly value: number | string;
  /** A matrix column marks missing cells. */
  readonly indicator?: Indicator;
}

/** Words for yes and no, in any spelling: 1 and 0. Any other text is halfway. */
export interface BooleanEncoding {
  readonly kind: 'boolean';
  readonly column: string;
  /** The input of a missing cell, which is an error without it. */
  readonly fill?: number;
  /** One more matrix column marks missing cells. */
  readonly indicator?: Indicator;
  /** Under robust scaling, of the input. */
  readonly transform?: Transform;
}

/** Dates: `inputs` are numbers that follow from the parts, one or two from each. */
export interface DateEncoding {
  readonly kind: 'date';
  readonly column: string;
  /** How the dates are written. */
  readonly order: DateOrder;
  readonly parts: readonly DatePart[];
  /** In the order of the parts: their numbers, then scaled as those of any column. */
  readonly inputs: readonly NumericEncoding[];
  /** One more matrix column marks missing cells. */
  readonly indicator?: Indicator;
}

export type FeatureEncoding =
  | NumericEncoding
  | CategoryEncoding
  | BooleanEncoding
  | DateEncoding
  | ConstantEncoding;

/** How to encode a column. What text holds decides: dates, booleans, or else categories. */
export interface FeatureRequest {
  readonly index: number;
  readonly scaling: Scaling;
  readonly missing: MissingPolicy;
  /** From how many levels on a category is embedded; none if left out. */
  readonly leastEmbedded?: number;
  /** From how many levels on plain one-hot columns are kept as numbers of levels; none if left out. */
  readonly leastGathered?: number;
  /** From how many numbers on, each shared by many rows, those of a column are embedded; none if left out. */
  readonly leastShared?: number;
  /** Its numbers are categories: the column was read as text. */
  readonly category: boolean;
  /** What the config says of a column of dates. */
  readonly dates?: DateSetting;
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
  if (encoding.kind === 'date') return encoding.inputs.every(({ fill }) => fill !== undefined);
  if (encoding.kind === 'category' && encoding.takesMissing) return true;
  return encoding.kind === 'constant' || encoding.fill !== undefined || encoding.indicator !== undefined;
}

/** The names of the columns that tell nothing: a single value in the training rows. */
export function constantColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings
    .filter((encoding) => singleValue(encoding) !== undefined && !encoding.indicator)
    .map(({ column }) => column);
}

/**
 * The encodings, without matrix columns for single values, which tell nothing. In a picture, a
 * column of zeros keeps its own; a model writes 0 there, whatever a cell holds.
 */
export function withoutConstants(encodings: readonly FeatureEncoding[]): FeatureEncoding[] {
  const keepsZeros = arePixels(encodings);
  return encodings.map((encoding) => {
    const value = singleValue(encoding);
    if (value === undefined || (value === 0 && keepsZeros)) return encoding;
    const { column, indicator } = encoding;
    return { kind: 'constant', column, value, ...(indicator && { indicator }) };
  });
}

const LEAST_PIXELS = 16;

/** Whether the columns may be the pixels of a picture: numbers from 0 on, at least for half of them. */
export function arePixels(encodings: readonly FeatureEncoding[]): boolean {
  const least = encodings.map((encoding) =>
    encoding.kind === 'numeric' && !encoding.indicator ? encoding.range?.[0] : undefined,
  );
  const zeros = least.filter((number) => number === 0).length;
  return (
    encodings.length >= LEAST_PIXELS &&
    2 * zeros >= encodings.length &&
    least.every((number) => number !== undefined && number >= 0)
  );
}

/**
 * The encodings as a trained network takes them: where its training rows held zeros alone, every
 * number becomes 0, because nothing was learned about others.
 */
export function ofTrained(encodings: readonly FeatureEncoding[]): FeatureEncoding[] {
  return encodings.map((encoding) => {
    const isZero = encoding.kind === 'numeric' && encoding.range && isSingle(encoding.range);
    return isZero ? { ...encoding, scale: Number.POSITIVE_INFINITY } : encoding;
  });
}

/** The only value of the training rows; undefined if there are more. */
function singleValue(encoding: FeatureEncoding): ConstantEncoding['value'] | undefined {
  if (encoding.kind === 'constant') return encoding.value;
  if (encoding.kind === 'numeric') {
    const { range } = encoding;
    return range && isSingle(range) ? range[0] : undefined;
  }
  if (encoding.kind !== 'category') return undefined;
  return encoding.levels.length === 1 ? encoding.levels[0] : undefined;
}

/** What the indicator's column holds for a cell that is there, and for one that is missing. */
export function indicatorValues(
  indicator: Indicator | undefined,
): readonly [present: number, missing: number] {
  if (indicator === undefined || indicator === true) return [0, 1];
  return [transformed(0, indicator), transformed(1, indicator)];
}

/** How many matrix columns an encoding takes. */
export function encodingWidth(encoding: FeatureEncoding): number {
  return inputNames(encoding).length + (encoding.indicator ? 1 : 0);
}

/** How many columns a matrix of all encodings has. */
export function matrixWidth(encodings: readonly FeatureEncoding[]): number {
  return encodings.reduce((width, encoding) => width + encodingWidth(encoding), 0);
}

/** The names of the matrix columns: `age`, `city=Paris`, `when month sine`, `age missing`. */
export function matrixColumns(encodings: readonly FeatureEncoding[]): string[] {
  return encodings.flatMap((encoding) => {
    const names = inputNames(encoding);
    return encoding.indicator ? [...names, `${encoding.column} missing`] : names;
  });
}

/** The level of each matrix column. */
export function levelColumns({ levels, signs }: CategoryEncoding): readonly string[] {
  return signs ? levels.slice(1) : levels;
}

/** What each matrix column is: a number that may be embedded, or something else. */
export function inputKinds(encodings: readonly FeatureEncoding[]): InputKind[] {
  return encodings.flatMap((encoding) =>
    encoding.indicator ? [...valueKinds(encoding), 'other' as const] : valueKinds(encoding),
  );
}

/** Whether a matrix column holds numbers of levels, which a network must embed. */
export function isNumbered(encoding: FeatureEncoding): boolean {
  return inputKinds([encoding]).some((kind) => typeof kind === 'object');
}

/** Without the indicator. */
function valueKinds(encoding: FeatureEncoding): InputKind[] {
  const { kind } = encoding;
  if (kind === 'category' && encoding.numbered) return numberedKinds(encoding);
  if (kind === 'numeric' && encoding.levels) return ['number', { levels: encoding.levels.length }];
  const isNumber = kind === 'numeric' || kind === 'date';
  return inputNames(encoding).map(() => (isNumber ? 'number' : 'other'));
}

function numberedKinds({ levels, scaled }: CategoryEncoding): InputKind[] {
  if (!scaled) return [{ levels: levels.length }];
  const { transform, apart } = scaled;
  const mark = transformed(1, transform);
  // Levels count from 1.
  return [
    { levels: levels.length, mark, apart: apart.map(({ level }) => level + 1) },
    ...apart.map(() => 'other' as const),
  ];
}

/** Without the indicator. */
function inputNames(encoding: FeatureEncoding): string[] {
  const { column } = encoding;
  switch (encoding.kind) {
    case 'constant':
      return [];
    case 'numeric':
      return encoding.levels ? [column, `${column} level`] : [column];
    case 'boolean':
      return [column];
    case 'category':
      if (encoding.numbered) {
        const { levels, scaled } = encoding;
        return [column, ...(scaled?.apart ?? []).map(({ level }) => `${column}=${levels[level]}`)];
      }
      return levelColumns(encoding).map((level) => `${column}=${level}`);
    case 'date':
      return encoding.inputs.map((input) => input.column);
  }
}
