import { describe, expect, it } from 'vitest';
import { Batches } from '../../../src/data/dataset/batches.js';
import { RandomState } from '../../../src/random/randomState.js';

/** The rows of the next batches. */
function draw(batches: Batches, count: number, size: number): number[][] {
  const out = new Int32Array(size);
  return Array.from({ length: count }, () => Array.from(out.subarray(0, batches.next(out))));
}

describe('shuffled batches', () => {
  it('are slices of a fresh permutation each epoch, the last one shorter', () => {
    const random = new RandomState(7);
    const epochs = [random.permutation(10), random.permutation(10)].map((order) => Array.from(order));
    const batches = new Batches('shuffle', 10, 4, new RandomState(7));
    expect(batches.stepsPerEpoch).toBe(3);
    const drawn = draw(batches, 6, 4);
    expect(drawn.map((rows) => rows.length)).toEqual([4, 4, 2, 4, 4, 2]);
    expect(drawn.slice(0, 3).flat()).toEqual(epochs[0]);
    expect(drawn.slice(3).flat()).toEqual(epochs[1]);
    expect(epochs[0]).not.toEqual(epochs[1]);
  });

  it('are no larger than the rows', () => {
    const batches = new Batches('shuffle', 3, 32, new RandomState(0));
    expect(batches.stepsPerEpoch).toBe(1);
    expect(batches.nextRows).toBe(3);
    for (const rows of draw(batches, 2, 32)) expect(rows.toSorted()).toEqual([0, 1, 2]);
  });

  it('say beforehand how many rows come next', () => {
    const batches = new Batches('shuffle', 5, 2, new RandomState(0));
    const out = new Int32Array(2);
    for (const expected of [2, 2, 1, 2, 2, 1, 2]) {
      expect(batches.nextRows).toBe(expected);
      expect(batches.next(out)).toBe(expected);
    }
  });

  it('fit into the rows exactly', () => {
    const batches = new Batches('shuffle', 6, 3, new RandomState(0));
    expect(batches.stepsPerEpoch).toBe(2);
    expect(draw(batches, 4, 3).map((rows) => rows.length)).toEqual([3, 3, 3, 3]);
  });
});

describe('batches with replacement', () => {
  it("are NumPy's choice, of full size even from fewer rows", () => {
    // np.random.RandomState(0).choice(5, 12), split in two
    const batches = new Batches('with-replacement', 5, 6, new RandomState(0));
    expect(batches.stepsPerEpoch).toBe(1);
    expect(draw(batches, 2, 6)).toEqual([
      [4, 0, 3, 3, 3, 1],
      [3, 2, 4, 0, 0, 4],
    ]);
  });

  it('make an epoch of as many steps as it takes to draw the rows once', () => {
    expect(new Batches('with-replacement', 10, 4, new RandomState(0)).stepsPerEpoch).toBe(3);
  });
});

it('draws nothing before the first batch, for the weights are drawn first', () => {
  const random = new RandomState(3);
  const batches = new Batches('shuffle', 4, 4, random);
  expect(batches.stepsPerEpoch).toBe(1);
  expect(batches.nextRows).toBe(4);
  expect(random.rand()).toBe(new RandomState(3).rand());
});

describe('batches of blocks', () => {
  it("are NumPy's permutation of the blocks, and of the rows of 64 of them", () => {
    const [rows, blockRows] = [331, 5];
    const random = new RandomState(4);
    const epoch = () => {
      const blocks = [...random.permutation(67)];
      return [blocks.slice(0, 64), blocks.slice(64)].flatMap((pool) => {
        const inPool = pool.flatMap((block) =>
          Array.from({ length: 5 }, (_, i) => 5 * block + i).filter((row) => row < rows),
        );
        const shuffled = Int32Array.from(inPool);
        random.shuffle(shuffled);
        return [...shuffled];
      });
    };
    const batches = new Batches('shuffle', rows, 20, new RandomState(4), blockRows);
    const drawn = draw(batches, 34, 20).flat();
    const expected = [epoch(), epoch()];
    expect(drawn).toEqual(expected.flat());
    for (const order of expected) expect(order.toSorted((a, b) => a - b)).toEqual([...Array(rows).keys()]);
  });
});
