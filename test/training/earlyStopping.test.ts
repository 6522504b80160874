/** After which epoch a run ends, by its monitor alone. */
import { describe, expect, it } from 'vitest';
import { Monitor } from '../../src/training/monitor.js';

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
