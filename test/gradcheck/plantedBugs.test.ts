import { describe, expect, it } from 'vitest';
import { networkProblems } from '../../src/gradcheck/builtin.js';
import { checkNetwork } from '../../src/gradcheck/network.js';
import type {
  Activation,
  DropoutMask,
  IntVector,
  Kernels,
  ProductForm,
  Tensor,
} from '../../src/kernels/kernels.js';
import { ReferenceKernels } from '../../src/kernels/reference.js';
import { batchNormBackward, layerNormParameters } from '../../src/kernels/referenceNormalization.js';

/** Kernels of which one is wrong in its backward half, as a student's might be. Forward passes stay right. */
class Planted extends ReferenceKernels {
  constructor() {
    super('float64');
  }
}

const BUGS: Record<string, new () => Planted> = {
  'the 1/N of the loss is missing': class extends Planted {
    override softmaxCrossEntropy(
      rows: number,
      logits: Tensor,
      labels: IntVector,
      _scale: number,
      rowLoss: Tensor,
      d: Tensor | null,
    ) {
      super.softmaxCrossEntropy(rows, logits, labels, 1, rowLoss, d);
    }
  },
  'the softmax gradient is P, without − y': class extends Planted {
    override softmaxCrossEntropy(
      rows: number,
      logits: Tensor,
      labels: IntVector,
      scale: number,
      rowLoss: Tensor,
      d: Tensor | null,
    ) {
      super.softmaxCrossEntropy(rows, logits, labels, scale, rowLoss, d);
      if (d) for (let i = 0; i < rows; i++) d.data[i * d.columns + labels.data[i]] += scale;
    }
  },
  'the 2 of the squared error is missing': class extends Planted {
    override squaredError(
      rows: number,
      output: Tensor,
      targets: Tensor,
      scale: number,
      rowLoss: Tensor,
      d: Tensor | null,
    ) {
      super.squaredError(rows, output, targets, scale / 2, rowLoss, d);
    }
  },
  'the sigmoid derivative is multiplied in twice': class extends Planted {
    override sigmoidCrossEntropy(
      rows: number,
      logits: Tensor,
      targets: Tensor,
      scale: number,
      rowLoss: Tensor,
      d: Tensor | null,
    ) {
      super.sigmoidCrossEntropy(rows, logits, targets, scale, rowLoss, d);
      if (!d) return;
      for (let at = 0; at < rows * d.columns; at++) {
        const p = d.data[at] / scale + targets.data[at];
        d.data[at] *= p * (1 - p);
      }
    }
  },
  'the weight is not transposed on the way back': class extends Planted {
    override gemm(
      form: ProductForm,
      m: number,
      n: number,
      k: number,
      a: Tensor,
      b: Tensor,
      beta: 0 | 1,
      c: Tensor,
    ) {
      super.gemm(form === 'NT' ? 'NN' : form, m, n, k, a, b, beta, c);
    }
  },
  'the weight gradient adds up over steps': class extends Planted {
    override gemm(
      form: ProductForm,
      m: number,
      n: number,
      k: number,
      a: Tensor,
      b: Tensor,
      beta: 0 | 1,
      c: Tensor,
    ) {
      if (form === 'TN') c.data.fill(0.01, 0, m * n);
      super.gemm(form, m, n, k, a, b, form === 'TN' ? 1 : beta, c);
    }
  },
  'the bias gradient is forgotten': class extends Planted {
    override biasActivationBackward(
      f: Activation,
      rows: number,
      x: Tensor,
      y: Tensor,
      dY: Tensor,
      dX: Tensor,
    ) {
      super.biasActivationBackward(f, rows, x, y, dY, dX, null);
    }
  },
  'the bias gradient is a mean instead of a sum': class extends Planted {
    override biasActivationBackward(
      f: Activation,
      rows: number,
      x: Tensor,
      y: Tensor,
      dY: Tensor,
      dX: Tensor,
      dBias: Tensor | null,
    ) {
      super.biasActivationBackward(f, rows, x, y, dY, dX, dBias);
      if (dBias) for (let j = 0; j < dBias.data.length; j++) dBias.data[j] /= rows;
    }
  },
  'the relu mask looks at the gradient, not at the output': class extends Planted {
    override biasActivationBackward(
      f: Activation,
      rows: number,
      x: Tensor,
      y: Tensor,
      dY: Tensor,
      dX: Tensor,
      dBias: Tensor | null,
    ) {
      super.biasActivationBackward(f, rows, x, f.type === 'relu' ? dY : y, dY, dX, dBias);
    }
  },
  'the tanh derivative is 1 − y': class extends Planted {
    override biasActivationBackward(
      f: Activation,
      rows: number,
      x: Tensor,
      y: Tensor,
      dY: Tensor,
      dX: Tensor,
      dBias: Tensor | null,
    ) {
      const root = { ...y, data: y.data.map((v) => Math.sign(v) * Math.sqrt(Math.abs(v))) };
      super.biasActivationBackward(f, rows, x, f.type === 'tanh' ? root : y, dY, dX, dBias);
    }
  },
  'L2 is forgotten': class extends Planted {
    override addScaled() {}
  },
  'L2 is λ·W/2': class extends Planted {
    override addScaled(count: number, scale: number, x: Tensor, y: Tensor) {
      super.addScaled(count, scale / 2, x, y);
    }
  },
  'L1 is forgotten': class extends Planted {
    override addSigns() {}
  },
  'L1 is λ·W': class extends Planted {
    override addSigns(count: number, scale: number, x: Tensor, y: Tensor) {
      super.addScaled(count, scale, x, y);
    }
  },
  'the weights of the rows are forgotten': class extends Planted {
    override scaleRows(rows: number, factors: Tensor, x: Tensor) {
      if (x.columns === 1) super.scaleRows(rows, factors, x); // the losses, and dLogits of one output
    }
  },
  'the gradient is divided by the sum of the weights, not by the rows': class extends Planted {
    override scaleRows(rows: number, factors: Tensor, x: Tensor) {
      const total = this.sum(rows, factors);
      const shares = { ...factors, data: factors.data.map((weight) => (weight * rows) / total) };
      super.scaleRows(rows, x.columns === 1 ? factors : shares, x);
    }
  },
  'dropout draws another mask on the way back': class extends Planted {
    override dropout(rows: number, mask: DropoutMask, x: Tensor, out: Tensor) {
      const isBackward = x === out;
      super.dropout(rows, isBackward ? { ...mask, step: mask.step + 1 } : mask, x, out);
    }
  },
  'dropout forgets its scale on the way back': class extends Planted {
    override dropout(rows: number, mask: DropoutMask, x: Tensor, out: Tensor) {
      super.dropout(rows, mask, x, out);
      if (x !== out) return;
      for (let at = 0; at < rows * x.columns; at++) x.data[at] *= 1 - mask.rate;
    }
  },
  'batch-norm takes its mean and variance for constants': class extends Planted {
    override readonly batchNormBackward: Kernels['batchNormBackward'] = (
      rows,
      x,
      moments,
      scale,
      dY,
      dX,
      ...sums
    ) => {
      batchNormBackward(rows, x, moments, scale, dY, null, ...sums);
      for (let at = 0; dX && at < rows * dX.columns; at++) {
        const column = at % dX.columns;
        dX.data[at] = dY.data[at] * scale.data[column] * moments.data[2 * dX.columns + column];
      }
    };
  },
  'batch-norm forgets its scale': class extends Planted {
    override readonly batchNormBackward: Kernels['batchNormBackward'] = (
      rows,
      x,
      moments,
      scale,
      ...gradients
    ) => {
      const ones = { ...scale, data: new Float64Array(scale.columns).fill(1) };
      batchNormBackward(rows, x, moments, ones, ...gradients);
    };
  },
  'layer-norm sums the gradient of its scale over dY alone': class extends Planted {
    override readonly layerNormParameters: Kernels['layerNormParameters'] = (
      rows,
      x,
      moments,
      dY,
      dScale,
      dShift,
    ) => {
      layerNormParameters(rows, x, moments, dY, dScale, dShift);
      dScale.data.set(dShift.data);
    };
  },
  'layer-norm takes its variance for a constant': class extends Planted {
    override readonly layerNormBackward: Kernels['layerNormBackward'] = (
      rows,
      _x,
      moments,
      scale,
      dY,
      dX,
    ) => {
      const { columns } = dX;
      for (let i = 0; i < rows; i++) {
        const g = Array.from(scale.data, (factor, j) => factor * dY.data[i * columns + j]);
        const mean = g.reduce((sum, value) => sum + value, 0) / columns;
        for (let j = 0; j < columns; j++) dX.data[i * columns + j] = moments.data[3 * i + 2] * (g[j] - mean);
      }
    };
  },
  'the skip connection is left out on the way back': class extends Planted {
    override copy(rows: number, source: Tensor, out: Tensor) {
      out.data.fill(0, 0, rows * source.columns);
    }
  },
};

function failures(kernels: ReferenceKernels): string[] {
  const recipe = { scratchBytes: 0, create: () => kernels };
  return networkProblems()
    .map((problem) => checkNetwork(problem, recipe, 12))
    .filter(({ passed }) => !passed)
    .map(({ name }) => name);
}

describe('the built-in network checks', () => {
  it('pass with the right kernels', () => {
    expect(failures(new ReferenceKernels('float64'))).toEqual([]);
  });

  it.each(Object.keys(BUGS))('catch a backward pass where %s', (bug) => {
    const Bugged = BUGS[bug];
    expect(failures(new Bugged())).not.toEqual([]);
  });
});
