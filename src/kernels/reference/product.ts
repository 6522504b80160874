/** The matrix product as loops over rows; it rounds as it goes. */
import type { FloatArray, ProductKernels } from '../kernels.js';

export const product: ProductKernels = {
  gemm(form, m, n, k, a, b, beta, c) {
    if (beta === 0) c.data.fill(0, 0, m * n);
    if (form === 'NT') addDotProducts(m, n, k, a.data, b.data, c.data);
    else if (form === 'NN') addScaledRows(m, n, k, a.data, k, 1, b.data, c.data);
    else addScaledRows(m, n, k, a.data, 1, m, b.data, c.data);
  },
};

/** c[m, n] += op(a)·b, four rows of b for one pass over c; op(a)[i, p] = a[i·aRow + p·aColumn]. */
function addScaledRows(
  m: number,
  n: number,
  k: number,
  a: FloatArray,
  aRow: number,
  aColumn: number,
  b: FloatArray,
  c: FloatArray,
): void {
  for (let i = 0; i < m; i++) {
    const cRow = i * n;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const at = i * aRow + p * aColumn;
      const a0 = a[at];
      const a1 = a[at + aColumn];
      const a2 = a[at + 2 * aColumn];
      const a3 = a[at + 3 * aColumn];
      const b0 = p * n;
      const b1 = b0 + n;
      const b2 = b1 + n;
      const b3 = b2 + n;
      for (let j = 0; j < n; j++) {
        c[cRow + j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
      }
    }
    for (; p < k; p++) {
      const ap = a[i * aRow + p * aColumn];
      for (let j = 0; j < n; j++) c[cRow + j] += ap * b[p * n + j];
    }
  }
}

/** c[m, n] += a·bᵀ with b stored [n, k], four dot products for one pass over the row of a. */
function addDotProducts(m: number, n: number, k: number, a: FloatArray, b: FloatArray, c: FloatArray): void {
  for (let i = 0; i < m; i++) {
    const aRow = i * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const b0 = j * k;
      const b1 = b0 + k;
      const b2 = b1 + k;
      const b3 = b2 + k;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let p = 0; p < k; p++) {
        const ap = a[aRow + p];
        s0 += ap * b[b0 + p];
        s1 += ap * b[b1 + p];
        s2 += ap * b[b2 + p];
        s3 += ap * b[b3 + p];
      }
      c[i * n + j] += s0;
      c[i * n + j + 1] += s1;
      c[i * n + j + 2] += s2;
      c[i * n + j + 3] += s3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[aRow + p] * b[j * k + p];
      c[i * n + j] += sum;
    }
  }
}
