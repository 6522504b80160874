/** The loss at the best temperature against a search that knows no derivative. */
import { describe, expect, it } from 'vitest';
import { calibratedLoss } from '../../src/evaluation/calibratedLoss.js';
import { fitTemperature } from '../../src/model/calibration.js';
import { RandomState } from '../../src/random/randomState.js';

const ROWS = 200;

/** Labels that the logits say something of, and probabilities that are as sure as `sureness` makes them. */
function drawn(classes: number, sureness: number) {
  const random = new RandomState(classes);
  const logits = Array.from({ length: ROWS }, () => Array.from({ length: classes }, () => random.randn()));
  const labels = logits.map((z) => {
    const noisy = z.map((value) => value + 1.5 * random.randn());
    return noisy.indexOf(Math.max(...noisy));
  });
  return { labels, logits: logits.map((z) => z.map((value) => value * sureness)) };
}

function probabilitiesOf(logits: readonly (readonly number[])[], temperature = 1): number[][] {
  return logits.map((z) => {
    const weights = z.map((value) => Math.exp((value - Math.max(...z)) / temperature));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });
}

function lossOf(labels: readonly number[], probabilities: readonly (readonly number[])[]): number {
  return labels.reduce((sum, label, row) => sum - Math.log(probabilities[row][label]), 0) / labels.length;
}

describe('the loss at the best temperature', () => {
  it.each([
    [2, 1],
    [2, 9],
    [5, 0.2],
    [5, 6],
  ])('is the least of all temperatures: %i classes, logits times %f', async (classes, sureness) => {
    const { labels, logits } = drawn(classes, sureness);
    const found = calibratedLoss(labels, Float64Array.from(probabilitiesOf(logits).flat()), classes);
    const lossAt = (temperature: number) => lossOf(labels, probabilitiesOf(logits, temperature));
    const least = lossAt(await fitTemperature(lossAt));
    expect(found).toBeLessThanOrEqual(least + 1e-12);
    expect(found).toBeCloseTo(least, 6);
  });

  it('does not depend on how sure the probabilities are', () => {
    const losses = [0.5, 1, 4].map((sureness) => {
      const { labels, logits } = drawn(3, sureness);
      return calibratedLoss(labels, Float64Array.from(probabilitiesOf(logits).flat()), 3);
    });
    for (const loss of losses) expect(loss).toBeCloseTo(losses[0], 9);
  });

  it('is finite where all rows are right, or a probability is 0', () => {
    expect(calibratedLoss([0, 1], Float64Array.of(0.9, 0.1, 0.2, 0.8), 2)).toBeCloseTo(0, 9);
    expect(calibratedLoss([0, 1, 1], Float64Array.of(1, 0, 1, 0, 0, 1), 2)).toBeGreaterThan(0.6);
    expect(calibratedLoss([0, 1], Float64Array.of(0.5, 0.5, 0.5, 0.5), 2)).toBeCloseTo(Math.log(2), 12);
  });
});
