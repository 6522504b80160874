/** Training with learnt factors of columns and slopes of activations: by threads and by backends. */
import { describe, expect, it } from 'vitest';
import { itTrainsAlike } from '../support/alike.js';
import { prepare, startReference, trainSteps } from '../support/runs.js';

/** Widths that no cache line divides, for slices of columns and of rows. */
const NETWORK = {
  members: 2,
  layers: [
    'scale',
    37,
    { type: 'selu', parametric: true },
    'scale',
    { type: 'residual', layers: ['scale', 37, { type: 'mish', parametric: true }] },
    { type: 'relu', parametric: true },
    3,
    'scale',
  ],
};
/** 104 training rows: the last batch of an epoch has four. */
const TRAINING = { epochs: 2, batchSize: 25, optimizer: { type: 'adam', learningRate: 0.01 } };
describe('training with scales and slopes', () => {
  itTrainsAlike({ network: NETWORK, training: TRAINING });

  it('moves every slope and factor from 1', async () => {
    const problem = await prepare({ network: NETWORK, training: TRAINING, dtype: 'float64' });
    const engine = startReference(problem);
    await trainSteps(engine, problem, problem.plan.steps);
    const learnt = engine.parameters.list.filter(({ kind }) => kind === 'slope' || kind === 'scale');
    expect(learnt.length).toBe(2 * 7);
    for (const { value } of learnt) expect(value.data).not.toContain(1);
  });
});
