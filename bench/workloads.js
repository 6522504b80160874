/**
 * What is measured. A workload is a list of tasks; all contenders that accept a task take turns at it, and at the
 * workload's other tasks, round after round, so that any two of its figures can be set against each other.
 */
import { CSV_WORKLOADS } from './csv/workloads.js';

/**
 * Training steps of a network.
 * @param sizes widths of the layers from the input to the output; relu between them
 * @param data the name of a data set in data.js
 */
function training(sizes, { batch, optimizer, learningRate, dtype, data }) {
  return { id: 'train', kind: 'train', sizes, batch, optimizer, learningRate, dtype, data };
}

/** The product c[m, n] ← a[m, k]·b[k, n], for the kinds of contenders that are named. */
function product(id, contenders, m, n, k) {
  return { id, kind: 'product', contenders, dtype: 'float32', m, n, k };
}

/**
 * Predictions of all rows of a CSV, written as another.
 * @param layers of the network; the preset of mlp init if left out, which scikit-learn has no name for
 */
function predicting(file, rows, target, layers) {
  return { id: 'predict', kind: 'predict', file, rows, target, layers };
}

const WIDE = [30, 1024, 512, 1];
const ADAM = { optimizer: 'adam', learningRate: 1e-4, dtype: 'float32', data: 'breast-cancer' };
const IMAGES = [784, 50, 10];
const SGD = { optimizer: 'sgd', learningRate: 0.1 };

/** The rate that the machine's own library reaches, against which a step is held. */
export const SGEMM = product('sgemm 1024³', ['native', 'blas', 'numpy-float32', 'torch'], 1024, 1024, 1024);
/** Three tiles of the microkernel over data that stay in the first cache, so few rows that nothing is packed: its peak. */
export const PEAK = product('microkernel, in L1', ['wasm', 'relaxed'], 12, 12, 256);
export const SQUARE = product('product 512³', ['wasm', 'relaxed'], 512, 512, 512);

export const EMPTY = { id: 'node -e 0', kind: 'process', args: ['-e', '0'] };
export const PARAMS = {
  id: 'mlp params',
  kind: 'process',
  args: ['bin/mlp.js', 'params', 'configs/specs/30-1024-512-1.json'],
};

export const WORKLOADS = [
  {
    id: 'wide-256',
    title: '30→1024→512→1, batch 256, Adam, float32',
    tasks: [training(WIDE, { ...ADAM, batch: 256 }), SGEMM],
  },
  {
    id: 'wide-32',
    title: '30→1024→512→1, batch 32, Adam, float32',
    tasks: [training(WIDE, { ...ADAM, batch: 32 })],
  },
  {
    id: 'images-float32',
    title: '784→50→10, batch 200, SGD, float32',
    tasks: [training(IMAGES, { ...SGD, batch: 200, dtype: 'float32', data: 'digits' })],
  },
  {
    id: 'images-float64',
    title: '784→50→10, batch 200, SGD, float64',
    tasks: [training(IMAGES, { ...SGD, batch: 200, dtype: 'float64', data: 'digits' })],
  },
  {
    id: 'tiny',
    title: '4→10→3, batch 5, SGD, float32',
    tasks: [training([4, 10, 3], { ...SGD, batch: 5, dtype: 'float32', data: 'iris' })],
  },
  {
    id: 'predict-adult',
    title: 'predictions of UCI Adult by the preset network, CSV to CSV',
    tasks: [predicting('adult-once', 48_842, 'income')],
  },
  {
    id: 'predict-images',
    title: 'predictions of 60,000 images by 784→50→10, CSV to CSV',
    tasks: [predicting('integers', 60_000, 'label', [50, 'relu', 10])],
  },
  { id: 'products', title: 'matrix products of the wasm kernels, 1 thread', tasks: [PEAK, SQUARE] },
  { id: 'start', title: 'whole processes', tasks: [EMPTY, PARAMS] },
  ...CSV_WORKLOADS,
];

/** Weights and biases of a network. */
function parameters(sizes) {
  return sizes.slice(1).reduce((sum, units, layer) => sum + (sizes[layer] + 1) * units, 0);
}

/**
 * Floating-point operations of a step, or of a product. Of a step, the products of forward, dW and dX alone: one multiply-add
 * each for every parameter and row (the dX of the first layer, which nobody computes, would be 2 % of the wide network).
 */
export function flops({ kind, sizes, batch, m, n, k }) {
  return kind === 'train' ? 6 * parameters(sizes) * batch : 2 * m * n * k;
}
