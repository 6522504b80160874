/** What a table is grown from: one builder a column, which takes its cells in the order of the rows. */
import type { MlpError } from '../../errors.js';
import type { Column } from '../table.js';

export interface ColumnBuilder {
  /** Makes room for `capacity` rows. */
  grow(capacity: number): void;
  /** Takes the cell of `row`, for which there is room; an MlpError (65) where it can't be in such a column. */
  add(cell: string, row: number): void;
  /** Whether the first rows of an `auto` column misled: by all of its rows it is one of the other kind. */
  isMisread(rows: number): boolean;
  /** The first cell that all of the rows have shown to be wrong. */
  readonly firstBad: BadCell | undefined;
  /** The column of all rows; the builder is done with. */
  finish(rows: number): Column;
}

export interface BadCell {
  readonly row: number;
  error(): MlpError;
}

/** What a column's messages say of the table around it. */
export interface ColumnContext {
  /** Whether the file has a header. Not there for a table without a file. */
  readonly header?: boolean;
  /** `data.csv:7: column "petal"` */
  location(row: number): string;
}

type Growable = Float64Array | Int32Array | Uint32Array;

/** The larger array `to` with the elements of `from` in front. */
export function grown<T extends Growable>(from: T, to: T): T {
  to.set(from);
  return to;
}
