/**
 * Text to numbers, in blocks of cells. `findCells` finds their ends. `readShortNumbers` reads
 * numbers of up to 8 digits, which most are, 16 characters at once and without a branch;
 * `readTinyNumbers` those of up to 3 digits, such as pixels. `readOtherNumbers` reads what these
 * leave over, and leaves the rest to the caller.
 *
 * A number is written twice: as float64, and packed (see scale.ts).
 */
import { digits, power, readNumber } from './number';
import { bitsEqual } from './rows';
import { CODES, DIGITS, FAULTS, joinStrip, readLongStrip, STRIP, spreadDigits } from './strips';

const NEWLINE: i32 = 10;

const MOST_PACKED: u64 = 99999999;
const MOST_PACKED_PLACES: i32 = 14;

/**
 * Writes the positions of the cells in the text at..end to `marks` [u32]: cell i is between
 * elements i and i + 1, each a delimiter or a newline (the first is taken to be just before the
 * text). Stops at `most` cells or more, and returns their number. 64 blanks must follow the text.
 * Up to most + 68 elements are written.
 */
export function findCells(at: usize, end: usize, delimiter: i32, most: i32, marks: usize): i32 {
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>NEWLINE);
  store<u32>(marks, <u32>(at - 1));
  const first = marks + 4;
  const enough = first + ((<usize>most) << 2);
  let out = first;
  for (; at < end && out < enough; at += 64) {
    const text0 = v128.load(at);
    const text1 = v128.load(at, 16);
    const text2 = v128.load(at, 32);
    const text3 = v128.load(at, 48);
    let found =
      bitsEqual(text0, text1, text2, text3, delimiters) | bitsEqual(text0, text1, text2, text3, newlines);
    const next = out + ((<usize>popcnt(found)) << 2);
    // Four at once, overwriting what is too much: fewer unpredictable branches.
    while (out < next) {
      store<u32>(out, <u32>(at + <usize>ctz(found)));
      found &= found - 1;
      store<u32>(out, <u32>(at + <usize>ctz(found)), 4);
      found &= found - 1;
      store<u32>(out, <u32>(at + <usize>ctz(found)), 8);
      found &= found - 1;
      store<u32>(out, <u32>(at + <usize>ctz(found)), 12);
      found &= found - 1;
      out += 16;
    }
    out = next;
  }
  return <i32>((out - first) >> 2);
}

/**
 * Reads `count` cells, mostly unsigned integers of up to three digits, at the positions that
 * `findCells` writes. Returns how many are left over; their `values` and `packed` are undefined,
 * and `others` [u32] receives their indices, ascending. All need room for one more.
 */
export function readTinyNumbers(marks: usize, count: i32, values: usize, packed: usize, others: usize): i32 {
  let other = others;
  let before = <usize>load<u32>(marks);
  marks += 4;
  for (let i = 0; i < count; i++) {
    const stop = <usize>load<u32>(marks + ((<usize>i) << 2));
    const length = <u32>(stop - before - 1);
    before = stop;
    // The last character is in the upper of three bytes; what precedes the cell is 0.
    const digits = ((load<u32>(stop - 4) ^ 0x30303030) >> 8) & (0xffffff << (24 - 8 * length));
    const notDigits = ((digits + 0x767676) | digits) & 0x808080;
    const number = (digits >> 16) + ((digits >> 8) & 255) * 10 + (digits & 255) * 100;
    store<f64>(values + ((<usize>i) << 3), <f64>(<i32>number));
    store<u32>(packed + ((<usize>i) << 2), number << 5);
    store<u32>(other, <u32>i);
    other += (<usize>i32((notDigits | u32(length - 1 >= 3)) != 0)) << 2;
  }
  return <i32>((other - others) >> 2);
}

/** Result of the last `readOtherNumbers`. */
export let unpackedCells: i32 = 0;

/**
 * Reads `count` cells at the positions that `findCells` writes. Returns how many are left over;
 * their `values` and `packed` are undefined, and `others` [u32] receives their indices, ascending.
 * All need room for three more.
 */
export function readShortNumbers(marks: usize, count: i32, values: usize, packed: usize, others: usize): i32 {
  return readShort(marks, 1, marks + 4, count, values, packed, others);
}

/** The same, mostly for longer numbers, without packing them. `values` need room for one more. */
export function readLongNumbers(marks: usize, count: i32, values: usize, others: usize): i32 {
  let other = others;
  for (let first = 0; first < count; first += STRIP) {
    const some = min(STRIP, count - first);
    if (readLongStrip(marks, 1, marks + 4, 0, false, some, values)) other = listFaults(first, some, other);
    marks += STRIP << 2;
    values += STRIP << 3;
  }
  return <i32>((other - others) >> 2);
}

/** Writes the indices of cells at fault; returns the end. */
function listFaults(first: i32, count: i32, others: usize): usize {
  for (let i = 0; i < count; i++) {
    store<u32>(others, <u32>(first + i));
    others += usize(load<i32>(FAULTS + ((<usize>i) << 2)) != 0) << 2;
  }
  return others;
}

/**
 * The same for cells that start after element i · step of `before` and end at element i of `stops`.
 */
@inline
function readShort(
  before: usize,
  step: i32,
  stops: usize,
  count: i32,
  values: usize,
  packed: usize,
  others: usize,
): i32 {
  let other = others;
  for (let first = 0; first < count; first += STRIP) {
    const some = min(STRIP, count - first);
    spreadDigits(before, <usize>step << 2, stops, some);
    other = joinStrip(first, some, values, packed, other);
    before += (<usize>step * STRIP) << 2;
    stops += STRIP << 2;
    values += STRIP << 3;
    packed += STRIP << 2;
  }
  return <i32>((other - others) >> 2);
}

/**
 * Reads the `count` cells with indices in `others`. Returns how many are still left over, their
 * indices now first. `marks` are those of `findCells`. Cells that are not `wanted` [cells, u8] are
 * any finite numbers. `unpacked` [u32] receives the indices of the `unpackedCells` cells that can't be
 * packed; they are packed as 0. It needs room for one more; if it is 0, no cell is packed.
 */
export function readOtherNumbers(
  marks: usize,
  count: i32,
  values: usize,
  packed: usize,
  others: usize,
  wanted: usize,
  unpacked: usize,
): i32 {
  let left = others;
  let unpackedAt = unpacked;
  for (let first = 0; first < count; first += STRIP) {
    const some = min(STRIP, count - first);
    const list = others + ((<usize>first) << 2);
    const hasFaults = readLongStrip(marks, 1, marks + 4, list, true, some, values);
    if (unpacked != 0) {
      for (let i: usize = 0; i < <usize>some; i++) {
        const cell = <usize>load<u32>(list + (i << 2));
        const isPacked = pack(fewDigits(DIGITS + (i << 4)), -placesOf(load<i32>(CODES + (i << 2))), cell, values, packed);
        const isSkipped = i32(load<i32>(FAULTS + (i << 2)) != 0) | i32(load<u8>(wanted + cell) == 0);
        store<u32>(unpackedAt, <u32>cell);
        unpackedAt += usize(!isPacked && isSkipped == 0) << 2;
      }
    }
    if (!hasFaults) continue;
    for (let i: usize = 0; i < <usize>some; i++) {
      if (load<i32>(FAULTS + (i << 2)) == 0) continue;
      const cell = <usize>load<u32>(list + (i << 2));
      if (load<u8>(wanted + cell) == 0) {
        // Whatever is scaled with the others must be finite.
        store<f64>(values + (cell << 3), 0);
        continue;
      }
      const mark = marks + (cell << 2);
      const value = readNumber(<usize>load<u32>(mark) + 1, <usize>load<u32>(mark, 4));
      store<f64>(values + (cell << 3), value);
      if (isNaN(value)) {
        store<u32>(left, <u32>cell);
        left += 4;
      } else if (unpacked != 0 && !pack(digits, power, cell, values, packed)) {
        store<u32>(unpackedAt, <u32>cell);
        unpackedAt += 4;
      }
    }
  }
  unpackedCells = <i32>((unpackedAt - unpacked) >> 2);
  return <i32>((left - others) >> 2);
}

/** The digits of a cell of a strip; any large number for more than 8. */
@inline
function fewDigits(at: usize): u64 {
  const upper = load<u64>(at) | <u64>load<u32>(at, 8);
  return (u64(upper != 0) << 32) | <u64>load<u32>(at, 12);
}

/** The decimal places of a cell of a strip. */
@inline
function placesOf(code: i32): i32 {
  return (code & 0x7fffffff) >> 5;
}

/** Packs digits · 10^power, the value of a cell; 0 and false if that is impossible. */
@inline
function pack(digits: u64, power: i32, cell: usize, values: usize, packed: usize): bool {
  const fits = digits <= MOST_PACKED && <u32>-power <= <u32>MOST_PACKED_PLACES;
  const minus = <i32>(load<u64>(values + (cell << 3)) >> 63);
  const word = (<i32>digits << 5) | (minus << 4) | (15 + power);
  store<i32>(packed + (cell << 2), fits ? word : 0);
  return fits;
}

/**
 * Reads `count` cells of one column: each starts after the position in every `step`-th element of
 * `before` [u32] and ends at the next delimiter or newline. Returns how many are left over;
 * `others` receives their indices. `stops` and `packed` are scratch.
 */
export function readColumn(
  before: usize,
  step: i32,
  count: i32,
  delimiter: i32,
  stops: usize,
  values: usize,
  packed: usize,
  others: usize,
): i32 {
  for (let i = 0; i < count; i++) {
    let stop = <usize>load<u32>(before + ((<usize>(i * step)) << 2)) + 1;
    let character = <i32>load<u8>(stop);
    while (character != delimiter && character != NEWLINE) character = <i32>load<u8>(++stop);
    store<u32>(stops + ((<usize>i) << 2), <u32>stop);
  }
  const long = readShort(before, step, stops, count, values, packed, others);
  let left = others;
  for (let first = 0; first < long; first += STRIP) {
    const some = min(STRIP, long - first);
    const list = others + ((<usize>first) << 2);
    if (!readLongStrip(before, step, stops, list, true, some, values)) continue;
    for (let i: usize = 0; i < <usize>some; i++) {
      if (load<i32>(FAULTS + (i << 2)) == 0) continue;
      const cell = <usize>load<u32>(list + (i << 2));
      const start = <usize>load<u32>(before + ((cell * step) << 2)) + 1;
      const value = readNumber(start, <usize>load<u32>(stops + (cell << 2)));
      store<f64>(values + (cell << 3), value);
      if (isNaN(value)) {
        store<u32>(left, <u32>cell);
        left += 4;
      }
    }
  }
  return <i32>((left - others) >> 2);
}

