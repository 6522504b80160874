/** Runs whose batches are divided over ranks: simulated in one process, and under an mpirun where there is one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

const summaryOf = (folder: string, run: string) =>
  JSON.parse(readFileSync(join(folder, run, 'run.json'), 'utf8')) as {
    ranks?: number;
    weightsSha256: string;
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
