/** mlp crossvalidate: a run for each fold, scores and predictions of all, and a resume after any stop. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { type CliOptions, folderOf, mlp, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

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

/** Sends a signal once a line is there. */
function stopAt(line: RegExp, signal: NodeJS.Signals): NonNullable<CliOptions['onStderr']> {
  let isSent = false;
  return (text, kill) => {
    if (isSent || !line.test(text)) return;
    isSent = true;
    kill(signal);
  };
}

describe('a cross-validation that was stopped', () => {
  it('ends in the same files', async () => {
    const long = { training: { epochs: 60, batchSize: 8, checkpointSeconds: 0.01 } };
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
    expect((await mlpHere(command.split(' '), { cwd })).code).toBe(0);
    for (const name of ['crossvalidation.json', 'predictions.csv', 'fold-2/steps.csv']) {
      expect(readFileSync(join(cwd, 'cv', name), 'utf8')).toBe(
        readFileSync(join(cwd, 'whole', name), 'utf8'),
      );
    }
  });
});
