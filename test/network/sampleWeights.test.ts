/** Weighted batches take the steps of scikit-learn's perceptrons with `sample_weight`. */
import { describe, expect, it } from 'vitest';
import { kernelsRecipe } from '../../src/kernels/create.js';
import type { OptimizerConfig } from '../../src/spec/optimizerConfig.js';
import { createOptimizer } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';
import { fixture } from '../support/fixtures.js';
import { buildFixture, type FixtureEntry, flatten, type Numbers } from '../support/networks.js';

interface SklearnNetwork extends FixtureEntry {
  training: { optimizer: OptimizerConfig; losses: number[]; parameters: Record<string, Numbers> };
}

const NETWORKS = fixture<SklearnNetwork[]>('sklearn/weights.json');

/** scikit-learn's probabilities lose digits that logits keep. */
const TOLERANCE = { relative: 1e-9, absolute: 1e-12 };

describe.each(BACKENDS)('$name', ({ choice, skip }) => {
  const recipe = kernelsRecipe({ ...choice, leastProduct: 1 }, 'float64');

  it.skipIf(skip).each(NETWORKS)('$name', (entry) => {
    const { optimizer: config, losses, parameters } = entry.training;
    const { kernels, arena, network, x, targets } = buildFixture(entry, recipe);
    const optimizer = createOptimizer(config, network.parameters, kernels, arena);
    const found = losses.map((_, i) => {
      const loss = network.lossAndGradients(entry.batch, x, targets);
      optimizer.step(config.learningRate, i + 1);
      return loss;
    });
    expect(found).toBeAllclose(losses, TOLERANCE);
    for (const { name, value } of network.parameters.list) {
      expect(value.data).toBeAllclose(flatten(parameters[name]), TOLERANCE);
    }
  });
});
