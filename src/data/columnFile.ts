/**
 * Columns in a temporary file, for a table whose rows come one after another: rows in blocks, whose columns lie
 * behind each other. Cells take as few bytes as keep them exactly.
 */
import { type ColumnStore, onlyColumn, type StoredTable } from './columnStore.js';
import { readAt } from './source/fileBytes.js';
import { TemporaryFile } from './source/unpack.js';
import { type Column, type ColumnKind, countMissing, sliceCells, type Table } from './table.js';

/** Numbers, NaN if missing; or codes of levels. */
type Cells = Float64Array | Int32Array;
type StoredCells = Cells | Float32Array | Int16Array | Int8Array;

const TYPES = [Float64Array, Float32Array, Int32Array, Int16Array, Int8Array] as const;
/** Cells of the blocks that are read at once. */
const MOST_CELLS = 2 ** 23;

interface Block {
  readonly rows: number;
  /** [columns] Where each begins in the file, and its type. */
  readonly at: Float64Array;
  readonly types: Uint8Array;
}

export class ColumnFile implements ColumnStore {
  readonly #file: TemporaryFile;
  readonly #columns: readonly number[];
  /** By number of the column, its place in a block. */
  readonly #places: ReadonlyMap<number, number>;
  #blocks: Block[] = [];
  #table: Table | undefined;
  #found: ReadonlyMap<number, Column> = new Map();

  /**
   * @param name of the file that the cells come from
   * @param columns their numbers in the table
   * @throws MlpError ExitCode.cantCreate
   */
  constructor(name: string, columns: readonly number[]) {
    this.#file = TemporaryFile.create(name);
    this.#columns = columns;
    this.#places = new Map(columns.map((column, place) => [column, place]));
  }

  has(column: number): boolean {
    return this.#places.has(column);
  }

  /** Forgets all rows, because the table is read again. */
  clear(): void {
    this.#blocks = [];
    this.#file.size = 0;
  }

  /**
   * Adds the next rows.
   * @throws MlpError ExitCode.io if there is no room
   */
  add(rows: number, cellsOf: (column: number) => Cells): void {
    if (rows === 0) return;
    const at = new Float64Array(this.#columns.length);
    const types = new Uint8Array(this.#columns.length);
    const parts = this.#columns.map((column, place) => {
      const cells = compact(cellsOf(column));
      types[place] = TYPES.findIndex((type) => cells instanceof type);
      return new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength);
    });
    let end = this.#file.size;
    parts.forEach(({ length }, place) => {
      at[place] = end;
      end += length;
    });
    this.#file.write(Buffer.concat(parts));
    this.#blocks.push({ rows, at, types });
  }

  /**
   * Makes the columns readable.
   * @param table all rows, without these columns
   * @param found what the columns are, without their cells
   */
  finish(table: Table, found: ReadonlyMap<number, Column>): void {
    this.#table = table;
    this.#found = found;
  }

  column(index: number): Column {
    const column = this.#found.get(index) ?? this.#table?.columns[index];
    if (column === undefined) throw new TypeError(`column ${index} was not stored`);
    return column;
  }

  async each(indices: readonly number[], take: (table: Table, index: number) => void): Promise<void> {
    const table = this.#table as Table;
    const tableOf = onlyColumn(table);
    for (const index of indices) take(tableOf(index, this.#read(index, this.#blocks, 0, table.rows)), index);
  }

  *parts(indices: readonly number[]): Generator<Table, void, undefined> {
    const table = this.#table as Table;
    const most = Math.max(1, MOST_CELLS / Math.max(1, indices.length));
    let first = 0;
    for (let from = 0; from < this.#blocks.length; ) {
      let to = from;
      let rows = 0;
      do rows += this.#blocks[to++].rows;
      while (to < this.#blocks.length && rows + this.#blocks[to].rows <= most);
      const blocks = this.#blocks.slice(from, to);
      const columns = table.names.map((): Column | undefined => undefined);
      for (const index of indices) columns[index] = this.#read(index, blocks, first, rows);
      yield { ...table, rows, columns, lines: table.lines.subarray(first, first + rows) };
      first += rows;
      from = to;
    }
  }

  /** Deletes the file. May be called twice. */
  close(): void {
    this.#file.close();
  }

  /** The rows of some blocks. A column may also be in memory, because it says how rows are split. */
  #read(index: number, blocks: readonly Block[], first: number, rows: number): Column {
    const column = this.column(index);
    if (!this.has(index)) return sliceCells(column, first, first + rows);
    // A guessed column without any number was stored as numbers.
    if (column.kind === 'text' && column.levels.length === 0)
      return { ...column, codes: new Int32Array(rows).fill(-1), missing: rows };
    const cells = column.kind === 'numeric' ? new Float64Array(rows) : new Int32Array(rows);
    const place = this.#places.get(index) as number;
    let row = 0;
    for (const { rows: count, at, types } of blocks) {
      const stored = new TYPES[types[place]](count);
      readAt(this.#file, new Uint8Array(stored.buffer), 0, stored.byteLength, at[place]);
      cells.set(stored, row);
      row += count;
    }
    const missing = column.missing === 0 ? 0 : countMissing(cells);
    return cells instanceof Float64Array
      ? { kind: 'numeric', values: cells, missing }
      : { kind: 'text', levels: (column as { levels: readonly string[] }).levels, codes: cells, missing };
  }
}

/**
 * Reads a table whose columns go to a file, but for those in memory.
 * @param read reads the table, and finishes the file
 */
export async function withColumnFile(
  name: string,
  kinds: readonly ColumnKind[],
  inMemory: ReadonlySet<number>,
  read: (file: ColumnFile) => Promise<Table>,
): Promise<StoredTable> {
  const columns = [...kinds.keys()].filter((index) => kinds[index] !== 'skipped' && !inMemory.has(index));
  const store = new ColumnFile(name, columns);
  try {
    return { table: await read(store), store };
  } catch (error) {
    store.close();
    throw error;
  }
}

/** The same cells in the smallest type that holds all of them. */
function compact(cells: Cells): StoredCells {
  if (cells instanceof Float64Array) {
    const floats = new Float32Array(cells);
    for (let i = 0; i < cells.length; i++) {
      if (floats[i] !== cells[i] && !Number.isNaN(cells[i])) return cells;
    }
    return floats;
  }
  let greatest = 0;
  for (let i = 0; i < cells.length; i++) if (cells[i] > greatest) greatest = cells[i];
  return greatest < 2 ** 7 ? new Int8Array(cells) : greatest < 2 ** 15 ? new Int16Array(cells) : cells;
}
