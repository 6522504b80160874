/**
 * The matrix product by blocks (Goto and van de Geijn 2008; van Zee and van de Geijn 2015): a block of b is packed so that
 * a tile reads it in order, and stays in the cache while the rows of a pass by.
 *
 * A tile wants a's rows contiguous along k and b's rows contiguous along the columns. a in NN and NT and b in NN and TN are
 * so already; the operand that is not is transposed while it is packed. As cᵀ = op(b)ᵀ·op(a)ᵀ, the roles can
 * be swapped such that it is the smaller of the two; c is then written transposed. None of this changes the order of a sum.
 */
import { TILE_ROWS, TILE_VECTORS, tile1, tile2, tile3 } from './tile';
import { lanes } from './simd';

const NN: i32 = 0;
const NT: i32 = 2;

/** The depth of a block; the order of the sums depends on it. */
const BLOCK_DEPTH: i32 = 256;
/** The rows of a that are transposed at a time. */
const BLOCK_ROWS: i32 = 128;
/** The columns of b in a block, in tiles: 288 KiB, which leave the second cache room for a and c. */
const BLOCK_TILES: i32 = 24;
/** With fewer rows than this, packing b costs more than it brings. */
const PACK_ROWS: i32 = 16;
/** Between rows of a that is packed: a line more than a block's depth, so that they don't meet in one set of the cache. */
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
@inline
export function productScratchBytes(): usize {
  return SPARE_BYTES + packedRightBytes() + BLOCK_ROWS * packedRowBytes();
}

/**
 * c[m, n] ← op(a)·op(b) + (accumulate ? c : 0), the rows of the matrices `aStep`, `bStep` and `cStep` bytes apart.
 * The caller may pass any slice of a larger product's rows or columns.
 */
@inline
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

/** left[m, k]·right[k, n], each stored as said or transposed, to c or cᵀ. */
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

/** A block of c: a tile's width of b after the other, and down the rows of a for each. `rightStep` is 0 where b is packed. */
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

/** The vectors that hold so many columns, at most those of a tile. */
@inline
function vectorsOf(columns: i32): i32 {
  return (columns + lanes() - 1) / lanes();
}

/** A block of b, a tile's width after the other, each `depth` rows of whole vectors; what a last vector has too many is arbitrary. */
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
