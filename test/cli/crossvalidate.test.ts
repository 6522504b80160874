/** mlp crossvalidate: a run for each fold, scores and predictions of all, and a resume after any stop. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig, stopAt } from '../support/cli.js';

const jsonOf = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const rowsOf = (path: string): Record<string, string>[] =>
  parse(readFileSync(path, 'utf8'), { columns: true });

const files = (config: Record<string, unknown> = {}) => ({
  'config.json': smallConfig(config),
  'data.csv': SMALL_CSV,
});

describe('mlp crossvalidate', () => {
  it('trains a run for each fold, which the other commands take', async () => {
    const cwd = folderOf(files());
    const { code, stdout, stderr } = await mlpHere(['crossvalidate', 'config.json', '--folds', '4'], { cwd });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^cross-validation runs\/config-cv-1$/m)]);
    expect(stderr.match(/^fold \d\/4 .*$/gm)).toHaveLength(4);
    const directory = join(cwd, 'runs/config-cv-1');
    const { runs, metrics, status, request } = jsonOf(join(directory, 'crossvalidation.json'));
    expect([status, request]).toEqual(['finished', { folds: 4, repeats: 1, as: 'test', shape: {} }]);
    expect(runs.map(({ rows }: { rows: number }) => rows)).toEqual([5, 5, 5, 5]);
    const accuracies = runs.map(({ metrics }: { metrics: { accuracy: number } }) => metrics.accuracy);
    const mean = (accuracies[0] + accuracies[1] + accuracies[2] + accuracies[3]) / 4;
    const squares = accuracies.map((accuracy: number) => (accuracy - mean) ** 2);
    expect(metrics.accuracy.mean).toBeCloseTo(mean, 12);
    expect(metrics.accuracy.deviation).toBeCloseTo(
      Math.sqrt(squares.reduce((a: number, b: number) => a + b) / 3),
      12,
    );

    const run = 'runs/config-cv-1/fold-3';
    expect(jsonOf(join(cwd, run, 'config.json')).data.test).toEqual({ fold: 3, of: 4, repeat: 1, seed: 0 });
    expect((await mlpHere(['repro', run], { cwd })).code).toBe(0);
    const evaluated = await mlpHere(['evaluate', run, '--json'], { cwd });
    expect(JSON.parse(evaluated.stdout).metrics).toMatchObject({
      loss: runs[2].metrics.loss,
      accuracy: runs[2].metrics.accuracy,
    });
    const listed = await mlpHere(['runs', 'runs', '--json'], { cwd });
    expect(JSON.parse(listed.stdout)).toHaveLength(4);
  });

  it('predicts each row by the network that has not seen it, in each repeat by other folds and weights', async () => {
    const cwd = folderOf(files({ seed: 7 }));
    await mlpHere(['crossvalidate', 'config.json', '--folds', '2', '--repeats', '2', '--run', 'cv'], { cwd });
    const rows = rowsOf(join(cwd, 'cv/predictions.csv'));
    expect(rows.map(({ row, repeat }) => [Number(row), Number(repeat)])).toEqual(
      Array.from({ length: 20 }, (_, i) => [1, 2].map((repeat) => [i + 1, repeat])).flat(),
    );
    const truth = SMALL_CSV.split('\n').map((line) => line.split(',')[2]);
    for (const row of rows) expect(row.truth).toBe(truth[Number(row.row)]);
    const foldsOf = (repeat: string) => rows.filter((row) => row.repeat === repeat).map(({ fold }) => fold);
    expect(foldsOf('1')).not.toEqual(foldsOf('2'));
    const { runs } = jsonOf(join(cwd, 'cv/crossvalidation.json'));
    expect(runs.map(({ run, seed }: { run: string; seed: number }) => [run, seed])).toEqual([
      ['repeat-1-fold-1', 7],
      ['repeat-1-fold-2', 7],
      ['repeat-2-fold-1', 8],
      ['repeat-2-fold-2', 8],
    ]);
    for (const repeat of ['1', '2']) {
      for (const fold of ['1', '2']) {
        const predicted = await mlpHere(['predict', `cv/repeat-${repeat}-fold-${fold}`, 'data.csv'], { cwd });
        const all: Record<string, string>[] = parse(predicted.stdout, { columns: true });
        const own = rows.filter((row) => row.repeat === repeat && row.fold === fold);
        expect(own).toHaveLength(10);
        for (const { row, repeat: _, fold: __, truth: ___, ...prediction } of own) {
          expect(prediction).toEqual(all[Number(row) - 1]);
        }
      }
    }
  });
});

/** Two quantities, a group, a day and a mark of each row. */
const QUANTITIES = [
  'a,b,group,day,part,y,z',
  ...Array.from({ length: 24 }, (_, i) => {
    const day = `2024-01-${String(1 + ((i * 5) % 24)).padStart(2, '0')}`;
    return `${(i * 7) % 5},${i % 4},=g${i % 6},${day},${i % 8 ? 'x' : 'test'},${i / 10},${-i}`;
  }),
].join('\n');

/** A folder with a config for them. */
function quantities(data: object, changes: Record<string, unknown> = {}): string {
  return folderOf({
    'config.json': smallConfig({
      data: { train: 'data.csv', target: 'y', exclude: ['z', 'group', 'part'], ...data },
      training: { epochs: 1 },
      threads: 1,
      ...changes,
    }),
    'data.csv': QUANTITIES,
  });
}

describe('the folds', () => {
  it('are whole groups, and so are the validation rows', async () => {
    const cwd = quantities({ exclude: ['day', 'part', 'z'], test: 0.25 });
    const args = ['crossvalidate', 'config.json', '--folds', '3', '--group', 'group', '--run', 'cv'];
    const { code, stderr } = await mlpHere(args, { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('data.test: the folds take the place of 0.25');
    const validation = { share: 0.2, group: 'group' };
    expect(stderr).toContain(`data.validation: taken as ${JSON.stringify(validation)}, like the folds`);
    expect(jsonOf(join(cwd, 'cv/fold-2/config.json')).data).toMatchObject({
      test: { fold: 2, of: 3, group: 'group' },
      validation,
    });
    const rows = rowsOf(join(cwd, 'cv/predictions.csv'));
    for (const { row, fold } of rows) expect(fold).toBe(rows[(Number(row) - 1) % 6].fold);
  });

  it('follow the split of the config, here by order, of several targets in their own unit', async () => {
    const split = { test: { last: 0.2, by: 'day' }, validation: 0, target: ['y', 'z'] };
    const cwd = quantities({ ...split, exclude: ['group', 'part'] }, { network: { layers: [2] } });
    const args = ['crossvalidate', 'config.json', '--folds', '3', '--run', 'cv', '--json'];
    const { code, stdout, stderr } = await mlpHere(args, { cwd });
    expect([code, JSON.parse(stdout).request.shape], stderr).toEqual([0, { ordered: true, by: 'day' }]);
    // Each fold tests ⌊24/4⌋ = 6 days; the first six days are in none.
    const days = QUANTITIES.split('\n').map((line) => Number(line.split(',')[3].slice(-2)));
    const rows = rowsOf(join(cwd, 'cv/predictions.csv'));
    expect(rows).toHaveLength(18);
    for (const { row, fold, truth_y, truth_z } of rows) {
      expect(Number(fold)).toBe(Math.ceil(days[Number(row)] / 6) - 1);
      expect([truth_y, truth_z]).toEqual(QUANTITIES.split('\n')[Number(row)].split(',').slice(5));
    }
  });

  it('may be the validation rows of runs that keep their test rows', async () => {
    const cwd = quantities({ test: { column: 'part' }, exclude: ['z', 'group', 'day'] });
    const args = ['crossvalidate', 'config.json', '--folds', '2', '--as', 'validation', '--run', 'cv'];
    expect((await mlpHere(args, { cwd })).code).toBe(0);
    const { validation, test } = jsonOf(join(cwd, 'cv/fold-1/config.json')).data;
    expect([validation.fold, test.column]).toEqual([1, 'part']);
    const rows = rowsOf(join(cwd, 'cv/predictions.csv')).map(({ row }) => Number(row));
    expect(rows).toEqual(Array.from({ length: 24 }, (_, i) => i + 1).filter((row) => (row - 1) % 8));
    const { runs } = jsonOf(join(cwd, 'cv/crossvalidation.json'));
    const summary = jsonOf(join(cwd, 'cv/fold-1/run.json'));
    expect(runs[0].metrics.loss).toBeCloseTo(summary.validation.loss, 5);
  });

  it('guard against formulas, and take no notice of classes if told so', async () => {
    const cwd = quantities(
      { target: 'group', exclude: ['y', 'z', 'part', 'day'] },
      { network: { layers: [6] } },
    );
    const args = ['crossvalidate', 'config.json', '--folds', '2', '--no-stratify', '--run', 'cv'];
    expect((await mlpHere([...args, '--set', 'data.validation=0'], { cwd })).code).toBe(0);
    const [first] = rowsOf(join(cwd, 'cv/predictions.csv'));
    expect(first.truth).toBe("'=g0");
    expect(jsonOf(join(cwd, 'cv/fold-1/config.json')).data.test.stratify).toBe(false);
  });
});

describe('a mistake', () => {
  it.each<[string, object, string[], number, string]>([
    ['one fold', {}, ['--folds', '1'], 64, '--folds: found 1, expected at least 2'],
    ['two shapes', {}, ['--group', 'group', '--ordered'], 64, 'found both --group and --ordered'],
    ['repeats in order', {}, ['--ordered', '--repeats', '2'], 64, '--repeats: found 2 for ordered rows'],
    ['too many folds', {}, ['--folds', '25'], 65, 'data.csv: folds: found 24 rows, expected at least 25'],
    [
      'too many folds of groups',
      { exclude: ['day', 'z', 'part'] },
      ['--group', 'group', '--folds', '7'],
      65,
      'folds: found 6 groups, expected at least 7',
    ],
    ['a test file', { test: 'data.csv' }, [], 78, 'data.test: found a file, expected a fraction or 0'],
    ['marked rows', { test: { column: 'part' } }, [], 78, 'data.test: found rows marked by a column'],
    ['an unknown column', {}, ['--group', 'grup'], 78, 'error: --group: found no column "grup"'],
    ['standard input', { train: '-' }, [], 78, 'data.train: found standard input, expected a file'],
    [
      'a refit on the folds',
      {},
      ['--as', 'validation', '--set', 'training.refit=true'],
      78,
      'training.refit: found true where the folds are validation rows',
    ],
    ['no such directory', {}, ['--resume', 'nowhere'], 66, 'nowhere: found no such directory'],
  ])('%s is refused, and leaves nothing', async (_, data, args, exitCode, message) => {
    const cwd = quantities(data);
    const { code, stderr } = await mlpHere(['crossvalidate', 'config.json', ...args], { cwd });
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(message)]);
    expect(existsSync(join(cwd, 'runs')) && readdirSync(join(cwd, 'runs')).length > 0).toBe(false);
  });

  it('in the resumed config or the number of folds is named', async () => {
    const cwd = quantities({ exclude: ['day', 'z', 'part', 'group'] });
    await mlpHere(['crossvalidate', 'config.json', '--folds', '2', '--run', 'cv'], { cwd });
    const resume = ['crossvalidate', 'config.json', '--resume', 'cv'];
    const other = await mlpHere([...resume, '--folds', '3'], { cwd });
    expect([other.code, other.stderr]).toEqual([64, expect.stringContaining('folds 3, expected 2')]);
    const changed = await mlpHere([...resume, '--set', 'training.l2=0.1'], { cwd });
    expect([changed.code, changed.stderr]).toEqual([
      78,
      expect.stringContaining('training.l2: found 0.1, expected 0 as in cv/config.json'),
    ]);
    writeFileSync(join(cwd, 'data.csv'), QUANTITIES.replace('0,0,=g0', '3,0,=g0'));
    const data = await mlpHere(resume, { cwd });
    expect([data.code, data.stderr]).toEqual([65, expect.stringContaining('the data changed after')]);
    writeFileSync(join(cwd, 'cv/crossvalidation.json'), '{"request": {"folds": 1e9, "repeats": 0}}');
    const damaged = await mlpHere(resume, { cwd });
    expect([damaged.code, damaged.stderr]).toEqual([
      65,
      expect.stringContaining('request.repeats: found 0, expected a whole number from 1 to 1000'),
    ]);
  });
});

describe('a cross-validation that was stopped', () => {
  it('ends in the same files', async () => {
    const long = {
      data: { train: ['data.csv'], target: 'y' },
      training: { epochs: 120, batchSize: 8, checkpointSeconds: 0.01 },
    };
    const cwd = folderOf(files(long));
    const start = ['crossvalidate', 'config.json', '--folds', '3'];
    await mlpHere([...start, '--run', 'whole'], { cwd });
    const interrupted = await mlp([...start, '--run', 'cv'], {
      cwd,
      onStderr: stopAt(/^fold 1\/3/m, 'SIGINT'),
    });
    expect(interrupted.code).toBe(130);
    const [, command] = /resume with: mlp (.*)/.exec(interrupted.stderr) ?? [];
    expect(command).toBe('crossvalidate cv/config.json --resume cv');
    await mlp(command.split(' '), { cwd, onStderr: stopAt(/^fold 2\/3/m, 'SIGKILL') });
    // The config that it was started with does as well.
    expect((await mlpHere(['crossvalidate', 'config.json', '--resume', 'cv'], { cwd })).code).toBe(0);
    for (const name of ['crossvalidation.json', 'predictions.csv', 'fold-2/steps.csv']) {
      expect(readFileSync(join(cwd, 'cv', name), 'utf8')).toBe(
        readFileSync(join(cwd, 'whole', name), 'utf8'),
      );
    }
  });
});
