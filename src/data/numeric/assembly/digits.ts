/**
 * Sixteen characters as lanes of a vector, minus 48, the last one in lane 15, 0 before the number.
 */

// Constants are in memory: V8 builds a constant vector anew at each use, while one that is loaded
// before a loop stays in a register.
const CONSTANTS = memory.data(112, 16);
v128.store(CONSTANTS, i8x16.splat(48));
v128.store(CONSTANTS, i8x16.splat(118), 16);
v128.store(CONSTANTS, i8x16.splat(-2), 32);
v128.store(CONSTANTS, i16x8.splat(255), 48);
v128.store(CONSTANTS, i16x8.splat(10), 64);
v128.store(CONSTANTS, i32x4.splat(0x00010064), 80);
v128.store(CONSTANTS, i32x4.splat(0x00012710), 96);

/** The character 0. */
@inline
export function zeros(): v128 {
  return v128.load(CONSTANTS);
}

/** Added with saturation, it makes more than 127 of a lane that is not a digit. */
@inline
export function beyondDigits(): v128 {
  return v128.load(CONSTANTS, 16);
}

/** The value of a lane that is a point. */
@inline
export function points(): v128 {
  return v128.load(CONSTANTS, 32);
}

@inline
export function lowBytes(): v128 {
  return v128.load(CONSTANTS, 48);
}

@inline
export function tens(): v128 {
  return v128.load(CONSTANTS, 64);
}

/** 100, 1 */
@inline
export function hundreds(): v128 {
  return v128.load(CONSTANTS, 80);
}

/** 10000, 1 */
@inline
export function tenThousands(): v128 {
  return v128.load(CONSTANTS, 96);
}

/** Sixteen zeros, then ones. */
const LANES = memory.data<u64>([0, 0, -1, -1]);

/**
 * A mask of the last `length` lanes, for 0 ≤ length ≤ 16. Longer numbers give any mask, which
 * nobody uses: the memory is larger than any text.
 */
@inline
export function lastLanes(length: i32): v128 {
  return v128.load(LANES + <usize>length);
}

/** The lanes that are not digits, as bits. */
@inline
export function notDigits(lanes: v128, beyondDigits: v128): i32 {
  return i8x16.bitmask(i8x16.add_sat_u(lanes, beyondDigits));
}

/**
 * A shuffle for each lane of a point: it is dropped, and those before it move up. Row 16 is for
 * none.
 */
const WITHOUT_POINT = memory.data(272, 16);
for (let point = 0; point <= 16; point++) {
  for (let lane = 0; lane < 16; lane++) {
    // A lane out of range reads as 0.
    store<u8>(WITHOUT_POINT + (point << 4) + lane, point < 16 && lane <= point ? lane - 1 : lane);
  }
}

@inline
export function withoutPoint(lanes: v128, point: usize): v128 {
  return i8x16.swizzle(lanes, v128.load(WITHOUT_POINT + (point << 4)));
}

/** Four numbers of four digits each. */
@inline
export function joinFours(digits: v128, lowBytes: v128, tens: v128, hundreds: v128): v128 {
  const pairs = i16x8.add(i16x8.mul(v128.and(digits, lowBytes), tens), i16x8.shr_u(digits, 8));
  return i32x4.dot_i16x8_s(pairs, hundreds);
}

/** Four numbers of eight digits each, from two vectors of four. */
@inline
export function joinEights(fours0: v128, fours1: v128, tenThousands: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.narrow_i32x4_s(fours0, fours1), tenThousands);
}
