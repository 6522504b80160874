/** The model file: the weights, and in the metadata all that is needed to feed them a raw CSV. */
import type { FeatureEncoding } from '../data/encoding/encoding.js';
import type { Parameters, Statistics } from '../network/parameters.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { LossName, Task } from '../spec/words.js';
import { type EncodedTensors, encodeSafetensors, type NamedTensor } from './safetensors/encode.js';

/** What the file is called in the directory of a run. */
export const MODEL_FILE = 'model.safetensors';

/** What the metadata of a model file give as their format. */
export const FORMAT = 'mlp';

/** Version of the metadata's layout; raised when a reader of the old one would be misled. */
export const FORMAT_VERSION = '1';

/** What a model file says beside the weights: how a row of a CSV becomes an input, and an output a prediction. */
export interface ModelContent {
  readonly network: NetworkSpec & { readonly input: number };
  readonly task: Task;
  readonly loss: LossName;
  /** Whether the columns of the training file had names; else they are called by their numbers from 0. */
  readonly header: boolean;
  /** How the feature columns become the network's inputs. */
  readonly features: readonly FeatureEncoding[];
  /** Names of the target columns. */
  readonly targets: readonly string[];
  /** The classes in the order of their labels; not there for regression. */
  readonly classes?: readonly string[];
  /** One number for each target: a target in its own unit is scale·output + mean. */
  readonly targetStandardization?: { readonly mean: readonly number[]; readonly scale: readonly number[] };
}

/**
 * The tensors of a network as the file names them: `layers.0.weight` [inputs, units], `layers.0.bias` [units], …, then
 * `layers.1.running_mean` [units], …
 */
export function modelTensors(parameters: Parameters, statistics: Statistics): NamedTensor[] {
  return [
    ...parameters.list.map(({ name, kind, rows, columns, value }) => ({
      name,
      shape: kind === 'weight' ? [rows, columns] : [columns],
      data: value.data,
    })),
    ...statistics.list.map(({ name, columns, value }) => ({ name, shape: [columns], data: value.data })),
  ];
}

/** Encodes a model, without copying its tensors. */
export function encodeModel(content: ModelContent, tensors: readonly NamedTensor[]): EncodedTensors {
  // safetensors allows strings alone: each value is a JSON text of its own.
  const metadata: Record<string, string> = { format: FORMAT, formatVersion: FORMAT_VERSION };
  for (const [key, value] of Object.entries(content)) {
    if (value !== undefined) metadata[key] = JSON.stringify(value);
  }
  return encodeSafetensors(tensors, metadata);
}
