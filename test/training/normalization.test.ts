/** Training with batch and layer normalisation: by threads, in evaluation, and what a plan refuses. */
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { itTrainsAlike } from '../support/alike.js';
import { csvOf, prepare, startReference, trainSteps } from '../support/runs.js';

/** Widths that no cache line divides, for slices of columns and of rows. */
const NETWORK = {
  layers: [
    37,
    'batch-norm',
    'relu',
    { type: 'residual', layers: ['layer-norm', 37, 'tanh'] },
    'batch-norm',
    3,
  ],
};
/** 104 training rows: the last batch of an epoch has four. */
const TRAINING = { epochs: 2, batchSize: 25, optimizer: { type: 'sgd', learningRate: 0.1 } };
describe('training with normalisation', () => {
  itTrainsAlike({ network: NETWORK, training: TRAINING });

  it('begins at a running mean of 0 and variance of 1, and moves them by steps alone', async () => {
    const engine = startReference(
      await prepare({ network: { layers: [2, 'batch-norm', 3] }, training: TRAINING }),
    );
    const { data } = engine.statistics.values;
    expect([...data]).toEqual([0, 0, 1, 1]);
    await engine.evaluate();
    expect([...data]).toEqual([0, 0, 1, 1]);
    await engine.train(new Float64Array(1), Float64Array.of(0));
    expect([...data].filter((value, i) => value === (i < 2 ? 0 : 1))).toEqual([]);
  });

  it('learns on through a last batch of a single row, and warns of it', async () => {
    const problem = await prepare({
      network: { layers: [8, 'batch-norm', 'relu', 3] },
      data: { train: 'data.csv', target: 'y', validation: 0 },
      training: { ...TRAINING, epochs: 3, batchSize: 26 },
    });
    expect(problem.plan.warnings).toEqual([
      'training.batchSize is 26: with 131 training rows the last batch of an epoch has a single row, which batch-norm turns into zeros',
    ]);
    const engine = startReference(problem);
    const before = (await engine.evaluate()).train.metrics.loss;
    const losses = await trainSteps(engine, problem, problem.plan.steps);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect((await engine.evaluate()).train.metrics.loss).toBeLessThan(before);
  });
});

describe('a plan with batch-norm', () => {
  const network = { layers: [4, { type: 'residual', layers: ['batch-norm'] }, 3] };

  it('refuses batches of one row, and so a single training row', async () => {
    const problem = prepare({ network, training: { epochs: 1, batchSize: 1 } });
    await expect(problem).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringMatching(
        /config\.json:\d+:\d+: training\.batchSize: found 1, expected at least 2: batch-norm takes its mean and variance over the rows of a batch$/,
      ),
      hint: 'take layer-norm, which normalises each row by itself, or more rows',
    });
    const data = { train: 'data.csv', target: 'y', task: 'regression', validation: 0.5, standardize: false };
    const single = prepare({ network: { layers: ['batch-norm', 1] }, data }, 'a,y\n1,2\n3,4\n');
    await expect(single).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringContaining('data.train: found 1 training row, expected at least 2: batch-norm'),
    });
  });

  it('takes what others take: batches of two, and with layer-norm of one', async () => {
    const data = { train: 'data.csv', target: 'y', validation: 0 };
    const two = await prepare(
      { network, data, training: { epochs: 1, batchSize: 2 } },
      csvOf(8, 2, 'classes'),
    );
    expect(two.plan.warnings).toEqual([]);
    const layers = [4, 'layer-norm', 3];
    const one = await prepare({ network: { layers }, training: { epochs: 1, batchSize: 1 } });
    expect([one.plan.batchSize, one.plan.parameters]).toEqual([1, 7n * 4n + 4n + 8n + 15n]);
  });
});
