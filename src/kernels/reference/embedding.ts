/** Embeddings as plain loops. */
import type {
  BinEmbedding,
  EmbeddingKernels,
  LevelEmbedding,
  LevelRows,
  NumberEmbedding,
  Tensor,
} from '../kernels.js';

export const embedding: EmbeddingKernels = {
  sumLevels(rows, levels, x, weight, beta, z) {
    const units = weight.columns;
    if (beta === 0) z.data.fill(0, 0, rows * units);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < levels.columns.data.length; j++) {
        const row = weightRow(levels, j, x.data[i * x.columns + levels.columns.data[j]]);
        for (let u = 0; row >= 0 && u < units; u++) z.data[i * units + u] += weight.data[row * units + u];
      }
    }
  },

  sumLevelsBackward(rows, levels, x, dZ, dWeight) {
    const units = dWeight.columns;
    levels.columns.data.forEach((column, j) => {
      const first = levels.firsts.data[j];
      dWeight.data.fill(0, first * units, (first + levels.counts.data[j]) * units);
      for (let i = 0; i < rows; i++) {
        const row = weightRow(levels, j, x.data[i * x.columns + column]);
        for (let u = 0; row >= 0 && u < units; u++) dWeight.data[row * units + u] += dZ.data[i * units + u];
      }
    });
  },

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

  embedWaves(rows, { numbers, frequency }, x, waves) {
    const { rows: count, columns: k } = frequency;
    for (let j = 0; j < count; j++) {
      for (let i = 0; i < rows; i++) {
        const at = ((j * waves.rows) / count + i) * 2 * k;
        for (let l = 0; l < k; l++) {
          const angle = 2 * Math.PI * frequency.data[j * k + l] * x.data[i * x.columns + numbers.data[j]];
          waves.data[at + l] = Math.cos(angle);
          waves.data[at + k + l] = Math.sin(angle);
        }
      }
    }
  },

  embedWavesBackward(rows, { numbers, others, frequency }, x, waves, dWaves, dY, dFrequency, dX) {
    const { rows: count, columns: k } = frequency;
    dFrequency.data.fill(0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < count; j++) {
        const at = ((j * waves.rows) / count + i) * 2 * k;
        const value = x.data[i * x.columns + numbers.data[j]];
        let dValue = 0;
        for (let l = at; l < at + k; l++) {
          const dAngle = waves.data[l] * dWaves.data[k + l] - waves.data[k + l] * dWaves.data[l];
          dFrequency.data[j * k + l - at] += 2 * Math.PI * value * dAngle;
          dValue += 2 * Math.PI * frequency.data[j * k + l - at] * dAngle;
        }
        if (dX) dX.data[i * x.columns + numbers.data[j]] = dValue;
      }
      if (dX) passBack(i, dY.columns - others.data.length, others.data, dY, dX);
    }
  },

  joinNumbers(rows, { numbers, others }, values, x, y) {
    const count = numbers.data.length;
    const outs = values.columns;
    let at = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < count; j++) {
        const from = ((j * values.rows) / count + i) * outs;
        for (let o = 0; o < outs; o++) y.data[at++] = values.data[from + o];
      }
      for (const column of others.data) y.data[at++] = x.data[i * x.columns + column];
    }
  },

  splitNumbers(rows, { numbers }, y, values) {
    const count = numbers.data.length;
    const outs = values.columns;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < count; j++) {
        const to = ((j * values.rows) / count + i) * outs;
        for (let o = 0; o < outs; o++) values.data[to + o] = y.data[i * y.columns + j * outs + o];
      }
    }
  },

  sumBins({ numbers, edges, bias, weight }, sums) {
    const outs = bias.columns;
    const bins = edges.columns - 1;
    for (let j = 0; j < numbers.data.length; j++) {
      for (let o = 0; o < outs; o++) {
        let sum = 0;
        for (let t = 0; t < bins; t++) {
          sums.data[(j * bins + t) * outs + o] = sum;
          sum += weight.data[(j * bins + t) * outs + o];
        }
      }
    }
  },

  embedBins(rows, embedding, x, sums, places, y) {
    const { numbers, others, edges, slope, bias, weight } = embedding;
    const outs = bias.columns;
    const bins = edges.columns - 1;
    let at = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < numbers.data.length; j++) {
        const value = x.data[i * x.columns + numbers.data[j]];
        const t = binOf(embedding, j, value);
        places.data[i * places.columns + j] = t % 2 === 0 ? t + 1 : -(t + 1);
        const { low, width } = edgesOf(embedding, j, t);
        const part = width > 0 ? (value - low) / width : 0;
        for (let o = 0; o < outs; o++) {
          const own = (j * bins + t) * outs + o;
          const linear = slope.data[j * outs + o] * value + bias.data[j * outs + o];
          y.data[at++] = linear + sums.data[own] + weight.data[own] * part;
        }
      }
      for (const column of others.data) y.data[at++] = x.data[i * x.columns + column];
    }
  },

  embedBinsBackward(rows, embedding, x, places, dY, _sums, gradients, dX) {
    const { numbers, others, edges, slope, bias, weight } = embedding;
    const outs = bias.columns;
    const bins = edges.columns - 1;
    for (const { data } of Object.values(gradients)) data.fill(0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < numbers.data.length; j++) {
        const value = x.data[i * x.columns + numbers.data[j]];
        const place = Math.abs(places.data[i * places.columns + j]) - 1;
        const { low, width } = edgesOf(embedding, j, place);
        let dValue = 0;
        for (let o = 0; o < outs; o++) {
          const d = dY.data[i * dY.columns + j * outs + o];
          gradients.slope.data[j * outs + o] += d * value;
          gradients.bias.data[j * outs + o] += d;
          dValue += d * slope.data[j * outs + o];
          if (width <= 0) continue;
          for (let t = 0; t <= place; t++) {
            gradients.weight.data[(j * bins + t) * outs + o] += t < place ? d : (d * (value - low)) / width;
          }
          dValue += (d * weight.data[(j * bins + place) * outs + o]) / width;
        }
        if (dX) dX.data[i * x.columns + numbers.data[j]] = dValue;
      }
      if (dX) passBack(i, numbers.data.length * outs, others.data, dY, dX);
    }
  },
};

/** The bin of x: the last one that begins at or below it, of those that are wider than nothing. */
function binOf({ edges }: BinEmbedding, j: number, x: number): number {
  const of = (t: number) => edges.data[j * edges.columns + t];
  const last = edges.columns - 1;
  let bin = 0;
  while (bin + 1 < last && of(bin + 1) < of(last) && x >= of(bin + 1)) bin++;
  return bin;
}

function edgesOf({ edges }: BinEmbedding, j: number, t: number): { low: number; width: number } {
  const low = edges.data[j * edges.columns + t];
  return { low, width: edges.data[j * edges.columns + t + 1] - low };
}

/** The row of the weights for a number in column j; −1 for a number that is no level. */
function weightRow({ firsts, counts }: LevelRows, j: number, x: number): number {
  const level = Math.trunc(x);
  return level >= 1 && level <= counts.data[j] ? firsts.data[j] + level - 1 : -1;
}

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
