/**
 * What a config and its data make together: the loss, the widths, the batches. All that can be wrong between a
 * network and its data is found here, before anything is allocated.
 */
import type { Dataset } from '../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../errors.js';
import type { ModelContent } from '../model/model.js';
import { fusedLoss, LOSSES, lossesFor } from '../network/loss.js';
import { statisticsLayout } from '../network/parameters.js';
import { networkShape } from '../network/shape.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import { formatLocation, type Location } from '../spec/messages.js';
import type { NetworkSpec } from '../spec/networkSpec.js';
import { checkWidths } from '../spec/widths.js';
import type { LossName, MonitoredMetric, Task } from '../spec/words.js';
import { metricNames } from './monitor.js';
import { warmUpSteps } from './schedules.js';

/** Plain data, so that it can be handed to a thread. */
export interface TrainingPlan {
  readonly network: NetworkSpec;
  readonly inputs: number;
  readonly outputs: number;
  readonly task: Task;
  readonly loss: LossName;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Steps in all. */
  readonly steps: number;
  /** Epochs in all; the last may be a part of one where steps were asked for. */
  readonly epochs: number;
  readonly parameters: bigint;
  /** Rows of each side; 0 where there is none. */
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  /** Which sides have a weight for each of their rows. */
  readonly weighted: { readonly train: boolean; readonly validation: boolean; readonly test: boolean };
  /** How many classes there are; 0 for regression. */
  readonly classes: number;
  /** For each target of a regression, how much of its own unit is 1 of what the network is trained on; empty for classes. */
  readonly targetUnit: readonly number[];
  /**
   * The metric whose best epoch's weights are kept, by however little it is the best; null to keep the last ones. With
   * `training.keep` "best" it is that of early stopping, else the validation loss where there are validation rows.
   */
  readonly keep: MonitoredMetric | null;
  readonly warnings: readonly string[];
}

/** Throws an MlpError (78) where network, loss and data don't fit together. */
export function planTraining(loaded: LoadedTrainConfig, dataset: Dataset): TrainingPlan {
  const { config, networkLocation } = loaded;
  const { network, training } = config;
  const inputs = dataset.featureNames.length;
  if (network.input !== undefined && network.input !== inputs) {
    throw new MlpError(
      ExitCode.config,
      `${placeOf(networkLocation, 'input')}: found ${network.input}, expected ${inputs}, the number of feature columns in the data`,
      'leave network.input out of a train config: the data says it',
    );
  }
  checkWidths(network, inputs, networkLocation);
  const shape = networkShape(network, inputs);
  const loss = resolveLoss(loaded, dataset, shape.outputs);
  checkFusedOutput(loaded, loss);
  const metrics = metricNames(dataset.task, (dataset.validation?.rows ?? 0) > 0);
  checkMonitored(loaded, dataset.task, metrics);

  const rows = dataset.train.rows;
  const warnings = [...dataset.warnings];
  let batchSize = training.batchSize;
  if (training.batches === 'shuffle' && batchSize > rows) {
    warnings.push(`training.batchSize is ${batchSize}, but there are ${rows} training rows: using ${rows}`);
    batchSize = rows;
  }
  if (statisticsLayout(network.layers, inputs).total > 0) {
    checkBatchNormRows(loaded, batchSize);
    if (training.batches === 'shuffle' && rows % batchSize === 1) {
      warnings.push(
        `training.batchSize is ${batchSize}: of ${rows} training rows the last batch of an epoch has a single one, which batch-norm makes nothing of`,
      );
    }
  }
  const stepsPerEpoch = Math.max(1, Math.ceil(rows / batchSize));
  const steps = training.steps ?? (training.epochs as number) * stepsPerEpoch;
  const { schedule, earlyStopping } = training;
  const warmUp = schedule.type === 'warm-up' ? warmUpSteps(schedule, stepsPerEpoch) : 0;
  if (warmUp >= steps) {
    warnings.push(
      `training.schedule warms up for ${warmUp} steps, but the run has ${steps}: the learning rate never reaches its full height`,
    );
  }
  const best = earlyStopping?.monitor ?? 'validation_loss';
  return {
    network,
    inputs,
    outputs: shape.outputs,
    task: dataset.task,
    loss,
    batchSize,
    stepsPerEpoch,
    steps,
    epochs: Math.ceil(steps / stepsPerEpoch),
    parameters: shape.weights + shape.biases,
    rows: { train: rows, validation: dataset.validation?.rows ?? 0, test: dataset.test?.rows ?? 0 },
    weighted: {
      train: dataset.train.weights !== undefined,
      validation: dataset.validation?.weights !== undefined,
      test: dataset.test?.weights !== undefined,
    },
    classes: dataset.classes?.length ?? 0,
    targetUnit:
      dataset.task === 'regression'
        ? (dataset.targetStandardization?.scale ?? dataset.targetNames.map(() => 1))
        : [],
    keep: training.keep === 'best' && metrics.includes(best) ? best : null,
    warnings,
  };
}

/** The loss of a task, and the output width that goes with it. */
function resolveLoss(loaded: LoadedTrainConfig, dataset: Dataset, outputs: number): LossName {
  const { config, path, networkLocation } = loaded;
  const { task, classes = [] } = dataset;
  const asked = config.training.loss;
  const loss = asked === 'auto' ? automaticLoss(task, outputs) : asked;
  if ((loss === 'mean-squared-error') !== (task === 'regression')) {
    throw new MlpError(
      ExitCode.config,
      `${formatLocation({ file: path, path: ['training', 'loss'] })}: found "${loss}" for a ${task} task, expected ${lossesFor(task).join(' or ')}`,
      'let training.loss be "auto", or set data.task',
    );
  }
  if (loss === 'binary-cross-entropy' && task === 'multiclass') {
    throw new MlpError(
      ExitCode.config,
      `${formatLocation({ file: path, path: ['training', 'loss'] })}: found "${loss}" for ${classes.length} classes, expected softmax-cross-entropy`,
      'let training.loss be "auto"',
    );
  }
  const expected = LOSSES[loss].outputs(dataset.targetNames.length, classes.length);
  if (outputs !== expected) {
    throw new MlpError(
      ExitCode.config,
      `${placeOf(networkLocation, 'layers')}: found an output width of ${outputs}, expected ${expected}: ${reasonOf(expected, dataset)}`,
      `make the last linear layer ${expected} wide, or check data.target and data.task (the task is ${task})`,
    );
  }
  return loss;
}

/** Why there should be so many outputs. */
function reasonOf(outputs: number, { task, targetNames }: Dataset): string {
  const single = outputs === 1;
  if (task === 'regression') return single ? 'one for the target column' : 'one for each target column';
  return single ? 'one logit for two classes' : `one for each class of "${targetNames[0]}"`;
}

function automaticLoss(task: Task, outputs: number): LossName {
  if (task === 'regression') return 'mean-squared-error';
  return task === 'binary' && outputs !== 2 ? 'binary-cross-entropy' : 'softmax-cross-entropy';
}

/** A softmax or sigmoid at the end is fused into its own cross-entropy; with any other loss it would be applied twice or left out. */
function checkFusedOutput({ config, networkLocation }: LoadedTrainConfig, loss: LossName): void {
  const { layers } = config.network;
  const expected = fusedLoss(layers);
  if (expected === undefined || expected === loss) return;
  const last = layers.at(-1)?.type;
  throw new MlpError(
    ExitCode.config,
    `${placeOf(networkLocation, 'layers', layers.length - 1)}: found ${last} at the end with the loss ${loss}, expected ${expected}`,
    `remove the ${last}: losses take the numbers before it`,
  );
}

/** That the run will have each metric that the config wants to be looked at. */
function checkMonitored(loaded: LoadedTrainConfig, task: Task, metrics: readonly MonitoredMetric[]): void {
  const { schedule, earlyStopping } = loaded.config.training;
  if (earlyStopping) checkMetric(earlyStopping.monitor, 'earlyStopping');
  const [plain, ...at] =
    schedule.type === 'warm-up' ? [schedule.after, 'schedule', 'after'] : [schedule, 'schedule'];
  if (plain.type === 'reduce-on-plateau') checkMetric(plain.monitor, ...at);

  function checkMetric(metric: MonitoredMetric, ...at: string[]): void {
    if (metrics.includes(metric)) return;
    const lacksRows = metric.startsWith('validation_') && !metrics.includes('validation_loss');
    throw new MlpError(
      ExitCode.config,
      `${formatLocation({ file: loaded.path, path: ['training', ...at, 'monitor'] })}: found "${metric}" in a ` +
        `${lacksRows ? 'run without validation rows' : `${task} task`}, expected one of ${metrics.join(', ')}`,
      lacksRows
        ? 'set data.validation, to 0.2 for a fifth of the rows, or monitor "train_loss"'
        : `these are the metrics of a ${task} task; data.task can set another`,
    );
  }
}

/** Of a single row batch normalisation leaves nothing: that every batch should be one is a mistake. */
function checkBatchNormRows({ config, path }: LoadedTrainConfig, batchSize: number): void {
  if (batchSize > 1) return;
  const isAsked = config.training.batchSize === 1;
  const at = isAsked ? ['training', 'batchSize'] : ['data', 'train'];
  throw new MlpError(
    ExitCode.config,
    `${formatLocation({ file: path, path: at })}: found ${isAsked ? '1' : '1 training row'}, expected at least 2: batch-norm takes its mean and variance over the rows of a batch`,
    'take layer-norm, which normalises each row by itself, or more rows',
  );
}

/** A place inside the network, which may be a file of its own. */
function placeOf({ file, path }: Location, ...inside: (string | number)[]): string {
  return formatLocation({ file, path: [...path, ...inside] });
}

/** What the model file of a run says besides the weights. */
export function modelContent(plan: TrainingPlan, dataset: Dataset): ModelContent {
  const { classes, targetStandardization } = dataset;
  return {
    network: { ...plan.network, input: plan.inputs },
    task: plan.task,
    loss: plan.loss,
    header: dataset.header,
    features: dataset.encodings,
    targets: dataset.targetNames,
    ...(classes && { classes }),
    ...(targetStandardization && { targetStandardization }),
  };
}
