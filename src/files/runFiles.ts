/** What the files in a run's directory are called, and whether one is there. */
import { type Stats, statSync } from 'node:fs';
import { readError } from '../errors.js';
import { printable } from '../text.js';
import { requireAnswer } from './mounts.js';

export const RUN_FILES = {
  /** The config with every default filled in. */
  config: 'config.json',
  /** The model that the run started from, if it did not draw its weights. */
  initial: 'initial.safetensors',
  /** A row for each step. */
  steps: 'steps.csv',
  /** A row for each epoch. */
  epochs: 'epochs.csv',
  /** Gradients and outputs of each layer, of some epochs. */
  layers: 'layers.csv',
  /** Checkpoints, as long as the run can be resumed. */
  checkpoints: 'checkpoint',
  /** Rows that can't be read, if there are any. */
  rejected: 'rejected.csv',
  /** The steps, epochs and checkpoints of a refit, if there is one. */
  refit: 'refit',
  model: 'model.safetensors',
  /** The run of an MLflow server, and what that did not take. */
  mlflow: 'mlflow.json',
  /** Versions, hashes and results. */
  summary: 'run.json',
  /** A page of all that: it is made of the others, and nothing reads it. */
  report: 'report.html',
} as const;

/** The logs, which grow as long as a run lasts. */
export const GROWING_FILES = [RUN_FILES.steps, RUN_FILES.epochs, RUN_FILES.layers] as const;

/** The file of a sweep's study that tells of its trials. */
export const STUDY_JOURNAL = 'study.log';

/**
 * What is at `path`; undefined only if nothing is.
 * @throws MlpError ExitCode.noPermission or io if the system does not tell
 */
export function statOf(path: string): Stats | undefined {
  requireAnswer(path);
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw readError(printable(path), error);
  }
}
