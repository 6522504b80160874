/**
 * The kernels as plain loops: what every other backend is tested against. Sums are taken in double precision
 * for either dtype, except in the products, which round as they go.
 */
import { ACTIVATIONS, sigmoid, softplus } from './activations.js';
import type {
  Activation,
  DropoutMask,
  DType,
  FloatArray,
  IntVector,
  Kernels,
  ProductForm,
  Tensor,
} from './kernels.js';
import { philox4x32 } from './philox.js';
import {
  batchNorm,
  batchNormBackward,
  batchNormEvaluation,
  layerNorm,
  layerNormBackward,
  layerNormParameters,
} from './referenceNormalization.js';
import { adagrad, adam, rmsprop, sgd } from './referenceOptimizers.js';

export class ReferenceKernels implements Kernels {
  readonly backend = 'reference';

  constructor(readonly dtype: DType) {}

  gemm(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: Tensor,
    b: Tensor,
    beta: 0 | 1,
    c: Tensor,
  ): void {
    if (beta === 0) c.data.fill(0, 0, m * n);
    if (form === 'NT') addDotProducts(m, n, k, a.data, b.data, c.data);
    else if (form === 'NN') addScaledRows(m, n, k, a.data, k, 1, b.data, c.data);
    else addScaledRows(m, n, k, a.data, 1, m, b.data, c.data);
  }

  biasActivation(f: Activation, rows: number, x: Tensor, bias: Tensor | null, y: Tensor): void {
    const { value } = ACTIVATIONS[f.type];
    const columns = x.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        if (bias) x.data[at] += bias.data[j];
        y.data[at] = value(x.data[at], f.parameter);
      }
    }
  }

  biasActivationBackward(
    f: Activation,
    rows: number,
    x: Tensor,
    y: Tensor,
    dY: Tensor,
    dX: Tensor,
    dBias: Tensor | null,
  ): void {
    const { derivative } = ACTIVATIONS[f.type];
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
  }

  add(rows: number, a: Tensor, b: Tensor, out: Tensor): void {
    for (let at = 0; at < rows * out.columns; at++) out.data[at] = a.data[at] + b.data[at];
  }

  scaleRows(rows: number, factors: Tensor, x: Tensor): void {
    const columns = x.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) x.data[at] *= factors.data[i];
    }
  }

  copy(rows: number, source: Tensor, out: Tensor): void {
    out.data.set(source.data.subarray(0, rows * source.columns));
  }

  dropout(rows: number, { rate, seed, layer, step }: DropoutMask, x: Tensor, out: Tensor): void {
    const threshold = Math.floor(rate * 2 ** 32);
    const scale = 1 / (1 - rate);
    const key = [seed, layer];
    const counter = [0, 0, step, Math.floor(step / 2 ** 32)];
    const draws = new Uint32Array(4);
    for (let at = 0; at < rows * x.columns; at++) {
      if (at % 4 === 0) {
        counter[0] = at / 4;
        philox4x32(counter, key, draws);
      }
      out.data[at] = draws[at % 4] < threshold ? 0 : x.data[at] * scale;
    }
  }

  gather(rows: number, source: Tensor, indices: IntVector, out: Tensor): void {
    const columns = source.columns;
    for (let i = 0; i < rows; i++) {
      const from = indices.data[i] * columns;
      out.data.set(source.data.subarray(from, from + columns), i * columns);
    }
  }

  gatherLabels(rows: number, source: IntVector, indices: IntVector, out: IntVector): void {
    for (let i = 0; i < rows; i++) out.data[i] = source.data[indices.data[i]];
  }

  softmaxCrossEntropy(
    rows: number,
    logits: Tensor,
    labels: IntVector,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void {
    const columns = logits.columns;
    const h = logits.data;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const label = start + labels.data[i];
      const { max, sum } = shiftedExponentials(h, start, columns);
      // −log P(label) = log Σ_k e^(h_k − max) − (h_label − max)
      rowLoss.data[i] = Math.log(sum) - (h[label] - max);
      if (!dLogits) continue;
      for (let at = start; at < start + columns; at++) {
        const probability = Math.exp(h[at] - max) / sum;
        dLogits.data[at] = scale * (at === label ? probability - 1 : probability); // P − y
      }
    }
  }

  sigmoidCrossEntropy(
    rows: number,
    logits: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void {
    const columns = logits.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      let loss = 0;
      for (let j = 0; j < columns; j++, at++) {
        const h = logits.data[at];
        const t = targets.data[at];
        // −t·log σ(h) − (1−t)·log(1−σ(h)) = softplus(h) − t·h; softplus(−h) where t is 1 keeps a tiny loss exact
        loss += t === 1 ? softplus(-h) : softplus(h) - t * h;
        if (dLogits) dLogits.data[at] = scale * (sigmoid(h) - t);
      }
      rowLoss.data[i] = loss;
    }
  }

  squaredError(
    rows: number,
    output: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dOutput: Tensor | null,
  ): void {
    const columns = output.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      let loss = 0;
      for (let j = 0; j < columns; j++, at++) {
        const difference = output.data[at] - targets.data[at];
        loss += difference * difference;
        if (dOutput) dOutput.data[at] = scale * 2 * difference;
      }
      rowLoss.data[i] = loss;
    }
  }

  softmax(rows: number, logits: Tensor, out: Tensor): void {
    const columns = logits.columns;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const { max, sum } = shiftedExponentials(logits.data, start, columns);
      for (let at = start; at < start + columns; at++) {
        out.data[at] = Math.exp(logits.data[at] - max) / sum;
      }
    }
  }

  sum(count: number, x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += x.data[i];
    return sum;
  }

  sumOfSquares(count: number, x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += x.data[i] * x.data[i];
    return sum;
  }

  sumOfMagnitudes(count: number, x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += Math.abs(x.data[i]);
    return sum;
  }

  addScaled(count: number, scale: number, x: Tensor, y: Tensor): void {
    for (let i = 0; i < count; i++) y.data[i] += scale * x.data[i];
  }

  addSigns(count: number, scale: number, x: Tensor, y: Tensor): void {
    for (let i = 0; i < count; i++) y.data[i] += scale * Math.sign(x.data[i]);
  }

  scale(count: number, factor: number, x: Tensor): void {
    for (let i = 0; i < count; i++) x.data[i] *= factor;
  }

  readonly batchNorm = batchNorm;
  readonly batchNormEvaluation = batchNormEvaluation;
  readonly batchNormBackward = batchNormBackward;
  readonly layerNorm = layerNorm;
  readonly layerNormParameters = layerNormParameters;
  readonly layerNormBackward = layerNormBackward;

  readonly sgd = sgd;
  readonly adam = adam;
  readonly rmsprop = rmsprop;
  readonly adagrad = adagrad;
}

/** c[m, n] += op(a)·b, a row of b at a time, four for one pass over the row of c; op(a)[i, p] = a[i·aRow + p·aColumn]. */
function addScaledRows(
  m: number,
  n: number,
  k: number,
  a: FloatArray,
  aRow: number,
  aColumn: number,
  b: FloatArray,
  c: FloatArray,
): void {
  for (let i = 0; i < m; i++) {
    const cRow = i * n;
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const at = i * aRow + p * aColumn;
      const a0 = a[at];
      const a1 = a[at + aColumn];
      const a2 = a[at + 2 * aColumn];
      const a3 = a[at + 3 * aColumn];
      const b0 = p * n;
      const b1 = b0 + n;
      const b2 = b1 + n;
      const b3 = b2 + n;
      for (let j = 0; j < n; j++) {
        c[cRow + j] += a0 * b[b0 + j] + a1 * b[b1 + j] + a2 * b[b2 + j] + a3 * b[b3 + j];
      }
    }
    for (; p < k; p++) {
      const ap = a[i * aRow + p * aColumn];
      for (let j = 0; j < n; j++) c[cRow + j] += ap * b[p * n + j];
    }
  }
}

/** c[m, n] += a·bᵀ with b stored [n, k]: the dot products of rows, four at a time for one pass over the row of a. */
function addDotProducts(m: number, n: number, k: number, a: FloatArray, b: FloatArray, c: FloatArray): void {
  for (let i = 0; i < m; i++) {
    const aRow = i * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const b0 = j * k;
      const b1 = b0 + k;
      const b2 = b1 + k;
      const b3 = b2 + k;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      for (let p = 0; p < k; p++) {
        const ap = a[aRow + p];
        s0 += ap * b[b0 + p];
        s1 += ap * b[b1 + p];
        s2 += ap * b[b2 + p];
        s3 += ap * b[b3 + p];
      }
      c[i * n + j] += s0;
      c[i * n + j + 1] += s1;
      c[i * n + j + 2] += s2;
      c[i * n + j + 3] += s3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[aRow + p] * b[j * k + p];
      c[i * n + j] += sum;
    }
  }
}

/** The row's maximum and Σ_k e^(h_k − max), which is at least 1 and never overflows. */
function shiftedExponentials(h: FloatArray, start: number, columns: number): { max: number; sum: number } {
  let max = Number.NEGATIVE_INFINITY;
  for (let at = start; at < start + columns; at++) max = Math.max(max, h[at]);
  let sum = 0;
  for (let at = start; at < start + columns; at++) sum += Math.exp(h[at] - max);
  return { max, sum };
}
