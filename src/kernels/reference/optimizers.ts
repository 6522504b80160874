/** The step of an optimiser by the plain loop of its rule (../optimizers.ts). */
import type { OptimizerKernels } from '../kernels.js';

export const optimizers: OptimizerKernels = {
  optimizerStep(rule, count, scalars, parameters, gradients, state) {
    const states = state.map((tensor) => tensor?.data ?? null);
    rule.step(count, scalars, parameters.data, gradients.data, states);
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(parameters.data[i])) return false;
    }
    return true;
  },
};
