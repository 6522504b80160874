/**
 * The innermost loop of the matrix product: a tile of c, 4 rows by up to 3 vectors of columns, whose 12 sums stay in
 * registers (of 16, the rest hold 3 vectors of b and an element of a in every lane).
 *
 * Every element is the sum over p in order, whatever the tile's width and place: the result does not depend on how
 * a product is cut into tiles, blocks or slices.
 */
import { lanes, madd, splat } from './simd';

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;
/** Vectors of columns of a tile. */
export const TILE_VECTORS: i32 = 3;

/** c ← x, or c + x */
@inline
function put(c: usize, x: v128, accumulate: bool): void {
  v128.store(c, accumulate ? v128.add<real>(v128.load(c), x) : x);
}

/** One vector of columns of 4 rows, to rows of c `cStep` bytes apart. */
@inline
function putRows(x0: v128, x1: v128, x2: v128, x3: v128, c: usize, cStep: usize, accumulate: bool): void {
  put(c, x0, accumulate);
  put(c + cStep, x1, accumulate);
  put(c + 2 * cStep, x2, accumulate);
  put(c + 3 * cStep, x3, accumulate);
}

/** The same to the columns of c: row j of c gets the 4 elements of column j. */
@inline
function putColumns(x0: v128, x1: v128, x2: v128, x3: v128, c: usize, cStep: usize, accumulate: bool): void {
  if (sizeof<real>() == 8) {
    put(c, i64x2.shuffle(x0, x1, 0, 2), accumulate);
    put(c + 16, i64x2.shuffle(x2, x3, 0, 2), accumulate);
    put(c + cStep, i64x2.shuffle(x0, x1, 1, 3), accumulate);
    put(c + cStep + 16, i64x2.shuffle(x2, x3, 1, 3), accumulate);
  } else {
    const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
    put(c, i64x2.shuffle(low01, low23, 0, 2), accumulate);
    put(c + cStep, i64x2.shuffle(low01, low23, 1, 3), accumulate);
    put(c + 2 * cStep, i64x2.shuffle(high01, high23, 0, 2), accumulate);
    put(c + 3 * cStep, i64x2.shuffle(high01, high23, 1, 3), accumulate);
  }
}

/**
 * The tile of op(c) at `c`: rows of a at `a`, `aStep` bytes apart and contiguous along k; b's rows, of `vectors`
 * vectors, `bStep` bytes apart. `rows` and `columns` say how much of the tile belongs to op(c). Where `transposed`, op(c) is cᵀ.
 * A part of a tile goes by way of `spare`, 4 rows of 3 vectors.
 */
@inline
function tile(
  vectors: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize,
  rows: i32, columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  // Rows past the last repeat it: they are never stored.
  let a0 = a;
  let a1 = rows > 1 ? a0 + aStep : a0;
  let a2 = rows > 2 ? a1 + aStep : a1;
  let a3 = rows > 3 ? a2 + aStep : a2;
  const zero = splat(0.0);
  let c00 = zero;
  let c01 = zero;
  let c02 = zero;
  let c10 = zero;
  let c11 = zero;
  let c12 = zero;
  let c20 = zero;
  let c21 = zero;
  let c22 = zero;
  let c30 = zero;
  let c31 = zero;
  let c32 = zero;
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = vectors > 1 ? v128.load(b, 16) : zero;
    const b2 = vectors > 2 ? v128.load(b, 32) : zero;
    const x0 = v128.load_splat<real>(a0);
    c00 = madd(x0, b0, c00);
    if (vectors > 1) c01 = madd(x0, b1, c01);
    if (vectors > 2) c02 = madd(x0, b2, c02);
    const x1 = v128.load_splat<real>(a1);
    c10 = madd(x1, b0, c10);
    if (vectors > 1) c11 = madd(x1, b1, c11);
    if (vectors > 2) c12 = madd(x1, b2, c12);
    const x2 = v128.load_splat<real>(a2);
    c20 = madd(x2, b0, c20);
    if (vectors > 1) c21 = madd(x2, b1, c21);
    if (vectors > 2) c22 = madd(x2, b2, c22);
    const x3 = v128.load_splat<real>(a3);
    c30 = madd(x3, b0, c30);
    if (vectors > 1) c31 = madd(x3, b1, c31);
    if (vectors > 2) c32 = madd(x3, b2, c32);
    a0 += sizeof<real>();
    a1 += sizeof<real>();
    a2 += sizeof<real>();
    a3 += sizeof<real>();
    b += bStep;
  }
  const whole = rows == TILE_ROWS && columns == vectors * lanes();
  const to = whole ? c : spare;
  const toStep = whole ? cStep : TILE_VECTORS * 16;
  const add = whole && accumulate;
  if (whole && transposed) {
    putColumns(c00, c10, c20, c30, c, cStep, accumulate);
    if (vectors > 1) putColumns(c01, c11, c21, c31, c + 1 * lanes() * cStep, cStep, accumulate);
    if (vectors > 2) putColumns(c02, c12, c22, c32, c + 2 * lanes() * cStep, cStep, accumulate);
    return;
  }
  putRows(c00, c10, c20, c30, to, toStep, add);
  if (vectors > 1) putRows(c01, c11, c21, c31, to + 16, toStep, add);
  if (vectors > 2) putRows(c02, c12, c22, c32, to + 32, toStep, add);
  if (!whole) putPart(rows, columns, spare, c, cStep, transposed, accumulate);
}

/** Moves what belongs to op(c) out of `spare`. */
function putPart(
  rows: i32, columns: i32, spare: usize, c: usize, cStep: usize, transposed: bool, accumulate: bool,
): void {
  const rowStep = transposed ? sizeof<real>() : cStep;
  const columnStep = transposed ? cStep : sizeof<real>();
  for (let i = 0; i < rows; i++) {
    let from = spare;
    let to = c;
    for (let j = 0; j < columns; j++) {
      const x = load<real>(from);
      store<real>(to, accumulate ? load<real>(to) + x : x);
      from += sizeof<real>();
      to += columnStep;
    }
    spare += TILE_VECTORS * 16;
    c += rowStep;
  }
}

// A function for each width; see `tile` for the arguments.

export function tile1(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(1, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}

export function tile2(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(2, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}

export function tile3(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(3, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}
