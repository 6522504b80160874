/** Embeddings as plain loops. */
import type { EmbeddingKernels, NumberEmbedding, Tensor } from '../kernels.js';

export const embedding: EmbeddingKernels = {
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
