/**
 * The optimisers by name: state, numbers of a step, and the step as a plain loop (the reference).
 * wasm/assembly/optimizers.ts has the same steps on vectors.
 */
import type { FloatArray, OptimizerRule } from './kernels.js';

export interface OptimizerFormula<Options> extends OptimizerRule {
  /** Names of its tensors in the order of a step, null for one not needed. They start at 0. */
  state(options: Options): readonly (string | null)[];
  /** The numbers of a step, in its order; `step` counts from 1. */
  scalars(options: Options, learningRate: number, step: number): number[];
}

/** v ← momentum·v + g; p ← p − rate·v (nesterov: rate·(g + momentum·v), no momentum: rate·g) */
const sgd: OptimizerFormula<{ momentum: number; nesterov: boolean }> = {
  name: 'sgd',
  state: ({ momentum }) => [momentum > 0 ? 'velocity' : null],
  scalars: ({ momentum, nesterov }, rate) => [rate, momentum, nesterov ? 1 : 0],
  step(count, [rate, momentum, nesterov], p, gradients, [velocity]) {
    for (let i = 0; i < count; i++) {
      const g = gradients[i];
      let direction = g;
      if (velocity) {
        const v = momentum * velocity[i] + g;
        velocity[i] = v;
        direction = nesterov ? g + momentum * v : v;
      }
      p[i] -= rate * direction;
    }
  },
};

/** Kingma and Ba 2015, Algorithm 1. For adamw's weight decay see training/optimizer.ts. */
const adam: OptimizerFormula<{ beta1: number; beta2: number; epsilon: number }> = {
  name: 'adam',
  state: () => ['m', 'v'],
  scalars: ({ beta1, beta2, epsilon }, rate, step) => [
    rate,
    beta1,
    beta2,
    epsilon,
    1 - beta1 ** step,
    1 - beta2 ** step,
  ],
  step(count, [rate, beta1, beta2, epsilon, correction1, correction2], p, gradients, state) {
    const [m, v] = state as readonly FloatArray[];
    for (let i = 0; i < count; i++) {
      const g = gradients[i];
      const mean = beta1 * m[i] + (1 - beta1) * g;
      const square = beta2 * v[i] + (1 - beta2) * g * g;
      m[i] = mean;
      v[i] = square;
      p[i] -= (rate * (mean / correction1)) / (Math.sqrt(square / correction2) + epsilon);
    }
  },
};

/**
 * Hinton 2012, lecture 6e; Graves 2013 if centered: squares ← alpha·squares + (1 − alpha)·g²; d ←
 * g/(√squares + epsilon); v ← momentum·v + d; p ← p − rate·v, or p ← p − rate·d without momentum.
 * Centered, the squares are those of the deviations from the mean of the gradients.
 */
const rmsprop: OptimizerFormula<{
  alpha: number;
  epsilon: number;
  momentum: number;
  centered: boolean;
}> = {
  name: 'rmsprop',
  state: ({ centered, momentum }) => ['squares', centered ? 'mean' : null, momentum > 0 ? 'velocity' : null],
  scalars: ({ alpha, epsilon, momentum }, rate) => [rate, alpha, epsilon, momentum],
  step(count, [rate, alpha, epsilon, momentum], p, gradients, state) {
    const [squares] = state as readonly FloatArray[];
    const [, mean, velocity] = state;
    const rest = 1 - alpha;
    for (let i = 0; i < count; i++) {
      const g = gradients[i];
      let square = alpha * squares[i] + rest * g * g;
      if (mean) {
        // E[g²] − E[g]² by what each gradient adds to it: this neither cancels nor falls below 0.
        const deviation = g - mean[i];
        mean[i] += rest * deviation;
        square = alpha * (squares[i] + rest * deviation * deviation);
      }
      squares[i] = square;
      let direction = g / (Math.sqrt(square) + epsilon);
      if (velocity) {
        direction += momentum * velocity[i];
        velocity[i] = direction;
      }
      p[i] -= rate * direction;
    }
  },
};

/**
 * Duchi et al. 2011: squares ← squares + g²; p ← p − rate·g/(√(initialAccumulator + squares) +
 * epsilon). initialAccumulator is added here, so that every state starts at 0.
 */
const adagrad: OptimizerFormula<{ initialAccumulator: number; epsilon: number }> = {
  name: 'adagrad',
  state: () => ['squares'],
  scalars: ({ initialAccumulator, epsilon }, rate) => [rate, initialAccumulator, epsilon],
  step(count, [rate, initialAccumulator, epsilon], p, gradients, state) {
    const [squares] = state as readonly FloatArray[];
    for (let i = 0; i < count; i++) {
      const g = gradients[i];
      const square = squares[i] + g * g;
      squares[i] = square;
      p[i] -= (rate * g) / (Math.sqrt(initialAccumulator + square) + epsilon);
    }
  },
};

/** The optimisers by the names that a config has for them. */
export const OPTIMIZERS = { sgd, adam, adamw: adam, rmsprop, adagrad } as const;
