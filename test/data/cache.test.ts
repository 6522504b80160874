import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CacheWriter } from '../../src/data/cache/cacheFile.js';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { loadDataset, loadDatasets } from '../../src/data/dataset/loadDataset.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { folderOf } from '../support/cli.js';
import { plainSplit } from '../support/datasets.js';
import { csvOf } from '../support/runs.js';
import { rejection } from './files.js';

const MIXED = [
  'a,b,c,y,w',
  ...Array.from({ length: 90 }, (_, i) =>
    [
      i % 7 === 3 ? '' : (i * 37) % 11,
      ['red', 'green', 'blue', 'NA'][i % 4],
      `2024-0${1 + (i % 9)}-11`,
      `c${i % 3}`,
      1 + (i % 5),
    ].join(),
  ),
].join('\n');

const MOSTLY_ZERO = csvOf(131, 3, 'values')
  .replaceAll('\n', '\n0,')
  .replace('x0', 'k,x0')
  .replace('\n0,', '\n7,');

function folderWith(data: object, csv: string, more: object = {}): string {
  return folderOf({
    'config.json': {
      network: { layers: [1] },
      data: { train: 'data.csv', target: 'y', validation: 0.2, ...data },
      ...more,
    },
    'data.csv': csv,
  });
}

async function load(folder: string, cache?: string, bytesOfPart?: number) {
  const { config, where } = loadTrainConfig(`${folder}/config.json`);
  const notes: string[] = [];
  const dataset = await loadDataset(
    { ...config, data: { ...config.data, ...(cache && { cache }) } },
    folder,
    where,
    { threads: 1, note: (note) => notes.push(note), ...(bytesOfPart && { bytesOfPart }) },
  );
  return { dataset, notes };
}

/** All that a dataset tells, its features as arrays. */
function contentOf({ matrix: { rows, columns }, train, validation, test, ...rest }: Dataset) {
  return { ...rest, rows, columns, splits: [train, validation, test].map(plainSplit) };
}

const nameOf = (folder: string) => join(folder, 'cache', readdirSync(join(folder, 'cache'))[0]);

describe('a cached dataset', () => {
  it.each([
    ['numbers', csvOf(131, 7, 'classes'), { test: 0.1, weights: 'balanced' }],
    ['numbers by their quartiles', csvOf(131, 7, 'values'), { standardize: 'robust' }],
    ['numbers of which most may be one', MOSTLY_ZERO, { embedNumbersFrom: 2, task: 'regression' }],
    ['a constant among numbers', csvOf(131, 3, 'values').replaceAll('\n', '\n7,').replace('x0', 'k,x0'), {}],
    ['cells of all kinds', MIXED, { missing: 'indicator', weights: { column: 'w' } }],
    ['the folds of members', csvOf(131, 7, 'classes'), { validation: { folds: 4 } }],
    ['a fold', csvOf(131, 7, 'values'), { validation: { fold: 2, of: 5 } }],
  ])('of %s is the same when it is made, when it is found, and without', async (_, csv, data) => {
    const folder = folderWith(data, csv);
    const plain = await load(folder);
    const made = await load(folder, 'cache', 700);
    const found = await load(folder, 'cache');
    expect(contentOf(made.dataset)).toEqual(contentOf(plain.dataset));
    expect(contentOf(found.dataset)).toEqual(contentOf(plain.dataset));
    expect(plain.notes).toEqual([]);
    expect(made.notes).toEqual([
      `the rows are in the cache ${nameOf(folder)} now; mlp cache lists such files`,
    ]);
    expect(found.notes).toEqual([`the rows come from the cache ${nameOf(folder)}`]);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(1);
  });

  it('of a refit has a file of its own', async () => {
    const folder = folderWith({ cache: 'cache' }, csvOf(131, 7, 'classes'));
    const { config, where } = loadTrainConfig(`${folder}/config.json`);
    const { cache: _, ...data } = config.data;
    const both = async (options: typeof config) => {
      const { dataset, refit } = await loadDatasets(options, folder, where, { threads: 1 }, true);
      return [contentOf(dataset), refit && contentOf(refit)];
    };
    const plain = await both({ ...config, data });
    expect(await both(config)).toEqual(plain);
    expect(await both(config)).toEqual(plain);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(2);
  });

  it('is of these data, this seed and this number type alone', async () => {
    const folder = folderWith({ cache: 'cache' }, csvOf(131, 7, 'classes'));
    const changes = [{}, { seed: 3 }, { dtype: 'float64' }, {}];
    const count = async (change: object) => {
      const { config } = loadTrainConfig(`${folder}/config.json`);
      await loadDataset({ ...config, ...change }, folder);
      return readdirSync(join(folder, 'cache')).length;
    };
    const counts: number[] = [];
    for (const change of changes) counts.push(await count(change));
    writeFileSync(join(folder, 'data.csv'), csvOf(132, 7, 'classes'));
    counts.push(await count({}));
    expect(counts).toEqual([1, 2, 3, 3, 4]);
  });
});

describe('a cache that is damaged', () => {
  const damages: [string, (path: string) => void, string][] = [
    [
      'in a row',
      (path) => {
        const bytes = readFileSync(path);
        bytes[100] ^= 1;
        writeFileSync(path, bytes);
      },
      'found other bytes than were written, from byte 0 on',
    ],
    ['and cut off', (path) => truncateSync(path, 2000), 'found no end of a cache'],
    ['and empty', (path) => truncateSync(path, 0), 'found no end of a cache'],
    [
      'because another has its name',
      (path) => {
        const bytes = readFileSync(path, 'latin1');
        writeFileSync(path, bytes.replace(basename(path, '.mlpcache'), '0'.repeat(64)), 'latin1');
      },
      'found the rows of other data, or of another config',
    ],
    [
      'in its checksums',
      (path) => {
        const bytes = readFileSync(path);
        bytes[bytes.length - 130] ^= 1;
        writeFileSync(path, bytes);
      },
      'found',
    ],
  ];

  it.each(damages)('%s is written anew, and a note says why', async (_, damage, why) => {
    const folder = folderWith({}, csvOf(131, 7, 'classes'));
    const expected = contentOf((await load(folder, 'cache')).dataset);
    const path = nameOf(folder);
    const bytes = readFileSync(path);
    damage(path);
    const { dataset, notes } = await load(folder, 'cache');
    expect(contentOf(dataset)).toEqual(expected);
    expect(notes[0]).toContain(`${path}: ${why}`);
    expect(notes[0]).toMatch(/; it is written anew$/);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('because it is a link is replaced, and what it leads to stays', async () => {
    const folder = folderWith({}, csvOf(131, 7, 'classes'));
    await load(folder, 'cache');
    const path = nameOf(folder);
    const other = folderOf({ 'precious.txt': 'mine' });
    rmSync(path);
    symlinkSync(`${other}/precious.txt`, path);
    const { notes } = await load(folder, 'cache');
    expect(notes[0]).toContain('found a symbolic link');
    expect(readFileSync(`${other}/precious.txt`, 'utf8')).toBe('mine');
    expect((await load(folder, 'cache')).notes).toEqual([expect.stringContaining('come from the cache')]);
  });
});

/** The file at `path` with another JSON, and checksums that hold; of one block. */
function forged(path: string, change: (text: string) => string): Buffer {
  const bytes = readFileSync(path);
  const [, start, arraysAt, textAt, blocksAt] =
    /(mlp-cache 2 [0-9a-f]{64}) (\w{12}) (\w{12}) (\w{12}) \w{8}\n$/.exec(bytes.toString('latin1')) ?? [];
  const at = Number.parseInt(textAt, 16);
  const text = bytes.toString('utf8', at, Number.parseInt(blocksAt, 16));
  const content = Buffer.concat([bytes.subarray(0, at), Buffer.from(change(text))]);
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const blocks = Buffer.alloc(4);
  blocks.writeUInt32LE(crc32(content));
  const trailer = [start, arraysAt, textAt, hex(content.length, 12), hex(crc32(blocks), 8)].join(' ');
  return Buffer.concat([content, blocks, Buffer.from(`${trailer}\n`)]);
}

const replaced = (from: string | RegExp, to: string) => (text: string) => {
  expect(text).toMatch(from);
  return text.replace(from, to);
};

it.each([
  ['no JSON', () => '{'],
  ['a number', () => '3'],
  ['nothing of a dataset', () => '{"$object":[]}'],
  ['a deep nest', () => '['.repeat(50_000) + ']'.repeat(50_000)],
  [
    'an array beyond the file',
    () => '{"$object":[["train",{"$object":[["labels",{"$array":"Float64Array","length":1e9}]]}]]}',
  ],
  ['no classes', replaced(/\["classes",\[[^\]]*\]\],/, '')],
  ['one class', replaced(/\["classes",\[[^\]]*\]\]/, '["classes",["c0"]]')],
  ['another task', replaced('["task","multiclass"]', '["task","regression"]')],
  ['another number type', replaced('["dtype","float32"]', '["dtype","float64"]')],
  ['a scale that is a text', replaced(/\["scale",[^\]]*\]/, '["scale","1"]')],
  ['more inputs', replaced('["kind","numeric"]', '["kind","numeric"],["indicator",true]')],
  ['rows that are not there', replaced(/\["first",0\]/, '["first",999]')],
  ['a path that is a number', replaced(/\["paths",\[[^\]]*\]\]/, '["paths",[3]]')],
])('a forged cache of %s is written anew', async (_, change) => {
  const folder = folderWith({}, csvOf(131, 7, 'classes'));
  const expected = contentOf((await load(folder, 'cache')).dataset);
  const path = nameOf(folder);
  const sound = readFileSync(path);
  writeFileSync(path, forged(path, change));
  const { dataset, notes } = await load(folder, 'cache');
  expect(contentOf(dataset)).toEqual(expected);
  expect(notes[0]).toMatch(/mlpcache: found .*; it is written anew$/);
  expect(readFileSync(path)).toEqual(sound);
});

describe('a cache that cannot be', () => {
  it('written is an error, and leaves nothing behind', async () => {
    const folder = folderWith({}, csvOf(131, 7, 'classes'));
    expect(await rejection(load(folder, 'data.csv'))).toMatchObject({ exitCode: 73 });
    const place = {
      folder: join(folder, 'cache'),
      key: 'a'.repeat(64),
      dtype: 'float64',
      paths: [],
    } as const;
    expect(await rejection(CacheWriter.begin(place, 2 ** 40, 1000))).toMatchObject({
      exitCode: 74,
      message: expect.stringMatching(/: the rows need 8\.80 PB, but the disk has room for [\d.]+ \w+$/),
      hint: expect.stringContaining('name another folder in data.cache'),
    });
    const bad = folderWith({}, `${csvOf(131, 7, 'classes')}\n1,2,3,4,5,6,x,c0\n`);
    expect(await rejection(load(bad, 'cache'))).toMatchObject({ exitCode: 65 });
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
  });

  it('found again is refused: data in memory', async () => {
    const folder = folderWith({ cache: 'cache' }, csvOf(131, 7, 'classes'));
    const { config, where } = loadTrainConfig(`${folder}/config.json`);
    const memory = { train: { rows: [{ y: 1, x: 2 }] } };
    expect(await rejection(loadDataset(config, folder, where, { memory }))).toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('data.cache: found data in memory'),
    });
  });

  it('is whole where two write it at once', async () => {
    const folder = folderWith({}, csvOf(131, 7, 'classes'));
    const expected = contentOf((await load(folder)).dataset);
    const both = await Promise.all([load(folder, 'cache'), load(folder, 'cache')]);
    for (const { dataset } of both) expect(contentOf(dataset)).toEqual(expected);
    expect(contentOf((await load(folder, 'cache')).dataset)).toEqual(expected);
    expect(readdirSync(join(folder, 'cache'))).toHaveLength(1);
  });
});

describe('rows that do not fit into memory', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('go to the folder for caches by themselves, and a note says so', async () => {
    const folder = folderWith({}, csvOf(131, 7, 'classes'));
    const expected = contentOf((await load(folder)).dataset);
    vi.spyOn(process, 'constrainedMemory').mockReturnValue(2000);
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'home'));
    const made = await load(folder);
    const found = await load(folder);
    for (const { dataset } of [made, found]) expect(contentOf(dataset)).toEqual(expected);
    const at = join(folder, 'home', 'mlp');
    expect(made.notes).toEqual([
      'the features of 131 rows in 7 columns need 3.67 kB of memory: this machine has 2.00 kB, of which they may take nine tenths, so they go to a file',
      expect.stringMatching(`^the rows are in the cache ${at}/.* now`),
    ]);
    expect(found.notes).toEqual([expect.stringMatching(`^the rows come from the cache ${at}/`)]);
    expect(readdirSync(at)).toHaveLength(1);
  });

  it('are refused where they can not be cached', async () => {
    const folder = folderWith({ badRows: 'skip' }, csvOf(131, 7, 'classes'));
    vi.spyOn(process, 'constrainedMemory').mockReturnValue(2000);
    expect(await rejection(load(folder))).toMatchObject({
      exitCode: 78,
      message: expect.stringContaining('need 3.67 kB of memory: this machine has 2.00 kB'),
      hint: expect.stringContaining('data.cache keeps them in a file'),
    });
  });
});
