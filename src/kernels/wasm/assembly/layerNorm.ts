/**
 * Layer normalisation, forward and backward: each row over its columns. The moments of a row (normalization.ts) are three
 * numbers side by side.
 */
import { centred, keep, storeMoments, widened, widenedSquares } from './normalization';
import { firstLanes, lanes, madd, sumWide } from './simd';

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

/** y ← scale·x̂ + shift, row by row, and the moments of each row. */
@inline
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
@inline
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
@inline
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
