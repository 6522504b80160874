/** A thread's workspace: the parser's memory, laid out for text and blocks of rows. */
import type { BlockSize } from './matrix.js';
import { instantiateParser, type ParserExports } from './modules.js';

const PAGE = 65_536;
/** Between any two regions: SIMD reads and writes past an end, by less than this. */
const GAP = 512;
/** Blanks required after a text. */
const BLANKS = 64;
const BLANK = 0x20;

/** Sizes that only tests change, so that every row crosses a border. */
export interface Tuning {
  /** Bytes of the file in a chunk, the unit of work. A chunk ends with its last row. */
  readonly chunkBytes: number;
  /** Cells read before anything is done with them; at least one row. */
  readonly blockCells: number;
  /** Smaller files are read by the calling thread alone: a thread takes 40 ms to start. */
  readonly threadedBytes: number;
  /** Of fewer columns of numbers, the cells of one lie close together. */
  readonly manyColumns: number;
  /** Memory for float64 numbers that are kept until they can be scaled. */
  readonly keptBytes: number;
}

export const TUNING: Tuning = {
  chunkBytes: 2 ** 20,
  blockCells: 2 ** 14,
  threadedBytes: 2 ** 24,
  manyColumns: 32,
  keptBytes: 2 ** 27,
};

/** Addresses of regions, in bytes. */
interface Layout {
  /** [columns] u32: the columns whose cells are kept, then one that does not exist */
  readonly kept: number;
  /** [cells] u8 */
  readonly wanted: number;
  /** [columns] f64 */
  readonly means: number;
  readonly meanRests: number;
  readonly squares: number;
  readonly least: number;
  readonly greatest: number;
  /** [cells] u32 */
  readonly marks: number;
  readonly others: number;
  readonly unpacked: number;
  readonly packed: number;
  /** [rows of a block] u32 */
  readonly chosen: number;
  /** [cells] f64 */
  readonly values: number;
  /** [2 · cells] u32 */
  readonly slots: number;
  readonly text: number;
}

/** Blocks consist of whole rows. */
export function blockSizeOf(columns: number, { blockCells }: Tuning): BlockSize {
  const rows = Math.max(1, Math.floor(blockCells / columns));
  return { rows, cells: rows * columns };
}

export class Workspace {
  readonly exports: ParserExports;
  readonly at: Layout;
  /** Views of the memory, renewed when it grows. */
  bytes = new Uint8Array();
  words = new Uint32Array();
  doubles = new Float64Array();

  constructor(
    module: WebAssembly.Module,
    readonly columns: number,
    { cells, rows }: BlockSize,
  ) {
    this.exports = instantiateParser(module);
    let next = this.exports.constantsEnd.value;
    const region = (bytes: number) => {
      const start = Math.ceil(next / 16) * 16;
      next = start + bytes + GAP;
      return start;
    };
    this.at = {
      kept: region(4 * columns + 4),
      wanted: region(cells),
      means: region(8 * columns),
      meanRests: region(8 * columns),
      squares: region(8 * columns),
      least: region(8 * columns),
      greatest: region(8 * columns),
      marks: region(4 * cells),
      others: region(4 * cells),
      unpacked: region(4 * cells),
      packed: region(4 * cells),
      chosen: region(4 * rows),
      values: region(8 * cells),
      slots: region(8 * cells),
      text: region(0),
    };
    this.reserve(0);
  }

  /** Makes room for text and for `behind` bytes after it; returns the address of these. */
  reserve(textBytes: number, behind = 0): number {
    const { memory } = this.exports;
    const start = Math.ceil((this.at.text + textBytes + GAP) / 16) * 16;
    const missing = start + behind + GAP - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    if (this.bytes.buffer !== memory.buffer) {
      const { buffer } = memory;
      this.bytes = new Uint8Array(buffer as ArrayBuffer);
      this.words = new Uint32Array(buffer as ArrayBuffer);
      this.doubles = new Float64Array(buffer as ArrayBuffer);
    }
    return start;
  }

  /** Writes the blanks after a text that ends at `end`. */
  endText(end: number): void {
    this.bytes.fill(BLANK, end, end + BLANKS);
  }

  /** [length] float64 from an address. */
  numbers(address: number, length: number): Float64Array {
    return this.doubles.subarray(address / 8, address / 8 + length);
  }
}
