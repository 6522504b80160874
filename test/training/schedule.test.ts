import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../src/training/schedule.js';

describe('learningRateAt', () => {
  const rates = (schedule: Parameters<typeof learningRateAt>[0]) =>
    [0, 1, 2, 3, 4].map((epoch) => learningRateAt(schedule, 0.8, epoch));

  it('stays where it is', () => {
    expect(rates({ type: 'constant' })).toEqual([0.8, 0.8, 0.8, 0.8, 0.8]);
  });

  it('decays by gamma each epoch, from the second on', () => {
    expect(rates({ type: 'exponential', gamma: 0.5 })).toEqual([0.8, 0.4, 0.2, 0.1, 0.05]);
  });

  it('decays by gamma every so many epochs', () => {
    expect(rates({ type: 'step', gamma: 0.5, every: 2 })).toEqual([0.8, 0.8, 0.4, 0.4, 0.2]);
  });
});
