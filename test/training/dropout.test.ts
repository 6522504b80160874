import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/dataset/loadDataset.js';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { Team } from '../../src/training/engine/team.js';
import { smallRuns } from '../../src/training/engine/threadPool.js';
import { runTraining } from '../../src/training/loop.js';
import { planTraining } from '../../src/training/plan.js';
import { folderOf, SMALL_CSV, smallConfig } from '../support/cli.js';
import { closing, ratesOf } from '../support/runs.js';

const DROPOUT = { layers: [33, 'tanh', { type: 'dropout', rate: 0.3 }, 9, 'relu', 'dropout', 1] };
const TWO_ROWS = 'a,b,c,d,e,f,y\n1,2,3,4,5,6,7\n2,3,4,5,6,7,8';
const WASM = { backend: 'wasm', relaxed: false } as const;
/** A run of two epochs of three steps, the last of each shorter; `threads` undefined is the calling thread. */
async function prepare(
  network: unknown,
  threads?: number,
  choice: { readonly backend: 'reference' | 'wasm'; readonly relaxed: boolean } = WASM,
  changes: Record<string, unknown> = {},
) {
  const training = { epochs: 2, batchSize: 7 };
  const config = smallConfig({ network, training, dtype: 'float64', ...changes });
  const folder = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV, 'two.csv': TWO_ROWS });
  const loaded = loadTrainConfig(`${folder}/config.json`);
  const dataset = await loadDataset(loaded.config, loaded.directory);
  const run = { config: loaded.config, plan: planTraining(loaded, dataset), choice };
  const engine = closing(
    threads
      ? await Team.start({ ...run, threads }, dataset, undefined, { pool: smallRuns })
      : LocalEngine.start(run, dataset),
  );
  return { ...run, engine };
}

async function weightsAfter(...args: Parameters<typeof prepare>): Promise<number[]> {
  const { engine } = await prepare(...args);
  await runTraining(engine);
  return [...engine.parameters.values.data];
}

describe('training with dropout', () => {
  it('gives the same weights for 1, 2 and 3 threads, and in the calling one', async () => {
    const expected = await weightsAfter(DROPOUT);
    expect(expected.every(Number.isFinite)).toBe(true);
    for (const threads of [1, 2, 3]) expect(await weightsAfter(DROPOUT, threads)).toEqual(expected);
  });

  it('agrees with the plain loops', async () => {
    const reference = { backend: 'reference', relaxed: false } as const;
    const expected = await weightsAfter(DROPOUT, undefined, reference);
    // Six steps of rounding differences; another mask would move weights by the learning rate.
    expect(await weightsAfter(DROPOUT)).toBeAllclose(expected, { relative: 1e-9, absolute: 1e-10 });
  });

  it('draws its masks by the step of the run, whatever is evaluated in between', async () => {
    const [whole, parts] = [await prepare(DROPOUT), await prepare(DROPOUT)];
    const losses = new Float64Array(4);
    await whole.engine.train(losses, ratesOf(losses, 0.01));
    for (const loss of losses) {
      const one = new Float64Array(1);
      await parts.engine.train(one, ratesOf(one, 0.01));
      expect(one[0]).toBe(loss);
      const evaluations = await parts.engine.evaluate();
      expect(await parts.engine.evaluate()).toEqual(evaluations);
    }
    expect([...parts.engine.parameters.values.data]).toEqual([...whole.engine.parameters.values.data]);
  });

  it('takes another mask at each step', async () => {
    // Two rows and no movement: with one mask for all steps, no more than two losses could occur.
    const { engine } = await prepare({ layers: ['dropout', 1] }, undefined, WASM, {
      data: { train: 'two.csv', target: 'y', task: 'regression', validation: 0, standardize: false },
      training: { steps: 8, batchSize: 1 },
    });
    const losses = new Float64Array(8);
    await engine.train(losses, ratesOf(losses, 0));
    expect(new Set(losses).size).toBeGreaterThan(4);
  });

  it('starts from the weights that the run has without it', async () => {
    const start = async (...layers: unknown[]) => [
      ...(await prepare({ layers })).engine.parameters.values.data,
    ];
    expect(await start(33, 'tanh', 'dropout', 9, 'dropout', 1)).toEqual(await start(33, 'tanh', 9, 1));
  });
});
