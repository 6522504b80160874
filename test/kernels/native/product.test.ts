import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DType, FloatArray, ProductForm } from '../../../src/kernels/kernels.js';
import { findNative, type NativeSet, openNative } from '../../../src/kernels/native/find.js';
import { PRODUCT_SCRATCH_BYTES, product } from '../../../src/kernels/native/product.js';
import { skippingPays } from '../../../src/kernels/native/sparse.js';
import { bfloat16Product } from '../../../src/kernels/reference/bfloat16.js';
import { fusedProduct } from '../../../src/kernels/reference/fused.js';
import { alone } from '../../../src/kernels/share.js';

const SIZES = [1, 3, 5, 7, 8, 9, 17, 31, 63, 65, 130];
/** Every size in each dimension, with neighbours that change at another pace; no terms at all; long and narrow. */
const SHAPES = [
  ...SIZES.flatMap((m, i) => SIZES.map((n, j) => [m, n, SIZES[(3 * i + 5 * j) % SIZES.length]])),
  [5, 50, 0],
  [3, 1600, 9],
  [1100, 4, 5],
  [70, 800, 3],
];
/** Past the blocks in every direction; with AVX2 in float64, more jobs than a list has. */
const LARGE = [410, 268, 260];
const FORMS: ProductForm[] = ['NN', 'TN', 'NT'];
/** Elements of an operand. */
const MOST = 110_000;
const PAGE = 16 * 1024; // of macOS on arm64; elsewhere a multiple of the page

const { sets, reason, bfloat16 = false } = findNative({ arch: process.arch, env: {} });
const cases = (sets.length > 0 ? sets : [`none: ${reason}` as NativeSet]).flatMap((set) =>
  (['float32', 'float64'] as const).map((dtype) => ({ set, dtype })),
);

/**
 * Memory of three operands, each between pages that can not be touched, and of scratch. An operand lies at the
 * end or at the start of its pages.
 */
function guardedMemory() {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const system = koffi.load(null);
  const map = system.func('mmap', 'uintptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']);
  const protect = system.func('mprotect', 'int', ['uintptr_t', 'size_t', 'int']);
  const room = Math.ceil((MOST * 8) / PAGE) * PAGE;
  const length = 3 * (room + PAGE) + PAGE + Math.ceil(PRODUCT_SCRATCH_BYTES / PAGE) * PAGE;
  const base = map(0, length, 3, process.platform === 'darwin' ? 0x1002 : 0x22, -1, 0);
  for (let i = 0; i < 4; i++) protect(base + i * (room + PAGE), PAGE, 0);
  const buffer = koffi.view(BigInt(base), length);
  const scratch = 4 * PAGE + 3 * room;
  new Uint8Array(buffer, scratch).fill(255);
  return {
    base,
    buffer,
    scratch,
    tensor(i: number, values: FloatArray, atEnd: boolean) {
      const start = i * (room + PAGE) + PAGE;
      const address = atEnd ? start + room - values.byteLength : start;
      const Elements = values instanceof Float32Array ? Float32Array : Float64Array;
      const data = new Elements(buffer, address, values.length);
      data.set(values);
      return { data, address, rows: 1, columns: values.length };
    },
  };
}

/** Numbers in [−1, 1) that look random and are the same in each run. */
function numbers(length: number, dtype: DType, seed: number): FloatArray {
  const data = dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    data[i] = state / 2 ** 31 + i * 2 ** -53;
  }
  return data;
}

function tensorOf(data: FloatArray) {
  return { data, address: 0, rows: 1, columns: data.length };
}

const memory = sets.length > 0 && process.platform !== 'win32' ? guardedMemory() : null;

/** What products are of, and its twin and instruction sets. */
const KINDS = {
  float32: { dtype: 'float32', sums: 'fused', twin: fusedProduct('float32'), sets },
  float64: { dtype: 'float64', sums: 'fused', twin: fusedProduct('float64'), sets },
  bfloat16: {
    dtype: 'float32',
    sums: 'bfloat16',
    twin: bfloat16Product,
    sets: sets.filter((set) => bfloat16 && set === 'avx512'),
  },
  'float32, zeros skipped': {
    dtype: 'float32',
    sums: 'fused',
    twin: fusedProduct('float32'),
    sets: sets.filter((set) => set !== 'neon'),
  },
  'float64, zeros skipped': {
    dtype: 'float64',
    sums: 'fused',
    twin: fusedProduct('float64'),
    sets: sets.filter((set) => set === 'avx512'),
  },
} as const;

type Kind = keyof typeof KINDS;
const hasZeros = (kind: Kind) => kind.endsWith('skipped');

/** In place of about half of the numbers, in no order: 0, or here and there −0. */
function withZeros(numbers: FloatArray): FloatArray {
  return numbers.map((x, i) => ((Math.imul(i + 7, 0x9e3779b1) >>> 13) % 7 < 4 ? x : i % 5 === 0 ? -0 : 0));
}

/** The elements of c that are not those of the twin, in every set and for these numbers of threads; only in `rows`, if given. */
function compare(
  kind: Kind,
  form: ProductForm,
  [m, n, k]: readonly number[],
  beta: 0 | 1,
  rows = Array.from({ length: m }, (_, i) => i),
  threads = [1, 2, 3],
): string[] {
  const { base, buffer, scratch, tensor } = memory!;
  const { dtype, sums, twin, sets } = KINDS[kind];
  const skips = hasZeros(kind);
  const a = skips ? withZeros(numbers(m * k, dtype, m)) : numbers(m * k, dtype, m);
  const b = numbers(k * n, dtype, n + 1000);
  const before = numbers(m * n, dtype, k + 2000);
  // The rows that are compared, as one product: the twin rounds b for each.
  const [left, expected] = [k, n].map((columns) => tensorOf(numbers(rows.length * columns, dtype, 0)));
  rows.forEach((i, at) => {
    for (let p = 0; p < k; p++) left.data[at * k + p] = form === 'TN' ? a[p * m + i] : a[i * k + p];
    expected.data.set(before.subarray(i * n, (i + 1) * n), at * n);
  });
  twin.gemm(form === 'TN' ? 'NN' : form, rows.length, n, k, left, tensorOf(b), beta, expected);
  const faults: string[] = [];
  for (const set of sets) {
    const { program, run } = openNative(set, dtype, sums);
    for (const size of threads) {
      const [first, second, c] = [a, b, before].map((values, i) => tensor(i, values, size !== 2));
      // What beta = 0 must not read.
      if (beta === 0) c.data.fill(Number.NaN);
      for (let rank = 0; rank < size; rank++) {
        const share = { rank, size, sync() {} };
        const runJobs = (jobs: number) => run(base, base + jobs);
        const { gemm } = product(program, runJobs, dtype, buffer, scratch, share, () => skips);
        gemm(form, m, n, k, first, second, beta, c);
      }
      rows.forEach((i, at) => {
        const own = expected.data.subarray(at * n, (at + 1) * n);
        const j = own.findIndex((x, j) => !Object.is(x, c.data[i * n + j]));
        if (j < 0) return;
        const what = `${set}, ${size} threads, ${form} ${m}×${n}×${k}, beta ${beta}`;
        faults.push(`${what}: [${i}, ${j}] is ${c.data[i * n + j]}, not ${own[j]}`);
      });
    }
  }
  return faults;
}

describe.skipIf(memory === null)('a product by machine code', () => {
  describe.each(Object.keys(KINDS) as Kind[])('%s', (kind) => {
    const hasNone = KINDS[kind].sets.length === 0;
    it.skipIf(hasNone).each(FORMS)(
      'has the bits of the fused twin in every set, for all sizes and 1 to 3 threads, %s',
      (form) => {
        const faults = SHAPES.flatMap((shape, i) => compare(kind, form, shape, i % 2 ? 1 : 0));
        for (const beta of [0, 1] as const)
          faults.push(...compare(kind, form, LARGE, beta, [0, 191, 193, 399]));
        expect(faults).toEqual([]);
      },
    );

    it.skipIf(hasNone)('has them for shapes drawn at random', () => {
      const side = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 200 }));
      // Past the blocks in one direction, or in two.
      const long = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 200, max: 2000 }));
      const shape = fc.tuple(side, side, side, long, fc.nat(2)).map(([m, n, k, most, at]) => {
        const sides = [m, n, k].map((x, i) => (most === 0 || i === at ? x : Math.min(x, 40)));
        if (most > 0) sides[at] = most;
        return sides;
      });
      fc.assert(
        fc.property(
          fc.constantFrom(...FORMS),
          shape,
          fc.constantFrom(0, 1),
          fc.integer({ min: 1, max: 4 }),
          (form, [m, n, k], beta, threads) => {
            const rows = Array.from({ length: m }, (_, i) => i);
            expect(compare(kind, form, [m, n, k], beta as 0 | 1, rows, [threads])).toEqual([]);
          },
        ),
        { numRuns: 30 },
      );
    });
  });

  it.each(cases)(
    'lets NaN and infinity through, and keeps subnormal numbers: $set, $dtype',
    ({ set, dtype }) => {
      const { base, buffer, scratch, tensor } = memory!;
      const { program, run } = openNative(set, dtype);
      const Elements = dtype === 'float32' ? Float32Array : Float64Array;
      const tiny = dtype === 'float32' ? 2 ** -149 : 2 ** -1074;
      const a = tensor(0, Elements.of(Number.NaN, 0, 0, Number.POSITIVE_INFINITY, tiny, 1), true);
      const b = tensor(1, Elements.of(0, 1, 1, 2), true);
      const c = tensor(2, new Elements(6), true);
      product(program, (jobs) => run(base, base + jobs), dtype, buffer, scratch, alone).gemm(
        'NN',
        3,
        2,
        2,
        a,
        b,
        0,
        c,
      );
      const Infinite = Number.POSITIVE_INFINITY;
      expect([...c.data]).toEqual([Number.NaN, Number.NaN, Infinite, Infinite, 1, 2]);
    },
  );

  it.each(cases)(
    'gives the same where zeros are skipped and where not, whatever b holds: $set, $dtype',
    ({ set, dtype }) => {
      const { base, buffer, scratch, tensor } = memory!;
      const { program, run } = openNative(set, dtype);
      const [m, n, k] = [9, 70, 101];
      const a = withZeros(numbers(m * k, dtype, 1));
      // A quarter of the least number, subtracted first or last, makes −0 of 0.
      const tiny = dtype === 'float32' ? 2 ** -149 : 2 ** -1074;
      a.fill(0, 0, 2 * k)[0] = -0.25;
      a[2 * k - 1] = -0.25;
      const faults: string[] = [];
      for (const special of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, tiny, 0]) {
        for (const form of ['NN', 'NT'] as const) {
          const b = numbers(k * n, dtype, 2);
          b[0] = special;
          b[b.length - 1] = special;
          const [skipped, whole] = [true, false].map((skips) => {
            const [left, right] = [a, b].map((values, i) => tensor(i, values, true));
            const c = tensor(2, numbers(m * n, dtype, 3), true);
            const runJobs = (jobs: number) => run(base, base + jobs);
            const { gemm } = product(program, runJobs, dtype, buffer, scratch, alone, () => skips);
            gemm(form, m, n, k, left, right, 0, c);
            return c.data.slice();
          });
          const wrong = whole.findIndex((x, i) => !Object.is(x, skipped[i]));
          if (wrong >= 0) faults.push(`${form}, ${special}: ${skipped[wrong]}, not ${whole[wrong]}`);
          if (special !== 0 && !Number.isNaN(special) && whole.some((x) => Object.is(x, -0))) {
            faults.push(`${form}, ${special}: found −0`);
          }
        }
      }
      expect(faults).toEqual([]);
    },
  );

  it('skips zeros where they are many, and the product is not small', () => {
    const [few, many] = [numbers(512 * 256, 'float32', 1), withZeros(numbers(512 * 256, 'float32', 1))];
    expect(skippingPays(256, 512, 512, many)).toBe(true);
    expect(skippingPays(256, 512, 512, few)).toBe(false);
    expect(skippingPays(16, 16, 512, many)).toBe(false);
    expect(
      skippingPays(
        256,
        512,
        512,
        many.map((x, i) => (i % 512 === 0 ? x : 1)),
      ),
    ).toBe(false);
  });

  it.skipIf(!bfloat16)('rounds special numbers as the bfloat16 twin does', () => {
    const { base, buffer, scratch, tensor } = memory!;
    const { program, run } = openNative('avx512', 'float32', 'bfloat16');
    const gemm = product(program, (jobs) => run(base, base + jobs), 'float32', buffer, scratch, alone).gemm;
    const signed = (x: number) => [x, -x];
    // Halfway to even and to odd, more than the largest bfloat16, the smallest normal and subnormals.
    const halves = [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -23];
    const large = [2 ** 128 - 2 ** 104, 2 ** 127];
    const small = [2 ** -126, 2 ** -126 - 2 ** -149, 2 ** -149, 2 ** -75, 2 ** -76, 2 ** -63];
    const special = [
      Number.NaN,
      ...[0, Number.POSITIVE_INFINITY, ...halves, ...large, ...small].flatMap(signed),
    ];
    const n = special.length;
    const faults: string[] = [];
    for (const start of [0, Number.NaN, Number.POSITIVE_INFINITY, 1, 2 ** 127, ...small.flatMap(signed)]) {
      // With k = 1, a product of each with each; with k = 2, its pair has another one.
      for (const k of [1, 2]) {
        const of = (length: number, step: number) =>
          Float32Array.from({ length }, (_, i) => special[(Math.floor(i / k) + (i % k) * step) % n]);
        const [a, b] = [of(n * k, 5), of(n * k, 7)];
        const [found, expected] = [gemm, bfloat16Product.gemm].map((gemm) => {
          const [left, right, c] = [a, b, new Float32Array(n * n).fill(start)].map((data, i) =>
            tensor(i, data, true),
          );
          gemm('NT', n, n, k, left, right, 1, c);
          return c.data.slice();
        });
        expected.forEach((x, i) => {
          if (!Object.is(x, found[i])) faults.push(`k ${k}, ${start}: ${i} is ${found[i]}, not ${x}`);
        });
      }
    }
    expect(faults).toEqual([]);
  });
});
