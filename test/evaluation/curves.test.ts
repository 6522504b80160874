import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  calibrationBins,
  calibrationError,
  countByScore,
  precisionRecallCurve,
  rocCurve,
} from '../../src/evaluation/curves.js';
import { fixture } from '../support/fixtures.js';

interface Case {
  readonly name: string;
  readonly positive: readonly number[];
  readonly scores: readonly number[];
  readonly roc: readonly (readonly number[])[];
  readonly precisionRecall: readonly (readonly number[])[];
  readonly averagePrecision: number;
  readonly calibration: readonly (readonly number[])[];
}

const cases = fixture<Case[]>('sklearn/curves.json');

describe.each(cases)('curves of $name', ({ positive, scores, ...expected }) => {
  const counts = countByScore(positive, scores);

  it('are the ROC curve of scikit-learn', () => {
    const [first, ...points] = rocCurve(counts);
    expect(first).toEqual({ threshold: Number.POSITIVE_INFINITY, falsePositives: 0, truePositives: 0 });
    const flat = points.flatMap((point) => [point.threshold, point.falsePositives, point.truePositives]);
    expect(flat).toBeAllclose(expected.roc.flat(), { absolute: 1e-15 });
  });

  it('are its precision and recall, which it ends where all positive rows are found', () => {
    const curve = precisionRecallCurve(counts);
    const flat = curve.flatMap(({ threshold, recall, precision }) => [threshold, recall, precision]);
    expect(flat).toBeAllclose(expected.precisionRecall.flat(), { absolute: 1e-15 });
    expect(averagePrecision(curve)).toBeCloseTo(expected.averagePrecision, 14);
  });

  it('are its calibration', () => {
    const bins = calibrationBins(positive, scores, 10);
    const flat = bins.flatMap(({ probability, share }) => [probability, share]);
    expect(flat).toBeAllclose(expected.calibration.flat(), { absolute: 1e-14 });
    expect(bins.reduce((sum, { rows }) => sum + rows, 0)).toBe(scores.length);
  });
});

describe('curves without sense', () => {
  it('are empty where a class has no row, or all', () => {
    expect(rocCurve(countByScore([1, 1], [0.1, 0.2]))).toEqual([]);
    expect(rocCurve(countByScore([0, 0], [0.1, 0.2]))).toEqual([]);
    expect(precisionRecallCurve(countByScore([0, 0], [0.1, 0.2]))).toEqual([]);
    expect(averagePrecision([])).toBeNull();
    expect(rocCurve(countByScore([], []))).toEqual([]);
  });

  it('are empty with a score that is NaN, which no bin has', () => {
    expect(countByScore([0, 1], [Number.NaN, 0.2])).toEqual([]);
    expect(calibrationBins([0, 1], [Number.NaN, 0.2], 10)).toHaveLength(1);
  });
});

describe('the expected calibration error', () => {
  it('weighs the distances by rows', () => {
    const bins = [
      { rows: 3, probability: 0.2, share: 0.3 },
      { rows: 1, probability: 0.9, share: 0.5 },
    ];
    expect(calibrationError(bins)).toBeCloseTo(0.75 * 0.1 + 0.25 * 0.4, 15);
  });
});
