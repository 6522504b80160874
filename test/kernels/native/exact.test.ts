/** Machine code that sums as the wasm kernels do gives their bits, so predictions may be multiplied by either. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Arena, ArenaPlan } from '../../../src/kernels/arena.js';
import { createKernels, kernelScratch } from '../../../src/kernels/create.js';
import type { DType, ProductForm, Tensor } from '../../../src/kernels/kernels.js';
import { findNative, openNative } from '../../../src/kernels/native/find.js';
import { PRODUCT_SCRATCH_BYTES, product } from '../../../src/kernels/native/product.js';
import { alone } from '../../../src/kernels/share.js';
import { RandomState } from '../../../src/random/randomState.js';

afterEach(() => vi.unstubAllEnvs());

const { sets } = findNative({ arch: process.arch, env: {} });
const FORMS: ProductForm[] = ['NN', 'TN', 'NT'];
const SIZES = [2, 3, 7, 8, 9, 24, 31, 49, 65];
/** Around the blocks of k, and of rows and columns. */
const SHAPES = [
  ...SIZES.flatMap((m, i) => SIZES.map((n, j) => [m, n, SIZES[(2 * i + 3 * j) % SIZES.length]])),
  ...[255, 256, 257, 512, 700].map((k) => [19, 53, k]),
  [256, 256, 92],
  [2, 800, 300],
  [420, 5, 260],
  [130, 170, 513],
];
const MOST = 250_000;

/** Operands a, b and c in an arena, and room for the kernels. */
function operands(dtype: DType) {
  const take = (arena: Arena | ArenaPlan) => ({
    tensors: [0, 1, 2].map(() => arena.tensor(1, MOST)),
    wasm: arena.block(kernelScratch({ backend: 'wasm', relaxed: false, exact: { waits: 0 } }, 1)),
    own: arena.block(PRODUCT_SCRATCH_BYTES),
  });
  const plan = new ArenaPlan(dtype);
  take(plan);
  const arena = Arena.ofSize(dtype, plan.bytes);
  const random = new RandomState(2);
  const taken = take(arena);
  for (const { data } of taken.tensors.slice(0, 2)) for (let i = 0; i < MOST; i++) data[i] = random.randn();
  return { memory: arena.memory, ...taken };
}

const bitsOf = ({ data }: Tensor, length: number) =>
  Buffer.from(data.buffer, data.byteOffset, length * data.BYTES_PER_ELEMENT).toString('latin1');

describe.skipIf(sets.length === 0).each(['float32', 'float64'] as const)('exact products of %s', (dtype) => {
  const { memory, tensors, wasm: scratch, own } = operands(dtype);
  const [a, b, c] = tensors;
  const wasm = createKernels({ backend: 'wasm', relaxed: false }, dtype, memory, scratch, alone);
  const start = Float64Array.from({ length: MOST }, (_, i) => Math.sin(i));

  it.each(sets)('have the bits of the wasm kernels: %s', (set) => {
    const { program, run, addressOf } = openNative(set, dtype, 'wasm');
    const base = addressOf(new Uint8Array(memory.buffer));
    const native = product(program, (jobs) => run(base, base + jobs), dtype, memory.buffer, own, alone);
    const faults: string[] = [];
    for (const [m, n, k] of SHAPES) {
      for (const form of FORMS) {
        for (const beta of [0, 1] as const) {
          const [expected, found] = [wasm, native].map(({ gemm }) => {
            c.data.set(start.subarray(0, m * n));
            gemm(form, m, n, k, a, b, beta, c);
            return bitsOf(c, m * n);
          });
          if (found !== expected) faults.push(`${form} ${m}×${n}×${k}, beta ${beta}`);
        }
      }
    }
    expect(faults).toEqual([]);
  });

  it('are those of the kernels of predictions, from the first multiply-add on and later', () => {
    for (const [waits, env] of [
      [0, '1'],
      [2e6, '1'],
      // As on a machine without.
      [0, '0'],
    ] as const) {
      vi.stubEnv('MLP_NATIVE', env);
      const choice = { backend: 'wasm', relaxed: false, exact: { waits } } as const;
      const exact = createKernels(choice, dtype, memory, scratch, alone);
      for (const [m, n, k] of [
        [2, 3, 4],
        [64, 40, 300],
        [100, 1, 500],
        [1, 100, 500],
        [64, 100, 300],
        [64, 100, 300],
      ]) {
        const [expected, found] = [wasm, exact].map(({ gemm }) => {
          gemm('NN', m, n, k, a, b, 0, c);
          return bitsOf(c, m * n);
        });
        expect(found).toBe(expected);
      }
    }
  });
});
