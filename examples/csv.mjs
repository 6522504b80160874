/**
 * Trains on a CSV file, saves the model, loads it again, and predicts new rows. Run it with:
 * node examples/csv.mjs [folder for the model]
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModel, train } from 'mlp-train';

const [folder = '.'] = process.argv.slice(2);
const iris = fileURLToPath(new URL('../data/iris.csv', import.meta.url));

const run = await train(
  {
    data: { train: iris, target: 'species' },
    network: { layers: [16, 'relu', 3] },
    training: { epochs: 100, optimizer: { type: 'adam', learningRate: 0.01 } },
  },
  {
    onEpoch({ epoch, validation }) {
      if (epoch % 20 === 0) console.log(`epoch ${epoch}: validation loss ${validation.loss.toFixed(3)}`);
    },
  },
);
console.log(`accuracy on held-out rows: ${run.metrics.validation.accuracy.toFixed(2)}`);

const path = join(folder, 'iris.safetensors');
await run.save(path);

const model = await loadModel(path);
const [first] = await model.predict([
  {
    'sepal length (cm)': 5.1,
    'sepal width (cm)': 3.5,
    'petal length (cm)': 1.4,
    'petal width (cm)': 0.2,
  },
]);
console.log(`a flower: ${first.prediction}`);
