import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ACTIVATIONS } from '../../src/kernels/activations.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

const ARGUMENTS = ['train', 'config.json', '--gradcheck', '--backend', 'reference'];

function smallFolder(): string {
  return folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
}

/** A backward pass of tanh as a beginner writes it, for the time of a test. */
function breakTanh(): void {
  const tanh = ACTIVATIONS.tanh as { derivative: (x: number, y: number) => number };
  const { derivative } = tanh;
  onTestFinished(() => {
    tanh.derivative = derivative;
  });
  tanh.derivative = (_x, y) => 1 - y;
}

describe('mlp train --gradcheck', () => {
  it('says in a line that the gradients of the first batch are right, then trains the same run', async () => {
    const [checked, plain] = [smallFolder(), smallFolder()];
    const { code, stderr } = await mlpHere(ARGUMENTS, { cwd: checked });
    expect(code).toBe(0);
    // Weights 2·4 and 4·1, biases 4 and 1: three of each, one of the last.
    const lines = stderr.split('\n').filter((line) => line.startsWith('gradients checked'));
    expect(lines).toEqual([
      expect.stringMatching(
        /^gradients checked: 10 derivatives on 8 rows of the first batch, largest relative error \d\.\de-\d+$/,
      ),
    ]);
    const weights = async (cwd: string, args: readonly string[]) => {
      const { stdout } = await mlpHere([...args, '--json'], { cwd });
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').weightsSha256;
    };
    expect(await weights(checked, ARGUMENTS)).toBe(
      await weights(plain, ['train', 'config.json', '--backend', 'reference']),
    );
  });

  it('tells it as an event before the start', async () => {
    const { code, stdout } = await mlpHere([...ARGUMENTS, '--json'], { cwd: smallFolder() });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([code, events[0], events[1].event]).toEqual([
      0,
      {
        event: 'gradcheck',
        passed: true,
        derivatives: 10,
        kinks: 0,
        wrong: 0,
        rows: 8,
        maxRelativeError: expect.any(Number),
      },
      'start',
    ]);
    expect(events[0].maxRelativeError).toBeLessThan(1e-7);
  });

  it('ends with exit code 1 at a wrong gradient, before anything is written', async () => {
    breakTanh();
    const cwd = smallFolder();
    const { code, stdout, stderr } = await mlpHere(ARGUMENTS, { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /error: config\.json: found 6 of 10 derivatives on 8 rows of the first batch wrong, expected none; the first is layers\.0\.weight\[\d\]\[\d\]: analytic /,
    );
    expect(stderr).toContain('hint: the training has not started');
    expect(existsSync(join(cwd, 'runs'))).toBe(false);

    const json = await mlpHere([...ARGUMENTS, '--json'], { cwd });
    expect(JSON.parse(json.stdout)).toMatchObject({ event: 'gradcheck', passed: false, wrong: 6 });
  });

  it('checks every kind of target, in the batches of the config', async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i % 7},${(i * 5) % 11},${i % 3},${i / 7}`);
    const cases = [
      { target: 'y', exclude: ['z'], task: 'multiclass', layers: [4, 'tanh', 3] },
      { target: 'z', exclude: ['y'], task: 'regression', layers: [4, 'relu', 1] },
    ];
    for (const { layers, ...data } of cases) {
      const cwd = folderOf({
        'config.json': smallConfig({
          network: { layers },
          data: { train: 'data.csv', ...data },
          training: { epochs: 1, batchSize: 20, batches: 'with-replacement' },
        }),
        'data.csv': ['a,b,y,z', ...rows].join('\n'),
      });
      const { code, stderr } = await mlpHere(ARGUMENTS, { cwd });
      expect([code, stderr]).toEqual([0, expect.stringContaining('on 16 rows of the first batch')]);
    }
  });
});
