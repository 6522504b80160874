import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../../src/data/dataset/dataset.js';
import { loadDataset } from '../../../src/data/dataset/loadDataset.js';
import { loadTrainConfig } from '../../../src/spec/loadConfig.js';
import datasets from '../../fixtures/sklearn/datasets.json' with { type: 'json' };
import { allOf } from '../../support/datasets.js';
import { configOf } from '../files.js';

interface Expected {
  rows: number;
  features: number;
  mean: number[];
  std: number[];
  min: number[];
  max: number[];
  classes?: string[];
  classRows?: number[];
  targetMean?: number;
  targetStd?: number;
  split: {
    train: number[];
    validation: number[];
    mean: number[];
    scale: number[];
    firstTrainRows: number[][];
    firstValidationRows: number[][];
    targetMean?: number;
    targetScale?: number;
    firstTrainTargets?: number[];
  };
}

const fixture: Record<string, Expected> = datasets;
const targets: Record<string, string> = {
  'breast-cancer': 'diagnosis',
  iris: 'species',
  wine: 'cultivar',
  digits: 'digit',
  diabetes: 'progression',
};

function load(name: string, options: { validation: number; standardize: boolean }): Promise<Dataset> {
  const data = {
    train: `${name}.csv`,
    target: targets[name],
    standardizeTarget: options.standardize,
    ...options,
  };
  return loadDataset(configOf(data), 'data');
}

/** Column j of a row-major matrix. */
function column(features: Float64Array, width: number, j: number): Float64Array {
  return features.filter((_, i) => i % width === j);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: Float64Array): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

describe.each(Object.entries(fixture))('data/%s.csv', (name, expected) => {
  it("is scikit-learn's data", async () => {
    const { task, train, classes, featureNames, targetNames } = await load(name, {
      validation: 0,
      standardize: false,
    });
    expect(train.rows).toBe(expected.rows);
    expect(featureNames).toHaveLength(expected.features);
    expect(targetNames).toEqual([targets[name]]);
    const columns = featureNames.map((_, j) =>
      column(allOf(train.features) as Float64Array, expected.features, j),
    );
    expect(columns.map(mean)).toBeAllclose(expected.mean, { relative: 1e-12 });
    expect(columns.map(deviation)).toBeAllclose(expected.std, { relative: 1e-11 });
    expect(columns.map((values) => Math.min(...values))).toEqual(expected.min);
    expect(columns.map((values) => Math.max(...values))).toEqual(expected.max);

    if (expected.classes) {
      expect(task).toBe(expected.classes.length === 2 ? 'binary' : 'multiclass');
      expect(classes).toEqual(expected.classes);
      const counts = expected.classes.map((_, label) => train.labels?.filter((l) => l === label).length);
      expect(counts).toEqual(expected.classRows);
    } else {
      const values = train.targets ?? new Float64Array();
      expect(task).toBe('regression');
      expect(mean(values)).toBeCloseTo(expected.targetMean ?? Number.NaN, 10);
      expect(deviation(values)).toBeCloseTo(expected.targetStd ?? Number.NaN, 10);
    }
  });

  it("is split as by scikit-learn's train_test_split, row for row", async () => {
    const all = await load(name, { validation: 0, standardize: false });
    const { train, validation } = await load(name, { validation: 0.2, standardize: false });
    for (const [rows, order] of [
      [train, expected.split.train] as const,
      [validation, expected.split.validation] as const,
    ]) {
      const features = order.map((row) => Array.from(all.train.features.read(row, 1)));
      expect(rows?.rows).toBe(order.length);
      expect(Array.from(allOf(rows?.features))).toEqual(features.flat());
      expect(rows?.labels && Array.from(rows.labels)).toEqual(
        all.train.labels && order.map((row) => all.train.labels?.[row]),
      );
      expect(rows?.targets && Array.from(rows.targets)).toEqual(
        all.train.targets && order.map((row) => all.train.targets?.[row]),
      );
    }
  });

  it("is standardised as by scikit-learn's StandardScaler, fitted on the training rows", async () => {
    const { train, validation, encodings, targetStandardization } = await load(name, {
      validation: 0.2,
      standardize: true,
    });
    const { split } = expected;
    const tolerance = { relative: 1e-12, absolute: 1e-12 };
    const numeric = encodings.filter((encoding) => encoding.kind === 'numeric');
    expect(numeric.map(({ shift }) => shift)).toBeAllclose(split.mean, tolerance);
    expect(numeric.map(({ scale }) => scale)).toBeAllclose(split.scale, tolerance);
    expect(train.features.read(0, 3)).toBeAllclose(split.firstTrainRows.flat(), tolerance);
    expect(validation?.features.read(0, 3) ?? []).toBeAllclose(split.firstValidationRows.flat(), tolerance);
    if (split.targetMean === undefined) {
      expect(targetStandardization).toBeUndefined();
    } else {
      expect([targetStandardization?.mean[0] ?? 0, targetStandardization?.scale[0] ?? 0]).toBeAllclose(
        [split.targetMean, split.targetScale ?? Number.NaN],
        tolerance,
      );
      expect(train.targets?.subarray(0, 3) ?? []).toBeAllclose(split.firstTrainTargets ?? [], tolerance);
    }
  });
});

it('says once that columns are constant', async () => {
  const { warnings } = await load('digits', { validation: 0.2, standardize: true });
  expect(warnings).toEqual([
    `${join('data', 'digits.csv')}: column "pixel_0_0", column "pixel_3_0", column "pixel_4_0", column "pixel_4_7" hold a single value ` +
      'in the training rows: the network ignores them',
  ]);
});

describe('a shipped config', () => {
  const widths: Record<string, [inputs: number, outputs: number]> = {
    'breast-cancer': [30, 1],
    iris: [4, 3],
    wine: [13, 3],
    digits: [64, 10],
    diabetes: [10, 1],
    'homework/toy': [4, 3],
  };

  it.each(Object.entries(widths))('finds data that fit its network: %s', async (name, [inputs, outputs]) => {
    const { config, directory } = loadTrainConfig(`configs/${name}.json`);
    const dataset = await loadDataset(config, directory);
    expect(dataset.featureNames).toHaveLength(inputs);
    expect(config.network.layers.at(-1)).toMatchObject({ type: 'linear', units: outputs });
    expect(dataset.task === 'multiclass' ? dataset.classes?.length : 1).toBe(outputs);
    expect(join(directory, config.$schema ?? '')).toBe(join('schema', 'config.schema.json'));
  });

  it("holds the class notebook's five rows", async () => {
    const { config, directory } = loadTrainConfig('configs/homework/toy.json');
    const { task, classes, featureNames, train, validation } = await loadDataset(config, directory);
    expect({ task, classes, featureNames, validation }).toEqual({
      task: 'multiclass',
      classes: ['0', '1', '2'],
      featureNames: ['0', '1', '2', '3'],
      validation: undefined,
    });
    expect(train.labels).toEqual(Int32Array.of(0, 1, 2, 2, 1));
    // 10 * np.random.RandomState(1).randn(5, 4), first and last row
    expect(train.features.read(0, 1).subarray(0, 4)).toEqual(
      Float64Array.of(16.243453636632417, -6.117564136500754, -5.2817175226345565, -10.729686221561705),
    );
    expect(allOf(train.features).subarray(16)).toEqual(
      Float64Array.of(-1.7242820755043575, -8.778584179213718, 0.4221374671559283, 5.828152137158222),
    );
  });
});
