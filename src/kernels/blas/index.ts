/**
 * The kernels of the `blas` backend: a BLAS computes large products in place, WASM the rest. The
 * bits of a product may depend on the number of threads, since libraries choose loops by the size
 * of their part; `--deterministic` takes WASM.
 *
 * m, n, k: sizes of the product; lda, ldb, ldc: elements from one row to the next.
 */
import { bytesPerElement } from '../arena.js';
import type { DType, Kernels, ProductKernels } from '../kernels.js';
import { alone, type Share, Slices, splitsByRows } from '../share.js';
import { type WasmOptions, wasmKernels, withLargeProducts } from '../wasm/index.js';
import { type BlasLibrary, NO_TRANSPOSE, ROW_MAJOR, TRANSPOSE } from './library.js';

/**
 * The least m·n·k that goes to the library; below, a call through FFI costs more than it saves.
 * Measured with OpenBLAS on AVX-512: even at 2000 (NN, TN) to 4000 (NT). Compared with the whole
 * product, so that the number of threads does not matter.
 */
export const LEAST_BLAS_PRODUCT = 4096;

/** @param leastProduct the least m·n·k that goes to the library, opened in this thread */
export function blasKernels(
  options: WasmOptions,
  library: BlasLibrary,
  leastProduct = LEAST_BLAS_PRODUCT,
): Kernels {
  const { memory, dtype, share = alone } = options;
  const wasm = wasmKernels(options);
  const blas = blasProduct(library, memory, dtype, share);
  return withLargeProducts(wasm, 'blas', blas, leastProduct);
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
      const byRows = splitsByRows(m, n, share.size, ROW_TILE, COLUMN_TILE);
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
