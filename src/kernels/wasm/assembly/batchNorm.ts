/**
 * Batch normalisation, forward and backward: each column over the rows, which lie `rowBytes` apart. The moments of the
 * columns (normalization.ts) are three rows that lie `momentBytes` apart.
 */
import { centred, keep, lower, storeMean, storeMoments, upper } from './normalization';
import { lanes, madd } from './simd';

/** The part of a row that is normalised before the next one: its rows, for batches of a usual size, stay in the cache. */
const STRIP_BYTES: i32 = 512;
/** Where the sums of squares lie behind the sums: a double for each column of a strip. */
const SQUARES_OFFSET: usize = 1024;

/** Rows that are gone through for one vector of columns before the next: what belongs to the columns stays in registers. */
const BLOCK_ROWS: i32 = 8;

/** sums[j] ← Σd, and at SQUARES_OFFSET Σd², over the rows of column j, d = x less that of the first row. */
function columnSums(rows: i32, columns: i32, rowBytes: usize, x: usize, sums: usize): void {
  const first = x;
  memory.fill(sums, 0, 2 * SQUARES_OFFSET);
  for (; rows > 0; rows -= BLOCK_ROWS) {
    const block = min(rows, BLOCK_ROWS);
    let column: usize = 0;
    let sumsAt = sums;
    for (let left = columns; left > 0; left -= lanes()) {
      const pivot = v128.load(first + column);
      let lowSum = v128.load(sumsAt);
      let lowSquares = v128.load(sumsAt + SQUARES_OFFSET);
      let highSum = lowSum;
      let highSquares = lowSquares;
      if (sizeof<real>() == 4) {
        highSum = v128.load(sumsAt, 16);
        highSquares = v128.load(sumsAt + SQUARES_OFFSET, 16);
      }
      let at = x + column;
      for (let row = 0; row < block; row++) {
        const d = v128.sub<real>(v128.load(at), pivot);
        const low = lower(d);
        lowSum = f64x2.add(lowSum, low);
        lowSquares = madd<f64>(low, low, lowSquares);
        if (sizeof<real>() == 4) {
          const high = upper(d);
          highSum = f64x2.add(highSum, high);
          highSquares = madd<f64>(high, high, highSquares);
        }
        at += rowBytes;
      }
      v128.store(sumsAt, lowSum);
      v128.store(sumsAt + SQUARES_OFFSET, lowSquares);
      if (sizeof<real>() == 4) {
        v128.store(sumsAt, highSum, 16);
        v128.store(sumsAt + SQUARES_OFFSET, highSquares, 16);
      }
      column += 16;
      sumsAt += lanes() * 8;
    }
    x += BLOCK_ROWS * rowBytes;
  }
}

/** running ← (1 − momentum)·running + momentum·value */
@inline
function follow(running: usize, momentum: f64, value: f64): void {
  store<real>(running, <real>((1.0 - momentum) * <f64>load<real>(running) + momentum * value));
}

/** The moments of the columns, and what the running ones make of them unless those are 0. */
function columnMoments(
  rows: i32, columns: i32, rowBytes: usize, epsilon: f64, x: usize, moments: usize,
  momentBytes: usize, momentum: f64, runningMean: usize, runningVariance: usize, sums: usize,
): void {
  const count = <f64>rows;
  columnSums(rows, columns, rowBytes, x, sums);
  for (let j = 0; j < columns; j++) {
    const first = <f64>load<real>(x);
    const sum = load<f64>(sums);
    const squares = load<f64>(sums + SQUARES_OFFSET);
    const deviations = storeMoments(moments, momentBytes, count, epsilon, first, sum, squares);
    if (runningMean) {
      follow(runningMean, momentum, first + sum / count);
      follow(runningVariance, momentum, deviations / (count - 1.0));
      runningMean += sizeof<real>();
      runningVariance += sizeof<real>();
    }
    x += sizeof<real>();
    moments += sizeof<real>();
    sums += 8;
  }
}

/** y ← scale·x̂ + shift by the moments of the columns */
function normalizeColumns(
  rows: i32, columns: i32, rowBytes: usize, x: usize, scale: usize, shift: usize, moments: usize,
  momentBytes: usize, y: usize,
): void {
  for (; rows > 0; rows -= BLOCK_ROWS) {
    const block = min(rows, BLOCK_ROWS);
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const mean = v128.load(moments + column);
      const rest = v128.load(moments + column + momentBytes);
      const inverse = v128.load(moments + column + 2 * momentBytes);
      const factor = v128.mul<real>(v128.load(scale + column), inverse);
      const offset = v128.load(shift + column);
      let at = column;
      for (let row = 0; row < block; row++) {
        keep(y + at, madd(factor, centred(v128.load(x + at), mean, rest), offset), left);
        at += rowBytes;
      }
      column += 16;
    }
    x += BLOCK_ROWS * rowBytes;
    y += BLOCK_ROWS * rowBytes;
  }
}

/** Batch normalisation in training; runningMean and runningVariance are 0 where they stay. `sums` is scratch for a strip. */
@inline
export function batchNorm(
  rows: i32, columns: i32, rowBytes: usize, epsilon: f64, x: usize, scale: usize, shift: usize,
  moments: usize, momentBytes: usize, momentum: f64, runningMean: usize, runningVariance: usize,
  y: usize, sums: usize,
): void {
  const strip = STRIP_BYTES / <i32>sizeof<real>();
  for (; columns > 0; columns -= strip) {
    const width = min(columns, strip);
    columnMoments(
      rows, width, rowBytes, epsilon, x, moments, momentBytes, momentum, runningMean,
      runningVariance, sums,
    );
    normalizeColumns(rows, width, rowBytes, x, scale, shift, moments, momentBytes, y);
    x += STRIP_BYTES;
    y += STRIP_BYTES;
    scale += STRIP_BYTES;
    shift += STRIP_BYTES;
    moments += STRIP_BYTES;
    if (!runningMean) continue;
    runningMean += STRIP_BYTES;
    runningVariance += STRIP_BYTES;
  }
}

/** The same by the running mean and variance. `moments` is scratch for those of a strip. */
@inline
export function batchNormEvaluation(
  rows: i32, columns: i32, rowBytes: usize, epsilon: f64, x: usize, scale: usize, shift: usize,
  runningMean: usize, runningVariance: usize, y: usize, moments: usize,
): void {
  const strip = STRIP_BYTES / <i32>sizeof<real>();
  for (; columns > 0; columns -= strip) {
    const width = min(columns, strip);
    for (let j = 0; j < width; j++) {
      const at = moments + j * sizeof<real>();
      storeMean(at, STRIP_BYTES, <f64>load<real>(runningMean + j * sizeof<real>()));
      const variance = <f64>load<real>(runningVariance + j * sizeof<real>());
      store<real>(at + 2 * STRIP_BYTES, <real>(1.0 / Math.sqrt(variance + epsilon)));
    }
    normalizeColumns(rows, width, rowBytes, x, scale, shift, moments, STRIP_BYTES, y);
    x += STRIP_BYTES;
    y += STRIP_BYTES;
    scale += STRIP_BYTES;
    shift += STRIP_BYTES;
    runningMean += STRIP_BYTES;
    runningVariance += STRIP_BYTES;
  }
}

/** dShift ← Σ dY, dScale ← Σ dY·x̂ by the moments of the columns */
function columnGradients(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, momentBytes: usize, dY: usize,
  dScale: usize, dShift: usize,
): void {
  memory.fill(dScale, 0, columns * sizeof<real>());
  memory.fill(dShift, 0, columns * sizeof<real>());
  for (; rows > 0; rows -= BLOCK_ROWS) {
    const block = min(rows, BLOCK_ROWS);
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const mean = v128.load(moments + column);
      const rest = v128.load(moments + column + momentBytes);
      const inverse = v128.load(moments + column + 2 * momentBytes);
      let sum = v128.load(dShift + column);
      let products = v128.splat<real>(0);
      let at = column;
      for (let row = 0; row < block; row++) {
        const d = v128.load(dY + at);
        sum = v128.add<real>(sum, d);
        products = madd(d, centred(v128.load(x + at), mean, rest), products);
        at += rowBytes;
      }
      keep(dShift + column, sum, left);
      keep(dScale + column, madd(products, inverse, v128.load(dScale + column)), left);
      column += 16;
    }
    x += BLOCK_ROWS * rowBytes;
    dY += BLOCK_ROWS * rowBytes;
  }
}

/** dX ← scale·inverse·(dY − dShift/rows − x̂·dScale/rows) by the moments of the columns; dX may be dY. */
function columnInputGradients(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, momentBytes: usize,
  scale: usize, dY: usize, dX: usize, dScale: usize, dShift: usize,
): void {
  const share = v128.splat<real>(<real>(1.0 / <f64>rows));
  for (; rows > 0; rows -= BLOCK_ROWS) {
    const block = min(rows, BLOCK_ROWS);
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const mean = v128.load(moments + column);
      const rest = v128.load(moments + column + momentBytes);
      const inverse = v128.load(moments + column + 2 * momentBytes);
      const factor = v128.mul<real>(v128.load(scale + column), inverse);
      const level = v128.mul<real>(share, v128.load(dShift + column));
      const slope = v128.mul<real>(v128.mul<real>(share, v128.load(dScale + column)), inverse);
      let at = column;
      for (let row = 0; row < block; row++) {
        const correction = madd(slope, centred(v128.load(x + at), mean, rest), level);
        keep(dX + at, v128.mul<real>(factor, v128.sub<real>(v128.load(dY + at), correction)), left);
        at += rowBytes;
      }
      column += 16;
    }
    x += BLOCK_ROWS * rowBytes;
    dY += BLOCK_ROWS * rowBytes;
    dX += BLOCK_ROWS * rowBytes;
  }
}

/** The gradients of batch normalisation; dX may be dY, or 0 for none. */
@inline
export function batchNormBackward(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, momentBytes: usize,
  scale: usize, dY: usize, dX: usize, dScale: usize, dShift: usize,
): void {
  const strip = STRIP_BYTES / <i32>sizeof<real>();
  for (; columns > 0; columns -= strip) {
    const width = min(columns, strip);
    columnGradients(rows, width, rowBytes, x, moments, momentBytes, dY, dScale, dShift);
    if (dX) {
      columnInputGradients(rows, width, rowBytes, x, moments, momentBytes, scale, dY, dX, dScale, dShift);
      dX += STRIP_BYTES;
    }
    x += STRIP_BYTES;
    dY += STRIP_BYTES;
    scale += STRIP_BYTES;
    moments += STRIP_BYTES;
    dScale += STRIP_BYTES;
    dShift += STRIP_BYTES;
  }
}
