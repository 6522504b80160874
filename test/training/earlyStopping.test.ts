/** After which epoch a run ends, by the values of a metric alone. */
import { describe, expect, it } from 'vitest';
import { Monitor } from '../../src/training/monitor.js';
import { createStopping } from '../../src/training/stopping.js';

/** The epoch after which patience runs out, from 1; undefined where it doesn't. */
function lastEpoch(
  values: readonly number[],
  {
    patience,
    minDelta = 0,
    monitor: metric = 'validation_loss',
  }: { patience: number; minDelta?: number; monitor?: string },
): number | undefined {
  const monitor = new Monitor(metric, minDelta);
  for (const [i, value] of values.entries()) {
    if (monitor.isOutOfPatience(patience)) return i;
    monitor.observe(i + 1, new Map([[metric, value]]));
  }
  return monitor.isOutOfPatience(patience) ? values.length : undefined;
}

describe('early stopping', () => {
  const { NaN: nan } = Number;
  const rising = [5, 4, 3, 3.5, 4, 4.5, 5, 5.5, 6];

  it.each([0, 1, 2, 5])('never ends a run that improves, with a patience of %i', (patience) => {
    expect(lastEpoch([5, 4, 3, 2, 1, 0, -1], { patience })).toBeUndefined();
  });

  it.each([
    [0, 4],
    [1, 4],
    [2, 5],
    [5, 8],
  ])('with a patience of %i ends after epoch %i where the third is the best', (patience, epoch) => {
    expect(lastEpoch(rising, { patience })).toBe(epoch);
  });

  it('does not end before patience has run out', () => {
    expect(lastEpoch(rising, { patience: 6 })).toBe(9);
    expect(lastEpoch(rising, { patience: 7 })).toBeUndefined();
    expect(lastEpoch(rising, { patience: Number.POSITIVE_INFINITY })).toBeUndefined();
  });

  it('does not begin out of patience', () => {
    expect(new Monitor('validation_loss').isOutOfPatience(0)).toBe(false);
  });

  it('waits anew after each improvement', () => {
    expect(lastEpoch([5, 6, 4, 5, 3, 4, 2, 3, 3], { patience: 2 })).toBe(9);
  });

  it('takes a standstill for no improvement', () => {
    expect(lastEpoch([1, 1, 1, 1], { patience: 3 })).toBe(4);
  });

  it('takes a gain of no more than minDelta for none, and adds small ones up', () => {
    const creeping = [1, 0.9375, 0.875, 0.8125, 0.75, 0.6875];
    expect(lastEpoch(creeping, { patience: 2 })).toBeUndefined();
    expect(lastEpoch(creeping, { patience: 2, minDelta: 0.125 })).toBe(3);
    // Epoch 4 is better than epoch 1 by more than minDelta.
    expect(lastEpoch(creeping, { patience: 3, minDelta: 0.125 })).toBeUndefined();
  });

  it('counts NaN as an epoch without an improvement', () => {
    expect(lastEpoch([nan, nan, nan, 1], { patience: 3 })).toBe(3);
    expect(lastEpoch([nan, nan, 5, 4, nan, nan, 3], { patience: 3 })).toBeUndefined();
    expect(lastEpoch([5, 4, nan, 4.5, nan, 3], { patience: 3 })).toBe(5);
  });

  it('waits for a metric to rise where larger is better', () => {
    const accuracy = [0.5, 0.6, 0.7, 0.7, 0.65, 0.6];
    expect(lastEpoch(accuracy, { patience: 2, monitor: 'validation_accuracy' })).toBe(5);
    expect(lastEpoch(accuracy, { patience: 1, minDelta: 0.2, monitor: 'train_r2' })).toBe(2);
    expect(lastEpoch([-9, -4, -1, 0, 0.5], { patience: 1, monitor: 'validation_r2' })).toBeUndefined();
  });
});

describe('a gain of cycles', () => {
  const { NaN: nan } = Number;

  /** The epoch after which a run of 15 epochs ends, whose four cycles end after 1, 3, 7 and 15. */
  function lastEpochOf(
    values: readonly number[],
    monitor = 'validation_loss',
    cycleGain = 0.1,
    length = { steps: 150, stepsPerEpoch: 10 },
  ) {
    const config = { cycleGain, monitor } as Parameters<typeof createStopping>[0];
    const create = () => createStopping(config, { type: 'coslog', cycles: 4 }, length);
    let stopping = create();
    for (const [i, value] of values.entries()) {
      if (stopping.isOver) return i;
      stopping.observe(i + 1, new Map([[monitor, value]]));
      // As a run that is resumed.
      const resumed = create();
      resumed.restore(JSON.parse(JSON.stringify(stopping.state())));
      stopping = resumed;
    }
    return stopping.isOver ? values.length : undefined;
  }

  const rest = [9, 9, 9, 9, 9, 9, 9, 9];

  it('is needed at the end of the last cycle but one, by the best epoch in it', () => {
    expect(lastEpochOf([4, 3, 2, 2, 1.75, 2, 3, ...rest])).toBeUndefined();
    expect(lastEpochOf([4, 3, 2, 2, 2, 2, 1.75, ...rest])).toBeUndefined();
    expect(lastEpochOf([4, 3, 2, 2, 2, 2, 1.875, ...rest])).toBe(7);
    expect(lastEpochOf([4, 3, 2, 2, 2, 2, 2, ...rest])).toBe(7);
    expect(lastEpochOf([4, 1, 2, 1, 1, 1, 0.95, ...rest])).toBe(7);
  });

  it('is a share of the value before', () => {
    expect(lastEpochOf([4, 3, 2, 2, 2, 2, 1.875, ...rest], 'validation_loss', 0.05)).toBeUndefined();
    expect(lastEpochOf([0.4, 0.5, 0.6, 0.6, 0.6, 0.65, 0.7], 'validation_accuracy')).toBeUndefined();
    expect(lastEpochOf([0.4, 0.5, 0.6, 0.6, 0.6, 0.65, 0.65], 'validation_accuracy')).toBe(7);
    expect(lastEpochOf([-9, -5, -2, -2, -2, -2, -1.75], 'validation_r2')).toBeUndefined();
    expect(lastEpochOf([-9, -5, -2, -2, -2, -2, -1.9], 'validation_r2')).toBe(7);
  });

  it('is there where the metric becomes finite, and not asked for while it never was', () => {
    expect(lastEpochOf([nan, nan, nan, nan, nan, 3, nan, ...rest])).toBeUndefined();
    expect(lastEpochOf([nan, nan, nan, nan, nan, nan, nan, ...rest])).toBeUndefined();
    expect(lastEpochOf([nan, 1, nan, nan, nan, nan, nan, ...rest])).toBe(7);
  });

  it('is not asked for in a run so short that cycles end in the same epoch', () => {
    const lastOf = (epochs: number) =>
      lastEpochOf([3, 3, 3, 3, 3], 'validation_loss', 0.1, { steps: 10 * epochs, stepsPerEpoch: 10 });
    expect([1, 2, 3, 5].map(lastOf)).toEqual([undefined, undefined, 2, 3]);
  });
});
