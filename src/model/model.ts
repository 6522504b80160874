/** The model file: the weights, and metadata with all that is needed to predict from a raw CSV. */
import { createHash } from 'node:crypto';
import type { Reading } from '../data/csv/dialect.js';
import type { FeatureEncoding } from '../data/encoding/encoding.js';
import type { MissingValues } from '../data/missingValues.js';
import type { Range } from '../data/scaling.js';
import type { DType } from '../kernels/kernels.js';
import type { Parameters, Statistics } from '../network/parameters.js';
import type { NumberNotation } from '../spec/cellConfig.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { Task } from '../spec/words.js';
import type { PredictionRules } from './predictions.js';
import { type EncodedTensors, encodeSafetensors, type NamedTensor } from './safetensors/encode.js';

/** The `format` in the metadata of a model file. */
export const FORMAT = 'mlp';

/** Version of the metadata's layout, raised when an old reader would be misled. */
export const FORMAT_VERSION = '1';

/** The model besides its weights: how a row becomes an input, and an output a prediction. */
export interface ModelContent extends PredictionRules {
  readonly network: NetworkSpec & { readonly input: number };
  readonly task: Task;
  /**
   * Whether the columns of the training file had names; else their names are their numbers from 0.
   */
  readonly header: boolean;
  /** What text that is not UTF-8 is decoded as; Windows-1252 if left out. */
  readonly encoding?: string;
  /** By column name, how numbers are written that are not plain decimals. */
  readonly numbers?: Readonly<Record<string, NumberNotation>>;
  /** How files are written, if not by RFC 4180. */
  readonly reading?: Reading;
  /** The character that lines to skip begin with. */
  readonly comment?: string;
  /** How the feature columns become the network's inputs. */
  readonly features: readonly FeatureEncoding[];
  /** Which cells are missing. Models without it compare numbers of levels by value, and have old rules. */
  readonly missingValues?: MissingValues;
  /** Names of the target columns. */
  readonly targets: readonly string[];
  /** The classes in the order of their labels; only for a binary or multiclass task. */
  readonly classes?: readonly string[];
  /** The values of each target, the second for yes; only for a multilabel task. */
  readonly labelValues?: readonly (readonly string[])[];
  /** What a loss of 1 in the network's units is reported as; 1 if missing. */
  readonly lossUnit?: number;
  /** What logits are divided by before they become probabilities; 1 if missing. */
  readonly temperature?: number;
  /** The range of each target in the training rows, which predictions are limited to. */
  readonly predictionRanges?: readonly Range[];
  /** Whether rows without a target are left out of an evaluation; otherwise they are an error. */
  readonly dropsRows?: boolean;
  /** Feature columns whose missing cells leave a row out: it has no prediction. */
  readonly dropsMissing?: readonly string[];
  /** Whether rows that can't be read are left out of an evaluation; otherwise they are an error. */
  readonly skipsBadRows?: boolean;
  /** Classes of the training data that became the class "other". */
  readonly rareClasses?: readonly string[];
}

/**
 * The tensors of a network by their names in the file: `layers.0.weight` [inputs, units],
 * `layers.0.bias` [units], …, in a batch ensemble with a row for each member; then
 * `layers.1.running_mean` [units], …
 */
export function modelTensors(parameters: Parameters, statistics: Statistics): NamedTensor[] {
  return [
    ...parameters.list.map(({ name, kind, rows, columns, value }) => ({
      name,
      shape: kind === 'weight' || kind === 'embedding' || rows > 1 ? [rows, columns] : [columns],
      data: value.data,
    })),
    ...statistics.list.map(({ name, columns, value }) => ({ name, shape: [columns], data: value.data })),
  ];
}

export interface EncodedModel extends EncodedTensors {
  /** SHA-256 of all that the file means. */
  readonly checksum: string;
}

/** Encodes a model, with a checksum, without copying its tensors. */
export function encodeModel(content: ModelContent, tensors: readonly NamedTensor[]): EncodedModel {
  // safetensors allows only strings, so each value is a JSON text.
  const metadata: Record<string, string> = { format: FORMAT, formatVersion: FORMAT_VERSION };
  for (const [key, value] of Object.entries(content)) {
    if (value !== undefined) metadata[key] = JSON.stringify(value);
  }
  const dtype = tensors[0]?.data instanceof Float64Array ? 'float64' : 'float32';
  let checksum = '';
  const encoded = encodeSafetensors(tensors, (weightsSha256) => {
    checksum = checksumOf(Object.entries(metadata), dtype, weightsSha256);
    return { ...metadata, [CHECKSUM]: checksum };
  });
  return Object.assign(encoded, { checksum });
}

/** The entry of the metadata that holds it. */
export const CHECKSUM = 'checksum';

/**
 * SHA-256 of all that a model file means: its other metadata, and its weights in the network's
 * order. It doesn't depend on how the header is written, so other programs may write the file anew.
 */
export function checksumOf(
  metadata: Iterable<readonly [key: string, value: string]>,
  dtype: DType,
  weightsSha256: string,
): string {
  const texts = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([texts, dtype, weightsSha256]))
    .digest('hex');
}
