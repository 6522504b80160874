/** mlp calibrate: a temperature for the probabilities of a run. */
import { readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fitTemperature } from '../../src/model/calibration.js';
import { folderOf, mlpHere, smallConfig } from '../support/cli.js';

/** Labels that are wrong in three of ten rows: a network that learns them by heart is too sure of itself. */
const CSV = [
  'a,b,y',
  ...Array.from({ length: 80 }, (_, i) => {
    const a = ((i * 37) % 80) / 40 - 1;
    return `${a.toFixed(3)},${(i * 7) % 5},${a > 0 !== ((i * 29) % 10 < 3) ? 'yes' : 'no'}`;
  }),
].join('\n');

const OVERFITTED = {
  data: { train: 'data.csv', target: 'y', validation: 0.4, test: 0.2 },
  network: { layers: [32, 'relu', 1] },
  training: { epochs: 80, batchSize: 8, keep: 'last', optimizer: { type: 'adam', learningRate: 0.1 } },
};

async function trained(changes: object = {}) {
  const cwd = folderOf({ 'data.csv': CSV, 'config.json': smallConfig({ ...OVERFITTED, ...changes }) });
  const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'run'], { cwd });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const ran = (...args: string[]) => mlpHere(args, { cwd });
  const json = async (...args: string[]) => JSON.parse((await ran(...args, '--json')).stdout);
  return { cwd, ran, json };
}

describe('mlp calibrate', () => {
  it('divides the logits by the number of the least validation loss', async () => {
    const { ran, json } = await trained();
    const losses = async () => (await json('evaluate', 'run', '--split', 'validation')).metrics;
    const before = await losses();
    const { stdout: plain } = await ran('predict', 'run', 'data.csv');
    const { temperature, splits } = await json('calibrate', 'run');
    expect(temperature).toBeGreaterThan(1);
    const after = await losses();
    expect(splits[0]).toMatchObject({ split: 'validation', rows: 26, before, after });
    expect(splits[1].split).toBe('test');
    expect(after.loss).toBeLessThan(before.loss);
    expect(after.calibrationError).toBeLessThan(before.calibrationError);
    // Each probability is that of the logit divided by the temperature, and no class is another.
    const { stdout: calibrated } = await ran('predict', 'run', 'data.csv');
    const cells = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split(','));
    const header = plain.split('\n')[0].split(',');
    const yes = header.findIndex((name) => name.includes('yes'));
    const logit = (p: number) => Math.log(p / (1 - p));
    for (const [i, row] of cells(calibrated).entries()) {
      const other = cells(plain)[i];
      expect(row[0]).toBe(other[0]);
      const p = Number(other[yes]);
      if (p < 1e-4 || p > 1 - 1e-4) continue;
      expect(logit(Number(row[yes]))).toBeCloseTo(logit(p) / temperature, 2);
    }
    // A second time changes nothing; the trained weights are still the run's.
    expect((await json('calibrate', 'run')).temperature).toBe(temperature);
    expect((await ran('repro', 'run')).code).toBe(0);
  });

  it.each([
    ['members', { network: { layers: [32, 'relu', 1], members: 3 } }],
    [
      'a batch ensemble',
      { network: { layers: [32, 'relu', 1], members: { count: 3, kind: 'batch-ensemble' } } },
    ],
    ['a softmax at the end', { network: { layers: [32, 'relu', 2, 'softmax'] } }],
    ['folds', { data: { train: 'data.csv', target: 'y', validation: { folds: 3 } } }],
  ])('lowers the loss of %s, as exported models do', async (_, changes) => {
    const { cwd, ran, json } = await trained(changes);
    const { temperature, splits } = await json('calibrate', 'run');
    const [{ before, after }] = splits;
    expect(temperature).not.toBe(1);
    expect(after.loss).toBeLessThan(before.loss);
    const exported = await ran('export', 'run', '--to', 'js', '-o', 'model.mjs', '--json');
    expect([exported.code, exported.stderr]).toEqual([0, expect.not.stringContaining('error: ')]);
    expect(readFileSync(join(cwd, 'model.mjs'), 'utf8')).toContain('predict');
  });

  it('says what it needs, and follows no link', async () => {
    const values = CSV.replace(/yes$/gm, '1').replace(/no$/gm, '2.5');
    const cwd = folderOf({ 'data.csv': values, 'config.json': smallConfig(OVERFITTED) });
    await mlpHere(['train', 'config.json', '--run', 'r', '--set', 'data.task="regression"'], { cwd });
    const number = await mlpHere(['calibrate', 'r'], { cwd });
    expect([number.code, number.stderr]).toEqual([
      64,
      expect.stringContaining('only they have probabilities'),
    ]);
    const rest = await trained({ data: { train: 'data.csv', target: 'y', validation: 0 } });
    const none = await rest.ran('calibrate', 'run');
    expect([none.code, none.stderr]).toEqual([64, expect.stringContaining('found no validation rows')]);
    expect((await rest.ran('calibrate', 'nowhere')).code).toBe(66);
    const linked = await trained();
    renameSync(join(linked.cwd, 'run/model.safetensors'), join(linked.cwd, 'real'));
    symlinkSync(join(linked.cwd, 'real'), join(linked.cwd, 'run/model.safetensors'));
    const before = readFileSync(join(linked.cwd, 'real'));
    expect((await linked.ran('calibrate', 'run')).code).toBe(73);
    expect(readFileSync(join(linked.cwd, 'real')).equals(before)).toBe(true);
  });
});

describe('fitTemperature', () => {
  it('finds the least of a function of 1/T, also at either end', async () => {
    expect(await fitTemperature((t) => (1 / t - 0.4) ** 2)).toBeCloseTo(2.5, 3);
    expect(await fitTemperature((t) => t)).toBeCloseTo(0.05, 3);
    expect(await fitTemperature((t) => -t)).toBeCloseTo(20, 1);
  });
});
