/** Trains a trial to its next rung or its end, in its run directory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import type { Lock } from '../files/lock.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import type { LoadedTrainConfig } from '../spec/loadConfig.js';
import type { ThreadPool } from '../training/engine/threadPool.js';
import type { EpochRecord } from '../training/loop.js';
import { metricsOf } from '../training/monitor.js';
import type { RunListener, TrainedRun } from '../training/stages.js';
import { resume, train } from '../training/train.js';
import type { Datasets } from './datasets.js';
import type { JobResult } from './schedule.js';
import type { RecordedResult } from './study.js';

export interface TrialRun {
  /** Throws a MlpError for settings that are no config. */
  readonly config: () => LoadedTrainConfig;
  readonly directory: string;
  /** The lock of the directory. */
  readonly lock: Lock;
  readonly metric: string;
  /** The epochs after which it pauses, if it has more. */
  readonly pauseAfter: number | undefined;
}

export interface TrialOptions {
  readonly signal: AbortSignal;
  readonly pool: ThreadPool;
  readonly datasets: Datasets;
  /** Told of epochs, with how many there are, and of sentences for the user. */
  readonly listener: {
    warn(sentence: string): void;
    epoch(record: EpochRecord, epochs: number): void;
  };
}

/**
 * What came of it; undefined if it was interrupted.
 * @throws MlpError for what is not the trial's own fault
 */
export async function runTrial(trial: TrialRun, options: TrialOptions): Promise<JobResult | undefined> {
  let epochs = 0;
  const isResumed = statOf(join(trial.directory, RUN_FILES.config)) !== undefined;
  try {
    const { result } = await trainTrial(trial, options, isResumed, (done) => {
      epochs = done;
    });
    const isPaused = result.status === 'interrupted';
    if (isPaused && result.epochs < (trial.pauseAfter ?? Number.POSITIVE_INFINITY)) return undefined;
    const value = metricsOf(result).get(trial.metric) ?? null;
    return {
      state: isPaused ? 'paused' : 'complete',
      epochs: result.epochs,
      value: value !== null && Number.isFinite(value) ? value : null,
    };
  } catch (error) {
    if (!(error instanceof MlpError) || !isOwnFault(error.exitCode, isResumed)) throw error;
    return { state: 'failed', epochs, value: null, reason: error.message };
  }
}

/** Whether the settings of a trial may be why it fails. What was trained once could read its data. */
function isOwnFault(exitCode: ExitCode, isResumed: boolean): boolean {
  return exitCode === ExitCode.config || (exitCode === ExitCode.data && !isResumed);
}

async function trainTrial(
  { config, directory, lock, pauseAfter }: TrialRun,
  { signal, pool, datasets, listener }: TrialOptions,
  isResumed: boolean,
  epochsDone: (epochs: number) => void,
): Promise<TrainedRun> {
  const loaded = config();
  const data = await datasets.of(loaded);
  let epochs = 0;
  const told: RunListener = {
    warn: listener.warn,
    started({ plan, from }) {
      epochs = plan.epochs;
      epochsDone(from?.epochs ?? 0);
    },
    epochDone(record) {
      epochsDone(record.epoch);
      listener.epoch(record, epochs);
    },
  };
  const options = { data, pool, signal, pauseAfter, lock, listener: told };
  try {
    return isResumed
      ? await resume(loaded, directory, options)
      : await train(loaded, { ...options, directory });
  } finally {
    data.close();
  }
}

/** More values of a curve say nothing more. */
const MOST_VALUES = 100;

/** The metric after the epochs of a run, or after some of them: those of its epochs.csv. */
export function curveOf(directory: string, metric: string): RecordedResult['curve'] {
  const path = join(directory, RUN_FILES.epochs);
  if (!statOf(path)) return [];
  const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const column = header.split(',').indexOf(metric);
  const step = Math.ceil(lines.length / MOST_VALUES);
  return lines.flatMap((line, i) => {
    const cells = line.split(',');
    const value = Number(cells[column] || Number.NaN);
    const isTold = (i + 1) % step === 0 || i === lines.length - 1;
    return isTold && Number.isFinite(value) ? [[Number(cells[0]), value] as const] : [];
  });
}
