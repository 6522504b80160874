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
import { EXACT_POWERS, LARGEST_EXACT_POWER } from './number';
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
export const CODES = memory.data(512, 16);
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
/** [33, 32] u8: by the lane of a point, the lanes up to it; none for 32. */
const SHIFTED = memory.data(1056, 16);
for (let point = 0; point < 32; point++) memory.fill(SHIFTED + (point << 5), 0xff, point + 1);
/** Zeros, then ones: loaded from `LAST` + n, the last n of 32 lanes are set. */
const LAST = memory.data<u64>([0, 0, 0, 0, -1, -1, -1, -1]);
const POINT_LANES = memory.data<u64>([0x2e2e2e2e2e2e2e2e, 0x2e2e2e2e2e2e2e2e]);
/** Added with saturation, it makes more than 127 of a lane that is no digit, or one of more than 19 digits. */
const BEYOND_UPPER = memory.data<u8>([
  127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 127, 118, 118, 118,
]);

/**
 * Reads `count` cells, at most STRIP: those with indices in `list` if they are `listed`, else the first. Cell i
 * starts after element i · step of `before` and ends at element i of `stops`. Takes numbers of up to
 * 32 characters and 19 significant digits without exponent; FAULTS marks any others. DIGITS gets four
 * numbers of 8 digits, CODES the decimal places · 32 and the sign in its upper bit. Returns whether
 * there are faults.
 */
@inline
export function readLongStrip(
  before: usize,
  step: i32,
  stops: usize,
  list: usize,
  listed: bool,
  count: i32,
  values: usize,
): bool {
  const faults = spreadLongDigits(before, <usize>step << 2, stops, list, listed, count);
  joinLongDigits(count);
  return divideStrip(list, listed, count, values) || faults;
}

@inline
function cellOf(list: usize, listed: bool, i: usize): usize {
  return listed ? <usize>load<u32>(list + (i << 2)) : i;
}

/** Writes digits, codes and faults. The steps are the same wherever the point is, which is dropped. */
@inline
function spreadLongDigits(
  before: usize,
  stepBytes: usize,
  stops: usize,
  list: usize,
  listed: bool,
  count: i32,
): bool {
  const ZEROS = zeros();
  const BEYOND = beyondDigits();
  const UPPER = v128.load(BEYOND_UPPER);
  const POINTS = v128.load(POINT_LANES);
  let faults = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const cell = cellOf(list, listed, i);
    const start = <usize>load<u32>(before + cell * stepBytes) + 1;
    const stop = <usize>load<u32>(stops + (cell << 2));
    const sign = <i32>load<u8>(SIGNS + <usize>load<u8>(start));
    const length = <i32>(stop - start) - (sign & 1);
    const window = stop - 33;
    const upperText = v128.load(window, 1);
    const lowerText = v128.load(window, 17);
    const points =
      i8x16.bitmask(i8x16.eq(upperText, POINTS)) | (i8x16.bitmask(i8x16.eq(lowerText, POINTS)) << 16);
    // Lane 32 without one.
    const point = <i32>ctz(<u64>(<u32>points & (-1 << (32 - length))) | 0x100000000);
    const isWhole = point >> 5;
    const digits = length - 1 + isWhole;
    store<i32>(CODES + (i << 2), ((31 - point + isWhole) << 5) | ((sign & 16) << 27));
    // Digits before the point move up by one: they are loaded from one character before.
    const shifted = SHIFTED + ((<usize>point) << 5);
    const last = LAST + <usize>digits;
    const lowerBefore = v128.shuffle<i8>(
      upperText, lowerText,
      15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    );
    const upper = v128.bitselect(v128.load(window), upperText, v128.load(shifted));
    const lower = v128.bitselect(lowerBefore, lowerText, v128.load(shifted, 16));
    const upperDigits = v128.and(i8x16.sub(upper, ZEROS), v128.load(last));
    const lowerDigits = v128.and(i8x16.sub(lower, ZEROS), v128.load(last, 16));
    v128.store(UPPER_DIGITS + (i << 4), upperDigits);
    v128.store(DIGITS + (i << 4), lowerDigits);
    const beyond = v128.or(i8x16.add_sat_u(upperDigits, UPPER), i8x16.add_sat_u(lowerDigits, BEYOND));
    const fault = i8x16.bitmask(beyond) | i32(<u32>(digits - 1) > 30);
    store<i32>(FAULTS + (i << 2), fault);
    faults |= fault;
  }
  return faults != 0;
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

/** [33, 4] f64: 10^places, its upper and lower half, and its reciprocal; NaN if it is not exact. */
const TEN_POWERS = memory.data(1056, 16);
/** 2^27 + 1 */
const SPLITTER: f64 = 134217729;
/** 2^−45: a correction is off by some 2^−51 of itself. */
const MARGIN: f64 = 1 / 35184372088832.0;
for (let places = 0; places <= 32; places++) {
  const row = TEN_POWERS + (places << 5);
  const power = places <= LARGEST_EXACT_POWER ? load<f64>(EXACT_POWERS + (places << 3)) : NaN;
  const upper = SPLITTER * power - (SPLITTER * power - power);
  store<f64>(row, power);
  store<f64>(row, upper, 8);
  store<f64>(row, power - upper, 16);
  store<f64>(row, 1 / power, 24);
}

/** 10^8, 10^16, the splitter, and 1 ± the margin; see digits.ts for why. */
const FACTORS = memory.data<f64>([
  1e8, 1e8, 1e16, 1e16, SPLITTER, SPLITTER, 1 + MARGIN, 1 + MARGIN, 1 - MARGIN, 1 - MARGIN,
]);

const SIGN_LANES = memory.data<u64>([1 << 63, 1 << 63]);

/**
 * Divides the digits of cells by powers of ten, two at once, and writes the nearest float64. Digits and
 * quotients are sums of two float64, with Dekker's exact product (1971). Marks what is too near to the
 * middle between two numbers; returns whether any is.
 */
@inline
function divideStrip(list: usize, listed: bool, count: i32, values: usize): bool {
  const EIGHT = v128.load(FACTORS);
  const SIXTEEN = v128.load(FACTORS, 16);
  const SPLIT = v128.load(FACTORS, 32);
  const MORE = v128.load(FACTORS, 48);
  const LESS = v128.load(FACTORS, 64);
  const SIGN = v128.load(SIGN_LANES);
  const NONE = i32x4.splat(0);
  let isUncertain = false;
  for (let i: usize = 0; i < <usize>count; i += 2) {
    const first = v128.load(DIGITS + (i << 4));
    const second = v128.load(DIGITS + (i << 4), 16);
    const upper = v128.shuffle<i32>(first, second, 0, 4, 1, 5);
    const lower = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
    const a = f64x2.mul(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(upper, upper, 2, 3, 2, 3)), SIXTEEN);
    const b = f64x2.mul(f64x2.convert_low_i32x4_s(lower), EIGHT);
    const c = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(lower, lower, 2, 3, 2, 3));
    const bc = f64x2.add(b, c);
    const digits = f64x2.add(a, bc);
    const rest = f64x2.add(f64x2.sub(c, f64x2.sub(bc, b)), f64x2.sub(bc, f64x2.sub(digits, a)));

    const row0 = TEN_POWERS + (<usize>load<u32>(CODES + (i << 2)) & 0x7fffffff);
    const row1 = TEN_POWERS + (<usize>load<u32>(CODES + (i << 2), 4) & 0x7fffffff);
    const head0 = v128.load(row0);
    const head1 = v128.load(row1);
    const tail0 = v128.load(row0, 16);
    const tail1 = v128.load(row1, 16);
    const power = v128.shuffle<i64>(head0, head1, 0, 2);
    const powerUpper = v128.shuffle<i64>(head0, head1, 1, 3);
    const powerLower = v128.shuffle<i64>(tail0, tail1, 0, 2);
    const reciprocal = v128.shuffle<i64>(tail0, tail1, 1, 3);

    const quotient = f64x2.mul(digits, reciprocal);
    const product = f64x2.mul(quotient, power);
    const scaled = f64x2.mul(quotient, SPLIT);
    const q1 = f64x2.sub(scaled, f64x2.sub(scaled, quotient));
    const q0 = f64x2.sub(quotient, q1);
    const upperRest = f64x2.sub(f64x2.mul(q1, powerUpper), product);
    const middle = f64x2.add(f64x2.mul(q1, powerLower), f64x2.mul(q0, powerUpper));
    const lost = f64x2.add(f64x2.add(upperRest, middle), f64x2.mul(q0, powerLower));
    const left = f64x2.add(f64x2.sub(f64x2.sub(digits, product), lost), rest);
    const correction = f64x2.mul(left, reciprocal);
    const most = f64x2.add(quotient, f64x2.mul(correction, MORE));
    const least = f64x2.add(quotient, f64x2.mul(correction, LESS));
    const differ = f64x2.ne(most, least);
    if (v128.any_true(differ)) {
      const bits = i64x2.bitmask(differ);
      for (let j: usize = 0; j < min<usize>(2, <usize>count - i); j++) {
        if (((bits >> <i32>j) & 1) == 0) continue;
        store<i32>(FAULTS + ((i + j) << 2), 1);
        isUncertain = true;
      }
    }
    const codes = v128.load64_zero(CODES + (i << 2));
    const signs = v128.and(v128.shuffle<i32>(NONE, codes, 0, 4, 1, 5), SIGN);
    const result = v128.or(most, signs);
    if (listed) {
      v128.store64_lane(values + (cellOf(list, true, i) << 3), result, 0);
      if (i + 1 < <usize>count) v128.store64_lane(values + (cellOf(list, true, i + 1) << 3), result, 1);
    } else {
      v128.store(values + (i << 3), result);
    }
  }
  return isUncertain;
}
