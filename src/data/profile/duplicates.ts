/** Which rows of a table are equal: by a hash of each row, and a comparison of all cells where two hashes agree. */
import type { Column } from '../table.js';
import { sameCell } from './valueCodes.js';

export class RowHashes {
  /** [rows] */
  private readonly hashes: Int32Array;
  private readonly columns: Column[] = [];

  constructor(private readonly rows: number) {
    this.hashes = new Int32Array(rows);
  }

  /** How many columns are taken into account. */
  get width(): number {
    return this.columns.length;
  }

  /** Takes a further column into account, given with the codes of its cells: a step of MurmurHash3 for each row. */
  add(column: Column, codes: Int32Array): void {
    const { hashes, rows } = this;
    for (let row = 0; row < rows; row++) {
      const block = Math.imul(codes[row], 0xcc9e2d51);
      const hash = hashes[row] ^ Math.imul((block << 15) | (block >>> 17), 0x1b873593);
      hashes[row] = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    this.columns.push(column);
  }

  /**
   * [rows] For each row the first one that equals it in all columns added so far: itself where none comes before it.
   * @param known [rows] the same for these columns and others beside them: rows that are equal there are not compared again
   */
  firstEqual(known?: Int32Array): Int32Array {
    const first = this.firstAlike();
    const isKnown = (row: number) => known !== undefined && known[row] !== row;
    const alike = Int32Array.from(first.keys()).filter((row) => first[row] !== row && !isKnown(row));
    // What equals such a row is unequal to the same first one, and so is among them too.
    const others = new Map<number, number[]>();
    for (const row of this.unequal(alike, first)) {
      const candidates = others.get(first[row]) ?? [];
      others.set(first[row], candidates);
      const equal = candidates.find((other) => this.columns.every((column) => sameCell(column, other, row)));
      if (equal === undefined) candidates.push(row);
      first[row] = equal ?? row;
    }
    if (known) for (let row = 0; row < this.rows; row++) if (isKnown(row)) first[row] = first[known[row]];
    return first;
  }

  /** [rows] For each row the first one with the same hash. */
  private firstAlike(): Int32Array {
    const { hashes, rows } = this;
    const first = new Int32Array(rows);
    const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * rows + 1))).fill(-1);
    const mask = slots.length - 1;
    for (let row = 0; row < rows; row++) {
      const hash = Math.imul(hashes[row] ^ (hashes[row] >>> 16), 0x85ebca6b);
      let slot = (hash ^ (hash >>> 13)) & mask;
      while (slots[slot] >= 0 && hashes[slots[slot]] !== hashes[row]) slot = (slot + 1) & mask;
      if (slots[slot] < 0) slots[slot] = row;
      first[row] = slots[slot];
    }
    return first;
  }

  /** Those of the rows `alike` that do not equal the first one with their hash. */
  private unequal(alike: Int32Array, first: Int32Array): Int32Array {
    const differs = new Uint8Array(alike.length);
    // By column, for by row it would wait for the memory at each cell.
    for (const column of this.columns) {
      for (let i = 0; i < alike.length; i++) {
        if (!sameCell(column, first[alike[i]], alike[i])) differs[i] = 1;
      }
    }
    return alike.filter((_, i) => differs[i]);
  }
}
