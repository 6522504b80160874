/** Optimisers: state in the arena, one kernel call a step over the whole parameter block. */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import type { Parameters } from '../network/parameters.js';
import type { OptimizerConfig } from '../spec/optimizerConfig.js';

export interface Optimizer {
  /**
   * Its own tensors [1, parameters] by name: what a checkpoint keeps. They start at 0, and there is nothing else that a step
   * depends on. Empty for plain sgd.
   */
  readonly state: Readonly<Record<string, Tensor>>;
  /**
   * Moves the parameters by their gradients.
   * @param step the number of the step, from 1
   * @returns whether every parameter is finite afterwards
   */
  step(learningRate: number, step: number): boolean;
}

/** Takes the optimiser's state from the allocator, zeroed as all its tensors are. */
export function createOptimizer(
  config: OptimizerConfig,
  { values, gradients, layout }: Parameters,
  kernels: Kernels,
  allocator: Allocator,
): Optimizer {
  const count = layout.total;
  const tensor = () => allocator.tensor(1, count);
  switch (config.type) {
    case 'sgd': {
      const velocity = config.momentum > 0 ? tensor() : null;
      const options = { ...config };
      return {
        state: { ...(velocity && { velocity }) },
        step(learningRate) {
          options.learningRate = learningRate;
          return kernels.sgd(count, options, values, gradients, velocity);
        },
      };
    }
    case 'adam':
    case 'adamw': {
      const m = tensor();
      const v = tensor();
      const weightDecay = config.type === 'adamw' ? config.weightDecay : 0;
      const options = { ...config, step: 0 };
      return {
        state: { m, v },
        step(learningRate, step) {
          options.learningRate = learningRate;
          options.step = step;
          // The decay apart from the gradient, so that Adam's scaling leaves it alone.
          if (weightDecay > 0) kernels.addScaled(layout.weights, -learningRate * weightDecay, values, values);
          return kernels.adam(count, options, values, gradients, m, v);
        },
      };
    }
    case 'rmsprop': {
      const squares = tensor();
      const mean = config.centered ? tensor() : null;
      const velocity = config.momentum > 0 ? tensor() : null;
      const options = { ...config };
      return {
        state: { squares, ...(mean && { mean }), ...(velocity && { velocity }) },
        step(learningRate) {
          options.learningRate = learningRate;
          return kernels.rmsprop(count, options, values, gradients, squares, mean, velocity);
        },
      };
    }
    case 'adagrad': {
      const squares = tensor();
      const options = { ...config };
      return {
        state: { squares },
        step(learningRate) {
          options.learningRate = learningRate;
          return kernels.adagrad(count, options, values, gradients, squares);
        },
      };
    }
  }
}
