import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { elementsOf, requireSelfContained } from '../support/html.js';

const sectionsOf = (page: string) =>
  elementsOf(page)
    .filter(({ tag }) => tag === 'section')
    .map(({ attributes }) => attributes.get('id'));

/** A folder with a finished run `r`. */
async function trained(changes: Record<string, unknown> = {}, csv = SMALL_CSV): Promise<string> {
  const cwd = folderOf({ 'config.json': smallConfig(changes), 'data.csv': csv });
  const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd, report: true });
  expect(code, stderr).toBe(0);
  return cwd;
}

const read = (cwd: string, file = 'r/report.html') => readFileSync(join(cwd, file), 'utf8');

describe('mlp train', () => {
  it('leaves a page of the run, which names no folder of the machine', async () => {
    const cwd = await trained();
    const page = read(cwd);
    requireSelfContained(page);
    expect(sectionsOf(page)).toEqual(
      expect.arrayContaining([
        'curves',
        'evaluation',
        'wrong',
        'importance',
        'data',
        'network',
        'config',
        'repeat',
      ]),
    );
    expect(page).not.toContain(cwd);
  });

  it('leaves none where it is told so', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    expect((await mlpHere(['train', 'config.json', '--run', 'r', '--no-report'], { cwd })).code).toBe(0);
    expect(existsSync(join(cwd, 'r/report.html'))).toBe(false);
  });

  it('does not fail for a page that can not be written', async () => {
    const cwd = await trained();
    rmSync(join(cwd, 'r/report.html'));
    mkdirSync(join(cwd, 'r/report.html'));
    const again = ['train', 'config.json', '--resume', 'r', '--extend', '--set', 'training.epochs=4'];
    const { code, stderr } = await mlpHere(again, { cwd, report: true });
    expect(code).toBe(0);
    expect(stderr).toContain('warning: r/report.html was not written: ');
  });

  it.skipIf(process.platform === 'win32')('puts a page of its own in the place of a link', async () => {
    const cwd = await trained();
    writeFileSync(join(cwd, 'mine.html'), 'mine');
    rmSync(join(cwd, 'r/report.html'));
    symlinkSync(join(cwd, 'mine.html'), join(cwd, 'r/report.html'));
    await mlpHere(['train', 'config.json', '--resume', 'r', '--extend', '--set', 'training.epochs=4'], {
      cwd,
      report: true,
    });
    expect(read(cwd, 'mine.html')).toBe('mine');
    expect(read(cwd)).toContain('<!DOCTYPE html>');
  });
});

describe('mlp report', () => {
  it('writes the page into the run, the same each time', async () => {
    const cwd = await trained();
    const { code, stdout } = await mlpHere(['report', 'r'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toBe('r/report.html\n');
    const first = read(cwd);
    requireSelfContained(first);
    await mlpHere(['report', 'r'], { cwd });
    expect(read(cwd)).toBe(first);
  });

  it('writes another file, and tells it as JSON', async () => {
    const cwd = await trained();
    const { stdout } = await mlpHere(['report', 'r', '-o', 'page.html', '--json'], { cwd });
    expect(JSON.parse(stdout)).toEqual({ report: 'page.html' });
    const taken = await mlpHere(['report', 'r', '-o', 'page.html'], { cwd });
    expect(taken.code).toBe(73);
    expect((await mlpHere(['report', 'r', '-o', 'page.html', '--force'], { cwd })).code).toBe(0);
  });

  it('lacks what needs the data where they are gone, and says so', async () => {
    const cwd = await trained();
    rmSync(join(cwd, 'data.csv'));
    const { code, stderr } = await mlpHere(['report', 'r'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain('warning: the data of the run cannot be read, so the page lacks them: ');
    expect(sectionsOf(read(cwd))).toEqual(['curves', 'network', 'layers', 'config', 'repeat']);
  });

  it('shows the curves of a run without a model', async () => {
    const cwd = await trained();
    for (const name of ['model.safetensors', 'run.json']) rmSync(join(cwd, 'r', name));
    const { code } = await mlpHere(['report', 'r'], { cwd });
    expect(code).toBe(0);
    expect(sectionsOf(read(cwd))).toEqual(['curves', 'layers', 'config', 'repeat']);
    expect(read(cwd)).toContain('is being trained, or was,');
  });

  it.each([
    [
      'of numbers',
      { network: { layers: [4, 'tanh', 1] }, data: { train: 'data.csv', target: 'b', task: 'regression' } },
    ],
    ['without validation rows', { data: { train: 'data.csv', target: 'y', validation: 0 } }],
    ['of a single epoch', { training: { epochs: 1, batchSize: 8 } }],
    ['in steps', { training: { steps: 3, batchSize: 8 } }],
    ['with a refit', { training: { epochs: 2, batchSize: 8, refit: true } }],
    [
      'of two targets',
      {
        network: { layers: [4, 'tanh', 2] },
        data: { train: 'data.csv', target: ['a', 'b'], task: 'regression' },
      },
    ],
  ])('shows a run %s', async (_, changes) => {
    const cwd = await trained(changes);
    expect((await mlpHere(['report', 'r'], { cwd })).code).toBe(0);
    requireSelfContained(read(cwd));
    expect(sectionsOf(read(cwd))).toContain('evaluation');
  });

  it('shows categories, dates, gaps and names that look like markup', async () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      [
        i % 3 ? '</script>' : '<b>',
        `2020-0${(i % 9) + 1}-11`,
        i % 5 ? i : '',
        i % 2 ? 'yes' : 'no',
        i % 2 ? '</script>' : '"',
      ].join(','),
    );
    const csv = ['"<i>",when,number,flag,y', ...rows.map((row) => row.replace(/,"$/, ',""""'))].join('\n');
    const cwd = await trained({ data: { train: 'data.csv', target: 'y', missing: 'indicator' } }, csv);
    expect((await mlpHere(['report', 'r'], { cwd })).code).toBe(0);
    const page = read(cwd);
    requireSelfContained(page);
    expect(page).toContain('&lt;/script&gt;');
    expect(page).toMatch(/<td class="n">\d \(\d+\.\d%\)<\/td>/);
  });

  it('takes only numbers for scores, whatever run.json says', async () => {
    const cwd = await trained();
    const file = join(cwd, 'r/run.json');
    const summary = JSON.parse(readFileSync(file, 'utf8'));
    const train = { loss: {}, accuracy: '<b>' };
    writeFileSync(file, JSON.stringify({ ...summary, train, validation: [], status: '<i>', keptEpoch: 'x' }));
    const { code } = await mlpHere(['report', 'r'], { cwd });
    expect(code).toBe(0);
    requireSelfContained(read(cwd));
  });

  it.each([
    ['nowhere', 'no such directory'],
    ['.', 'a directory without a run'],
  ])('refuses %s', async (path, found) => {
    const cwd = folderOf({ 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlpHere(['report', path], { cwd });
    expect(code).toBe(66);
    expect(stderr).toContain(`error: ${path}: found ${found}, expected `);
    expect(existsSync(join(cwd, 'report.html'))).toBe(false);
  });
});

describe('pages of several runs', () => {
  it('compares runs, and the runs in a directory', async () => {
    const cwd = await trained();
    const more = ['train', 'config.json', '--run', 'all/s', '--set', 'training.optimizer.learningRate=0.1'];
    expect((await mlpHere(more, { cwd })).code).toBe(0);
    const without = await mlpHere(['report', 'r', 'all/s'], { cwd });
    expect(without.code).toBe(64);
    expect(without.stderr).toContain('found several runs without -o, expected the file to write');
    expect((await mlpHere(['report', 'r', 'all/s', '-o', 'both.html'], { cwd })).code).toBe(0);
    const page = read(cwd, 'both.html');
    requireSelfContained(page);
    expect(sectionsOf(page)).toEqual(['runs', 'curves']);
    expect(page).toContain('learningRate');
    expect((await mlpHere(['report', 'all', '-o', 'all.html'], { cwd })).code).toBe(0);
    expect(read(cwd, 'all.html')).toContain('1 run, which');
  });

  it('refuses runs of which none can be read', async () => {
    const cwd = await trained();
    cpSync(join(cwd, 'r'), join(cwd, 'all/a'), { recursive: true });
    rmSync(join(cwd, 'all/a/config.json'));
    symlinkSync('nowhere', join(cwd, 'all/a/config.json'));
    const { code, stderr } = await mlpHere(['report', 'all', '-o', 'all.html'], { cwd });
    expect([code, stderr]).toEqual([
      65,
      expect.stringMatching(/^error: all: found 1 run, none of which can be read, expected one that can\n/),
    ]);
    expect(existsSync(join(cwd, 'all.html'))).toBe(false);
  });

  it('shows a study, which mlp sweep writes at its end', async () => {
    const cwd = folderOf({
      'config.json': smallConfig(),
      'data.csv': SMALL_CSV,
      'sweep.json': {
        base: 'config.json',
        trials: 3,
        space: { 'training.optimizer.learningRate': { log: [0.001, 0.1] } },
      },
    });
    expect((await mlpHere(['sweep', 'sweep.json', '--run', 'study'], { cwd })).code).toBe(0);
    const page = read(cwd, 'study/report.html');
    requireSelfContained(page);
    expect(sectionsOf(page)).toContain('ranking');
    expect(existsSync(join(cwd, 'study/trial-0/report.html'))).toBe(false);
    const { stdout } = await mlpHere(['report', 'study'], { cwd });
    expect(stdout).toBe('study/report.html\n');
    expect(read(cwd, 'study/report.html')).toBe(page);
  });

  it('shows a cross-validation, which mlp crossvalidate writes at its end', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const args = ['crossvalidate', 'config.json', '--folds', '3', '--run', 'cv'];
    expect((await mlpHere(args, { cwd })).code).toBe(0);
    const page = read(cwd, 'cv/report.html');
    requireSelfContained(page);
    expect(sectionsOf(page)).toEqual(['scores', 'curves', 'config', 'repeat']);
    expect(existsSync(join(cwd, 'cv/fold-1/report.html'))).toBe(false);
    await mlpHere(['report', 'cv'], { cwd });
    expect(read(cwd, 'cv/report.html')).toBe(page);
    writeFileSync(join(cwd, 'cv/crossvalidation.json'), '{}');
    expect((await mlpHere(['report', 'cv'], { cwd })).code).toBe(65);
  });

  it('shows a graph, which mlp gradcheck checks', async () => {
    const graph = { inputs: { x: 3 }, nodes: { y: 'x^2' }, output: 'y', manual: { x: 5 } };
    const cwd = folderOf({ 'graph.json': graph });
    const { code, stdout } = await mlpHere(['report', 'graph.json', '-o', 'graph.html'], { cwd });
    expect([code, stdout]).toEqual([0, 'graph.html\n']);
    const page = read(cwd, 'graph.html');
    requireSelfContained(page);
    expect(sectionsOf(page)).toEqual(['graph', 'check', 'derivatives', 'local', 'values']);
    expect(page).toContain('by hand 5: wrong');
    await mlpHere(['gradcheck', 'graph.json', '--report', 'other.html'], { cwd });
    expect(read(cwd, 'other.html')).toBe(page);
    const without = await mlpHere(['report', 'graph.json'], { cwd });
    expect([without.code, without.stderr]).toEqual([64, expect.stringContaining('found a file without -o')]);
  });
});
