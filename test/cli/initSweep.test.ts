import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { checkSweep } from '../../src/spec/sweepConfig.js';
import { suggest } from '../../src/sweep/sampler.js';
import { Space } from '../../src/sweep/space.js';
import { folderOf, mlpHere } from '../support/cli.js';

const rows = (target: (i: number) => string | number) =>
  `a,b,y\n${Array.from({ length: 40 }, (_, i) => `${i},${(i * 7) % 11},${target(i)}\n`).join('')}`;
const classes = rows((i) => (i % 2 ? 'yes' : 'no'));
const numbers = rows((i) => i * 1.5 + (i % 3));
const data = { train: 'data.csv', target: 'y' };

/** The sweep that `mlp init --sweep` writes for a config, whose trials must load. */
async function sweepFor(csv: string, config: object) {
  const folder = folderOf({ 'data.csv': csv, 'c.json': JSON.stringify({ data, ...config }) });
  const { code, stdout, stderr } = await mlpHere(['init', '--sweep', 'c.json'], { cwd: folder });
  expect([code, stdout]).toEqual([0, 'wrote c-sweep.json\nnext: mlp sweep c-sweep.json\n']);
  const { sweep } = checkSweep(JSON.parse(readFileSync(join(folder, 'c-sweep.json'), 'utf8')));
  const space = Space.of(sweep.space);
  for (let trial = 0; trial < 5; trial++) {
    const point = suggest({ space, method: 'random', seed: 1 }, trial, []) ?? {};
    const settings = space.settingsOf(point).map(({ path, value }) => `${path}=${JSON.stringify(value)}`);
    loadTrainConfig(join(folder, 'c.json'), settings);
  }
  return { sweep, stderr };
}

describe('mlp init --sweep', () => {
  it("writes the recipe's published space, with label smoothing for classes alone", async () => {
    const { sweep, stderr } = await sweepFor(classes, { preset: 'tabular' });
    expect(stderr).toContain('space: the search space of the recipe');
    expect(sweep).toMatchObject({ base: 'c.json', method: 'tpe', trials: 50 });
    expect(sweep.space).toMatchObject({
      'training.optimizer.learningRate': { log: [0.02, 0.3] },
      'recipe.hidden': { choice: [[256, 256, 256], [64, 64, 64, 64, 64], [512]] },
      'training.labelSmoothing': { choice: [0, 0.1] },
    });
    const regression = await sweepFor(numbers, { preset: 'tabular' });
    expect(regression.sweep.space).not.toHaveProperty(['training.labelSmoothing']);
  });

  it('varies the rate, the regularisation, and the widths and dropout of a network of its own', async () => {
    const network = { layers: [32, 'relu', { type: 'dropout', rate: 0.1 }, 8, 'relu', 2, 'softmax'] };
    const training = { epochs: 27, optimizer: { type: 'adam', learningRate: 0.01 } };
    const { sweep } = await sweepFor(classes, { network, training });
    expect(sweep.space).toEqual({
      'training.optimizer.learningRate': { log: [0.0003, 0.3] },
      'training.batchSize': { int: [16, 256], log: true },
      'training.l2': { choice: [0, { log: [1e-6, 0.01] }] },
      'network.layers[0].units': { int: [8, 64], log: true },
      'network.layers[2].rate': { float: [0, 0.5] },
      'network.layers[3].units': { int: [2, 16], log: true },
    });
    expect(sweep.stop).toEqual({ type: 'halving', factor: 3, minEpochs: 3 });
  });

  it('keeps widths that a residual needs, and does not stop what a schedule ends', async () => {
    const network = { layers: [4, { type: 'residual', layers: [4, 'relu'] }, 1] };
    const training = { epochs: 20, schedule: { type: 'cosine' } };
    const { sweep } = await sweepFor(numbers, { network, training });
    expect(Object.keys(sweep.space).filter((path) => path.startsWith('network'))).toEqual([]);
    expect(sweep).not.toHaveProperty('stop');
  });

  it('takes one train config, and writes no file twice', async () => {
    const config = JSON.stringify({ data, network: { layers: [1] } });
    const folder = folderOf({ 'data.csv': numbers, 'c.json': config, 'c-sweep.json': '{}' });
    const run = (...args: string[]) => mlpHere(['init', '--sweep', ...args], { cwd: folder });
    expect(await run('c.json')).toMatchObject({ code: 73 });
    expect(await run('c.json', 'data.csv')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--sweep: found 2 files, expected one train config'),
    });
    expect(await run('c.json', '--target', 'y')).toMatchObject({ code: 64 });
    const printed = await run('c.json', '-o', '-', '--json');
    expect(JSON.parse(printed.stdout)).toMatchObject({ path: null, sweep: { base: 'c.json' } });
  });
});
