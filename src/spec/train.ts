/** The train config as a plain checked object, every default filled in. Types and names alone; `trainSchema.ts` makes it. */
import type { NetworkSpec } from './network.js';

export const TASKS = ['regression', 'binary', 'multiclass'] as const;
export type Task = (typeof TASKS)[number];

export const LOSS_NAMES = ['mean-squared-error', 'binary-cross-entropy', 'softmax-cross-entropy'] as const;
export type LossName = (typeof LOSS_NAMES)[number];

export const DTYPES = ['float32', 'float64'] as const;

/** The backends that can be asked for by name. */
export const BACKENDS = ['reference', 'wasm', 'blas'] as const;

/** More threads than this are a slip of the finger. */
export const MAX_THREADS = 256;

export type BackendName = (typeof BACKENDS)[number];

/** A column: its name, or its number from 0 where the file has no header. */
export type ColumnRef = string | number;

/** What may stand between two cells. */
export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/**
 * What lines of comments may begin with. A line that a row of data could be must never be taken for one: so no letter, digit, sign,
 * point, blank or quote, and no "?", which stands for a missing cell.
 */
export const COMMENT_START = /^[!#$%&'()*,/:;<=>@[\\\]^_`{|}~]$/;

/** What becomes of a missing cell of a feature; what is filled in is fitted on the training rows alone. */
export const MISSING_POLICIES = [
  'error',
  'mean',
  'median',
  'most-frequent',
  'indicator',
  'drop-row',
] as const;
export type MissingPolicy = (typeof MISSING_POLICIES)[number];

/** How a feature is scaled by its training rows: mean 0 and variance 1, not at all, or into [0, 1]. */
export type Standardize = boolean | 'minmax';

/**
 * One setting for all columns, or one by column name for those that are named. Names are any text, `__proto__` too:
 * read it with `settingOf` (columnSettings.ts).
 */
export type ByColumn<Setting extends string | boolean> = Setting | { readonly [column: string]: Setting };

/** The rows whose cell in `column` equals `value`. */
export interface RowsByColumn {
  column: ColumnRef;
  value: string | number;
}

/** Which rows are held out: a share in [0, 1), all rows of the CSV with this path, or those that a column marks. */
export type RowsOf = number | string | RowsByColumn;

/** A column with the weight of each row. */
export interface WeightColumn {
  column: ColumnRef;
}

/**
 * What a row counts in the loss: n / (K · its class's count) over the training rows, the weight of its class (1 where that
 * is not named), or its cell in a column. An object whose only key is `column` names a column: `weightColumn`
 * (columnSettings.ts) tells the two apart.
 */
export type Weights = 'balanced' | WeightColumn | { readonly [className: string]: number };

export interface DataConfig {
  /** Path of the training CSV, as written: relative to the config's folder; "-" is stdin. */
  train: string;
  /** The target column, or several (at least one, none twice) of a regression. */
  target: ColumnRef | ColumnRef[];
  task: 'auto' | Task;
  /** Columns that are not features. */
  exclude: ColumnRef[];
  delimiter: 'auto' | Delimiter;
  /** Whether the first record holds the names of the columns. */
  header: 'auto' | boolean;
  /** One ASCII character, never the delimiter: lines that begin with it are skipped. */
  comment?: string;
  /** Columns of numbers that are categories. */
  categories: ColumnRef[];
  /** Columns that are not named: "error". */
  missing: ByColumn<MissingPolicy>;
  /** Columns that are not named: true. */
  standardize: ByColumn<Standardize>;
  /** Regression targets likewise while training; loss is then in standardised units, R² and RMSE in the target's own. */
  standardizeTarget: boolean;
  /** A share is one of the rows that the test left. */
  validation: RowsOf;
  test: RowsOf;
  /** Every row counts 1 where there are none. */
  weights?: Weights;
}

export type OptimizerConfig =
  | { type: 'sgd'; learningRate: number; momentum: number; nesterov: boolean }
  | { type: 'adam'; learningRate: number; beta1: number; beta2: number; epsilon: number }
  | {
      type: 'adamw';
      learningRate: number;
      beta1: number;
      beta2: number;
      epsilon: number;
      /** Of the weights, biases left out: W ← W − learningRate·weightDecay·W before each step. */
      weightDecay: number;
    }
  | {
      type: 'rmsprop';
      learningRate: number;
      alpha: number;
      epsilon: number;
      momentum: number;
      centered: boolean;
    }
  | { type: 'adagrad'; learningRate: number; initialAccumulator: number; epsilon: number };

/** What can be monitored, as the columns of epochs.csv are called. Which of them a run has, its task and its rows say. */
export const MONITORED_METRICS = [
  'train_loss',
  'train_accuracy',
  'train_r2',
  'train_rmse',
  'validation_loss',
  'validation_accuracy',
  'validation_r2',
  'validation_rmse',
] as const;
export type MonitoredMetric = (typeof MONITORED_METRICS)[number];

/** How the learning rate of the optimizer changes; formulas and sources are in training/schedule/. */
export type PlainScheduleConfig =
  | { type: 'constant' }
  /** learningRate·gamma^epoch, epochs from 0 */
  | { type: 'exponential'; gamma: number }
  /** learningRate·gamma^floor(epoch / every) */
  | { type: 'step'; gamma: number; every: number }
  /** Falls to `minimum` along half a cosine. */
  | { type: 'cosine'; minimum: number }
  /** Rises from learningRate / divFactor, then falls to that divided by finalDivFactor. */
  | { type: 'one-cycle'; pctStart: number; divFactor: number; finalDivFactor: number }
  /** Times gamma after more than `patience` epochs in a row without a gain of more than `minDelta`. */
  | {
      type: 'reduce-on-plateau';
      gamma: number;
      patience: number;
      minDelta: number;
      minimum: number;
      monitor: MonitoredMetric;
    };

export interface WarmUpConfig {
  type: 'warm-up';
  /** Exactly one of epochs and steps is there. */
  epochs?: number;
  steps?: number;
  /** Share of the learning rate that the first step has. */
  from: number;
  /** Begins where the warm-up ends. */
  after: PlainScheduleConfig;
}

export type ScheduleConfig = PlainScheduleConfig | WarmUpConfig;

/** When a run ends before its time: after `patience` epochs in a row without a gain of more than `minDelta`. */
export interface EarlyStoppingConfig {
  patience: number;
  minDelta: number;
  monitor: MonitoredMetric;
}

/** Whose weights a run keeps: of the epoch with the best monitored metric, or of the last. */
export const KEPT_WEIGHTS = ['best', 'last'] as const;
export type KeptWeights = (typeof KEPT_WEIGHTS)[number];

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
  /** λ of λ·Σ|W| over the weights, biases left out. */
  l1: number;
  /** The longest that the gradient of a step may be, by √Σg² over all parameters; not there: as long as it is. */
  clipNorm?: number;
  /** Not there: the run goes on to its last epoch. */
  earlyStopping?: EarlyStoppingConfig;
  /** Where the run will not have the metric that "best" goes by, it is "last". */
  keep: KeptWeights;
  /** Between checkpoints, beside one after each epoch. */
  checkpointSeconds: number;
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
