/**
 * A product as a list of jobs for the machine code: which slice of c this thread computes, by which
 * blocks, and what is packed.
 *
 * A tile of c reads a panel of b, `depth` rows of a tile's width, once for each tile below the
 * first; it should stay in the first-level cache, so k is cut into blocks. It also reads `depth`
 * elements of each of its rows of a, for every panel of b; they should stay in the second-level
 * cache, so the rows are cut into blocks. Packed, both lie in the order in which they are read. Where
 * each is read only a few times, packing costs more than it saves, and tiles read a or b in their
 * place. Transposing b is packing: vectors take neighbours from a row of b. Pairs of bfloat16 are made by packing,
 * so a and b always are.
 *
 * None of this changes a bit: every element of c is one chain of multiply-adds in the order of k,
 * continued in the next block of k from what the last has stored.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, ProductKernels } from '../kernels.js';
import { type Share, Slices, splitsByRows } from '../share.js';
import { JOB_BYTES, JOB_INTEGERS, MOST_JOBS, MULTIPLY, PACK, type Program } from './jobs.js';

/** Of a panel of b: half of a first-level cache, since a and c pass through it, too. */
const PANEL_BYTES = 24 * 1024;
/** Of a packed block of a. */
const A_BYTES = 192 * 1024;
/** Of a packed block of b: this many columns of a tile's width, or fewer if they are deeper. */
const PANELS = 32;
/** b is packed for at least so many tiles below each other, a for so many beside each other. */
const LEAST_TILES_DOWN = 8;
const LEAST_TILES_ACROSS = 4;

/** What one thread packs into. */
export const PRODUCT_SCRATCH_BYTES = MOST_JOBS * JOB_BYTES + A_BYTES + PANELS * PANEL_BYTES;

/** Runs the jobs at an address of the memory. */
export type Run = (jobs: number) => void;

/** @param scratch address of PRODUCT_SCRATCH_BYTES bytes of this thread's own in the buffer */
export function product(
  program: Program,
  run: Run,
  dtype: DType,
  buffer: ArrayBufferLike,
  scratch: number,
  share: Share,
): ProductKernels {
  const { tileRows, lanes, isPaired } = program;
  const bytes = bytesPerElement(dtype);
  const slices = new Slices(share, bytes);
  const fields = new Uint32Array(buffer, scratch, MOST_JOBS * JOB_INTEGERS);
  const packedA = scratch + MOST_JOBS * JOB_BYTES;
  const packedB = packedA + A_BYTES;
  const tileColumns = program.tileVectors * lanes;
  const tileBytes = tileRows * bytes;
  const panelBytes = tileColumns * bytes;
  const panelDepth = program.depth ?? PANEL_BYTES / panelBytes;
  const mostColumns = tileColumns * Math.floor((PANELS * PANEL_BYTES) / (panelDepth * panelBytes));
  /** Of a packed row or column over so many k. */
  const elements = (depth: number) => (isPaired ? Math.ceil(depth / 2) : depth);

  /** Jobs in the list. */
  let count = 0;
  // Of the product at hand, in bytes: op(a)[i, p] is i·aRow + p·aStep behind a, op(b)[p, j] p·bStep + j·bColumn behind b.
  let [aRow, aStep, bStep, bColumn, cRow] = [0, 0, 0, 0, 0];
  /** Whether b is stored as [columns, k]. */
  let isTransposed = false;
  let packsB = false;

  /** This thread's rows or columns of c. */
  const multiply: ProductKernels['gemm'] = (form, m, n, k, a, b, beta, c) => {
    isTransposed = form === 'NT';
    aRow = form === 'TN' ? bytes : k * bytes;
    aStep = form === 'TN' ? m * bytes : bytes;
    bStep = isTransposed ? bytes : n * bytes;
    bColumn = isTransposed ? k * bytes : bytes;
    cRow = n * bytes;
    if (share.size === 1 || splitsByRows(m, n, share.size, tileRows, slices.line)) {
      const { start, length, offset } = slices.of(m, tileRows, cRow);
      multiplyBlocks(a.address + start * aRow, b.address, c.address + offset, length, n, k, beta);
    } else {
      const { start, length, offset } = slices.elements(n);
      const right = b.address + start * bColumn;
      multiplyBlocks(a.address, right, c.address + offset, m, length, k, beta);
    }
  };

  return {
    gemm(form, m, n, k, a, b, beta, c) {
      // A column as a row: cᵀ = op(b)ᵀ·op(a)ᵀ has the same elements in the same order of k.
      if (n === 1 && m > 1) multiply(form === 'TN' ? 'NN' : 'NT', 1, m, k, b, a, beta, c);
      else multiply(form, m, n, k, a, b, beta, c);
      share.sync();
    },
  };

  /** c[rows, columns] ← op(a)·op(b) + beta·c */
  function multiplyBlocks(
    a: number,
    b: number,
    c: number,
    rows: number,
    columns: number,
    k: number,
    beta: 0 | 1,
  ): void {
    if (rows === 0 || columns === 0) return;
    packsB = isPaired || isTransposed || rows >= LEAST_TILES_DOWN * tileRows;
    const packsA = isPaired || (rows >= tileRows && columns >= LEAST_TILES_ACROSS * tileColumns);
    // Without packing, blocks don't help: one pass over k keeps c in registers.
    const isWhole = !packsA && !packsB && !program.depth;
    const mostDepth = isWhole ? Math.max(k, 1) : panelDepth * (isPaired ? 2 : 1);
    const mostRows = packsA ? tileRows * Math.floor(A_BYTES / (elements(mostDepth) * tileBytes)) : rows;
    for (let column = 0; column < columns; column += mostColumns) {
      const width = Math.min(mostColumns, columns - column);
      // Once for k = 0, too, to set c to zero.
      for (let p = 0; p === 0 || p < k; p += mostDepth) {
        const depth = Math.min(mostDepth, k - p);
        const adds = beta === 1 || p > 0 ? 1 : 0;
        const right = b + column * bColumn + p * bStep;
        if (packsB) pack(program.copyTileColumns, tileColumns, right, bColumn, bStep, packedB, width, depth);
        for (let row = 0; row < rows; row += mostRows) {
          const height = Math.min(mostRows, rows - row);
          const left = a + row * aRow + p * aStep;
          const to = c + row * cRow + column * bytes;
          // Rows that fill no tile are not packed, but pairs have to be.
          const packed = isPaired ? height : packsA ? height - (height % tileRows) : 0;
          if (packed > 0) {
            pack(program.copyTileRows, tileRows, left, aRow, aStep, packedA, packed, depth);
            addPanels(true, packedA, right, to, packed, width, depth, adds);
          }
          const rest = height - packed;
          if (rest > 0)
            addPanels(false, left + packed * aRow, right, to + packed * cRow, rest, width, depth, adds);
        }
      }
    }
    flush();
  }

  /**
   * Tiles of a below each other, or of b side by side: for each k, the elements of a tile.
   * @param row bytes from element to element of a tile; `step` along k
   */
  function pack(
    copy: number,
    tile: number,
    from: number,
    row: number,
    step: number,
    to: number,
    length: number,
    depth: number,
  ): void {
    for (let i = 0; i < length && depth > 0; i += tile) {
      const size = Math.min(tile, length - i);
      const turns = step === bytes;
      // A part of a tile is not copied, if it needs no pairs: it is read in its place.
      if (!turns && !isPaired && size < tile) return;
      const at = newJob(turns ? program.transpose : copy);
      fields[at + PACK.from] = from + i * row;
      fields[at + PACK.fromStep] = turns ? row : step;
      fields[at + PACK.to] = to + i * bytes * elements(depth);
      fields[at + PACK.rows] = turns ? size : depth;
      fields[at + PACK.toStep] = tile * bytes;
      fields[at + PACK.columns] = depth;
      for (let j = 0; isPaired && !turns && j < program.tileVectors; j++) {
        const part = Math.min(lanes, size - j * lanes);
        fields[at + PACK.masks + j] = part > 0 ? program.masks[part % lanes] : 0;
      }
    }
  }

  /** Multiplies rows of a by one panel of b after the other; `b` is where it is not packed. */
  function addPanels(
    isPackedA: boolean,
    a: number,
    b: number,
    c: number,
    rows: number,
    columns: number,
    depth: number,
    adds: 0 | 1,
  ): void {
    const k = elements(depth);
    for (let j = 0, width = 0; j < columns; j += width) {
      const panel = j - (j % tileColumns);
      width = Math.min(panel + tileColumns, columns) - j;
      if (!program.masksAny && width > lanes) width -= width % lanes;
      const rest = width % lanes;
      // A part of a panel is not copied: it is read in its place.
      const isPackedB = isPaired || isTransposed || (packsB && panel + tileColumns <= columns);
      const at = newJob(program.multiply[Math.ceil(width / lanes) - 1][rest]);
      fields[at + MULTIPLY.a] = a;
      fields[at + MULTIPLY.aRow] = isPackedA ? bytes : aRow;
      fields[at + MULTIPLY.aStep] = isPackedA ? tileBytes : aStep;
      fields[at + MULTIPLY.aTile] = isPackedA ? k * tileBytes : tileRows * aRow;
      fields[at + MULTIPLY.b] = isPackedB ? packedB + (panel * k + j - panel) * bytes : b + j * bytes;
      fields[at + MULTIPLY.bStep] = isPackedB ? panelBytes : bStep;
      fields[at + MULTIPLY.c] = c + j * bytes;
      fields[at + MULTIPLY.cRow] = cRow;
      fields[at + MULTIPLY.rows] = rows;
      fields[at + MULTIPLY.k] = k;
      fields[at + MULTIPLY.adds] = adds;
      fields[at + MULTIPLY.mask] = program.masks[rest];
    }
  }

  /** Where the fields of a further job are. */
  function newJob(routine: number): number {
    if (count === MOST_JOBS - 1) flush();
    const at = count++ * JOB_INTEGERS;
    fields[at] = routine;
    return at;
  }

  function flush(): void {
    if (count === 0) return;
    fields[count * JOB_INTEGERS] = program.end;
    run(scratch);
    count = 0;
  }
}
