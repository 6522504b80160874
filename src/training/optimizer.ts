/** Optimisers: state in the arena, one kernel call a step over the whole parameter block; clipping. */
import type { Allocator } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import { OPTIMIZERS, type OptimizerFormula } from '../kernels/optimizers.js';
import type { Parameters } from '../network/parameters.js';
import type { OptimizerConfig } from '../spec/optimizerConfig.js';

export interface Optimizer {
  /** Its tensors [1, parameters] by name, all that a step depends on; they start at 0. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Takes step number `step`, from 1; returns whether every parameter is finite afterwards. */
  step(learningRate: number, step: number): boolean;
}

/** Takes the optimiser's state from the allocator, zeroed as all its tensors are. */
export function createOptimizer(
  config: OptimizerConfig,
  { values, gradients, layout }: Parameters,
  kernels: Kernels,
  allocator: Allocator,
): Optimizer {
  const formula = OPTIMIZERS[config.type] as OptimizerFormula<OptimizerConfig>;
  const state: Record<string, Tensor> = {};
  const tensors = formula.state(config).map((name) => {
    if (name === null) return null;
    state[name] = allocator.tensor(1, layout.total);
    return state[name];
  });
  const weightDecay = 'weightDecay' in config ? config.weightDecay : 0;
  return {
    state,
    step(learningRate, step) {
      // The decay is apart from the gradient, so that Adam's scaling leaves it alone.
      if (weightDecay > 0) kernels.addScaled(layout.weights, -learningRate * weightDecay, values, values);
      const scalars = formula.scalars(config, learningRate, step);
      return kernels.optimizerStep(formula, layout.total, scalars, values, gradients, tensors);
    },
  };
}

/** Added to the norm, as in PyTorch: a clipped gradient comes out slightly shorter than maxNorm. */
const EPSILON = 1e-6;

/**
 * Clipping by the norm √Σg² of all gradients (Pascanu, Mikolov and Bengio 2013, Algorithm 1): above
 * `maxNorm`, g ← g·maxNorm/(norm + 1e−6). A norm that is not finite changes nothing: scaling would
 * hide the cause.
 * @returns the norm before clipping
 */
export function clipGradients(kernels: Kernels, { gradients, layout }: Parameters, maxNorm: number): number {
  const norm = Math.sqrt(kernels.sumOfSquares(layout.total, gradients));
  const factor = maxNorm / (norm + EPSILON);
  if (factor < 1 && Number.isFinite(norm)) kernels.scale(layout.total, factor, gradients);
  return norm;
}
