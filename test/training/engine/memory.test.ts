import { describe, expect, it } from 'vitest';
import type { FeatureMatrix } from '../../../src/data/featureMatrix.js';
import { Arena } from '../../../src/kernels/arena.js';
import { LocalEngine } from '../../../src/training/engine/engine.js';
import { smallRuns } from '../../../src/training/engine/threadPool.js';
import { partsOf } from '../../support/datasets.js';
import { closing, type Problem, prepare, resultOf, startReference, startTeam } from '../../support/runs.js';

const REFERENCE = { backend: 'reference', relaxed: false } as const;

const problem = () =>
  prepare({
    network: { layers: [64, 'tanh', 64, 'tanh', 3] },
    training: { steps: 5, batchSize: 25, optimizer: { type: 'adam', learningRate: 0.01 } },
  });

const outcome = (problem: Problem) =>
  resultOf(LocalEngine.start({ ...problem, choice: REFERENCE }, problem.dataset), problem, 5);

/** All of the memory behind the features. */
function behindFeatures({ dataset }: Problem): Uint8Array {
  const [{ memory, features }] = partsOf(dataset);
  return new Uint8Array(memory.buffer, features.address + features.data.byteLength);
}

it('is zero where a run begins, whatever the reading of the data left behind the features', async () => {
  const clean = await problem();
  behindFeatures(clean).fill(0);
  const used = await problem();
  partsOf(used.dataset)[0].memory.grow(16);
  behindFeatures(used).fill(0x3c);
  expect(await outcome(used)).toBe(await outcome(clean));
});

describe('runs on one dataset', () => {
  const start = (problem: Problem) => LocalEngine.start({ ...problem, choice: REFERENCE }, problem.dataset);
  const finish = (engine: LocalEngine, problem: Problem) => resultOf(engine, problem, 5);

  it('lie beside each other, and the next one where one was, from zeros', async () => {
    const expected = await outcome(await problem());
    const used = await problem();
    const [first, second] = [start(used), start(used)];
    await finish(first, used);
    await first.close();
    const third = start(used);
    expect(third.parameters.values.address).toBe(first.parameters.values.address);
    expect(await finish(third, used)).toBe(expected);
    expect(await finish(second, used)).toBe(expected);
  });

  it('have a memory of their own where there is no room for another', async () => {
    const expected = await outcome(await problem());
    const full = await problem();
    const { matrix } = full.dataset;
    const [{ features }] = partsOf(full.dataset);
    // Of one run this is all that there may be.
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 13, shared: true });
    const tensor = new Arena('float32', memory).tensor(features.rows, features.columns);
    tensor.data.set(features.data);
    const parts = [{ memory, features: tensor }];
    const small = { ...full, dataset: { ...full.dataset, matrix: { ...(matrix as FeatureMatrix), parts } } };
    const [first, second] = [start(small), start(small)];
    expect(second.parameters.values.data.buffer).not.toBe(first.parameters.values.data.buffer);
    expect(await finish(second, small)).toBe(expected);
    expect(await finish(first, small)).toBe(expected);
  });
});

describe('rows in several memories, or in a file', () => {
  const PROBLEMS = {
    'a shuffled training': { training: { steps: 9, batchSize: 25 } },
    'batches in slices': { training: { steps: 9, batchSize: 20, accumulate: 2 } },
    'a training on shuffled blocks': {
      data: { train: 'data.csv', target: 'y', shuffle: 'blocks' },
      training: { steps: 9, batchSize: 25 },
    },
    'members that hold out folds': {
      network: { members: 3, layers: [8, 'relu', 3] },
      data: { train: 'data.csv', target: 'y', validation: { folds: 3 } },
      training: { steps: 9 },
    },
    'bins that are fitted to rows': {
      network: { layers: [{ type: 'numeric-embedding', kind: 'piecewise-linear', size: 4 }, 8, 'relu', 3] },
      training: { steps: 9, evaluateRows: 50 },
    },
  };

  it.each(Object.entries(PROBLEMS))('give the bits of %s in the arena', async (_, part) => {
    const config = {
      network: { layers: [8, 'relu', 3] },
      data: { train: 'data.csv', target: 'y', validation: 0.2, test: 0.1, weights: 'balanced' },
      ...part,
    };
    const inside = await prepare(config);
    const outside = await prepare(config, undefined, undefined, 1, { bytesOfPart: 1000 });
    const cached = await prepare({ ...config, data: { ...config.data, cache: 'cache' } });
    expect(partsOf(outside.dataset).length).toBeGreaterThan(2);
    const wasm = { backend: 'wasm', relaxed: false } as const;
    const results = await Promise.all(
      [
        [inside, false] as const,
        [outside, false] as const,
        [cached, false] as const,
        [cached, true] as const,
      ].map(async ([problem, readsAhead]) =>
        resultOf(closing(await startTeam(problem, wasm, 2, { readsAhead, pool: smallRuns })), problem, 9),
      ),
    );
    for (const result of results) expect(result).toBe(results[0]);
    const expected = await resultOf(startReference(inside), inside, 9);
    for (const problem of [outside, cached]) {
      expect(await resultOf(startReference(problem), problem, 9)).toBe(expected);
    }
  });
});
