import { expect, it } from 'vitest';
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
