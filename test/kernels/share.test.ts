import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alone, sliceStart } from '../../src/kernels/share.js';

describe('sliceStart', () => {
  it('gives whole granules, and the rest to the last', () => {
    expect([0, 1, 2].map((rank) => sliceStart(10, rank, 2, 4))).toEqual([0, 4, 10]);
  });

  it('covers every element once, in order, by slices that differ by a granule', () => {
    const sizes = [
      fc.nat(1_000_000),
      fc.integer({ min: 1, max: 64 }),
      fc.integer({ min: 1, max: 32 }),
    ] as const;
    fc.assert(
      fc.property(...sizes, (n, size, granularity) => {
        const starts = Array.from({ length: size + 1 }, (_, rank) => sliceStart(n, rank, size, granularity));
        expect(starts[0]).toBe(0);
        expect(starts[size]).toBe(n);
        const granules = starts.slice(1).map((end, i) => Math.ceil((end - starts[i]) / granularity));
        expect(Math.max(...granules) - Math.min(...granules)).toBeLessThanOrEqual(1);
        for (const start of starts.slice(0, size))
          expect(start === n || start % granularity === 0).toBe(true);
      }),
    );
  });

  it('gives all to one who is alone', () => {
    expect([sliceStart(7, 0, 1, 4), sliceStart(7, 1, 1, 4)]).toEqual([0, 7]);
    expect([alone.rank, alone.size]).toEqual([0, 1]);
  });
});
