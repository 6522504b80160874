/**
 * Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011):
 * ten rounds of a keyed bijection turn a counter into four random words. There is no state, so that any draw of any
 * stream is had at once, in whatever order and thread.
 */

const ROUNDS = 10;
/** The multipliers of the counter's words 0 and 2. */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
/** What is added to the key after each round: the fractions of the golden ratio and of √3, times 2³². */
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** Writes four words to `out`, uniform on 0 to 2³² − 1, from a counter of four words and a key of two. */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array): void {
  let c0 = counter[0];
  let c1 = counter[1];
  let c2 = counter[2];
  let c3 = counter[3];
  let k0 = key[0];
  let k1 = key[1];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = highProduct(M0, c0);
    const high1 = highProduct(M1, c2);
    const low0 = Math.imul(M0, c0);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** The upper 32 of the 64 bits of a·b, unsigned: schoolbook multiplication in halves of 16 bits, each sum below 2³². */
function highProduct(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (carried >>> 16);
}
