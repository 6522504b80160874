/**
 * Periodic embeddings: the waves cos(2π·f·x) and sin(2π·f·x) of each number x, which a product makes
 * values of, and these values side by side. Waves and values of number j lie `stride` bytes behind
 * those of number j − 1, a row after the other. The angle is taken in turns.
 */
import { copyOthers, copyOthersBack, sumLanes, take } from './embedding';
import { cosineOfTurns, halfTurns, sineOfTurns } from './functions';
import { firstLanes, keep, lanes, madd, splat } from './simd';

/**
 * @param count numbers in a row, at the columns `numbers` [count] i32 of x
 * @param k frequencies of a number: `frequency` [count, k]; 2k waves
 */
export function embedWaves(
  rows: i32,
  count: i32,
  k: i32,
  numbers: usize,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  waves: usize,
  stride: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  for (let j = 0; j < count; j++) {
    let number = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    let to = waves;
    for (let i = 0; i < rows; i++) {
      const xs = v128.load_splat<real>(number);
      for (let left = k, at: usize = 0; left > 0; left -= lanes(), at += 16) {
        const t = v128.mul<real>(take(frequency + at, left), xs);
        const n = halfTurns(t);
        keep(to + at, cosineOfTurns(t, n), left);
        keep(to + kBytes + at, sineOfTurns(t, n), left);
      }
      number += xRowBytes;
      to += 2 * kBytes;
    }
    frequency += kBytes;
    waves += stride;
  }
}

/** cos·dSin − sin·dCos, from the cosines at an address and the sines `kBytes` behind them. */
@inline
function dAngle(waves: usize, dWaves: usize, kBytes: usize): v128 {
  return v128.sub<real>(
    v128.mul<real>(v128.load(waves), v128.load(dWaves + kBytes)),
    v128.mul<real>(v128.load(waves + kBytes), v128.load(dWaves)),
  );
}

/** The gradients of the frequencies of the numbers `from` to `end` − 1. */
export function embedWavesFrequencies(
  rows: i32,
  from: i32,
  end: i32,
  k: i32,
  numbers: usize,
  x: usize,
  xRowBytes: usize,
  waves: usize,
  dWaves: usize,
  stride: usize,
  dFrequency: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  for (let j = from; j < end; j++) {
    const column = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    for (let left = k, at: usize = 0; left > 0; left -= lanes(), at += 16) {
      let number = column;
      let row = <usize>j * stride + at;
      let sum = splat(0);
      for (let i = 0; i < rows; i++) {
        sum = madd(dAngle(waves + row, dWaves + row, kBytes), v128.load_splat<real>(number), sum);
        number += xRowBytes;
        row += 2 * kBytes;
      }
      keep(dFrequency + <usize>j * kBytes + at, v128.mul<real>(sum, splat(2 * Math.PI)), left);
    }
  }
}

/** dX [rows, …], of the numbers and of the other columns; `dY` begins with those of the first row. */
export function embedWavesInput(
  rows: i32,
  count: i32,
  k: i32,
  rest: i32,
  numbers: usize,
  others: usize,
  frequency: usize,
  waves: usize,
  dWaves: usize,
  stride: usize,
  dY: usize,
  dYRowBytes: usize,
  dX: usize,
  dXRowBytes: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  for (; rows > 0; rows--) {
    let row: usize = 0;
    let f = frequency;
    for (let j = 0; j < count; j++) {
      let sum = splat(0);
      for (let left = k, at: usize = 0; left > 0; left -= lanes(), at += 16) {
        const d = dAngle(waves + row + at, dWaves + row + at, kBytes);
        sum = madd(take(f + at, left), left >= lanes() ? d : v128.and(d, firstLanes(left)), sum);
      }
      const column = <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
      store<real>(dX + column, <real>(2 * Math.PI) * sumLanes(sum));
      f += kBytes;
      row += stride;
    }
    copyOthersBack(rest, others, dY, dX);
    waves += 2 * kBytes;
    dWaves += 2 * kBytes;
    dY += dYRowBytes;
    dX += dXRowBytes;
  }
}

/** y ← the values of each number side by side, then the other columns of x. */
export function joinNumbers(
  rows: i32,
  count: i32,
  outs: i32,
  rest: i32,
  others: usize,
  values: usize,
  stride: usize,
  x: usize,
  xRowBytes: usize,
  y: usize,
): void {
  const outBytes = <usize>outs * sizeof<real>();
  for (; rows > 0; rows--) {
    let from = values;
    for (let j = 0; j < count; j++) {
      memory.copy(y, from, outBytes);
      y += outBytes;
      from += stride;
    }
    y = copyOthers(rest, others, x, y);
    values += outBytes;
    x += xRowBytes;
  }
}

/** Its reverse, without the other columns. */
export function splitNumbers(
  rows: i32,
  count: i32,
  outs: i32,
  dY: usize,
  dYRowBytes: usize,
  values: usize,
  stride: usize,
): void {
  const outBytes = <usize>outs * sizeof<real>();
  for (; rows > 0; rows--) {
    let from = dY;
    let to = values;
    for (let j = 0; j < count; j++) {
      memory.copy(to, from, outBytes);
      from += outBytes;
      to += stride;
    }
    dY += dYRowBytes;
    values += outBytes;
  }
}
