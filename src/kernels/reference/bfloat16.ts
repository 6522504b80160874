/**
 * The matrix product of float32 whose inputs are rounded to bfloat16, as VDPBF16PS sums it (Intel's manual,
 * volume 2): k is taken in pairs, and of a pair the second product is added first. A product of two
 * bfloat16 is exact, and each sum is rounded once, to nearest even. Inputs and sums below 2⁻¹²⁶ in
 * magnitude become 0. Machine code is compared with it, bit for bit.
 */
import type { ProductKernels } from '../kernels.js';

export const bfloat16Product: ProductKernels = {
  gemm(form, m, n, k, a, b, beta, c) {
    const [aRow, aStep] = form === 'TN' ? [1, m] : [k, 1];
    const [bColumn, bStep] = form === 'NT' ? [k, 1] : [1, n];
    const [left, right] = [a, b].map(({ data }) => Float32Array.from(data, bfloat16));
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        const product = (p: number) => left[i * aRow + p * aStep] * right[j * bColumn + p * bStep];
        let sum = beta === 0 ? 0 : c.data[i * n + j];
        for (let p = 0; p < k; p += 2) {
          // A last k without a partner has 0 for one.
          sum = add(sum, p + 1 < k ? product(p + 1) : 0);
          sum = add(sum, product(p));
        }
        c.data[i * n + j] = sum;
      }
    }
  },
};

const LEAST_NORMAL = 2 ** -126;

/**
 * A float32 sum plus an exact product. Rounding to float64 first does no harm: both have so few bits that
 * a float64 holds the exact sum, or it is nowhere near the middle of two float32.
 */
function add(sum: number, product: number): number {
  const exact = flush(sum) + product;
  // Tiny is what would be rounded to less than 2⁻¹²⁶ with any exponent (IEEE 754, 7.5).
  return Math.abs(exact) < LEAST_NORMAL - 2 ** -151 ? exact * 0 : Math.fround(exact);
}

function flush(x: number): number {
  return Math.abs(x) < LEAST_NORMAL ? x * 0 : x;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** Rounds a float32 to the nearest bfloat16, its upper half; to the even one of two. */
export function bfloat16(x: number): number {
  float[0] = flush(x);
  if (!Number.isFinite(x)) return x;
  word[0] += 0x7fff + ((word[0] >>> 16) & 1);
  word[0] &= 0xffff0000;
  return float[0];
}
