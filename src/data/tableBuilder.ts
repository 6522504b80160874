/** Grows a table row by row out of cells of text, and refuses the first cell that is not what its column holds. */
import { ExitCode, MlpError } from '../errors.js';
import { found, isMissing, numberHint, parseDecimal } from './cell.js';
import { type ColumnKind, columnLabel, type Table } from './table.js';

const FIRST_CAPACITY = 256;

interface GrowingNumbers {
  kind: 'numeric';
  values: Float64Array;
}

interface GrowingText {
  kind: 'text';
  levels: string[];
  codeOf: Map<string, number>;
  codes: Int32Array;
}

export class TableBuilder {
  rows = 0;
  private capacity = FIRST_CAPACITY;
  private lines = new Uint32Array(FIRST_CAPACITY);
  private readonly columns: (GrowingNumbers | GrowingText | undefined)[];

  /** `kinds` is in the order of `names`. */
  constructor(
    private readonly path: string,
    private readonly header: boolean,
    private readonly names: readonly string[],
    kinds: readonly ColumnKind[],
  ) {
    this.columns = kinds.map(emptyColumn);
  }

  /** Adds the row that begins on `line` of the file; an MlpError (65) where its cells are not what was expected. */
  add(cells: readonly string[], line: number): void {
    const { columns, rows } = this;
    if (cells.length !== columns.length) throw this.raggedRow(cells, line);
    if (rows === this.capacity) this.grow();
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column === undefined) continue;
      const cell = cells[i];
      if (column.kind === 'numeric') {
        const value = parseDecimal(cell);
        if (!Number.isFinite(value)) throw this.badNumber(cell, i, line);
        column.values[rows] = value;
      } else {
        const code = column.codeOf.get(cell);
        column.codes[rows] = code ?? this.addLevel(column, cell, i, line);
      }
    }
    this.lines[rows] = line;
    this.rows++;
  }

  /** The table so far; the builder is done with. */
  finish(sha256: string): Table {
    const { path, header, names, rows } = this;
    const columns = this.columns.map((column) => {
      if (column === undefined) return undefined;
      if (column.kind === 'numeric') {
        return { kind: column.kind, values: column.values.subarray(0, rows) };
      }
      return { kind: column.kind, levels: column.levels, codes: column.codes.subarray(0, rows) };
    });
    return { path, header, names, rows, columns, lines: this.lines.subarray(0, rows), sha256 };
  }

  private addLevel(column: GrowingText, cell: string, index: number, line: number): number {
    if (isMissing(cell)) {
      const meaning = cell.trim() === '' ? '' : ', which stands for a missing value';
      throw new MlpError(
        ExitCode.data,
        `${this.place(index, line)}: found ${found(cell)}${meaning}, expected a value`,
        'complete the cell, or remove the row',
      );
    }
    if (cell !== cell.trim()) {
      // " yes" beside "yes" would be a class of its own, and nobody would see why.
      throw new MlpError(
        ExitCode.data,
        `${this.place(index, line)}: found ${found(cell)}, expected a value without spaces around it`,
        'remove the spaces',
      );
    }
    const code = column.levels.length;
    column.levels.push(cell);
    column.codeOf.set(cell, code);
    return code;
  }

  private grow(): void {
    this.capacity *= 2;
    this.lines = grown(this.lines, new Uint32Array(this.capacity));
    for (const column of this.columns) {
      if (column?.kind === 'numeric') column.values = grown(column.values, new Float64Array(this.capacity));
      if (column?.kind === 'text') column.codes = grown(column.codes, new Int32Array(this.capacity));
    }
  }

  private place(index: number, line: number): string {
    return `${this.path}:${line}: ${columnLabel(this.header, this.names[index])}`;
  }

  private badNumber(cell: string, index: number, line: number): MlpError {
    // 1e400 is a number, only too large; the word Infinity is none.
    const overflow = Math.abs(parseDecimal(cell)) === Number.POSITIVE_INFINITY;
    return new MlpError(
      ExitCode.data,
      `${this.place(index, line)}: found ${found(cell)}, expected a number${overflow ? ' that fits a float64' : ''}`,
      !this.header && this.rows === 0
        ? 'where the first row is a header, give data.target as a name, not as a number'
        : numberHint(
            cell,
            'numbers are plain decimals such as -1.5e3; a column of text can be named in data.exclude',
          ),
    );
  }

  private raggedRow(cells: readonly string[], line: number): MlpError {
    const empty = cells.length === 1 && cells[0] === '';
    const count = cells.length === 1 ? '1 field' : `${cells.length} fields`;
    return new MlpError(
      ExitCode.data,
      `${this.path}:${line}: found ${empty ? 'an empty line' : count}, expected ${this.columns.length}`,
      empty ? 'remove the line' : 'a value that holds a comma has to stand in quotes',
    );
  }
}

function emptyColumn(kind: ColumnKind): GrowingNumbers | GrowingText | undefined {
  switch (kind) {
    case 'numeric':
      return { kind, values: new Float64Array(FIRST_CAPACITY) };
    case 'text':
      return { kind, levels: [], codeOf: new Map(), codes: new Int32Array(FIRST_CAPACITY) };
    case 'skipped':
      return undefined;
  }
}

function grown<T extends Float64Array | Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
