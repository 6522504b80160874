/**
 * A refit: the second training of a run, on training and validation rows together, up to the epoch
 * that the first has found.
 */
import type { Dataset } from '../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../errors.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { planTraining, type TrainingPlan } from './plan.js';

/** What a refit needs, known before the first training: an error does not come after hours. */
export interface RefitPlan {
  readonly config: TrainConfig;
  readonly plan: TrainingPlan;
  readonly dataset: Dataset;
}

/**
 * Schedules go over the epochs of the first training, so at the end of an epoch they are where they
 * were then. Nothing stops the refit early, and its last weights are kept.
 * @param plan of the first training
 * @throws MlpError ExitCode.config without validation rows, with a schedule that needs them, or if
 * the network does not fit the rows together
 */
export function planRefit(loaded: LoadedTrainConfig, plan: TrainingPlan, dataset: Dataset): RefitPlan {
  checkRefit(loaded, plan);
  const { earlyStopping, keepMonitor, ...training } = loaded.config.training;
  const config: TrainConfig = { ...loaded.config, training: { ...training, keep: 'last' } };
  const own = planOf({ ...loaded, config }, dataset, plan.division?.ranks);
  const steps = Math.max(1, Math.round((plan.steps * own.stepsPerEpoch) / plan.stepsPerEpoch));
  const known = new Set([...dataset.warnings, ...plan.warnings]);
  const warnings = own.warnings.filter((warning) => !known.has(warning));
  const length = { steps, epochs: Math.ceil(steps / own.stepsPerEpoch) };
  return { config, plan: { ...own, ...length, warnings }, dataset };
}

function checkRefit({ config, where }: LoadedTrainConfig, { rows, folds }: TrainingPlan): void {
  const { schedule } = config.training;
  if (folds) {
    throw new MlpError(
      ExitCode.config,
      `${where(['training', 'refit'])}: found true with folds as validation rows, expected false: all rows are trained on already`,
      'remove refit, or let data.validation be a fraction',
    );
  }
  if (rows.validation === 0) {
    throw new MlpError(
      ExitCode.config,
      `${where(['training', 'refit'])}: found true in a run without validation rows, expected some: they say after which epoch to stop`,
      'set data.validation, to 0.2 for a fifth of the rows, or remove refit',
    );
  }
  const [plain, ...at] =
    schedule.type === 'warm-up' ? [schedule.after, 'schedule', 'after'] : [schedule, 'schedule'];
  if (plain.type !== 'reduce-on-plateau' || plain.monitor.startsWith('train_')) return;
  throw new MlpError(
    ExitCode.config,
    `${where(['training', ...at, 'monitor'])}: found "${plain.monitor}" with "refit": true, expected a metric of the training rows: a refit has no validation rows`,
    'monitor "train_loss", or take another schedule',
  );
}

function planOf(loaded: LoadedTrainConfig, dataset: Dataset, ranks: number | undefined): TrainingPlan {
  try {
    return planTraining(loaded, dataset, ranks);
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(
      error.exitCode,
      `training.refit, on training and validation rows together: ${error.message}`,
      error.hint,
      { cause: error },
    );
  }
}
