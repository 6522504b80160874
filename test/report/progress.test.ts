import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EpochSummary, formatEpochLine, PlainProgress } from '../../src/report/progress.js';
import { plainStyle } from '../../src/report/style.js';
import { textWidth } from '../../src/report/width.js';
import { hostileText } from './hostile.js';

const on = (width: number, ascii = false) => ({ width, style: plainStyle, ascii });

const classification: EpochSummary = {
  epoch: 3,
  epochs: 30,
  step: 45,
  learningRate: 0.001,
  seconds: 0.213,
  train: { loss: 0.0812345, accuracy: 0.978 },
  validation: { loss: 0.0951234, accuracy: 0.974 },
};
const regression: EpochSummary = {
  ...classification,
  train: { loss: 0.81234, r2: 0.5123, rmse: 53.123 },
  validation: { loss: 0.9123, r2: -0.0123, rmse: 60.234 },
};

describe('formatEpochLine', () => {
  it.each([
    [
      100,
      'epoch  3/30  loss 0.08123  accuracy 0.9780  |  validation loss 0.09512  accuracy 0.9740  |  0.21 s',
    ],
    [80, 'epoch  3/30  loss 0.08123  acc 0.9780 | val loss 0.09512  acc 0.9740 | 0.21 s'],
    [70, 'epoch  3/30  loss 0.0812  acc 0.9780 | val loss 0.0951  acc 0.9740'],
    [40, 'epoch  3/30  loss 0.0812  acc 0.9780 | …'],
  ])('of a classification fits %i columns', (width, line) => {
    expect(formatEpochLine(classification, on(width))).toBe(line);
  });

  it.each([
    [
      120,
      'epoch  3/30  loss  0.8123  R²  0.5123  RMSE   53.12  |  validation loss  0.9123  R² -0.0123  RMSE   60.23  |  0.21 s',
    ],
    [
      100,
      'epoch  3/30  loss 0.8123  R² 0.5123  RMSE  53.12 | val loss 0.9123  R² -0.012  RMSE  60.23 | 0.21 s',
    ],
  ])('of a regression fits %i columns', (width, line) => {
    expect(formatEpochLine(regression, on(width))).toBe(line);
  });

  it('is the same without validation, but for its right half', () => {
    expect(formatEpochLine({ ...classification, validation: undefined }, on(80))).toBe(
      'epoch  3/30  loss 0.08123  accuracy 0.9780  |  0.21 s',
    );
  });

  it('keeps to ASCII where that is asked for', () => {
    expect(formatEpochLine(regression, on(60, true))).toMatch(/^[\x20-\x7e]{60}$/);
    expect(formatEpochLine(regression, on(100, true))).toContain('R2 0.5123');
  });

  it('has its columns in the same places for every epoch', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const loss = fc.oneof(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.constantFrom(Number.NaN, 1e-9, 0));
    const side = fc.record({ loss, accuracy: share });
    const reference = formatEpochLine(classification, on(80));
    const stops = ['loss', 'acc', '|', 'val'];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), side, side, (epoch, train, validation) => {
        const line = formatEpochLine({ ...classification, epoch, train, validation }, on(80));
        expect(stops.map((stop) => line.indexOf(stop))).toEqual(stops.map((stop) => reference.indexOf(stop)));
        expect(line).toHaveLength(reference.length);
      }),
    );
  });

  it('shows hostile metric names, and is never wider than the display', () => {
    const metrics = fc.dictionary(hostileText, fc.double(), { maxKeys: 4 });
    fc.assert(
      fc.property(metrics, metrics, fc.integer({ min: 1, max: 120 }), (train, validation, width) => {
        const line = formatEpochLine({ ...classification, train, validation }, on(width));
        expect(textWidth(line)).toBeLessThanOrEqual(width);
        expect(line).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('PlainProgress', () => {
  it('writes one plain line an epoch and nothing else', () => {
    let written = '';
    const progress = new PlainProgress({ write: (text) => (written += text) });
    for (let epoch = 1; epoch <= 200; epoch++) {
      progress.epochStarted();
      progress.stepDone();
      progress.epochDone({ ...classification, epoch, epochs: 200 });
    }
    progress.finish();
    const lines = written.split('\n');
    expect(lines).toHaveLength(201);
    expect(lines[0]).toMatch(/^epoch {3}1\/200 {2}loss 0\.08123 .* 0\.21 s$/);
    expect(lines[199]).toMatch(/^epoch 200\/200 /);
    expect(lines[200]).toBe('');
    expect(written).not.toMatch(/[\x1b\r]/);
  });
});
