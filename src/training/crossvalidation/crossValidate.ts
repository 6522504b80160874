/**
 * Cross-validation: trains a run for each fold on the other rows, and scores it on the fold. Finished
 * folds are kept in their run directories, so whoever stops may resume and gets the same result.
 */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ExitCode, MlpError } from '../../errors.js';
import { isLocked } from '../../files/lock.js';
import { statOf } from '../../files/runFiles.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../../spec/loadConfig.js';
import { printable } from '../../text.js';
import { dataOutside } from '../run/outside.js';
import { requireSameConfig } from '../run/resume.js';
import { CROSS_VALIDATION_FILES, CrossValidationDirectory } from './directory.js';
import { type CrossValidationRequest, foldsOf, shapeOf } from './folds.js';
import {
  type CrossValidation,
  type CrossValidationOptions,
  LOOK_MILLISECONDS,
  Progress,
} from './progress.js';

/** What is asked for; the shape of the folds by default that of the config's own split. */
export type AskedFolds = Omit<CrossValidationRequest, 'shape'> & Partial<CrossValidationRequest>;

/**
 * @param options.directory to create; the first free `runs/<config name>-cv-<n>` by default
 * @throws MlpError as `train` does for a fold; ExitCode.config for a config whose rows can't be divided
 */
export async function crossValidate(
  loaded: LoadedTrainConfig,
  asked: AskedFolds,
  options: CrossValidationOptions & { readonly directory?: string | undefined } = {},
): Promise<CrossValidation> {
  const request = { ...asked, shape: asked.shape ?? shapeOf(loaded.config.data, asked.as) };
  const folds = foldsOf(loaded, request);
  const directory = await CrossValidationDirectory.create(options.directory, loaded.path);
  try {
    const progress = new Progress(directory, request, loaded, options);
    await progress.begin();
    return await progress.run(folds);
  } catch (error) {
    // Nothing is left of one that failed before its first run.
    if (!folds.some(({ name }) => statOf(join(directory.path, name)))) directory.delete();
    throw error;
  } finally {
    directory.close();
  }
}

/**
 * Resumes the cross-validation at `path`: finished folds are kept, others are resumed or trained.
 * @param asked what must be as it was
 * @throws MlpError as `crossValidate`, and ExitCode.config, usage or data if config, folds or data
 *   differ
 */
export async function resumeCrossValidation(
  loaded: LoadedTrainConfig,
  path: string,
  asked: Partial<CrossValidationRequest>,
  options: CrossValidationOptions = {},
): Promise<CrossValidation> {
  const directory = await CrossValidationDirectory.open(path);
  try {
    const request = directory.readRequest();
    requireSameRequest(asked, request, path);
    const progress = new Progress(directory, request, loaded, options);
    if (resolve(loaded.directory) === resolve(path)) {
      for (const sentence of dataOutside(loaded)) options.listener?.note?.(sentence);
    }
    const before = directory.loadConfig();
    if (before) {
      const names = { where: loaded.where, run: directory.configPath, mayExtend: false };
      requireSameConfig(loaded.config, before.config, names);
    } else {
      await progress.begin();
    }
    return await progress.run(foldsOf(loaded, request));
  } finally {
    directory.close();
  }
}

/**
 * Trains folds of the cross-validation at `path`, which another process has opened, until each is trained
 * or has one who trains it.
 * @returns why this process trained no more, if the other one had no such trouble
 * @throws MlpError ExitCode.config if the config differs, data or noInput for the directory
 */
export async function joinCrossValidation(
  loaded: LoadedTrainConfig,
  path: string,
  options: Omit<CrossValidationOptions, 'opened' | 'listener'>,
): Promise<MlpError | undefined> {
  const directory = CrossValidationDirectory.join(path);
  const request = directory.readRequest();
  const { config } = loadTrainConfig(directory.configPath);
  const names = { where: loaded.where, run: directory.configPath, mayExtend: false };
  requireSameConfig(loaded.config, config, names);
  try {
    await new Progress(directory, request, loaded, options, 'joins').train(foldsOf(loaded, request));
    return undefined;
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    // The first trains this fold too: most likely, it meets the same error, and tells it.
    while (isLocked(path) && !options.signal?.aborted) await delay(LOOK_MILLISECONDS);
    return statOf(join(path, CROSS_VALIDATION_FILES.predictions)) ? error : undefined;
  }
}

function requireSameRequest(
  asked: Partial<CrossValidationRequest>,
  before: CrossValidationRequest,
  path: string,
): void {
  for (const key of ['folds', 'repeats', 'as', 'shape'] as const) {
    const [found, expected] = [asked[key], before[key]].map((value) => JSON.stringify(value));
    if (found === undefined || found === expected) continue;
    throw new MlpError(
      ExitCode.usage,
      `--resume: found other folds than in ${printable(path)}: ${key} ${found}, expected ${expected}`,
      'leave out what says how the rows are divided, or start a new cross-validation without --resume',
    );
  }
}
