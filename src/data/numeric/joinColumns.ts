/** The kept cells of all chunks, joined into columns. */
import { CellMemory } from '../cellMemory.js';
import type { ColumnFile } from '../columnFile.js';
import { grown } from '../csv/columnBuilders.js';
import { isMissing, unmarked } from '../missingValues.js';
import {
  countMissing,
  MOST_SPELLINGS,
  type NumericColumn,
  type TextColumn,
  type WrittenNumbers,
} from '../table.js';
import type { KeptCells, KeptColumn } from './scan.js';
import { MISSING } from './textCells.js';

/** Joins the cells [chunks][kept] into columns. */
export function joinColumns(
  kept: readonly KeptColumn[],
  chunks: readonly (readonly KeptCells[])[],
  rows: number,
): Map<number, NumericColumn | TextColumn> {
  const joiner = new ColumnJoiner(kept, rows);
  for (const cells of chunks) joiner.add(cells);
  return joiner.finish();
}

/** Joins the cells of chunks as they come, so that no chunk stays in memory besides its columns. */
export class ColumnJoiner {
  readonly #kept: readonly KeptColumn[];
  readonly #room: number;
  readonly #file: ColumnFile | undefined;
  readonly #memory = new CellMemory();
  readonly #joins: readonly Join[];
  #rows = 0;

  /**
   * @param room for as many rows; more need more memory, and what nobody writes to takes none
   * @param file takes the cells of its columns
   */
  constructor(kept: readonly KeptColumn[], room: number, file?: ColumnFile) {
    this.#kept = kept;
    this.#room = room;
    this.#file = file;
    this.#joins = kept.map(({ kind }) => (kind === 'text' ? new TextJoin() : new NumberJoin()));
  }

  /** @param chunk [kept] the cells of the next rows */
  add(chunk: readonly KeptCells[]): void {
    const rows = chunk.length > 0 ? rowsOf(chunk[0]) : 0;
    const end = this.#rows + rows;
    const room = end > this.#room ? 2 * end : this.#room;
    const stored = new Map<number, Float64Array | Int32Array>();
    this.#joins.forEach((join, i) => {
      const { column } = this.#kept[i];
      if (!this.#file?.has(column)) join.add(chunk[i], this.#rows, room, this.#memory);
      else stored.set(column, join.pass(chunk[i]));
    });
    this.#file?.add(rows, (column) => stored.get(column) as Float64Array | Int32Array);
    this.#rows = end;
  }

  /** Columns that are in the file have no cells. */
  finish(): Map<number, NumericColumn | TextColumn> {
    return new Map(
      this.#kept.map(({ column }, i) => {
        const rows = this.#file?.has(column) ? 0 : this.#rows;
        return [column, this.#joins[i].finish(rows)];
      }),
    );
  }
}

function rowsOf(cells: KeptCells): number {
  return cells.kind === 'text' ? cells.codes.length : cells.values.length;
}

interface Join {
  /**
   * @param row the first of the cells
   * @param room for as many rows, if the memory does not do
   */
  add(cells: KeptCells, row: number, room: number, memory: CellMemory): void;
  /** The cells as `add` would keep them. */
  pass(cells: KeptCells): Float64Array | Int32Array;
  finish(rows: number): NumericColumn | TextColumn;
}

class NumberJoin implements Join {
  #values: Float64Array = new Float64Array(0);
  #missing = 0;
  readonly #written: WrittenChunk[] = [];

  add(cells: KeptCells, row: number, room: number, memory: CellMemory): void {
    if (cells.kind !== 'numeric') return;
    const { values, missing, written } = cells;
    const end = row + values.length;
    // One chunk may be the whole column.
    if (row === 0 && end === room) this.#values = values;
    else {
      if (end > this.#values.length) this.#values = grown(this.#values, memory.floats(room));
      this.#values.set(values, row);
    }
    this.#missing += missing;
    this.#written.push({ rows: values.length, written });
  }

  pass(cells: KeptCells): Float64Array {
    if (cells.kind !== 'numeric') throw new TypeError('found text among numbers');
    this.#missing += cells.missing;
    return cells.values;
  }

  finish(rows: number): NumericColumn {
    const values = this.#values.subarray(0, rows);
    const missing = this.#missing;
    const written = joinWritten(this.#written, values, missing);
    return { kind: 'numeric', values, missing, ...(written && { written }) };
  }
}

interface WrittenChunk {
  readonly rows: number;
  readonly written: Extract<KeptCells, { kind: 'numeric' }>['written'];
}

/** Undefined if all numbers are plain integers. */
function joinWritten(
  chunks: readonly WrittenChunk[],
  values: Float64Array,
  missing: number,
): WrittenNumbers | undefined {
  if (chunks.every(({ written }) => written === undefined)) return undefined;
  const levels = new Map<string, number>();
  const codeOf = (text: string) => levels.get(text) ?? levels.set(text, levels.size).size - 1;
  const codes = new Int32Array(values.length);
  let row = 0;
  for (const { rows, written } of chunks) {
    if (written === 'many') return written;
    const chunkCodes = written?.texts.map(codeOf);
    for (let i = 0; i < rows; i++, row++) {
      if (Number.isNaN(values[row])) codes[row] = MISSING;
      else codes[row] = written && chunkCodes ? chunkCodes[written.codes[i]] : codeOf(String(values[row]));
      if (levels.size > MOST_SPELLINGS) return 'many';
    }
  }
  return { kind: 'text', levels: [...levels.keys()], codes, missing };
}

class TextJoin implements Join {
  #codes: Int32Array = new Int32Array(0);
  #missing = 0;
  readonly #merger = new LevelMerger();

  add(cells: KeptCells, row: number, room: number, memory: CellMemory): void {
    if (cells.kind !== 'text') return;
    const codes = this.pass(cells);
    const end = row + codes.length;
    if (end > this.#codes.length) this.#codes = grown(this.#codes, memory.integers(room));
    this.#codes.set(codes, row);
  }

  pass(cells: KeptCells): Int32Array {
    if (cells.kind !== 'text') throw new TypeError('found numbers among text');
    const codeOf = this.#merger.codes(cells.texts);
    const codes = cells.codes.map((code) => codeOf[code]);
    this.#missing += countMissing(codes);
    return codes;
  }

  finish(rows: number): TextColumn {
    const { levels } = this.#merger;
    return { kind: 'text', levels, codes: this.#codes.subarray(0, rows), missing: this.#missing };
  }
}

/** Joins the texts of chunks into the levels of a column. */
class LevelMerger {
  readonly levels: string[] = [];
  readonly #codeOf = new Map<string, number>();

  /**
   * The column's code for each text of a chunk, MISSING for missing values. Chunks come in the
   * order of the file.
   */
  codes(texts: readonly string[]): Int32Array {
    return Int32Array.from(texts, (text) => this.#codeOf.get(text) ?? this.#add(text));
  }

  #add(text: string): number {
    const code = isMissing(text) ? MISSING : this.levels.push(unmarked(text)) - 1;
    this.#codeOf.set(text, code);
    return code;
  }
}
