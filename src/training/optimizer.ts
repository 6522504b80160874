/** Optimisers: state in the arena, one kernel call a step over the whole parameter block. */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels } from '../kernels/kernels.js';
import type { Parameters } from '../network/parameters.js';
import type { OptimizerConfig } from '../spec/train.js';

export interface Optimizer {
  /** Moves the parameters by their gradients. */
  step(learningRate: number): void;
}

export function createOptimizer(
  config: OptimizerConfig,
  parameters: Parameters,
  kernels: Kernels,
  allocator: Allocator,
): Optimizer {
  const { values, gradients } = parameters;
  const count = parameters.layout.total;
  switch (config.type) {
    case 'sgd': {
      const velocity = config.momentum > 0 ? allocator.tensor(1, count) : null;
      const options = { ...config };
      return {
        step(learningRate) {
          options.learningRate = learningRate;
          kernels.sgd(count, options, values, gradients, velocity);
        },
      };
    }
    case 'adam': {
      const m = allocator.tensor(1, count);
      const v = allocator.tensor(1, count);
      const options = { ...config, step: 0 };
      return {
        step(learningRate) {
          options.learningRate = learningRate;
          options.step++;
          kernels.adam(count, options, values, gradients, m, v);
        },
      };
    }
  }
}
