/**
 * brain.js as a contender. It knows no minibatches: it moves its weights after every row, so a step is an update for each of
 * the batch's rows. Its hidden layers share their activation with the output, and its SGD has a momentum of at least a little.
 */
import { createRequire } from 'node:module';
import { readData, serve, unavailable } from './serve.js';

/** Rows that are taken at once. Since each costs the same, a part of a step is enough to know its time. */
const ROWS = 8;

const require = createRequire(import.meta.url);

function load() {
  try {
    return { brain: require('brain.js'), version: require('brain.js/package.json').version };
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return null;
  }
}

function prepare({ NeuralNetwork }, task) {
  const { sizes, batch, optimizer, learningRate } = task;
  const { features, labels } = readData(task.data);
  const [inputs] = sizes;
  const outputs = sizes.at(-1);
  const target = (label) =>
    outputs === 1 ? [label] : Array.from({ length: outputs }, (_, j) => Number(j === label));
  const rows = Array.from({ length: Math.min(batch, ROWS) }, (_, i) => ({
    input: Array.from(features.subarray(i * inputs, (i + 1) * inputs)),
    output: target(labels[i]),
  }));
  const net = new NeuralNetwork({ hiddenLayers: sizes.slice(1, -1), activation: 'sigmoid' });
  const options = { learningRate, errorThresh: 1e-12, ...(optimizer === 'adam' && { praxis: 'adam' }) };
  return (iterations) => {
    const { error } = net.train(rows, { ...options, iterations });
    return { steps: (iterations * rows.length) / batch, loss: error };
  };
}

const loaded = load();
if (loaded === null) unavailable('not installed');
else await serve({ 'brain.js': loaded.version }, (task) => prepare(loaded.brain, task));
