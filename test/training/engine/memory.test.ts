import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/kernels/arena.js';
import { LocalEngine } from '../../../src/training/engine/engine.js';
import { type Problem, prepare, resultOf } from '../../support/runs.js';

const REFERENCE = { backend: 'reference', relaxed: false } as const;

const problem = () =>
  prepare({
    network: { layers: [64, 'tanh', 64, 'tanh', 3] },
    training: { steps: 5, batchSize: 25, optimizer: { type: 'adam', learningRate: 0.01 } },
  });

const outcome = (problem: Problem) =>
  resultOf(LocalEngine.start({ ...problem, choice: REFERENCE }, problem.dataset), problem, 5);

/** All of the memory behind the features. */
function behindFeatures({ dataset: { memory, features } }: Problem): Uint8Array {
  return new Uint8Array(memory.buffer, features.address + features.data.byteLength);
}

it('is zero where a run begins, whatever the reading of the data left behind the features', async () => {
  const clean = await problem();
  behindFeatures(clean).fill(0);
  const used = await problem();
  used.dataset.memory.grow(16);
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

  it('have a copy of it where there is no room for another', async () => {
    const expected = await outcome(await problem());
    const full = await problem();
    const { features } = full.dataset;
    // Of one run this is all that there may be.
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 13, shared: true });
    const matrix = new Arena('float32', memory).tensor(features.rows, features.columns);
    matrix.data.set(features.data);
    const small = { ...full, dataset: { ...full.dataset, memory, features: matrix } };
    const [first, second] = [start(small), start(small)];
    expect(second.parameters.values.data.buffer).not.toBe(first.parameters.values.data.buffer);
    expect(await finish(second, small)).toBe(expected);
    expect(await finish(first, small)).toBe(expected);
  });
});
