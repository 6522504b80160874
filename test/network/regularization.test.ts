import { describe, expect, it } from 'vitest';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { BACKENDS } from '../support/backends.js';
import { buildFixture, type FixtureEntry } from '../support/networks.js';

/** One linear layer that fits its rows: what is left of loss and gradient is the regularisation. */
const ENTRY: FixtureEntry = {
  name: 'fitted',
  spec: { layers: [2] },
  loss: 'mean-squared-error',
  l2: 0,
  batch: 1,
  x: [[0, 0, 0]],
  targets: [[5, -5]],
  parameters: {
    'layers.0.weight': [
      [1, -2],
      [0, 4],
      [-0.5, 0],
    ],
    'layers.0.bias': [5, -5],
  },
};

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  const recipe = kernelsRecipe(choice, 'float64');

  it.skipIf(skip).each([
    { l1: 0, l2: 0, loss: 0, gradient: [0, 0, 0, 0, 0, 0] },
    { l1: 2, l2: 0, loss: 2 * 7.5, gradient: [2, -2, 0, 2, -2, 0] },
    { l1: 0, l2: 2, loss: 21.25, gradient: [2, -4, 0, 8, -1, 0] },
    { l1: 2, l2: 2, loss: 15 + 21.25, gradient: [4, -6, 0, 10, -3, 0] },
  ])('adds λ₁·Σ|W| + ½·λ₂·ΣW² over the weights alone: λ₁ $l1, λ₂ $l2', ({ l1, l2, loss, gradient }) => {
    const { network, x, targets } = buildFixture({ ...ENTRY, l1, l2 }, recipe);
    expect(network.lossAndGradients(1, x, targets)).toBe(loss);
    expect(network.lossOf(1, x, targets)).toBe(loss);
    expect(network.regularization()).toBe(loss);
    expect([...network.parameters.gradients.data]).toEqual([...gradient, 0, 0]);
  });
});
