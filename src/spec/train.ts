/** The train config as a plain checked object, every default filled in. Types and names alone; `trainSchema.ts` makes it. */
import type { NetworkSpec } from './network.js';

export const TASKS = ['regression', 'binary', 'multiclass'] as const;
export type Task = (typeof TASKS)[number];

export const LOSSES = ['mean-squared-error', 'binary-cross-entropy', 'softmax-cross-entropy'] as const;
export type LossName = (typeof LOSSES)[number];

export const DTYPES = ['float32', 'float64'] as const;

/** The backends that can be asked for by name. */
export const BACKENDS = ['reference', 'wasm', 'blas'] as const;

/** More threads than this are a slip of the finger. */
export const MAX_THREADS = 256;

export type BackendName = (typeof BACKENDS)[number];

export interface DataConfig {
  /** Path of the training CSV, as written: relative to the config's folder. */
  train: string;
  /** The target column's name, or its number from 0 where the file has no header. */
  target: string | number;
  task: 'auto' | Task;
  /** Columns (names, or numbers where there is no header) that are not features. */
  exclude: (string | number)[];
  /** The share of rows held out (0 for none), or the path of a CSV. */
  validation: number | string;
  /** Features to mean 0 and variance 1 by the training rows. */
  standardize: boolean;
  /** Regression targets likewise while training; loss is then in standardised units, R² and RMSE in the target's own. */
  standardizeTarget: boolean;
}

export type OptimizerConfig =
  | { type: 'sgd'; learningRate: number; momentum: number; nesterov: boolean }
  | { type: 'adam'; learningRate: number; beta1: number; beta2: number; epsilon: number };

export type ScheduleConfig =
  | { type: 'constant' }
  /** learningRate·gamma^epoch, epochs from 0 */
  | { type: 'exponential'; gamma: number }
  /** learningRate·gamma^floor(epoch / every) */
  | { type: 'step'; gamma: number; every: number };

export interface TrainingConfig {
  /** Exactly one of epochs and steps is there. */
  epochs?: number;
  steps?: number;
  batchSize: number;
  batches: 'shuffle' | 'with-replacement';
  optimizer: OptimizerConfig;
  schedule: ScheduleConfig;
  loss: 'auto' | LossName;
  /** λ of ½·λ·ΣW² over the weights, biases left out. */
  l2: number;
}

export interface TrainConfig {
  $schema?: string;
  network: NetworkSpec;
  data: DataConfig;
  training: TrainingConfig;
  seed: number;
  dtype: (typeof DTYPES)[number];
  backend: 'auto' | BackendName;
  threads: 'auto' | number;
  /** Only kernels that give the same bits on every machine. */
  deterministic: boolean;
}
