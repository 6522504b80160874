/** Which cells of a column and which rows of a table are equal, exactly. */
import { firstRows, rowsWhere } from '../locatedColumn.js';
import type { Column } from '../table.js';

export interface Codes {
  /** [rows] Equal codes mean equal cells: 0 … distinct − 1, or −1 for a missing cell. */
  readonly codes: Int32Array;
  readonly distinct: number;
}

/** Whole numbers below this size are looked up in a list instead of a hash table. */
const LARGEST_LISTED = 2 ** 15;
/** Fewer values cost less in a hash table than the list takes to make. */
const FEWEST_LISTED = 1024;
/** This many values and their hash table fit together in a core's cache. */
const VALUES_OF_PART = 4096;

/** 0 and −0 are one value. */
export function encodeCells(column: Column): Codes {
  if (column.kind === 'text') return { codes: column.codes, distinct: column.levels.length };
  const { values } = column;
  return encodeSmallIntegers(values) ?? encodeFew(values) ?? encodeNumbers(values);
}

/** [distinct] How often each code occurs. */
export function countCodes({ codes, distinct }: Codes): Uint32Array {
  const counts = new Uint32Array(distinct);
  for (let row = 0; row < codes.length; row++) if (codes[row] >= 0) counts[codes[row]]++;
  return counts;
}

/** Whether two rows have the same cell. Two missing cells are the same, as are 0 and −0. */
function sameCell(column: Column, a: number, b: number): boolean {
  if (column.kind === 'text') return column.codes[a] === column.codes[b];
  const { values } = column;
  return values[a] === values[b] || (Number.isNaN(values[a]) && Number.isNaN(values[b]));
}

/** Undefined if a value is not such a whole number, or if there are few values. */
function encodeSmallIntegers(values: Float64Array): Codes | undefined {
  if (values.length < FEWEST_LISTED) return undefined;
  const codes = new Int32Array(values.length);
  const codeOf = new Int32Array(2 * LARGEST_LISTED).fill(-1);
  let distinct = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (Number.isNaN(value)) {
      codes[row] = -1;
      continue;
    }
    const whole = value | 0;
    if (whole !== value || whole < -LARGEST_LISTED || whole >= LARGEST_LISTED) return undefined;
    const place = whole + LARGEST_LISTED;
    if (codeOf[place] < 0) codeOf[place] = distinct++;
    codes[row] = codeOf[place];
  }
  return { codes, distinct };
}

/** More values fill a core's cache with their hash table. */
const MOST_FEW = 2 ** 12;

/** Undefined if there are many different values. */
function encodeFew(values: Float64Array): Codes | undefined {
  const codes = new Int32Array(values.length);
  const most = Math.min(MOST_FEW, values.length);
  const mask = tableSize(most) - 1;
  const codeOf = new Int32Array(mask + 1).fill(-1);
  const known = new Float64Array(most);
  let distinct = 0;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (Number.isNaN(value)) {
      codes[row] = -1;
      continue;
    }
    let slot = hashOf(value) & mask;
    while (codeOf[slot] >= 0 && known[codeOf[slot]] !== value) slot = (slot + 1) & mask;
    if (codeOf[slot] < 0) {
      if (distinct === most) return undefined;
      known[distinct] = value;
      codeOf[slot] = distinct++;
    }
    codes[row] = codeOf[slot];
  }
  return { codes, distinct };
}

/**
 * Parts the values by the first bits of their hashes, then finds equal values in each part with a
 * small hash table (open addressing). One large table would wait for memory at each of a million
 * values.
 */
function encodeNumbers(values: Float64Array): Codes {
  const bits = Math.max(0, Math.ceil(Math.log2(values.length / VALUES_OF_PART)));
  const { parted, rows, ends } = partByHash(values, bits);
  const codes = new Int32Array(values.length).fill(-1);
  const longest = ends.reduce((most, end, part) => Math.max(most, end - (ends[part - 1] ?? 0)), 0);
  /** The first of the values with this hash; −1 for none. */
  const table = new Int32Array(tableSize(longest));
  const codeOf = new Int32Array(table.length);
  let distinct = 0;
  let from = 0;
  for (const end of ends) {
    const mask = tableSize(end - from) - 1;
    table.fill(-1, 0, mask + 1);
    for (let i = from; i < end; i++) {
      const value = parted[i];
      let slot = hashOf(value) & mask;
      while (table[slot] >= 0 && parted[table[slot]] !== value) slot = (slot + 1) & mask;
      if (table[slot] < 0) {
        table[slot] = i;
        codeOf[slot] = distinct++;
      }
      codes[rows[i]] = codeOf[slot];
    }
    from = end;
  }
  return { codes, distinct };
}

/** The values but NaN, part by part, with their rows. Part p ends at `ends[p]`. */
function partByHash(values: Float64Array, bits: number) {
  // Two shifts, because a shift by 32 would shift by 0.
  const partOf = (value: number) => (hashOf(value) >>> 1) >>> (31 - bits);
  const counts = new Int32Array(2 ** bits);
  let present = 0;
  for (let row = 0; row < values.length; row++) {
    if (Number.isNaN(values[row])) continue;
    counts[partOf(values[row])]++;
    present++;
  }
  const ends = new Int32Array(2 ** bits);
  for (let part = 1; part < ends.length; part++) ends[part] = ends[part - 1] + counts[part - 1];
  const parted = new Float64Array(present);
  const rows = new Int32Array(present);
  for (let row = 0; row < values.length; row++) {
    if (Number.isNaN(values[row])) continue;
    const place = ends[partOf(values[row])]++;
    parted[place] = values[row];
    rows[place] = row;
  }
  return { parted, rows, ends };
}

/** A power of two that keeps the table at most half full. */
function tableSize(count: number): number {
  return 2 ** Math.ceil(Math.log2(2 * count + 1));
}

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/** A 32-bit hash of a number, mixed like the end of MurmurHash3. */
function hashOf(value: number): number {
  // Adding 0 turns −0 into 0, which it equals.
  double[0] = value + 0;
  let hash = Math.imul(halves[0] ^ Math.imul(halves[1], 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}

export class RowHashes {
  readonly #rows: number;
  /** [rows] */
  readonly #hashes: Int32Array;
  readonly #columns: Column[] = [];

  constructor(rows: number) {
    this.#rows = rows;
    this.#hashes = new Int32Array(rows);
  }

  /** The number of columns added. */
  get width(): number {
    return this.#columns.length;
  }

  /** Adds a column, given the codes of its cells: one step of MurmurHash3 for each row. */
  add(column: Column, codes: Int32Array): void {
    const hashes = this.#hashes;
    const rows = this.#rows;
    for (let row = 0; row < rows; row++) {
      const block = Math.imul(codes[row], 0xcc9e2d51);
      const hash = hashes[row] ^ Math.imul((block << 15) | (block >>> 17), 0x1b873593);
      hashes[row] = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    }
    this.#columns.push(column);
  }

  /**
   * [rows] For each row the first row that equals it in all columns added so far, itself if there
   * is none.
   * @param known [rows] the same for these and further columns: rows that are equal there are not
   *   compared again
   */
  firstEqual(known?: Int32Array): Int32Array {
    const first = this.#firstAlike();
    const isKnown = (row: number) => known !== undefined && known[row] !== row;
    // A row that equals such a row also differs from the first one, so it is among them.
    const others = new Map<number, number[]>();
    for (const row of this.#unequal(first, isKnown)) {
      const candidates = others.get(first[row]) ?? [];
      others.set(first[row], candidates);
      const equal = candidates.find((other) => this.#columns.every((column) => sameCell(column, other, row)));
      if (equal === undefined) candidates.push(row);
      first[row] = equal ?? row;
    }
    if (known) for (let row = 0; row < this.#rows; row++) if (isKnown(row)) first[row] = first[known[row]];
    return first;
  }

  /** [rows] For each row the first row with the same hash. */
  #firstAlike(): Int32Array {
    const hashes = this.#hashes;
    const rows = this.#rows;
    const first = new Int32Array(rows);
    const slotOf = (row: number, mask: number) => {
      const hash = Math.imul(hashes[row] ^ (hashes[row] >>> 16), 0x85ebca6b);
      return (hash ^ (hash >>> 13)) & mask;
    };
    // It grows with the different hashes: many rows may have few.
    let slots = new Int32Array(LEAST_SLOTS).fill(-1);
    let mask = slots.length - 1;
    let used = 0;
    for (let row = 0; row < rows; row++) {
      let slot = slotOf(row, mask);
      while (slots[slot] >= 0 && hashes[slots[slot]] !== hashes[row]) slot = (slot + 1) & mask;
      if (slots[slot] < 0) {
        slots[slot] = row;
        used++;
      }
      first[row] = slots[slot];
      if (2 * used < slots.length) continue;
      const larger = new Int32Array(2 * slots.length).fill(-1);
      mask = larger.length - 1;
      for (const own of slots) {
        if (own < 0) continue;
        let place = slotOf(own, mask);
        while (larger[place] >= 0) place = (place + 1) & mask;
        larger[place] = own;
      }
      slots = larger;
    }
    return first;
  }

  /** The rows that differ from the first row with their hash, but for those that are known. */
  #unequal(first: Int32Array, isKnown: (row: number) => boolean): Int32Array {
    const rows = this.#rows;
    const states = new Uint8Array(rows);
    for (let row = 0; row < rows; row++) if (first[row] !== row && !isKnown(row)) states[row] = ALIKE;
    // By column, because by row it would wait for memory at each cell.
    for (const column of this.#columns) {
      for (let row = 0; row < rows; row++) {
        if (states[row] === ALIKE && !sameCell(column, first[row], row)) states[row] = UNEQUAL;
      }
    }
    return rowsWhere(firstRows(rows), (row) => states[row] === UNEQUAL);
  }
}

/** A row has the hash of an earlier one; and other cells. */
const ALIKE = 1;
const UNEQUAL = 2;
const LEAST_SLOTS = 2 ** 10;
