import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fma32, fma64, fusedProduct } from '../../src/kernels/reference/fused.js';

/** a, b, c and what C makes of them (fixtures/native/fma.c). */
const CASES = (
  JSON.parse(readFileSync(new URL('../fixtures/native/fma.json', import.meta.url), 'utf8')) as string[][]
).map((bits) => bits.map((hex) => Buffer.from(hex, 'hex').readDoubleBE()));

describe('a fused multiply-add', () => {
  it('has the bits of fma of C, for subnormal, huge and cancelling numbers', () => {
    expect(CASES.map(([a, b, c]) => fma64(a, b, c))).toEqual(CASES.map(([, , , fused]) => fused));
  });

  it('has the bits of fmaf of C in float32', () => {
    const found = CASES.map(([a, b, c]) => fma32(Math.fround(a), Math.fround(b), Math.fround(c)));
    expect(found).toEqual(CASES.map(([, , , , fused]) => fused));
  });

  it('is not the rounded product plus c, nor the exact sum rounded twice', () => {
    const a = 1 + 2 ** -52;
    expect(fma64(a, a, -1 - 2 ** -51)).toBe(2 ** -104);
    // 1 + 2⁻²⁴ is a middle of two float32, and 2⁻⁶⁰ beyond it is lost in float64.
    expect(fma32(2 ** -30, 2 ** -30, Math.fround(1))).toBe(1);
    expect(fma32(1 + 2 ** -12, 2 ** -12, Math.fround(1 - 2 ** -12))).toBe(1);
    expect(Math.fround(2 ** -24 + 2 ** -60 + 1)).toBe(1);
    expect(fma32(2 ** -12 + 2 ** -48, 2 ** -12, 1)).toBe(1 + 2 ** -23);
  });
});

describe('fusedProduct', () => {
  it('adds to c in the order of k, in every form', () => {
    const tensor = (...values: number[]) => ({
      data: Float32Array.from(values),
      rows: 1,
      columns: 1,
      address: 0,
    });
    // 2²⁴ + 1 is no float32, so the order shows: 2²⁴ + 1 + 1 ≠ 1 + 1 + 2²⁴.
    const { gemm } = fusedProduct('float32');
    for (const form of ['NN', 'TN', 'NT'] as const) {
      const c = tensor(0);
      gemm(form, 1, 1, 3, tensor(2 ** 24, 1, 1), tensor(1, 1, 1), 0, c);
      expect(c.data[0]).toBe(2 ** 24);
      gemm(form, 1, 1, 3, tensor(1, 1, 2 ** 24), tensor(1, 1, 1), 0, c);
      expect(c.data[0]).toBe(2 ** 24 + 2);
      gemm(form, 1, 1, 2, tensor(1, 1), tensor(1, 1), 1, c);
      expect(c.data[0]).toBe(2 ** 24 + 4);
    }
  });
});
