/** The profile of a table for `mlp inspect` and `mlp init`: plain data, fit for JSON. */
import type { NumberNotation } from '../../spec/cellConfig.js';
import type { DatePart, Task } from '../../spec/words.js';
import type { Reading } from '../csv/dialect.js';
import type { FoundDates } from '../dates.js';
import type { Mixture } from '../mixture.js';

/**
 * What a column is taken for.
 *
 * - `constant`: one value, or none; missing cells don't count.
 * - `identifier`: tells which row it is (see columnProfile.ts for the rule). Never the target.
 * - `date`, `boolean`: text that holds dates or times, or words for yes and no; a day may be a number
 *   such as 20241231. Never the target.
 * - `category`: other text.
 * - `integer`, `numeric`: numbers, all whole or not.
 */
export type ColumnRole = 'numeric' | 'integer' | 'category' | 'date' | 'boolean' | 'constant' | 'identifier';

/** Dates of a column. */
export interface DateProfile extends FoundDates {
  /** The first and the last, such as 2024-12-31 or 2024-12-31 10:30, in UTC; absent if the order is ambiguous. */
  readonly range?: { readonly min: string; readonly max: string };
  /** What differs between the cells. */
  readonly parts: readonly DatePart[];
}

/** A value of a column of text, and the number of rows that have it. */
export interface Level {
  readonly name: string;
  readonly rows: number;
}

export interface ColumnProfile {
  readonly name: string;
  /** From 0, in the order of the file. */
  readonly index: number;
  readonly kind: ColumnRole;
  /** Whether its cells are read as numbers or text; constants and identifiers may be either. */
  readonly cells: 'numeric' | 'text';
  /** The number of missing cells. */
  readonly missing: number;
  /** The cells of a column of numbers that are neither numbers nor missing, and the first of them. */
  readonly odd?: {
    readonly cells: number;
    /** `data.csv:7: column "age"` */
    readonly location: string;
    readonly text: string;
  };
  /** Only of a column that is mostly numbers, but has other text too. */
  readonly mixture?: Mixture;
  /** The exact number of different values in the other cells. */
  readonly distinct: number;
  /** Of the cells that are not missing; absent for text, and if all are missing. */
  readonly range?: { readonly min: number; readonly max: number };
  readonly mean?: number;
  /** The population's standard deviation: `numpy.std`. */
  readonly deviation?: number;
  /** Only of a column of dates. */
  readonly dates?: DateProfile;
  /** The most frequent values of a column of text, at most five. */
  readonly frequent?: readonly Level[];
}

export interface TargetProfile {
  readonly name: string;
  readonly index: number;
  /** As `data.task: "auto"` has it; undefined if there is nothing to learn. */
  readonly task: Task | undefined;
  /** Why it is this task; undefined without one. */
  readonly reason?: string;
  /** In the order of their labels; absent for a regression. */
  readonly classes?: readonly Level[];
  /** Only of a regression: whether it is above 0 and skewed, and its logarithm much less. */
  readonly likePrices?: true;
  /** Names of columns whose whole numbers are codes, since the target jumps from each to the next (numberCodes.ts). */
  readonly codes?: readonly string[];
  /** Rows whose features, without identifiers, equal those of a row of another class. */
  readonly conflictingRows?: number;
}

export type WarningKind =
  | 'reading'
  | 'missing'
  | 'odd-cells'
  | 'mixture'
  | 'constant'
  | 'identifier'
  | 'levels'
  | 'overflow'
  | 'outlier'
  | 'groups'
  | 'codes'
  | 'duplicates'
  | 'conflicts'
  | 'leak'
  | 'imbalance'
  | 'single'
  | 'target'
  | 'spelling'
  | 'dates'
  | 'placeholder'
  | 'sentinel'
  | 'long-integers';

/** A fact about the data to look at before training, never an error. */
export interface Warning {
  readonly kind: WarningKind;
  /** The names of all columns concerned; the text names the first few. */
  readonly columns: readonly string[];
  /** A sentence for the user; names in it are quoted and printable. */
  readonly text: string;
}

export interface TableProfile {
  /** The file, as messages name it. */
  readonly path: string;
  readonly rows: number;
  readonly dialect: {
    /** Of a CSV. */
    readonly delimiter?: string;
    readonly header: boolean;
    readonly comment?: string;
    /** Unless it is UTF-8. */
    readonly encoding?: string;
    /** By column name, how numbers are written that are not plain decimals. */
    readonly numbers?: Readonly<Record<string, NumberNotation>>;
    /** How the file is written, if not by RFC 4180. */
    readonly reading?: Reading;
  };
  readonly columns: readonly ColumnProfile[];
  /** Rows that equal an earlier row in every cell. */
  readonly duplicateRows: number;
  readonly target?: TargetProfile;
  readonly warnings: readonly Warning[];
}
