/**
 * The steps of all optimisers, for tests: each variant by name, and those that only the table knows,
 * with their defaults.
 */
import type { Kernels, Tensor } from '../../src/kernels/kernels.js';
import { OPTIMIZERS, type OptimizerFormula } from '../../src/kernels/optimizers.js';
import { type OptimizerConfig, optimizerSchema } from '../../src/spec/optimizerConfig.js';

const sgd = { type: 'sgd', learningRate: 0.1, momentum: 0.9, nesterov: false } as const;
const rmsprop = {
  type: 'rmsprop',
  learningRate: 0.1,
  alpha: 0.9,
  epsilon: 1e-8,
  momentum: 0,
  centered: false,
} as const;

/** Their parameters follow an infinite gradient. */
export const VARIANTS: Record<string, OptimizerConfig> = {
  sgd: { ...sgd, momentum: 0 },
  momentum: sgd,
  nesterov: { ...sgd, nesterov: true },
  adam: { type: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  rmsprop,
  'rmsprop with momentum': { ...rmsprop, momentum: 0.9 },
  'centered rmsprop': { ...rmsprop, centered: true },
  'centered rmsprop with momentum': { ...rmsprop, centered: true, momentum: 0.9 },
  adagrad: { type: 'adagrad', learningRate: 0.1, initialAccumulator: 0, epsilon: 1e-10 },
};

export const STEPS: Record<string, OptimizerConfig> = {
  ...Object.fromEntries(Object.keys(OPTIMIZERS).map((type) => [type, optimizerSchema.parse({ type })])),
  ...VARIANTS,
};

/** The third step of an optimiser; `state` has a tensor for each place of the rule. */
export function takeStep(
  kernels: Kernels,
  config: OptimizerConfig,
  count: number,
  p: Tensor,
  g: Tensor,
  state: readonly Tensor[],
): boolean {
  const formula = OPTIMIZERS[config.type] as OptimizerFormula<OptimizerConfig>;
  const tensors = formula.state(config).map((name, i) => (name === null ? null : state[i]));
  const scalars = formula.scalars(config, config.learningRate, 3);
  return kernels.optimizerStep(formula, count, scalars, p, g, tensors);
}
