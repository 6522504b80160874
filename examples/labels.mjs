/**
 * Several labels for each row, in memory: a number is even, large, both or neither. Run it with: node examples/labels.mjs
 */
import { train } from 'mlp-train';

const numbers = Array.from({ length: 16 }, (_, n) => n);
const bits = (n) => Object.fromEntries([8, 4, 2, 1].map((bit) => [`bit${bit}`, n & bit ? 1 : 0]));
const rows = numbers.map((n) => ({ ...bits(n), even: n % 2 === 0, large: n > 9 }));

const run = await train({
  data: { rows, target: ['even', 'large'], task: 'multilabel', validation: 0 },
  network: { layers: [16, 'tanh', 2] },
  training: { epochs: 200, batchSize: 16, optimizer: { type: 'adam', learningRate: 0.05 } },
});

const predictions = await run.model.predict(numbers.map(bits));
for (const n of [3, 4, 10, 15]) {
  const { prediction, probabilities } = predictions[n];
  const about = ['even', 'large'].map(
    (label) => `${label}: ${prediction[label]} (${probabilities[label].toFixed(2)})`,
  );
  console.log(`${n} is ${about.join(', ')}`);
}
