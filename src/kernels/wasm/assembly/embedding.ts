/**
 * Embedded levels: the vector of each level of a row, or zeros, then the other columns.
 * Embedded numbers: of each number x of a row [x, W·cos(2π·f·x + p) + b], then the other columns.
 * The angle is taken in turns, t = f·x + p/2π, so that no multiple of 2π is subtracted. The backward
 * pass computes the cosines again: that costs less than to keep them.
 */
import { add } from './elementwise';
import { cosineOfTurns, halfTurns, sineOfTurns } from './functions';
import { keep, lanes, loadFirst, madd, splat } from './simd';

/** 1/2π */
const TURN: f64 = 0.15915494309189535;

/** `count` elements of a vector, and zeros in the other lanes. */
@inline
export function take(address: usize, count: i32): v128 {
  return count >= lanes() ? v128.load(address) : loadFirst(address, count);
}

@inline
export function sumLanes(x: v128): real {
  if (sizeof<real>() == 8) return <real>(f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1));
  const pairs = f32x4.add(x, i32x4.shuffle(x, x, 2, 3, 0, 1));
  return <real>(f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1));
}

/**
 * @param count numbers in a row, at the columns `numbers` [count] i32 of x
 * @param k frequencies of a number: `frequency`, `phase` [count, k]
 * @param outs learnt values of a number: `weight` [count·outs, k], `bias` [count, outs]
 * @param rest how many other columns there are: `others` [rest] i32
 * @param cosines k elements and a vector of scratch
 */
export function embedNumbers(
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
  phase: usize,
  weight: usize,
  bias: usize,
  y: usize,
  cosines: usize,
): void {
  const turn = splat(TURN);
  const kBytes = <usize>k * sizeof<real>();
  for (; rows > 0; rows--) {
    let f = frequency;
    let p = phase;
    let w = weight;
    let b = bias;
    for (let j = 0; j < count; j++) {
      const value = load<real>(x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>());
      const xs = v128.splat<real>(value);
      let to = cosines;
      for (let left = k; left > 0; left -= lanes()) {
        const t = madd(take(f, left), xs, v128.mul<real>(take(p, left), turn));
        v128.store(to, cosineOfTurns(t, halfTurns(t)));
        to += 16;
        f += 16;
        p += 16;
      }
      // The next number's begin behind k elements, not behind whole vectors.
      f = frequency + <usize>(j + 1) * kBytes;
      p = phase + <usize>(j + 1) * kBytes;
      store<real>(y, value);
      y += sizeof<real>();
      for (let o = 0; o < outs; o++) {
        let sum = splat(0);
        let from = cosines;
        let at = w;
        for (let left = k; left > 0; left -= lanes()) {
          sum = madd(take(at, left), v128.load(from), sum);
          at += 16;
          from += 16;
        }
        w += kBytes;
        store<real>(y, sumLanes(sum) + load<real>(b));
        b += sizeof<real>();
        y += sizeof<real>();
      }
    }
    y = copyOthers(rest, others, x, y);
    x += xRowBytes;
  }
}

/** The other columns of a row, behind its embedded ones. Returns where the next row of y begins. */
@inline
export function copyOthers(rest: i32, others: usize, x: usize, y: usize): usize {
  for (let r = 0; r < rest; r++) {
    store<real>(y, load<real>(x + <usize>load<i32>(others + (<usize>r << 2)) * sizeof<real>()));
    y += sizeof<real>();
  }
  return y;
}

/** Its backward pass: dX of the other columns. Returns where the next row of dY begins. */
@inline
export function copyOthersBack(rest: i32, others: usize, dY: usize, dX: usize): usize {
  for (let r = 0; r < rest; r++) {
    store<real>(dX + <usize>load<i32>(others + (<usize>r << 2)) * sizeof<real>(), load<real>(dY));
    dY += sizeof<real>();
  }
  return dY;
}

/**
 * The gradients of frequency, phase, weight and bias, for the numbers `from` to `end` − 1. dY
 * [rows, …] begins each row with [count, 1 + outs] elements.
 */
export function embedNumbersParameters(
  rows: i32,
  from: i32,
  end: i32,
  k: i32,
  outs: i32,
  numbers: usize,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  phase: usize,
  weight: usize,
  dY: usize,
  dYRowBytes: usize,
  dFrequency: usize,
  dPhase: usize,
  dWeight: usize,
  dBias: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  for (let j = from; j < end; j++) {
    const column = x + <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
    const d = dY + (<usize>j * <usize>(1 + outs) + 1) * sizeof<real>();
    const first = <usize>j * kBytes;
    const firstOut = <usize>(j * outs) * kBytes;
    let at: usize = 0;
    for (let left = k; left > 0; left -= lanes()) {
      const start = first + at;
      vectorOfFrequencies(
        rows,
        left,
        outs,
        column,
        xRowBytes,
        frequency + start,
        phase + start,
        weight + firstOut + at,
        kBytes,
        d,
        dYRowBytes,
        dFrequency + start,
        dPhase + start,
        dWeight + firstOut + at,
      );
      at += 16;
    }
    for (let o: usize = 0; o < <usize>outs; o++) {
      let sum: f64 = 0;
      let value = d + o * sizeof<real>();
      for (let i = 0; i < rows; i++) {
        sum += <f64>load<real>(value);
        value += dYRowBytes;
      }
      store<real>(dBias + (<usize>(j * outs) + o) * sizeof<real>(), <real>sum);
    }
  }
}

/** Of a vector of frequencies of a number. The sums of weights are in memory: for three, registers save 13 %. */
@inline
function vectorOfFrequencies(
  rows: i32,
  left: i32,
  outs: i32,
  x: usize,
  xRowBytes: usize,
  frequency: usize,
  phase: usize,
  weight: usize,
  kBytes: usize,
  d: usize,
  dRowBytes: usize,
  dFrequency: usize,
  dPhase: usize,
  dWeight: usize,
): void {
  const f = take(frequency, left);
  const p = v128.mul<real>(take(phase, left), splat(TURN));
  const outsBytes = <usize>outs * kBytes;
  for (let at: usize = 0; at < outsBytes; at += kBytes) keep(dWeight + at, splat(0), left);
  let sumF = splat(0);
  let sumP = splat(0);
  for (; rows > 0; rows--) {
    const xs = v128.load_splat<real>(x);
    const t = madd(f, xs, p);
    const n = halfTurns(t);
    const cosine = cosineOfTurns(t, n);
    let dCosine = splat(0);
    let dOut = d;
    for (let at: usize = 0; at < outsBytes; at += kBytes) {
      const out = v128.load_splat<real>(dOut);
      dCosine = madd(out, take(weight + at, left), dCosine);
      keep(dWeight + at, madd(out, cosine, v128.load(dWeight + at)), left);
      dOut += sizeof<real>();
    }
    const g = v128.mul<real>(sineOfTurns(t, n), dCosine);
    sumP = v128.sub<real>(sumP, g);
    sumF = v128.sub<real>(sumF, v128.mul<real>(g, xs));
    x += xRowBytes;
    d += dRowBytes;
  }
  keep(dPhase, sumP, left);
  keep(dFrequency, v128.mul<real>(sumF, splat(2 * Math.PI)), left);
}

/** dX [rows, …], of the numbers and of the other columns. */
export function embedNumbersInput(
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
  phase: usize,
  weight: usize,
  dY: usize,
  dX: usize,
): void {
  const kBytes = <usize>k * sizeof<real>();
  for (; rows > 0; rows--) {
    for (let j = 0; j < count; j++) {
      const column = <usize>load<i32>(numbers + (<usize>j << 2)) * sizeof<real>();
      const xs = v128.load_splat<real>(x + column);
      const first = <usize>j * kBytes;
      const w = weight + <usize>(j * outs) * kBytes;
      let sum = splat(0);
      let at: usize = 0;
      for (let left = k; left > 0; left -= lanes()) {
        const f = take(frequency + first + at, left);
        const t = madd(f, xs, v128.mul<real>(take(phase + first + at, left), splat(TURN)));
        let dCosine = splat(0);
        for (let o = 0; o < outs; o++) {
          const out = v128.load_splat<real>(dY + <usize>(1 + o) * sizeof<real>());
          dCosine = madd(out, take(w + <usize>o * kBytes + at, left), dCosine);
        }
        sum = v128.sub<real>(sum, v128.mul<real>(v128.mul<real>(f, sineOfTurns(t, halfTurns(t))), dCosine));
        at += 16;
      }
      store<real>(dX + column, load<real>(dY) + <real>(2 * Math.PI) * sumLanes(sum));
      dY += <usize>(1 + outs) * sizeof<real>();
    }
    dY = copyOthersBack(rest, others, dY, dX);
    x += xRowBytes;
    dX += xRowBytes;
  }
}

/** The address of the vector for the number at `x` in column j; 0 for a number that is no level. */
@inline
function vectorOf(ends: usize, j: i32, x: usize, vectors: usize, vectorBytes: usize): usize {
  const level = <i32>load<real>(x); // NaN becomes 0, and other numbers stay in the range of i32
  const first = load<i32>(ends + (<usize>j << 2));
  const end = load<i32>(ends + (<usize>j << 2), 4);
  if (level < 1 || level > end - first) return 0;
  return vectors + <usize>(first + level - 1) * vectorBytes;
}

export function embedLevels(
  rows: i32,
  count: i32,
  size: i32,
  rest: i32,
  columns: usize,
  ends: usize,
  others: usize,
  x: usize,
  xRowBytes: usize,
  vectors: usize,
  y: usize,
): void {
  const vectorBytes = <usize>size * sizeof<real>();
  for (; rows > 0; rows--) {
    for (let j = 0; j < count; j++) {
      const column = <usize>load<i32>(columns + (<usize>j << 2));
      const vector = vectorOf(ends, j, x + column * sizeof<real>(), vectors, vectorBytes);
      if (vector == 0) memory.fill(y, 0, vectorBytes);
      else memory.copy(y, vector, vectorBytes);
      y += vectorBytes;
    }
    y = copyOthers(rest, others, x, y);
    x += xRowBytes;
  }
}

/** The gradients of the vectors of columns `from` to `end` − 1, summed in the order of the rows. */
export function embedLevelsVectors(
  rows: i32,
  from: i32,
  end: i32,
  size: i32,
  columns: usize,
  ends: usize,
  x: usize,
  xRowBytes: usize,
  dY: usize,
  dYRowBytes: usize,
  dVectors: usize,
): void {
  const vectorBytes = <usize>size * sizeof<real>();
  for (let j = from; j < end; j++) {
    const first = load<i32>(ends + (<usize>j << 2));
    const levels = load<i32>(ends + (<usize>j << 2), 4) - first;
    memory.fill(dVectors + <usize>first * vectorBytes, 0, <usize>levels * vectorBytes);
    let number = x + <usize>load<i32>(columns + (<usize>j << 2)) * sizeof<real>();
    let d = dY + <usize>j * vectorBytes;
    for (let i = 0; i < rows; i++) {
      const vector = vectorOf(ends, j, number, dVectors, vectorBytes);
      if (vector != 0) add(size, vector, d, vector);
      number += xRowBytes;
      d += dYRowBytes;
    }
  }
}

export function embedLevelsInput(
  rows: i32,
  count: i32,
  size: i32,
  rest: i32,
  columns: usize,
  others: usize,
  dY: usize,
  dX: usize,
  dXRowBytes: usize,
): void {
  for (; rows > 0; rows--) {
    for (let j = 0; j < count; j++) {
      store<real>(dX + <usize>load<i32>(columns + (<usize>j << 2)) * sizeof<real>(), 0);
    }
    dY += <usize>(count * size) * sizeof<real>();
    dY = copyOthersBack(rest, others, dY, dX);
    dX += dXRowBytes;
  }
}

/** The address of the weights of the level at `x`; 0 for a number that is no level. */
@inline
function weightsOf(firsts: usize, counts: usize, j: i32, x: usize, weight: usize, rowBytes: usize): usize {
  const level = <i32>load<real>(x); // as in vectorOf
  if (level < 1 || level > load<i32>(counts + (<usize>j << 2))) return 0;
  return weight + <usize>(load<i32>(firsts + (<usize>j << 2)) + level - 1) * rowBytes;
}

export function sumLevels(
  rows: i32,
  count: i32,
  units: i32,
  columns: usize,
  firsts: usize,
  counts: usize,
  x: usize,
  xRowBytes: usize,
  weight: usize,
  beta: i32,
  z: usize,
): void {
  const unitBytes = <usize>units * sizeof<real>();
  for (; rows > 0; rows--) {
    if (beta == 0) memory.fill(z, 0, unitBytes);
    for (let j = 0; j < count; j++) {
      const column = <usize>load<i32>(columns + (<usize>j << 2));
      const weights = weightsOf(firsts, counts, j, x + column * sizeof<real>(), weight, unitBytes);
      if (weights != 0) add(units, z, weights, z);
    }
    x += xRowBytes;
    z += unitBytes;
  }
}

/** The gradients of the rows of all levels in `units` of their columns, summed in the order of the rows. */
export function sumLevelsWeights(
  rows: i32,
  count: i32,
  units: i32,
  columns: usize,
  firsts: usize,
  counts: usize,
  x: usize,
  xRowBytes: usize,
  dZ: usize,
  dWeight: usize,
  rowBytes: usize,
): void {
  const bytes = <usize>units * sizeof<real>();
  for (let j = 0; j < count; j++) {
    const levels = load<i32>(counts + (<usize>j << 2));
    let row = dWeight + <usize>load<i32>(firsts + (<usize>j << 2)) * rowBytes;
    if (bytes == rowBytes) memory.fill(row, 0, <usize>levels * rowBytes);
    else {
      for (let left = levels; left > 0; left--) {
        memory.fill(row, 0, bytes);
        row += rowBytes;
      }
    }
    let number = x + <usize>load<i32>(columns + (<usize>j << 2)) * sizeof<real>();
    let d = dZ;
    for (let i = 0; i < rows; i++) {
      const sums = weightsOf(firsts, counts, j, number, dWeight, rowBytes);
      if (sums != 0) add(units, sums, d, sums);
      number += xRowBytes;
      d += rowBytes;
    }
  }
}
