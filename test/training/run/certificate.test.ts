/** run.json tells of the bytes that were read, whatever happens to the files meanwhile. */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { readJson } from '../../../src/spec/json.js';
import { loadTrainConfig, sha256Of } from '../../../src/spec/loadConfig.js';
import { readSummary } from '../../../src/training/run/summary.js';
import { reproduce, resume, train } from '../../../src/training/train.js';
import { rejection } from '../../data/files.js';
import { errorOf } from '../../spec/support.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../../support/cli.js';
import { projectPath } from '../../support/fixtures.js';
import { settleFiles } from '../../support/settling.js';

// As users have it: these files are written again at once.
beforeAll(() => settleFiles(true));
afterAll(() => settleFiles(false));

const OTHER_CSV = SMALL_CSV.replaceAll('0,', '1,');
const LONG_AGO = 1e9;

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const asLines = (csv: string) =>
  csv
    .split('\n')
    .slice(1)
    .map((line) => {
      const [a, b, y] = line.split(',');
      return JSON.stringify({ a: Number(a), b: Number(b), y });
    })
    .join('\n');

const FORMS: Record<string, (csv: string) => string | Uint8Array> = {
  'data.csv': (csv) => csv,
  'data.csv.gz': (csv) => gzipSync(csv),
  'data.jsonl': asLines,
  'utf16.csv': (csv) => Buffer.from(`\ufeff${csv}`, 'utf16le'),
  'quoted.csv': (csv) => csv.replaceAll(/yes|no/g, '"$&"'),
};

/** Trains into `run`, and calls `during` once the data are read. */
async function trainWith(cwd: string, during: () => void) {
  const directory = join(cwd, 'run');
  const loaded = loadTrainConfig(join(cwd, 'config.json'));
  await train(loaded, { directory, listener: { dataRead: during } });
  return JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
}

/** Those of this process that are open for the file. */
function descriptorsOf(path: string): number[] {
  const { dev, ino } = statSync(path);
  return Array.from({ length: 1024 }, (_, descriptor) => descriptor).filter((descriptor) => {
    try {
      const open = fstatSync(descriptor);
      return open.dev === dev && open.ino === ino;
    } catch {
      return false;
    }
  });
}

function folderFor(name: string, bytes: string | Uint8Array, data: Record<string, unknown> = {}) {
  const config = smallConfig({ data: { train: name, target: 'y', ...data } });
  const cwd = folderOf({ 'config.json': config, [name]: bytes });
  const path = join(cwd, name);
  utimesSync(path, LONG_AGO, LONG_AGO);
  return { cwd, path };
}

describe('a file that is replaced while it is read', () => {
  it.each(Object.entries(FORMS))('is certified as it was read: %s', async (name, form) => {
    const { cwd, path } = folderFor(name, form(SMALL_CSV));
    writeFileSync(join(cwd, 'new'), form(OTHER_CSV));
    const { data } = await trainWith(cwd, () => renameSync(join(cwd, 'new'), path));
    expect(data).toEqual([{ key: 'data.train', path: name, sha256: sha256(form(SMALL_CSV)) }]);

    const run = join(cwd, 'run');
    expect(await reproduce(run)).toMatchObject({ status: 'different', difference: { what: 'data.train' } });
    expect(await rejection(resume(loadTrainConfig(join(cwd, 'config.json')), run))).toMatchObject({
      exitCode: ExitCode.data,
      message: expect.stringContaining('data.train: found'),
    });
    expect((await mlpHere(['evaluate', 'run'], { cwd })).code).toBe(65);
  });

  it('is certified if it is deleted', async () => {
    const { cwd, path } = folderFor('data.csv', SMALL_CSV);
    const { data } = await trainWith(cwd, () => unlinkSync(path));
    expect(data[0].sha256).toBe(sha256(SMALL_CSV));
  });

  it('is certified in Parquet, and beside files of other splits', async () => {
    const from = readFileSync(projectPath('test/fixtures/parquet/plain.parquet'));
    const { cwd, path } = folderFor('data.parquet', from, {
      target: 'int8',
      task: 'regression',
      features: ['half'],
      missing: 'mean',
    });
    const other = projectPath('test/fixtures/parquet/snappy.parquet');
    for (const name of ['validation', 'test']) copyFileSync(other, join(cwd, name));
    const config = JSON.parse(readFileSync(join(cwd, 'config.json'), 'utf8'));
    Object.assign(config.data, { validation: 'validation', test: 'test' });
    config.network.layers = [1];
    writeFileSync(join(cwd, 'config.json'), JSON.stringify(config));
    const { data } = await trainWith(cwd, () => {
      for (const name of [path, join(cwd, 'validation'), join(cwd, 'test')]) {
        writeFileSync(join(cwd, 'new'), 'other');
        renameSync(join(cwd, 'new'), name);
      }
    });
    expect(data.map(({ sha256 }: { sha256: string }) => sha256)).toEqual(
      [from, readFileSync(other), readFileSync(other)].map(sha256),
    );
  });
});

describe('a file that is written to while it is read', () => {
  const changes: [string, (path: string) => void][] = [
    ['grows', (path) => appendFileSync(path, '\n1,1,yes')],
    ['shrinks', (path) => truncateSync(path, statSync(path).size - 10)],
    ['is overwritten in place', (path) => writeFileSync(path, OTHER_CSV)],
    [
      'is overwritten, and its time set back',
      (path) => {
        const { ctimeNs } = statSync(path, { bigint: true });
        do {
          writeFileSync(path, OTHER_CSV);
          utimesSync(path, LONG_AGO, LONG_AGO);
        } while (statSync(path, { bigint: true }).ctimeNs === ctimeNs);
      },
    ],
  ];
  it.each(changes)('ends the run if it %s', async (_, change) => {
    expect(OTHER_CSV).toHaveLength(SMALL_CSV.length);
    const { cwd, path } = folderFor('data.csv', SMALL_CSV);
    expect(await rejection(trainWith(cwd, () => change(path)))).toMatchObject({
      exitCode: ExitCode.io,
      message: expect.stringContaining(`${path}: changed while it was read`),
      hint: 'run again when nothing writes to the file',
    });
    expect(existsSync(join(cwd, 'run'))).toBe(false);
  });

  it.each(['data.csv.gz', 'utf16.csv', 'data.jsonl'])('ends the run, of whatever form: %s', async (name) => {
    const { cwd, path } = folderFor(name, FORMS[name](SMALL_CSV));
    const failure = await rejection(trainWith(cwd, () => writeFileSync(path, FORMS[name](OTHER_CSV))));
    expect(failure.message).toContain('changed while it was read');
  });

  it('is no longer open afterwards', async () => {
    const { cwd, path } = folderFor('data.csv', SMALL_CSV);
    await trainWith(cwd, () => {});
    await reproduce(join(cwd, 'run'));
    expect(descriptorsOf(path)).toEqual([]);
    const descriptor = openSync(path, 'r');
    expect(descriptorsOf(path)).toEqual([descriptor]);
    closeSync(descriptor);
  });
});

describe('the config of a run', () => {
  it('is certified as it was used, not as somebody has left it', async () => {
    const { cwd } = folderFor('data.csv', SMALL_CSV);
    const config = join(cwd, 'run', 'config.json');
    let used = '';
    const { configSha256 } = await (async () => {
      const directory = join(cwd, 'run');
      const epochDone = () => {
        used ||= readFileSync(config, 'utf8');
        writeFileSync(config, used.replace('"seed": 0', '"seed": 1'));
      };
      await train(loadTrainConfig(join(cwd, 'config.json')), { directory, listener: { epochDone } });
      return JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
    })();
    expect(configSha256).toBe(sha256(used));
    expect(await reproduce(join(cwd, 'run'))).toMatchObject({ difference: { what: 'config' } });
    const evaluated = await mlpHere(['evaluate', 'run'], { cwd });
    expect(evaluated.stderr).toMatch(/^warning: run\/config.json: changed after the training/m);
  });

  it('is not resumed with if it was changed after the last checkpoint', async () => {
    const { cwd } = folderFor('data.csv', SMALL_CSV);
    await trainWith(cwd, () => {});
    const config = join(cwd, 'run', 'config.json');
    const before = readFileSync(config, 'utf8');
    writeFileSync(config, before.replace('"seed": 0', '"seed": 1'));
    const line = before.slice(0, before.indexOf('"seed"')).split('\n').length;
    expect(await rejection(resume(loadTrainConfig(config), join(cwd, 'run')))).toMatchObject({
      exitCode: ExitCode.config,
      message: `${config}:${line}:11: seed: found 1, expected 0 as in the last checkpoint`,
    });
    // The paths of the data may be others, and so may the length.
    renameSync(join(cwd, 'data.csv'), join(cwd, 'moved.csv'));
    writeFileSync(config, before.replace('data.csv', 'moved.csv').replace('"epochs": 3', '"epochs": 4'));
    const { result } = await resume(loadTrainConfig(config), join(cwd, 'run'), { mayExtend: true });
    expect(result.epochs).toBe(4);
  });

  it('is hashed as it was read', () => {
    const text = '\ufeff{"a": 1}\n';
    const cwd = folderOf({ 'a.json': text });
    const file = readJson(join(cwd, 'a.json'));
    expect(file).toMatchObject({ value: { a: 1 }, text: '{"a": 1}\n' });
    expect(sha256Of(file)).toBe(sha256(text));
    expect(errorOf(() => readJson(join(cwd, 'b.json')))).toMatchObject({ exitCode: ExitCode.noInput });
  });
});

describe('a damaged run.json', () => {
  it.each([
    ['cut short', '{\n  "version": "1', '2:16: found the end of the file, expected the closing quote'],
    ['a list', '[]', '1:1: found content that mlp train does not write'],
    ['without a key', '{}', '1:1: version: found content that mlp train does not write'],
  ])('%s is an error with its line and column', (_, text, message) => {
    const cwd = folderOf({ 'run.json': text });
    const error = errorOf(() => readSummary(cwd));
    expect(error.exitCode).toBe(ExitCode.data);
    expect(error.message).toContain(`run.json:${message}`);
  });

  it('names the value that no run can have written', () => {
    const known = {
      version: '1',
      node: 'v20',
      backend: 'wasm',
      configSha256: '',
      status: '',
      weightsSha256: '',
    };
    const text = JSON.stringify({
      ...known,
      threads: 1,
      relaxed: true,
      data: [{ key: 'a', path: 'a.csv' }, 5],
    });
    const message = `run.json:1:${text.indexOf('5]') + 1}: data[1]: found content`;
    expect(errorOf(() => readSummary(folderOf({ 'run.json': text }))).message).toContain(message);
  });
});
