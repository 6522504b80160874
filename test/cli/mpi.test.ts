/** Runs whose batches are divided over ranks: simulated in one process, and under each mpirun that is here. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import type { TrainListener } from '../../src/training/loop.js';
import { train } from '../../src/training/train.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { projectPath } from '../support/fixtures.js';

const summaryOf = (folder: string, run: string) =>
  JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8')) as {
    ranks?: number;
    weightsSha256: string;
  };

/** One launcher of each family; Debian has both side by side. */
const LAUNCHERS = [
  { family: 'MPICH', commands: ['mpirun.mpich', 'mpirun'], shows: /HYDRA|MPICH|Intel/i },
  { family: 'Open MPI', commands: ['mpirun.openmpi', 'mpirun'], shows: /Open MPI|OpenRTE|PRRTE/i },
].map(({ family, commands, shows }) => {
  const mpirun = commands.find((command) => {
    const { stdout, status } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    return status === 0 && shows.test(stdout);
  });
  return { family, mpirun, name: mpirun ? family : `${family}: no mpirun of it found` };
});

/** More ranks than processors. */
const OVERSUBSCRIBE: Record<string, readonly string[]> = { MPICH: [], 'Open MPI': ['--oversubscribe'] };

/** A container is often root's, which Open MPI refuses. */
const AS_ROOT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  PRTE_ALLOW_RUN_AS_ROOT: '1',
  PRTE_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};

describe('--ranks-simulated', () => {
  it('is recorded, repeated by repro, and must be the same to resume', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const train = (...args: string[]) => mlpHere(['train', 'config.json', ...args], { cwd });
    const two = ['--ranks-simulated', '2'];
    expect((await train('--run', 'two', ...two)).code).toBe(0);
    expect((await train('--run', 'one')).code).toBe(0);
    expect(summaryOf(cwd, 'two').ranks).toBe(2);
    expect(summaryOf(cwd, 'one')).not.toHaveProperty('ranks');
    expect(summaryOf(cwd, 'two').weightsSha256).not.toBe(summaryOf(cwd, 'one').weightsSha256);
    expect((await mlpHere(['repro', 'two'], { cwd })).code).toBe(0);

    const longer = ['--extend', '--set', 'training.epochs=5'];
    const other = await train('--resume', 'two', '--ranks-simulated', '4');
    expect(other.code).toBe(78);
    expect(other.stderr).toContain('ranks: found 4, expected 2 as in two');
    expect(other.stderr).toContain('--ranks-simulated 2');
    const extended = await train('--resume', 'two', ...longer);
    expect(extended.code).toBe(0);
    expect(extended.stderr).toContain('the run had 2 ranks and continues with 1');
  });

  it('ends in the same bits where a run was stopped', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const train = (...args: string[]) =>
      mlpHere(['train', 'config.json', '--ranks-simulated', '3', ...args], { cwd });
    const longer = ['--set', 'training.epochs=5'];
    await train('--run', 'whole', ...longer);
    await train('--run', 'stopped');
    await train('--resume', 'stopped', '--extend', ...longer);
    expect(summaryOf(cwd, 'stopped').weightsSha256).toBe(summaryOf(cwd, 'whole').weightsSha256);
  });
});

it('refuses --allreduce in a process of its own', async () => {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  const { code, stderr } = await mlpHere(['train', 'config.json', '--allreduce'], { cwd });
  expect(code).toBe(64);
  expect(stderr).toContain('mpirun -n <ranks> mlp train');
});

describe.each(LAUNCHERS)('mpirun of $name', ({ mpirun = '', family }) => {
  const skip = mpirun === '';
  const start = (cwd: string, ranks: number, command: readonly string[]) =>
    spawnSync(mpirun, [...OVERSUBSCRIBE[family], '-n', String(ranks), ...command], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, ...AS_ROOT },
      timeout: 60_000,
    });
  const MLP = [process.execPath, projectPath('bin/mlp.js')];

  it.skipIf(skip)('gives the bits of simulated ranks; says who takes part', async () => {
    const config = smallConfig({
      network: { layers: [4, 'tanh', 'batch-norm', { type: 'dropout', rate: 0.2 }, 1] },
      data: { train: 'data.csv', target: 'y', test: 0.2 },
      training: { epochs: 3, batchSize: 4, accumulate: 2 },
    });
    const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const { status, stdout, stderr } = start(cwd, 2, [
      ...MLP,
      'train',
      'config.json',
      '--run',
      'ranks',
      '--json',
      '--no-report',
    ]);
    expect(stderr).not.toContain('error');
    expect(status).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual([
      'start',
      'communication',
      'epoch',
      'epoch',
      'epoch',
      'end',
    ]);
    expect(events[0].ranks).toMatchObject({ count: 2, hosts: 1, sums: 'ordered' });
    expect((events[0].ranks as { library: string }).library).toMatch(
      family === 'MPICH' ? /MPI/ : /^Open MPI \d/,
    );
    await mlpHere(['train', 'config.json', '--run', 'simulated', '--ranks-simulated', '2'], { cwd });
    const [{ weightsSha256: _, ...found }, { weightsSha256: __, ...expected }] = ['ranks', 'simulated'].map(
      (run) => JSON.parse(readFileSync(join(cwd, run, 'run.json'), 'utf8')),
    );
    expect(summaryOf(cwd, 'ranks').weightsSha256).toBe(summaryOf(cwd, 'simulated').weightsSha256);
    for (const split of ['train', 'validation', 'test']) expect(found[split]).toEqual(expected[split]);
  });

  // The library only says where the study is: one family is enough.
  const other = LAUNCHERS.find(({ mpirun }) => mpirun !== undefined)?.family !== family;
  it.skipIf(skip || other)('shares the trials of a study, which is that of one process', async () => {
    const space = { base: 'config.json', space: { seed: { int: [0, 9] } }, trials: 3 };
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV, 'sweep.json': space });
    const { status, stdout } = start(cwd, 2, [...MLP, 'sweep', 'sweep.json', '--run', 'ranks']);
    expect(stdout).toContain('config of the best trial: ranks/best.json');
    expect(status).toBe(0);
    await mlpHere(['sweep', 'sweep.json', '--run', 'one'], { cwd });
    const valuesOf = (study: string) =>
      readFileSync(join(cwd, study, 'study.log'), 'utf8').match(/"values": ?\[[^\]]*\]/g);
    expect(valuesOf('ranks')).toHaveLength(3);
    expect(valuesOf('ranks')).toEqual(valuesOf('one'));
  });

  it.skipIf(skip || other)(
    'shares the folds of a cross-validation, which is that of one process',
    async () => {
      const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
      const args = ['crossvalidate', 'config.json', '--folds', '3', '--run'];
      const { status, stdout, stderr } = start(cwd, 2, [...MLP, ...args, 'ranks']);
      expect(stdout.match(/^cross-validation ranks$/gm)).toHaveLength(1);
      expect(stderr.match(/^fold \d\/3/gm)).toHaveLength(3);
      expect(status).toBe(0);
      await mlpHere([...args, 'one'], { cwd });
      for (const name of ['crossvalidation.json', 'predictions.csv', 'fold-3/steps.csv']) {
        expect(readFileSync(join(cwd, 'ranks', name))).toEqual(readFileSync(join(cwd, 'one', name)));
      }
    },
  );

  it.skipIf(skip || other)('goes on with a refit that was interrupted, in the same bits', async () => {
    const training = { epochs: 8, batchSize: 4, refit: true, keep: 'last' };
    const cwd = folderOf({ 'config.json': smallConfig({ training }), 'data.csv': SMALL_CSV });
    const loaded = loadTrainConfig(join(cwd, 'config.json'));
    const stop = new AbortController();
    const refit: TrainListener = { epochDone: ({ epoch }) => void (epoch === 3 && stop.abort()) };
    const { signal } = stop;
    await train(loaded, { ranks: 2, directory: join(cwd, 'whole') });
    const listener = { refitStarted: () => refit };
    await train(loaded, { ranks: 2, directory: join(cwd, 'part'), signal, listener });
    const { status, stderr } = start(cwd, 2, [...MLP, 'train', 'config.json', '--resume', 'part']);
    expect(stderr.match(/^resuming the refit after epoch 3, .*$/gm)).toHaveLength(1);
    expect(status).toBe(0);
    expect(summaryOf(cwd, 'part').weightsSha256).toBe(summaryOf(cwd, 'whole').weightsSha256);
  });

  it.skipIf(skip)('ends all four with the error of one, and the code of that', () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    // The last rank runs in a folder whose data have another number in one cell.
    mkdirSync(join(cwd, 'other'));
    writeFileSync(join(cwd, 'other', 'data.csv'), SMALL_CSV.replace('-2,4', '-2,3'));
    writeFileSync(join(cwd, 'other', 'config.json'), readFileSync(join(cwd, 'config.json')));
    const script = join(cwd, 'rank.sh');
    writeFileSync(script, '[ "$OMPI_COMM_WORLD_RANK$PMI_RANK" = 3 ] && cd other\nexec "$@"\n');
    const { status, stderr } = start(cwd, 4, ['sh', script, ...MLP, 'train', 'config.json']);
    expect(stderr.match(/^error: .*/gm)).toEqual([
      expect.stringMatching(
        /^error: rank 3 of 4 on \S+: data: found SHA-256 \w+, expected SHA-256 \w+ as on rank 0/,
      ),
    ]);
    expect(status).toBe(65);
  });
});
