/**
 * Numbers in strips of cells, in several loops over each strip: a processor overlaps many cells if
 * each takes few steps, and few if each takes many. All steps are the same for every number.
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
import { roundedProduct } from './number';
import { divisorsOf } from './scale';

const PLUS: i32 = 43;
const MINUS: i32 = 45;
const POINT: i32 = 46;

/** [256] What a first character is: 1 for a sign, 16 more for a minus. */
const SIGNS = memory.data(256, 16);
store<u8>(SIGNS + PLUS, 1);
store<u8>(SIGNS + MINUS, 17);

/** Cells of a strip; they stay in the first cache. */
export const STRIP: i32 = 128;
/** [STRIP, 16] u8: the digits of each cell, the last one in lane 15. */
export const DIGITS = memory.data(2048, 16);
/** [STRIP] i32: sign and code of each cell; then nonzero if a cell is not a short number. */
const CODES = memory.data(512, 16);
export const FAULTS = memory.data(512, 16);

/** Writes digits, codes and faults of the cells. */
@inline
export function spreadDigits(before: usize, stepBytes: usize, stops: usize, cells: i32): void {
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
export function joinStrip(first: i32, count: i32, values: usize, packed: usize, others: usize): usize {
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

/** [STRIP, 16] u8: digits before those of DIGITS. */
const UPPER_DIGITS = memory.data(2048, 16);
/** [STRIP] i32: powers of ten. */
export const POWERS = memory.data(512, 16);
/** Ones, then zeros: loaded from `SHIFTED` − p, lane i is set if i ≤ p, for −1 ≤ p < 32. */
const SHIFTED = memory.data<u64>([-1, -1, -1, -1, 0xff, 0, 0, 0, 0]) + 32;
/** Zeros, then ones: loaded from `LAST` + n, the last n of 32 lanes are set. */
const LAST = memory.data<u64>([0, 0, 0, 0, -1, -1, -1, -1]);

/**
 * Reads the cells with indices in `list`, at most STRIP; cell i starts after element i · step of
 * `before` and ends at element i of `stops`. Takes numbers of up to 32 characters and 19 significant
 * digits without exponent; FAULTS marks any others. Element i of DIGITS and of POWERS belongs to
 * element i of `list`. Returns whether there are faults.
 */
@inline
export function readLongStrip(before: usize, step: i32, stops: usize, list: usize, count: i32, values: usize): bool {
  spreadLongDigits(before, <usize>step, stops, list, count);
  joinLongDigits(count);
  return roundLongNumbers(list, count, values);
}

/** Writes digits, powers and faults. The steps are the same wherever the point is. */
@inline
function spreadLongDigits(before: usize, step: usize, stops: usize, list: usize, count: i32): void {
  const ZEROS = zeros();
  const BEYOND = beyondDigits();
  const POINTS = i8x16.splat(<i8>POINT);
  for (let i: usize = 0; i < <usize>count; i++) {
    const cell = <usize>load<u32>(list + (i << 2));
    const start = <usize>load<u32>(before + ((cell * step) << 2)) + 1;
    const stop = <usize>load<u32>(stops + (cell << 2));
    const sign = <i32>load<u8>(SIGNS + <usize>load<u8>(start));
    const length = <i32>(stop - start) - (sign & 1);
    const upperText = v128.load(stop - 32);
    const lowerText = v128.load(stop - 16);
    const points =
      i8x16.bitmask(i8x16.eq(upperText, POINTS)) | (i8x16.bitmask(i8x16.eq(lowerText, POINTS)) << 16);
    const marks = points & (-1 << (32 - length));
    const hasPoint = i32(marks != 0);
    const point = ctz(marks) - 33 * (1 - hasPoint); // −1 without one
    const count = length - hasPoint;
    // Digits before the point move up by one: they are loaded from one character before.
    const shifted = SHIFTED - <usize>point;
    const last = LAST + <usize>count;
    const upper = v128.bitselect(v128.load(stop - 33), upperText, v128.load(shifted));
    const lower = v128.bitselect(v128.load(stop - 17), lowerText, v128.load(shifted, 16));
    const upperDigits = v128.and(i8x16.sub(upper, ZEROS), v128.load(last));
    const lowerDigits = v128.and(i8x16.sub(lower, ZEROS), v128.load(last, 16));
    v128.store(UPPER_DIGITS + (i << 4), upperDigits);
    v128.store(DIGITS + (i << 4), lowerDigits);
    store<i32>(POWERS + (i << 2), (point - 31) & -hasPoint);
    store<i32>(CODES + (i << 2), sign & 16);
    const junk = notDigits(i8x16.max_u(upperDigits, lowerDigits), BEYOND);
    store<i32>(FAULTS + (i << 2), junk | i32(<u32>(count - 1) > 30));
  }
}

/** Makes four numbers of eight digits each of the 32 digits of a cell. */
@inline
function joinLongDigits(count: i32): void {
  const LOW = lowBytes();
  const TENS = tens();
  const HUNDREDS = hundreds();
  const TEN_THOUSANDS = tenThousands();
  for (let at: usize = 0; at < (<usize>count) << 4; at += 16) {
    const upper = joinFours(v128.load(UPPER_DIGITS + at), LOW, TENS, HUNDREDS);
    const lower = joinFours(v128.load(DIGITS + at), LOW, TENS, HUNDREDS);
    v128.store(DIGITS + at, joinEights(upper, lower, TEN_THOUSANDS));
  }
}

/** Writes the numbers; returns whether any is at fault. */
@inline
function roundLongNumbers(list: usize, count: i32, values: usize): bool {
  let faults = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const upper = load<u64>(DIGITS + (i << 4));
    const lower = load<u64>(DIGITS + (i << 4), 8);
    const digits =
      (upper >>> 32) * 10000000000000000 + (lower & 0xffffffff) * 100000000 + (lower >>> 32);
    const power = load<i32>(POWERS + (i << 2));
    const cell = <usize>load<u32>(list + (i << 2));
    // Signs and zeros are unpredictable: no branch.
    const sign = (<u64>load<u32>(CODES + (i << 2))) << 59;
    const value = roundedProduct(digits, power);
    // Three digits and sixteen are less than 2^64.
    const isLonger = i32(<i32>upper != 0) | i32(upper >>> 32 > 999) | i32(isNaN(value));
    store<u64>(DIGITS + (i << 4), digits);
    store<u64>(values + (cell << 3), (digits == 0 ? 0 : reinterpret<u64>(value)) | sign);
    const fault = load<i32>(FAULTS + (i << 2)) | isLonger;
    store<i32>(FAULTS + (i << 2), fault);
    faults |= fault;
  }
  return faults != 0;
}
