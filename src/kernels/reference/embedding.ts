/** Embeddings as plain loops. */
import type { EmbeddingKernels, LevelEmbedding, NumberEmbedding, Tensor } from '../kernels.js';

export const embedding: EmbeddingKernels = {
  embedLevels(rows, embedding, x, vectors, y) {
    const { columns, others } = embedding;
    const size = vectors.columns;
    let at = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns.data.length; j++) {
        const row = rowOfLevel(embedding, j, x.data[i * x.columns + columns.data[j]]);
        for (let l = 0; l < size; l++) y.data[at++] = row < 0 ? 0 : vectors.data[row * size + l];
      }
      for (const column of others.data) y.data[at++] = x.data[i * x.columns + column];
    }
  },

  embedLevelsBackward(rows, embedding, x, dY, dVectors, dX) {
    const { columns, others } = embedding;
    const size = dVectors.columns;
    dVectors.data.fill(0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns.data.length; j++) {
        const row = rowOfLevel(embedding, j, x.data[i * x.columns + columns.data[j]]);
        for (let l = 0; row >= 0 && l < size; l++) {
          dVectors.data[row * size + l] += dY.data[i * dY.columns + j * size + l];
        }
        if (dX) dX.data[i * x.columns + columns.data[j]] = 0;
      }
      if (dX) passBack(i, columns.data.length * size, others.data, dY, dX);
    }
  },

  embedNumbers(rows, embedding, x, y) {
    const { numbers, others, weight, bias } = embedding;
    const k = weight.columns;
    const outs = bias.columns;
    let at = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < numbers.data.length; j++) {
        const value = x.data[i * x.columns + numbers.data[j]];
        y.data[at++] = value;
        for (let o = 0; o < outs; o++) {
          let sum = bias.data[j * outs + o];
          for (let l = 0; l < k; l++) {
            sum += weight.data[(j * outs + o) * k + l] * Math.cos(angle(embedding, j, l, value));
          }
          y.data[at++] = sum;
        }
      }
      for (const column of others.data) y.data[at++] = x.data[i * x.columns + column];
    }
  },

  embedNumbersBackward(rows, embedding, x, dY, gradients, dX) {
    const { numbers, others, frequency, weight, bias } = embedding;
    const k = weight.columns;
    const outs = bias.columns;
    for (const { data } of Object.values(gradients)) data.fill(0);
    for (let i = 0; i < rows; i++) {
      const d = (o: number, j: number) => dY.data[i * dY.columns + j * (outs + 1) + o];
      for (let j = 0; j < numbers.data.length; j++) {
        const value = x.data[i * x.columns + numbers.data[j]];
        let dValue = d(0, j);
        for (let l = 0; l < k; l++) {
          const phi = angle(embedding, j, l, value);
          let dCosine = 0;
          for (let o = 0; o < outs; o++) {
            gradients.weight.data[(j * outs + o) * k + l] += d(o + 1, j) * Math.cos(phi);
            dCosine += d(o + 1, j) * weight.data[(j * outs + o) * k + l];
          }
          const dAngle = -Math.sin(phi) * dCosine;
          gradients.phase.data[j * k + l] += dAngle;
          gradients.frequency.data[j * k + l] += 2 * Math.PI * value * dAngle;
          dValue += 2 * Math.PI * frequency.data[j * k + l] * dAngle;
        }
        for (let o = 0; o < outs; o++) gradients.bias.data[j * outs + o] += d(o + 1, j);
        if (dX) dX.data[i * x.columns + numbers.data[j]] = dValue;
      }
      if (dX) passBack(i, numbers.data.length * (outs + 1), others.data, dY, dX);
    }
  },
};

/** The row of the vectors for this number in column j; −1 for a number that is no level. */
function rowOfLevel({ ends }: LevelEmbedding, j: number, x: number): number {
  const level = Math.trunc(x);
  const row = ends.data[j] + level - 1;
  return level >= 1 && row < ends.data[j + 1] ? row : -1;
}

function angle({ frequency, phase }: NumberEmbedding, j: number, l: number, x: number): number {
  const at = j * frequency.columns + l;
  return 2 * Math.PI * frequency.data[at] * x + phase.data[at];
}

/** The gradients of columns that went through, in row i of dY from column `first` on. */
function passBack(i: number, first: number, columns: Int32Array, dY: Tensor, dX: Tensor): void {
  columns.forEach((column, r) => {
    dX.data[i * dX.columns + column] = dY.data[i * dY.columns + first + r];
  });
}
