/** TensorFlow.js as a contender: node bench/peers/tfjs.js <cpu|wasm>. */
import { argv } from 'node:process';
import { readData, serve, unavailable } from './serve.js';

const [, , backend] = argv;

/** The package and its backend, or null where they are not installed. */
async function load() {
  try {
    const { default: tf } = await import('@tensorflow/tfjs');
    if (backend === 'wasm') await import('@tensorflow/tfjs-backend-wasm');
    return tf;
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return null;
  }
}

function buildModel(tf, { sizes, optimizer, learningRate }) {
  const isBinary = sizes.at(-1) === 1;
  const model = tf.sequential();
  sizes.slice(1).forEach((units, layer) => {
    const isLast = layer === sizes.length - 2;
    const activation = isLast ? (isBinary ? 'sigmoid' : 'softmax') : 'relu';
    model.add(tf.layers.dense({ units, activation, inputShape: [sizes[layer]] }));
  });
  model.compile({
    optimizer: tf.train[optimizer](learningRate),
    loss: isBinary ? 'binaryCrossentropy' : 'categoricalCrossentropy',
  });
  return model;
}

function prepare(tf, task) {
  const { sizes, batch } = task;
  const { rows, features, labels } = readData(task.data);
  const outputs = sizes.at(-1);
  const model = buildModel(tf, task);
  const x = tf.tensor2d(Float32Array.from(features), [rows, sizes[0]]);
  const classes = tf.tensor1d(labels, 'int32');
  const y = outputs === 1 ? classes.toFloat().reshape([rows, 1]) : tf.oneHot(classes, outputs).toFloat();
  let order = [];
  return async (steps) => {
    let loss;
    for (let step = 0; step < steps; step++) {
      if (order.length === 0) order = Array.from(tf.util.createShuffledIndices(rows));
      const indices = tf.tensor1d(order.splice(0, batch), 'int32');
      const [batchX, batchY] = [x.gather(indices), y.gather(indices)];
      loss = await model.trainOnBatch(batchX, batchY);
      tf.dispose([indices, batchX, batchY]);
    }
    return { steps, loss };
  };
}

const tf = await load();
if (tf === null) {
  unavailable('not installed');
} else {
  await tf.setBackend(backend);
  await serve({ 'TensorFlow.js': tf.version.tfjs }, (task) => prepare(tf, task));
}
