/**
 * Text to numbers, in blocks of cells. `findCells` finds their ends. `readShortNumbers` reads
 * numbers of up to 8 digits, which most are, 16 characters at once and without a branch;
 * `readTinyNumbers` those of up to 3 digits, such as pixels. `readOtherNumbers` reads what these
 * leave over, and leaves the rest to the caller.
 *
 * A number is written twice: as float64, and packed (see scale.ts).
 */
import {
  beyondDigits,
  hundreds,
  joinEights,
  joinFours,
  lastLanes,
  lowBytes,
  notDigits,
  points,
  tens,
  tenThousands,
  withoutPoint,
  zeros,
} from './digits';
import { digits, power, readNumber } from './number';
import { bitsEqual } from './rows';
import { divisorsOf } from './scale';

const NEWLINE: i32 = 10;
const PLUS: i32 = 43;
const MINUS: i32 = 45;

const MOST_PACKED: u64 = 99999999;
const MOST_PACKED_PLACES: i32 = 14;

/** [256] What a first character is: 1 for a sign, 16 more for a minus. */
const SIGNS = memory.data(256, 16);
store<u8>(SIGNS + PLUS, 1);
store<u8>(SIGNS + MINUS, 17);

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

/** Cells of one run of the two loops of `readShortNumbers`; they stay in the first cache. */
const STRIP: i32 = 128;
/** [STRIP, 16] u8: the digits of each cell, the last one in lane 15. */
const DIGITS = memory.data(2048, 16);
/** [STRIP] i32: sign and code of each cell; then nonzero if a cell is not a short number. */
const CODES = memory.data(512, 16);
const FAULTS = memory.data(512, 16);

/**
 * Reads `count` cells at the positions that `findCells` writes. Returns how many are left over;
 * their `values` and `packed` are undefined, and `others` [u32] receives their indices, ascending.
 * All need room for three more.
 */
export function readShortNumbers(marks: usize, count: i32, values: usize, packed: usize, others: usize): i32 {
  return readShort(marks, 1, marks + 4, count, values, packed, others);
}

/**
 * The same for cells that start after element i · step of `before` and end at element i of `stops`.
 *
 * In two loops, because a processor overlaps many cells if each takes few steps, and few if each
 * takes many.
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

/** Writes digits, codes and faults of the cells. */
@inline
function spreadDigits(before: usize, stepBytes: usize, stops: usize, cells: i32): void {
  const ZEROS = zeros();
  const BEYOND = beyondDigits();
  const POINTS = points();
  for (let i: usize = 0; i < <usize>cells; i++) {
    const start = <usize>load<u32>(before + i * stepBytes) + 1;
    const stop = <usize>load<u32>(stops + (i << 2));
    const sign = <i32>load<u8>(SIGNS + <usize>load<u8>(start));
    const length = <i32>(stop - start) - (sign & 1);
    const lanes = v128.and(i8x16.sub(v128.load(stop - 16), ZEROS), lastLanes(length));
    const marks = notDigits(lanes, BEYOND);
    const point = ctz(marks | 0x10000);
    const count = length - 1 + (point >> 4); // of digits
    v128.store(DIGITS + (i << 4), withoutPoint(lanes, <usize>point));
    store<i32>(CODES + (i << 2), (sign & 16) | (point & 15));
    const junk = (marks & (marks - 1)) | (marks ^ i8x16.bitmask(i8x16.eq(lanes, POINTS)));
    store<i32>(FAULTS + (i << 2), junk | i32(<u32>(count - 1) >= 14));
  }
}

/** Writes the numbers, four at once; returns the end of `others` after adding left over cells. */
@inline
function joinStrip(first: i32, count: i32, values: usize, packed: usize, others: usize): usize {
  const LOW = lowBytes();
  const TENS = tens();
  const HUNDREDS = hundreds();
  const TEN_THOUSANDS = tenThousands();
  for (let i: usize = 0; i < <usize>count; i += 4) {
    const digits = DIGITS + (i << 4);
    const fours0 = joinFours(v128.load(digits), LOW, TENS, HUNDREDS);
    const fours1 = joinFours(v128.load(digits, 16), LOW, TENS, HUNDREDS);
    const fours2 = joinFours(v128.load(digits, 32), LOW, TENS, HUNDREDS);
    const fours3 = joinFours(v128.load(digits, 48), LOW, TENS, HUNDREDS);
    const eights01 = joinEights(fours0, fours1, TEN_THOUSANDS);
    const eights23 = joinEights(fours2, fours3, TEN_THOUSANDS);
    const upper = v128.shuffle<i32>(eights01, eights23, 0, 2, 4, 6);
    const numbers = v128.shuffle<i32>(eights01, eights23, 1, 3, 5, 7);
    const codes = CODES + (i << 2);
    v128.store(packed + (i << 2), v128.or(i32x4.shl(numbers, 5), v128.load(codes)));
    const value = values + (i << 3);
    const low = f64x2.convert_low_i32x4_s(numbers);
    const high = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(numbers, numbers, 2, 3, 2, 3));
    v128.store(value, f64x2.div(low, divisorsOf(codes)));
    v128.store(value, f64x2.div(high, divisorsOf(codes + 8)), 16);
    const faults = v128.or(upper, v128.load(FAULTS + (i << 2)));
    if (v128.any_true(faults)) {
      const last = <usize>count - i;
      for (let j: usize = 0; j < min<usize>(last, 4); j++) {
        store<u32>(others, <u32>(first + <i32>(i + j)));
        others += usize(((i32x4.bitmask(i32x4.ne(faults, i32x4.splat(0))) >> <i32>j) & 1) != 0) << 2;
      }
    }
  }
  return others;
}

/**
 * Reads the `count` cells with indices in `others`. Returns how many are still left over, their
 * indices now first. `marks` are those of `findCells`, in rows of `columns`. Columns that are not
 * `wanted` [columns, u8] are skipped. `unpacked` [u32] receives the indices of the `unpackedCells`
 * cells that can't be packed; they are packed as 0.
 */
export function readOtherNumbers(
  marks: usize,
  count: i32,
  columns: i32,
  values: usize,
  packed: usize,
  others: usize,
  wanted: usize,
  unpacked: usize,
): i32 {
  let left = others;
  let unpackedAt = unpacked;
  for (let i = 0; i < count; i++) {
    const cell = load<u32>(others + ((<usize>i) << 2));
    if (load<u8>(wanted + <usize>(cell % <u32>columns)) == 0) continue;
    const mark = marks + ((<usize>cell) << 2);
    const start = <usize>load<u32>(mark) + 1;
    const value = readNumber(start, <usize>load<u32>(mark, 4));
    if (isNaN(value)) {
      store<u32>(left, cell);
      left += 4;
      continue;
    }
    store<f64>(values + ((<usize>cell) << 3), value);
    let word = 0;
    if (digits <= MOST_PACKED && power <= 0 && power >= -MOST_PACKED_PLACES) {
      word = (<i32>digits << 5) | (<i32>load<u8>(SIGNS + <usize>load<u8>(start)) & 16) | (15 + power);
    } else {
      store<u32>(unpackedAt, cell);
      unpackedAt += 4;
    }
    store<i32>(packed + ((<usize>cell) << 2), word);
  }
  unpackedCells = <i32>((unpackedAt - unpacked) >> 2);
  return <i32>((left - others) >> 2);
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
  for (let i = 0; i < long; i++) {
    const cell = load<u32>(others + ((<usize>i) << 2));
    const start = <usize>load<u32>(before + ((<usize>(<i32>cell * step)) << 2)) + 1;
    const value = readNumber(start, <usize>load<u32>(stops + ((<usize>cell) << 2)));
    store<f64>(values + ((<usize>cell) << 3), value);
    if (isNaN(value)) {
      store<u32>(left, cell);
      left += 4;
    }
  }
  return <i32>((left - others) >> 2);
}
