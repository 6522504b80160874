/** Texts of a column to codes, in the order of their first cell. */

const NEWLINE: i32 = 10;
/** Sixteen ones, then zeros: loaded from `FIRST` + 16 − n, the first n lanes are set. */
const FIRST = memory.data<u64>([-1, -1, 0, 0]);
/** Odd, with bits in no pattern: the digits of the golden ratio and of √3. */
const FACTOR_LOW: u64 = 0x9e3779b97f4a7c15;
const FACTOR_HIGH: u64 = 0xbb67ae8584caa73b;

/**
 * Writes the codes [count, i32] of cells: cell i starts after the position in element i · step of
 * `before` [u32] and ends at the next delimiter or newline. `levels` [u32, 2] has start and length
 * of the `known` texts so far, and receives the new ones; their number is returned, or −1 if they
 * are more than `most`. `slots` [mask + 1, u32] is a hash table of them, at most half full: 0, or
 * 1 + the code.
 */
export function codeTexts(
  before: usize,
  step: i32,
  count: i32,
  delimiter: i32,
  codes: usize,
  levels: usize,
  known: i32,
  most: i32,
  slots: usize,
  mask: i32,
): i32 {
  const delimiters = i8x16.splat(<i8>delimiter);
  const newlines = i8x16.splat(<i8>NEWLINE);
  for (let i = 0; i < count; i++) {
    const start = <usize>load<u32>(before + ((<usize>(i * step)) << 2)) + 1;
    let at = start;
    let hash: u64 = 0;
    let left: i32;
    for (;;) {
      const text = v128.load(at);
      const ends = i8x16.bitmask(v128.or(i8x16.eq(text, delimiters), i8x16.eq(text, newlines)));
      left = ctz(ends | 0x10000);
      const lanes = v128.and(text, firstLanes(left));
      hash = rotl(hash, 5) ^ (i64x2.extract_lane(lanes, 0) * FACTOR_LOW) ^ (i64x2.extract_lane(lanes, 1) * FACTOR_HIGH);
      hash ^= hash >> 32;
      if (left < 16) break;
      at += 16;
    }
    const length = <i32>(at - start) + left;
    let slot = <i32>hash & mask;
    let code: i32;
    for (;;) {
      code = load<i32>(slots + ((<usize>slot) << 2)) - 1;
      if (code < 0) {
        if (known == most) return -1;
        code = known++;
        store<i32>(slots + ((<usize>slot) << 2), known);
        store<u32>(levels + ((<usize>code) << 3), <u32>start);
        store<i32>(levels + ((<usize>code) << 3), length, 4);
        break;
      }
      const level = levels + ((<usize>code) << 3);
      if (load<i32>(level, 4) == length && isSame(<usize>load<u32>(level), start, length)) break;
      slot = (slot + 1) & mask;
    }
    store<i32>(codes + ((<usize>i) << 2), code);
  }
  return known;
}

@inline
function isSame(one: usize, other: usize, length: i32): bool {
  for (; length > 16; length -= 16) {
    if (v128.any_true(v128.xor(v128.load(one), v128.load(other)))) return false;
    one += 16;
    other += 16;
  }
  const difference = v128.xor(v128.load(one), v128.load(other));
  return !v128.any_true(v128.and(difference, firstLanes(length)));
}

@inline
function firstLanes(count: i32): v128 {
  return v128.load(FIRST + 16 - <usize>count);
}
