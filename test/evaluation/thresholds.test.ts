import { describe, expect, it } from 'vitest';
import { countByScore } from '../../src/evaluation/curves.js';
import { type ThresholdGoal, thresholdTable } from '../../src/evaluation/thresholds.js';

/** F1, Matthews' correlation and cost of a threshold, counted row by row. */
function byHand(labels: readonly number[], scores: readonly number[], threshold: number, costs = [1, 1]) {
  const count = (actual: number, predicted: boolean) =>
    labels.filter((label, row) => label === actual && scores[row] >= threshold === predicted).length;
  const [hits, misses] = [count(1, true), count(1, false)];
  const [wrong, rest] = [count(0, true), count(0, false)];
  const spread = (hits + wrong) * (hits + misses) * (rest + wrong) * (rest + misses);
  return {
    f1: hits === 0 ? 0 : (2 * hits) / (2 * hits + wrong + misses),
    mcc: spread === 0 ? 0 : (hits * rest - wrong * misses) / Math.sqrt(spread),
    cost: (costs[0] * wrong + costs[1] * misses) / labels.length,
  };
}

const LABELS = [0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0];
const SCORES = [0.1, 0.4, 0.35, 0.8, 0.65, 0.9, 0.2, 0.55, 0.55, 0.31, 0.05, 0.62];

describe('the best threshold', () => {
  it.each<ThresholdGoal>([
    { by: 'f1' },
    { by: 'mcc' },
    { by: 'cost', falsePositive: 1, falseNegative: 5 },
    { by: 'cost', falsePositive: 5, falseNegative: 1 },
  ])('is as good as any other: $by $falsePositive', (goal) => {
    const costs = goal.by === 'cost' ? [goal.falsePositive, goal.falseNegative] : undefined;
    const { best, steps } = thresholdTable(countByScore(LABELS, SCORES), goal);
    const worth = (threshold: number) => {
      const scores = byHand(LABELS, SCORES, threshold, costs);
      return goal.by === 'cost' ? -scores.cost : scores[goal.by];
    };
    for (let threshold = 0; threshold <= 1.001; threshold += 0.001) {
      expect(worth(best.threshold)).toBeGreaterThanOrEqual(worth(threshold));
    }
    for (const { threshold, f1, matthews, cost } of [best, ...steps]) {
      const hand = byHand(LABELS, SCORES, threshold, costs);
      expect([f1, matthews]).toBeAllclose([hand.f1, hand.mcc], { relative: 1e-12, absolute: 1e-12 });
      expect(cost).toBe(goal.by === 'cost' ? hand.cost : undefined);
    }
  });

  it('may be one that no row reaches, or that all do', () => {
    const few = thresholdTable(countByScore(LABELS, SCORES), {
      by: 'cost',
      falsePositive: 9,
      falseNegative: 0,
    });
    expect(few.best).toMatchObject({ cost: 0 });
    const all = thresholdTable(countByScore(LABELS, SCORES), {
      by: 'cost',
      falsePositive: 0,
      falseNegative: 9,
    });
    expect(all.best).toMatchObject({ cost: 0, recall: 1 });
    const certain = thresholdTable(countByScore([0, 1], [1, 1]), {
      by: 'cost',
      falsePositive: 9,
      falseNegative: 1,
    });
    expect(certain.best).toMatchObject({ recall: 1, cost: 4.5 });
  });
});
