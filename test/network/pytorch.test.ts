import { describe, expect, it } from 'vitest';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { createOptimizer } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';
import { buildFixture, flatten, PYTORCH_NETWORKS } from '../support/networks.js';

/** A sum that nearly cancels keeps fewer digits, whoever computes it. */
const TOLERANCE = { relative: 1e-10, absolute: 1e-16 };

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  // Every product by the library, though these are smaller than what it is taken for.
  const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, 'float64');

  describe.skipIf(skip).each(PYTORCH_NETWORKS)('$name', (entry) => {
    const { batch, expected, training, l2 } = entry;

    it('has the logits, loss and gradients of PyTorch', () => {
      const { network, x, targets } = buildFixture(entry, recipe);
      const names = network.parameters.list.map(({ name }) => name);
      expect(names).toEqual(Object.keys(entry.parameters));

      const logits = network.forward(batch, x);
      expect(logits.data).toBeAllclose(flatten(expected.logits), TOLERANCE);
      const { sum, terms } = network.dataLoss(batch, logits, targets);
      expect([sum / terms]).toBeAllclose([expected.dataLoss], TOLERANCE);
      expect([network.lossAndGradients(batch, x, targets)]).toBeAllclose([expected.loss], TOLERANCE);
      for (const { name, gradient } of network.parameters.list) {
        expect(gradient.data).toBeAllclose(flatten(expected.gradients[name]), TOLERANCE);
      }
    });

    it('has the same loss without a backward pass', () => {
      const { network, x, targets } = buildFixture(entry, recipe);
      expect(network.lossOf(batch, x, targets)).toBe(network.lossAndGradients(batch, x, targets));
    });

    if (!training) return;
    it(`takes the same steps with ${training.optimizer.type}${l2 > 0 ? ' and L2' : ''}`, () => {
      const { kernels, arena, network, x, targets } = buildFixture(entry, recipe);
      const optimizer = createOptimizer(training.optimizer, network.parameters, kernels, arena);
      const losses = training.losses.map((_, i) => {
        const loss = network.lossAndGradients(batch, x, targets);
        expect(optimizer.step(training.optimizer.learningRate, i + 1)).toBe(true);
        return loss;
      });
      expect(losses).toBeAllclose(training.losses, TOLERANCE);
      for (const { name, value } of network.parameters.list) {
        expect(value.data).toBeAllclose(flatten(training.parameters[name]), TOLERANCE);
      }
    });
  });
});
