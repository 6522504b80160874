/** The matrix product: by rows or columns of c for each thread, and apart for a vector. */
import type { ProductKernels } from '../kernels.js';
import type { WasmThread } from './loader.js';

/** The numbers of the forms in assembly/product.ts. */
const NN = 0;
const TN = 1;
const NT = 2;

const TILE_ROWS = 4;

export function product({ wasm, share, slices, bytes, scratch }: WasmThread): ProductKernels {
  return {
    gemm(form, m, n, k, a, b, beta, c) {
      const code = form === 'NN' ? NN : form === 'TN' ? TN : NT;
      if (m === 1 || n === 1) vectorProduct(code, m, n, k, a.address, b.address, beta, c.address);
      else matrixProduct(code, m, n, k, a.address, b.address, beta, c.address);
      share.sync();
    },
  };

  /** A product whose result is one row or one column: the vector is contiguous in every form. */
  function vectorProduct(
    form: number,
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void {
    const { start, length, offset } = slices.elements(m * n);
    if (length === 0) return;
    const y = c + offset;
    if (n === 1) {
      if (form === TN) wasm.combineRows(length, k, b, a + offset, m * bytes, beta, y);
      else wasm.dotRows(length, k, a + start * k * bytes, k * bytes, b, beta, y);
    } else if (form === NT) {
      wasm.dotRows(length, k, b + start * k * bytes, k * bytes, a, beta, y);
    } else {
      wasm.combineRows(length, k, a, b + offset, n * bytes, beta, y);
    }
  }

  function matrixProduct(
    form: number,
    m: number,
    n: number,
    k: number,
    a: number,
    b: number,
    beta: number,
    c: number,
  ): void {
    let rows = m;
    let columns = n;
    if (share.size > 1) {
      if (splitsByRows(m, n)) {
        const { start, length, offset } = slices.of(m, TILE_ROWS, n * bytes);
        rows = length;
        a += start * (form === TN ? bytes : k * bytes);
        c += offset;
      } else {
        const { start, length, offset } = slices.elements(n);
        columns = length;
        b += start * (form === NT ? k * bytes : bytes);
        c += offset;
      }
      if (rows === 0 || columns === 0) return;
    }
    const aStep = (form === TN ? m : k) * bytes;
    const bStep = (form === NT ? k : n) * bytes;
    wasm.product(form, rows, columns, k, a, aStep, b, bStep, beta, c, n * bytes, scratch);
  }

  /** Whether the largest slice is smaller by rows than by columns. */
  function splitsByRows(m: number, n: number): boolean {
    const rows = Math.ceil(m / TILE_ROWS / share.size) * TILE_ROWS;
    const columns = Math.ceil(n / slices.line / share.size) * slices.line;
    return rows * n < columns * m;
  }
}
