/** Histograms, images, data and evaluations, as pages are told of them. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataResults } from '../../src/analysis/data.js';
import { evaluateSplit } from '../../src/analysis/evaluation.js';
import { evenly, histogramOf } from '../../src/analysis/histogram.js';
import { imageOf } from '../../src/analysis/image.js';
import { QUICK, runResults } from '../../src/analysis/run.js';
import { loadDataset } from '../../src/data/dataset/loadDataset.js';
import type { FeatureEncoding } from '../../src/data/encoding/encoding.js';
import { loadModel, type Model } from '../../src/model/load.js';
import { PredictorPool } from '../../src/model/pool/predictorPool.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { modelContent } from '../../src/training/plan.js';
import { train } from '../../src/training/train.js';
import { tensorsOf } from '../model/models.js';
import { folderOf, SMALL_CSV, smallConfig } from '../support/cli.js';
import { prepare } from '../support/runs.js';

describe('a histogram', () => {
  it('counts all finite values, the greatest in the last part', () => {
    const { low, high, counts } = histogramOf([0, 0.5, 10, Number.NaN, Number.POSITIVE_INFINITY]);
    expect([low, high, counts.length]).toEqual([0, 10, 24]);
    expect([counts[0], counts[1], counts[23]]).toEqual([1, 1, 1]);
  });

  it('has a bar for each of a few whole numbers, and one for a single value', () => {
    expect(histogramOf([1, 2, 2, 4]).counts).toEqual([1, 2, 0, 1]);
    expect(histogramOf([3, 3]).counts).toEqual([2]);
    expect(histogramOf([]).counts).toEqual([]);
  });

  it('does not overflow', () => {
    expect(histogramOf([-1e308, 0, 1e308]).counts.reduce((a, b) => a + b, 0)).toBe(3);
  });
});

describe('a sample of numbers', () => {
  it('has the first and the last', () => {
    expect(evenly(5, 3)).toEqual([0, 2, 4]);
    expect(evenly(2, 3)).toEqual([0, 1]);
  });
});

describe('an image', () => {
  const pixels = (count: number, top = 255): FeatureEncoding[] =>
    Array.from({ length: count }, (_, i) => ({
      kind: 'numeric',
      column: `p${i}`,
      shift: 0,
      scale: 1,
      range: [0, top],
    }));

  it('is a square number of columns in one range, from 64 on', () => {
    expect(imageOf(pixels(64))?.width).toBe(8);
    expect(imageOf(pixels(63))).toBeUndefined();
    expect(imageOf(pixels(49))).toBeUndefined();
    expect(imageOf([...pixels(20), ...pixels(44, 2)])).toBeUndefined();
    expect(imageOf([...pixels(63), { kind: 'category', column: 'c', levels: ['a'] }])).toBeUndefined();
  });

  it('has the brightness of its pixels, and nothing where a column has no input', () => {
    const [first, ...rest] = pixels(64);
    const image = imageOf([{ kind: 'constant', column: first.column, value: 51 }, ...rest]);
    const features = Float32Array.from({ length: 63 }, (_, i) => (i === 0 ? 255 : 0));
    const { values } = image?.pictureOf(features, 0) ?? { values: [] };
    expect([values[0], values[1], values[2]]).toEqual([0.2, 1, 0]);
    expect(Array.from(image?.spread(features) ?? []).slice(0, 3)).toEqual([0, 255, 0]);
  });
});

describe('the analysis of a run', () => {
  /** A network with weights of seed 1, on a dataset of 131 rows of three classes. */
  async function run() {
    const { plan, dataset } = await prepare({ network: { layers: [5, 'tanh', 3] } });
    const content = modelContent(plan, dataset);
    const tensors = new Map(tensorsOf(content).map(({ name, data }) => [name, data])) as Model['tensors'];
    const model: Model = { ...content, path: 'model', dtype: 'float32', tensors };
    return { model, dataset, pool: PredictorPool.create(model) };
  }

  it('scores all rows of a split as they are, the worst first', async () => {
    const { model, dataset, pool } = await run();
    const { results, rows } = await evaluateSplit(model, pool, 'train', dataset.train, 1e6);
    expect([results.rows, results.of, rows.rows]).toEqual([
      dataset.train.rows,
      dataset.train.rows,
      dataset.train.rows,
    ]);
    const { counts = [], curves = [], calibration } = results.classification ?? {};
    expect(counts.flat().reduce((a, b) => a + b, 0)).toBe(dataset.train.rows);
    expect(curves.map(({ name }) => name)).toEqual(dataset.classes);
    expect(calibration?.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(dataset.train.rows);
    const losses = results.wrong?.rows.map(({ loss }) => loss) ?? [];
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    expect(results.wrong?.columns).toHaveLength(7);
  });

  it.each([
    ['of numbers', (row: number) => `${row},${row % 3}.5,c${row % 2}`, 40],
    [
      'with categories and a row without a target',
      (row: number) => `${row},k${row % 3},${row === 5 ? '' : `c${row % 2}`}`,
      39,
    ],
  ])('numbers the most wrong rows as the file has them, %s', async (_, line, kept) => {
    const csv = ['id,x,y', ...Array.from({ length: 40 }, (_, i) => line(i + 1))].join('\n');
    const { plan, dataset } = await prepare(
      {
        network: { layers: [3, 'tanh', 2] },
        data: { train: 'data.csv', target: 'y', missing: { y: 'drop-row' } },
      },
      csv,
    );
    const content = modelContent(plan, dataset);
    const tensors = new Map(tensorsOf(content).map(({ name, data }) => [name, data])) as Model['tensors'];
    const model: Model = { ...content, path: 'model', dtype: 'float32', tensors };
    const sides = [dataset.train, dataset.validation].filter((side) => side !== undefined);
    expect(sides.reduce((sum, { rows }) => sum + rows, 0)).toBe(kept);
    for (const side of sides) {
      const { results } = await evaluateSplit(model, PredictorPool.create(model), 'train', side, 20);
      const at = results.wrong?.columns.indexOf('id') ?? -1;
      for (const { number, cells } of results.wrong?.rows ?? []) expect(number).toBe(Number(cells[at]));
      expect(results.wrong?.rows.length).toBeGreaterThan(5);
    }
  });

  it('says how many of the rows it took', async () => {
    const { model, dataset, pool } = await run();
    const { results } = await evaluateSplit(model, pool, 'train', dataset.train, 20);
    expect([results.rows, results.of]).toEqual([20, dataset.train.rows]);
  });

  it('tells the columns in the units of the file', async () => {
    const { dataset } = await run();
    const { columns, target, rows } = dataResults(dataset, 1e6, (text) => text);
    expect(columns.map(({ name }) => name)).toEqual(['x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6']);
    for (const { least = 0, mean = 0, greatest = 0, deviation = 0, histogram } of columns) {
      expect(least).toBeGreaterThan(-1);
      expect(greatest).toBeLessThan(1);
      expect(Math.abs(mean)).toBeLessThan(0.3);
      // Of a uniform distribution from −1 to 1 it is 1/√3.
      expect(deviation).toBeCloseTo(1 / Math.sqrt(3), 0);
      expect(histogram?.counts.reduce((a, b) => a + b, 0)).toBe(rows);
    }
    expect(target?.levels?.reduce((sum, level) => sum + level.rows, 0)).toBe(rows);
  });

  it('counts about as many rows where it takes some', async () => {
    const { dataset } = await run();
    const { columns, rows } = dataResults(dataset, 7 * 10, (text) => text);
    expect(columns[0].histogram?.counts.reduce((a, b) => a + b, 0)).toBe(10);
    expect(rows).toBe(dataset.train.rows);
  });
});

describe('the results of a run', () => {
  const folderOfRun = async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const run = join(folder, 'r');
    await train(loadTrainConfig(join(folder, 'config.json')), { directory: run });
    const { config, directory } = loadTrainConfig(join(run, 'config.json'));
    return { run, dataset: await loadDataset(config, directory) };
  };

  it('lack predictions where they would take too long, and say so', async () => {
    const { run, dataset } = await folderOfRun();
    const resultsOf = (multiplyAdds: number) =>
      runResults(run, loadModel(run), { dataset }, { ...QUICK, multiplyAdds });
    expect(await resultsOf(1)).toMatchObject({
      notes: ['The network is so large that its predictions take longer than a page may'],
    });
    expect((await resultsOf(1)).evaluation).toBeUndefined();
    // Each of four rows passes once, or eleven times for the importance of two columns.
    expect((await resultsOf(4 * 3100)).importance).toBe(
      'Shuffling each column would take longer than a page may.',
    );
    expect((await resultsOf(1e6)).importance).toMatchObject({ rows: 4, repeats: 5 });
    expect((await resultsOf(4 * 3100 * 3)).importance).toMatchObject({ rows: 4, repeats: 1 });
  });
});
