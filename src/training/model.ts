/** The model file: the weights, and in the metadata all that is needed to feed them a raw CSV. */
import type { Dataset } from '../data/dataset/dataset.js';
import type { Parameters } from '../network/parameters.js';
import type { TrainingPlan } from './plan.js';
import { type EncodedTensors, encodeSafetensors } from './safetensors/encode.js';

/** Version of the metadata's layout; raised when a reader of the old one would be misled. */
const FORMAT_VERSION = '1';

/** Encodes a network's parameters, `layers.0.weight` [inputs, units] and so on, with its metadata. */
export function encodeModel(parameters: Parameters, plan: TrainingPlan, dataset: Dataset): EncodedTensors {
  const tensors = parameters.list.map(({ name, kind, rows, columns, value }) => ({
    name,
    shape: kind === 'bias' ? [columns] : [rows, columns],
    data: value.data,
  }));
  const content = {
    network: { ...plan.network, input: plan.inputs },
    task: plan.task,
    loss: plan.loss,
    features: dataset.encodings,
    targets: dataset.targetNames,
    classes: dataset.classes,
    targetStandardization: dataset.targetStandardization,
  };
  // safetensors allows strings alone: each value is a JSON text of its own.
  const metadata: Record<string, string> = { format: 'mlp', formatVersion: FORMAT_VERSION };
  for (const [key, value] of Object.entries(content)) {
    if (value !== undefined) metadata[key] = JSON.stringify(value);
  }
  return encodeSafetensors(tensors, metadata);
}
