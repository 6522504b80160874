import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderOf, mlpHere } from '../support/cli.js';
import { csvOf } from '../support/runs.js';

const config = (more: object = {}) => ({
  network: { layers: [4, 'relu', 3] },
  data: { train: 'data.csv', target: 'y', cache: 'kept' },
  training: { epochs: 2, batchSize: 30 },
  backend: 'wasm',
  threads: 1,
  ...more,
});

it('is written by the first training, read by the next, and told and deleted by mlp cache', async () => {
  const cwd = folderOf({
    'data.csv': csvOf(131, 7, 'classes'),
    'a.json': config(),
    'plain.json': config({ data: { train: 'data.csv', target: 'y' } }),
  });
  const train = async (name: string, run: string) => {
    const { code, stdout, stderr } = await mlpHere(['train', name, '--run', run, '--json'], { cwd });
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { sha256: lines.at(-1).weightsSha256, stderr };
  };
  const first = await train('a.json', 'one');
  const path = join('kept', readdirSync(join(cwd, 'kept'))[0]);
  const next = await train('a.json', 'two');
  const plain = await train('plain.json', 'three');
  expect(first.stderr).toContain(`${path} now`);
  expect(next.stderr).toContain(`the rows come from the cache`);
  expect(new Set([first.sha256, next.sha256, plain.sha256]).size).toBe(1);

  // The path in a run is that of the same folder.
  const evaluated = await mlpHere(['evaluate', 'one', '--json'], { cwd });
  const expected = await mlpHere(['evaluate', 'three', '--json'], { cwd });
  expect(evaluated.stderr).toContain('the rows come from the cache');
  expect(JSON.parse(evaluated.stdout).metrics).toEqual(JSON.parse(expected.stdout).metrics);
  expect((await mlpHere(['repro', 'one'], { cwd })).code).toBe(0);
  const more = ['train', 'plain.json', '--resume', 'one', '--extend', '--set', 'training.epochs=3'];
  expect((await mlpHere(more, { cwd })).code).toBe(0);

  // Its folds are scored after their trainings.
  const folds = ['crossvalidate', 'a.json', '--folds', '2', '--run', 'folds'];
  expect((await mlpHere(folds, { cwd })).code).toBe(0);
  expect(readdirSync(join(cwd, 'kept'))).toHaveLength(3);
  for (const name of readdirSync(join(cwd, 'kept')))
    if (!path.endsWith(name)) rmSync(join(cwd, 'kept', name));

  const listed = await mlpHere(['cache', 'kept', '--json'], { cwd });
  expect(JSON.parse(listed.stdout)).toMatchObject({
    folder: 'kept',
    deleted: false,
    caches: [{ path, rows: 131, columns: 7, dtype: 'float32', files: ['data.csv'] }],
  });
  const table = await mlpHere(['cache', 'kept'], { cwd });
  expect(table.stdout).toMatch(/cache +written +size +rows +columns +type +of\n/);
  expect(table.stderr).toMatch(/1 cache in kept, .* kB; --clear deletes them/);
  truncateSync(join(cwd, path), 100);
  expect((await mlpHere(['cache', 'kept'], { cwd })).stdout).toContain('damaged: found no end of a cache');
  expect((await mlpHere(['cache', 'kept', '--clear'], { cwd })).stderr).toContain('deleted 1 cache in kept');
  expect(readdirSync(join(cwd, 'kept'))).toEqual([]);
  expect((await mlpHere(['cache', 'kept'], { cwd })).stderr).toContain('found no caches in kept');
});

it('is refused for standard input and for bad rows that are skipped', async () => {
  const cwd = folderOf({ 'data.csv': csvOf(131, 7, 'classes'), 'a.json': config() });
  for (const [key, value] of [
    ['data.train', '-'],
    ['data.badRows', 'skip'],
  ]) {
    const { code, stderr } = await mlpHere(['train', 'a.json', '--set', `${key}=${value}`], { cwd });
    expect(stderr).toContain('data.cache: found a cache of');
    expect(code).toBe(78);
  }
  expect(readdirSync(cwd)).not.toContain('kept');
});
