import { describe, expect, it } from 'vitest';
import { fusedLoss, LOSSES, lossesFor } from '../../src/network/loss.js';
import { specOf } from '../support/networks.js';

describe('what goes with a task', () => {
  it('is its losses, the usual one first', () => {
    expect(lossesFor('regression')).toEqual([
      'mean-squared-error',
      'mean-absolute-error',
      'huber',
      'quantile',
      'poisson',
    ]);
    expect(lossesFor('binary')).toEqual(['binary-cross-entropy', 'softmax-cross-entropy']);
    expect(lossesFor('multiclass')).toEqual(['softmax-cross-entropy']);
  });

  it('is one output for each target, for each class, or for two classes', () => {
    expect(LOSSES['mean-squared-error'].outputs(3, 0)).toBe(3);
    expect(LOSSES.quantile.outputs(1, 0, { quantiles: [0.1, 0.9] })).toBe(2);
    expect(LOSSES['softmax-cross-entropy'].outputs(1, 4)).toBe(4);
    expect(LOSSES['binary-cross-entropy'].outputs(1, 2)).toBe(1);
  });

  it('is the loss that a softmax or a sigmoid at the end belongs to', () => {
    const lossOf = (...layers: unknown[]) => fusedLoss(specOf({ layers }).layers);
    expect(lossOf(2, 'softmax')).toBe('softmax-cross-entropy');
    expect(lossOf(1, 'sigmoid')).toBe('binary-cross-entropy');
    expect(lossOf(4, 'sigmoid', 1)).toBeUndefined();
  });
});
