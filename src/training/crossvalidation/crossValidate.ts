/**
 * Cross-validation: trains a run for each fold on the other rows, and scores it on the fold. Finished
 * folds are kept in their run directories, so whoever stops may resume and gets the same result.
 */
import { join, resolve } from 'node:path';
import type { Dataset, Split } from '../../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../errors.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import { loadModel } from '../../model/load.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../../spec/loadConfig.js';
import { printable } from '../../text.js';
import { version } from '../../version.js';
import type { TrainResult } from '../loop.js';
import { type Job, planParallel, runJobs } from '../parallel.js';
import { dataOutside } from '../run/outside.js';
import { readOwnRows } from '../run/ownRows.js';
import { dataDifference, kernelsDifference } from '../run/provenance.js';
import { requireSameConfig } from '../run/resume.js';
import { type RunSummary, readSummary } from '../run/summary.js';
import type { RunListener } from '../stages.js';
import { resume, train } from '../train.js';
import { CrossValidationDirectory } from './directory.js';
import { type CrossValidationRequest, type Fold, foldsOf, shapeOf, splitNotes } from './folds.js';
import { type PredictedFold, predictionLines, scoreFold } from './predictions.js';
import { averagesOf, type CrossValidationReport, type FoldReport, scoresOf } from './report.js';

export interface CrossValidationListener {
  note?(sentence: string): void;
  warn?(sentence: string): void;
  started?(folds: number): void;
  /**
   * A fold begins, or one that is finished is read again. Several may be under way. Returns what listens
   * to its run. `place` is its number among the folds of all repeats, from 0.
   */
  foldStarted?(fold: Fold, place: number): RunListener;
  foldDone?(report: FoldReport, place: number, seconds: number): void;
}

export interface CrossValidationOptions {
  /** When aborted, the current run ends after its step, with the status "interrupted". */
  readonly signal?: AbortSignal | undefined;
  readonly listener?: CrossValidationListener | undefined;
  /** How many runs train at once, which changes no bit; by default as many as find processors. */
  readonly atOnce?: number | undefined;
}

export interface CrossValidation {
  readonly directory: string;
  readonly report: CrossValidationReport;
}

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

interface FinishedFold extends PredictedFold {
  readonly report: FoldReport;
  readonly summary: RunSummary;
}

/** A cross-validation under way. */
class Progress {
  readonly #directory: CrossValidationDirectory;
  readonly #request: CrossValidationRequest;
  readonly #loaded: LoadedTrainConfig;
  readonly #signal: AbortSignal | undefined;
  readonly #listener: CrossValidationListener;
  readonly #atOnce: number | undefined;
  /** By their places. */
  readonly #finished = new Map<number, FinishedFold>();

  constructor(
    directory: CrossValidationDirectory,
    request: CrossValidationRequest,
    loaded: LoadedTrainConfig,
    { signal, listener = {}, atOnce }: CrossValidationOptions,
  ) {
    this.#directory = directory;
    this.#request = request;
    this.#loaded = loaded;
    this.#signal = signal;
    this.#listener = listener;
    this.#atOnce = atOnce;
  }

  /** Writes what a resume needs. */
  async begin(): Promise<void> {
    await this.#directory.writeReport(this.#report('interrupted'));
    await this.#directory.writeConfig(this.#loaded);
  }

  async run(folds: readonly Fold[]): Promise<CrossValidation> {
    const { config, where } = this.#loaded;
    for (const sentence of splitNotes(this.#loaded, this.#request)) this.#listener.note?.(sentence);
    if (config.training.from !== undefined) {
      this.#listener.warn?.(
        `${where(['training', 'from'])}: if that model was trained on these rows, the scores are too good`,
      );
    }
    this.#listener.started?.(folds.length);
    const { atOnce } = planParallel(config.threads, this.#atOnce);
    // No pool but that of small runs: a thread that waits would keep the matrix of its last fold.
    const jobs = folds.map(
      (fold, place): Job =>
        (signal) =>
          this.#runFold(fold, place, signal),
    );
    await runJobs(jobs, { atOnce, signal: this.#signal });
    const finished = this.#inOrder();
    if (finished.length < folds.length) return this.#end('interrupted');
    await this.#directory.writePredictions(predictionLines(finished));
    return this.#end('finished');
  }

  async #end(status: CrossValidationReport['status']): Promise<CrossValidation> {
    const report = this.#report(status);
    await this.#directory.writeReport(report);
    return { directory: this.#directory.path, report };
  }

  /** @param place its number among the folds of all repeats, from 0 */
  async #runFold(fold: Fold, place: number, signal: AbortSignal): Promise<void> {
    const start = performance.now();
    const path = this.#directory.runPath(fold.name);
    const listener = this.#listener.foldStarted?.(fold, place) ?? {};
    const dataset = await this.#train(fold, path, { listener, signal }).catch((error) => {
      if (!(error instanceof MlpError) || !statOf(path)) throw error;
      throw new MlpError(error.exitCode, `${fold.name}: ${error.message}`, error.hint, { cause: error });
    });
    const split = dataset?.[this.#request.as];
    if (!split) return;
    const finished = await this.#score(fold, path, split);
    this.#finished.set(place, finished);
    this.#listener.foldDone?.(finished.report, place, (performance.now() - start) / 1000);
  }

  /** The dataset of a run that is finished now; undefined if it was interrupted. */
  async #train(
    fold: Fold,
    path: string,
    options: { readonly listener: RunListener; readonly signal: AbortSignal },
  ): Promise<Dataset | undefined> {
    if (isFinished(path)) return this.#readFinished(fold, path, options.listener);
    const isBegun = statOf(join(path, RUN_FILES.config)) !== undefined;
    const { result, dataset } = isBegun
      ? await resume(fold.loaded, path, options)
      : await train(fold.loaded, { ...options, directory: path });
    return result.status === 'interrupted' ? undefined : dataset;
  }

  async #readFinished(fold: Fold, path: string, { reading, warn }: RunListener): Promise<Dataset> {
    const loaded = loadTrainConfig(join(path, RUN_FILES.config));
    const { as } = this.#request;
    const { data, seed } = fold.loaded.config;
    const expected = { ...loaded.config, seed, data: { ...loaded.config.data, [as]: data[as] } };
    const names = { where: loaded.where, run: this.#directory.configPath, mayExtend: false };
    requireSameConfig(loaded.config, expected, names);
    // The files of the config that was given, whatever names the run directory has for them.
    const { train, validation, test } = data;
    const config = { ...loaded.config, data: { ...loaded.config.data, train, validation, test } };
    const asGiven = { ...loaded, config, directory: fold.loaded.directory };
    const options = { progress: reading ?? (() => {}), warn: warn ?? (() => {}) };
    const { dataset } = await readOwnRows(path, loadModel(path), asGiven, options);
    for (const rows of dataset.rejected ?? []) rows.close();
    return dataset;
  }

  /** @throws MlpError ExitCode.data or unavailable if other data were read, or by other kernels */
  async #score(fold: Fold, path: string, split: Split): Promise<FinishedFold> {
    const summary = readSummary(path);
    const [other] = this.#finished.values();
    if (other) requireLike(summary, other.summary, { path, other: other.report.run });
    const scored = await scoreFold(loadModel(path), split);
    const { status, epochs = 0, keptEpoch = 0, weightsSha256 } = summary as RunSummary & Partial<TrainResult>;
    return {
      ...fold,
      summary,
      scored,
      report: {
        run: fold.name,
        repeat: fold.repeat,
        fold: fold.fold,
        seed: fold.seed,
        status,
        epochs,
        keptEpoch,
        rows: split.rows,
        metrics: scoresOf(scored.report),
        weightsSha256,
      },
    };
  }

  #inOrder(): FinishedFold[] {
    return [...this.#finished].sort(([a], [b]) => a - b).map(([, fold]) => fold);
  }

  #report(status: CrossValidationReport['status']): CrossValidationReport {
    const finished = this.#inOrder();
    const runs = finished.map(({ report }) => report);
    const data = finished[0]?.summary.data.map(({ key, sha256 }) => ({ key, sha256 }));
    return {
      version: version(),
      status,
      request: this.#request,
      seed: this.#loaded.config.seed,
      ...(data && { data }),
      metrics: averagesOf(runs.map(({ metrics }) => metrics)),
      runs,
    };
  }
}

function isFinished(path: string): boolean {
  return statOf(join(path, RUN_FILES.summary)) !== undefined && readSummary(path).status !== 'interrupted';
}

/** @throws MlpError ExitCode.data or unavailable if a run differs from another in what it was made of */
function requireLike(
  found: RunSummary,
  expected: RunSummary,
  { path, other }: { readonly path: string; readonly other: string },
): void {
  const data = dataDifference(found.data, expected.data);
  const kernels = kernelsDifference(found, expected);
  const difference = data ?? kernels;
  if (!difference) return;
  throw new MlpError(
    data ? ExitCode.data : ExitCode.unavailable,
    `${printable(path)}: ${difference.what}: found ${printable(difference.found)}, expected ${difference.expected} as in ${other}`,
    'all folds need the same data and kernels: start a new cross-validation',
  );
}
