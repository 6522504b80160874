/** Reads chunks in a thread: loaded into its workspace, then read in blocks of numbers. */
import { parseDecimal } from '../cell.js';
import { changed, type FileBytes } from '../source/fileBytes.js';
import { loadChunk, type PlacedChunk, type Span } from './chunks.js';
import type { BlockSize } from './matrix.js';
import type { Modules } from './modules.js';
import { cellText, isQuoted } from './quotedCells.js';
import { blockSizeOf, type Tuning, Workspace } from './workspace.js';

/** What reading the rows of a file needs to know. Plain data. */
export interface RowFormat {
  readonly delimiter: string;
  readonly dataStart: number;
  /** With the empty ones at the end of every row, which are the last `trailing`. */
  readonly columns: number;
  readonly trailing: number;
}

/** Rows in the workspace: `values` and `packed`, row by row, all columns of the file. */
export interface Block {
  /** Of the file, from 0. */
  readonly firstRow: number;
  readonly rows: number;
}

/** Takes a cell that is not a number. False ends the reading. */
type OtherCell = (row: number, column: number, text: string) => boolean;

/** What a block is first tried as. Long numbers would all be tried in vain. */
type NumberKind = 'tiny' | 'short' | 'long';

/** Mean lengths of cells, with the delimiter. */
const TINY_LENGTH = 4;
const LONG_LENGTH = 13;
const LINE_FEED = 0x0a;

export class Reader {
  readonly space: Workspace;
  readonly delimiter: number;
  readonly blockSize: BlockSize;
  /** How many cells of the block can't be packed; their indices are in the workspace. */
  unpackedCells = 0;
  /** Whether other spaces than blanks were around numbers since it was set to false. */
  spaces = false;
  /** The columns that `wanted` has in the workspace. */
  #wanted: Int32Array | undefined;

  /** @param rank the number of the thread among the readers, from 0 */
  constructor(
    readonly modules: Modules,
    readonly file: FileBytes,
    readonly format: RowFormat,
    readonly tuning: Tuning,
    readonly rank: number,
  ) {
    this.blockSize = blockSizeOf(format.columns, tuning);
    this.space = new Workspace(modules.parse, format.columns, this.blockSize);
    this.delimiter = format.delimiter.charCodeAt(0);
  }

  /**
   * Loads a chunk and reads it block by block. `features` are the columns to look at. A cell that is not a
   * number is NaN. Returns false as soon as `otherCell` does. If `packs` is false, `packed` and
   * `unpackedCells` are undefined.
   */
  forEachBlock(
    chunk: PlacedChunk,
    features: Int32Array,
    packs: boolean,
    otherCell: OtherCell,
    take: (block: Block) => void,
  ): boolean {
    const text = loadChunk(this.space, this.file, this.delimiter, chunk);
    return this.forEachBlockOf(text, chunk, features, packs, otherCell, take);
  }

  /** The same for rows that are loaded. */
  forEachBlockOf(
    text: Span,
    chunk: Block,
    features: Int32Array,
    packs: boolean,
    otherCell: OtherCell,
    take: (block: Block) => void,
  ): boolean {
    const { space, file } = this;
    const { columns, exports, at } = space;
    this.#want(features);

    let from = text.at;
    let kind = this.#kindOf(text, chunk);
    for (let done = 0; done < chunk.rows; ) {
      const wanted = Math.min(this.blockSize.rows, chunk.rows - done) * columns;
      const found = exports.findCells(from, text.end, this.delimiter, wanted, at.marks);
      if (found < wanted) throw changed(file, file.size);
      const others = this.#readAs(kind, wanted, packs);
      if (kind === 'tiny' && others * 16 > wanted) kind = 'short';
      else if (kind === 'short' && others * 2 > wanted) kind = 'long';
      const left = exports.readOtherNumbers(
        at.marks,
        others,
        at.values,
        at.packed,
        at.others,
        at.wanted,
        packs ? at.unpacked : 0,
      );
      this.unpackedCells = exports.unpackedCells.value;
      const firstRow = chunk.firstRow + done;
      if (left > 0 && !this.#readLeft(left, firstRow, otherCell)) return false;
      const rows = wanted / columns;
      take({ firstRow, rows });
      done += rows;
      from = space.words[at.marks / 4 + wanted] + 1;
    }
    return true;
  }

  /** Takes the numbers [rows, columns] of a chunk in the same blocks. */
  forEachKeptBlock(
    chunk: Block,
    numbers: Float64Array,
    take: (block: Block, numbers: Float64Array) => void,
  ): void {
    const { columns } = this.space;
    for (let done = 0; done < chunk.rows; ) {
      const rows = Math.min(this.blockSize.rows, chunk.rows - done);
      const block = { firstRow: chunk.firstRow + done, rows };
      take(block, numbers.subarray(done * columns, (done + rows) * columns));
      done += rows;
    }
  }

  #want(features: Int32Array): void {
    if (this.#wanted === features) return;
    this.#wanted = features;
    const { columns, bytes, at } = this.space;
    const { cells } = this.blockSize;
    bytes.fill(0, at.wanted, at.wanted + cells);
    for (const column of features) {
      for (let cell = column; cell < cells; cell += columns) bytes[at.wanted + cell] = 1;
    }
  }

  /** The cell that starts at an address, as it is written in the workspace. */
  writtenCell(start: number): string {
    return this.#text(start, this.cellEnd(start));
  }

  cellEnd(start: number): number {
    const { bytes } = this.space;
    let end = start;
    while (bytes[end] !== this.delimiter && bytes[end] !== LINE_FEED) end++;
    return end;
  }

  /** What most numbers of a chunk may be, judged by their mean length. */
  #kindOf({ at, end }: Span, { rows }: Block): NumberKind {
    const length = (end - at) / (rows * this.format.columns);
    if (length <= TINY_LENGTH) return 'tiny';
    return length < LONG_LENGTH ? 'short' : 'long';
  }

  /** Reads the numbers of one kind and returns how many cells are left over. */
  #readAs(kind: NumberKind, cells: number, packs: boolean): number {
    const { exports, words, at } = this.space;
    if (kind === 'tiny') return exports.readTinyNumbers(at.marks, cells, at.values, at.packed, at.others);
    if (kind === 'short') return exports.readShortNumbers(at.marks, cells, at.values, at.packed, at.others);
    if (!packs) return exports.readLongNumbers(at.marks, cells, at.values, at.others);
    for (let cell = 0, to = at.others / 4; cell < cells; cell++) words[to++] = cell;
    return cells;
  }

  /** Reads the cells that the module left over: long numbers, or no numbers. */
  #readLeft(count: number, firstRow: number, otherCell: OtherCell): boolean {
    const { columns, words, doubles, at } = this.space;
    for (let i = 0; i < count; i++) {
      const cell = words[at.others / 4 + i];
      const column = cell % columns;
      const written = this.#text(words[at.marks / 4 + cell] + 1, words[at.marks / 4 + cell + 1]);
      const text = isQuoted(written) ? cellText(written, this.format.delimiter).trim() : written;
      const value = parseDecimal(text.trim());
      this.spaces ||= text.trim() !== written && !isQuoted(written);
      if (Number.isFinite(value)) {
        doubles[at.values / 8 + cell] = value;
        words[at.packed / 4 + cell] = 0;
        words[at.unpacked / 4 + this.unpackedCells++] = cell;
        continue;
      }
      doubles[at.values / 8 + cell] = Number.NaN;
      if (!otherCell(firstRow + (cell - column) / columns, column, text)) return false;
    }
    return true;
  }

  #text(start: number, end: number): string {
    const { buffer } = this.space.bytes;
    return Buffer.from(buffer, start, end - start).toString();
  }
}
