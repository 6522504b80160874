/** Dropout, which draws its mask on the way: Philox4x32-10 as in ../../reference/elementwise.ts, four counters at once. */
import { lanes, splat, storeFirst } from './simd';

/** The elements of four counters, a word of theirs for each. */
const GROUP = 16;
const ROUNDS = 10;
const M0: i32 = 0xd2511f53;
const M1: i32 = 0xcd9e8d57;
const W0: i32 = 0x9e3779b9;
const W1: i32 = 0xbb67ae85;

/**
 * out ← x/(1 − rate) where the draw of an element is at least ⌊rate·2³²⌋, else 0; over `count` elements, of which the
 * first has word 0 of the counter (block, 0, step) under the key (seed, layer). out may be x.
 */
export function dropout(
  count: i32, rate: f64, seed: i32, layer: i32, step: f64, block: i32, x: usize, out: usize,
): void {
  const threshold = i32x4.splat(<i32>(<u32>(rate * 4294967296.0)));
  const scale = splat(1.0 / (1.0 - rate));
  const stepLow = i32x4.splat(<i32>(<u64>step));
  const stepHigh = i32x4.splat(<i32>((<u64>step) >> 32));
  const bytes = 4 * sizeof<real>();
  let blocks = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3));
  for (; count > 0; count -= GROUP) {
    // Lane i of c0 to c3 holds the four words of counter i.
    let c0 = blocks;
    let c1 = i32x4.splat(0);
    let c2 = stepLow;
    let c3 = stepHigh;
    let k0 = i32x4.splat(seed);
    let k1 = i32x4.splat(layer);
    for (let round = 0; round < ROUNDS; round++) {
      const m0 = i32x4.splat(M0);
      const m1 = i32x4.splat(M1);
      const next0 = v128.xor(v128.xor(highProducts(c2, m1), c1), k0);
      const next2 = v128.xor(v128.xor(highProducts(c0, m0), c3), k1);
      c1 = i32x4.mul(c2, m1);
      c3 = i32x4.mul(c0, m0);
      c0 = next0;
      c2 = next2;
      k0 = i32x4.add(k0, i32x4.splat(W0));
      k1 = i32x4.add(k1, i32x4.splat(W1));
    }
    const kept0 = i32x4.ge_u(c0, threshold);
    const kept1 = i32x4.ge_u(c1, threshold);
    const kept2 = i32x4.ge_u(c2, threshold);
    const kept3 = i32x4.ge_u(c3, threshold);
    // Transposed, so that the four words of a counter follow each other.
    const first01 = v128.shuffle<i32>(kept0, kept1, 0, 4, 1, 5);
    const first23 = v128.shuffle<i32>(kept2, kept3, 0, 4, 1, 5);
    const last01 = v128.shuffle<i32>(kept0, kept1, 2, 6, 3, 7);
    const last23 = v128.shuffle<i32>(kept2, kept3, 2, 6, 3, 7);
    keepFour(v128.shuffle<i64>(first01, first23, 0, 2), scale, count, x, out);
    keepFour(v128.shuffle<i64>(first01, first23, 1, 3), scale, count - 4, x + bytes, out + bytes);
    keepFour(v128.shuffle<i64>(last01, last23, 0, 2), scale, count - 8, x + 2 * bytes, out + 2 * bytes);
    keepFour(v128.shuffle<i64>(last01, last23, 1, 3), scale, count - 12, x + 3 * bytes, out + 3 * bytes);
    blocks = i32x4.add(blocks, i32x4.splat(4));
    x += 4 * bytes;
    out += 4 * bytes;
  }
}

/**
 * The upper 32 of the 64 bits of each lane's product, unsigned. Even lanes are multiplied apart from odd ones, so that a
 * shift and a mask bring their halves together: cheaper than the shuffle of two vectors.
 */
@inline
function highProducts(x: v128, m: v128): v128 {
  const evenThenOdd = v128.shuffle<i32>(x, x, 0, 2, 1, 3);
  const even = i64x2.extmul_low_i32x4_u(evenThenOdd, m);
  const odd = i64x2.extmul_high_i32x4_u(evenThenOdd, m);
  return v128.or(i64x2.shr_u(even, 32), v128.and(odd, i32x4(0, -1, 0, -1)));
}

/** Scales four elements, or the first `count` where that is less; 0 where `kept` is not set. */
@inline
function keepFour(kept: v128, scale: v128, count: i32, x: usize, out: usize): void {
  if (sizeof<real>() == 4) {
    keepVector(kept, scale, count, x, out);
  } else {
    keepVector(i64x2.extend_low_i32x4_s(kept), scale, count, x, out);
    keepVector(i64x2.extend_high_i32x4_s(kept), scale, count - 2, x + 16, out + 16);
  }
}

@inline
function keepVector(kept: v128, scale: v128, count: i32, x: usize, out: usize): void {
  if (count <= 0) return;
  const y = v128.and(kept, v128.mul<real>(scale, v128.load(x)));
  if (count >= lanes()) v128.store(out, y);
  else storeFirst(out, y, count);
}
