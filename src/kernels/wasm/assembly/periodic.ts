/**
 * Periodic embeddings: of each number x of a row W·[cos(2π·f·x), sin(2π·f·x)] + b, rectified or not,
 * then the other columns. `waves` are the k cosines and the k sines; the angle is taken in turns. The
 * backward pass computes them again.
 */
import { copyOthers, copyOthersBack, sumLanes, take } from './embedding';
import { cosineOfTurns, halfTurns, sineOfTurns } from './functions';
import { keep, lanes, madd, splat } from './simd';

/** Writes the waves of x: 2k elements, and what follows up to a whole vector. */
@inline
function writeWaves(k: i32, frequency: usize, x: v128, waves: usize): void {
  const sines = waves + <usize>k * sizeof<real>();
  // The sines overwrite what the last vector of cosines leaves behind its end.
  for (let half = 0; half < 2; half++) {
    let at: usize = 0;
    for (let left = k; left > 0; left -= lanes()) {
      const t = v128.mul<real>(take(frequency + at, left), x);
      const n = halfTurns(t);
      if (half == 0) v128.store(waves + at, cosineOfTurns(t, n));
      else v128.store(sines + at, sineOfTurns(t, n));
      at += 16;
    }
  }
}

/** The sum of a row of W times the waves. */
@inline
function dot(count: i32, weight: usize, waves: usize): real {
  let sum = splat(0);
  for (let left = count; left > 0; left -= lanes()) {
    sum = madd(take(weight, left), v128.load(waves), sum);
    weight += 16;
    waves += 16;
  }
  return sumLanes(sum);
}

@inline
function storeOut(y: usize, sum: real, bias: usize, rectified: bool): void {
  const value = sum + load<real>(bias);
  store<real>(y, rectified && value < 0 ? 0 : value);
}

/**
 * @param count numbers in a row, at the columns `numbers` [count] i32 of x
 * @param k frequencies of a number: `frequency` [count, k]
 * @param outs values of a number: `weight` [count·outs, 2k], `bias` [count, outs]
 * @param rest how many other columns there are: `others` [rest] i32
 * @param waves 2k elements and a vector of scratch
 */
export function embedPeriodic(
  rows: i32,
  count: i32,
  k: i32,
  outs: i32,
  rest: i32,
  rectified: bool,
  numbers: usize,
  others: usize,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  weight: usize,
  bias: usize,
  y: usize,
  waves: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  const rowBytes = 2 * kBytes;
  for (; rows > 0; rows--) {
    let w = weight;
    let b = bias;
    for (let j = 0; j < count; j++) {
      const xs = v128.load_splat<real>(x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>());
      writeWaves(k, frequency + <usize>j * kBytes, xs, waves);
      let o = 0;
      // Four sums at once hide how long an addition takes.
      for (; o + 4 <= outs; o += 4) {
        const w1 = w + rowBytes;
        const w2 = w1 + rowBytes;
        const w3 = w2 + rowBytes;
        let sum0 = splat(0);
        let sum1 = splat(0);
        let sum2 = splat(0);
        let sum3 = splat(0);
        let at: usize = 0;
        for (let left = 2 * k; left > 0; left -= lanes()) {
          const wave = v128.load(waves + at);
          sum0 = madd(take(w + at, left), wave, sum0);
          sum1 = madd(take(w1 + at, left), wave, sum1);
          sum2 = madd(take(w2 + at, left), wave, sum2);
          sum3 = madd(take(w3 + at, left), wave, sum3);
          at += 16;
        }
        storeOut(y, sumLanes(sum0), b, rectified);
        storeOut(y + sizeof<real>(), sumLanes(sum1), b + sizeof<real>(), rectified);
        storeOut(y + 2 * sizeof<real>(), sumLanes(sum2), b + 2 * sizeof<real>(), rectified);
        storeOut(y + 3 * sizeof<real>(), sumLanes(sum3), b + 3 * sizeof<real>(), rectified);
        w += 4 * rowBytes;
        b += 4 * sizeof<real>();
        y += 4 * sizeof<real>();
      }
      for (; o < outs; o++) {
        storeOut(y, dot(2 * k, w, waves), b, rectified);
        w += rowBytes;
        b += sizeof<real>();
        y += sizeof<real>();
      }
    }
    y = copyOthers(rest, others, x, y);
    x += xRowBytes;
  }
}

/** dY ← 0 where y, of the `width` embedded values of each row, is not above 0. */
export function rectifyBackward(rows: i32, width: i32, rowBytes: usize, y: usize, dY: usize): void {
  const zero = splat(0);
  for (; rows > 0; rows--) {
    let at: usize = 0;
    for (let left = width; left > 0; left -= lanes()) {
      const isOn = v128.gt<real>(v128.load(y + at), zero);
      keep(dY + at, v128.and(v128.load(dY + at), isOn), left);
      at += 16;
    }
    y += rowBytes;
    dY += rowBytes;
  }
}

/**
 * The gradients of frequency, weight and bias, for the numbers `from` to `end` − 1. dY [rows, …]
 * begins each row with [count, outs] elements.
 * @param waves 4k elements and two vectors of scratch
 */
export function embedPeriodicParameters(
  rows: i32,
  from: i32,
  end: i32,
  k: i32,
  outs: i32,
  numbers: usize,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  weight: usize,
  dY: usize,
  dYRowBytes: usize,
  dFrequency: usize,
  dWeight: usize,
  dBias: usize,
  waves: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  const rowBytes = 2 * kBytes;
  const dWaves = waves + rowBytes + 16;
  for (let j = from; j < end; j++) {
    const f = frequency + <usize>j * kBytes;
    const dF = dFrequency + <usize>j * kBytes;
    const w = weight + <usize>(j * outs) * rowBytes;
    const dW = dWeight + <usize>(j * outs) * rowBytes;
    const dB = dBias + <usize>(j * outs) * sizeof<real>();
    memory.fill(dF, 0, kBytes);
    memory.fill(dW, 0, <usize>outs * rowBytes);
    memory.fill(dB, 0, <usize>outs * sizeof<real>());
    let number = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    let d = dY + <usize>(j * outs) * sizeof<real>();
    for (let i = 0; i < rows; i++) {
      const xs = v128.load_splat<real>(number);
      writeWaves(k, f, xs, waves);
      let at: usize = 0;
      for (let left = 2 * k; left > 0; left -= lanes()) {
        const wave = v128.load(waves + at);
        let dWave = splat(0);
        let own = at;
        for (let o: usize = 0; o < <usize>outs * sizeof<real>(); o += sizeof<real>()) {
          const out = v128.load_splat<real>(d + o);
          dWave = madd(out, take(w + own, left), dWave);
          keep(dW + own, madd(out, wave, v128.load(dW + own)), left);
          own += rowBytes;
        }
        v128.store(dWaves + at, dWave);
        at += 16;
      }
      const turns = v128.mul<real>(xs, splat(2 * Math.PI));
      at = 0;
      for (let left = k; left > 0; left -= lanes()) {
        keep(dF + at, madd(dAngle(waves + at, dWaves + at, kBytes), turns, v128.load(dF + at)), left);
        at += 16;
      }
      for (let o: usize = 0; o < <usize>outs * sizeof<real>(); o += sizeof<real>()) {
        store<real>(dB + o, load<real>(dB + o) + load<real>(d + o));
      }
      number += xRowBytes;
      d += dYRowBytes;
    }
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

/**
 * dX [rows, …], of the numbers and of the other columns.
 * @param waves 4k elements and two vectors of scratch
 */
export function embedPeriodicInput(
  rows: i32,
  count: i32,
  k: i32,
  outs: i32,
  rest: i32,
  numbers: usize,
  others: usize,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  weight: usize,
  dY: usize,
  dX: usize,
  waves: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  const rowBytes = 2 * kBytes;
  const dWaves = waves + rowBytes + 16;
  for (; rows > 0; rows--) {
    for (let j = 0; j < count; j++) {
      const column = <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
      const f = frequency + <usize>j * kBytes;
      const w = weight + <usize>(j * outs) * rowBytes;
      writeWaves(k, f, v128.load_splat<real>(x + column), waves);
      let at: usize = 0;
      for (let left = 2 * k; left > 0; left -= lanes()) {
        let dWave = splat(0);
        let own = w + at;
        for (let o: usize = 0; o < <usize>outs * sizeof<real>(); o += sizeof<real>()) {
          dWave = madd(v128.load_splat<real>(dY + o), take(own, left), dWave);
          own += rowBytes;
        }
        v128.store(dWaves + at, dWave);
        at += 16;
      }
      let sum = splat(0);
      at = 0;
      for (let left = k; left > 0; left -= lanes()) {
        sum = madd(take(f + at, left), dAngle(waves + at, dWaves + at, kBytes), sum);
        at += 16;
      }
      store<real>(dX + column, <real>(2 * Math.PI) * sumLanes(sum));
      dY += <usize>outs * sizeof<real>();
    }
    dY = copyOthersBack(rest, others, dY, dX);
    x += xRowBytes;
    dX += xRowBytes;
  }
}
