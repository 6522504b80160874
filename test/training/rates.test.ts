import { describe, expect, it } from 'vitest';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { itLeavesTheSameBits } from '../support/alike.js';
import { prepare, trainSteps } from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
/** Twelve steps; what is asked for is over all of them. */
const config = (training: object) => ({
  network: { layers: [33, 'relu', 'batch-norm', { type: 'dropout', rate: 0.5 }, 9, 'tanh', 3] },
  training: {
    epochs: 3,
    batchSize: 27,
    optimizer: { type: 'adamw', learningRate: 0.01, weightDecay: 0.5 },
    ...training,
  },
});

const SCHEDULES = {
  optimizer: { type: 'adamw', learningRate: 0.01, weightDecay: 0.5, weightDecaySchedule: 'flat-cosine' },
  dropoutSchedule: 'flat-cosine',
};
const RATES = { rates: { bias: 0.1, scale: 6 } };

describe.each([
  ['rates', RATES],
  ['schedules of decay and dropout', SCHEDULES],
  ['all of them', { ...SCHEDULES, ...RATES }],
])('a run with %s', (_, training) => {
  itLeavesTheSameBits(() => prepare(config(training)));

  it('is another than without, in the first or the second half', async () => {
    const losses = async (changes: object) => {
      const problem = await prepare(config(changes));
      const engine = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
      return trainSteps(engine, problem, problem.plan.steps);
    };
    const [plain, changed] = [await losses({}), await losses(training)];
    const first = 'rates' in training ? 1 : plain.length / 2 + 1;
    expect(changed.slice(0, first)).toEqual(plain.slice(0, first));
    expect(changed[first]).not.toBe(plain[first]);
  });

  it('goes on from its state as if it had never stopped', async () => {
    const problem = await prepare(config(training));
    const whole = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
    const losses = await trainSteps(whole, problem, problem.plan.steps);
    for (const stop of [1, 7, 11]) {
      const first = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
      await trainSteps(first, problem, stop);
      const second = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset, await first.state());
      expect(await trainSteps(second, problem, problem.plan.steps - stop)).toEqual(losses.slice(stop));
      expect(second.parameters.values.data).toEqual(whole.parameters.values.data);
    }
  });
});
