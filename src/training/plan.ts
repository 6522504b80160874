/**
 * Plans a run from a config and its data: the loss, the widths, the batches, the length. Every
 * mismatch between network and data is found here, before anything is allocated.
 */
import { POOL } from '../data/dataset/batches.js';
import type { Dataset, Split, SplitName } from '../data/dataset/dataset.js';
import { type FeatureEncoding, inputKinds, isNumbered } from '../data/encoding/encoding.js';
import type { Range } from '../data/scaling.js';
import { ExitCode, MlpError } from '../errors.js';
import { bytesPerElement } from '../kernels/arena.js';
import type { ModelContent } from '../model/model.js';
import { limitsOf, type PredictionRules } from '../model/predictions.js';
import { canSmooth, fusedLoss, LOSSES, lossesFor } from '../network/loss.js';
import { networkShape } from '../network/shape.js';
import { type DataConfig, settingOf } from '../spec/dataConfig.js';
import { completed, type LoadedTrainConfig } from '../spec/loadConfig.js';
import type { LossConfig } from '../spec/lossConfig.js';
import type { Where } from '../spec/messages.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import type { TableFacts } from '../spec/preset.js';
import type { TrainConfig, TrainingConfig } from '../spec/trainConfig.js';
import { checkWidths, denseInputs, leafLayers, viewsOf, walkLayers, withInputKinds } from '../spec/widths.js';
import {
  type ExtraMetric,
  type LossName,
  lossNameOf,
  lossParametersOf,
  type MonitoredMetric,
  type Task,
} from '../spec/words.js';
import { counted, listed, quote } from '../text.js';
import { extrasAmong, metricNames } from './monitor.js';
import { warmUpSteps } from './schedules.js';
import { type Division, slicesOf } from './slices.js';

/** Plain data, so that it can be sent to a thread. */
export interface TrainingPlan extends PredictionRules {
  readonly network: NetworkSpec;
  readonly inputs: number;
  readonly outputs: number;
  readonly task: Task;
  /** How many target columns there are. */
  readonly targets: number;
  /** Rows of a step. */
  readonly batchSize: number;
  /** How they are divided; undefined if they are not. */
  readonly division?: Division;
  /** Of a run that shuffles blocks of consecutive rows: the rows of a block. */
  readonly blockRows?: number;
  readonly stepsPerEpoch: number;
  /** Steps in total. */
  readonly steps: number;
  /** Epochs in total. If the config gives steps, the last epoch may be cut short. */
  readonly epochs: number;
  readonly parameters: bigint;
  /** Rows of each split; 0 if there are none. */
  readonly rows: Readonly<Record<SplitName, number>>;
  /** Rows of each fold of the training rows; member m is trained without fold m mod F. Missing without such folds. */
  readonly folds?: readonly number[];
  /** Which splits have a weight for each of their rows. */
  readonly weighted: Readonly<Record<SplitName, boolean>>;
  /** Number of classes; 0 for a regression or labels. */
  readonly classes: number;
  /**
   * For each target of a regression, how much of its own unit is 1 for the network; otherwise
   * empty.
   */
  readonly targetUnit: readonly number[];
  /** What a loss of 1 in the network's units is reported as. */
  readonly lossUnit: number;
  /** The range of each output that predictions are limited to; undefined without limits. */
  readonly limits?: readonly Range[];
  /**
   * The metric that says which epoch's weights are kept; null to keep the last ones. With
   * `training.keep` "best" it is `keepMonitor`, else the metric of early stopping, else the
   * validation loss if there are validation rows.
   */
  readonly keep: MonitoredMetric | null;
  /** Metrics of the validation rows that are computed because the config monitors them. */
  readonly extras: readonly ExtraMetric[];
  readonly warnings: readonly string[];
}

/** The config of a run on this dataset: a preset fills in network and training, and each fold has a member. */
export function completeFor(loaded: LoadedTrainConfig, dataset: Dataset): LoadedTrainConfig {
  const whole = completed(loaded, () => factsOf(dataset, loaded.config.training.loss));
  const { config } = whole;
  if (!dataset.folds || config.network.members !== undefined) return whole;
  return { ...whole, config: { ...config, network: { ...config.network, members: dataset.folds.length } } };
}

/** What a preset needs to know of the data. */
function factsOf(
  { task, featureNames, targetNames, classes = [], train, folds, encodings }: Dataset,
  asked: LossConfig,
): TableFacts {
  const name = lossNameOf(asked);
  const loss = name === 'auto' ? lossesFor(task)[0] : name;
  const kinds = inputKinds(encodings);
  return {
    task,
    inputs: featureNames.length,
    outputs: LOSSES[loss].outputs(targetNames.length, classes.length, lossParametersOf(asked)),
    rows: train.rows,
    ...(folds && { folds: folds.length }),
    numbers: kinds.filter((kind) => kind === 'number').length,
    levels: kinds.some((kind) => typeof kind === 'object'),
  };
}

/**
 * @param ranks the processes, or parts of one, that the batches are divided over
 * @throws MlpError ExitCode.config if network, loss and data don't fit together
 */
export function planTraining(given: LoadedTrainConfig, dataset: Dataset, ranks = 1): TrainingPlan {
  const loaded = withInputs(given, dataset);
  const { network, training } = loaded.config;
  const { task } = dataset;
  const inputs = dataset.featureNames.length;
  checkInputs(loaded, inputs);
  const shape = networkShape(network, inputs);
  const loss = chooseLoss(loaded, dataset, shape.outputs);
  checkFusedOutput(loaded, loss);
  checkSmoothing(loaded, loss);
  const metrics = metricNames(task, (dataset.validation?.rows ?? 0) > 0);
  checkMonitored(loaded, task, metrics);
  const ranges = rangesToClip(loaded, dataset);
  const lossParameters = lossParametersOf(training.loss);
  const { targetTransform, targetStandardization } = dataset;
  const rules = {
    loss,
    ...(lossParameters && { lossParameters }),
    ...(targetTransform && { targetTransform }),
    ...(targetStandardization && { targetStandardization }),
  };
  const warnings = [...dataset.warnings];
  const batches = planBatches(loaded, inputs, dataset.train.rows, ranks, warnings);
  const blockRows = blockRowsOf(loaded.config, inputs);
  if (blockRows) warnings.push(shuffleWarning(loaded.where, blockRows));
  const length = planLength(training, batches.stepsPerEpoch, warnings);
  const best = training.keepMonitor ?? training.earlyStopping?.monitor ?? 'validation_loss';
  return {
    network,
    inputs,
    outputs: shape.outputs,
    task,
    ...rules,
    targets: dataset.targetNames.length,
    ...batches,
    ...(blockRows && { blockRows }),
    ...length,
    parameters: shape.weights + shape.biases,
    rows: bySplit(dataset, (split) => split?.rows ?? 0),
    ...(dataset.folds && { folds: dataset.folds }),
    weighted: bySplit(dataset, (split) => split?.weights !== undefined),
    classes: dataset.classes?.length ?? 0,
    targetUnit:
      task === 'regression' ? (dataset.targetStandardization?.scale ?? dataset.targetNames.map(() => 1)) : [],
    lossUnit: lossUnitOf(loss, loaded.config.data, dataset),
    ...(ranges && { limits: limitsOf(ranges, shape.outputs, rules) }),
    extras: extrasAmong(
      monitoredBy(loaded).map(({ metric }) => metric),
      task,
    ),
    keep: training.keep === 'best' && metrics.includes(best) ? best : null,
    warnings,
  };
}

/** What a slow disk reads in about the time that it takes to find it. */
const BLOCK_BYTES = 2 ** 20;

function blockRowsOf({ data, dtype }: TrainConfig, inputs: number): number | undefined {
  if (data.shuffle !== 'blocks') return undefined;
  return Math.max(1, Math.floor(BLOCK_BYTES / (inputs * bytesPerElement(dtype))));
}

function shuffleWarning(where: Where, blockRows: number): string {
  const rows = counted(blockRows, 'consecutive row');
  return (
    `${where(['data', 'shuffle'])} is "blocks": an epoch takes ${POOL} blocks of ${rows} at a time and shuffles those, ` +
    'so the run is another one than with all rows shuffled'
  );
}

/** The config with the layers as the data complete them. */
function withInputs(loaded: LoadedTrainConfig, { encodings }: Dataset): LoadedTrainConfig {
  const { config, where } = loaded;
  const kinds = inputKinds(encodings);
  const layers = withInputKinds(config.network.layers, kinds);
  const embedded = layers.flatMap((layer) => (layer.type === 'embedding' ? (layer.columns ?? []) : []));
  const { input } = config.network;
  const isGathered = layers[0]?.type === 'linear' && layers[0].columns !== undefined;
  const numbered = encodings.find(
    (encoding) => isNumbered(encoding) && !(isGathered && isOneHot(encoding, config)),
  );
  if (numbered && embedded.length === 0) {
    const key = numbered.kind === 'numeric' ? 'embedNumbersFrom' : 'embedFrom';
    throw new MlpError(
      ExitCode.config,
      `${where(['network', 'layers'])}: found no embedding before the first linear layer, expected one for ${quote(numbered.column)}, whose levels are numbers (data.${key})`,
      `begin the layers with "embedding", or remove data.${key}`,
    );
  }
  const network = { ...config.network, layers };
  // A config may count the one-hot columns.
  if (isGathered && input === denseInputs(network, kinds.length)) network.input = kinds.length;
  return { ...loaded, config: { ...config, network } };
}

/** Whether the numbers of levels of a column only stand for one-hot columns. */
function isOneHot(encoding: FeatureEncoding, { data, network }: TrainConfig): boolean {
  if (encoding.kind !== 'category' || viewsOf(network) > 1) return false;
  const never = Number.POSITIVE_INFINITY;
  return encoding.levels.length < settingOf(data.embedFrom ?? never, encoding.column, never);
}

/**
 * What a loss of 1 is reported as: with standardizeTarget "auto", a single target has its own unit.
 * Its square may overflow; the loss is then in deviations.
 */
function lossUnitOf(loss: LossName, { standardizeTarget }: DataConfig, dataset: Dataset): number {
  const { scale = [] } = dataset.targetStandardization ?? {};
  const unit =
    standardizeTarget === 'auto' && scale.length === 1 ? scale[0] ** (LOSSES[loss].unitPower ?? 0) : 1;
  return Number.isFinite(unit) && unit > 0 ? unit : 1;
}

/**
 * The ranges that predictions are limited to, in the targets' own units; undefined for none.
 * @throws MlpError ExitCode.config for a task without quantities
 */
function rangesToClip(
  { config: { training }, where }: LoadedTrainConfig,
  { task, targetRanges }: Dataset,
): Dataset['targetRanges'] {
  if (!training.clipPredictions || targetRanges) return training.clipPredictions ? targetRanges : undefined;
  throw new MlpError(
    ExitCode.config,
    `${where(['training', 'clipPredictions'])}: found true in a ${task} task, expected a regression`,
    'only the predictions of a regression have a range: remove the key, or check data.task',
  );
}

function bySplit<Value>(
  { train, validation, test }: Dataset,
  value: (split: Split | undefined) => Value,
): Record<SplitName, Value> {
  return { train: value(train), validation: value(validation), test: value(test) };
}

/** Checks that the network takes the features of the data, and that its layers fit together. */
function checkInputs({ config: { network }, where }: LoadedTrainConfig, inputs: number): void {
  if (network.input !== undefined && network.input !== inputs) {
    throw new MlpError(
      ExitCode.config,
      `${where(['network', 'input'])}: found ${network.input}, expected ${inputs}, the number of feature columns in the data`,
      'omit network.input in a train config: the data determine it',
    );
  }
  checkWidths(network, inputs, (path) => where(['network', ...path]));
}

/** Batches have at most all training rows, slices of them at least one, with batch normalisation more. */
function planBatches(
  loaded: LoadedTrainConfig,
  inputs: number,
  rows: number,
  ranks: number,
  warnings: string[],
): Pick<TrainingPlan, 'batchSize' | 'division' | 'stepsPerEpoch'> {
  const { network, training } = loaded.config;
  const isShuffled = training.batches === 'shuffle';
  const { accumulate = 1 } = training;
  let batchSize = training.batchSize * accumulate;
  if (isShuffled && batchSize > rows) {
    const times = accumulate > 1 ? ` and training.accumulate ${accumulate}` : '';
    warnings.push(
      `training.batchSize is ${training.batchSize}${times}, but there are ${rows} training rows: using ${rows}`,
    );
    batchSize = rows;
  }
  const division = ranks * accumulate > 1 ? { ranks, accumulate } : undefined;
  if (division) checkSlices(loaded, batchSize, division, 1);
  if ([...leafLayers(walkLayers(network.layers, inputs))].some(({ spec }) => spec.type === 'batch-norm')) {
    if (division) checkSlices(loaded, batchSize, division, 2);
    else checkBatchNormRows(loaded, batchSize);
    const last = rows % batchSize;
    if (isShuffled && last > 0 && last < 2 * slicesOf(division)) {
      const found = division ? 'slices of a single row' : 'a single row';
      warnings.push(
        `training.batchSize is ${batchSize}: with ${rows} training rows the last batch of an epoch has ${found}, which batch-norm turns into zeros`,
      );
    }
  }
  const stepsPerEpoch = Math.max(1, Math.ceil(rows / batchSize));
  return { batchSize, ...(division && { division }), stepsPerEpoch };
}

function planLength(
  { steps: asked, epochs, schedule }: TrainingConfig,
  stepsPerEpoch: number,
  warnings: string[],
): Pick<TrainingPlan, 'steps' | 'epochs'> {
  const steps = asked ?? (epochs as number) * stepsPerEpoch;
  const warmUp = schedule.type === 'warm-up' ? warmUpSteps(schedule, stepsPerEpoch) : 0;
  if (warmUp >= steps) {
    warnings.push(
      `training.schedule warms up for ${warmUp} steps, but the run has ${steps}: the learning rate never reaches its full height`,
    );
  }
  return { steps, epochs: Math.ceil(steps / stepsPerEpoch) };
}

/**
 * The config's loss, once it fits the task and the output width; for `auto` the task's first loss
 * that fits the width.
 */
function chooseLoss(loaded: LoadedTrainConfig, dataset: Dataset, outputs: number): LossName {
  const { config, where } = loaded;
  const { task, targetNames, classes = [] } = dataset;
  const parameters = lossParametersOf(config.training.loss);
  const widthFor = (loss: LossName) => LOSSES[loss].outputs(targetNames.length, classes.length, parameters);
  const possible = lossesFor(task);
  const asked = lossNameOf(config.training.loss);
  const loss =
    asked === 'auto' ? (possible.find((name) => widthFor(name) === outputs) ?? possible[0]) : asked;
  if (!possible.includes(loss)) {
    throw new MlpError(
      ExitCode.config,
      `${where(['training', 'loss'])}: found "${loss}" for a ${task} task, expected ${possible.join(' or ')}`,
      'let training.loss be "auto", or set data.task',
    );
  }
  if (loss === 'quantile' && targetNames.length > 1) {
    throw new MlpError(
      ExitCode.config,
      `${where(['training', 'loss'])}: found "quantile" for ${targetNames.length} targets, expected a single one`,
      'train a network for each target',
    );
  }
  const expected = widthFor(loss);
  if (outputs !== expected) {
    throw new MlpError(
      ExitCode.config,
      `${where(['network', 'layers'])}: found an output width of ${outputs}, expected ${expected}: ${loss === 'quantile' ? 'one for each quantile' : reasonOf(expected, dataset)}`,
      `make the last linear layer ${expected} wide, or check data.target and data.task (the task is ${task})`,
    );
  }
  return loss;
}

/** Why the network needs this many outputs. */
function reasonOf(outputs: number, { task, targetNames }: Dataset): string {
  const single = outputs === 1;
  if (task === 'regression') return single ? 'one for the target column' : 'one for each target column';
  if (task === 'multilabel') return single ? 'one for the label' : 'one for each label in data.target';
  return single ? 'one logit for two classes' : `one for each class of "${targetNames[0]}"`;
}

/**
 * A softmax or sigmoid at the end is fused into its own cross-entropy. With any other loss it would
 * be applied twice or not at all.
 */
function checkFusedOutput({ config, where }: LoadedTrainConfig, loss: LossName): void {
  const { layers } = config.network;
  const expected = fusedLoss(layers);
  if (expected === undefined || expected === loss) return;
  const last = layers.at(-1)?.type;
  throw new MlpError(
    ExitCode.config,
    `${where(['network', 'layers', layers.length - 1])}: found ${last} at the end with the loss ${loss}, expected ${expected}`,
    `remove the ${last}: losses take the numbers before it`,
  );
}

/** Numbers have no classes to spread a target over. */
function checkSmoothing({ config, where }: LoadedTrainConfig, loss: LossName): void {
  const { labelSmoothing } = config.training;
  if (labelSmoothing === 0 || canSmooth(loss)) return;
  const smooth = Object.values(LOSSES).filter(({ name }) => canSmooth(name));
  throw new MlpError(
    ExitCode.config,
    `${where(['training', 'labelSmoothing'])}: found ${labelSmoothing} with the loss ${loss}, expected 0: only ${listed(smooth.map(({ name }) => name))} have classes to smooth`,
    'remove labelSmoothing, or check data.task',
  );
}

/** What the config monitors, and the keys below `training` that say so. */
function monitoredBy({ config: { training } }: LoadedTrainConfig) {
  const { schedule, earlyStopping, keepMonitor } = training;
  const [plain, ...at] =
    schedule.type === 'warm-up' ? [schedule.after, 'schedule', 'after'] : [schedule, 'schedule'];
  return [
    ...(keepMonitor ? [{ metric: keepMonitor, at: ['keepMonitor'] }] : []),
    ...(earlyStopping ? [{ metric: earlyStopping.monitor, at: ['earlyStopping', 'monitor'] }] : []),
    ...(plain.type === 'reduce-on-plateau' ? [{ metric: plain.monitor, at: [...at, 'monitor'] }] : []),
  ];
}

/** Checks that the run will have every metric that the config monitors. */
function checkMonitored(loaded: LoadedTrainConfig, task: Task, metrics: readonly MonitoredMetric[]): void {
  for (const { metric, at } of monitoredBy(loaded)) {
    if (metrics.includes(metric)) continue;
    const lacksRows = metric.startsWith('validation_') && !metrics.includes('validation_loss');
    throw new MlpError(
      ExitCode.config,
      `${loaded.where(['training', ...at])}: found "${metric}" in a ` +
        `${lacksRows ? 'run without validation rows' : `${task} task`}, expected one of ${metrics.join(', ')}`,
      lacksRows
        ? 'set data.validation, to 0.2 for a fifth of the rows, or monitor "train_loss"'
        : `these are the metrics of a ${task} task; data.task can set another`,
    );
  }
}

/** @param least rows that each slice of a batch must have */
function checkSlices(
  { where }: LoadedTrainConfig,
  rows: number,
  { ranks, accumulate }: Division,
  least: 1 | 2,
): void {
  const slices = ranks * accumulate;
  if (rows >= least * slices) return;
  const times = [
    ...(ranks > 1 ? [counted(ranks, 'rank')] : []),
    ...(accumulate > 1 ? [`accumulate ${accumulate}`] : []),
  ];
  const reason = least > 1 ? ': batch-norm takes its mean and variance over the rows of a slice' : '';
  throw new MlpError(
    ExitCode.config,
    `${where(['training', 'batchSize'])}: found ${counted(rows, 'row')} for ${slices} slices (${times.join(', ')}), expected at least ${least * slices}${reason}`,
    'take larger batches, or fewer slices',
  );
}

/** Batch normalisation of one row is all zeros, so a batch size of 1 is an error. */
function checkBatchNormRows({ config, where }: LoadedTrainConfig, batchSize: number): void {
  if (batchSize > 1) return;
  const isAsked = config.training.batchSize === 1;
  const at = isAsked ? ['training', 'batchSize'] : ['data', 'train'];
  throw new MlpError(
    ExitCode.config,
    `${where(at)}: found ${isAsked ? '1' : '1 training row'}, expected at least 2: batch-norm takes its mean and variance over the rows of a batch`,
    'take layer-norm, which normalises each row by itself, or more rows',
  );
}

/** What the model file of a run says besides the weights. */
export function modelContent(plan: TrainingPlan, dataset: Dataset): ModelContent {
  const { classes, labelValues, targetStandardization, dropsRows, dropsMissing, rareClasses } = dataset;
  return {
    network: { ...plan.network, input: plan.inputs },
    task: plan.task,
    loss: plan.loss,
    ...(plan.lossParameters && { lossParameters: plan.lossParameters }),
    header: dataset.header,
    ...(dataset.encoding !== undefined && { encoding: dataset.encoding }),
    ...(dataset.numbers !== undefined && { numbers: dataset.numbers }),
    ...(dataset.reading && { reading: dataset.reading }),
    ...(dataset.comment !== undefined && { comment: dataset.comment }),
    features: dataset.encodings,
    missingValues: dataset.missingValues,
    targets: dataset.targetNames,
    ...(classes && { classes }),
    ...(labelValues && { labelValues }),
    ...(plan.targetTransform && { targetTransform: plan.targetTransform }),
    ...(targetStandardization && { targetStandardization }),
    ...(plan.lossUnit !== 1 && { lossUnit: plan.lossUnit }),
    ...(plan.limits && dataset.targetRanges && { predictionRanges: dataset.targetRanges }),
    ...(dropsRows && { dropsRows }),
    ...(dropsMissing && { dropsMissing }),
    ...(dataset.skipsBadRows && { skipsBadRows: true }),
    ...(rareClasses && { rareClasses }),
  };
}
