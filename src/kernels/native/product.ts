/**
 * A product as a list of jobs for the machine code: which slice of c this thread computes, by which
 * blocks, and what is packed.
 *
 * A tile of c reads a panel of b, `depth` rows of a tile's width, once for each tile below the
 * first; it should stay in the first-level cache, so k is cut into blocks. It also reads `depth`
 * elements of each of its rows of a, for every panel of b; they should stay in the second-level
 * cache, so the rows are cut into blocks. Packed, both lie in the order in which they are read; a
 * panel is packed right before its first use, while it is in the cache. Where each is read only a few
 * times, packing costs more than it saves, and tiles read a or b in their place. Transposing b is
 * packing: vectors take neighbours from a row of b. Pairs of bfloat16 are made by packing, so a and b
 * always are.
 *
 * None of this changes a bit: every element of c is one chain of multiply-adds in the order of k,
 * continued in the next block of k from what the last has stored.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, ProductKernels } from '../kernels.js';
import { type Share, Slices, splitsByRows } from '../share.js';
import { JOB_BYTES, JobList, MOST_JOBS, MULTIPLY, PACK, type Program } from './jobs.js';
import { skippingPays, sparseProduct } from './sparse.js';

/** Of a panel of b: half of a first-level cache, since a and c pass through it, too. */
const PANEL_BYTES = 24 * 1024;
/** Of a packed block of a. */
const A_BYTES = 256 * 1024;
/** Of a packed block of b: this many columns of a tile's width, or fewer if they are deeper. */
const PANELS = 32;
/** b is packed for at least so many tiles below each other, a for so many beside each other. */
const LEAST_TILES_DOWN = 8;
const LEAST_TILES_ACROSS = 4;

/** What one thread packs into. */
export const PRODUCT_SCRATCH_BYTES = MOST_JOBS * JOB_BYTES + A_BYTES + PANELS * PANEL_BYTES;

/** Runs the jobs at an address of the memory. */
export type Run = (jobs: number) => void;

/** Rows of a, packed or in their place: bytes from row to row, along k, and from tile to tile. */
interface RowsOfA {
  count: number;
  at: number;
  row: number;
  step: number;
  tile: number;
}
const noRows = (): RowsOfA => ({ count: 0, at: 0, row: 0, step: 0, tile: 0 });

/**
 * @param scratch address of PRODUCT_SCRATCH_BYTES bytes of this thread's own in the buffer
 * @param pays whether the zeros of a are skipped, where there is code for that
 */
export function product(
  program: Program,
  run: Run,
  dtype: DType,
  buffer: ArrayBufferLike,
  scratch: number,
  share: Share,
  pays = skippingPays,
): ProductKernels {
  const { tileRows, lanes, isPaired } = program;
  const bytes = bytesPerElement(dtype);
  const slices = new Slices(share, bytes);
  const jobs = new JobList(buffer, scratch, program.end, run);
  const { fields } = jobs;
  const packedA = scratch + MOST_JOBS * JOB_BYTES;
  const packedB = packedA + A_BYTES;
  const tileColumns = program.tileVectors * lanes;
  const tileBytes = tileRows * bytes;
  const panelBytes = tileColumns * bytes;
  const panelDepth = program.depth ?? PANEL_BYTES / panelBytes;
  const mostColumns = tileColumns * Math.floor((PANELS * PANEL_BYTES) / (panelDepth * panelBytes));
  const places = { lists: packedA, listsBytes: A_BYTES, panel: packedB };
  const sparse = program.sparse && sparseProduct(program, program.sparse, jobs, bytes, buffer, places);
  /** Of a packed row or column over so many k. */
  const elements = (depth: number) => (isPaired ? Math.ceil(depth / 2) : depth);

  // Of the product at hand, in bytes, as `Steps` (sparse.ts) describes them.
  let [aRow, aStep, bStep, bColumn, cRow] = [0, 0, 0, 0, 0];
  /** Whether b is stored as [columns, k]. */
  let isTransposed = false;
  /** If zeros of a are skipped. */
  let skipping: typeof sparse;
  let packsB = false;
  let keepsPanels = false;
  /** Whether a last panel is copied and may be as wide as the one before. */
  let copiesEdge = false;
  /** Of the block of k at hand, and whether its product is added to c. */
  let [depth, adds] = [0, 0];
  // Of the block of rows at hand: those that fill tiles may be packed.
  const packedRows = { ...noRows(), at: packedA, row: bytes, step: tileBytes };
  const plainRows = noRows();

  /** This thread's rows or columns of c. */
  const multiply: ProductKernels['gemm'] = (form, m, n, k, a, b, beta, c) => {
    isTransposed = form === 'NT';
    aRow = form === 'TN' ? bytes : k * bytes;
    aStep = form === 'TN' ? m * bytes : bytes;
    bStep = isTransposed ? bytes : n * bytes;
    bColumn = isTransposed ? k * bytes : bytes;
    cRow = n * bytes;
    skipping = k > 0 && sparse && pays(m, n, k, a.data) ? sparse : undefined;
    const byRows = skipping
      ? skipping.splitsByRows(n, share.size)
      : splitsByRows(m, n, share.size, tileRows, slices.line);
    if (share.size === 1 || byRows) {
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
    if (skipping?.multiply({ aRow, aStep, bStep, bColumn, cRow }, a, b, c, rows, columns, k, beta)) return;
    packsB = isPaired || isTransposed || rows >= LEAST_TILES_DOWN * tileRows;
    const packsA = isPaired || (rows >= tileRows && columns >= LEAST_TILES_ACROSS * tileColumns);
    // Of a in form TN in its place, each k needs lines of its own, which a copy would displace.
    copiesEdge = packsA || aStep === bytes;
    // Without packing, blocks don't help: one pass over k keeps c in registers.
    const isWhole = !packsA && !packsB && !program.depth;
    const mostDepth = isWhole ? Math.max(k, 1) : panelDepth * (isPaired ? 2 : 1);
    const mostRows = packsA ? tileRows * Math.floor(A_BYTES / (elements(mostDepth) * tileBytes)) : rows;
    // Panels of b are kept if there are blocks of a below each other; else each takes the place of the last.
    keepsPanels = mostRows < rows;
    const width = keepsPanels ? mostColumns : columns;
    for (let column = 0; column < columns; column += width) {
      // Once for k = 0, too, to set c to zero.
      for (let p = 0; p === 0 || p < k; p += mostDepth) {
        depth = Math.min(mostDepth, k - p);
        adds = beta === 1 || p > 0 ? 1 : 0;
        for (let row = 0; row < rows; row += mostRows) {
          setRows(a + row * aRow + p * aStep, Math.min(mostRows, rows - row), packsA);
          const right = b + column * bColumn + p * bStep;
          const to = c + row * cRow + column * bytes;
          multiplyPanels(right, to, Math.min(width, columns - column), row === 0);
        }
      }
    }
    jobs.flush();
  }

  /** The block of so many rows from an address on. Those that fill tiles are packed; of pairs, all. */
  function setRows(from: number, count: number, packs: boolean): void {
    const { copiedTiles, copyRowsOfTiles, copyTileRows } = program;
    const several = copiedTiles * tileRows;
    const packed = !packs ? 0 : isPaired ? count : count - (count % tileRows);
    for (let i = 0, size = 0; i < packed; i += size) {
      const copiesSeveral = copyRowsOfTiles !== undefined && aStep !== bytes && packed - i >= several;
      size = copiesSeveral ? several : Math.min(tileRows, packed - i);
      const to = packedA + i * bytes * elements(depth);
      pack(copiesSeveral ? copyRowsOfTiles : copyTileRows, from + i * aRow, aRow, aStep, to, size, tileRows);
    }
    packedRows.count = packed;
    packedRows.tile = elements(depth) * tileBytes;
    plainRows.count = count - packed;
    plainRows.at = from + packed * aRow;
    plainRows.row = aRow;
    plainRows.step = aStep;
    plainRows.tile = tileRows * aRow;
  }

  /**
   * A job that packs a tile of a, or more, or a panel of b: for each k, the elements of a tile.
   * @param row bytes from element to element of a tile; `step` along k
   */
  function pack(
    copy: number,
    from: number,
    row: number,
    step: number,
    to: number,
    size: number,
    tile: number,
  ): void {
    if (depth === 0) return;
    if (step === bytes) {
      jobs.addTranspose(program.transpose, from, row, size, to, tile * bytes, depth);
      return;
    }
    const at = jobs.add(copy);
    fields[at + PACK.from] = from;
    fields[at + PACK.fromStep] = step;
    fields[at + PACK.to] = to;
    fields[at + PACK.rows] = depth;
    fields[at + PACK.toStep] = tile * bytes * depth;
    for (let j = 0; isPaired && j < program.tileVectors; j++) {
      const part = Math.min(lanes, size - j * lanes);
      fields[at + PACK.masks + j] = part > 0 ? program.masks[part % lanes] : 0;
    }
  }

  /**
   * Multiplies the block of rows by panels of b. Each is packed right before its first use, which then
   * finds it in the cache.
   * @param isFirst whether no block of rows before has packed these panels
   */
  function multiplyPanels(b: number, c: number, columns: number, isFirst: boolean): void {
    const k = elements(depth);
    for (let j = 0, width = 0; j < columns; j += width) {
      const rest = columns - j;
      width = panelWidth(rest);
      const from = b + j * bColumn;
      // A copy is as wide as a tile. So that of a narrower last panel begins within the one before.
      const shift = isTransposed || isPaired ? 0 : Math.max(0, tileColumns - rest);
      const isPacked = packsB && (shift === 0 || (copiesEdge && shift <= j));
      const own = packedB + (keepsPanels ? Math.ceil(j / tileColumns) * k * panelBytes : 0);
      if (isPacked && isFirst) {
        pack(program.copyTileColumns, from - shift * bytes, bColumn, bStep, own, width, tileColumns);
      }
      const panel = isPacked ? own + shift * bytes : from;
      const step = isPacked ? panelBytes : bStep;
      const to = c + j * bytes;
      multiplyPanel(packedRows, panel, step, to, width);
      multiplyPanel(plainRows, panel, step, to + packedRows.count * cRow, width);
    }
  }

  /** Of the next panel: two vectors where three would leave only one, for which a tile loads more than it multiplies. */
  function panelWidth(columns: number): number {
    const leavesOne = copiesEdge && columns > tileColumns && columns <= tileColumns + lanes;
    return leavesOne ? tileColumns - lanes : Math.min(tileColumns, columns);
  }

  /** Jobs for rows of a and a panel of b: one, or two where parts of a vector need one of their own. */
  function multiplyPanel(rows: RowsOfA, b: number, bStep: number, c: number, columns: number): void {
    if (rows.count === 0) return;
    for (let j = 0, width = 0; j < columns; j += width) {
      width = columns - j;
      if (!program.masksAny && width > lanes) width -= width % lanes;
      const rest = width % lanes;
      const at = jobs.add(program.multiply[Math.ceil(width / lanes) - 1][rest]);
      fields[at + MULTIPLY.a] = rows.at;
      fields[at + MULTIPLY.aRow] = rows.row;
      fields[at + MULTIPLY.aStep] = rows.step;
      fields[at + MULTIPLY.aTile] = rows.tile;
      fields[at + MULTIPLY.b] = b + j * bytes;
      fields[at + MULTIPLY.bStep] = bStep;
      fields[at + MULTIPLY.c] = c + j * bytes;
      fields[at + MULTIPLY.cRow] = cRow;
      fields[at + MULTIPLY.rows] = rows.count;
      fields[at + MULTIPLY.k] = elements(depth);
      fields[at + MULTIPLY.adds] = adds;
      fields[at + MULTIPLY.mask] = program.masks[rest];
    }
  }
}
