import { describe, expect, it } from 'vitest';
import { classAccumulator, regressionAccumulator } from '../../src/evaluation/metrics.js';
import { Arena } from '../../src/kernels/arena.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { LOSSES } from '../../src/network/loss.js';
import { fixture } from '../support/fixtures.js';

interface RegressionCase {
  name: string;
  task: 'regression';
  /** For each output, what 1 of it is in its target's own unit. */
  units: number[];
  /** [rows], or [rows][outputs] */
  targets: number[] | number[][];
  predictions: number[] | number[][];
  expected: { mse: number; rmse: number; r2: number };
}

interface ClassCase {
  name: string;
  task: 'binary' | 'multiclass';
  classes: number;
  labels: number[];
  logits: number[] | number[][];
  expected: { predictions: number[]; accuracy: number; confusion: number[][]; logLoss: number };
}

const CASES = fixture<(RegressionCase | ClassCase)[]>('sklearn/metrics.json');
const TOLERANCE = { relative: 1e-12, absolute: 1e-15 };

/** Hands `rows` over in two batches, as an evaluation does. */
function inTwo(rows: number, add: (first: number, count: number) => void): void {
  const half = Math.ceil(rows / 2);
  add(0, half);
  if (rows > half) add(half, rows - half);
}

describe('regressionAccumulator', () => {
  it('has no R² for a single row, as scikit-learn has none', () => {
    const accumulator = regressionAccumulator([1, 2], [1, 10]);
    accumulator.add(1, [1, 3], 0);
    accumulator.addLoss(1, 2);
    expect(accumulator.result()).toEqual({ metrics: { loss: 0.5, r2: null, rmse: 5 } });
  });
});

describe('metrics are those of scikit-learn', () => {
  it.each(CASES.filter((entry) => entry.task === 'regression'))(
    '$name',
    ({ units, targets, predictions, expected }) => {
      const outputs = units.length;
      const all = Float64Array.from(targets.flat());
      const accumulator = regressionAccumulator(all, units);
      inTwo(targets.length, (first, count) => {
        const output = Float64Array.from(predictions.slice(first, first + count).flat());
        const sum = output.reduce((total, o, i) => total + (o - all[first * outputs + i]) ** 2, 0);
        accumulator.add(count, output, first);
        accumulator.addLoss(sum, count * outputs);
      });
      const { metrics } = accumulator.result();
      expect(metrics).toEqual({ loss: expect.any(Number), r2: expect.any(Number), rmse: expect.any(Number) });
      const { loss, r2, rmse } = metrics as { loss: number; r2: number; rmse: number };
      expect([loss, rmse]).toBeAllclose([expected.mse, expected.rmse], TOLERANCE);
      // 1 − SSE/SST cancels where the fit is good
      expect([r2]).toBeAllclose([expected.r2], { absolute: 1e-12 });
    },
  );

  it.each(CASES.filter((entry) => entry.task !== 'regression'))('$name', (entry) => {
    const { labels, logits, classes, task, expected } = entry as ClassCase;
    const outputs = task === 'binary' ? 1 : classes;
    const rows = labels.length;
    const all = Float64Array.from(logits.flat());
    const kernels = referenceKernels('float64');
    const accumulator = classAccumulator(Int32Array.from(labels), outputs, classes);
    inTwo(rows, (first, count) => {
      const arena = Arena.ofSize('float64', 1 << 16);
      const h = arena.tensor(count, outputs);
      h.data.set(all.subarray(first * outputs, (first + count) * outputs));
      const rowLoss = arena.tensor(count, 1);
      const batch = labels.slice(first, first + count);
      if (task === 'binary') {
        const values = arena.tensor(count, 1);
        values.data.set(batch);
        LOSSES['binary-cross-entropy'].evaluate(kernels, count, h, { values }, rowLoss, null);
      } else {
        const target = arena.ints(count);
        target.data.set(batch);
        LOSSES['softmax-cross-entropy'].evaluate(kernels, count, h, { labels: target }, rowLoss, null);
      }
      accumulator.add(count, h.data, first);
      accumulator.addLoss(kernels.sum(count, rowLoss), count);
    });
    const { metrics, confusion } = accumulator.result();
    expect(confusion).toEqual(expected.confusion);
    const { loss, accuracy } = metrics as { loss: number; accuracy: number };
    expect([loss, accuracy]).toBeAllclose([expected.logLoss, expected.accuracy], TOLERANCE);
  });
});
