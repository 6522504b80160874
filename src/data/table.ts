/** A table in memory, by column. Nothing here knows which column is the target. */
import { ExitCode, MlpError } from '../errors.js';
import { quote } from '../text.js';

/** Row numbers are int32 wherever rows are shuffled. */
export const MOST_ROWS = 2 ** 31 - 1;

/**
 * What a column is read as.
 *
 * - `auto`: numbers if more than half of the cells that are not missing are numbers (then the first
 *   other cell is an error), else text. A column of missing cells alone is text without levels.
 * - `label`: as `auto`, but numbers keep their spelling, for they may be names of classes.
 * - `numeric`: every cell is a number or missing.
 * - `text`: any text, or missing.
 * - `skipped`: neither read nor kept.
 */
export type ColumnKind = 'auto' | 'label' | 'numeric' | 'text' | 'skipped';

/** Whether the first rows decide what the column is read as. */
export function isGuessed(kind: ColumnKind): boolean {
  return kind === 'auto' || kind === 'label';
}

/** Each costs a kilobyte or more, however little of a file it takes. */
export const MOST_COLUMNS = 100_000;

export function tooManyColumns(location: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${location}: found more than ${MOST_COLUMNS} columns, expected no more`,
    'the file may be no table, or have its rows as columns',
  );
}

/** Of a table, unless it has `MOST_PER_VALUE` for each value in its file: a row of two bytes may have 100,000 cells. */
const MOST_SPARSE_CELLS = 1e7;
export const MOST_PER_VALUE = 100;

/** Whether so many cells are too many for so many values. */
export function isTooSparse(cells: number, values: number): boolean {
  return cells > Math.max(MOST_SPARSE_CELLS, MOST_PER_VALUE * values);
}

export interface NumericColumn {
  readonly kind: 'numeric';
  /** [rows] Finite, or NaN if the cell is missing. */
  readonly values: Float64Array;
  /** The number of missing cells. */
  readonly missing: number;
  /** Only in a column read as `label` whose cells are not all plain integers such as -12. */
  readonly written?: WrittenNumbers;
}

/** Numbers as written, or `many` if there are too many different spellings to be classes. */
export type WrittenNumbers = TextColumn | 'many';

/** More spellings are hardly classes, and whole numbers with so many values are a quantity. */
export const MOST_SPELLINGS = 100;

/** Text as codes, so that a million rows of two classes hold two strings. */
export interface TextColumn {
  readonly kind: 'text';
  /** The distinct cells as written, in the order of their first row, none missing. */
  readonly levels: readonly string[];
  /** [rows] The cell of row r is `levels[codes[r]]`; −1 if it is missing. */
  readonly codes: Int32Array;
  /** The number of missing cells. */
  readonly missing: number;
}

export type Column = NumericColumn | TextColumn;

export interface Table {
  /** The file, as messages name it. */
  readonly path: string;
  /** Whether the first row names the columns. Otherwise the names are "0", "1", … */
  readonly header: boolean;
  readonly names: readonly string[];
  readonly rows: number;
  /** In the order of the names; undefined for a skipped column. */
  readonly columns: readonly (Column | undefined)[];
  /** [rows] The line of each row, from 1; in memory the number of the row, from 0. */
  readonly lines: Uint32Array;
  /** Only for several files: the lines of each begin after those `before`, in rising order. */
  readonly files?: readonly { readonly path: string; readonly before: number }[];
  /** Only for a file: sentences for the user about how it was read. */
  readonly notes?: readonly string[];
  /** Only if such cells are kept: columns of numbers with cells that are none. These count as missing. */
  readonly odd?: readonly OddCells[];
  /** Only if mixtures are asked for: columns of text that are mostly numbers. */
  readonly mixed?: readonly MixedColumn[];
  /** Only for a table in memory: the locations of the cells of each column. */
  readonly locations?: readonly CellLocation[];
}

/** A column of text that is mostly numbers. */
export interface MixedColumn {
  /** The number of the column. */
  readonly index: number;
  /** The texts of its missing cells, but for empty ones. */
  readonly gaps: readonly string[];
}

/** The cells of a column of numbers that are neither numbers nor missing. */
export interface OddCells {
  /** The number of the column. */
  readonly index: number;
  readonly cells: number;
  /** The row and the text of the first one. */
  readonly row: number;
  readonly text: string;
  /** Only if mixtures are asked for: the different texts. */
  readonly texts?: readonly string[];
}

/** What a reader passed over without a loss. */
export interface PassedOver {
  /** Whether cells without quotes had spaces around them. */
  readonly spaces: boolean;
  /** Among and after the rows. */
  readonly emptyLines: number;
}

/** `data.rows[` and `].age`, the text before and after the number of the row. */
export type CellLocation = readonly [before: string, after: string];

/** Where messages find a cell: `people.csv:7: column "age"` or `data.rows[5].age`. */
export function cellLocation(
  { path, lines, header, names, locations, files }: Omit<Table, 'rows' | 'columns'>,
  index: number,
  row: number,
): string {
  if (locations === undefined) {
    const file = files?.findLast(({ before }) => before < lines[row]) ?? { path, before: 0 };
    return `${file.path}:${lines[row] - file.before}: ${columnLabel(header, names[index])}`;
  }
  const [before, after] = locations[index];
  return `${before}${lines[row]}${after}`;
}

/** What messages call a row of a file: `line 7`, or `feb.csv:7` of several files. */
export function rowLabel(
  { path, lines, files }: Pick<Table, 'path' | 'lines' | 'files'>,
  row: number,
): string {
  if (files === undefined) return `line ${lines[row]}`;
  const file = files.findLast(({ before }) => before < lines[row]) ?? { path, before: 0 };
  return `${file.path}:${lines[row] - file.before}`;
}

/** What messages call a column: `column "petal width"`, or `column 3` without a header. */
export function columnLabel(header: boolean, name: string): string {
  return header ? `column ${quote(name)}` : `column ${name}`;
}

/** The numeric column `index`. Asking for a column of another kind is a bug. */
export function numericColumn(table: Table, index: number): NumericColumn {
  const column = table.columns[index];
  if (column?.kind !== 'numeric') throw new TypeError(`column ${index} of ${table.path} is not numeric`);
  return column;
}

/** The text column `index`. Asking for a column of another kind is a bug. */
export function textColumn(table: Table, index: number): TextColumn {
  const column = table.columns[index];
  if (column?.kind !== 'text') throw new TypeError(`column ${index} of ${table.path} is not text`);
  return column;
}

/** How many cells are missing: NaN among numbers, or negative among codes. */
export function countMissing(cells: Float64Array | Int32Array): number {
  let count = 0;
  if (cells instanceof Float64Array) {
    for (let i = 0; i < cells.length; i++) if (Number.isNaN(cells[i])) count++;
  } else for (let i = 0; i < cells.length; i++) if (cells[i] < 0) count++;
  return count;
}

/** The elements at these places: rows, or the codes of levels. NaN where there is none. */
export function gather(values: ArrayLike<number>, places: Int32Array): Float64Array {
  const gathered = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) gathered[i] = values[places[i]];
  return gathered;
}

/** Some rows as a table. Levels without rows stay, so that codes keep their meaning. */
export function selectRows(table: Table, rows: Int32Array): Table {
  return {
    ...table,
    rows: rows.length,
    columns: table.columns.map((column) => column && selectCells(column, rows)),
    lines: new Uint32Array(rows.length).map((_, i) => table.lines[rows[i]]),
  };
}

/** The rows from `from` to `to` - 1 as a table, in the same memory. */
export function sliceRows(table: Table, from: number, to: number): Table {
  return {
    ...table,
    rows: to - from,
    columns: table.columns.map((column) => column && sliceCells(column, from, to)),
    lines: table.lines.subarray(from, to),
  };
}

/** 0 to `count`, without these. */
export function rowsBut(count: number, without: ReadonlyMap<number, unknown>): Int32Array {
  const rows = new Int32Array(count - without.size);
  let next = 0;
  for (let row = 0; row < count; row++) if (!without.has(row)) rows[next++] = row;
  return rows;
}

/** The rows in tables of `capacity` rows, and the last of fewer, without their cells as text. */
export function* inChunks(
  table: Table,
  capacity: number,
): Generator<{ readonly table: Table; readonly cells: readonly [] }> {
  for (let first = 0; first < table.rows; first += capacity) {
    const rows = Int32Array.from({ length: Math.min(capacity, table.rows - first) }, (_, i) => first + i);
    yield { table: selectRows(table, rows), cells: [] };
  }
}

/** The cells of the rows from `from` to `to` - 1, in the same memory. */
export function sliceCells(column: Column, from: number, to: number): Column {
  if (column.kind === 'numeric') {
    const values = column.values.subarray(from, to);
    return { kind: 'numeric', values, missing: countMissing(values) };
  }
  const codes = column.codes.subarray(from, to);
  return { ...column, codes, missing: countMissing(codes) };
}

/** The cells of some rows. */
export function selectCells(column: Column, rows: Int32Array): Column {
  if (column.kind === 'numeric') {
    const values = gather(column.values, rows);
    return {
      kind: 'numeric',
      values,
      missing: countMissing(values),
      ...(column.written && { written: selectWritten(column.written, rows) }),
    };
  }
  return selectText(column, rows);
}

function selectWritten(written: WrittenNumbers, rows: Int32Array): WrittenNumbers {
  return written === 'many' ? written : selectText(written, rows);
}

function selectText(column: TextColumn, rows: Int32Array): TextColumn {
  const codes = rows.map((row) => column.codes[row]);
  return { kind: 'text', levels: column.levels, codes, missing: countMissing(codes) };
}

/** One array after the other. */
export function joined<Values extends Int32Array | Float64Array>(
  type: new (length: number) => Values,
  parts: readonly (Int32Array | Float64Array)[],
): Values {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
