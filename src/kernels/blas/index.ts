/**
 * The kernels of the `blas` backend: a BLAS computes large matrix products right in the arena (it
 * gets addresses of the process, the same bytes that WASM and the typed arrays see); WASM does
 * everything else.
 *
 * The bits of a product may depend on the number of threads: libraries choose their inner loops by
 * the size of the part that they get (OpenBLAS has a path of its own up to m·n·k = 10⁶).
 * `--deterministic` takes WASM.
 *
 * Symbols: m, n, k sizes of the product as in BLAS; lda, ldb, ldc elements from one row to the
 * next.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, Kernels, ProductKernels } from '../kernels.js';
import { alone, type Share, Slices } from '../share.js';
import { type WasmOptions, wasmKernels } from '../wasm/index.js';
import { type BlasLibrary, NO_TRANSPOSE, ROW_MAJOR, TRANSPOSE } from './library.js';

/**
 * The least m·n·k of a product that goes to the library: below it, the call through FFI costs more
 * than the library's faster loops save. Measured with OpenBLAS on AVX-512, both dtypes: even at
 * 2000 (NN, TN) to 4000 (NT). It is compared with the whole product, so the number of threads does
 * not affect the choice.
 */
export const LEAST_BLAS_PRODUCT = 4096;

/**
 * @param library as opened by `openBlas` in this thread
 * @param leastProduct the least m·n·k that goes to it
 */
export function blasKernels(
  options: WasmOptions,
  library: BlasLibrary,
  leastProduct = LEAST_BLAS_PRODUCT,
): Kernels {
  const { memory, dtype, share = alone } = options;
  const wasm = wasmKernels(options);
  const blas = blasProduct(library, memory, dtype, share);
  return {
    ...wasm,
    backend: 'blas',
    gemm(form, m, n, k, a, b, beta, c) {
      if (m * n * k < leastProduct) wasm.gemm(form, m, n, k, a, b, beta, c);
      else blas.gemm(form, m, n, k, a, b, beta, c);
    },
  };
}

// Slices start at multiples of what the libraries' inner loops take at a time (of a row-major
// product: columns by up to 16, rows by up to 4), so that no slice ends in the middle of a tile.
const COLUMN_TILE = 16;
const ROW_TILE = 4;

/** A product by the library: a slice of c for each thread. */
export function blasProduct(
  library: BlasLibrary,
  memory: WebAssembly.Memory,
  dtype: DType,
  share: Share,
): ProductKernels {
  const blas = dtype === 'float32' ? library.sgemm : library.dgemm;
  /** Address of the memory in the process; a shared memory stays in its place. */
  const base = library.addressOf(new Uint8Array(memory.buffer));
  const bytes = bytesPerElement(dtype);
  const slices = new Slices(share, bytes);
  return {
    gemm(form, m, n, k, a, b, beta, c) {
      const transA = form === 'TN';
      const transB = form === 'NT';
      const byRows = splitsByRows(m, n, share.size);
      const { start, length, offset } = byRows
        ? slices.of(m, ROW_TILE, n * bytes)
        : slices.of(n, COLUMN_TILE, bytes);
      if (length > 0 && m > 0 && n > 0) {
        const aStart = byRows ? (transA ? start : start * k) : 0;
        const bStart = byRows ? 0 : transB ? start * k : start;
        blas(
          ROW_MAJOR,
          transA ? TRANSPOSE : NO_TRANSPOSE,
          transB ? TRANSPOSE : NO_TRANSPOSE,
          byRows ? length : m,
          byRows ? n : length,
          k,
          1,
          base + a.address + aStart * bytes,
          transA ? m : k,
          base + b.address + bStart * bytes,
          transB ? k : n,
          beta,
          base + c.address + offset,
          n,
        );
      }
      share.sync();
    },
  };
}

/**
 * Whether to split by rows, or by columns: the one whose largest slice is smaller, else the longer
 * side, since every thread packs the whole of the operand that is not split.
 */
function splitsByRows(m: number, n: number, threads: number): boolean {
  const byRows = largest(m, threads, ROW_TILE) * n;
  const byColumns = largest(n, threads, COLUMN_TILE) * m;
  return byRows === byColumns ? m > n : byRows < byColumns;
}

/** The largest slice of a length. */
function largest(length: number, threads: number, tile: number): number {
  return Math.min(length, Math.ceil(Math.ceil(length / tile) / threads) * tile);
}
