/** Folds that several processes train: the first waits for the others and scores all. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { loadTrainConfig } from '../../../src/spec/loadConfig.js';
import { crossValidate, joinCrossValidation } from '../../../src/training/crossvalidation/crossValidate.js';
import { folderOf, SMALL_CSV, smallConfig } from '../../support/cli.js';

const ASKED = { folds: 3, repeats: 1, as: 'test' } as const;

/** Two that each train a fold at a time, in this process: locks are theirs all the same. */
const AT_ONCE = { atOnce: 1 };

describe('a shared cross-validation', () => {
  it('writes the files of one process, with the folds that another has trained', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const loaded = loadTrainConfig(join(cwd, 'config.json'));
    const one = await crossValidate(loaded, ASKED, { directory: join(cwd, 'one') });
    let trained: string[] = [];
    const shared = await crossValidate(loaded, ASKED, {
      ...AT_ONCE,
      directory: join(cwd, 'shared'),
      // The first fold is claimed, and goes on once the other process has trained the rest.
      async opened(path) {
        expect(await joinCrossValidation(loaded, path, AT_ONCE)).toBeUndefined();
        trained = readdirSync(path).filter((fold) => existsSync(join(path, fold, 'run.json')));
      },
    });
    expect(trained).toEqual(['fold-2', 'fold-3']);
    expect(shared.report).toEqual(one.report);
    for (const name of [
      'crossvalidation.json',
      'predictions.csv',
      'fold-2/steps.csv',
      'fold-3/config.json',
    ]) {
      expect(readFileSync(join(cwd, 'shared', name))).toEqual(readFileSync(join(cwd, 'one', name)));
    }
    expect(readdirSync(join(cwd, 'shared/fold-2'))).not.toContain('lock');
  });

  it('takes over the folds of a process that fails alone, which then says why', async () => {
    const files = { 'config.json': smallConfig(), 'data.csv': SMALL_CSV };
    const [cwd, other] = [folderOf(files), folderOf(files)];
    rmSync(join(other, 'data.csv'));
    const [loaded, elsewhere] = [cwd, other].map((folder) => loadTrainConfig(join(folder, 'config.json')));
    let trouble: ReturnType<typeof joinCrossValidation> | undefined;
    const { report } = await crossValidate(loaded, ASKED, {
      ...AT_ONCE,
      directory: join(cwd, 'cv'),
      async opened(path) {
        trouble = joinCrossValidation(elsewhere, path, AT_ONCE);
      },
    });
    expect([report.status, report.runs.length]).toEqual(['finished', 3]);
    expect(await trouble).toMatchObject({
      exitCode: ExitCode.noInput,
      message: expect.stringContaining('data.csv'),
    });
  });

  it('leaves nothing if no fold can begin, and asks nobody to join', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const loaded = loadTrainConfig(join(cwd, 'config.json'), ['data.target="z"']);
    const opened = () => Promise.reject(new Error('not reached'));
    const run = crossValidate(loaded, ASKED, { directory: join(cwd, 'cv'), opened });
    await expect(run).rejects.toThrow('found no column "z"');
    expect(existsSync(join(cwd, 'cv'))).toBe(false);
  });
});
