/**
 * Tables given in memory, as rows of named cells or as a matrix. They become the tables that a CSV
 * of the same cells becomes, so everything after them is shared: kinds of columns, missing cells,
 * splits, encodings, errors.
 */
import { ExitCode, MlpError } from '../errors.js';
import { formatPath } from '../spec/messages.js';
import { quote } from '../text.js';
import { buildTable } from './csv/readTable.js';
import { DEFAULT_MISSING, MissingRule, type MissingValues } from './missingValues.js';
import { type CellLocation, type ColumnKind, inChunks, type NumericColumn, type Table } from './table.js';
import type { TableSource } from './tableSource.js';

/** Null, undefined and NaN are missing. Text is read as in a CSV: "NA" is missing, too. */
export type Cell = number | string | boolean | null | undefined;

/**
 * Cells by column name. The columns are the names that occur in any row; a row without one of them
 * misses that cell.
 */
export interface RowData {
  readonly rows: readonly { readonly [column: string]: Cell }[];
}

/** Features as a matrix, and one column of targets. */
export interface MatrixData {
  /** [rows][columns], or row-major [rows · columns] with as many rows as `y` has elements. */
  readonly x: readonly ArrayLike<Cell>[] | Float32Array | Float64Array;
  /** [rows] Numbers or classes: the column `y`. Left out for features alone. */
  readonly y?: ArrayLike<Cell>;
  /** [columns] Names for the columns of `x`; `x0`, `x1`, … if left out. */
  readonly columns?: readonly string[];
}

export type MemoryData = RowData | MatrixData;

/** The name of the column that `MatrixData.y` becomes. */
export const MATRIX_TARGET = 'y';

const SAMPLE_ROWS = 200;

interface MemoryColumn {
  readonly name: string;
  readonly location: CellLocation;
  readonly cell: (row: number) => Cell;
}

/** The columns of a table before anything is read. */
interface MemoryTable {
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly MemoryColumn[];
}

/**
 * Opens rows or a matrix as a table. Messages locate cells as `data.rows[3].age`, `data.x[3][0]`
 * and `data.y[3]`, where `location` stands for `data`.
 * @throws MlpError ExitCode.data for no rows, no columns, names that are empty or repeated, and
 *   lengths that differ
 */
export function memoryTable(
  data: MemoryData,
  location = 'data',
  targetName: string = MATRIX_TARGET,
): TableSource {
  const table = 'rows' in data ? tableOfRows(data, location) : tableOfMatrix(data, location, targetName);
  const { path, rows, columns } = table;
  if (rows === 0) throw dataError(path, 'found no rows, expected at least one');
  if (columns.length === 0) throw dataError(path, 'found no columns, expected at least one');
  const names = columns.map(({ name }) => name);
  requireNames(path, names);
  const start = {
    header: true,
    names,
    sample: Array.from({ length: Math.min(rows, SAMPLE_ROWS) }, (_, row) =>
      columns.map(({ cell }) => textOf(cell(row)) ?? ''),
    ),
    locations: columns.map((column) => column.location),
  };

  const read = async (
    kinds: readonly ColumnKind[],
    _?: unknown,
    missingValues: MissingValues = DEFAULT_MISSING,
  ): Promise<Table> => {
    const hasNumbers = ({ name }: MemoryColumn) => MissingRule.of(missingValues, name).hasNumbers;
    const numbers = columns.map((column, i) =>
      kinds[i] === 'text' || kinds[i] === 'skipped' || hasNumbers(column)
        ? undefined
        : numbersOf(column, rows),
    );
    const others = kinds.map((kind, i): ColumnKind => (numbers[i] ? 'skipped' : kind));
    const built = await buildTable(path, { ...start, missingValues }, others, rows, (builder) => {
      const cells = columns.map(() => '');
      for (let row = 0; row < rows; row++) {
        columns.forEach(({ cell, location: [before, after] }, i) => {
          if (others[i] === 'skipped') return;
          const value = cell(row);
          const text = textOf(value);
          if (text === undefined) {
            const expected = 'expected a number, text, true, false or null';
            throw dataError(`${before}${row}${after}`, `found ${describe(value)}, ${expected}`);
          }
          cells[i] = text;
        });
        builder.add(cells, row);
      }
    });
    return { ...built, columns: built.columns.map((column, i) => numbers[i] ?? column) };
  };
  return {
    ...start,
    path,
    namesLocation: path,
    description: 'in memory',
    notes: [],
    read,
    async *chunks(kinds, capacity, { missingValues }) {
      yield* inChunks(await read(kinds, undefined, missingValues), capacity);
    },
    close: () => {},
  };
}

function tableOfRows({ rows }: RowData, location: string): MemoryTable {
  const path = `${location}.rows`;
  const names = new Set<string>();
  rows.forEach((row, i) => {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw dataError(`${path}[${i}]`, `found ${describe(row)}, expected an object of cells by column name`);
    }
    for (const name of Object.keys(row)) names.add(name);
  });
  const columns = [...names].map((name): MemoryColumn => {
    const property = formatPath(['x', name]).slice(1);
    return {
      name,
      location: [`${path}[`, `]${property}`],
      cell: (row) => (Object.hasOwn(rows[row], name) ? rows[row][name] : undefined),
    };
  });
  return { path, rows: rows.length, columns };
}

function tableOfMatrix(
  { x, y, columns: names }: MatrixData,
  location: string,
  targetName: string,
): MemoryTable {
  const isFlat = x instanceof Float32Array || x instanceof Float64Array;
  const { rows, width } = isFlat ? flatShape(x, y, names, location) : nestedShape(x, location);
  if (y !== undefined && y.length !== rows) {
    throw dataError(`${location}.y`, `found ${y.length} values, expected ${rows}, one for each row of x`);
  }
  if (names !== undefined && names.length !== width) {
    throw dataError(
      `${location}.columns`,
      `found ${names.length} names, expected ${width}, one for each column of x`,
    );
  }
  const columns = Array.from({ length: width }, (_, j): MemoryColumn => {
    const cell = isFlat ? (row: number) => x[row * width + j] : (row: number) => x[row][j];
    return { name: names?.[j] ?? `x${j}`, location: [`${location}.x[`, `][${j}]`], cell };
  });
  if (y !== undefined) {
    columns.push({ name: targetName, location: [`${location}.y[`, ']'], cell: (row) => y[row] });
  }
  return { path: location, rows, columns };
}

function flatShape(
  x: Float32Array | Float64Array,
  y: MatrixData['y'],
  names: MatrixData['columns'],
  location: string,
): { rows: number; width: number } {
  const rows = y?.length ?? (names && x.length / names.length);
  if (rows === undefined) {
    throw dataError(
      `${location}.x`,
      'found a flat array, expected y or columns beside it',
      'they tell its shape',
    );
  }
  if (!Number.isInteger(rows) || (rows > 0 && x.length % rows !== 0)) {
    const [parts, of] = y ? [rows, 'rows of y'] : [names?.length, 'columns'];
    throw dataError(`${location}.x`, `found ${x.length} numbers, expected a multiple of the ${parts} ${of}`);
  }
  return { rows, width: rows === 0 ? 0 : x.length / rows };
}

function nestedShape(x: readonly ArrayLike<Cell>[], location: string): { rows: number; width: number } {
  const width = x[0]?.length ?? 0;
  x.forEach((row, i) => {
    if (typeof row !== 'object' || row === null || typeof row.length !== 'number') {
      throw dataError(`${location}.x[${i}]`, `found ${describe(row)}, expected an array of numbers`);
    }
    if (row.length !== width) {
      throw dataError(
        `${location}.x[${i}]`,
        `found ${row.length} numbers, expected ${width} as in the first row`,
      );
    }
  });
  return { rows: x.length, width };
}

/** The column as numbers, if all cells are finite numbers or missing, but not all missing. */
function numbersOf({ cell }: MemoryColumn, rows: number): NumericColumn | undefined {
  const values = new Float64Array(rows);
  let missing = 0;
  for (let row = 0; row < rows; row++) {
    const value = cell(row) ?? Number.NaN;
    if (typeof value !== 'number') return undefined;
    if (Number.isNaN(value)) missing++;
    else if (!Number.isFinite(value)) return undefined;
    values[row] = value;
  }
  return missing === rows ? undefined : { kind: 'numeric', values, missing };
}

/** The cell as a CSV would hold it; undefined for a value that is no cell. */
function textOf(cell: unknown): string | undefined {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return '';
  if (typeof cell === 'string') return cell;
  return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : undefined;
}

function requireNames(path: string, names: readonly string[]): void {
  const known = new Set<string>();
  names.forEach((name, i) => {
    if (name.trim() === '') throw dataError(path, `found an empty name for column ${i} (from 0)`);
    if (known.size < known.add(name).size) return;
    throw dataError(path, `found the column name ${quote(name)} twice, expected different names`);
  });
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a Date';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string'
    ? quote(value)
    : typeof value === 'function'
      ? 'a function'
      : String(value);
}

function dataError(location: string, message: string, hint?: string): MlpError {
  return new MlpError(ExitCode.data, `${location}: ${message}`, hint);
}
