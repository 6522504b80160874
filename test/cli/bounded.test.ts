/** Files of strangers cost little: an error with the limit, never a hang, never a full disk or memory. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { encodeSafetensors } from '../../src/model/safetensors/encode.js';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const POSIX = process.platform !== 'win32';

const METADATA = {
  format: 'mlp',
  formatVersion: '1',
  network: '{"input":1,"layers":[1]}',
  task: '"regression"',
  loss: '"mean-squared-error"',
  header: 'true',
  features: '[{"kind":"numeric","column":"a","shift":0,"scale":1}]',
  targets: '["y"]',
};

function modelFile(changes: Partial<typeof METADATA>): Uint8Array {
  return encodeSafetensors([], { ...METADATA, ...changes }).header;
}

const list = (value: string, count: number) => `[${new Array(count).fill(value).join(',')}]`;

describe('a model file', () => {
  it.each<[string, Partial<typeof METADATA>, string]>([
    [
      'of 100,000 layers',
      { network: `{"input":1,"layers":${list('1', 100_000)}}` },
      'more than 100000 values',
    ],
    ['of 20,000 layers', { network: `{"input":1,"layers":${list('1', 20_000)}}` }, 'more than 10000 layers'],
    ['of a million features', { features: list('1', 1_000_000) }, 'more than 1000000 values'],
    ['of 50,000 damaged features', { features: list('{}', 50_000) }, 'and 999 more problems'],
    ['of 50,000 damaged classes', { classes: list('1', 50_000) } as object, 'and 999 more problems'],
  ])('%s: 65, with the limit', async (_, changes, message) => {
    const folder = folderOf({ 'd.csv': 'a,y\n1,2\n2,3\n' });
    writeFileSync(join(folder, 'm.safetensors'), modelFile(changes));
    const { code, stderr } = await mlpHere(['evaluate', 'm.safetensors', 'd.csv'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringContaining(message) });
  });
});

describe('a config', () => {
  const residuals = (depth: number): unknown =>
    depth === 0 ? 4 : { type: 'residual', layers: [4, residuals(depth - 1)] };

  it.each<[string, unknown, string]>([
    [
      'of 20,000 layers',
      new Array(20_000).fill(1),
      'config.json:1:22: network.layers: found more than 10000 layers',
    ],
    ['of 100,000 layers', new Array(100_000).fill(1), 'found more than 100000 values'],
    ['of layers in layers', [residuals(60)], 'found more than 64 levels of nesting'],
  ])('%s: 78, with the limit', async (_, layers, message) => {
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig({ network: { layers } }) });
    for (const args of [
      ['train', 'config.json'],
      ['gradcheck', 'config.json'],
      ['params', 'config.json'],
    ]) {
      const { code, stderr } = await mlpHere(args, { cwd: folder });
      expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(message) });
    }
  });

  it('with 60,000 wrong values under names: 78', async () => {
    const numbers = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, 1]));
    const data = { train: 'data.csv', target: 'y', numbers };
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig({ data }) });
    const { code, stderr } = await mlpHere(['train', 'config.json'], { cwd: folder });
    expect(code).toBe(78);
    expect(stderr).toContain('config.json:1:92: data.numbers.k0: found 1, expected');
  });

  it('of a network beyond the memory: 78 in gradcheck as in train', async () => {
    const layers = [20_000, 'relu', 20_000, 'relu', 1];
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig({ network: { layers } }) });
    for (const command of ['gradcheck', 'train']) {
      const { code, stderr } = await mlpHere([command, 'config.json'], { cwd: folder });
      expect(code).toBe(78);
      expect(stderr).toMatch(/this network and its data need \d\.\d+ GB of memory: /);
    }
  });

  it('of 256 threads is warned about before the data are read', async () => {
    const data = { train: 'missing.csv', target: 'y' };
    const folder = folderOf({ 'config.json': smallConfig({ data }) });
    const { stderr } = await mlpHere(['train', 'config.json', '--threads', '256'], { cwd: folder });
    expect(stderr).toMatch(/^warning: threads is 256, but this machine has \d+ processors?: /m);
  });
});

it('a graph of a long cycle: 78, with a few of its names', async () => {
  const nodes = Object.fromEntries(
    Array.from({ length: 20_000 }, (_, i) => [`y${i}`, `y${(i + 1) % 20_000}`]),
  );
  const folder = folderOf({ 'graph.json': { inputs: { x: 1 }, nodes, output: 'y1' } });
  const { code, stderr } = await mlpHere(['gradcheck', 'graph.json'], { cwd: folder });
  expect(code).toBe(78);
  expect(stderr).toContain('found the cycle y0 -> y1 -> ');
  expect(stderr.length).toBeLessThan(500);
});

describe('a table', () => {
  it.each([
    ['a CSV of 2 million commas', 'd.csv', ','.repeat(2_000_000), 'd.csv:1: found more than 100000 columns'],
    ['a CSV with a longer line below', 'd.csv', `a,b\n1,2\n${',x'.repeat(200_000)}\n`, 'd.csv:3: '],
    [
      'JSON Lines of 200,000 names',
      'd.jsonl',
      `{${Array.from({ length: 200_000 }, (_, i) => `"k${i}":1`).join(',')}}\n`,
      'd.jsonl:1: found more than 100000 columns',
    ],
  ])('%s: 65', async (_, name, text, message) => {
    const folder = folderOf({ [name]: text });
    const { code, stderr } = await mlpHere(['inspect', name], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringContaining(message) });
  });

  it.runIf(POSIX).each([
    ['/dev/zero', '/dev/zero: found a device, expected a file'],
    ['.', '.: found a directory, expected a file'],
  ])('%s: 66', async (path, message) => {
    const { code, stderr } = await mlpHere(['inspect', path], { cwd: folderOf({}) });
    expect({ code, stderr }).toEqual({ code: 66, stderr: expect.stringContaining(message) });
  });

  it.runIf(POSIX)('a named pipe that nobody writes to: 66', async () => {
    const folder = folderOf({});
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    // The time that a writer is given passes a hundred times as fast.
    const start = vi
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation((done, milliseconds = 0) => setTimeout(done, milliseconds / 100));
    onTestFinished(() => start.mockRestore());
    const { code, stderr } = await mlpHere(['inspect', 'pipe'], { cwd: folder });
    expect(code).toBe(66);
    expect(stderr).toContain('pipe: found a pipe that no process writes to');
    expect(start).toHaveBeenCalledWith(expect.any(Function), 3000);
  });

  it('a gzip of a table that is too long: 65, and nothing is left of it', async () => {
    const member = gzipSync(Buffer.alloc(60e6, '1,2\n'));
    const folder = folderOf({ 'bomb.csv.gz': Buffer.concat(new Array(5).fill(member)) });
    const { code, stderr } = await mlpHere(['inspect', 'bomb.csv.gz'], {
      cwd: folder,
      env: { TMPDIR: folder },
    });
    expect(code).toBe(65);
    expect(stderr).toMatch(/bomb\.csv\.gz: found a gzip of \d+ kB that unpacks to more than 256 MB/);
    expect(stderr).toContain('hint: --max-unpacked');
    expect(readdirSync(folder)).toEqual(['bomb.csv.gz']);
  });

  it('--max-unpacked sets the limit of Parquet: a few bytes may stand for millions of equal cells', async () => {
    const path = projectPath('test/fixtures/parquet/snappy.parquet');
    // 23 rows of 20 columns, at 16 bytes for a cell and 128 for a row.
    const inspect = (size: string) => mlp(['inspect', path, '--max-unpacked', size]);
    const { code, stderr } = await inspect('10303');
    expect(code).toBe(65);
    expect(stderr).toMatch(
      /snappy\.parquet: found 10\.8 kB that unpack to 10\.3 kB, expected at most 10\.3 kB\n/,
    );
    expect(stderr).toContain('hint: --max-unpacked');
    expect(await inspect('10304')).toMatchObject({ code: 0 });
  });

  it('--max-unpacked sets the limit of a gzip and of standard input', async () => {
    const text = `a,b\n${'1,2\n'.repeat(1000)}`;
    const folder = folderOf({ 'd.csv.gz': gzipSync(text) });
    const inspect = (path: string, size: string) =>
      mlp(['inspect', path, '--max-unpacked', size], { cwd: folder, input: text });
    for (const path of ['d.csv.gz', '-']) {
      expect(await inspect(path, '4kB')).toMatchObject({
        code: 65,
        stderr: expect.stringContaining('more than 4.00 kB'),
      });
      expect(await inspect(path, '0.01M')).toMatchObject({ code: 0 });
    }
    expect(await inspect('-', '5 apples')).toMatchObject({ code: 64 });
  });
});

describe.runIf(POSIX)('in place of a file', () => {
  async function finishedRun(): Promise<string> {
    const folder = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig({}) });
    await mlpHere(['train', 'config.json', '--run', 'run'], { cwd: folder });
    return folder;
  }

  const replace = {
    'a pipe': (path: string) => execFileSync('mkfifo', [path]),
    'a socket': (path: string) =>
      new Promise<void>((resolve) => {
        const server = createServer().listen(path, resolve);
        onTestFinished(() => void server.close());
      }),
    'a directory': (path: string) => mkdirSync(path),
  };

  it.each(Object.entries(replace))('%s is an error: in a run, and as a config', async (found, put) => {
    const folder = await finishedRun();
    const commands: [string, string[][]][] = [
      [
        'config.json',
        [
          ['evaluate', 'x'],
          ['repro', 'x'],
          ['train', '--resume', 'x'],
        ],
      ],
      [
        'run.json',
        [
          ['evaluate', 'x'],
          ['repro', 'x'],
        ],
      ],
      [
        'model.safetensors',
        [
          ['evaluate', 'x'],
          ['predict', 'x', 'data.csv'],
        ],
      ],
      ['lock', [['train', '--resume', 'x']]],
      [
        'steps.csv',
        [
          ['repro', 'x'],
          ['train', '--resume', 'x', '--set', 'training.epochs=3'],
        ],
      ],
    ];
    for (const [file, attempts] of commands) {
      for (const args of attempts) {
        cpSync(join(folder, 'run'), join(folder, 'x'), { recursive: true });
        rmSync(join(folder, 'x', file), { force: true });
        await put(join(folder, 'x', file));
        const { code, stderr } = await mlpHere(args, { cwd: folder });
        expect(code, `${args.join(' ')}: ${file}: ${stderr}`).toBeGreaterThan(1);
        expect(code, `${args.join(' ')}: ${file}: ${stderr}`).not.toBe(70);
        rmSync(join(folder, 'x'), { recursive: true });
      }
    }
    await put(join(folder, 'spec.json'));
    for (const command of ['train', 'params', 'gradcheck', 'doctor']) {
      const { code, stderr } = await mlpHere([command, 'spec.json'], { cwd: folder });
      expect(code, command).toBe(66);
      expect(stderr).toContain(`spec.json: found ${found}`);
    }
  });
});
