/** The distinct texts among cells, told by their bytes: a string is made of each only once. */
import { isMissing } from '../cell.js';

const FIRST_SLOTS = 64;
const EMPTY = -1;
export const MISSING = -1;

export class ByteLevels {
  /** In the order of their first cell; those that stand for a missing value are among them. */
  readonly texts: string[] = [];
  private readonly bytes: Uint8Array[] = [];
  /** Open addressing, at most half full: the number of a text, by its hash. */
  private slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);

  /** The number of the text at..end. */
  code(memory: Uint8Array, at: number, end: number): number {
    const mask = this.slots.length - 1;
    let slot = hash(memory, at, end) & mask;
    for (;;) {
      const code = this.slots[slot];
      if (code === EMPTY) return this.add(memory.slice(at, end), slot);
      if (isSame(this.bytes[code], memory, at, end)) return code;
      slot = (slot + 1) & mask;
    }
  }

  private add(bytes: Uint8Array, slot: number): number {
    const code = this.texts.length;
    this.texts.push(Buffer.from(bytes.buffer).toString());
    this.bytes.push(bytes);
    this.slots[slot] = code;
    if (this.texts.length * 2 > this.slots.length) this.grow();
    return code;
  }

  private grow(): void {
    const mask = this.slots.length * 2 - 1;
    this.slots = new Int32Array(mask + 1).fill(EMPTY);
    this.bytes.forEach((bytes, code) => {
      let slot = hash(bytes, 0, bytes.length) & mask;
      while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.slots[slot] = code;
    });
  }
}

/** Texts of many pieces as the levels of one column. */
export class LevelMerger {
  readonly levels: string[] = [];
  private readonly codeOf = new Map<string, number>();

  /** What each text of a piece is called in the column; pieces come in the order of the file. MISSING for missing values. */
  codes(texts: readonly string[]): Int32Array {
    return Int32Array.from(texts, (text) => this.codeOf.get(text) ?? this.add(text));
  }

  private add(text: string): number {
    const code = isMissing(text) ? MISSING : this.levels.push(text) - 1;
    this.codeOf.set(text, code);
    return code;
  }
}

/** FNV-1a, its upper bits folded in. */
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
