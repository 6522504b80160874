/** Small models and their files, for the tests of what reads and uses them. */
import { join } from 'node:path';
import type { FeatureEncoding } from '../../src/data/encoding/encoding.js';
import { Arena, ArenaPlan } from '../../src/kernels/arena.js';
import type { DType } from '../../src/kernels/kernels.js';
import { referenceKernels } from '../../src/kernels/reference/index.js';
import { loadModel, type Model } from '../../src/model/load.js';
import { encodeModel, type ModelContent, modelTensors } from '../../src/model/model.js';
import type { NamedTensor } from '../../src/model/safetensors/encode.js';
import { Network } from '../../src/network/network.js';
import { RandomState } from '../../src/random/randomState.js';
import { folderWith } from '../spec/support.js';
import { specOf } from '../support/networks.js';
import { bytesOf } from './safetensorsFile.js';

/** Three columns of the file, six of the matrix: `age`, `age missing`, three cities, `size`. */
export const FEATURES: readonly FeatureEncoding[] = [
  { kind: 'numeric', column: 'age', shift: 40, scale: 10, fill: 41, indicator: true },
  { kind: 'category', column: 'city', levels: ['Bern', 'Lyon', 'Oslo'] },
  { kind: 'numeric', column: 'size', shift: 0, scale: 0.5 },
];

export function networkOf(layers: readonly unknown[], input = 6): ModelContent['network'] {
  return { ...specOf({ input, layers }), input };
}

/** Tells three classes apart, through every kind of layer that has tensors. */
export const CONTENT: ModelContent = {
  network: networkOf([
    5,
    'batch-norm',
    'tanh',
    { type: 'residual', layers: [5, 'layer-norm'] },
    'dropout',
    3,
  ]),
  task: 'multiclass',
  loss: 'softmax-cross-entropy',
  header: true,
  features: FEATURES,
  targets: ['kind'],
  classes: ['a', 'b', 'c'],
};

/** A single logit for two classes. */
export const BINARY: ModelContent = {
  ...CONTENT,
  network: networkOf([4, 'relu', 1]),
  task: 'binary',
  loss: 'binary-cross-entropy',
  classes: ['no', 'yes'],
};

/** Two standardised targets. */
export const REGRESSION: ModelContent = {
  network: networkOf([4, 'tanh', 2]),
  task: 'regression',
  loss: 'mean-squared-error',
  header: true,
  features: FEATURES,
  targets: ['u', 'v'],
  targetStandardization: { mean: [10, -1], scale: [4, 0.5] },
};

/** The tensors of a network that has drawn its weights from seed 1; its other tensors are not at their first values either. */
export function tensorsOf({ network: spec, loss }: ModelContent, dtype: DType = 'float32'): NamedTensor[] {
  const build = (allocator: Arena | ArenaPlan) => {
    const options = { inputs: spec.input, loss, l2: 0, capacity: 1, seed: 0 };
    return new Network(spec, options, referenceKernels(dtype), allocator);
  };
  const plan = new ArenaPlan(dtype);
  build(plan);
  const network = build(Arena.ofSize(dtype, plan.bytes));
  const random = new RandomState(1);
  network.initialize(random);
  const tensors = modelTensors(network.parameters, network.statistics);
  for (const { shape, data } of tensors) {
    if (shape.length === 1) data.set(data.map((value) => value + random.uniform(0, 0.5)));
  }
  return tensors;
}

/** The bytes of a model file. */
export function modelBytes(content: ModelContent, tensors = tensorsOf(content)): Buffer {
  const { header, parts } = encodeModel(content, tensors);
  return Buffer.concat([header, ...parts]);
}

/** The same file with other texts in its metadata, or without some. */
export function withTexts(bytes: Buffer, changes: Record<string, string | undefined>): Buffer {
  const length = Number(bytes.readBigUInt64LE());
  const { __metadata__, ...tensors } = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const header = { __metadata__: { ...__metadata__, ...changes }, ...tensors };
  return Buffer.from(bytesOf({ header, data: bytes.subarray(8 + length) }));
}

/** A model as it is read from its file. */
export function modelOf(content: ModelContent, dtype: DType = 'float32'): Model {
  const bytes = modelBytes(content, tensorsOf(content, dtype));
  return loadModel(join(folderWith({ 'model.safetensors': bytes }), 'model.safetensors'));
}
