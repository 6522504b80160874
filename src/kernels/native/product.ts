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
import type { DType, ProductForm, ProductKernels } from '../kernels.js';
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
  const bytes = bytesPerElement(dtype);
  const slices = new Slices(share, bytes);
  const blocks = new Blocks(program, run, bytes, buffer, scratch);
  return {
    gemm(form, m, n, k, a, b, beta, c) {
      // A column as a row: cᵀ = op(b)ᵀ·op(a)ᵀ has the same elements in the same order of k.
      if (n === 1 && m > 1)
        multiply(form === 'TN' ? 'NN' : 'NT', 1, m, k, b.address, a.address, beta, c.address);
      else multiply(form, m, n, k, a.address, b.address, beta, c.address);
      share.sync();
    },
  };

  function multiply(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    beta: 0 | 1,
    c: number,
  ): void {
    const isTransposed = form === 'NT';
    const aRow = form === 'TN' ? bytes : k * bytes;
    const aStep = form === 'TN' ? m * bytes : bytes;
    const bStep = (isTransposed ? k : n) * bytes;
    blocks.begin(isTransposed, bStep, n * bytes);
    if (share.size === 1 || splitsByRows(m, n, share.size, program.tileRows, slices.line)) {
      const { start, length, offset } = slices.of(m, program.tileRows, n * bytes);
      blocks.multiply(a + start * aRow, aRow, aStep, b, c + offset, length, n, k, beta);
    } else {
      const { start, length, offset } = slices.elements(n);
      const from = b + start * (isTransposed ? bStep : bytes);
      blocks.multiply(a, aRow, aStep, from, c + offset, m, length, k, beta);
    }
  }
}

/** Products of one thread, block by block. Plain numbers all the way: small products are many. */
class Blocks {
  readonly #program: Program;
  readonly #run: Run;
  readonly #bytes: number;
  readonly #jobs: number;
  readonly #fields: Uint32Array;
  readonly #packedA: number;
  readonly #packedB: number;
  readonly #tileColumns: number;
  readonly #depth: number;
  /** Of k, that a packed element holds. */
  readonly #width: 1 | 2;
  /** Of b, that are packed at once. */
  readonly #mostPanels: number;
  /** Jobs in the list. */
  #count = 0;
  // Of the product at hand.
  #isTransposed = false;
  #packsB = false;
  #bStep = 0;
  #cRow = 0;

  constructor(program: Program, run: Run, bytes: number, buffer: ArrayBufferLike, scratch: number) {
    this.#program = program;
    this.#run = run;
    this.#bytes = bytes;
    this.#jobs = scratch;
    this.#fields = new Uint32Array(buffer, scratch, MOST_JOBS * JOB_INTEGERS);
    this.#packedA = scratch + MOST_JOBS * JOB_BYTES;
    this.#packedB = this.#packedA + A_BYTES;
    this.#tileColumns = program.tileVectors * program.lanes;
    this.#width = program.isPaired ? 2 : 1;
    const panelDepth = program.depth ?? PANEL_BYTES / (this.#tileColumns * bytes);
    this.#depth = panelDepth * this.#width;
    this.#mostPanels = Math.floor((PANELS * PANEL_BYTES) / (panelDepth * this.#tileColumns * bytes));
  }

  /**
   * What the slices of a product share.
   * @param isTransposed whether b is stored as [columns, k]
   * @param bStep bytes from row to row of b as it is stored
   * @param cRow bytes from row to row of c
   */
  begin(isTransposed: boolean, bStep: number, cRow: number): void {
    this.#isTransposed = isTransposed;
    this.#bStep = bStep;
    this.#cRow = cRow;
  }

  /** c[rows, columns] ← op(a)·op(b) + beta·c; op(a)[i, p] is i·aRow + p·aStep bytes behind a. */
  multiply(
    a: number,
    aRow: number,
    aStep: number,
    b: number,
    c: number,
    rows: number,
    columns: number,
    k: number,
    beta: 0 | 1,
  ): void {
    if (rows === 0 || columns === 0) return;
    const bytes = this.#bytes;
    const { tileRows, isPaired } = this.#program;
    this.#packsB = isPaired || this.#isTransposed || rows >= LEAST_TILES_DOWN * tileRows;
    const packsA = isPaired || (rows >= tileRows && columns >= LEAST_TILES_ACROSS * this.#tileColumns);
    // Without packing, blocks don't help: one pass over k keeps c in registers.
    const mostDepth = packsA || this.#packsB || this.#program.depth ? this.#depth : Math.max(k, 1);
    const tile = tileRows * bytes;
    const mostRows = packsA ? tileRows * Math.floor(A_BYTES / (this.#elements(mostDepth) * tile)) : rows;
    const mostColumns = this.#mostPanels * this.#tileColumns;
    for (let column = 0; column < columns; column += mostColumns) {
      const width = Math.min(mostColumns, columns - column);
      const right = b + column * (this.#isTransposed ? this.#bStep : bytes);
      // Once for k = 0, too, to set c to zero.
      for (let p = 0; p === 0 || p < k; p += mostDepth) {
        const depth = Math.min(mostDepth, k - p);
        const adds = beta === 1 || p > 0 ? 1 : 0;
        const from = right + p * (this.#isTransposed ? bytes : this.#bStep);
        if (this.#packsB) this.#packB(from, width, depth);
        for (let row = 0; row < rows; row += mostRows) {
          const height = Math.min(mostRows, rows - row);
          const left = a + row * aRow + p * aStep;
          const to = c + row * this.#cRow + column * bytes;
          const packed = isPaired ? height : packsA ? height - (height % tileRows) : 0;
          if (packed > 0) {
            this.#packA(left, aRow, aStep, packed, depth);
            const k = this.#elements(depth);
            this.#panels(this.#packedA, bytes, tile, k * tile, from, to, packed, width, k, adds);
          }
          if (packed < height) {
            const last = left + packed * aRow;
            const lastTo = to + packed * this.#cRow;
            this.#panels(
              last,
              aRow,
              aStep,
              tileRows * aRow,
              from,
              lastTo,
              height - packed,
              width,
              depth,
              adds,
            );
          }
        }
      }
    }
    this.#flush();
  }

  /** Panels of b side by side: a tile's width, `depth` rows, packed behind each other. */
  #packB(from: number, columns: number, depth: number): void {
    const { copyTileColumns, transpose, isPaired } = this.#program;
    const tile = this.#tileColumns;
    const bytes = this.#bytes;
    const step = this.#bStep;
    for (let j = 0; j < columns && depth > 0; j += tile) {
      const width = Math.min(tile, columns - j);
      const to = this.#packedB + j * bytes * this.#elements(depth);
      if (this.#isTransposed) this.#pack(transpose, from + j * step, step, to, width, tile * bytes, depth);
      else if (isPaired || width === tile)
        this.#copy(copyTileColumns, from + j * bytes, step, to, depth, width);
    }
  }

  /** Tiles of a below each other: for each k, the elements of a tile's rows. */
  #packA(from: number, aRow: number, aStep: number, rows: number, depth: number): void {
    const { tileRows, copyTileRows, transpose } = this.#program;
    const toStep = tileRows * this.#bytes;
    for (let i = 0; i < rows && depth > 0; i += tileRows) {
      const height = Math.min(tileRows, rows - i);
      const to = this.#packedA + i * this.#bytes * this.#elements(depth);
      const first = from + i * aRow;
      if (aStep === this.#bytes) this.#pack(transpose, first, aRow, to, height, toStep, depth);
      else this.#copy(copyTileRows, first, aStep, to, depth, height);
    }
  }

  /** Multiplies rows of a by one panel of b after the other; `from` is b where it is not packed. */
  #panels(
    a: number,
    aRow: number,
    aStep: number,
    aTile: number,
    from: number,
    c: number,
    rows: number,
    columns: number,
    depth: number,
    adds: 0 | 1,
  ): void {
    const { lanes, multiply, masks, masksAny, isPaired } = this.#program;
    const bytes = this.#bytes;
    const tile = this.#tileColumns;
    for (let j = 0, width = 0; j < columns; j += width) {
      const panel = j - (j % tile);
      width = Math.min(panel + tile, columns) - j;
      if (!masksAny && width > lanes) width -= width % lanes;
      const rest = width % lanes;
      // A part of a panel is not copied: it is read in its place.
      const isPacked = isPaired || this.#isTransposed || (this.#packsB && panel + tile <= columns);
      const at = this.#job(multiply[Math.ceil(width / lanes) - 1][rest]);
      const fields = this.#fields;
      fields[at + MULTIPLY.a] = a;
      fields[at + MULTIPLY.aRow] = aRow;
      fields[at + MULTIPLY.aStep] = aStep;
      fields[at + MULTIPLY.aTile] = aTile;
      fields[at + MULTIPLY.b] = isPacked
        ? this.#packedB + (panel * depth + j - panel) * bytes
        : from + j * bytes;
      fields[at + MULTIPLY.bStep] = isPacked ? tile * bytes : this.#bStep;
      fields[at + MULTIPLY.c] = c + j * bytes;
      fields[at + MULTIPLY.cRow] = this.#cRow;
      fields[at + MULTIPLY.rows] = rows;
      fields[at + MULTIPLY.k] = depth;
      fields[at + MULTIPLY.adds] = adds;
      fields[at + MULTIPLY.mask] = masks[rest];
    }
  }

  /** Copies `rows` rows of `width` elements. */
  #copy(routine: number, from: number, fromStep: number, to: number, rows: number, width: number) {
    this.#pack(routine, from, fromStep, to, rows);
    if (!this.#program.isPaired) return;
    const { lanes, masks } = this.#program;
    const at = (this.#count - 1) * JOB_INTEGERS + PACK.masks;
    for (let j = 0; j * lanes < this.#tileColumns; j++) {
      const part = Math.min(lanes, Math.max(0, width - j * lanes));
      this.#fields[at + j] = part === 0 ? 0 : masks[part % lanes];
    }
  }

  /** Of a packed row or column over so many k. */
  #elements(depth: number): number {
    return Math.ceil(depth / this.#width);
  }

  /** Copies `rows` rows, or transposes [rows, columns]. */
  #pack(routine: number, from: number, fromStep: number, to: number, rows: number, toStep = 0, columns = 0) {
    const at = this.#job(routine);
    const fields = this.#fields;
    fields[at + PACK.from] = from;
    fields[at + PACK.fromStep] = fromStep;
    fields[at + PACK.to] = to;
    fields[at + PACK.rows] = rows;
    fields[at + PACK.toStep] = toStep;
    fields[at + PACK.columns] = columns;
  }

  /** The place of a further job's integers. */
  #job(routine: number): number {
    if (this.#count === MOST_JOBS - 1) this.#flush();
    const at = this.#count++ * JOB_INTEGERS;
    this.#fields[at] = routine;
    return at;
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#fields[this.#count * JOB_INTEGERS] = this.#program.end;
    this.#run(this.#jobs);
    this.#count = 0;
  }
}
