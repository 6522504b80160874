/** Sums and multiples of tensors, rows of minibatches, dropout and reductions as plain loops. */
import type { ElementwiseKernels } from '../kernels.js';

export const elementwise: ElementwiseKernels = {
  add(rows, a, b, out) {
    for (let at = 0; at < rows * out.columns; at++) out.data[at] = a.data[at] + b.data[at];
  },

  sumViews(rows, views, x, out) {
    const { columns } = out;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let v = 0; v < views; v++) sum += x.data[(i * views + v) * columns + j];
        out.data[i * columns + j] = sum;
      }
    }
  },

  scaleRows(rows, factors, x) {
    const columns = x.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) x.data[at] *= factors.data[i];
    }
  },

  scaleColumns(rows, factors, x, out) {
    const columns = x.columns;
    for (let at = 0; at < rows * columns; at++) out.data[at] = factors.data[at % columns] * x.data[at];
  },

  scaleColumnsBackward(rows, factors, x, dY, dX, dFactors) {
    const columns = x.columns;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let at = j; at < rows * columns; at += columns) {
        sum += dY.data[at] * x.data[at];
        if (dX) dX.data[at] = factors.data[j] * dY.data[at];
      }
      dFactors.data[j] = sum;
    }
  },

  copy(rows, source, out) {
    out.data.set(source.data.subarray(0, rows * source.columns));
  },

  dropout(rows, { rate, seed, layer, step }, x, out) {
    const threshold = Math.floor(rate * 2 ** 32);
    const scale = 1 / (1 - rate);
    const key = [seed, layer];
    const counter = [0, 0, step, Math.floor(step / 2 ** 32)];
    const draws = new Uint32Array(4);
    for (let at = 0; at < rows * x.columns; at++) {
      if (at % 4 === 0) {
        counter[0] = at / 4;
        philox4x32(counter, key, draws);
      }
      out.data[at] = draws[at % 4] < threshold ? 0 : x.data[at] * scale;
    }
  },

  gather(rows, source, indices, out) {
    const columns = source.columns;
    for (let i = 0; i < rows; i++) {
      const from = indices.data[i] * columns;
      out.data.set(source.data.subarray(from, from + columns), i * columns);
    }
  },

  gatherLabels(rows, source, indices, out) {
    for (let i = 0; i < rows; i++) out.data[i] = source.data[indices.data[i]];
  },

  sum(count, x) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += x.data[i];
    return sum;
  },

  sumOfSquares(count, x) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += x.data[i] * x.data[i];
    return sum;
  },

  sumOfMagnitudes(count, x) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.abs(x.data[i]);
    return sum;
  },

  addScaled(count, scale, x, y) {
    for (let i = 0; i < count; i++) y.data[i] += scale * x.data[i];
  },

  addSigns(count, scale, x, y) {
    for (let i = 0; i < count; i++) y.data[i] += scale * Math.sign(x.data[i]);
  },

  scale(count, factor, x) {
    for (let i = 0; i < count; i++) x.data[i] *= factor;
  },
};

// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror and Shaw, Parallel Random Numbers:
// As Easy as 1, 2, 3, SC 2011): ten rounds of a keyed bijection turn a counter into four random
// words. It has no state, so any draw of any stream is available at once, in any order and thread.

const ROUNDS = 10;
/** The multipliers of the counter's words 0 and 2. */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
/** Added to the key after each round: the fractions of the golden ratio and of √3, times 2³². */
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** Writes four words to `out`, uniform below 2³², from a counter of four and a key of two. */
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

/** The upper 32 of the 64 bits of a·b, unsigned, in halves of 16 bits (each sum below 2³²). */
function highProduct(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carried = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (carried >>> 16);
}
