/**
 * Trains a regression on rows in memory, then answers requests one by one, as a server would.
 * Ctrl-C during training keeps what has been learnt so far. Run it with: node
 * examples/predict-loop.mjs
 */
import { train } from 'mlp-train';

const rows = Array.from({ length: 200 }, (_, i) => {
  const [size, rooms] = [40 + ((i * 37) % 120), 1 + (i % 5)];
  return { size, rooms, city: i % 2 ? 'Rome' : 'Oslo', price: 3 * size + 10 * rooms + (i % 2 ? 50 : 0) };
});

const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
const run = await train(
  {
    data: { rows, target: 'price', standardizeTarget: true },
    network: { layers: [16, 'relu', 1] },
    training: { epochs: 200 },
  },
  { signal: controller.signal },
);
console.log(`${run.status}: R² ${run.metrics.validation.r2.toFixed(2)}`);

const requests = [
  { size: 80, rooms: 3, city: 'Rome' },
  { size: 80, rooms: 3, city: 'Oslo' },
  { size: 'large', rooms: 3, city: 'Oslo' },
];
for (const request of requests) {
  try {
    const [{ prediction }] = await run.model.predict([request]);
    console.log(`${JSON.stringify(request)}: ${prediction.toFixed(0)}`);
  } catch (error) {
    // Bad input is an error with a location; the model stays usable.
    console.log(error.message);
  }
}
