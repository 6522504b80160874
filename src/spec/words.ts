/**
 * Words, limits and names of columns in configs. No zod here: every start of the command line and of
 * a thread that reads files loads them.
 */

export const TASKS = ['regression', 'binary', 'multiclass', 'multilabel'] as const;
export type Task = (typeof TASKS)[number];

/** The losses of a regression. */
export const NUMBER_LOSSES = [
  'mean-squared-error',
  'mean-absolute-error',
  'huber',
  'quantile',
  'poisson',
] as const;
export const LOSS_NAMES = [...NUMBER_LOSSES, 'binary-cross-entropy', 'softmax-cross-entropy'] as const;
export type LossName = (typeof LOSS_NAMES)[number];

/** What some losses need: the threshold of huber, the quantiles of quantile, rising. */
export interface LossParameters {
  readonly delta?: number;
  readonly quantiles?: readonly number[];
}

/** `training.loss` as it is loaded: a loss that has parameters is an object with all of them. */
type Loss = LossName | 'auto' | ({ readonly type: LossName } & LossParameters);

export function lossNameOf(loss: Loss): LossName | 'auto' {
  return typeof loss === 'object' ? loss.type : loss;
}

/** Undefined for a loss without parameters. */
export function lossParametersOf(loss: Loss): LossParameters | undefined {
  if (typeof loss !== 'object') return undefined;
  const { type, ...parameters } = loss;
  return type === 'huber' || type === 'quantile' ? parameters : undefined;
}

export const DTYPES = ['float32', 'float64'] as const;

/** What products of float32 may round their inputs to. */
export const MIXED_PRECISIONS = ['bfloat16'] as const;

/** The precision of a run in words. */
export function precisionOf({ dtype, mixedPrecision }: { dtype: string; mixedPrecision?: string }): string {
  return mixedPrecision === undefined ? dtype : `${dtype} with products of ${mixedPrecision}`;
}

/** The backends that can be asked for by name. */
export const BACKENDS = ['reference', 'wasm', 'blas', 'native'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** A larger number of threads is a typing error. */
export const MAX_THREADS = 256;

export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Starts of a comment line: nothing that a row of data may begin with ("?" is a missing cell). */
export const COMMENT_START = /^[!#$%&'()*,/:;<=>@[\\\]^_`{|}~]$/;

export const MISSING_POLICIES = [
  'error',
  'mean',
  'median',
  'most-frequent',
  'indicator',
  'drop-row',
] as const;
export type MissingPolicy = (typeof MISSING_POLICIES)[number];

/** How a target is transformed before it is trained on. */
export const TARGET_TRANSFORMS = ['log', 'log1p'] as const;
export type TargetTransform = (typeof TARGET_TRANSFORMS)[number];

/** What of a date becomes an input. */
export const DATE_PARTS = ['year', 'month', 'day', 'weekday', 'hour', 'elapsed'] as const;
export type DatePart = (typeof DATE_PARTS)[number];

/** The order of year, month and day. */
export const DATE_ORDERS = ['ymd', 'dmy', 'mdy'] as const;
export type WrittenOrder = (typeof DATE_ORDERS)[number];

/** What can be monitored, named as in epochs.csv. A run has those of its task and its rows. */
export const MONITORED_METRICS = [
  'train_loss',
  'train_accuracy',
  'train_f1',
  'train_r2',
  'train_rmse',
  'validation_loss',
  'validation_accuracy',
  'validation_f1',
  'validation_r2',
  'validation_rmse',
  'validation_balanced_accuracy',
  'validation_roc_auc',
  'validation_mae',
  'validation_calibrated_loss',
] as const;
export type MonitoredMetric = (typeof MONITORED_METRICS)[number];

/** Metrics of validation rows that are computed only where they are monitored. */
export type ExtraMetric = 'balanced_accuracy' | 'calibrated_loss' | 'f1' | 'mae' | 'roc_auc';

/** How a sweep chooses settings. */
export const METHODS = ['grid', 'random', 'tpe'] as const;
export type Method = (typeof METHODS)[number];

/** How `mlp ensemble` takes runs: each once, or greedily those that predict best together. */
export const ENSEMBLE_METHODS = ['all', 'greedy'] as const;
export type EnsembleMethod = (typeof ENSEMBLE_METHODS)[number];

/** What a greedy choice may go by, named as in epochs.csv. */
export const ENSEMBLE_METRICS = ['validation_loss', 'validation_accuracy', 'validation_rmse'] as const;
export type EnsembleMetric = (typeof ENSEMBLE_METRICS)[number];

/** Which weights a run keeps: of the epoch with the best monitored metric, or of the last epoch. */
export const KEPT_WEIGHTS = ['best', 'last'] as const;

/** Which of equally good epochs counts as the best. */
export const TIES = ['first', 'last'] as const;
export type Ties = (typeof TIES)[number];

/** The value for `column`: by its name, or else by the first pattern that fits it. */
export function valueFor<Value>(
  values: { readonly [column: string]: Value },
  column: string,
): Value | undefined {
  if (Object.hasOwn(values, column)) return values[column];
  const pattern = patternsOf(values).find((key) => matches(key, column));
  return pattern === undefined ? undefined : values[pattern];
}

/** By object: 100,000 columns may be looked for among as many names. */
const patterns = new WeakMap<object, readonly string[]>();

function patternsOf(values: object): readonly string[] {
  let found = patterns.get(values);
  if (found === undefined) {
    found = Object.keys(values).filter(isPattern);
    patterns.set(values, found);
  }
  return found;
}

/** Whether a name may stand for several columns: `*` in it is any text, `pixel_*` for example. */
export function isPattern(name: string): boolean {
  return name.includes('*');
}

/** Whether a name in a config means the column: as its name, or as a pattern. */
export function namesColumn(wanted: string, name: string): boolean {
  return wanted === name || (isPattern(wanted) && matches(wanted, name));
}

/** Whether the name of a column fits a pattern. */
export function matches(pattern: string, name: string): boolean {
  const [first, ...parts] = pattern.split('*');
  const last = parts.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

/** What `mlp export` writes. */
export const EXPORT_FORMATS = ['onnx', 'js', 'numpy', 'pytorch', 'npz', 'c'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const PRESETS = ['tabular', 'plain'] as const;
export type Preset = (typeof PRESETS)[number];
