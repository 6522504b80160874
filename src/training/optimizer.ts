/**
 * Optimisers: state in the arena, one kernel call a step over the whole parameter block, or over
 * each range of it that learns at its own rate; clipping.
 */
import { type Allocator, slice } from '../kernels/arena.js';
import type { Kernels, Tensor } from '../kernels/kernels.js';
import { OPTIMIZERS, type OptimizerFormula } from '../kernels/optimizers.js';
import type { ParameterLayout, Parameters } from '../network/parameters.js';
import type { OptimizerConfig, RatesConfig } from '../spec/optimizerConfig.js';
import { flatCosine } from './schedules.js';

export interface Optimizer {
  /** Its tensors [1, parameters] by name, all that a step depends on; they start at 0. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** Takes step number `step`, from 1; returns whether every parameter is finite afterwards. */
  step(learningRate: number, step: number): boolean;
}

export interface OptimizerRun {
  /** What multiplies the learning rate of each kind of parameter; 1 if left out. */
  readonly rates?: RatesConfig | undefined;
  /** The steps of the run, over which a schedule of the weight decay goes. */
  readonly steps: number;
}

/** Takes the optimiser's state from the allocator, zeroed as all its tensors are. */
export function createOptimizer(
  config: OptimizerConfig,
  { values, gradients, layout }: Parameters,
  kernels: Kernels,
  allocator: Allocator,
  { rates, steps }: OptimizerRun = { steps: Number.POSITIVE_INFINITY },
): Optimizer {
  const formula = OPTIMIZERS[config.type] as OptimizerFormula<OptimizerConfig>;
  const state: Record<string, Tensor> = {};
  const tensors = formula.state(config).map((name) => {
    if (name === null) return null;
    state[name] = allocator.tensor(1, layout.total);
    return state[name];
  });
  const decayOf = weightDecayOf(config, steps);
  const decayRate = rates?.weight ?? 1;
  const ranges = rangesOf(layout, rates).map(({ start, count, factor }) => {
    const part = (tensor: Tensor) => slice(tensor, start, 1, count);
    const state = tensors.map((tensor) => tensor && part(tensor));
    return { count, factor, values: part(values), gradients: part(gradients), state };
  });
  return {
    state,
    step(learningRate, step) {
      // The decay is apart from the gradient, so that Adam's scaling leaves it alone.
      const decay = learningRate * decayRate * decayOf(step);
      if (decay > 0) kernels.addScaled(layout.weights, -decay, values, values);
      let areFinite = true;
      for (const { count, factor, values, gradients, state } of ranges) {
        const scalars = formula.scalars(config, learningRate * factor, step);
        areFinite = kernels.optimizerStep(formula, count, scalars, values, gradients, state) && areFinite;
      }
      return areFinite;
    },
  };
}

/** The weight decay of a step, which counts from 1. */
function weightDecayOf(config: OptimizerConfig, steps: number): (step: number) => number {
  if (!('weightDecay' in config)) return () => 0;
  const { weightDecay, weightDecaySchedule } = config;
  return weightDecaySchedule === 'flat-cosine'
    ? (step) => weightDecay * flatCosine((step - 1) / steps)
    : () => weightDecay;
}

interface Range {
  readonly start: number;
  count: number;
  readonly factor: number;
}

/** The block cut where the factor of the learning rate changes, in its order. */
function rangesOf({ shapes, total }: ParameterLayout, rates: RatesConfig | undefined): Range[] {
  if (rates === undefined) return [{ start: 0, count: total, factor: 1 }];
  const ranges: Range[] = [];
  for (const { kind, start, rows, columns } of [...shapes].sort((a, b) => a.start - b.start)) {
    const factor = rates[kind] ?? 1;
    const last = ranges.at(-1);
    if (last?.factor === factor) last.count += rows * columns;
    else ranges.push({ start, count: rows * columns, factor });
  }
  return ranges;
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
