/** The normalisations as plain loops. */
import type { FloatArray, NormalizationKernels } from '../kernels.js';

export const normalization: NormalizationKernels = {
  batchNorm(rows, epsilon, x, scale, shift, moments, running, y) {
    const { columns } = x;
    for (let j = 0; j < columns; j++) {
      const { mean, squares } = momentsOf(x.data, j, columns, rows);
      writeMoments(moments.data, j, columns, mean, squares / rows, epsilon);
      if (running) {
        follow(running.mean.data, j, running.momentum, mean);
        follow(running.variance.data, j, running.momentum, squares / (rows - 1));
      }
      const standardized = standardizer(moments.data, j, columns);
      for (let at = j; at < rows * columns; at += columns) {
        y.data[at] = scale.data[j] * standardized(x.data[at]) + shift.data[j];
      }
    }
  },

  batchNormEvaluation(rows, epsilon, x, scale, shift, { mean, variance }, y) {
    const { columns } = x;
    for (let j = 0; j < columns; j++) {
      const inverse = 1 / Math.sqrt(variance.data[j] + epsilon);
      for (let at = j; at < rows * columns; at += columns) {
        y.data[at] = scale.data[j] * (x.data[at] - mean.data[j]) * inverse + shift.data[j];
      }
    }
  },

  batchNormBackward(rows, x, moments, scale, dY, dX, dScale, dShift) {
    const { columns } = x;
    for (let j = 0; j < columns; j++) {
      const standardized = standardizer(moments.data, j, columns);
      let sum = 0;
      let product = 0;
      for (let at = j; at < rows * columns; at += columns) {
        sum += dY.data[at];
        product += dY.data[at] * standardized(x.data[at]);
      }
      dShift.data[j] = sum;
      dScale.data[j] = product;
      if (!dX) continue;
      const factor = scale.data[j] * moments.data[2 * columns + j];
      for (let at = j; at < rows * columns; at += columns) {
        dX.data[at] = factor * (dY.data[at] - sum / rows - (standardized(x.data[at]) * product) / rows);
      }
    }
  },

  layerNorm(rows, epsilon, x, scale, shift, moments, y) {
    const { columns } = x;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const { mean, squares } = momentsOf(x.data, start, 1, columns);
      writeMoments(moments.data, 3 * i, 1, mean, squares / columns, epsilon);
      const standardized = standardizer(moments.data, 3 * i, 1);
      for (let j = 0; j < columns; j++) {
        y.data[start + j] = scale.data[j] * standardized(x.data[start + j]) + shift.data[j];
      }
    }
  },

  layerNormParameters(rows, x, moments, dY, dScale, dShift) {
    const { columns } = x;
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      let product = 0;
      for (let i = 0; i < rows; i++) {
        const at = i * columns + j;
        sum += dY.data[at];
        product += dY.data[at] * standardizer(moments.data, 3 * i, 1)(x.data[at]);
      }
      dShift.data[j] = sum;
      dScale.data[j] = product;
    }
  },

  layerNormBackward(rows, x, moments, scale, dY, dX) {
    const { columns } = x;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const standardized = standardizer(moments.data, 3 * i, 1);
      let sum = 0;
      let product = 0;
      for (let j = 0; j < columns; j++) {
        const g = dY.data[start + j] * scale.data[j];
        sum += g;
        product += g * standardized(x.data[start + j]);
      }
      const inverse = moments.data[3 * i + 2];
      for (let j = 0; j < columns; j++) {
        const g = dY.data[start + j] * scale.data[j];
        const correction = sum / columns + (standardized(x.data[start + j]) * product) / columns;
        dX.data[start + j] = inverse * (g - correction);
      }
    }
  },
};

/** Mean of `count` elements `step` apart, and the sum of their squared deviations from it. */
function momentsOf(
  x: FloatArray,
  first: number,
  step: number,
  count: number,
): { mean: number; squares: number } {
  const end = first + count * step;
  let sum = 0;
  for (let at = first; at < end; at += step) sum += x[at];
  const mean = sum / count;
  let squares = 0;
  for (let at = first; at < end; at += step) squares += (x[at] - mean) ** 2;
  return { mean, squares };
}

/** Writes what `standardizer` reads: three elements from `first` on, `step` apart. */
function writeMoments(
  moments: FloatArray,
  first: number,
  step: number,
  mean: number,
  variance: number,
  epsilon: number,
): void {
  moments[first] = mean;
  moments[first + step] = mean - moments[first];
  moments[first + 2 * step] = 1 / Math.sqrt(variance + epsilon);
}

/** x̂ as a function of x. */
function standardizer(moments: FloatArray, first: number, step: number): (x: number) => number {
  const mean = moments[first];
  const rest = moments[first + step];
  const inverse = moments[first + 2 * step];
  return (x) => (x - mean - rest) * inverse;
}

function follow(running: FloatArray, at: number, momentum: number, value: number): void {
  running[at] = (1 - momentum) * running[at] + momentum * value;
}
