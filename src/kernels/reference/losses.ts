/** The losses of rows with their gradients, and softmax; sums in double precision. */
import { sigmoid, softplus } from '../activations.js';
import { ELEMENT_LOSSES, type ElementLoss } from '../elementLosses.js';
import type { FloatArray, LossKernels } from '../kernels.js';

export const losses: LossKernels = {
  softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, dLogits, smoothing = 0) {
    const columns = logits.columns;
    const h = logits.data;
    const share = smoothing / columns;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const label = start + labels.data[i];
      const { max, sum } = shiftedExponentials(h, start, columns);
      // −log P(label) = log Σ_k e^(h_k − max) − (h_label − max)
      let toMax = h[label] - max;
      if (smoothing !== 0) {
        toMax *= 1 - smoothing;
        for (let at = start; at < start + columns; at++) toMax += share * (h[at] - max);
      }
      rowLoss.data[i] = Math.log(sum) - toMax;
      if (!dLogits) continue;
      for (let at = start; at < start + columns; at++) {
        const probability = Math.exp(h[at] - max) / sum;
        // P − y
        dLogits.data[at] = scale * ((at === label ? probability - 1 + smoothing : probability) - share);
      }
    }
  },

  sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, dLogits, smoothing = 0) {
    const columns = logits.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      let loss = 0;
      for (let j = 0; j < columns; j++, at++) {
        const h = logits.data[at];
        const t = targets.data[at] + smoothing * (0.5 - targets.data[at]);
        // −t·log σ(h) − (1−t)·log(1−σ(h)) = softplus(h) − t·h; for t = 1 exactly softplus(−h)
        loss += t === 1 ? softplus(-h) : softplus(h) - t * h;
        if (dLogits) dLogits.data[at] = scale * (sigmoid(h) - t);
      }
      rowLoss.data[i] = loss;
    }
  },

  squaredError(rows, output, targets, scale, rowLoss, dOutput) {
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
  },

  elementLoss(type, rows, output, targets, parameters, scale, rowLoss, dOutput) {
    const { value, derivative } = ELEMENT_LOSSES[type] as ElementLoss;
    const columns = output.columns;
    for (let i = 0, at = 0; i < rows; i++) {
      let loss = 0;
      for (let j = 0; j < columns; j++, at++) {
        const o = output.data[at];
        const t = targets.data[targets.columns === 1 ? i : at];
        const p = parameters?.data[j] ?? 0;
        loss += value(o, t, p);
        if (dOutput) dOutput.data[at] = scale * derivative(o, t, p);
      }
      rowLoss.data[i] = loss;
    }
  },

  sortRows(rows, { data, columns }) {
    for (let first = 0; first < rows * columns; first += columns) {
      for (let from = first + 1; from < first + columns; from++) {
        const value = data[from];
        let to = from;
        for (; to > first && data[to - 1] > value; to--) data[to] = data[to - 1];
        data[to] = value;
      }
    }
  },

  softmax(rows, logits, out) {
    const columns = logits.columns;
    for (let i = 0; i < rows; i++) {
      const start = i * columns;
      const { max, sum } = shiftedExponentials(logits.data, start, columns);
      for (let at = start; at < start + columns; at++) {
        out.data[at] = Math.exp(logits.data[at] - max) / sum;
      }
    }
  },

  averageMembers(mean, rows, members, { data: h, columns }, out) {
    const stride = out.rows * columns;
    /** log(mean over the members of e^term): never a probability, which may underflow. */
    const logMean = (term: (at: number) => number, at: number): number => {
      const terms = Array.from({ length: members }, (_, m) => term(m * stride + at));
      const max = Math.max(...terms);
      return max + Math.log(terms.reduce((sum, t) => sum + Math.exp(t - max), 0) / members);
    };
    for (let at = 0; at < rows * columns; at++) {
      if (mean === 'softmax') {
        out.data[at] = logMean((own) => {
          const { max, sum } = shiftedExponentials(h, own - (own % columns), columns);
          return h[own] - max - Math.log(sum);
        }, at);
      } else if (mean === 'sigmoid') {
        // The logit of p̄ is log p̄ − log(1 − p̄), and 1 − σ(h) is σ(−h).
        out.data[at] = logMean((own) => -softplus(-h[own]), at) - logMean((own) => -softplus(h[own]), at);
      } else {
        let sum = 0;
        for (let m = 0; m < members; m++) sum += h[m * stride + at];
        out.data[at] = sum / members;
      }
    }
  },

  clipColumn(rows, column, low, high, { data, columns }) {
    for (let at = column; at < rows * columns; at += columns) {
      data[at] = Math.min(high, Math.max(low, data[at]));
    }
  },
};

/** The row's maximum and Σ_k e^(h_k − max), which is at least 1 and never overflows. */
function shiftedExponentials(h: FloatArray, start: number, columns: number): { max: number; sum: number } {
  let max = Number.NEGATIVE_INFINITY;
  for (let at = start; at < start + columns; at++) max = Math.max(max, h[at]);
  let sum = 0;
  for (let at = start; at < start + columns; at++) sum += Math.exp(h[at] - max);
  return { max, sum };
}
