/** The dropout of every backend: the plain loops by their contract, and WASM by the plain loops. */
import { describe, expect, it } from 'vitest';
import type { DropoutMask, DType, Tensor } from '../../src/kernels/kernels.js';
import { philox4x32 } from '../../src/kernels/reference/elementwise.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { detectFeatures } from '../../src/kernels/wasm/loader.js';
import { epsilon, guardHolds, pseudoRandom, simulateTeam } from './wasm/team.js';

const MASK: DropoutMask = { rate: 0.5, seed: 7, layer: 0, step: 0 };
const RATES = [0, 1e-12, 0.1, 0.5, 0.9, 1 - 2 ** -53];
/** [rows, columns]: tails of every length for both dtypes, and slices that start within a group of four counters. */
const SHAPES = [
  ...Array.from({ length: 17 }, (_, i) => [1, i + 1]),
  [3, 5],
  [1, 31],
  [7, 9],
  [5, 13],
  [2, 65],
  [33, 17],
  [10, 103],
];

function tensorOf(values: ArrayLike<number>, dtype: DType = 'float64'): Tensor {
  const data = dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
  return { data, rows: 1, columns: data.length, address: 0 };
}

/** What dropout makes of `count` ones: 0 or 1/(1 − rate) each. */
function ofOnes(count: number, mask: DropoutMask): Float64Array {
  const x = tensorOf(new Float64Array(count).fill(1));
  referenceKernels('float64').dropout(1, mask, x, x);
  return x.data as Float64Array;
}

const hex = (words: string) => words.split(' ').map((word) => Number.parseInt(word, 16));

describe('philox4x32', () => {
  // The known answers that come with Random123, the authors' own implementation (tests/kat_vectors).
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('of counter %s and key %s is %s', (counter, key, expected) => {
    const out = new Uint32Array(4);
    philox4x32(hex(counter), hex(key), out);
    expect([...out]).toEqual(hex(expected));
  });
});

describe('dropout of the plain loops', () => {
  it('keeps the elements whose draw is not below the rate', () => {
    const mask = { rate: 0.3, seed: 0xdeadbeef, layer: 3, step: 5 * 2 ** 32 + 9 };
    const draws = new Uint32Array(4);
    const expected = Array.from({ length: 11 }, (_, i) => {
      philox4x32([Math.floor(i / 4), 0, 9, 5], [0xdeadbeef, 3], draws);
      return draws[i % 4] / 2 ** 32 < 0.3 ? 0 : 1 / 0.7;
    });
    expect([...ofOnes(11, mask)]).toBeAllclose(expected, { relative: 1e-15 });
  });

  it.each([0.01, 0.1, 0.5, 0.8])('at rate %d drops that share, and keeps the mean', (rate) => {
    const count = 100_000;
    const y = ofOnes(count, { ...MASK, rate });
    const dropped = y.filter((value) => value === 0).length / count;
    // Five standard deviations of the mean of as many Bernoulli draws.
    const bound = 5 * Math.sqrt((rate * (1 - rate)) / count);
    expect(Math.abs(dropped - rate)).toBeLessThan(bound);
    expect(Math.abs(y.reduce((sum, value) => sum + value, 0) / count - 1)).toBeLessThan(bound / (1 - rate));
  });

  it('draws a mask of its own for each step, layer and seed, independent of the others', () => {
    const count = 20_000;
    const masks = [
      MASK,
      { ...MASK, step: 1 },
      { ...MASK, step: 2 ** 32 },
      { ...MASK, layer: 1 },
      { ...MASK, seed: 8 },
      { ...MASK, seed: 0, layer: 7 },
    ].map((mask) => ofOnes(count, mask));
    for (const [i, a] of masks.entries()) {
      for (const b of masks.slice(0, i)) {
        const equal = a.filter((value, at) => value === b[at]).length / count;
        expect(Math.abs(equal - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / count));
      }
    }
    expect(ofOnes(count, { ...MASK })).toEqual(masks[0]);
  });

  it('gives an element the same draw whatever comes after it', () => {
    expect(ofOnes(10, MASK)).toEqual(ofOnes(1000, MASK).subarray(0, 10));
  });
});

const BUILDS = detectFeatures().relaxedSimd ? [false, true] : [false];
const VARIANTS = (['float32', 'float64'] as const).flatMap((dtype) =>
  BUILDS.flatMap((relaxed) => [1, 2, 3, 4].map((ranks) => ({ dtype, relaxed, ranks }))),
);

describe.each(VARIANTS)('wasm dropout in $dtype, relaxed SIMD: $relaxed, $ranks ranks', (variant) => {
  const { dtype, relaxed, ranks } = variant;
  const team = simulateTeam(dtype, relaxed, ranks, 5000);
  const reference = referenceKernels(dtype);

  it.each(RATES)('at rate %d drops what the plain loops drop, in place or not', (rate) => {
    for (const [rows, columns] of SHAPES) {
      team.clear();
      const mask = { rate, seed: 0xfedcba98, layer: rows, step: 2 ** 33 + columns };
      // No zeros: a zero of the output is then one of the mask.
      const values = pseudoRandom(rows * columns, columns, 3).map((value) => value || 1);
      const whole = tensorOf(values, dtype);
      reference.dropout(1, mask, whole, whole);
      const expected = whole.data;
      const x = team.tensor(rows, columns, values);
      const apart = team.tensor(rows, columns);
      team.run((k) => k.dropout(rows, mask, x, apart));
      team.run((k) => k.dropout(rows, mask, x, x));
      expect(x.data).toEqual(apart.data);
      expect(x.data.map((y) => Number(y === 0))).toEqual(expected.map((y) => Number(y === 0)));
      expect(x.data).toBeAllclose(expected, { relative: 2 * epsilon(dtype) });
      if (rate === 0) expect([...x.data]).toEqual([...values]);
      expect(guardHolds(apart), 'writes past the end').toBe(true);
    }
  });

  it('makes 0 of what it drops, NaN and infinities too, and lets them through where it keeps', () => {
    const special = [NaN, Infinity, -Infinity, -0, 0, -5];
    const values = Array.from({ length: 120 }, (_, i) => special[i % special.length]);
    const expected = tensorOf(values, dtype);
    reference.dropout(1, MASK, expected, expected);
    const kept = ofOnes(values.length, MASK);
    expect([...expected.data]).toEqual(values.map((value, i) => (kept[i] === 0 ? 0 : value * 2)));
    team.clear();
    const x = team.tensor(1, values.length, values);
    team.run((k) => k.dropout(1, MASK, x, x));
    expect(x.data).toEqual(expected.data);
  });

  it('meets once an operation', () => {
    team.clear();
    team.syncs = 0;
    const x = team.tensor(1, 3, [1, 2, 3]);
    team.run((k) => k.dropout(1, MASK, x, x));
    expect(team.syncs).toBe(ranks);
  });
});
