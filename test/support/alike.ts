/** Tests that training of any kind passes: the same bits by any threads, the same steps by any backend. */
import { expect, it } from 'vitest';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { BACKENDS } from './backends.js';
import { closing, type Problem, prepare, resultOf, startReference, startTeam, trainSteps } from './runs.js';

const WASM = { backend: 'wasm', relaxed: false } as const;

/** A run of the problem, in the calling thread and by 1, 2 and 3 others. */
export function itLeavesTheSameBits(problemOf: () => Promise<Problem>, name = ''): void {
  it(`leaves the same bits for any number of threads${name && `, in ${name}`}`, async () => {
    const problem = await problemOf();
    const engine = LocalEngine.start({ ...problem, choice: WASM }, problem.dataset);
    const expected = await resultOf(engine, problem, problem.plan.steps);
    for (const threads of [1, 2, 3]) {
      const team = closing(await startTeam(problem, WASM, threads));
      expect(await resultOf(team, problem, problem.plan.steps)).toBe(expected);
    }
  });
}

/** A run of this config, in both precisions, by any threads and by all backends. */
export function itTrainsAlike(config: Record<string, unknown>): void {
  for (const dtype of ['float32', 'float64']) itLeavesTheSameBits(() => prepare({ ...config, dtype }), dtype);

  it.each(BACKENDS)('takes the steps of the plain loops: $name', async ({ choice, skip }) => {
    if (skip) return;
    const problem = await prepare({ ...config, dtype: 'float64' });
    const { plan, dataset } = problem;
    const engine = LocalEngine.start({ ...problem, choice: { ...choice, leastProduct: 1 } }, dataset);
    const reference = startReference(problem);
    const expected = await trainSteps(reference, problem, plan.steps);
    const close = { relative: 1e-8, absolute: 1e-9 };
    expect(await trainSteps(engine, problem, plan.steps)).toBeAllclose(expected, close);
    expect(engine.statistics.values.data).toBeAllclose(reference.statistics.values.data, close);
    const [{ train }, { train: wanted }] = [await engine.evaluate(), await reference.evaluate()];
    expect([train.metrics.loss]).toBeAllclose([wanted.metrics.loss], close);
  });
}
