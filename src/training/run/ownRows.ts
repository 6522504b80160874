/** The rows of a run itself, read again and split as for its training. */
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../../data/dataset/dataset.js';
import { givenCategories } from '../../data/dataset/givenEncodings.js';
import { type Datasets, type LoadOptions, loadDatasets } from '../../data/dataset/loadDataset.js';
import { fingerprintData } from '../../data/source/source.js';
import { type DataFile, ReadFiles } from '../../data/source/storedFile.js';
import { ExitCode, MlpError } from '../../errors.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import type { Model } from '../../model/load.js';
import type { LoadedTrainConfig } from '../../spec/loadConfig.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import { printable, quote } from '../../text.js';
import { loadStart, withStart } from '../start.js';
import { dataDifference } from './provenance.js';
import { readSummary } from './summary.js';

/** The hint of an error about the rows of a run. */
export const NAME_DATA = 'name the data to score: mlp evaluate <run> <data.csv>';

export interface OwnRows {
  /** After a refit the one of that, whose training rows include the validation rows. */
  readonly dataset: Dataset;
  readonly isRefitted: boolean;
}

export interface OwnRowsOptions {
  readonly progress: NonNullable<LoadOptions['progress']>;
  warn(sentence: string): void;
  /** Told of caches. */
  note?(sentence: string): void;
}

/**
 * @param loaded the run's config
 * @throws MlpError ExitCode.noInput if the data no longer exist; data if they changed after the
 * training, so that the split would be another, or the inputs other ones than those of the model
 */
export async function readOwnRows(
  run: string,
  model: Model,
  loaded: LoadedTrainConfig,
  options: OwnRowsOptions,
): Promise<OwnRows> {
  requireFiles(loaded);
  const config = withCategories(loaded.config, model);
  const { from } = config.training;
  // The data may be named from elsewhere, but what a run started from lies in it.
  const start = from === undefined ? undefined : await loadStart(withStart(loaded, resolve(run, from)));
  const encodings = start && { encodings: start.model };
  const read = await loadSame(run, { ...loaded, config }, { ...options, ...encodings });
  const dataset = read.refit ?? read.dataset;
  requireSameEncoding(dataset, model, loaded);
  return { dataset, isRefitted: read.refit !== undefined };
}

/**
 * The text that is a category for the model stays one: earlier versions knew no dates and booleans. Nor
 * caches, which are of the config as it is.
 */
function withCategories(config: TrainConfig, model: Model): TrainConfig {
  if (config.data.cache !== undefined) return config;
  const categories = [...config.data.categories, ...givenCategories(model)];
  return { ...config, data: { ...config.data, categories } };
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
  { warn, ...how }: OwnRowsOptions & Pick<LoadOptions, 'encodings'>,
): Promise<Datasets> {
  if (!statOf(join(run, RUN_FILES.summary))) {
    return loadDatasets(config, directory, where, { ...how, cache: 'read' }, false);
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
    // The config may be a stranger's: nothing outside of the run is written.
    const read = await loadDatasets(config, directory, where, { ...how, files, cache: 'read' }, isRefitted);
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
