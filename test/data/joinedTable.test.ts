import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/dataset/loadDataset.js';
import { filesOf, fingerprintData } from '../../src/data/source/source.js';
import { ExitCode } from '../../src/errors.js';
import type { DataConfig } from '../../src/spec/dataConfig.js';
import { allOf } from '../support/datasets.js';
import { configOf, Folder, inConfig, rejection } from './files.js';

const folder = new Folder();

function load(files: Record<string, string | Uint8Array>, options: Partial<DataConfig> = {}) {
  for (const [name, content] of Object.entries(files)) folder.write(name, content);
  const train = Object.keys(files);
  return loadDataset(configOf({ train, target: 'y', ...options }), folder.path, inConfig);
}

async function failure(files: Record<string, string>, options: Partial<DataConfig> = {}) {
  const { message } = await rejection(load(files, options));
  return message.replaceAll(join(folder.path, '/'), '');
}

describe('several files', () => {
  it('are one table with the columns of the first', async () => {
    const { featureNames, train, classes, warnings } = await load(
      {
        'jan.csv': 'a,c,y\n1,red,no\n2,blue,yes\n',
        'feb.csv': Buffer.from('y;a;z;c\nmaybe;3,5;7;gr\xfcn\nno;;8;red\n', 'latin1'),
      },
      { missing: 'mean' },
    );
    expect(featureNames).toEqual(['a', 'c=blue', 'c=grün', 'c=red']);
    expect(classes).toEqual(['maybe', 'no', 'yes']);
    const mean = (1 + 2 + 3.5) / 3;
    expect(allOf(train.features)).toEqual(
      Float64Array.of(1, 0, 0, 1, 2, 1, 0, 0, 3.5, 0, 1, 0, mean, 0, 0, 1),
    );
    expect(train.labels).toEqual(Int32Array.of(1, 2, 0, 1));
    expect(warnings.join('\n')).toMatch(/Windows-1252[\s\S]*has no column "z"/);
  });

  it('give the bits of one file', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i / 7},${(i * i) % 11},${i % 2 ? 'x' : 'y'}`);
    const options = { standardize: true, validation: 0.25 } as const;
    const whole = await load({ 'whole.csv': `a,b,y\n${rows.join('\n')}\n` }, options);
    const parts = await load(
      { '1.csv': `a,b,y\n${rows.slice(0, 9).join('\n')}\n`, '2.csv': `a,b,y\n${rows.slice(9).join('\n')}\n` },
      options,
    );
    expect(allOf(parts.train.features)).toEqual(allOf(whole.train.features));
    expect(allOf(parts.validation?.features)).toEqual(allOf(whole.validation?.features));
    expect(parts.train.labels).toEqual(whole.train.labels);
  });

  it('keep the spelling of classes', async () => {
    const { classes } = await load(
      { '1.csv': 'a,y\n1,1\n2,2\n', '2.csv': 'a,y\n3,1.0\n4,2\n' },
      { task: 'auto' },
    );
    expect(classes).toEqual(['1', '1.0', '2']);
  });

  it('locate a cell in its file', async () => {
    expect(await failure({ '1.csv': 'a,y\n1,p\n2,q\n', '2.csv': 'y,a\np,3\nq,\n' })).toMatch(
      /^2.csv:3: column "a": found a missing value/,
    );
    expect(await failure({ '1.csv': 'a,y\n1,p\n,q\n', '2.csv': 'y,a\np,3\nq,4\n' })).toMatch(
      /^1.csv:3: column "a": found a missing value/,
    );
  });

  it.each([
    ['y\np\n', '2.csv:1: found no column "a", expected all that 1.csv has'],
    ['a,y\nx,p\nz,q\n', '2.csv: column "a": found text, expected numbers as in 1.csv'],
  ])('need the same columns: %j', async (second, expected) => {
    expect(await failure({ '1.csv': 'a,y\n1,p\n2,q\n', '2.csv': second })).toBe(expected);
  });

  it('are found by a pattern, in the order of their names', async () => {
    for (const name of ['m2.csv', 'm10.csv', 'm1.csv', 'other.csv']) folder.write(name, 'a,y\n1,p\n');
    expect(filesOf('m*.csv', folder.path)).toEqual(['m1.csv', 'm10.csv', 'm2.csv']);
    expect(filesOf(join(folder.path, 'm1*'), '/')).toEqual(
      ['m1.csv', 'm10.csv'].map((name) => join(folder.path, name)),
    );
    expect(() => filesOf('n*.csv', folder.path)).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.noInput,
        message: 'n*.csv: found no file of such a name',
      }),
    );
    expect(() => filesOf(Array(1001).fill('m*.csv'), folder.path)).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.data,
        message: 'm1.csv and others: found 3003 files, expected at most 1000 for a table',
      }),
    );
    const { data } = configOf({ train: 'm*.csv', target: 'y' });
    expect((await fingerprintData(data, folder.path)).map(({ path }) => path)).toHaveLength(3);
  });
});
