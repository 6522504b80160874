import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/kernels/arena.js';
import { blasKernels, LEAST_BLAS_PRODUCT } from '../../../src/kernels/blas/index.js';
import type { DType } from '../../../src/kernels/kernels.js';
import type { Share } from '../../../src/kernels/share.js';
import { scratchBytes } from '../../../src/kernels/wasm/loader.js';

import { libraries } from './machines.js';

/** Kernels on an arena of their own, over the first library found; counts its calls and the meetings of the team. */
function prepare(dtype: DType) {
  const [library] = libraries;
  const arena = Arena.ofSize(dtype, 2 ** 21 + scratchBytes(1));
  const scratch = arena.block(scratchBytes(1));
  const count = { calls: 0, meetings: 0 };
  const counted = (gemm: typeof library.sgemm): typeof library.sgemm => {
    return (...values) => {
      count.calls++;
      gemm(...values);
    };
  };
  const share: Share = { rank: 0, size: 1, sync: () => count.meetings++ };
  const kernels = blasKernels(
    { dtype, memory: arena.memory, scratch, relaxed: false, share },
    { ...library, sgemm: counted(library.sgemm), dgemm: counted(library.dgemm) },
  );
  return { arena, kernels, count };
}

describe.skipIf(libraries.length === 0).each(['float32', 'float64'] as const)('blasKernels, %s', (dtype) => {
  it('gives large products to the library and small ones to WASM, by the whole size alone', () => {
    const { arena, kernels, count } = prepare(dtype);
    const n = Math.cbrt(LEAST_BLAS_PRODUCT);
    const [a, b, c] = [0, 1, 2].map(() => arena.tensor(n, n));
    a.data.fill(1);
    b.data.fill(2);
    kernels.gemm('NN', n, n, n - 1, a, b, 0, c);
    expect(count.calls).toBe(0);
    expect([...c.data]).toEqual(new Array(n * n).fill(2 * (n - 1)));
    kernels.gemm('NN', n, n, n, a, b, 1, c);
    expect(count.calls).toBe(1);
    expect([...c.data]).toEqual(new Array(n * n).fill(2 * (2 * n - 1)));
  });

  it('meets the team once after every product', () => {
    const { arena, kernels, count } = prepare(dtype);
    const [a, b, c] = [0, 1, 2].map(() => arena.tensor(20, 20));
    for (const k of [2, 20]) kernels.gemm('NT', 20, 20, k, a, b, 0, c);
    expect(count).toEqual({ calls: 1, meetings: 2 });
  });

  it('has the other operations of WASM, under its own name', () => {
    const { arena, kernels } = prepare(dtype);
    const [x, y] = [arena.tensor(1, 3), arena.tensor(1, 3)];
    x.data.set([1, 2, 3]);
    kernels.addScaled(3, 2, x, y);
    expect([...y.data]).toEqual([2, 4, 6]);
    expect(kernels.backend).toBe('blas');
  });
});
