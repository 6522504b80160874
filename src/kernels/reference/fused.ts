/**
 * The matrix product with fused multiply-adds: each element is one chain c ← fma(a, b, c) in the
 * order of k, and −0 is written as 0. JavaScript has no fma, so this one is slow. Machine code is compared with it, bit for bit.
 */
import type { DType, ProductKernels } from '../kernels.js';

export function fusedProduct(dtype: DType): ProductKernels {
  const fma = dtype === 'float32' ? fma32 : fma64;
  return {
    gemm(form, m, n, k, a, b, beta, c) {
      const [aRow, aStep] = form === 'TN' ? [1, m] : [k, 1];
      const [bColumn, bStep] = form === 'NT' ? [k, 1] : [1, n];
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = beta === 0 ? 0 : c.data[i * n + j];
          for (let p = 0; p < k; p++) {
            sum = fma(a.data[i * aRow + p * aStep], b.data[j * bColumn + p * bStep], sum);
          }
          c.data[i * n + j] = sum + 0;
        }
      }
    },
  };
}

/**
 * a·b + c for float32, rounded once. The product is exact in float64. The sum is rounded to odd
 * there: if it is not exact, its last bit is 1. So the rounding to float32 sees on which side of a
 * middle the exact sum lies (Boldo and Melquiond 2008, Emulation of a FMA and correctly rounded sums).
 */
export function fma32(a: number, b: number, c: number): number {
  return Math.fround(addToOdd(a * b, c));
}

/** Beyond these, an error term of the transformations below might over- or underflow. */
const LARGE = 2 ** 400;
const SMALL = 2 ** -400;

/**
 * a·b + c for float64, rounded once: the exact product and sum as pairs of float64, whose small parts
 * are added to odd (Boldo and Melquiond 2008, figure 6). Without a fused multiply-add, numbers that are
 * neither zero nor from 2⁻⁴⁰⁰ to 2⁴⁰⁰ in magnitude are added as integers.
 */
export function fma64(a: number, b: number, c: number): number {
  if (a === 0 || b === 0 || !Number.isFinite(a) || !Number.isFinite(b)) return a * b + c;
  if (!Number.isFinite(c)) return c;
  if (!isMedium(a) || !isMedium(b) || !(c === 0 || isMedium(c))) return fmaOfIntegers(a, b, c);
  const product = a * b;
  const productError = errorOfProduct(a, b, product);
  const low = c + productError;
  const lowError = errorOfSum(c, productError, low);
  const high = product + low;
  const highError = errorOfSum(product, low, high);
  return high + addToOdd(highError, lowError);
}

function isMedium(x: number): boolean {
  return Math.abs(x) <= LARGE && Math.abs(x) >= SMALL;
}

/** a + b − sum, exactly (Knuth, The Art of Computer Programming, volume 2, section 4.2.2). */
function errorOfSum(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/** a·b − product, exactly (Dekker 1971, A floating-point technique for extending the available precision). */
function errorOfProduct(a: number, b: number, product: number): number {
  const aHigh = upperHalf(a);
  const bHigh = upperHalf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The upper 26 bits of a mantissa, by Veltkamp's splitting. */
function upperHalf(x: number): number {
  const scaled = x * (2 ** 27 + 1);
  return scaled - (scaled - x);
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const bits = new BigUint64Array(double.buffer);

/** a + b rounded to odd: exact, or of the two neighbours the one whose last bit is 1. */
function addToOdd(a: number, b: number): number {
  const sum = a + b;
  const error = errorOfSum(a, b, sum);
  if (error === 0 || !Number.isFinite(sum)) return sum;
  double[0] = sum;
  if ((words[0] & 1) === 1) return sum;
  // One step towards the exact sum: the bits of a float are in the order of its magnitude.
  if (error > 0 !== sum > 0) {
    if (words[0] === 0) words[1]--;
    words[0]--;
  } else words[0]++;
  return double[0];
}

/** The same for any finite numbers: as integers times a power of two, rounded half to even. */
function fmaOfIntegers(a: number, b: number, c: number): number {
  const [x, y, z] = [a, b, c].map(split);
  const exponent = Math.min(x.exponent + y.exponent, z.exponent);
  const shift = (from: number) => BigInt(from - exponent);
  const sum =
    ((x.mantissa * y.mantissa) << shift(x.exponent + y.exponent)) + (z.mantissa << shift(z.exponent));
  if (sum === 0n) return a * b + c;
  const magnitude = sum < 0n ? -sum : sum;
  // All bits that a double of this size has; the lowest of a subnormal is 2⁻¹⁰⁷⁴.
  const length = magnitude.toString(2).length;
  const lowest = Math.max(exponent + length - 53, -1074);
  const drop = BigInt(Math.max(0, lowest - exponent));
  let kept = magnitude >> drop;
  const half = drop > 0n ? 1n << (drop - 1n) : 0n;
  const rest = magnitude - (kept << drop);
  if (drop > 0n && (rest > half || (rest === half && (kept & 1n) === 1n))) kept += 1n;
  const scale = exponent + Number(drop);
  // In two steps: 2⁻¹⁰⁷⁴ is the smallest power, and kept·2⁹⁷¹ the largest finite number.
  const result = Number(kept) * 2 ** Math.trunc(scale / 2) * 2 ** (scale - Math.trunc(scale / 2));
  return sum < 0n ? -result : result;
}

/** A finite number as mantissa·2^exponent. */
function split(x: number): { mantissa: bigint; exponent: number } {
  double[0] = x;
  const biased = Number((bits[0] >> 52n) & 2047n);
  const fraction = bits[0] & (2n ** 52n - 1n);
  const mantissa = biased === 0 ? fraction : fraction | (2n ** 52n);
  return { mantissa: x < 0 ? -mantissa : mantissa, exponent: Math.max(biased, 1) - 1075 };
}
