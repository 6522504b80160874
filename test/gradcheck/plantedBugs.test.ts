import { describe, expect, it } from 'vitest';
import { networkProblems } from '../../src/gradcheck/builtin.js';
import { checkNetwork } from '../../src/gradcheck/networkCheck.js';
import type { ElementLossType } from '../../src/kernels/elementLosses.js';
import type { Kernels } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';

const right = referenceKernels('float64');

/** An element loss whose derivatives, times their scale, are changed. */
function planted(
  wrong: ElementLossType,
  change: (d: number, scale: number, parameter: number) => number,
): Partial<Kernels> {
  return {
    elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d) {
      right.elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d);
      if (!d || type !== wrong) return;
      for (let at = 0; at < rows * d.columns; at++) {
        d.data[at] = change(d.data[at], scale, parameters?.data[at % d.columns] ?? 0);
      }
    },
  };
}

/** Kernels with a wrong backward half, as a student's might be. Forward passes stay right. */
const BUGS: Record<string, Partial<Kernels>> = {
  'the 1/N of the loss is missing': {
    softmaxCrossEntropy(rows, logits, labels, _scale, rowLoss, d, smoothing) {
      right.softmaxCrossEntropy(rows, logits, labels, 1, rowLoss, d, smoothing);
    },
  },
  'the softmax gradient is P, without − y': {
    softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, d, smoothing) {
      right.softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, d, smoothing);
      if (d) for (let i = 0; i < rows; i++) d.data[i * d.columns + labels.data[i]] += scale;
    },
  },
  'the gradient of smoothed classes is that of the true ones': {
    softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, d, smoothing) {
      const smoothed = { ...rowLoss, data: rowLoss.data.slice() };
      right.softmaxCrossEntropy(rows, logits, labels, scale, smoothed, null, smoothing);
      right.softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, d);
      rowLoss.data.set(smoothed.data);
    },
  },
  'the gradient of smoothed labels is moved by ε instead of ε/2': {
    sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, d, smoothing = 0) {
      right.sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, d, smoothing);
      if (!d) return;
      for (let at = 0; at < rows * d.columns; at++) d.data[at] -= (scale * smoothing) / 2;
    },
  },
  'the 2 of the squared error is missing': {
    squaredError(rows, output, targets, scale, rowLoss, d) {
      right.squaredError(rows, output, targets, scale / 2, rowLoss, d);
    },
  },
  'the sigmoid derivative is multiplied in twice': {
    sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, d, smoothing) {
      right.sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, d, smoothing);
      if (!d) return;
      for (let at = 0; at < rows * d.columns; at++) {
        const p = d.data[at] / scale + targets.data[at];
        d.data[at] *= p * (1 - p);
      }
    },
  },
  'the sign of the absolute error is forgotten': planted('absoluteError', (d) => Math.abs(d)),
  'huber grows on beyond delta': {
    elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d) {
      right.elementLoss(type, rows, output, targets, parameters, scale, rowLoss, null);
      if (!d) return;
      const o = Float64Array.from(output.data);
      right.elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d);
      if (type !== 'huberError') return;
      for (let at = 0; at < rows * d.columns; at++) d.data[at] = scale * (o[at] - targets.data[at]);
    },
  },
  'the quantile takes its complement': planted('pinballError', (d, scale, p) =>
    d < 0 ? d + scale * (2 * p - 1) : d - scale * (1 - 2 * p),
  ),
  'the rate is the logarithm of the rate': {
    elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d) {
      const o = Float64Array.from(output.data);
      right.elementLoss(type, rows, output, targets, parameters, scale, rowLoss, d);
      if (!d || type !== 'poissonError') return;
      for (let at = 0; at < rows * d.columns; at++) d.data[at] = scale * (o[at] - targets.data[at]);
    },
  },
  'the weight is not transposed on the way back': {
    gemm(form, m, n, k, a, b, beta, c) {
      right.gemm(form === 'NT' ? 'NN' : form, m, n, k, a, b, beta, c);
    },
  },
  'the weight gradient adds up over steps': {
    gemm(form, m, n, k, a, b, beta, c) {
      if (form === 'TN') c.data.fill(0.01, 0, m * n);
      right.gemm(form, m, n, k, a, b, form === 'TN' ? 1 : beta, c);
    },
  },
  'the bias gradient is forgotten': {
    biasActivationBackward(f, rows, x, y, dY, dX) {
      right.biasActivationBackward(f, rows, x, y, dY, dX, null);
    },
  },
  'the bias gradient is a mean instead of a sum': {
    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      right.biasActivationBackward(f, rows, x, y, dY, dX, dBias);
      if (dBias) for (let j = 0; j < dBias.data.length; j++) dBias.data[j] /= rows;
    },
  },
  'the relu mask looks at the gradient, not at the output': {
    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      right.biasActivationBackward(f, rows, x, f.type === 'relu' ? dY : y, dY, dX, dBias);
    },
  },
  'the tanh derivative is 1 − y': {
    biasActivationBackward(f, rows, x, y, dY, dX, dBias) {
      const root = { ...y, data: y.data.map((v) => Math.sign(v) * Math.sqrt(Math.abs(v))) };
      right.biasActivationBackward(f, rows, x, f.type === 'tanh' ? root : y, dY, dX, dBias);
    },
  },
  'the factor of the NTK parametrisation is forgotten on the way back': factorForgotten(),
  'L2 is forgotten': {
    addScaled() {},
  },
  'L2 is λ·W/2': {
    addScaled(count, scale, x, y) {
      right.addScaled(count, scale / 2, x, y);
    },
  },
  'L1 is forgotten': {
    addSigns() {},
  },
  'L1 is λ·W': {
    addSigns(count, scale, x, y) {
      right.addScaled(count, scale, x, y);
    },
  },
  'the weights of the rows are forgotten': {
    scaleRows(rows, factors, x) {
      if (x.columns === 1) right.scaleRows(rows, factors, x); // the losses, and dLogits of one output
    },
  },
  'the gradient is divided by the rows, not by the sum of the weights': {
    scaleRows(rows, factors, x) {
      const total = right.sum(rows, factors);
      const shares = { ...factors, data: factors.data.map((weight) => (weight * total) / rows) };
      right.scaleRows(rows, x.columns === 1 ? factors : shares, x);
    },
  },
  'dropout draws another mask on the way back': {
    dropout(rows, mask, x, out) {
      const isBackward = x === out;
      right.dropout(rows, isBackward ? { ...mask, step: mask.step + 1 } : mask, x, out);
    },
  },
  'dropout forgets its scale on the way back': {
    dropout(rows, mask, x, out) {
      right.dropout(rows, mask, x, out);
      if (x !== out) return;
      for (let at = 0; at < rows * x.columns; at++) x.data[at] *= 1 - mask.rate;
    },
  },
  'batch-norm takes its mean and variance for constants': {
    batchNormBackward(rows, x, moments, scale, dY, dX, ...sums) {
      right.batchNormBackward(rows, x, moments, scale, dY, null, ...sums);
      for (let at = 0; dX && at < rows * dX.columns; at++) {
        const column = at % dX.columns;
        dX.data[at] = dY.data[at] * scale.data[column] * moments.data[2 * dX.columns + column];
      }
    },
  },
  'batch-norm forgets its scale': {
    batchNormBackward(rows, x, moments, scale, ...gradients) {
      const ones = { ...scale, data: new Float64Array(scale.columns).fill(1) };
      right.batchNormBackward(rows, x, moments, ones, ...gradients);
    },
  },
  'layer-norm sums the gradient of its scale over dY alone': {
    layerNormParameters(rows, x, moments, dY, dScale, dShift) {
      right.layerNormParameters(rows, x, moments, dY, dScale, dShift);
      dScale.data.set(dShift.data);
    },
  },
  'layer-norm takes its variance for a constant': {
    layerNormBackward(rows, _x, moments, scale, dY, dX) {
      const { columns } = dX;
      for (let i = 0; i < rows; i++) {
        const g = Array.from(scale.data, (factor, j) => factor * dY.data[i * columns + j]);
        const mean = g.reduce((sum, value) => sum + value, 0) / columns;
        for (let j = 0; j < columns; j++) dX.data[i * columns + j] = moments.data[3 * i + 2] * (g[j] - mean);
      }
    },
  },
  'a scale sums its gradient over dY alone': {
    scaleColumnsBackward(rows, factors, x, ...gradients) {
      const ones = { ...x, data: new Float64Array(rows * x.columns).fill(1) };
      right.scaleColumnsBackward(rows, factors, ones, ...gradients);
    },
  },
  'a scale lets the gradient of its output through': {
    scaleColumnsBackward(rows, factors, x, dY, _dX, dFactors) {
      right.scaleColumnsBackward(rows, factors, x, dY, null, dFactors);
    },
  },
  'a parametric activation is differentiated as if its slope were 1': {
    parametricActivationBackward(f, rows, h, slope, ...gradients) {
      const ones = { ...slope, data: new Float64Array(slope.columns).fill(1) };
      right.parametricActivationBackward(f, rows, h, ones, ...gradients);
    },
  },
  'a parametric activation forgets what it lets through on the way back': {
    parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
      const through = dY.data.map((d, at) => d * (1 - slope.data[at % dY.columns]));
      right.parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope);
      for (let at = 0; at < rows * dX.columns; at++) dX.data[at] -= through[at];
    },
  },
  'the gradient of a slope is that of f(x), without − x': {
    parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope) {
      const products = dY.data.map((d, at) => d * h.data[at]);
      right.parametricActivationBackward(f, rows, h, slope, dY, dX, dBias, dSlope);
      for (let at = 0; at < rows * h.columns; at++) dSlope.data[at % h.columns] += products[at];
    },
  },
  'an embedding forgets that the number itself goes through': {
    embedNumbersBackward(rows, embedding, x, dY, gradients, dX) {
      const { bias, others, numbers } = embedding;
      right.embedNumbersBackward(rows, embedding, x, dY, gradients, dX);
      if (!dX) return;
      const width = numbers.data.length * (bias.columns + 1) + others.data.length;
      for (let i = 0; i < rows; i++) {
        numbers.data.forEach((column, j) => {
          dX.data[i * dX.columns + column] -= dY.data[i * width + j * (bias.columns + 1)];
        });
      }
    },
  },
  'an embedding forgets the 2π of its frequencies': {
    embedNumbersBackward(rows, embedding, x, dY, gradients, dX) {
      right.embedNumbersBackward(rows, embedding, x, dY, gradients, dX);
      for (let i = 0; i < gradients.frequency.data.length; i++) gradients.frequency.data[i] /= 2 * Math.PI;
    },
  },
  'an embedding has the sign of its sine wrong': {
    embedNumbersBackward(rows, embedding, x, dY, gradients, dX) {
      right.embedNumbersBackward(rows, embedding, x, dY, gradients, dX);
      for (let i = 0; i < gradients.phase.data.length; i++) gradients.phase.data[i] *= -1;
    },
  },
  'an embedding passes the gradients of other columns back in the wrong order': {
    embedNumbersBackward(rows, embedding, x, dY, gradients, dX) {
      const others = { ...embedding.others, data: embedding.others.data.toReversed() };
      right.embedNumbersBackward(rows, { ...embedding, others }, x, dY, gradients, dX);
    },
  },
  'a periodic embedding adds the gradients of sine and cosine': {
    embedWavesBackward(rows, embedding, x, waves, dWaves, ...gradients) {
      const k = waves.columns / 2;
      const data = dWaves.data.map((d, at) => (at % (2 * k) < k ? -d : d));
      right.embedWavesBackward(rows, embedding, x, waves, { ...dWaves, data }, ...gradients);
    },
  },
  'a periodic embedding gives each number the gradient of another': {
    splitNumbers(rows, embedding, y, values) {
      right.splitNumbers(rows, embedding, y, values);
      values.data.reverse();
    },
  },
  'a piecewise-linear embedding forgets the bins before that of a number': {
    embedBinsBackward(rows, embedding, x, places, dY, sums, gradients, dX) {
      const { edges, bias } = embedding;
      right.embedBinsBackward(rows, embedding, x, places, dY, sums, gradients, dX);
      // All of the last bin is right: none is after it.
      const bins = edges.columns - 1;
      gradients.weight.data.forEach((_, at, all) => {
        const t = Math.floor(at / bias.columns) % bins;
        if (t < bins - 1) all[at] /= 2;
      });
    },
  },
  'a piecewise-linear embedding passes the gradient back through its linear part alone': {
    embedBinsBackward(rows, embedding, x, places, dY, sums, gradients, dX) {
      right.embedBinsBackward(rows, embedding, x, places, dY, sums, gradients, null);
      const weight = { ...embedding.weight, data: new Float64Array(embedding.weight.data.length) };
      const own = Object.fromEntries(
        Object.entries(gradients).map(([name, each]) => [name, { ...each, data: each.data.slice() }]),
      ) as typeof gradients;
      if (dX) right.embedBinsBackward(rows, { ...embedding, weight }, x, places, dY, sums, own, dX);
    },
  },
  'a batch ensemble passes the gradient of one view back, not that of all': {
    sumViews(rows, views, x, out) {
      const { columns } = out;
      for (let at = 0; at < rows * columns; at++) {
        out.data[at] = x.data[Math.floor(at / columns) * views * columns + (at % columns)];
      }
    },
  },
  'a batch ensemble takes its mean loss for the sum': {
    sumViews(rows, views, x, out) {
      right.sumViews(rows, views, x, out);
      for (let at = 0; at < rows * out.columns; at++) out.data[at] *= views;
    },
  },
  'an embedding writes the last gradient of a level over the others': {
    embedLevelsBackward(rows, embedding, x, dY, dVectors, dX) {
      right.embedLevelsBackward(rows, embedding, x, dY, dVectors, dX);
      const size = dVectors.columns;
      for (let i = 0; i < rows; i++) {
        const own = new Float64Array(dVectors.data.length);
        const row = { ...x, data: x.data.subarray(i * x.columns) };
        const d = { ...dY, data: dY.data.subarray(i * dY.columns) };
        right.embedLevelsBackward(1, embedding, row, d, { ...dVectors, data: own }, null);
        for (let at = 0; at < own.length; at += size) {
          if (own.subarray(at, at + size).some((value) => value !== 0)) {
            dVectors.data.set(own.subarray(at, at + size), at);
          }
        }
      }
    },
  },
  'an embedding takes the vector of the next level': {
    embedLevelsBackward(rows, embedding, x, dY, dVectors, dX) {
      const next = { ...x, data: x.data.map((value) => value + 1) };
      right.embedLevelsBackward(rows, embedding, next, dY, dVectors, dX);
    },
  },
  'a first layer adds the gradient of a level to that of the next': {
    sumLevelsBackward(rows, levels, x, dZ, dWeight) {
      const next = { ...x, data: x.data.map((value) => value + 1) };
      right.sumLevelsBackward(rows, levels, next, dZ, dWeight);
    },
  },
  'the skip connection is left out on the way back': {
    copy(rows, source, out) {
      out.data.fill(0, 0, rows * source.columns);
    },
  },
};

const PROBLEMS = networkProblems();

/** The names of the checks that fail, each as it is found, with so many elements of each parameter. */
function* failures(kernels: Kernels, samples = 6): Generator<string> {
  const recipe = { scratchBytes: 0, create: () => kernels };
  for (const problem of PROBLEMS) {
    const { passed, name } = checkNetwork(problem, recipe, samples);
    if (!passed) yield name;
  }
}

describe('the built-in network checks', () => {
  it('pass with the right kernels', () => {
    expect([...failures(right)]).toEqual([]);
  });

  it.each(Object.keys(BUGS))('catch a backward pass where %s', (bug) => {
    const kernels = { ...right, ...BUGS[bug] };
    // One element shows most of them.
    const [first] = failures(kernels, 1);
    const [any] = first === undefined ? failures(kernels) : [first];
    expect(any).toBeDefined();
  });
});

/** The factor stands right after a product in the forward pass, right after an activation in the backward pass. */
function factorForgotten(): Partial<Kernels> {
  let isBackward = false;
  return {
    gemm(...args) {
      isBackward = false;
      right.gemm(...args);
    },
    biasActivationBackward(...args) {
      isBackward = true;
      right.biasActivationBackward(...args);
    },
    scale(...args) {
      if (!isBackward) right.scale(...args);
    },
  };
}
