/**
 * Layer normalisation, forward and backward: each row over its columns. The moments of a row (normalization.ts) are three
 * numbers side by side.
 */
import { centred, keep, storeMoments, widened, widenedSquares } from './normalization';
import { firstLanes, lanes, madd, sumWide } from './simd';

/** The moments of a row. */
@inline
function rowMoments<T>(columns: i32, epsilon: f64, x: usize, moments: usize): void {
  const pivot = v128.load_splat<T>(x);
  const first = <f64>load<T>(x);
  let sums = f64x2.splat(0);
  let squares = f64x2.splat(0);
  let moreSums = sums;
  let moreSquares = squares;
  let left = columns;
  for (; left >= 2 * lanes<T>(); left -= 2 * lanes<T>()) {
    const d = v128.sub<T>(v128.load(x), pivot);
    const e = v128.sub<T>(v128.load(x, 16), pivot);
    sums = f64x2.add(sums, widened<T>(d));
    squares = f64x2.add(squares, widenedSquares<T>(d));
    moreSums = f64x2.add(moreSums, widened<T>(e));
    moreSquares = f64x2.add(moreSquares, widenedSquares<T>(e));
    x += 32;
  }
  for (; left > 0; left -= lanes<T>()) {
    let d = v128.sub<T>(v128.load(x), pivot);
    if (left < lanes<T>()) d = v128.and(d, firstLanes<T>(left));
    sums = f64x2.add(sums, widened<T>(d));
    squares = f64x2.add(squares, widenedSquares<T>(d));
    x += 16;
  }
  const sum = sumWide(f64x2.add(sums, moreSums));
  const squareSum = sumWide(f64x2.add(squares, moreSquares));
  storeMoments<T>(moments, sizeof<T>(), <f64>columns, epsilon, first, sum, squareSum);
}

/** y ← scale·x̂ + shift, row by row, and the moments of each row. */
@inline
export function layerNorm<T>(
  rows: i32,
  columns: i32,
  epsilon: f64,
  x: usize,
  scale: usize,
  shift: usize,
  moments: usize,
  y: usize,
): void {
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    rowMoments<T>(columns, epsilon, x, moments);
    const mean = v128.load_splat<T>(moments);
    const rest = v128.load_splat<T>(moments + sizeof<T>());
    const inverse = v128.load_splat<T>(moments + 2 * sizeof<T>());
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const value = v128.mul<T>(centred<T>(v128.load(x + column), mean, rest), inverse);
      keep<T>(y + column, madd<T>(value, v128.load(scale + column), v128.load(shift + column)), left);
      column += 16;
    }
    x += rowBytes;
    y += rowBytes;
    moments += 3 * sizeof<T>();
  }
}

/** dShift ← Σ dY, dScale ← Σ dY·x̂ over `columns` columns of layer normalisation. */
@inline
export function layerNormParameters<T>(
  rows: i32,
  columns: i32,
  rowBytes: usize,
  x: usize,
  moments: usize,
  dY: usize,
  dScale: usize,
  dShift: usize,
): void {
  memory.fill(dScale, 0, columns * sizeof<T>());
  memory.fill(dShift, 0, columns * sizeof<T>());
  for (; rows > 0; rows--) {
    const mean = v128.load_splat<T>(moments);
    const rest = v128.load_splat<T>(moments + sizeof<T>());
    const inverse = v128.load_splat<T>(moments + 2 * sizeof<T>());
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const d = v128.load(dY + column);
      const value = v128.mul<T>(centred<T>(v128.load(x + column), mean, rest), inverse);
      keep<T>(dShift + column, v128.add<T>(v128.load(dShift + column), d), left);
      keep<T>(dScale + column, madd<T>(d, value, v128.load(dScale + column)), left);
      column += 16;
    }
    x += rowBytes;
    dY += rowBytes;
    moments += 3 * sizeof<T>();
  }
}

/** dX ← inverse·(g − mean(g) − x̂·mean(g·x̂)) with g = dY·scale, row by row; dX may be dY. */
@inline
export function layerNormBackward<T>(
  rows: i32,
  columns: i32,
  x: usize,
  moments: usize,
  scale: usize,
  dY: usize,
  dX: usize,
): void {
  const rowBytes = <usize>columns * sizeof<T>();
  for (; rows > 0; rows--) {
    const mean = v128.load_splat<T>(moments);
    const rest = v128.load_splat<T>(moments + sizeof<T>());
    const inverse = v128.load_splat<T>(moments + 2 * sizeof<T>());
    let sums = f64x2.splat(0);
    let products = f64x2.splat(0);
    let column: usize = 0;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      let g = v128.mul<T>(v128.load(dY + column), v128.load(scale + column));
      let product = v128.mul<T>(g, centred<T>(v128.load(x + column), mean, rest));
      if (left < lanes<T>()) {
        g = v128.and(g, firstLanes<T>(left));
        product = v128.and(product, firstLanes<T>(left));
      }
      sums = f64x2.add(sums, widened<T>(g));
      products = f64x2.add(products, widened<T>(product));
      column += 16;
    }
    const level = v128.splat<T>(<T>(sumWide(sums) / <f64>columns));
    // mean(g·x̂)·x̂ = mean(g·d)·inverse²·d, with d = x − mean
    const slope = v128.mul<T>(v128.mul<T>(v128.splat<T>(<T>(sumWide(products) / <f64>columns)), inverse), inverse);
    column = 0;
    for (let left = columns; left > 0; left -= lanes<T>()) {
      const g = v128.mul<T>(v128.load(dY + column), v128.load(scale + column));
      const correction = madd<T>(slope, centred<T>(v128.load(x + column), mean, rest), level);
      keep<T>(dX + column, v128.mul<T>(inverse, v128.sub<T>(g, correction)), left);
      column += 16;
    }
    x += rowBytes;
    dY += rowBytes;
    dX += rowBytes;
    moments += 3 * sizeof<T>();
  }
}
