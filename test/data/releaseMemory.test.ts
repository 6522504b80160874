import { expect, it } from 'vitest';
import { releaseMemory } from '../../src/data/releaseMemory.js';

const arrays = () => process.memoryUsage().arrayBuffers;

it('frees arrays that nobody has any more, at once', () => {
  const before = arrays();
  let cells: Float64Array | undefined = new Float64Array(2 ** 24);
  expect(arrays() - before).toBeGreaterThanOrEqual(cells.byteLength);
  cells = undefined;
  releaseMemory();
  expect(arrays() - before).toBeLessThan(2 ** 20);
});
