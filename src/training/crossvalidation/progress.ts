/**
 * The folds of a cross-validation under way. Several processes may train them: a fold is claimed by the
 * lock of its directory, and the first process scores all.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Dataset, Split } from '../../data/dataset/dataset.js';
import { ExitCode, MlpError } from '../../errors.js';
import { claimDirectory, type Lock, lockDirectory } from '../../files/lock.js';
import { requireNoLink } from '../../files/ownFiles.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import { loadModel } from '../../model/load.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../../spec/loadConfig.js';
import { printable } from '../../text.js';
import { version } from '../../version.js';
import type { TrainResult } from '../loop.js';
import { type Job, planParallel, runJobs } from '../parallel.js';
import { removeIfEmpty } from '../run/directory.js';
import { readOwnRows } from '../run/ownRows.js';
import { dataDifference, kernelsDifference } from '../run/provenance.js';
import { requireSameConfig } from '../run/resume.js';
import { type RunSummary, readSummary } from '../run/summary.js';
import type { PreparedRun, RunListener } from '../stages.js';
import { resume, train } from '../train.js';
import type { CrossValidationDirectory } from './directory.js';
import { type CrossValidationRequest, type Fold, splitNotes } from './folds.js';
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
  /** Those that this process may use; by default all. */
  readonly processors?: number | undefined;
  /**
   * Called with the directory once the first fold has read its data: other processes may join from then on.
   * Without it, no other process has a fold.
   */
  readonly opened?: ((directory: string) => Promise<void>) | undefined;
}

export interface CrossValidation {
  readonly directory: string;
  readonly report: CrossValidationReport;
}

interface FinishedFold extends PredictedFold {
  readonly report: FoldReport;
  readonly summary: RunSummary;
}

/** How often a process looks whether another has ended a fold. */
export const LOOK_MILLISECONDS = 100;

/** A fold that this process works on. */
interface TakenFold {
  readonly fold: Fold;
  /** Its number among the folds of all repeats, from 0. */
  readonly place: number;
  readonly path: string;
  /** Of its directory, where processes share folds; without, its run has it. */
  readonly lock?: Lock;
}

/** What a process is to the folds: alone with them, or among several the first or another. */
type Part = 'alone' | 'first' | 'joins';

/** A cross-validation under way. */
export class Progress {
  readonly #directory: CrossValidationDirectory;
  readonly #request: CrossValidationRequest;
  readonly #loaded: LoadedTrainConfig;
  readonly #options: CrossValidationOptions;
  readonly #listener: CrossValidationListener;
  readonly #part: Part;
  #opening: Promise<void> | undefined;
  /** By their places. */
  readonly #finished = new Map<number, FinishedFold>();

  constructor(
    directory: CrossValidationDirectory,
    request: CrossValidationRequest,
    loaded: LoadedTrainConfig,
    options: CrossValidationOptions,
    part: Part = options.opened ? 'first' : 'alone',
  ) {
    this.#directory = directory;
    this.#request = request;
    this.#loaded = loaded;
    this.#options = options;
    this.#listener = options.listener ?? {};
    this.#part = part;
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
    if (this.#part === 'first') this.#requireFree(folds);
    await this.train(folds);
    await this.#open();
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

  /** Trains and scores folds until none is left for this process. */
  async train(folds: readonly Fold[]): Promise<void> {
    const { atOnce, processors, signal } = this.#options;
    const planned = planParallel(this.#loaded.config.threads, atOnce, processors).atOnce;
    const left = new Map(folds.entries());
    // No pool but that of small runs: a thread that waits would keep the matrix of its last fold.
    const lane: Job = async (signal) => {
      for (;;) {
        const taken = await this.#take(left, signal);
        if (!taken) return;
        await this.#runFold(taken, signal);
      }
    };
    const lanes = Math.min(planned, folds.length);
    await runJobs(Array<Job>(lanes).fill(lane), { atOnce: lanes, signal });
  }

  /** @throws LockedError if a process works on a fold before any has joined */
  #requireFree(folds: readonly Fold[]): void {
    for (const { name } of folds) {
      const path = this.#directory.runPath(name);
      if (statOf(path)) lockDirectory(path).release();
    }
  }

  /** Lets others join, once. */
  #open(): Promise<void> {
    this.#opening ??= this.#options.opened?.(this.#directory.path) ?? Promise.resolve();
    return this.#opening;
  }

  /** The next fold; undefined if there is none. The first waits for those that others train, to score them. */
  async #take(left: Map<number, Fold>, signal: AbortSignal): Promise<TakenFold | undefined> {
    const isShared = this.#part !== 'alone';
    while (left.size > 0 && !signal.aborted) {
      for (const [place, fold] of left) {
        const path = this.#directory.runPath(fold.name);
        requireNoLink(path);
        const isDone = isShared && isFinished(path);
        const lock = isShared && !isDone ? claimDirectory(path) : undefined;
        if (isShared && !isDone && !lock) continue;
        left.delete(place);
        if (isDone && this.#part === 'joins') continue;
        return { fold, place, path, ...(lock && { lock }) };
      }
      if (this.#part === 'joins') return undefined;
      await delay(LOOK_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #runFold({ fold, place, path, lock }: TakenFold, signal: AbortSignal): Promise<void> {
    const start = performance.now();
    const listener = this.#listener.foldStarted?.(fold, place) ?? {};
    let dataset: Dataset | undefined;
    try {
      dataset = await this.#train(fold, path, { listener, signal, lock });
    } catch (error) {
      if (!(error instanceof MlpError) || !isBegun(path)) throw error;
      throw new MlpError(error.exitCode, `${fold.name}: ${error.message}`, error.hint, { cause: error });
    } finally {
      lock?.release();
      // A run that failed at once has left its claimed directory.
      if (lock && this.#part === 'first') removeIfEmpty(path);
    }
    const split = dataset?.[this.#request.as];
    if (!split || this.#part === 'joins') return;
    const finished = await this.#score(fold, path, split);
    this.#finished.set(place, finished);
    this.#listener.foldDone?.(finished.report, place, (performance.now() - start) / 1000);
  }

  /** The dataset of a run that is finished now; undefined if it was interrupted. */
  async #train(
    fold: Fold,
    path: string,
    how: { readonly listener: RunListener; readonly signal: AbortSignal; readonly lock: Lock | undefined },
  ): Promise<Dataset | undefined> {
    if (isFinished(path)) {
      const dataset = await this.#readFinished(fold, path, how.listener);
      await this.#open();
      return dataset;
    }
    // What is wrong with all folds shows before that: others need not meet it.
    const prepared = async (run: PreparedRun) => {
      await how.listener.prepared?.(run);
      await this.#open();
    };
    const options = { ...how, listener: { ...how.listener, prepared } };
    const { result, dataset } = isBegun(path)
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

function isBegun(path: string): boolean {
  return statOf(join(path, RUN_FILES.config)) !== undefined;
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
