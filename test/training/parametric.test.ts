/** Training with learnt factors of columns and slopes of activations: by threads and by backends. */
import { afterEach, describe, expect, it } from 'vitest';
import { type Engine, LocalEngine } from '../../src/training/engine/engine.js';
import { BACKENDS } from '../support/backends.js';
import { prepare, resultOf, startReference, startTeam, trainSteps } from '../support/runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;
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
const engines: Engine[] = [];

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close();
});

describe('training with scales and slopes', () => {
  it.each(['float32', 'float64'])('leaves the same bits for any number of threads, in %s', async (dtype) => {
    const problem = await prepare({ network: NETWORK, training: TRAINING, dtype });
    const results: string[] = [];
    for (const threads of [1, 2, 3]) {
      const engine = await startTeam(problem, WASM, threads);
      engines.push(engine);
      results.push(await resultOf(engine, problem, problem.plan.steps));
    }
    expect(new Set(results).size).toBe(1);
  });

  it.each(BACKENDS)('takes the steps of the plain loops: $name', async ({ choice, skip }) => {
    if (skip) return;
    const problem = await prepare({ network: NETWORK, training: TRAINING, dtype: 'float64' });
    const { config, plan, dataset } = problem;
    const engine = LocalEngine.start({ config, plan, choice: { ...choice, leastBlasProduct: 1 } }, dataset);
    const expected = await trainSteps(startReference(problem), problem, plan.steps);
    const close = { relative: 1e-8, absolute: 1e-9 };
    expect(await trainSteps(engine, problem, plan.steps)).toBeAllclose(expected, close);
  });

  it('moves every slope and factor from 1', async () => {
    const problem = await prepare({ network: NETWORK, training: TRAINING, dtype: 'float64' });
    const engine = startReference(problem);
    await trainSteps(engine, problem, problem.plan.steps);
    const learnt = engine.parameters.list.filter(({ kind }) => kind === 'slope' || kind === 'scale');
    expect(learnt.length).toBe(2 * 7);
    for (const { value } of learnt) expect(value.data).not.toContain(1);
  });
});
