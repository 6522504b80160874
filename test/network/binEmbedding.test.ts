import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import type { DType } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { specOf } from '../support/networks.js';

/** A network that begins with bins, initialised on these columns of rows, all of one length. */
function fitted(bins: number, columns: readonly (readonly number[])[], dtype: DType = 'float64') {
  const arena = Arena.ofSize(dtype, 1 << 18);
  const rows = columns[0].length;
  const options = {
    inputs: columns.length,
    loss: 'mean-squared-error',
    l2: 0,
    capacity: rows,
    seed: 0,
  } as const;
  const layer = { type: 'numeric-embedding', kind: 'piecewise-linear', bins, size: 2 };
  const network = new Network(specOf({ layers: [layer, 1] }), options, referenceKernels(dtype), arena);
  const x = arena.tensor(rows, columns.length);
  columns.forEach((values, j) => {
    for (const [i, value] of values.entries()) x.data[i * columns.length + j] = value;
  });
  // In two batches, as many as there are rows in all.
  const first = Math.ceil(rows / 2);
  const batches = [x, { ...x, data: x.data.subarray(first * columns.length) }];
  network.initialize(new RandomState(5), () =>
    batches.map((batch, i) => ({ rows: i === 0 ? first : rows - first, x: batch })),
  );
  const edges = [...(network.statistics.get('layers.0.edges')?.value.data ?? [])];
  return { network, x, edges: columns.map((_, j) => edges.slice(j * (bins + 1), (j + 1) * (bins + 1))) };
}

describe('the edges of bins', () => {
  it('are quantiles of each number, interpolated between the rows', () => {
    // Eleven numbers have their quarters at the places 2.5, 5 and 7.5.
    const numbers = [7, 1, 10, 3, 5, 0, 2, 8, 4, 6, 9];
    const { edges } = fitted(4, [numbers, numbers.map((value) => value ** 2)]);
    expect(edges).toEqual([
      [0, 2.5, 5, 7.5, 10],
      [0, 6.5, 25, 56.5, 100],
    ]);
  });

  it('are the values themselves where they are few, and the last one again for what is left', () => {
    const { edges } = fitted(4, [
      [2, 2, 5, 1, 1, 1],
      [9, 8, 7, 6, 5, 9],
      [3, 3, 3, 3, 3, 3],
    ]);
    expect(edges).toEqual([
      [1, 2, 5, 5, 5],
      [5, 6, 7, 8, 9],
      [3, 3, 3, 3, 3],
    ]);
  });

  it('are each there once where many rows are equal', () => {
    // Four of five rows are 0, so only the last of four quarters ends elsewhere.
    const { edges } = fitted(4, [Array.from({ length: 100 }, (_, i) => (i < 80 ? 0 : i - 79))]);
    expect(edges).toEqual([[0, 20, 20, 20, 20]]);
  });

  it('are different in float32 too', () => {
    const { edges } = fitted(2, [[1, 1 + 2 ** -23, 1 + 2 ** -22, 2, 1, 1, 1, 1]], 'float32');
    expect(new Set(edges[0]).size).toBe(2);
    expect(edges[0]).toEqual([1, 2, 2]);
  });
});

describe('a piecewise-linear embedding', () => {
  it('is finite for a constant number and beyond the edges, and linear at the start', () => {
    const { network, x } = fitted(3, [
      [1, 1, 1, 1, 1],
      [0, 1, 2, 3, 4],
    ]);
    x.data.set([1, -100, 50, 0, -3, 4, 1, 2, 1, 6]);
    const start = network.forward(5, x).data.slice(0, 5);
    expect(start.every(Number.isFinite)).toBe(true);
    // Of two rows that agree in the constant, the mean lies between: W is 0.
    expect(start[4] - start[3]).toBeCloseTo(((start[3] - start[0]) / 102) * 4, 10);
    network.parameters.get('layers.0.weight')?.value.data.fill(0.5);
    const learnt = network.forward(5, x).data.slice(0, 5);
    expect(learnt.every(Number.isFinite)).toBe(true);
    expect(learnt).not.toEqual(start);
  });
});
