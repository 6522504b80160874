/** The kernels as plain loops, which test the others. Sums are double, except in products. */
import { ACTIVATIONS, type ActivationFormula } from '../activations.js';
import type { ActivationKernels, DType, Kernels, OptimizerKernels, Tensor } from '../kernels.js';
import { elementwise } from './elementwise.js';
import { embedding } from './embedding.js';
import { losses } from './losses.js';
import { normalization } from './normalization.js';
import { product } from './product.js';

export function referenceKernels(dtype: DType): Kernels {
  return {
    backend: 'reference',
    dtype,
    ...product,
    ...activations,
    ...elementwise,
    ...embedding,
    ...normalization,
    ...losses,
    ...optimizers,
  };
}

/** Over the formulas of ../activations.ts. */
const activations: ActivationKernels = {
  biasActivation(f, rows, x, bias, y) {
    const { value }: ActivationFormula = ACTIVATIONS[f.type];
    const columns = x.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        if (bias) x.data[at] += bias.data[j];
        y.data[at] = value(x.data[at], f.parameter);
      }
    }
  },

  biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
    const { derivative }: ActivationFormula = ACTIVATIONS[f.type];
    const columns = y.columns;
    for (let at = 0; at < rows * columns; at++) {
      dX.data[at] = dY.data[at] * derivative(x.data[at], y.data[at], f.parameter);
    }
    if (dBias) columnSums(rows, dX, dBias);
  },

  parametricActivation(f, rows, x, bias, slope, y) {
    const { value }: ActivationFormula = ACTIVATIONS[f.type];
    const columns = x.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        if (bias) x.data[at] += bias.data[j];
        const h = x.data[at];
        y.data[at] = (1 - slope.data[j]) * h + slope.data[j] * value(h, f.parameter);
      }
    }
  },

  parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
    const { value, derivative }: ActivationFormula = ACTIVATIONS[f.type];
    const columns = h.columns;
    for (let j = 0; j < columns; j++) {
      const a = slope.data[j];
      let sum = 0;
      for (let at = j; at < rows * columns; at += columns) {
        const x = h.data[at];
        const y = value(x, f.parameter);
        sum += dY.data[at] * (y - x);
        dX.data[at] = dY.data[at] * (1 - a + a * derivative(x, y, f.parameter));
      }
      dSlope.data[j] = sum;
    }
    if (dBias) columnSums(rows, dX, dBias);
  },
};

function columnSums(rows: number, { data, columns }: Tensor, sums: Tensor): void {
  for (let j = 0; j < columns; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += data[i * columns + j];
    sums.data[j] = sum;
  }
}

/** By the plain loop of the rule (../optimizers.ts). */
const optimizers: OptimizerKernels = {
  optimizerStep(rule, count, scalars, parameters, gradients, state) {
    const states = state.map((tensor) => tensor?.data ?? null);
    rule.step(count, scalars, parameters.data, gradients.data, states);
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(parameters.data[i])) return false;
    }
    return true;
  },
};
