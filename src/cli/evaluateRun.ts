/** mlp evaluate without a data file: scores rows of the run itself, split as for its training. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Dataset, Split, SplitName } from '../data/dataset/dataset.js';
import { type Datasets, type LoadOptions, loadDatasets } from '../data/dataset/loadDataset.js';
import { filesOf, fingerprintData, sourcePath } from '../data/source/source.js';
import { type DataFile, ReadFiles } from '../data/source/storedFile.js';
import { ExitCode, MlpError } from '../errors.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { Inference } from '../model/inference.js';
import type { Model } from '../model/load.js';
import { StrangeValues } from '../model/ranges.js';
import { createScorer, type ExpectedValues } from '../model/scorer.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { printable, quote } from '../text.js';
import { dataOutside } from '../training/run/outside.js';
import { dataDifference } from '../training/run/provenance.js';
import { readSummary } from '../training/run/summary.js';
import type { Evaluated } from './evaluateText.js';
import { openModel } from './modelReading.js';
import type { CommonOptions, ThresholdOption } from './options.js';
import { note, warn } from './output.js';
import { withReadingProgress } from './reading.js';
import { thresholdsOf } from './threshold.js';

/** The first split that the run has is scored, unless --split names another. */
const SPLITS = ['test', 'validation', 'train'] as const satisfies readonly SplitName[];

const NAME_DATA = 'name the data to score: mlp evaluate <run> <data.csv>';

/**
 * Scores the split asked for, else the test, validation or training rows.
 * @throws MlpError ExitCode.usage for a model file or a missing split; noInput if the run, its
 * config or data no longer exist; data if the data changed after the training
 */
export async function evaluateRun(
  run: string,
  options: CommonOptions & { readonly split?: SplitName; readonly threshold?: ThresholdOption },
): Promise<Evaluated> {
  const model = openModel(run);
  const path = requireConfig(run, model);
  const loaded = loadTrainConfig(path);
  const { config, directory } = loaded;
  requireFiles(loaded);
  for (const sentence of dataOutside(loaded)) note(sentence);
  const read = await withReadingProgress(options, (progress) =>
    loadSame(run, { ...loaded, config: withCategories(config, model) }, progress),
  );
  const dataset = read.refit ?? read.dataset;
  requireSameEncoding(dataset, model, loaded);
  const name = chooseSplit(dataset, run, options.split, read.refit !== undefined);
  if (name === 'train' && options.split === undefined) {
    warn(`${run} has no held-out rows: these are the rows it was trained on`);
  }
  const split = dataset[name] as Split;
  const file = fileOf(config, name, directory);
  const strange = new StrangeValues(model);
  strange.addScaled(split.features);
  const warnings = strange.warnings(file, model.header);
  for (const warning of warnings) warn(warning);
  return {
    model,
    data: { path: file, rows: split.rows },
    split: name,
    warnings,
    weighted: split.weights !== undefined,
    result: scoreSplit(split, model, options.threshold),
  };
}

function scoreSplit(
  { rows, features, labels, targets, weights }: Split,
  model: Model,
  threshold: ThresholdOption | undefined,
): Evaluated['result'] {
  const inference = Inference.create(model);
  const scorer = createScorer(model, inference, thresholdsOf(model, threshold));
  const { capacity, inputs } = inference;
  const expected = (labels ?? targets) as ExpectedValues;
  const width = expected.length / rows;
  for (let first = 0; first < rows; first += capacity) {
    const end = Math.min(first + capacity, rows);
    inference.x.data.set(features.subarray(first * inputs, end * inputs));
    const logits = inference.forward(end - first);
    scorer.add(end - first, logits, expected.subarray(first * width, end * width));
  }
  return scorer.result(weights);
}

/** The text that is a category for the model stays one: earlier versions knew no dates and booleans. */
function withCategories(config: TrainConfig, { features, header }: Model): TrainConfig {
  const names = features.flatMap(({ kind, column }) => (kind === 'category' ? [column] : []));
  const columns = names.map((name) => (header ? name : Number(name)));
  return { ...config, data: { ...config.data, categories: [...config.data.categories, ...columns] } };
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

function requireFiles({ config: { data }, where }: LoadedTrainConfig): void {
  for (const key of ['train', 'validation', 'test'] as const) {
    if (data[key] !== '-') continue;
    throw new MlpError(
      ExitCode.noInput,
      `${where(['data', key])}: the run read standard input, which cannot be read again`,
      NAME_DATA,
    );
  }
}

/**
 * Loads the data of a run, after a refit split as for that. Other files would give another split, which could hold out rows that the
 * network was trained on.
 * @throws MlpError ExitCode.data if a file differs from its hash in run.json; as `loadDataset`
 */
async function loadSame(
  run: string,
  { config, directory, path, sha256, where }: LoadedTrainConfig,
  progress: NonNullable<LoadOptions['progress']>,
): Promise<Datasets> {
  if (!statOf(join(run, RUN_FILES.summary))) {
    return loadDatasets(config, directory, where, { progress }, false);
  }
  const then = readSummary(run);
  if (sha256 !== then.configSha256) {
    warn(`${path}: changed after the training, so the rows may be split in another way`);
  }
  const requireSame = (found: readonly DataFile[]) => {
    const difference = dataDifference(found, then.data);
    if (difference === undefined) return;
    const { what, found: file, expected } = difference;
    throw changed(where(what.split('.')), `found ${file}, expected ${expected}`);
  };
  const files = new ReadFiles();
  try {
    const isRefitted = then.refit !== undefined;
    const read = await loadDatasets(config, directory, where, { progress, files }, isRefitted);
    requireSame(await files.hashes());
    return read;
  } catch (error) {
    files.close();
    // Data that can't be read any more have changed: the hashes say which.
    requireSame(await fingerprintData(config.data, directory));
    throw error;
  }
}

/** @throws MlpError ExitCode.data if the data no longer give the inputs that the model expects */
function requireSameEncoding(dataset: Dataset, model: Model, { path, where }: LoadedTrainConfig): void {
  const { classes, labelValues, targetNames, targetTransform, targetStandardization } = dataset;
  const encodings = dataset.encodings.map((encoding, j) => {
    const ofModel = model.features[j];
    if (encoding.kind === 'constant' && ofModel?.kind !== 'constant') {
      throw new MlpError(
        ExitCode.data,
        `${printable(path)}: found a model that learned from ${quote(encoding.column)}, a column of a single value, as those of earlier versions did`,
        NAME_DATA,
      );
    }
    if (encoding.kind !== 'numeric' || ofModel?.kind !== 'numeric' || ofModel.range) return encoding;
    const { range, ...ofEarlierVersion } = encoding;
    return ofEarlierVersion;
  });
  const found = {
    features: encodings,
    classes,
    labelValues,
    targets: targetNames,
    targetTransform,
    targetStandardization,
  };
  const expected = {
    features: model.features,
    classes: model.classes,
    labelValues: model.labelValues,
    targets: model.targets,
    targetTransform: model.targetTransform,
    targetStandardization: model.targetStandardization,
  };
  // The model went through JSON, which has neither −0 nor undefined.
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  if (isDeepStrictEqual(plain(found), plain(expected))) return;
  throw changed(where(['data']), `found other columns, classes or scales than in the model ${model.path}`);
}

function changed(place: string, problem: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `${place}: ${printable(problem)}`,
    `the data changed after the training, so the split is no longer the same; ${NAME_DATA}`,
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

function fileOf({ data }: TrainConfig, split: SplitName, directory: string): string {
  const own = data[split];
  const [first, ...others] = filesOf(typeof own === 'string' ? own : data.train, directory);
  const path = sourcePath(first, directory);
  return others.length === 0 ? path : `${path} and ${others.length} more`;
}
