/** Bias and activation as plain loops over the formulas of ../activations.ts. */
import { ACTIVATIONS, type ActivationFormula } from '../activations.js';
import type { ActivationKernels } from '../kernels.js';

export const activations: ActivationKernels = {
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
    if (!dBias) return;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += dX.data[i * columns + j];
      dBias.data[j] = sum;
    }
  },
};
