/** Columns of text in a chunk: each cell is the code of its text among those of the chunk. */
import type { Reader } from './chunkReader.js';
import { isQuoted, levelText } from './quotedCells.js';

/** The cells of a column of text in one chunk. */
export interface TextCells {
  readonly kind: 'text';
  readonly spaces: boolean;
  readonly codes: Int32Array;
  readonly texts: readonly string[];
}

/** The code of a cell without a text. */
export const MISSING = -1;
export const BYTES_OF_START = 4;

/** Where the cells of a column are. */
export interface Starts {
  /** Address of the positions before the cells. */
  readonly starts: number;
  /** Elements from one row to the next. */
  readonly step: number;
  readonly rows: number;
}

export function readTexts(reader: Reader, place: Starts): TextCells {
  const { codes, texts: written } = codeFewTexts(reader, place) ?? codeAnyTexts(reader, place);
  const texts = written.map((text) => levelText(text, reader.format.delimiter));
  // Other spaces than blanks.
  const spaces = texts.some((text, code) => text !== written[code] && !isQuoted(written[code]));
  return { kind: 'text', spaces, codes, texts };
}

interface CodedTexts {
  readonly codes: Int32Array;
  readonly texts: readonly string[];
}

/** Undefined if there are more different texts than the workspace has room for. */
function codeFewTexts({ space, blockSize, delimiter }: Reader, place: Starts): CodedTexts | undefined {
  const { starts, step, rows } = place;
  const { exports, words, bytes, at } = space;
  const most = 2 ** Math.floor(Math.log2(blockSize.cells));
  const { slots } = at;
  bytes.fill(0, slots, slots + 2 * most * Uint32Array.BYTES_PER_ELEMENT);
  const codes = new Int32Array(rows);
  let known = 0;
  for (let row = 0; row < rows; row += blockSize.cells) {
    const count = Math.min(blockSize.cells, rows - row);
    const first = starts + row * step * BYTES_OF_START;
    const mask = 2 * most - 1;
    known = exports.codeTexts(first, step, count, delimiter, at.marks, at.values, known, most, slots, mask);
    if (known < 0) return undefined;
    codes.set(words.subarray(at.marks / 4, at.marks / 4 + count), row);
  }
  const texts = Array.from({ length: known }, (_, code) => {
    const [start, length] = words.subarray(at.values / 4 + 2 * code);
    return Buffer.from(bytes.buffer, start, length).toString();
  });
  return { codes, texts };
}

function codeAnyTexts(reader: Reader, { starts, step, rows }: Starts): CodedTexts {
  const { words, bytes } = reader.space;
  const levels = new ByteLevels();
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = words[starts / 4 + row * step] + 1;
    codes[row] = levels.code(bytes, start, reader.cellEnd(start));
  }
  return { codes, texts: levels.texts };
}

const FIRST_SLOTS = 64;
const EMPTY = -1;

/** Texts by their bytes. */
export class ByteLevels {
  /** In the order of their first cell, including texts that mean a missing value. */
  readonly texts: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  /** Open addressing, at most half full: the code of a text, by its hash. */
  #slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);

  /** The code of the text at..end. */
  code(memory: Uint8Array, at: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(memory, at, end) & mask;
    for (;;) {
      const code = this.#slots[slot];
      if (code === EMPTY) return this.#add(memory.slice(at, end), slot);
      if (isSame(this.#bytes[code], memory, at, end)) return code;
      slot = (slot + 1) & mask;
    }
  }

  #add(bytes: Uint8Array, slot: number): number {
    const code = this.texts.length;
    this.texts.push(Buffer.from(bytes.buffer).toString());
    this.#bytes.push(bytes);
    this.#slots[slot] = code;
    if (this.texts.length * 2 > this.#slots.length) this.#grow();
    return code;
  }

  #grow(): void {
    const mask = this.#slots.length * 2 - 1;
    this.#slots = new Int32Array(mask + 1).fill(EMPTY);
    this.#bytes.forEach((bytes, code) => {
      let slot = hash(bytes, 0, bytes.length) & mask;
      while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.#slots[slot] = code;
    });
  }
}

/** FNV-1a with its upper bits folded in. */
function hash(bytes: Uint8Array, at: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = at; i < end; i++) value = Math.imul(value ^ bytes[i], 0x01000193);
  return value ^ (value >>> 15);
}

function isSame(known: Uint8Array, bytes: Uint8Array, at: number, end: number): boolean {
  if (known.length !== end - at) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[at + i]) return false;
  return true;
}
