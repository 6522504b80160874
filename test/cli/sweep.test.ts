import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { Study } from '../../src/sweep/study.js';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const { filesOfStudy, firstDifference } = await import(projectPath('bench/study.js'));

const RATES = { 'training.optimizer.learningRate': { log: [0.001, 0.1] } };
const SIZES = { 'training.batchSize': { choice: [4, 8] } };

function folder(sweep: object = {}, config: object = {}) {
  return folderOf({
    'config.json': smallConfig({
      data: { train: 'data.csv', target: 'y', validation: 0.25, test: 0.2 },
      training: { epochs: 3, batchSize: 8, optimizer: { type: 'adam' } },
      ...config,
    }),
    'sweep.json': { base: 'config.json', trials: 4, space: { ...RATES, ...SIZES }, ...sweep },
    'data.csv': SMALL_CSV,
  });
}

describe('mlp sweep', () => {
  it('shows the trials, their ranking, and the scores of the best', async () => {
    const cwd = folder();
    const { code, stdout, stderr } = await mlpHere(['sweep', 'sweep.json'], { cwd });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^4 trials by tpe, \d+ at once, for the best validation_loss\nstudy runs.sweep-1\n/,
    );
    expect(stderr).toMatch(/\ntrial 3 starts: learningRate 0\.\d+, batchSize [48]\n/);
    expect(stderr).toMatch(/\ntrial 0 done: validation_loss [\d.]+ after 3 epochs\n/);
    expect(stdout).toMatch(/^\ntrial {2}validation_loss {2}epochs {2}state +learningRate {2}batchSize\n/);
    const best = /\nthe best is trial (\d)\nvalidation accuracy .*\ntest accuracy .*\n/.exec(stdout)?.[1];
    // The first row of the table.
    expect(/─\n +(\d) /.exec(stdout)?.[1]).toBe(best);
    expect((await mlpHere(['train', 'runs/sweep-1/best.json'], { cwd })).code).toBe(0);
    const runs = JSON.parse((await mlpHere(['runs', 'runs/sweep-1', '--json'], { cwd })).stdout);
    expect(runs).toHaveLength(4);
  });

  it('takes a config and a space instead of a file, and prints an object per line with --json', async () => {
    const cwd = folder();
    const space = JSON.stringify({
      'training.batchSize': { choice: [4, 8, 1e9] },
      'training.l2': { choice: [0, 1] },
    });
    const args = [
      'config.json',
      '--space',
      space,
      '--method',
      'grid',
      '--set',
      'training.epochs=2',
      '--run',
      'study',
    ];
    const { code, stdout } = await mlpHere(['sweep', ...args, '--json'], { cwd });
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ event: 'start', method: 'grid', trials: 6, known: 0, run: 'study' });
    const kinds = events.map(({ event }) => event);
    expect(kinds.filter((kind) => kind === 'trial')).toHaveLength(6);
    const ends = events.filter(({ event }) => event === 'trial-end');
    expect(ends.map(({ trial, state, epochs }) => `${trial} ${state} ${epochs}`).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((trial) => `${trial} complete 2`),
    );
    const { event, status, best, trials, config } = events.at(-1);
    expect({ event, status, config }).toEqual({
      event: 'end',
      status: 'completed',
      config: join('study', 'best.json'),
    });
    expect(trials).toHaveLength(6);
    expect(best).toEqual({
      ...trials[0],
      train: expect.anything(),
      validation: expect.objectContaining({ loss: trials[0].value }),
      test: expect.objectContaining({ loss: expect.any(Number) }),
    });
  });

  it('saves all trials on Ctrl-C, says how to resume, and ends in the same study', async () => {
    const cwd = folder(
      { trials: 3 },
      { training: { epochs: 300, batchSize: 4, optimizer: { type: 'adam' } } },
    );
    expect((await mlpHere(['sweep', 'sweep.json', '--run', 'whole'], { cwd })).code).toBe(0);
    const { code, stderr } = await mlp(['sweep', 'sweep.json', '--run', 'study'], {
      cwd,
      onStderr: (text, kill) => {
        if (/trial 1 starts.*\n$/.test(text)) kill('SIGINT');
      },
    });
    expect(code).toBe(ExitCode.interrupted);
    expect(stderr).toContain('finishing the steps of all trials, then saving; press Ctrl-C again');
    const [, command] = /resume with: mlp (sweep .*)\n$/.exec(stderr) ?? [];
    expect(command).toBe('sweep study/sweep.json --resume study');
    expect((await mlpHere(command.split(' '), { cwd })).code).toBe(0);
    expect(
      firstDifference(filesOfStudy(join(cwd, 'study')), filesOfStudy(join(cwd, 'whole'))),
    ).toBeUndefined();
  });

  it('ends in the same study after SIGKILL, wherever that meets it', async () => {
    const cwd = folder({ trials: 6, stop: { type: 'halving', minEpochs: 1 } });
    expect((await mlpHere(['sweep', 'sweep.json', '--run', 'whole'], { cwd })).code).toBe(0);
    const study = join(cwd, 'study');
    const started = () => existsSync(join(study, 'study.log'));
    for (const file of ['study.log', 'trial-0/config.json', 'trial-1/trial.json', 'trial-3/lock']) {
      await killedWhen(
        () => existsSync(join(study, file)),
        ['sweep.json', started() ? '--resume' : '--run', 'study'],
        cwd,
      );
    }
    expect(
      (await mlpHere(['sweep', 'sweep.json', started() ? '--resume' : '--run', 'study'], { cwd })).code,
    ).toBe(0);
    expect(firstDifference(filesOfStudy(study), filesOfStudy(join(cwd, 'whole')))).toBeUndefined();
  });
});

/** Kills a sweep as soon as this is so, or lets it come to its end. */
function killedWhen(isSo: () => boolean, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [projectPath('bin/mlp.js'), 'sweep', ...args], {
      cwd,
      stdio: 'ignore',
    });
    const timer = setInterval(() => isSo() && child.kill('SIGKILL'), 1);
    child.on('error', reject);
    child.on('close', () => {
      clearInterval(timer);
      resolve();
    });
  });
}

describe('what makes no sweep', () => {
  it.each([
    [
      'an unknown path',
      { space: { 'training.optimizer.learningRat': { log: [1e-4, 0.1] } } },
      ExitCode.config,
      /space\["training.optimizer.learningRat"\]: found [\d.e-]+, which makes no config: .*unknown key "learningRat"/,
    ],
    [
      'a value that no config has',
      { space: { 'training.batchSize': { choice: [8, 'many'] } } },
      ExitCode.config,
      /space\["training.batchSize"\]: found "many", which makes no config: .*expected "auto" or a whole number/,
    ],
    [
      'a bound that no config has',
      { space: { 'training.l2': { float: [-1, 1] } } },
      ExitCode.config,
      /space\["training.l2"\]: found -1, which makes no config/,
    ],
    [
      'an empty range',
      { space: { 'training.l2': { float: [1, 1] } } },
      ExitCode.config,
      /found the empty range \[1, 1\]/,
    ],
    [
      'the logarithm of 0',
      { space: { 'training.l2': { log: [0, 1] } } },
      ExitCode.config,
      /sweep.json:\d+:\d+: .*found 0/,
    ],
    [
      'a metric of another task',
      { metric: 'validation_r2' },
      ExitCode.config,
      /metric: found "validation_r2" in a binary task, expected one of train_loss, /,
    ],
    ['a base that is missing', { base: 'nothing.json' }, ExitCode.noInput, /nothing.json: no such file/],
    ['no base', { base: undefined }, ExitCode.config, /found no base, expected the path of a train config/],
  ])('says what is wrong with %s, and writes nothing', async (_, sweep, exitCode, message) => {
    const cwd = folder(sweep);
    const { code, stdout, stderr } = await mlpHere(['sweep', 'sweep.json'], { cwd });
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
  });

  it('is a validation metric without validation rows', async () => {
    const cwd = folder({}, { data: { train: 'data.csv', target: 'y', validation: 0 } });
    const { code, stderr } = await mlpHere(['sweep', 'sweep.json'], { cwd });
    expect(code).toBe(ExitCode.config);
    expect(stderr).toMatch(
      /"validation_loss" in a binary task without validation rows.*\nhint: set data.validation/,
    );
  });

  it('is a train config without a space', async () => {
    const { code, stderr } = await mlpHere(['sweep', 'config.json'], { cwd: folder() });
    expect(code).toBe(ExitCode.usage);
    expect(stderr).toMatch(
      /config.json: found a train config without --space, expected a sweep\nhint: .*--space/,
    );
  });

  it('is a space of which each trial fails', async () => {
    const cwd = folder();
    const space = '{"network.layers":{"choice":[[5],[7]]}}';
    const args = ['sweep', 'config.json', '--space', space, '--run', 'study'];
    expect(await mlpHere(args, { cwd })).toMatchObject({
      code: ExitCode.config,
      stderr: expect.stringMatching(/study: each of 2 trials failed, the first by: .*network.layers: found/),
    });
  });

  it('is a directory with other files, or none to go on with', async () => {
    const cwd = folder();
    expect((await mlpHere(['sweep', 'sweep.json', '--run', '.'], { cwd })).code).toBe(ExitCode.cantCreate);
    const { code, stderr } = await mlpHere(['sweep', 'sweep.json', '--resume', 'nowhere'], { cwd });
    expect(code).toBe(ExitCode.noInput);
    expect(stderr).toMatch(/nowhere.study.log: no such file, expected the journal of a study/);
    const both = await mlpHere(['sweep', 'sweep.json', '--run', 'a', '--resume', 'b'], { cwd });
    expect(both.code).toBe(ExitCode.usage);
  });

  it('is a base that is no config, as it is not for one without its training', async () => {
    const { training: _, ...config } = smallConfig();
    const sweep = { base: 'config.json', trials: 1, space: SIZES };
    const cwd = folderOf({ 'config.json': config, 'sweep.json': sweep, 'data.csv': SMALL_CSV });
    expect((await mlpHere(['sweep', 'sweep.json', '--run', 's'], { cwd })).code).toBe(0);
    const resumed = await mlpHere(['sweep', 'sweep.json', '--resume', 's', '--trials', '2'], { cwd });
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringContaining('trial 1 done')]);
    writeFileSync(join(cwd, 's/base.json'), '{ "version": "0.1.0" }');
    const { code, stderr } = await mlpHere(['sweep', 'sweep.json', '--resume', 's'], { cwd });
    expect([code, stderr]).toEqual([
      ExitCode.config,
      expect.stringContaining('s/base.json:1:3: unknown key'),
    ]);
  });

  it('is a journal or a result that somebody else wrote', async () => {
    const cwd = folder();
    expect((await mlpHere(['sweep', 'sweep.json', '--run', 'study'], { cwd })).code).toBe(0);
    const journal = join(cwd, 'study/study.log');
    const text = readFileSync(journal, 'utf8');
    writeFileSync(journal, 'hello\n');
    const other = await mlpHere(['sweep', 'sweep.json', '--resume', 'study'], { cwd });
    expect([other.code, other.stderr]).toEqual([
      ExitCode.data,
      expect.stringMatching(/found content that mlp sweep does not write/),
    ]);
    // What Optuna would read, but no sweep of ours.
    for (const [from, to] of [
      [/"mlp:sweep":\{.*?"space":\{/, '"mlp:sweep":{"space":{"":{"log":3},'],
      [/"mlp:data":\[/, '"mlp:data":[3,'],
      [/"mlp:jobs":\[\d+\]/, '"mlp:jobs":["0"]'],
      [/"mlp:start":"[^"]*"/, '"mlp:start":"yesterday"'],
      [/"mlp:results":\[\{/, '"mlp:results":[3,{'],
    ] as const) {
      expect(text).toMatch(from);
      writeFileSync(journal, text.replace(from, to));
      expect(() => Study.open(join(cwd, 'study'))).toThrow('found content that mlp sweep does not write');
    }
    writeFileSync(journal, text.split('\n').slice(0, 8).join('\n'));
    const study = Study.open(join(cwd, 'study'));
    const [trial] = study.trials;
    const resultFile = join(cwd, 'study/trial-0/trial.json');
    const sound = JSON.parse(readFileSync(resultFile, 'utf8'));
    for (const wrong of [[], { ...sound, curve: [3] }, { ...sound, end: 'today' }, { ...sound, reason: 3 }]) {
      writeFileSync(resultFile, JSON.stringify(wrong));
      expect(() => study.resultOf(trial)).toThrow('trial.json: found content');
    }
    writeFileSync(resultFile, '{');
    const result = await mlpHere(['sweep', 'sweep.json', '--resume', 'study'], { cwd });
    expect([result.code, result.stderr]).toEqual([
      ExitCode.data,
      expect.stringMatching(/trial.json:1:2: found the end/),
    ]);
    rmSync(resultFile);
    const waits = vi.fn();
    writeFileSync(join(cwd, 'study/trial-0/lock'), '{"pid":1,"host":"elsewhere.example"}');
    expect(study.claim(trial, waits)).toBeUndefined();
    expect(waits.mock.calls[0][0].message).toContain('found process 1 on computer "elsewhere.example"');
    // Nobody will release it.
    writeFileSync(join(cwd, 'study/trial-0/lock'), 'x');
    expect(() => study.claim(trial, waits)).toThrow('found a lock file that names no process');
  });
});
