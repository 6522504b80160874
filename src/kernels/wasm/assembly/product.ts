/**
 * The matrix product by blocks (Goto and van de Geijn 2008; van Zee and van de Geijn 2015): a block
 * of b is packed for a tile to read in order, and stays in the cache for all rows of a. Tiles need
 * the rows of a contiguous along k, those of b along the columns; packing transposes the other
 * operand. As cᵀ = op(b)ᵀ·op(a)ᵀ, the roles may be swapped so that the smaller one is transposed.
 * None of this changes the order of a sum. A product with a vector does not pack.
 */
import { lanes, loadFirst, madd, splat, storeFirst } from './simd';

const NN: i32 = 0;
const NT: i32 = 2;

/** The depth of a block; the order of the sums depends on it. */
const BLOCK_DEPTH: i32 = 256;
/** How many rows of a are transposed at a time. */
const BLOCK_ROWS: i32 = 128;
/** The columns of b in a block, in tiles: 288 KiB, which leaves room in the L2 cache. */
const BLOCK_TILES: i32 = 24;
/** With fewer rows than this, packing b costs more than it saves. */
const PACK_ROWS: i32 = 16;
/** From one packed row of a to the next: a cache line extra, so that they fall into other sets. */
@inline
function packedRowBytes(): usize {
  return BLOCK_DEPTH * sizeof<real>() + 64;
}
const SPARE_BYTES: usize = 256;

@inline
function packedRightBytes(): usize {
  return BLOCK_DEPTH * BLOCK_TILES * TILE_VECTORS * 16;
}

/** The bytes that `product` needs as `scratch`. */
export function productScratchBytes(): usize {
  return SPARE_BYTES + packedRightBytes() + BLOCK_ROWS * packedRowBytes();
}

/**
 * c[m, n] ← op(a)·op(b) + (accumulate ? c : 0), rows `aStep`, `bStep`, `cStep` bytes apart; any
 * slice of the rows or columns of a larger product.
 */
export function product(
  form: i32, m: i32, n: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize,
  accumulate: bool, c: usize, cStep: usize, scratch: usize,
): void {
  if (form == NN) {
    multiply(m, n, k, a, aStep, false, b, bStep, false, c, cStep, false, accumulate, scratch);
  } else if (form == NT) {
    if (n > m) multiply(n, m, k, b, bStep, false, a, aStep, true, c, cStep, true, accumulate, scratch);
    else multiply(m, n, k, a, aStep, false, b, bStep, true, c, cStep, false, accumulate, scratch);
  } else {
    if (n < m) multiply(n, m, k, b, bStep, true, a, aStep, false, c, cStep, true, accumulate, scratch);
    else multiply(m, n, k, a, aStep, true, b, bStep, false, c, cStep, false, accumulate, scratch);
  }
}

/** left[m, k]·right[k, n], each stored so or transposed, to c or cᵀ. */
function multiply(
  m: i32, n: i32, k: i32, left: usize, leftStep: usize, leftTransposed: bool, right: usize,
  rightStep: usize, rightTransposed: bool, c: usize, cStep: usize, cTransposed: bool,
  accumulate: bool, scratch: usize,
): void {
  const packedRight = scratch + SPARE_BYTES;
  const packedLeft = packedRight + packedRightBytes();
  const tileColumns = TILE_VECTORS * lanes();
  const blockColumns = BLOCK_TILES * tileColumns;
  const pack = rightTransposed || m >= PACK_ROWS;
  const cRowStep = cTransposed ? sizeof<real>() : cStep;
  const cColumnStep = cTransposed ? cStep : sizeof<real>();
  for (let j = 0; j < n; j += blockColumns) {
    const columns = min(n - j, blockColumns);
    for (let p = 0; p < k; p += BLOCK_DEPTH) {
      const depth = min(k - p, BLOCK_DEPTH);
      let rightBlock = rightTransposed
        ? right + j * rightStep + p * sizeof<real>()
        : right + p * rightStep + j * sizeof<real>();
      if (pack) {
        packRight(depth, columns, rightBlock, rightStep, rightTransposed, packedRight);
        rightBlock = packedRight;
      }
      for (let i = 0; i < m; i += BLOCK_ROWS) {
        const rows = min(m - i, BLOCK_ROWS);
        let leftBlock = left + i * leftStep + p * sizeof<real>();
        let rowStep = leftStep;
        if (leftTransposed) {
          transpose(depth, rows, left + p * leftStep + i * sizeof<real>(), leftStep, packedLeft, packedRowBytes());
          leftBlock = packedLeft;
          rowStep = packedRowBytes();
        }
        multiplyBlock(
          rows, columns, depth, leftBlock, rowStep, rightBlock, pack ? 0 : rightStep,
          c + i * cRowStep + j * cColumnStep, cStep, cTransposed, accumulate || p > 0, scratch,
        );
      }
    }
    if (k == 0 && !accumulate) clear(m, columns, c + j * cColumnStep, cRowStep, cColumnStep);
  }
}

/** A block of c: for each tile's width of b, down the rows of a. rightStep 0: b is packed. */
function multiplyBlock(
  rows: i32, columns: i32, depth: i32, left: usize, leftStep: usize, right: usize, rightStep: usize,
  c: usize, cStep: usize, cTransposed: bool, accumulate: bool, spare: usize,
): void {
  const tileColumns = TILE_VECTORS * lanes();
  const cRowStep = TILE_ROWS * (cTransposed ? sizeof<real>() : cStep);
  const cColumnStep = cTransposed ? cStep : sizeof<real>();
  for (let j = 0; j < columns; j += tileColumns) {
    const width = min(columns - j, tileColumns);
    const vectors = vectorsOf(width);
    const bStep = rightStep ? rightStep : vectors * 16;
    const b = rightStep ? right + j * sizeof<real>() : right + depth * j * sizeof<real>();
    let a = left;
    let to = c + j * cColumnStep;
    for (let i = 0; i < rows; i += TILE_ROWS) {
      const height = min(rows - i, TILE_ROWS);
      if (vectors == 3) {
        tile3(depth, a, leftStep, b, bStep, to, cStep, height, width, cTransposed, accumulate, spare);
      } else if (vectors == 2) {
        tile2(depth, a, leftStep, b, bStep, to, cStep, height, width, cTransposed, accumulate, spare);
      } else {
        tile1(depth, a, leftStep, b, bStep, to, cStep, height, width, cTransposed, accumulate, spare);
      }
      a += TILE_ROWS * leftStep;
      to += cRowStep;
    }
  }
}

/** The number of vectors that hold these columns, at most those of a tile. */
@inline
function vectorsOf(columns: i32): i32 {
  return (columns + lanes() - 1) / lanes();
}

/** Packs a block of b: for each tile, `depth` rows of whole vectors; extra lanes are arbitrary. */
function packRight(
  depth: i32, columns: i32, from: usize, fromStep: usize, transposed: bool, to: usize,
): void {
  const tileColumns = TILE_VECTORS * lanes();
  for (let j = 0; j < columns; j += tileColumns) {
    const width = min(columns - j, tileColumns);
    const vectors = vectorsOf(width);
    if (transposed) {
      transpose(width, depth, from, fromStep, to, vectors * 16);
      from += tileColumns * fromStep;
      to += depth * vectors * 16;
    } else {
      let row = from;
      for (let p = 0; p < depth; p++) {
        v128.store(to, v128.load(row));
        if (vectors > 1) v128.store(to, v128.load(row, 16), 16);
        if (vectors > 2) v128.store(to, v128.load(row, 32), 32);
        row += fromStep;
        to += vectors * 16;
      }
      from += tileColumns * sizeof<real>();
    }
  }
}

/** to[columns, rows] ← from[rows, columns]ᵀ */
function transpose(rows: i32, columns: i32, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  let i = 0;
  for (; i + lanes() <= rows; i += lanes()) {
    let source = from + i * fromStep;
    let target = to + i * sizeof<real>();
    let j = 0;
    for (; j + lanes() <= columns; j += lanes()) {
      transposeVectors(source, fromStep, target, toStep);
      source += 16;
      target += lanes() * toStep;
    }
    for (; j < columns; j++) {
      for (let r = 0; r < lanes(); r++) {
        store<real>(target + r * sizeof<real>(), load<real>(source + r * fromStep));
      }
      source += sizeof<real>();
      target += toStep;
    }
  }
  for (; i < rows; i++) {
    let source = from + i * fromStep;
    let target = to + i * sizeof<real>();
    for (let j = 0; j < columns; j++) {
      store<real>(target, load<real>(source));
      source += sizeof<real>();
      target += toStep;
    }
  }
}

/** A square of one vector a row. */
@inline
function transposeVectors(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const x0 = v128.load(from);
  const x1 = v128.load(from + fromStep);
  if (sizeof<real>() == 8) {
    v128.store(to, i64x2.shuffle(x0, x1, 0, 2));
    v128.store(to + toStep, i64x2.shuffle(x0, x1, 1, 3));
  } else {
    const x2 = v128.load(from + 2 * fromStep);
    const x3 = v128.load(from + 3 * fromStep);
    const low01 = i32x4.shuffle(x0, x1, 0, 4, 1, 5);
    const low23 = i32x4.shuffle(x2, x3, 0, 4, 1, 5);
    const high01 = i32x4.shuffle(x0, x1, 2, 6, 3, 7);
    const high23 = i32x4.shuffle(x2, x3, 2, 6, 3, 7);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(to + toStep, i64x2.shuffle(low01, low23, 1, 3));
    v128.store(to + 2 * toStep, i64x2.shuffle(high01, high23, 0, 2));
    v128.store(to + 3 * toStep, i64x2.shuffle(high01, high23, 1, 3));
  }
}

/** The product of no terms: zeros. */
function clear(rows: i32, columns: i32, c: usize, rowStep: usize, columnStep: usize): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) store<real>(c + i * rowStep + j * columnStep, <real>0);
  }
}

const TILE_ROWS: i32 = 4;
const TILE_VECTORS: i32 = 3;

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
 * The tile of op(c) at `c`, which is cᵀ if `transposed`. The rows of a lie `aStep` bytes apart and
 * are contiguous along k; the rows of b, of `vectors` vectors, lie `bStep` bytes apart. `rows` and
 * `columns` of the tile belong to op(c); a partial tile goes through `spare`, 4 rows of 3 vectors.
 */
@inline
function tile(
  vectors: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize,
  rows: i32, columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  // Rows past the last one repeat it; they are never stored.
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

/** Copies the part of a tile that belongs to op(c) from `spare`. */
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

function tile1(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(1, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}

function tile2(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(2, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}

function tile3(
  k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, rows: i32,
  columns: i32, transposed: bool, accumulate: bool, spare: usize,
): void {
  tile(3, k, a, aStep, b, bStep, c, cStep, rows, columns, transposed, accumulate, spare);
}

/** y[i] ← Σ_p a[i, p]·x[p] (+ y[i]), rows `aStep` bytes apart; each lane has its own sum. */
export function dotRows(
  rows: i32, k: i32, a: usize, aStep: usize, x: usize, accumulate: bool, y: usize,
): void {
  for (; rows > 0; rows--) {
    let s0 = splat(0.0);
    let s1 = splat(0.0);
    let s2 = splat(0.0);
    let s3 = splat(0.0);
    let row = a;
    let vector = x;
    let left = k;
    for (; left >= 4 * lanes(); left -= 4 * lanes()) {
      s0 = madd(v128.load(row), v128.load(vector), s0);
      s1 = madd(v128.load(row, 16), v128.load(vector, 16), s1);
      s2 = madd(v128.load(row, 32), v128.load(vector, 32), s2);
      s3 = madd(v128.load(row, 48), v128.load(vector, 48), s3);
      row += 64;
      vector += 64;
    }
    for (; left >= lanes(); left -= lanes()) {
      s0 = madd(v128.load(row), v128.load(vector), s0);
      row += 16;
      vector += 16;
    }
    if (left > 0) s1 = madd(loadFirst(row, left), loadFirst(vector, left), s1);
    const sum = v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3));
    const total = sumLanes(sum);
    store<real>(y, accumulate ? load<real>(y) + total : total);
    a += aStep;
    y += sizeof<real>();
  }
}

/** The sum of the lanes. */
@inline
function sumLanes(x: v128): real {
  const halves = v128.add<real>(x, i64x2.shuffle(x, x, 1, 0));
  if (sizeof<real>() == 8) return v128.extract_lane<real>(halves, 0);
  return v128.extract_lane<real>(halves, 0) + v128.extract_lane<real>(halves, 1);
}

/** y[j] ← Σ_p x[p]·b[p, j] (+ y[j]), in the order of p, rows of b `bStep` bytes apart. */
export function combineRows(
  columns: i32, k: i32, x: usize, b: usize, bStep: usize, accumulate: bool, y: usize,
): void {
  for (; columns >= 4 * lanes(); columns -= 4 * lanes()) {
    let s0 = splat(0.0);
    let s1 = splat(0.0);
    let s2 = splat(0.0);
    let s3 = splat(0.0);
    let row = b;
    const end = x + k * sizeof<real>();
    for (let at = x; at < end; at += sizeof<real>()) {
      const factor = v128.load_splat<real>(at);
      s0 = madd(factor, v128.load(row), s0);
      s1 = madd(factor, v128.load(row, 16), s1);
      s2 = madd(factor, v128.load(row, 32), s2);
      s3 = madd(factor, v128.load(row, 48), s3);
      row += bStep;
    }
    if (accumulate) {
      s0 = v128.add<real>(v128.load(y), s0);
      s1 = v128.add<real>(v128.load(y, 16), s1);
      s2 = v128.add<real>(v128.load(y, 32), s2);
      s3 = v128.add<real>(v128.load(y, 48), s3);
    }
    v128.store(y, s0);
    v128.store(y, s1, 16);
    v128.store(y, s2, 32);
    v128.store(y, s3, 48);
    b += 64;
    y += 64;
  }
  for (; columns > 0; columns -= lanes()) {
    let sum = splat(0.0);
    let row = b;
    const end = x + k * sizeof<real>();
    for (let at = x; at < end; at += sizeof<real>()) {
      sum = madd(v128.load_splat<real>(at), v128.load(row), sum);
      row += bStep;
    }
    if (accumulate) sum = v128.add<real>(v128.load(y), sum);
    if (columns < lanes()) storeFirst(y, sum, columns);
    else v128.store(y, sum);
    b += 16;
    y += 16;
  }
}
