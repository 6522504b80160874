import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { joinCells } from '../../src/data/csv/writeCsv.js';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { loadDatasets } from '../../src/data/dataset/loadDataset.js';
import { openTable } from '../../src/data/openTable.js';
import type { ColumnKind, TextColumn } from '../../src/data/table.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { plainSplit } from '../support/datasets.js';
import { projectPath } from '../support/fixtures.js';
import { Folder, rejection } from './files.js';

const TEXTS = new Set(['colour', 'two', 'own', 'yes', 'day', 'class', 'who', 'when', 'part']);
const folder = new Folder();

/** The same cells in each format. */
beforeAll(async () => {
  const fixture = projectPath('test/fixtures/parquet/mixed.parquet');
  folder.write('mixed.parquet', readFileSync(fixture));
  const table = await openTable(fixture, { delimiter: 'auto', header: 'auto' });
  const { names } = table;
  const { columns, rows } = await table.read(names.map((): ColumnKind => 'text'));
  table.close();
  const cells = Array.from({ length: rows }, (_, row) =>
    (columns as TextColumn[]).map(({ levels, codes }) => levels[codes[row]] ?? ''),
  );
  const isQuoted = (cell: string) => (cell === 'NA' ? '"NA"' : cell);
  const csv = [names, ...cells].map((row) => joinCells(row.map(isQuoted), ','));
  folder.write('mixed.csv', csv.join(''));
  const lines = cells.map((row) => {
    const pairs = row.map((cell, i) => {
      const value = cell === '' ? null : TEXTS.has(names[i]) ? cell : Number(cell);
      return [names[i], value];
    });
    return JSON.stringify(Object.fromEntries(pairs));
  });
  folder.write('mixed.jsonl', lines.join('\n'));
});

/** All that a dataset tells, its features as arrays. */
function contentOf({ matrix: { rows, columns }, train, validation, test, ...rest }: Dataset) {
  return { ...rest, rows, columns, splits: [train, validation, test].map(plainSplit) };
}

async function load(data: object, more: object, options: object) {
  const path = folder.write('config.json', JSON.stringify({ network: { layers: [1] }, data, ...more }));
  const { config, where } = loadTrainConfig(path);
  const { dataset, refit } = await loadDatasets(
    config,
    folder.path,
    where,
    { threads: 1, ...options },
    'refit' in options,
  );
  return [contentOf(dataset), refit && contentOf(refit)];
}

const CLASS = { target: 'class', exclude: ['empty', 'y', 'w', 'part'], missing: 'indicator' };
const VALUE = { target: 'y', exclude: ['empty', 'class', 'part', 'who'], missing: 'median' };

const CASES: [string, object, object?, object?][] = [
  [
    'weights and shares',
    { ...CLASS, exclude: ['empty', 'y', 'part'], weights: { column: 'w' }, validation: 0.2, test: 0.1 },
  ],
  [
    'quartiles, a logarithm and groups',
    {
      ...VALUE,
      exclude: ['empty', 'class', 'part'],
      standardize: 'robust',
      targetTransform: 'log',
      standardizeTarget: true,
      validation: { share: 0.2, group: 'who' },
    },
  ],
  ['indicators by quartiles', { ...CLASS, standardize: 'robust', validation: 0.2 }],
  ['the last rows by time', { ...VALUE, missing: 'most-frequent', validation: { last: 0.2, by: 'when' } }],
  [
    'levels as numbers in a fold',
    { ...CLASS, embedFrom: 3, embedNumbersFrom: 2, standardize: 'robust', validation: { fold: 2, of: 5 } },
  ],
  [
    'folds of members',
    { ...CLASS, weights: 'balanced', missing: 'mean', validation: { folds: 4 } },
    { network: { layers: [4, 'relu', 3, 'softmax'], members: 4 } },
  ],
  [
    'marked rows, none incomplete',
    { ...CLASS, exclude: ['empty', 'y', 'w'], missing: 'drop-row', validation: 0, test: { column: 'part' } },
  ],
  [
    'numbers alone',
    {
      target: 'y',
      features: ['many', 'f', 'zeros', 'one', 'w'],
      validation: 0.2,
      standardize: { f: 'robust', zeros: 'minmax' },
    },
    { dtype: 'float64' },
  ],
  ['a refit', { ...CLASS, validation: 0.2, test: 0.1 }, {}, { refit: true }],
];

/** Rows come from text in the same way for all of them. */
const OF_TEXT = [
  'weights and shares',
  'the last rows by time',
  'marked rows, none incomplete',
  'several files',
];

describe.each(['parquet', 'csv', 'jsonl'])('features that stay on the disk: %s', (format) => {
  const file = `mixed.${format}`;
  const all: typeof CASES = [
    ...CASES,
    ['several files', { ...CLASS, train: [file, file], validation: 0.2 }],
    ['a refit of two files', { ...CLASS, validation: file }, {}, { refit: true }],
  ];
  const cases = format === 'parquet' ? all : all.filter(([name]) => OF_TEXT.includes(name));

  it.each(cases)('are those in memory: %s', async (name, data, more = {}, options = {}) => {
    const own = { train: file, ...data };
    const expected = await load(own, more, options);
    const onDisk = { ...options, bytesInMemory: 0, bytesOfPart: 700 };
    expect(await load({ ...own, cache: `cache-${format}` }, more, onDisk)).toEqual(expected);
    if (name === 'several files') expect(await load(own, more, onDisk)).toEqual(expected);
  });

  it('have the errors of those in memory', async () => {
    for (const data of [
      { ...CLASS, missing: 'error', validation: 0.2 },
      { ...CLASS, exclude: ['y', 'w', 'part'], validation: 0.2 },
      { ...CLASS, dates: { colour: [] }, validation: 0.2 },
    ]) {
      const own = { train: file, ...data };
      const { message } = await rejection(load(own, {}, {}));
      expect((await rejection(load(own, {}, { bytesInMemory: 0 }))).message).toBe(message);
    }
  });
});
