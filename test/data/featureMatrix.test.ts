import { expect, it } from 'vitest';
import { loadDataset } from '../../src/data/dataset/loadDataset.js';
import { chunksOf, createFeatureMatrix, MatrixRows } from '../../src/data/featureMatrix.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { errorOf } from '../spec/support.js';
import { folderOf } from '../support/cli.js';
import { partsOf, plainSplit } from '../support/datasets.js';
import { csvOf } from '../support/runs.js';

it('gives rows that lie in one part as a view of it, and others as a copy', () => {
  const matrix = createFeatureMatrix('float32', 5, 2, 20);
  expect(matrix.parts.map(({ features }) => features.rows)).toEqual([2, 2, 1]);
  for (const [i, { features }] of matrix.parts.entries()) {
    features.data.forEach((_, j) => {
      features.data[j] = 4 * i + j;
    });
  }
  const rows = new MatrixRows(matrix, 1, 4);
  expect(rows.read(0, 4)).toEqual(Float32Array.of(2, 3, 4, 5, 6, 7, 8, 9));
  expect(rows.read(1, 2)).toEqual(Float32Array.of(4, 5, 6, 7));
  expect(rows.read(1, 2).buffer).toBe(matrix.parts[1].memory.buffer);
  expect(rows.read(4, 0)).toHaveLength(0);
  expect([...chunksOf(rows)]).toEqual([{ first: 0, count: 4, data: rows.read(0, 4) }]);
});

it('refuses a matrix that is larger than the memory, and says both sizes', () => {
  expect(errorOf(() => createFeatureMatrix('float64', 2 ** 31, 1000))).toMatchObject({
    exitCode: 78,
    message: expect.stringMatching(
      /^the features of 2147483648 rows in 1000 columns need 17\.2 TB of memory: this machine has [\d.]+ \w+, of which/,
    ),
    hint: expect.stringContaining('"dtype": "float32"'),
  });
});

const MIXED = Array.from({ length: 90 }, (_, i) =>
  [
    i % 7 === 3 ? '' : (i * 37) % 11,
    ['red', 'green', 'blue', 'NA'][i % 4],
    `2024-0${1 + (i % 9)}-11`,
    i % 3,
  ].join(),
).join('\n');

it.each([
  ['numbers', csvOf(131, 7, 'values'), { standardize: true }],
  ['numbers by their quartiles', csvOf(131, 7, 'values'), { standardize: 'robust' }],
  ['a constant among numbers', csvOf(131, 3, 'values').replaceAll('\n', '\n7,').replace('x0', 'k,x0'), {}],
  ['cells of all kinds', `a,b,c,y\n${MIXED}`, { missing: 'indicator', categories: ['b'] }],
])('holds %s alike in one part and in many', async (_, csv, data) => {
  const folder = folderOf({
    'config.json': {
      network: { layers: [1] },
      data: {
        train: 'data.csv',
        target: 'y',
        task: 'regression',
        validation: 0.2,
        test: 'test.csv',
        ...data,
      },
    },
    'data.csv': csv,
    'test.csv': csv,
  });
  const { config } = loadTrainConfig(`${folder}/config.json`);
  const load = (bytesOfPart?: number) =>
    loadDataset(config, folder, undefined, { ...(bytesOfPart && { bytesOfPart }), threads: 1 });
  const [one, many] = [await load(), await load(500)];
  expect(partsOf(one)).toHaveLength(1);
  expect(partsOf(many).length).toBeGreaterThan(2);
  for (const name of ['train', 'validation', 'test'] as const) {
    expect(plainSplit(many[name])).toEqual(plainSplit(one[name]));
  }
  expect(many.encodings).toEqual(one.encodings);
  expect(many.warnings).toEqual(one.warnings);
});
