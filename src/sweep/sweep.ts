/** `mlp sweep`: trains the trials of a study, several at once, until it is done or interrupted. */
import { join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { writeSmallFile } from '../files/atomic.js';
import type { Lock } from '../files/lock.js';
import { RUN_FILES } from '../files/runFiles.js';
import { formatJson } from '../spec/json.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import type { LoadedSweep } from '../spec/sweepConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import type { MonitoredMetric, Task } from '../spec/words.js';
import { printable, quote } from '../text.js';
import { ThreadPool } from '../training/engine/threadPool.js';
import type { EpochRecord } from '../training/loop.js';
import { extrasAmong, metricNames } from '../training/monitor.js';
import { type Job, planParallel, runJobs } from '../training/parallel.js';
import { relocate } from '../training/run/directory.js';
import { checkSpace, configWith } from './checkSpace.js';
import { Datasets } from './datasets.js';
import { createStudy, type HashesOf, openStudy } from './openStudy.js';
import { curveOf, runTrial } from './runTrial.js';
import { suggest } from './sampler.js';
import { type JobResult, ranked, type Trial } from './schedule.js';
import { type PointSetting, Space } from './space.js';
import { STUDY_FILES, type Study } from './study.js';

/** Told of what happens. */
export interface SweepListener {
  warn(sentence: string): void;
  started(study: Study, atOnce: number): void;
  /** A trial starts, or goes on after its first epochs. */
  trialStarted(trial: Trial, settings: readonly PointSetting[]): void;
  epoch(trial: Trial, record: EpochRecord, epochs: number): void;
  /** Without a result it was interrupted. */
  trialEnded(trial: Trial, result: JobResult | undefined): void;
}

export interface SweepOptions {
  /** The directory of a new study; the first free `runs/<sweep name>-<n>` if left out. */
  readonly directory?: string | undefined;
  /** The directory of the study to go on with instead. */
  readonly resume?: string | undefined;
  /** How many trials train at once; by default as many as the processors can. */
  readonly parallel?: number | undefined;
  /** Those that this process may use; by default all. */
  readonly processors?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly listener: SweepListener;
  /** Called with the directory of the study once that is there, before the first trial. */
  readonly opened?: ((directory: string) => Promise<void>) | undefined;
}

/**
 * @param base the train config that is varied
 * @returns the study, whose trials are all done unless the signal was aborted
 * @throws MlpError for what concerns all trials: as `train`, ExitCode.config for a space that does
 *   not fit the base, and for another sweep than that of the study to go on with
 */
export async function sweep(
  loaded: LoadedSweep,
  base: LoadedTrainConfig,
  options: SweepOptions,
): Promise<Study> {
  const { parallel, processors, signal, listener } = options;
  const { atOnce, threads } = planParallel(base.config.threads, parallel, processors);
  const space = Space.of(loaded.sweep.space);
  checkSpace(space, base.written, base.path, loaded.where);
  const datasets = new Datasets();
  const pool = new ThreadPool();
  const warn = once((sentence) => listener.warn(sentence));
  try {
    const { hashesOf, task } = await readFirst(loaded, base, space, datasets);
    // So that trials have the same bits however many train at once, and alone.
    const written = withMonitor({ ...(base.written as TrainConfig), threads }, loaded.sweep.metric, task);
    const study =
      options.resume === undefined
        ? await createStudy(loaded, { ...base, written }, hashesOf, options.directory, warn)
        : await openStudy(loaded, { ...base, written }, hashesOf, options.resume, warn);
    await options.opened?.(study.path);
    listener.started(study, atOnce);
    const work = new Work(study, datasets, pool, listener, warn);
    try {
      await runJobs(work.jobs(signal), { atOnce, signal });
    } finally {
      work.close();
    }
    writeBest(study);
    return study;
  } finally {
    datasets.close();
    await pool.close();
  }
}

/** The config with a metric monitored that a run has only then: its epochs are kept by it. */
function withMonitor(config: TrainConfig, metric: MonitoredMetric, task: Task): TrainConfig {
  const { training } = config;
  if (extrasAmong([metric], task).length === 0 || training?.keepMonitor !== undefined) return config;
  return { ...config, training: { ...training, keepMonitor: metric } };
}

/**
 * Reads the data of the first trial, which most often are those of all.
 * @returns their task, and their hashes with paths relative to a directory
 */
async function readFirst(
  { sweep, where }: LoadedSweep,
  base: LoadedTrainConfig,
  space: Space,
  datasets: Datasets,
): Promise<{ hashesOf: HashesOf; task: Task }> {
  const point = suggest({ ...sweep, space }, 0, []) ?? {};
  const first = configWith(base.written, base.path, space.settingsOf(point));
  const data = await datasets.of(first);
  try {
    const { task, validation } = data.dataset;
    const metrics = metricNames(task, validation !== undefined);
    if (metrics.includes(sweep.metric)) {
      await data.hashes('');
      return { hashesOf: (directory) => data.hashes(directory), task };
    }
    const isForValidation = sweep.metric.startsWith('validation_') && validation === undefined;
    throw new MlpError(
      ExitCode.config,
      `${where(['metric'])}: found ${quote(sweep.metric)} in a ${task} task${isForValidation ? ' without validation rows' : ''}, expected one of ${metrics.join(', ')}`,
      isForValidation ? 'set data.validation, to 0.2 for a fifth of the rows' : undefined,
    );
  } finally {
    data.close();
  }
}

/** What this process does for a study: it claims open jobs, the oldest first. */
class Work {
  readonly #study: Study;
  readonly #base: unknown;
  readonly #datasets: Datasets;
  readonly #pool: ThreadPool;
  readonly #listener: SweepListener;
  readonly #warn: SweepListener['warn'];
  /** Of the trials that train here, by their numbers. */
  readonly #locks = new Map<number, Lock>();
  #wake = () => {};

  constructor(
    study: Study,
    datasets: Datasets,
    pool: ThreadPool,
    listener: SweepListener,
    warn: SweepListener['warn'],
  ) {
    this.#study = study;
    this.#base = study.readBase().value;
    this.#datasets = datasets;
    this.#pool = pool;
    this.#listener = listener;
    this.#warn = warn;
  }

  /** The jobs that nobody else has, until the study is done. */
  async *jobs(signal: AbortSignal | undefined): AsyncGenerator<Job> {
    while (!signal?.aborted) {
      const open = await this.#study.advance();
      if (open.length === 0) return;
      const claimed = open.find((trial) => this.#claim(trial));
      if (claimed) yield (signal) => this.#run(claimed, signal);
      else await this.#change(open, signal);
    }
  }

  /** Gives up what was claimed. */
  close(): void {
    for (const lock of this.#locks.values()) lock.release();
    this.#locks.clear();
  }

  #claim(trial: Trial): boolean {
    if (this.#locks.has(trial.number)) return false;
    const lock = this.#study.claim(trial, ({ message, hint }) => this.#warn(`waiting: ${message}; ${hint}`));
    if (lock) this.#locks.set(trial.number, lock);
    return lock !== undefined;
  }

  /** Resolves when a job has ended here, or may have ended in another process. */
  #change(open: readonly Trial[], signal: AbortSignal | undefined): Promise<void> {
    const areAllHere = open.every(({ number }) => this.#locks.has(number));
    return new Promise((resolve) => {
      const timer = areAllHere ? undefined : setTimeout(() => this.#wake(), LOOK_MILLISECONDS);
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      signal?.addEventListener('abort', wake);
      this.#wake = wake;
    });
  }

  async #run(trial: Trial, signal: AbortSignal): Promise<void> {
    const study = this.#study;
    const directory = study.directoryOf(trial);
    const settings = study.space.settingsOf(trial.point);
    const { metric } = study.sweep;
    const base = join(study.path, STUDY_FILES.base);
    const lock = this.#locks.get(trial.number) as Lock;
    this.#listener.trialStarted(trial, settings);
    try {
      const result = await runTrial(
        {
          config: () => configWith(this.#base, base, settings),
          directory,
          lock,
          metric,
          pauseAfter: study.pauseOf(trial),
        },
        {
          signal,
          pool: this.#pool,
          datasets: this.#datasets,
          listener: {
            warn: this.#warn,
            epoch: (record, epochs) => this.#listener.epoch(trial, record, epochs),
          },
        },
      );
      if (result) {
        // The file is the same for all trials, and has another name where the study is moved.
        const reason = result.reason?.replaceAll(`${printable(base)}: `, '');
        study.record(
          trial,
          reason === undefined ? result : { ...result, reason },
          curveOf(directory, metric),
        );
      }
      this.#listener.trialEnded(trial, result);
    } catch (error) {
      if (!(error instanceof MlpError)) throw error;
      const message = `trial ${trial.number}: ${error.message}`;
      throw new MlpError(error.exitCode, message, error.hint, { cause: error });
    } finally {
      lock.release();
      this.#locks.delete(trial.number);
      this.#wake();
    }
  }
}

/** Tells each sentence once, such as what trials have in common. */
function once(tell: (sentence: string) => void): (sentence: string) => void {
  const told = new Set<string>();
  return (sentence) => {
    if (told.has(sentence)) return;
    told.add(sentence);
    tell(sentence);
  };
}

/** How often a process looks whether another has ended a job. */
const LOOK_MILLISECONDS = 100;

/** The best trial that was trained to its end, if any. */
export function bestOf({ trials, maximize }: Study): Trial | undefined {
  const [best] = ranked(trials, maximize);
  const last = best?.results.at(-1);
  return last?.state === 'complete' && last.value !== null ? best : undefined;
}

/** Writes the config of the best trial, which trains by itself. */
function writeBest(study: Study): void {
  const best = bestOf(study);
  if (!best) return;
  const directory = study.directoryOf(best);
  const { config } = loadTrainConfig(join(directory, RUN_FILES.config));
  const text = formatJson(relocate(config, directory, study.path));
  writeSmallFile(join(study.path, STUDY_FILES.best), `${text}\n`);
}
