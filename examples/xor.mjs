/**
 * Learns exclusive or, in memory: no file is read or written. Run it with: node examples/xor.mjs
 */
import { train } from 'mlp-train';

const x = [[0, 0], [0, 1], [1, 0], [1, 1]]; // biome-ignore format: a truth table
const y = ['no', 'yes', 'yes', 'no'];

const run = await train({
  data: { x, y, validation: 0 },
  network: { layers: [8, 'tanh', 1] },
  training: { epochs: 200, batchSize: 4, optimizer: { type: 'adam', learningRate: 0.05 } },
});

for (const [i, { prediction, probabilities }] of (await run.model.predict(x)).entries()) {
  console.log(`${x[i].join(' xor ')} = ${prediction} (${(100 * probabilities[prediction]).toFixed(1)} %)`);
}
