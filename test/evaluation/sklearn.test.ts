import { describe, expect, it } from 'vitest';
import { crossEntropies, evaluateClasses } from '../../src/evaluation/classification.js';
import { evaluateRegression } from '../../src/evaluation/regression.js';
import { fixture } from '../support/fixtures.js';

interface ClassCase {
  name: string;
  outputs: number;
  labels: number[];
  predicted: number[];
  /** [rows, outputs] row-major */
  logits: number[];
  /** [rows, classes] row-major */
  probabilities: number[];
  expected: Record<string, unknown>;
}

interface RegressionCase {
  name: string;
  width: number;
  /** [rows, width] row-major */
  targets: number[];
  outputs: number[];
  expected: Record<string, unknown>;
}

const CASES = fixture<{ classification: ClassCase[]; regression: RegressionCase[] }>(
  'sklearn/evaluation.json',
);

/** Every number of `actual` that `expected` has too is within 1e-12 of it; all else is equal. */
function expectClose(actual: unknown, expected: unknown, at = ''): void {
  if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      expectClose((actual as Record<string, unknown>)[key], value, `${at}.${key}`);
    }
    return;
  }
  if (typeof expected !== 'number') {
    expect(actual, at).toBe(expected);
    return;
  }
  expect([actual], at).toBeAllclose([expected], { relative: 1e-12, absolute: 1e-12 });
}

describe('the metrics of classes are those of scikit-learn', () => {
  it.each(CASES.classification)('$name', ({ labels, logits, outputs, expected, ...rest }) => {
    const actual = evaluateClasses({
      labels,
      ...rest,
      crossEntropies: crossEntropies(labels, logits, outputs),
    });
    expectClose(actual, expected);
    expect(actual.classes).toHaveLength((expected.classes as unknown[]).length);
  });
});

describe('the metrics of a regression are those of scikit-learn', () => {
  it.each(CASES.regression)('$name', ({ targets, outputs, width, expected }) => {
    const units = new Array<number>(width).fill(1);
    const actual = evaluateRegression({ targets, outputs, units });
    expectClose(actual, expected);
    expect(actual.targets).toHaveLength(width);
  });
});
