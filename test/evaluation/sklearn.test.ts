import { describe, expect, it } from 'vitest';
import { crossEntropies, evaluateClasses } from '../../src/evaluation/classification.js';
import { classAccumulator, labelAccumulator, regressionAccumulator } from '../../src/evaluation/metrics.js';
import { evaluateLabels, labelCrossEntropies } from '../../src/evaluation/multilabel.js';
import {
  evaluateQuantiles,
  evaluateRegression,
  meanAbsolutePercentageError,
  poissonDeviance,
} from '../../src/evaluation/regression.js';
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

interface LabelCase extends Omit<ClassCase, 'outputs'> {
  width: number;
}

interface RegressionCase {
  name: string;
  width: number;
  /** [rows, width] row-major */
  targets: number[];
  outputs: number[];
  expected: Record<string, unknown>;
}

interface QuantileCase {
  name: string;
  targets: number[];
  /** [rows, quantiles] row-major */
  predictions: number[];
  quantiles: number[];
  expected: number[];
}

interface CountCase {
  name: string;
  targets: number[];
  predictions: number[];
  expected: number;
}

const CASES = fixture<{
  classification: ClassCase[];
  multilabel: LabelCase[];
  regression: RegressionCase[];
  quantiles: QuantileCase[];
  counts: CountCase[];
}>('sklearn/evaluation.json');

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

  it.each(CASES.classification)('after each epoch, where they are monitored: $name', (problem) => {
    const { labels, logits, outputs, expected, probabilities } = problem;
    const classes = probabilities.length / labels.length;
    const extras = ['balanced_accuracy', 'f1', 'roc_auc'] as const;
    const accumulator = classAccumulator(labels, outputs, classes, extras);
    const half = Math.ceil(labels.length / 2);
    for (let epoch = 0; epoch < 2; epoch++) {
      accumulator.add(half, logits.slice(0, half * outputs), 0);
      accumulator.add(labels.length - half, logits.slice(half * outputs), half);
      const { balancedAccuracy, rocAuc } = expected as { balancedAccuracy: number; rocAuc: number };
      const own = expected as { macro: { f1: number }; classes: { f1: number }[] };
      const f1 = classes === 2 ? own.classes[1].f1 : own.macro.f1;
      const wanted = { balanced_accuracy: balancedAccuracy, f1, roc_auc: rocAuc };
      expectClose(accumulator.result().metrics, wanted);
    }
  });
});

describe('the metrics of labels are those of scikit-learn', () => {
  it.each(CASES.multilabel)('$name', ({ width, expected, ...rows }) => {
    const crossEntropies = labelCrossEntropies(rows.labels, rows.logits, width);
    const actual = evaluateLabels(width, { ...rows, crossEntropies });
    expectClose(actual, expected);
    expect(actual.labels).toHaveLength(width);
  });

  it.each(CASES.multilabel)('after each epoch: $name', ({ width, labels, logits, expected }) => {
    const accumulator = labelAccumulator(labels, width, ['roc_auc']);
    const rows = labels.length / width;
    const half = Math.ceil(rows / 2);
    accumulator.add(half, logits.slice(0, half * width), 0);
    accumulator.add(rows - half, logits.slice(half * width), half);
    accumulator.addLoss(2, 4);
    const { micro, accuracy, rocAuc } = expected as {
      micro: { f1: number };
      accuracy: number;
      rocAuc: number;
    };
    expectClose(accumulator.result().metrics, { loss: 0.5, accuracy, f1: micro.f1, roc_auc: rocAuc });
  });
});

describe('the metrics of a regression are those of scikit-learn', () => {
  it.each(CASES.regression)('$name', ({ targets, outputs, width, expected }) => {
    const units = new Array<number>(width).fill(1);
    const mape = meanAbsolutePercentageError(targets, outputs);
    const actual = { ...evaluateRegression({ targets, outputs, units }), mape };
    expectClose(actual, expected);
    expect(actual.targets).toHaveLength(width);
  });

  it.each(CASES.regression)('after each epoch, where it is monitored: $name', (problem) => {
    const { targets, outputs, width, expected } = problem;
    const units = new Array<number>(width).fill(2);
    const halves = (values: number[]) => values.map((value) => value / 2);
    const accumulator = regressionAccumulator(halves(targets), units, { extras: ['mae'] });
    for (let epoch = 0; epoch < 2; epoch++) {
      accumulator.add(targets.length / width, halves(outputs), 0);
      expectClose(accumulator.result().metrics, { mae: expected.mae, rmse: expected.rmse });
    }
  });
});

describe('the metrics of quantiles and counts are those of scikit-learn', () => {
  it.each(CASES.quantiles)('$name', ({ targets, predictions, quantiles, expected }) => {
    const found = evaluateQuantiles(targets, predictions, quantiles);
    expectClose(
      found.quantiles?.map(({ pinballLoss }) => pinballLoss),
      expected,
    );
    const width = quantiles.length;
    const at = (row: number, j: number) => predictions[row * width + j];
    const below = quantiles.map((_, j) => targets.filter((t, row) => t <= at(row, j)).length / 50);
    expect(found.quantiles?.map((each) => each.below)).toEqual(below);
    const inside = targets.filter((t, row) => at(row, 0) <= t && t <= at(row, width - 1)).length;
    expect(found.coverage).toBe(width < 2 ? undefined : inside / 50);
  });

  it.each(CASES.counts)('$name', ({ targets, predictions, expected }) => {
    expectClose(poissonDeviance(targets, predictions), expected);
  });
});
