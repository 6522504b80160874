/** mlp evaluate without a data file: scores rows of the run itself, split as for its training. */
import { join } from 'node:path';
import { type Dataset, foldsOf, type Split, type SplitName } from '../data/dataset/dataset.js';
import { chunksOf } from '../data/featureMatrix.js';
import { filesOf, sourcePath } from '../data/source/source.js';
import { ExitCode, MlpError } from '../errors.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { type EvaluatedRows, predictRows, rowsOfSplit, scoreRows } from '../model/evaluatedRows.js';
import { permutationImportance } from '../model/importance.js';
import type { Model } from '../model/load.js';
import { PredictorPool } from '../model/pool/predictorPool.js';
import { StrangeValues } from '../model/ranges.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { printable } from '../text.js';
import { dataOutside } from '../training/run/outside.js';
import { NAME_DATA, readOwnRows } from '../training/run/ownRows.js';
import type { Evaluated } from './evaluateText.js';
import { LossFile } from './lossFile.js';
import { openModel } from './modelReading.js';
import { type CommonOptions, type PassOptions, poolOptions } from './options.js';
import { note, warn } from './output.js';
import { withReadingProgress } from './reading.js';
import { type DecisionOptions, decisionOf } from './threshold.js';

/** The first split that the run has is scored, unless --split names another. */
const SPLITS = ['test', 'validation', 'train'] as const satisfies readonly SplitName[];

/**
 * Scores the split asked for, else the test, validation or training rows.
 * @throws MlpError ExitCode.usage for a model file or a missing split; noInput if the run, its
 * config or data no longer exist; data if the data changed after the training
 */
export async function evaluateRun(
  run: string,
  options: CommonOptions &
    DecisionOptions &
    PassOptions & {
      readonly split?: SplitName;
      readonly importance?: boolean;
      readonly losses?: string;
      readonly force?: boolean;
    },
): Promise<Evaluated> {
  const { model, loaded, dataset, isRefitted } = await readSplits(run, options);
  const { config, directory } = loaded;
  const name = chooseSplit(dataset, run, options.split, isRefitted);
  if (name === 'train' && options.split === undefined) {
    warn(`${run} has no held-out rows: these are the rows it was trained on`);
  }
  const split = dataset[name] as Split;
  const file = fileOf(config, name, directory);
  const strange = new StrangeValues(model);
  for (const { data } of chunksOf(split.features)) strange.addScaled(data);
  const warnings = strange.warnings(file, model.header);
  for (const warning of warnings) warn(warning);
  const rows = rowsOfSplit(split, foldsOf(dataset, name));
  const losses = options.losses === undefined ? undefined : new LossFile(options.losses, 'row', options);
  const { predicted, importance } = await PredictorPool.use(model, poolOptions(options), async (pool) => ({
    importance: options.importance && (await importanceOf(rows, model, pool, config.seed)),
    predicted: await predictRows(model, pool, rows),
  }));
  const { thresholds, goal } = decisionOf(model, options);
  const result = scoreRows(model, predicted, rows, thresholds, goal);
  losses?.add(
    model,
    predicted,
    { rows: rows.rows, logits: predicted.logits },
    rows.expected,
    rows.rowNumbers,
  );
  await losses?.close();
  return {
    model,
    data: { path: file, rows: split.rows },
    split: name,
    warnings,
    weighted: split.weights !== undefined,
    result,
    ...(importance && { importance }),
  };
}

/** A run's model, and the rows that it was trained on and held out. */
export interface OwnSplits {
  readonly model: Model;
  readonly loaded: LoadedTrainConfig;
  readonly dataset: Dataset;
  readonly isRefitted: boolean;
}

/** @throws MlpError as `evaluateRun` */
export async function readSplits(run: string, options: CommonOptions): Promise<OwnSplits> {
  const model = openModel(run) as Model;
  const path = requireConfig(run, model);
  const loaded = loadTrainConfig(path);
  for (const sentence of dataOutside(loaded)) note(sentence);
  const { dataset, isRefitted } = await withReadingProgress(options, (progress) =>
    readOwnRows(run, model, loaded, { progress, warn, note }),
  );
  return { model, loaded, dataset, isRefitted };
}

/** Enough to tell columns apart, in some seconds. */
const IMPORTANCE = { repeats: 5, most: 2e10 };

async function importanceOf(rows: EvaluatedRows, model: Model, pool: PredictorPool, seed: number) {
  const found = await permutationImportance(model, pool, rows, { seed, ...IMPORTANCE });
  if (!found) warn('the importance of columns would take too long, or no column can be shuffled');
  return found;
}

function requireConfig(run: string, { path: modelPath }: Model): string {
  if (!statOf(run)?.isDirectory()) {
    throw new MlpError(
      ExitCode.usage,
      `${modelPath}: found a model file without data, expected a CSV to score`,
      'mlp evaluate <run> <data.csv>; only a run directory has rows of its own',
    );
  }
  const path = join(run, RUN_FILES.config);
  if (statOf(path)) return path;
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: no such file: it says which rows the run used`,
    NAME_DATA,
  );
}

function chooseSplit(
  dataset: Dataset,
  run: string,
  asked: SplitName | undefined,
  isRefitted: boolean,
): SplitName {
  const available = SPLITS.filter((split) => dataset[split] !== undefined);
  if (asked === undefined) return available[0];
  if (available.includes(asked)) return asked;
  throw new MlpError(
    ExitCode.usage,
    `--split: found ${asked}, but ${printable(run)} has no ${asked} rows, expected ${available.join(' or ')}`,
    isRefitted && asked === 'validation'
      ? 'the model was refitted on training and validation rows together: --split train scores them'
      : undefined,
  );
}

/** The file that a split was read from, or the first of several. */
export function fileOf({ data }: TrainConfig, split: SplitName, directory: string): string {
  const own = data[split];
  const [first, ...others] = filesOf(typeof own === 'string' ? own : data.train, directory);
  const path = sourcePath(first, directory);
  return others.length === 0 ? path : `${path} and ${others.length} more`;
}
