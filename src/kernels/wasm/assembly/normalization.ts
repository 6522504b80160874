/**
 * Batch and layer normalisation. Moments: the mean in two parts, and 1/√(variance + ε). Both come
 * from one pass in double precision over deviations d from the first element: mean = first + Σd/n,
 * variance = (Σd² − (Σd)²/n)/n. The first is at most √n standard deviations from the mean, so no
 * digits cancel however far the mean is from 0 (shifted data: Chan, Golub and LeVeque 1983).
 */
import { firstLanes, keep, lanes, madd, sumWide } from './simd';

/** x − mean, with the mean in two parts */
@inline
function centred(x: v128, mean: v128, rest: v128): v128 {
  return v128.sub<real>(v128.sub<real>(x, mean), rest);
}

/** The first two elements in double precision. */
@inline
function lower(x: v128): v128 {
  return sizeof<real>() == 8 ? x : f64x2.promote_low_f32x4(x);
}

/** The last two of four elements in double precision. */
@inline
function upper(x: v128): v128 {
  return f64x2.promote_low_f32x4(i64x2.shuffle(x, x, 1, 1));
}

/** The elements of x in double precision, upper and lower added. */
@inline
function widened(x: v128): v128 {
  return sizeof<real>() == 8 ? x : f64x2.add(lower(x), upper(x));
}

/** The squares of the elements of x in double precision, upper and lower added. */
@inline
function widenedSquares(x: v128): v128 {
  const low = lower(x);
  const squares = f64x2.mul(low, low);
  if (sizeof<real>() == 8) return squares;
  const high = upper(x);
  return madd<f64>(high, high, squares);
}

/** Stores a mean in two parts. */
@inline
function storeMean(moments: usize, momentBytes: usize, mean: f64): void {
  const rounded = <real>mean;
  store<real>(moments, rounded);
  store<real>(moments + momentBytes, <real>(mean - <f64>rounded));
}

/**
 * Stores the moments of `count` numbers from `first` and the sums of their deviations from it.
 * @returns the sum of the squared deviations from the mean
 */
@inline
function storeMoments(
  moments: usize, momentBytes: usize, count: f64, epsilon: f64, first: f64, sum: f64, squares: f64,
): f64 {
  storeMean(moments, momentBytes, first + sum / count);
  const deviations = max<f64>(0.0, squares - (sum * sum) / count);
  store<real>(moments + 2 * momentBytes, <real>(1.0 / Math.sqrt(deviations / count + epsilon)));
  return deviations;
}

/** The width that is normalised at a time: the rows of a usual batch then stay in the cache. */
const STRIP_BYTES: i32 = 512;
/** From the sums to the sums of squares: a double for each column of a strip. */
const SQUARES_OFFSET: usize = 1024;

/** Rows for which one vector of columns is computed at a time, its moments in registers. */
const BLOCK_ROWS: i32 = 8;

/** sums[j] ← Σd, and at SQUARES_OFFSET Σd², over column j, with d = x − x of the first row. */
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

/** The moments of the columns; updates the running ones unless they are 0. */
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

/** Batch normalisation in training; runningMean, runningVariance may be 0; `sums`: 2 KB scratch */
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

/** Batch normalisation by the running mean and variance. `moments` is 2 KB of scratch. */
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

/** dX ← scale·inverse·(dY − dShift/rows − x̂·dScale/rows) by columns; dX may be dY. */
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

/** The moments of a row. */
@inline
function rowMoments(columns: i32, epsilon: f64, x: usize, moments: usize): void {
  const pivot = v128.load_splat<real>(x);
  const first = <f64>load<real>(x);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let moreSums = sums;
  let moreSquares = squares;
  let left = columns;
  for (; left >= 2 * lanes(); left -= 2 * lanes()) {
    const d = v128.sub<real>(v128.load(x), pivot);
    const e = v128.sub<real>(v128.load(x, 16), pivot);
    sums = f64x2.add(sums, widened(d));
    squares = f64x2.add(squares, widenedSquares(d));
    moreSums = f64x2.add(moreSums, widened(e));
    moreSquares = f64x2.add(moreSquares, widenedSquares(e));
    x += 32;
  }
  for (; left > 0; left -= lanes()) {
    let d = v128.sub<real>(v128.load(x), pivot);
    if (left < lanes()) d = v128.and(d, firstLanes(left));
    sums = f64x2.add(sums, widened(d));
    squares = f64x2.add(squares, widenedSquares(d));
    x += 16;
  }
  const sum = sumWide(f64x2.add(sums, moreSums));
  const squareSum = sumWide(f64x2.add(squares, moreSquares));
  storeMoments(moments, sizeof<real>(), <f64>columns, epsilon, first, sum, squareSum);
}

/** Layer normalisation: y ← scale·x̂ + shift, and the moments of each row, side by side. */
export function layerNorm(
  rows: i32, columns: i32, epsilon: f64, x: usize, scale: usize, shift: usize, moments: usize,
  y: usize,
): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    rowMoments(columns, epsilon, x, moments);
    const mean = v128.load_splat<real>(moments);
    const rest = v128.load_splat<real>(moments + sizeof<real>());
    const inverse = v128.load_splat<real>(moments + 2 * sizeof<real>());
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const value = v128.mul<real>(centred(v128.load(x + column), mean, rest), inverse);
      keep(y + column, madd(value, v128.load(scale + column), v128.load(shift + column)), left);
      column += 16;
    }
    x += rowBytes;
    y += rowBytes;
    moments += 3 * sizeof<real>();
  }
}

/** dShift ← Σ dY, dScale ← Σ dY·x̂ over `columns` columns of layer normalisation. */
export function layerNormParameters(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, dY: usize, dScale: usize,
  dShift: usize,
): void {
  memory.fill(dScale, 0, columns * sizeof<real>());
  memory.fill(dShift, 0, columns * sizeof<real>());
  for (; rows > 0; rows--) {
    const mean = v128.load_splat<real>(moments);
    const rest = v128.load_splat<real>(moments + sizeof<real>());
    const inverse = v128.load_splat<real>(moments + 2 * sizeof<real>());
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const d = v128.load(dY + column);
      const value = v128.mul<real>(centred(v128.load(x + column), mean, rest), inverse);
      keep(dShift + column, v128.add<real>(v128.load(dShift + column), d), left);
      keep(dScale + column, madd(d, value, v128.load(dScale + column)), left);
      column += 16;
    }
    x += rowBytes;
    dY += rowBytes;
    moments += 3 * sizeof<real>();
  }
}

/** dX ← inverse·(g − mean(g) − x̂·mean(g·x̂)) with g = dY·scale, row by row; dX may be dY. */
export function layerNormBackward(
  rows: i32, columns: i32, x: usize, moments: usize, scale: usize, dY: usize, dX: usize,
): void {
  const rowBytes = <usize>columns * sizeof<real>();
  for (; rows > 0; rows--) {
    const mean = v128.load_splat<real>(moments);
    const rest = v128.load_splat<real>(moments + sizeof<real>());
    const inverse = v128.load_splat<real>(moments + 2 * sizeof<real>());
    let sums = f64x2.splat(0);
    let products = f64x2.splat(0);
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      let g = v128.mul<real>(v128.load(dY + column), v128.load(scale + column));
      let product = v128.mul<real>(g, centred(v128.load(x + column), mean, rest));
      if (left < lanes()) {
        g = v128.and(g, firstLanes(left));
        product = v128.and(product, firstLanes(left));
      }
      sums = f64x2.add(sums, widened(g));
      products = f64x2.add(products, widened(product));
      column += 16;
    }
    const level = v128.splat<real>(<real>(sumWide(sums) / <f64>columns));
    // mean(g·x̂)·x̂ = mean(g·d)·inverse²·d, with d = x − mean
    const slope = v128.mul<real>(v128.mul<real>(v128.splat<real>(<real>(sumWide(products) / <f64>columns)), inverse), inverse);
    column = 0;
    for (let left = columns; left > 0; left -= lanes()) {
      const g = v128.mul<real>(v128.load(dY + column), v128.load(scale + column));
      const correction = madd(slope, centred(v128.load(x + column), mean, rest), level);
      keep(dX + column, v128.mul<real>(inverse, v128.sub<real>(g, correction)), left);
      column += 16;
    }
    x += rowBytes;
    dY += rowBytes;
    dX += rowBytes;
    moments += 3 * sizeof<real>();
  }
}
