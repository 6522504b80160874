import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { thisProcess } from '../../src/files/process.js';
import { configDifferences } from '../../src/training/run/differences.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

/** The rate of each run, in the order of their dates. */
const RATES = [0.01, 0.1, 0.001];

/** Runs that differ in their rate, and the last one in its layers. */
async function trained() {
  const cwd = folderOf({
    'c.json': smallConfig({
      data: { train: 'data.csv', target: 'y', validation: 0.25 },
      training: { epochs: 3, batchSize: 8, optimizer: { type: 'adam' } },
    }),
    'data.csv': SMALL_CSV,
  });
  for (const [i, rate] of RATES.entries()) {
    const layers = i === 2 ? ['--set', 'network.layers=[4,"relu",4,"relu",1]'] : [];
    const rates = ['--set', `training.optimizer.learningRate=${rate}`];
    expect((await mlpHere(['train', 'c.json', ...rates, ...layers], { cwd })).code).toBe(0);
    setDate(join(cwd, `runs/c-${i + 1}`), i);
  }
  return cwd;
}

function setDate(run: string, day: number): void {
  utimesSync(join(run, 'run.json'), 0, 86_400 * (day + 1));
}

/** The first cells of the rows. */
function namesOf(stdout: string): (string | undefined)[] {
  return stdout
    .split('\n')
    .slice(2)
    .map((line) => /^runs\S*/.exec(line)?.[0])
    .filter(Boolean);
}

function summaryOf(cwd: string, run: string) {
  return JSON.parse(readFileSync(join(cwd, run, 'run.json'), 'utf8'));
}

describe('mlp runs', () => {
  it('shows runs, the newest first, with their scores and only the settings that differ', async () => {
    const cwd = await trained();
    const { code, stdout, stderr } = await mlpHere(['runs'], { cwd });
    expect([code, stderr]).toEqual([0, '']);
    const [header, , ...rows] = stdout.split('\n');
    expect(header.split(/ {2,}/)).toEqual([
      'run',
      'status',
      'epochs',
      'validation_loss',
      'validation_accuracy',
      'time',
      'network.layers',
      'training.optimizer.learningRate',
    ]);
    expect(namesOf(stdout)).toEqual(['runs/c-3', 'runs/c-2', 'runs/c-1']);
    const { validation } = summaryOf(cwd, 'runs/c-3');
    const cells = rows[0].split(/ {2,}/);
    expect(cells.slice(0, 3)).toEqual(['runs/c-3', 'completed', '3']);
    expect(Number(cells[3])).toBeCloseTo(validation.loss, 3);
    expect(cells.slice(-2)).toEqual(['4 relu 4 relu 1', '0.001']);
  });

  it('sorts by a score, a fact or a setting, and turns the order around', async () => {
    const cwd = await trained();
    const sorted = async (...options: string[]) =>
      namesOf((await mlpHere(['runs', '--sort', ...options], { cwd })).stdout);
    const runs = [1, 2, 3].map((n) => `runs/c-${n}`);
    expect(await sorted('run')).toEqual(runs);
    expect(await sorted('training.optimizer.learningRate')).toEqual(['runs/c-3', 'runs/c-1', 'runs/c-2']);
    expect(await sorted('training.optimizer.learningRate', '--reverse')).toEqual([
      'runs/c-2',
      'runs/c-1',
      'runs/c-3',
    ]);
    for (const [score, sign] of [
      ['loss', 1],
      ['accuracy', -1],
    ] as const) {
      for (const [run, value] of runs.map((run, i) => [run, [0.3, 0.1, 0.2][i]] as const)) {
        const summary = summaryOf(cwd, run);
        summary.validation[score] = value;
        writeFileSync(join(cwd, run, 'run.json'), JSON.stringify(summary));
      }
      const best = ['runs/c-2', 'runs/c-3', 'runs/c-1'];
      expect(await sorted(`validation_${score}`)).toEqual(sign === 1 ? best : best.toReversed());
    }
  });

  it('prints one document of everything with --json', async () => {
    const cwd = await trained();
    const { stdout, stderr } = await mlpHere(['runs', 'runs/c-2', 'runs/c-1', 'runs', '--json'], { cwd });
    expect(stderr).toBe('');
    const runs = JSON.parse(stdout);
    expect(runs.map(({ path }: { path: string }) => path)).toEqual(['runs/c-3', 'runs/c-2', 'runs/c-1']);
    const { train, validation, weightsSha256, trainSeconds, steps, data, keptEpoch } = summaryOf(
      cwd,
      'runs/c-2',
    );
    expect(runs[1]).toMatchObject({
      path: 'runs/c-2',
      status: 'completed',
      date: '1970-01-03T00:00:00.000Z',
      epochs: 3,
      differences: { 'training.optimizer.learningRate': 0.1 },
      metrics: { train, validation },
      ...{ keptEpoch, steps, trainSeconds, data, weightsSha256 },
    });
  });

  it('says which key of --sort it does not know, and names a near one', async () => {
    const cwd = await trained();
    for (const key of ['learningRate', 'learningRte', 'training.optimizer.learningRte']) {
      const { code, stderr } = await mlpHere(['runs', '--sort', key], { cwd });
      expect(code).toBe(64);
      expect(stderr).toContain(
        `error: --sort: found "${key}", expected run, status, epochs, time, date, train_loss`,
      );
      expect(stderr).toContain('hint: did you mean training.optimizer.learningRate?');
    }
  });

  it('finds runs one level deeper, and says what is unreadable, unfinished, running or no run', async () => {
    const cwd = await trained();
    const at = (path: string) => join(cwd, 'runs', path);
    cpSync(at('c-1'), at('study/trial-1'), { recursive: true });
    cpSync(at('c-1'), at('stopped'), { recursive: true });
    rmSync(at('stopped/run.json'));
    cpSync(at('stopped'), at('active'), { recursive: true });
    writeFileSync(
      at('active/lock'),
      `${JSON.stringify({ ...thisProcess(), pid: process.ppid, start: undefined })}\n`,
    );
    cpSync(at('c-1'), at('bro\u001b[31mken'), { recursive: true });
    writeFileSync(at('bro\u001b[31mken/config.json'), '{"data": {"train": 1},');
    cpSync(at('c-1'), at('foreign'), { recursive: true });
    writeFileSync(at('foreign/run.json'), '{"status": "done"}');
    mkdirSync(at('notes/deeper'), { recursive: true });
    writeFileSync(at('a file'), 'x');

    const { code, stdout, stderr } = await mlpHere(['runs', '--json'], { cwd });
    expect(code).toBe(0);
    const states = JSON.parse(stdout).map(({ path, status }: Record<string, string>) => [path, status]);
    expect(Object.fromEntries(states)).toEqual({
      'runs/c-1': 'completed',
      'runs/c-2': 'completed',
      'runs/c-3': 'completed',
      'runs/study/trial-1': 'completed',
      'runs/stopped': 'unfinished',
      'runs/active': 'running',
      'runs/bro\u001b[31mken': 'unreadable',
      'runs/foreign': 'unreadable',
    });
    expect(stderr).toContain('skipped 1 directory without a run: runs/notes\n');
    expect(stderr).toContain(
      'warning: runs/bro\\u001b[31mken cannot be read: runs/bro\\u001b[31mken/config.json:1:23: found the end',
    );
    expect(stderr).toContain(
      'runs/foreign/run.json:1:1: version: found content that mlp train does not write',
    );
    const table = await mlpHere(['runs'], { cwd });
    expect(table.code).toBe(0);
    expect(table.stdout).toContain('runs/bro\\u001b[31mken');
    expect(table.stdout + table.stderr).not.toContain('\u001b');
  });

  it('names the path of the data from here, and notes data that changed', async () => {
    const cwd = await trained();
    const [before] = [(await mlpHere(['runs'], { cwd })).stdout];
    expect(before).not.toContain('data.train');
    writeFileSync(join(cwd, 'data.csv'), SMALL_CSV.replace('0,0,no', '0,1,no'));
    await mlpHere(['train', 'c.json', '--run', 'elsewhere/deep/run'], { cwd });
    const { stdout, stderr } = await mlpHere(['runs', 'runs', 'elsewhere'], { cwd });
    expect(stdout).toContain('elsewhere/deep/run');
    expect(stdout).not.toContain('data.train');
    expect(stderr).toBe(
      'data.train is one path, but the runs read 2 versions of it: their scores are of other rows\n',
    );
  });

  it('says that a directory is empty, missing or a file', async () => {
    const cwd = folderOf({ 'a file': 'x' });
    mkdirSync(join(cwd, 'empty'));
    const empty = await mlpHere(['runs', 'empty'], { cwd });
    expect(empty).toMatchObject({ code: 0, stdout: '' });
    expect(empty.stderr).toMatch(/^found no runs in empty\nhint: mlp train <config.json> writes one/);
    expect(await mlpHere(['runs', 'empty', '--json'], { cwd })).toMatchObject({ code: 0, stdout: '[]\n' });
    const missing = await mlpHere(['runs'], { cwd });
    expect(missing.code).toBe(66);
    expect(missing.stderr).toMatch(
      /^error: runs: found no such directory, expected a directory of runs\nhint: /,
    );
    expect((await mlpHere(['runs', 'a file'], { cwd })).stderr).toMatch(
      /^error: a file: found a file, expected/,
    );
  });

  it('fits a narrow terminal: shorter headers, and what they stand for', async () => {
    const cwd = await trained();
    const { columns } = process.stdout;
    try {
      process.stdout.columns = 80;
      const { stdout } = await mlpHere(['runs'], { cwd });
      const lines = stdout.trimEnd().split('\n');
      expect(lines[0].split(/ {2,}/)).toEqual([
        'run',
        'epochs',
        'val_loss',
        'val_accuracy',
        'time',
        'layers',
        'learningRate',
      ]);
      for (const line of lines.slice(0, 5)) expect(line.length).toBeLessThanOrEqual(80);
      expect(stdout).toContain('val_ is validation_\n');
      expect(stdout).toContain('learningRate is training.optimizer.learningRate\n');
      process.stdout.columns = 60;
      const narrow = (await mlpHere(['runs'], { cwd })).stdout;
      expect(narrow).toContain(
        'not shown: network.layers, training.optimizer.learningRate (--json shows all)',
      );
    } finally {
      process.stdout.columns = columns;
    }
  });

  it('does not wait for a pipe in place of a file', async () => {
    if (process.platform === 'win32') return;
    const cwd = folderOf({});
    mkdirSync(join(cwd, 'runs/x'), { recursive: true });
    execFileSync('mkfifo', [join(cwd, 'runs/x/run.json')]);
    const { code, stderr } = await mlpHere(['runs'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('runs/x/run.json: found a pipe, expected a file');
  });
});

describe('the differences of configs', () => {
  const keysOf = (...configs: unknown[]) =>
    Object.fromEntries(
      configDifferences(new Map(configs.map((config, i) => [i, config]))).map(({ key, values }) => [
        key,
        [...values.values()],
      ]),
    );

  it('go as deep as the configs are alike', () => {
    const layer = (units: number) => ({ type: 'linear', units });
    expect(keysOf({ a: { b: 1, c: [1, 2] } }, { a: { b: 2, c: [1, 2] } })).toEqual({ 'a.b': [1, 2] });
    expect(keysOf({ layers: [layer(1), layer(3)] }, { layers: [layer(2), layer(3)] })).toEqual({
      'layers[0].units': [1, 2],
    });
    const [one, two] = [[layer(1)], [layer(1), layer(2)]];
    expect(keysOf({ layers: one }, { layers: two })).toEqual({ layers: [one, two] });
    expect(keysOf({ a: [1, 2] }, { a: [1, 3] })).toEqual({
      a: [
        [1, 2],
        [1, 3],
      ],
    });
  });

  it('name a key that only some have, but not the constants of another type', () => {
    expect(keysOf({ a: 1, stop: { patience: 3 } }, { a: 1 })).toEqual({ stop: [{ patience: 3 }] });
    const adam = { type: 'adam', rate: 1, beta1: 0.9 };
    expect(keysOf({ o: adam }, { o: { type: 'sgd', rate: 2 } }, { o: adam })).toEqual({
      'o.type': ['adam', 'sgd', 'adam'],
      'o.rate': [1, 2, 1],
    });
    expect(keysOf({ o: adam }, { o: { type: 'sgd', rate: 1 } }, { o: { ...adam, beta1: 0.8 } })).toEqual({
      'o.type': ['adam', 'sgd', 'adam'],
      'o.beta1': [0.9, 0.8],
    });
  });
});
