import { describe, expect, it } from 'vitest';
import type { ProductForm } from '../../../src/kernels/kernels.js';
import { detectFeatures } from '../../../src/kernels/wasm/loader.js';
import { epsilon, guardHolds, pseudoRandom, simulateTeam, type Team } from './team.js';

const SIZES = [1, 3, 5, 7, 8, 9, 17, 31, 63, 65, 130];
/** Every pair of m and n, and every k with each. */
const TRIPLES = SIZES.flatMap((m, i) => SIZES.map((n, j) => [m, n, SIZES[(i + 2 * j) % SIZES.length]]));
/** Past the ends of the blocks in every direction. */
const LARGE = [
  [150, 800, 300],
  [800, 150, 520],
];
/** Room for the largest product. */
const ELEMENTS = 1_000_000;
const FORMS: ProductForm[] = ['NN', 'TN', 'NT'];
/** Without relaxed SIMD, and with it where the engine has it. */
const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];

interface Product {
  form: ProductForm;
  m: number;
  n: number;
  k: number;
  a: Float32Array;
  b: Float32Array;
  c: Float32Array;
  /** op(a)·op(b) and Σ|a||b| of each element */
  exact: Float64Array;
  bound: Float64Array;
}

const PRODUCTS = FORMS.flatMap((form) =>
  [...TRIPLES, ...LARGE].map(([m, n, k], seed) => plainProduct(form, m, n, k, seed)),
);

function plainProduct(form: ProductForm, m: number, n: number, k: number, seed: number): Product {
  const a = pseudoRandom(m * k, seed);
  const b = pseudoRandom(k * n, seed + 1000);
  const c = pseudoRandom(m * n, seed + 2000);
  const exact = new Float64Array(m * n);
  const bound = new Float64Array(m * n);
  const [aRow, aColumn] = form === 'TN' ? [1, m] : [k, 1];
  const [bRow, bColumn] = form === 'NT' ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const ap = a[i * aRow + p * aColumn];
      for (let j = 0; j < n; j++) {
        const term = ap * b[p * bRow + j * bColumn];
        exact[i * n + j] += term;
        bound[i * n + j] += Math.abs(term);
      }
    }
  }
  return { form, m, n, k, a, b, c, exact, bound };
}

const VARIANTS = (['float32', 'float64'] as const).flatMap((dtype) =>
  BUILDS.map((relaxed) => ({ dtype, relaxed })),
);

describe.each(VARIANTS)('products in $dtype, relaxed SIMD: $relaxed', ({ dtype, relaxed }) => {
  // One team for all products: an arena takes longer to make than most of them.
  const teams = new Map<number, Team>();

  function multiply(ranks: number, { form, m, n, k, a, b, c }: Product, beta: 0 | 1) {
    const team = teams.get(ranks) ?? simulateTeam(dtype, relaxed, ranks, ELEMENTS);
    teams.set(ranks, team);
    team.clear();
    team.syncs = 0;
    const [ta, tb] = [team.tensor(1, a.length, a), team.tensor(1, b.length, b)];
    const tc = team.tensor(m, n, beta === 1 ? c : new Float32Array(m * n).fill(NaN));
    team.run((kernels) => kernels.gemm(form, m, n, k, ta, tb, beta, tc));
    expect(team.syncs).toBe(ranks);
    expect(guardHolds(tc), 'writes past the end').toBe(true);
    return tc.data;
  }

  it.each(FORMS)('%s of every size is within n·ε of the sum of magnitudes', (form) => {
    for (const product of PRODUCTS.filter((p) => p.form === form)) {
      const { m, n, k, c, exact, bound } = product;
      for (const beta of [0, 1] as const) {
        const actual = multiply(1, product, beta);
        let worst = 0;
        for (let i = 0; i < m * n; i++) {
          const before = beta * c[i];
          const error = Math.abs(actual[i] - (exact[i] + before));
          const excess = error / ((k + 2) * epsilon(dtype) * (bound[i] + Math.abs(before)));
          if (!(excess <= worst)) worst = excess;
        }
        expect(worst, `${form} ${m}×${n}×${k}, beta ${beta}`).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each([2, 3, 4])('%s ranks give the bits of one', (ranks) => {
    for (const product of PRODUCTS) {
      const { form, m, n, k } = product;
      const same = Buffer.compare(
        new Uint8Array(multiply(ranks, product, 1).slice().buffer),
        new Uint8Array(multiply(1, product, 1).slice().buffer),
      );
      expect(same, `${form} ${m}×${n}×${k}`).toBe(0);
    }
  });

  it.each(FORMS)('%s takes NaN and infinity to their row alone', (form) => {
    for (const [m, n, k] of [
      [9, 7, 17],
      [7, 1, 9],
      [70, 65, 63],
    ]) {
      const product = plainProduct(form, m, n, k, 7);
      const [i, p] = [m - 2, k - 1];
      const at = form === 'TN' ? p * m + i : i * k + p;
      for (const value of [NaN, Infinity]) {
        product.a[at] = value;
        const c = multiply(1, product, 0);
        const finite = Array.from({ length: m }, (_, row) =>
          c.subarray(row * n, row * n + n).some(Number.isFinite),
        );
        expect(finite).toEqual(finite.map((_, row) => row !== i));
      }
    }
  });

  it('without terms is zero, or what was there', () => {
    const product = plainProduct('NN', 5, 6, 0, 1);
    expect(Array.from(multiply(1, product, 0))).toEqual(new Array(30).fill(0));
    expect(Array.from(multiply(1, product, 1))).toEqual(Array.from(product.c));
  });
});
