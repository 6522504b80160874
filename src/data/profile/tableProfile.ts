/** What a table holds, as `mlp inspect` shows it and `mlp init` goes by: plain data, fit for JSON. */
import type { Task } from '../../spec/words.js';

/**
 * What a column is taken for.
 *
 * - `constant`: one value, or none at all; missing cells don't count.
 * - `identifier`: says which row it is rather than anything about it (see `columns.ts` for the rule). Never the target.
 * - `category`: text.
 * - `integer`, `numeric`: numbers, all whole or not.
 */
export type ColumnRole = 'numeric' | 'integer' | 'category' | 'constant' | 'identifier';

/** A value of a column of text, and in how many rows it stands. */
export interface Level {
  readonly name: string;
  readonly rows: number;
}

export interface ColumnProfile {
  readonly name: string;
  /** From 0, in the order of the file. */
  readonly index: number;
  readonly kind: ColumnRole;
  /** Whether its cells are read as numbers or as text: a constant or an identifier may be either. */
  readonly cells: 'numeric' | 'text';
  /** How many cells are missing. */
  readonly missing: number;
  /** How many different values the others hold: exact. */
  readonly distinct: number;
  /** Of the cells that are not missing; not there for text, nor where all are missing. */
  readonly range?: { readonly min: number; readonly max: number };
  readonly mean?: number;
  /** Square root of the mean squared distance from the mean, divided by the number of cells: `numpy.std`. */
  readonly deviation?: number;
  /** The most frequent values of a column of text, most frequent first; five at most. */
  readonly frequent?: readonly Level[];
}

export interface TargetProfile {
  readonly name: string;
  readonly index: number;
  /** What `data.task: "auto"` makes of it; undefined where the column holds fewer than two values: nothing to learn. */
  readonly task: Task | undefined;
  /** In the order of their labels; not there for regression. */
  readonly classes?: readonly Level[];
  /** Rows whose features (identifiers left out) equal those of another row that has another class; not there for regression. */
  readonly conflictingRows?: number;
}

export type WarningKind =
  | 'missing'
  | 'constant'
  | 'identifier'
  | 'levels'
  | 'overflow'
  | 'outlier'
  | 'duplicates'
  | 'conflicts'
  | 'leak'
  | 'imbalance'
  | 'single'
  | 'target';

/** Something to look at before training: a fact about the data, never an error. */
export interface Warning {
  readonly kind: WarningKind;
  /** The names of all columns that it is about, of which the text names the first few. */
  readonly columns: readonly string[];
  /** A sentence for the user; names in it are quoted and printable. */
  readonly text: string;
}

export interface TableProfile {
  /** The file, as messages name it. */
  readonly path: string;
  readonly rows: number;
  readonly dialect: { readonly delimiter: string; readonly header: boolean; readonly comment?: string };
  readonly columns: readonly ColumnProfile[];
  /** Rows that equal an earlier row in every cell. */
  readonly duplicateRows: number;
  readonly target?: TargetProfile;
  readonly warnings: readonly Warning[];
}
