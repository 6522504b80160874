import { expect, it } from 'vitest';
import { train } from '../src/index.js';

/** The smoke test: from data to a trained network, in memory, in well under two seconds. `npx vitest run test/tiny` */
it('learns exclusive or', async () => {
  const { metrics } = await train({
    data: { x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: ['no', 'yes', 'yes', 'no'], validation: 0 }, // biome-ignore format: rows
    network: { layers: [8, 'tanh', 1] },
    training: { epochs: 200, batchSize: 4, optimizer: { type: 'adam', learningRate: 0.05 } },
  });
  expect(metrics.train.accuracy).toBe(1);
  expect(metrics.train.loss).toBeLessThan(0.05);
});
