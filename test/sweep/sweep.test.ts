import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { checkSweep, loadSweep } from '../../src/spec/sweepConfig.js';
import { checkSpace } from '../../src/sweep/checkSpace.js';
import { lockJournal } from '../../src/sweep/journalFile.js';
import type { Trial } from '../../src/sweep/schedule.js';
import { Space } from '../../src/sweep/space.js';
import type { Study } from '../../src/sweep/study.js';
import { bestOf, sweep } from '../../src/sweep/sweep.js';
import { reproduce, train } from '../../src/training/train.js';
import { folderOf } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';
import { csvOf } from '../support/runs.js';

const { filesOfStudy, firstDifference } = await import(projectPath('bench/study.js'));

const BASE = {
  data: { train: 'data.csv', target: 'y', test: 0.1 },
  network: { layers: [8, 'relu', 3] },
  training: { epochs: 6, batchSize: 25, optimizer: { type: 'adam', learningRate: 0.01 } },
};

/** One trial in three diverges, and one in three has a network that does not fit. */
const SPACE = {
  'training.optimizer': {
    choice: [
      { type: 'adam', learningRate: 0.01 },
      { type: 'adam', learningRate: 0.003 },
      { type: 'sgd', learningRate: 1e30 },
    ],
  },
  'network.layers[2].units': { choice: [3, 4] },
  'network.layers[0].units': { int: [4, 64] },
};

const SWEEP = { trials: 9, space: SPACE, stop: { type: 'halving', factor: 3, minEpochs: 1 } };

interface Settings {
  readonly parallel?: number;
  readonly directory?: string;
  readonly resume?: string;
  /** Interrupts the sweep when so many jobs have started. */
  readonly jobs?: number;
  readonly warn?: (sentence: string) => void;
}

/** A sweep of small networks in a folder of its own. */
function study() {
  const folder = folderOf({ 'config.json': BASE, 'data.csv': csvOf(131, 7, 'classes') });
  /** The trials that were started, and which of their jobs. */
  const started: string[] = [];
  return {
    folder,
    started,
    run(
      name: string,
      value: object,
      { parallel = 2, jobs, resume, warn = () => {}, ...more }: Settings = {},
    ): Promise<Study> {
      const directory = resume === undefined ? { directory: join(folder, name) } : { resume };
      const controller = new AbortController();
      let count = 0;
      const listener = {
        warn,
        started() {},
        trialStarted({ number, jobs: own }: Trial) {
          started.push(`${number}/${own.length}`);
          if (++count === jobs) controller.abort();
        },
        epoch() {},
        trialEnded() {},
      };
      return sweep(
        checkSweep({ base: 'config.json', ...value }, join(folder, 'sweep.json')),
        loadTrainConfig(join(folder, 'config.json')),
        { ...directory, ...more, parallel, signal: controller.signal, listener },
      );
    },
  };
}

describe('the sweeps of the package', () => {
  const folder = projectPath('configs/sweeps');
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

  it.each(files)('%s has a space of its base', (name) => {
    const { sweep, where } = loadSweep(join(folder, name));
    const { written, path } = loadTrainConfig(join(folder, sweep.base ?? ''));
    checkSpace(Space.of(sweep.space), written, path, where);
  });
});

describe('a study', () => {
  it('is the same for any number at once, and after any interruption', async () => {
    const { folder, run } = study();
    const whole = await run('whole', SWEEP);
    const expected = filesOfStudy(whole.path);
    const states = whole.trials.map(({ results }) => results.at(-1)?.state);
    expect(new Set(states)).toEqual(new Set(['complete', 'paused', 'failed']));

    for (const parallel of [1, 4]) {
      const { path } = await run(`${parallel} at once`, SWEEP, { parallel });
      expect(firstDifference(filesOfStudy(path), expected)).toBeUndefined();
    }
    await run('stopped', SWEEP, { jobs: 1 });
    const stopped = join(folder, 'stopped');
    for (const jobs of [2, 3, 4]) await run('', SWEEP, { resume: stopped, jobs });
    await run('', SWEEP, { resume: stopped });
    expect(firstDifference(filesOfStudy(stopped), expected)).toBeUndefined();
  });

  it('is shared by several workers, none of which trains what another does', async () => {
    const { folder, run, started } = study();
    const expected = filesOfStudy((await run('alone', SWEEP)).path);
    await run('shared', SWEEP, { jobs: 1 });
    started.splice(0);
    const resume = join(folder, 'shared');
    // In one process: locks tell workers apart, not processes.
    await Promise.all([run('', SWEEP, { resume }), run('', SWEEP, { resume })]);
    expect(firstDifference(filesOfStudy(resume), expected)).toBeUndefined();
    expect(started.length).toBeGreaterThan(5);
    expect(new Set(started).size).toBe(started.length);
  });

  it('says that it waits for another process, which has locked it', async () => {
    const { run } = study();
    const done = { trials: 1, space: { 'training.l2': { log: [1e-4, 1e-2] } } };
    const { path } = await run('locked', done);
    const lock = await lockJournal(join(path, 'study.log'));
    const warnings: string[] = [];
    const warn = (sentence: string) => {
      warnings.push(sentence);
      lock.release();
    };
    await run('', done, { resume: path, warn });
    expect(warnings).toEqual([expect.stringContaining(`waiting: process ${process.pid} on computer`)]);
  });

  it('has a winner that is reproduced, and whose config trains by itself', async () => {
    const { run } = study();
    const found = await run('found', SWEEP);
    const best = bestOf(found);
    if (!best) return expect.fail('no trial is complete');
    const directory = found.directoryOf(best);
    const { status, expected } = await reproduce(directory);
    expect(status).toBe('equal');
    const config = loadTrainConfig(join(found.path, 'best.json'));
    expect((await train(config)).model.sha256).toBe(expected);
    // Only it was trained to its end, and only it has seen the test rows.
    const summaries = found.trials
      .map((trial) => join(found.directoryOf(trial), 'run.json'))
      .filter((path) => existsSync(path))
      .map((path) => JSON.parse(readFileSync(path, 'utf8')));
    expect(summaries.filter(({ test }) => test).map(({ status }) => status)).toEqual(
      summaries.filter(({ status }) => status === 'completed').map(({ status }) => status),
    );
  });

  it('reports what fails, and goes on', async () => {
    const { run } = study();
    const { trials, maximize } = await run('mixed', { ...SWEEP, method: 'random', trials: 8 });
    expect(maximize).toBe(false);
    const reasons = trials.flatMap(({ results }) => results.at(-1)?.reason ?? []);
    expect(reasons).toContainEqual(expect.stringMatching(/^training diverged: .* in epoch 1, step \d/));
    expect(reasons).toContainEqual(
      'network.layers: found an output width of 4, expected 3: one for each class of "y"',
    );
  });

  it('has each point of a grid once', async () => {
    const { run } = study();
    const space = {
      'training.batchSize': { choice: [16, 32] },
      'training.l2': { log: [1e-4, 1e-2], steps: 3 },
    };
    const { trials } = await run('grid', { method: 'grid', space });
    expect(new Set(trials.map(({ point }) => JSON.stringify(point))).size).toBe(6);
    expect(trials).toHaveLength(6);
  });

  it('reads other data for a setting of the data, and the same data once', async () => {
    const { run } = study();
    const space = {
      'data.standardize': { choice: [true, 'minmax'] },
      'training.batchSize': { choice: [16, 32] },
    };
    const found = await run('data', { method: 'grid', space, metric: 'validation_accuracy' });
    expect(found.maximize).toBe(true);
    const scales = found.trials.map((trial) => {
      const { config } = loadTrainConfig(join(found.directoryOf(trial), 'config.json'));
      return config.data.standardize;
    });
    expect(scales).toEqual([true, true, 'minmax', 'minmax']);
  });
});

describe('a study that is extended', () => {
  const first = { 'training.batchSize': { choice: [16, 32] }, 'training.l2': { log: [1e-4, 1e-2] } };
  const larger = { ...first, 'training.batchSize': { choice: [16, 32, 64] } };

  it('keeps its trials, and gets more of the larger space', async () => {
    const { run, started } = study();
    const { path, trials } = await run('first', { trials: 3, space: first });
    started.splice(0);
    const more = await run('', { trials: 6, space: larger }, { resume: path });
    expect(more.trials.slice(0, 3).map(({ point }) => point)).toEqual(trials.map(({ point }) => point));
    expect(started).toEqual(['3/1', '4/1', '5/1']);
    started.splice(0);
    const same = await run('', { trials: 6, space: larger }, { resume: path });
    expect(same.trials).toEqual(more.trials);
    expect(started).toEqual([]);
  });

  it('lets a trial that halving had stopped go on', async () => {
    const { run, started } = study();
    const good = [0.02, 0.015];
    const sweepOf = (...bad: number[]) => ({
      method: 'grid',
      space: { 'training.optimizer.learningRate': { choice: [...good, ...bad] } },
      stop: SWEEP.stop,
    });
    const { path, trials } = await run('first', sweepOf(1e-6));
    expect(trials[1].results.at(-1)).toMatchObject({ state: 'paused', epochs: 1 });
    started.splice(0);
    const more = await run('', sweepOf(1e-6, 2e-6, 3e-6, 4e-6), { resume: path });
    // Of six, two go on.
    expect(started).toContain('1/2');
    expect(more.trials[1].results.at(-1)?.epochs).toBeGreaterThan(1);
  });

  it('is refused for another sweep', async () => {
    const { run } = study();
    const { path } = await run('first', { trials: 3, space: first });
    const before = filesOfStudy(path);
    for (const [other, message] of [
      [{ trials: 2, space: first }, /trials: found 2, expected at least 3/],
      [{ trials: 3, space: first, seed: 1 }, /seed: found 1, expected 0/],
      [{ trials: 3, space: first, pending: 5 }, /pending: found 5, expected 4/],
      [
        { trials: 3, space: first, metric: 'train_loss' },
        /metric: found "train_loss", expected "validation_loss"/,
      ],
      [{ trials: 3, space: { 'training.l2': first['training.l2'] } }, /space: found no "training.batchSize"/],
      [
        { trials: 3, space: { ...first, 'training.l2': { log: [0.5, 1] } } },
        /space: found no place for the settings of trial \d of .*, expected all that the study has/,
      ],
    ] as const) {
      await expect(run('', other, { resume: path })).rejects.toThrow(message);
      expect(firstDifference(filesOfStudy(path), before)).toBeUndefined();
    }
  });

  it('is refused for another base, and for other data', async () => {
    const { folder, run } = study();
    const value = { trials: 3, space: first };
    const { path } = await run('first', value);
    const changed = { ...BASE, training: { ...BASE.training, epochs: 7 } };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(changed));
    await expect(run('', value, { resume: path })).rejects.toThrow(
      /training.epochs: found 7, expected 6 as in .*base.json/,
    );
    writeFileSync(join(folder, 'config.json'), JSON.stringify(BASE));
    writeFileSync(join(folder, 'data.csv'), csvOf(130, 7, 'classes'));
    await expect(run('', value, { resume: path })).rejects.toThrow(/data.train: found .* expected SHA-256 /);
  });
});
