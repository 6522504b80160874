import { describe, expect, it } from 'vitest';
import { CellMemory } from '../../src/data/cellMemory.js';

describe('CellMemory', () => {
  it('makes small arrays that share few buffers and overlap nowhere', () => {
    const memory = new CellMemory();
    const arrays = Array.from({ length: 1000 }, (_, i) =>
      (i % 2 === 0 ? memory.floats(i % 61) : memory.integers(i % 61)).fill(i),
    );
    arrays.forEach((array, i) => {
      expect([...array]).toEqual(Array(i % 61).fill(i));
    });
    expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBeLessThan(10);
  });

  it('gives a large array a buffer of its own', () => {
    const array = new CellMemory().floats(2000);
    expect(array.buffer.byteLength).toBe(array.byteLength);
  });

  it('makes arrays of the same memory again, unless those before are kept', () => {
    const memory = new CellMemory();
    const first = memory.floats(8).fill(1);
    memory.reuse();
    expect(memory.integers(3).buffer).toBe(first.buffer);
    memory.forget();
    memory.floats(8).fill(2);
    expect([...first]).toEqual(Array(8).fill(1));
  });
});
