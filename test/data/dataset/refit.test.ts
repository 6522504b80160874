/** The dataset of a refit: training and validation rows as one split, from one reading. */
import { describe, expect, it } from 'vitest';
import { loadDatasets } from '../../../src/data/dataset/loadDataset.js';
import { loadTrainConfig } from '../../../src/spec/loadConfig.js';
import { folderOf } from '../../support/cli.js';
import { allOf } from '../../support/datasets.js';
import { csvOf } from '../../support/runs.js';

const NUMBERS = csvOf(60, 3, 'values');
/** Levels, gaps and a number whose scale depends on the rows. */
const MIXED = [
  'size,colour,y',
  ...Array.from(
    { length: 40 },
    (_, i) => `${i % 7 === 3 ? '' : i * i},${['red', 'green', 'blue'][i % 3]},${i % 2 ? 'yes' : 'no'}`,
  ),
].join('\n');

async function load(data: object, files: Record<string, string>, isRefit = true) {
  const config = { network: { layers: [1] }, data: { target: 'y', ...data }, dtype: 'float64' };
  const folder = folderOf({ 'c.json': config, ...files });
  const { config: checked, directory, where } = loadTrainConfig(`${folder}/c.json`);
  return loadDatasets(checked, directory, where, {}, isRefit);
}

const SOURCES = [
  ['numbers', NUMBERS, {}],
  ['numbers, robust', NUMBERS, { standardize: 'robust' }],
  ['a table with levels and gaps', MIXED, { missing: 'indicator' }],
] as const;

describe.each(SOURCES)('a refit on %s', (_, csv, keys) => {
  it('has the rows of both splits in their order, encoded by all of them', async () => {
    const data = { train: 'data.csv', ...keys };
    const { dataset, refit } = await load({ ...data, validation: 0.25 }, { 'data.csv': csv });
    const all = (await load({ ...data, validation: 0 }, { 'data.csv': csv }, false)).dataset;
    expect(refit?.encodings).toEqual(all.encodings);
    expect(refit?.validation).toBeUndefined();
    expect(refit?.train.rows).toBe(all.train.rows);
    expect(refit?.train.rows).toBe(dataset.train.rows + (dataset.validation?.rows ?? 0));
    // The same rows, in another order than in the file: training, then validation.
    const rowsOf = ({ features }: typeof all.train) => {
      return Array.from({ length: features.rows }, (_, i) => features.read(i, 1).join());
    };
    if (!refit) throw new Error('no refit');
    expect(rowsOf(refit.train).toSorted()).toEqual(rowsOf(all.train).toSorted());
    expect(rowsOf(refit.train)).not.toEqual(rowsOf(all.train));
    const { labels, targets } = dataset.train;
    const first = dataset.train.rows;
    if (labels) expect(refit.train.labels?.subarray(0, first)).toEqual(labels);
    else expect(targets).toHaveLength(first);
  });

  it('leaves the test rows out, and the first dataset as it is without a refit', async () => {
    const data = { train: 'data.csv', validation: 0.25, test: 0.2, ...keys };
    const { dataset, refit } = await load(data, { 'data.csv': csv });
    const alone = (await load(data, { 'data.csv': csv }, false)).dataset;
    for (const split of ['train', 'validation', 'test'] as const) {
      expect(dataset[split]).toEqual(alone[split]);
    }
    expect(refit?.test?.rows).toBe(alone.test?.rows);
    expect(refit?.test?.labels).toEqual(alone.test?.labels);
    expect(allOf(refit?.test?.features)).not.toEqual(allOf(alone.test?.features));
  });
});

describe('a refit with validation rows in a file of their own', () => {
  const [header, ...lines] = MIXED.split('\n');
  const file = (rows: readonly string[]) => [header, ...rows].join('\n');
  const files = { 'a.csv': file(lines.slice(0, 30)), 'b.csv': file(lines.slice(30)) };
  const keys = { missing: 'indicator' };

  it('is fitted on both files, as if they were one', async () => {
    const { refit } = await load({ train: 'a.csv', validation: 'b.csv', ...keys }, files);
    const both = await load({ train: ['a.csv', 'b.csv'], validation: 0, ...keys }, files, false);
    expect(refit?.encodings).toEqual(both.dataset.encodings);
    expect(refit?.train).toEqual(both.dataset.train);
  });

  it('takes their columns in any order, and leaves out rows of classes that the training lacks', async () => {
    const swapped = lines.slice(30).map((line) => line.split(',').toReversed().join());
    const other = ['y,colour,size', ...swapped, 'maybe,red,1'].join('\n');
    const { refit } = await load(
      { train: 'a.csv', validation: 'b.csv', ...keys },
      { ...files, 'b.csv': other },
    );
    const both = await load({ train: ['a.csv', 'b.csv'], validation: 0, ...keys }, files, false);
    expect(refit?.train).toEqual(both.dataset.train);
    expect(refit?.classes).toEqual(['no', 'yes']);
  });

  it('adds levels that only they have, and weights', async () => {
    const more = file([...lines.slice(30), '5,pink,yes']);
    const data = { train: 'a.csv', validation: 'b.csv', weights: { yes: 3 }, missing: 'drop-row' };
    const { dataset, refit } = await load(data, { ...files, 'b.csv': more });
    expect(dataset.featureNames).not.toContain('colour=pink');
    expect(refit?.featureNames).toContain('colour=pink');
    expect([...(refit?.train.weights ?? [])]).toEqual([
      ...(dataset.train.weights ?? []),
      ...(dataset.validation?.weights ?? []),
    ]);
  });

  it('takes two files of numbers', async () => {
    const [header, ...lines] = NUMBERS.split('\n');
    const file = (rows: readonly string[]) => [header, ...rows].join('\n');
    const numbers = { 'a.csv': file(lines.slice(0, 45)), 'b.csv': file(lines.slice(45)) };
    const { refit } = await load({ train: 'a.csv', validation: 'b.csv' }, numbers);
    const both = await load({ train: ['a.csv', 'b.csv'], validation: 0 }, numbers, false);
    expect(allOf(refit?.train.features)).toBeAllclose(allOf(both.dataset.train.features), {
      relative: 1e-13,
    });
    expect(refit?.train.targets).toBeAllclose(both.dataset.train.targets ?? [], { relative: 1e-13 });
  });

  it('makes no numbers of levels that the network embeds none of', async () => {
    const more = file([...lines.slice(30), '5,pink,yes', '6,black,no']);
    const data = { train: 'a.csv', validation: 'b.csv', embedFrom: 5, ...keys };
    const { refit } = await load(data, { ...files, 'b.csv': more });
    expect(refit?.encodings[1]).not.toHaveProperty('numbered');
    const { refit: embedded } = await load({ ...data, embedFrom: 3 }, { ...files, 'b.csv': more });
    expect(embedded?.encodings[1]).toHaveProperty('numbered', true);
  });
});
