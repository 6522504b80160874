import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/kernels/arena.js';
import type { FoundBlas } from '../../../src/kernels/blas/find.js';
import { blasProduct } from '../../../src/kernels/blas/index.js';
import type { DType, FloatArray, ProductForm } from '../../../src/kernels/kernels.js';
import { alone } from '../../../src/kernels/share.js';
import { libraries } from './machines.js';

const SIZES = [1, 3, 5, 7, 8, 9, 17, 31, 63, 65, 130];
const FORMS: ProductForm[] = ['NN', 'TN', 'NT'];
const UNIT_ROUNDOFF = { float32: 2 ** -24, float64: 2 ** -53 };

/** Every size in each dimension, with neighbours that change at another pace. */
const shapes = SIZES.flatMap((m, i) =>
  SIZES.map((n, j) => ({ m, n, k: SIZES[(3 * i + 5 * j) % SIZES.length] })),
);

/** Numbers in [−1, 1) that look random and are the same in each run. */
function fill(data: FloatArray, seed: number): void {
  let state = seed;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state / 2 ** 31;
  }
}

/**
 * The worst |c − expected| of the product, as a share of the bound γ(k + 1)·Σ|a||b| + |c₀| of any order of summation
 * (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); expected is summed in float64.
 */
function worstShare(
  form: ProductForm,
  { m, n, k }: { m: number; n: number; k: number },
  dtype: DType,
  a: FloatArray,
  b: FloatArray,
  before: FloatArray | null,
  c: FloatArray,
): number {
  // One rounding more for c, and in float64 the expected sum has as large an error of its own.
  const unit = (dtype === 'float64' ? 2 : 1) * (k + 1) * UNIT_ROUNDOFF[dtype];
  let worst = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = before === null ? 0 : before[i * n + j];
      let size = Math.abs(sum);
      for (let l = 0; l < k; l++) {
        const term =
          (form === 'TN' ? a[l * m + i] : a[i * k + l]) * (form === 'NT' ? b[j * k + l] : b[l * n + j]);
        sum += term;
        size += Math.abs(term);
      }
      const share = Math.abs(c[i * n + j] - sum) / (unit * size);
      if (!(share <= worst)) worst = share;
    }
  }
  return worst;
}

// Without a library the same tests stand in the report as skipped.
const found: (FoundBlas | null)[] = libraries.length === 0 ? [null] : [...libraries];
const cases = found.flatMap((library) =>
  (['float32', 'float64'] as const).map((dtype) => ({ name: nameOf(library), library: library!, dtype })),
);

function nameOf(library: FoundBlas | null): string {
  if (library === null) return 'no BLAS library found';
  const { vendor, version, source, integerBits } = library;
  return `${vendor} ${version ?? ''} (${source}, ${integerBits ?? '?'}-bit integers)`;
}

describe.skipIf(libraries.length === 0)('a product by BLAS', () => {
  describe.each(cases)('$name, $dtype', ({ library, dtype }) => {
    it.each(FORMS)('is within the error bound for all odd sizes, form %s, by 1, 2 and 3 workers', (form) => {
      const arena = Arena.ofSize(dtype, 4 * 130 * 130 * 8 + 4096);
      const [a, b, c, before] = [0, 1, 2, 3].map(() => arena.tensor(130, 130));
      fill(a.data, 1);
      fill(b.data, 2);
      fill(before.data, 3);
      const faults: string[] = [];
      for (const shape of shapes) {
        for (const size of [1, 2, 3]) {
          for (const beta of [0, 1] as const) {
            // What beta = 0 must not read.
            if (beta === 0) c.data.fill(Number.NaN);
            else c.data.set(before.data);
            const { m, n, k } = shape;
            for (let rank = 0; rank < size; rank++) {
              const share = { rank, size, sync() {} };
              blasProduct(library, arena.memory, dtype, share).gemm(form, m, n, k, a, b, beta, c);
            }
            const share = worstShare(form, shape, dtype, a.data, b.data, beta ? before.data : null, c.data);
            const beyond = beta ? before.data[m * n] : Number.NaN;
            const untouched = m * n === c.data.length || Object.is(c.data[m * n], beyond);
            if (!(share <= 1) || !untouched) {
              faults.push(
                `${m}×${n}×${k}, ${size} workers, beta ${beta}: ${share} of the bound, ${untouched}`,
              );
            }
          }
        }
      }
      expect(faults).toEqual([]);
    });

    it('lets NaN and infinity through', () => {
      const arena = Arena.ofSize(dtype, 4096);
      const [a, b, c] = [arena.tensor(2, 2), arena.tensor(2, 2), arena.tensor(2, 2)];
      a.data.set([Number.NaN, 0, 0, Number.POSITIVE_INFINITY]);
      b.data.set([0, 1, 1, 2]);
      blasProduct(library, arena.memory, dtype, alone).gemm('NN', 2, 2, 2, a, b, 0, c);
      expect([...c.data]).toEqual([
        Number.NaN,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ]);
    });
  });
});
