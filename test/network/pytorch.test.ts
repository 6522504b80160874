import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { ReferenceKernels } from '../../src/kernels/reference.js';
import { createOptimizer } from '../../src/training/optimizer.js';
import { buildFixture, flatten, PYTORCH_NETWORKS } from '../support/networks.js';

const kernels = new ReferenceKernels('float64');
/** A sum that nearly cancels keeps fewer digits, whoever computes it. */
const TOLERANCE = { relative: 1e-10, absolute: 1e-16 };

describe.each(PYTORCH_NETWORKS)('$name', (entry) => {
  const { batch, expected, training, l2 } = entry;

  it('has the logits, loss and gradients of PyTorch', () => {
    const { network, x, targets } = buildFixture(entry, kernels);
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
    const { network, x, targets } = buildFixture(entry, kernels);
    expect(network.lossOf(batch, x, targets)).toBe(network.lossAndGradients(batch, x, targets));
  });

  if (!training) return;
  it(`takes the same steps with ${training.optimizer.type}${l2 > 0 ? ' and L2' : ''}`, () => {
    const { network, x, targets } = buildFixture(entry, kernels);
    const arena = Arena.ofSize('float64', 1 << 20);
    const optimizer = createOptimizer(training.optimizer, network.parameters, kernels, arena);
    const losses = training.losses.map(() => {
      const loss = network.lossAndGradients(batch, x, targets);
      optimizer.step(training.optimizer.learningRate);
      return loss;
    });
    expect(losses).toBeAllclose(training.losses, TOLERANCE);
    for (const { name, value } of network.parameters.list) {
      expect(value.data).toBeAllclose(flatten(training.parameters[name]), TOLERANCE);
    }
  });
});
