/**
 * One worker's part of a matrix product, computed by a BLAS right in the arena: the library is given addresses of the
 * process, the same bytes that WASM and the typed arrays see.
 *
 * Symbols: m, n, k sizes of the product as in BLAS, lda, ldb, ldc elements from one row to the next.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, ProductForm, Tensor } from '../kernels.js';
import { sliceStart } from '../share.js';
import { type BlasLibrary, type Gemm, NO_TRANSPOSE, ROW_MAJOR, TRANSPOSE } from './library.js';

// Parts start at multiples of what the libraries' inner loops take at a time (of a row-major product: columns by up to
// 16, rows by up to 4), so that cutting makes no ragged edges.
const COLUMN_TILE = 16;
const ROW_TILE = 4;

export class BlasProduct {
  readonly #gemm: Gemm;
  /** Address of the memory in the process; a shared memory stays where it is. */
  readonly #base: number;
  readonly #elementBytes: number;

  /** @param rank of this worker in a team of `size` workers, which together compute the product */
  constructor(
    library: BlasLibrary,
    memory: WebAssembly.Memory,
    dtype: DType,
    readonly rank: number,
    readonly size: number,
  ) {
    this.#gemm = dtype === 'float32' ? library.sgemm : library.dgemm;
    this.#base = library.addressOf(new Uint8Array(memory.buffer));
    this.#elementBytes = bytesPerElement(dtype);
  }

  /** This worker's part of c[m, n] ← op(a)·op(b) + beta·c, as `Kernels.gemm` has it. */
  compute(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: Tensor,
    b: Tensor,
    beta: 0 | 1,
    c: Tensor,
  ): void {
    const transA = form === 'TN';
    const transB = form === 'NT';
    let rows = m;
    let columns = n;
    // Where the part's operands start, in elements.
    let aStart = 0;
    let bStart = 0;
    let cStart = 0;
    if (this.#cutsRows(m, n)) {
      const start = sliceStart(m, this.rank, this.size, ROW_TILE);
      rows = sliceStart(m, this.rank + 1, this.size, ROW_TILE) - start;
      aStart = transA ? start : start * k;
      cStart = start * n;
    } else {
      const start = sliceStart(n, this.rank, this.size, COLUMN_TILE);
      columns = sliceStart(n, this.rank + 1, this.size, COLUMN_TILE) - start;
      bStart = transB ? start * k : start;
      cStart = start;
    }
    if (rows === 0 || columns === 0) return;
    const base = this.#base;
    const bytes = this.#elementBytes;
    this.#gemm(
      ROW_MAJOR,
      transA ? TRANSPOSE : NO_TRANSPOSE,
      transB ? TRANSPOSE : NO_TRANSPOSE,
      rows,
      columns,
      k,
      1,
      base + a.address + aStart * bytes,
      transA ? m : k,
      base + b.address + bStart * bytes,
      transB ? k : n,
      beta,
      base + c.address + cStart * bytes,
      n,
    );
  }

  /**
   * Whether rows are cut, or columns: what gives the smaller largest part, and else the longer side, since every worker
   * packs the whole of the operand that is not cut.
   */
  #cutsRows(m: number, n: number): boolean {
    const byRows = largest(m, this.size, ROW_TILE) * n;
    const byColumns = largest(n, this.size, COLUMN_TILE) * m;
    return byRows === byColumns ? m > n : byRows < byColumns;
  }
}

/** The largest slice of a length. */
function largest(length: number, size: number, tile: number): number {
  return Math.min(length, Math.ceil(Math.ceil(length / tile) / size) * tile);
}
