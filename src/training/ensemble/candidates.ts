/** The runs that an ensemble is made of, by the directories that a user names. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asDataError, ExitCode, MlpError, readError } from '../../errors.js';
import { RUN_FILES, STUDY_JOURNAL, statOf } from '../../files/runFiles.js';
import { ENSEMBLE_FILE, MOST_ENSEMBLED } from '../../model/ensembleFile.js';
import { loadModel } from '../../model/load.js';
import { isObject, readJson } from '../../spec/json.js';
import { counted, formatCount, printable } from '../../text.js';
import { CROSS_VALIDATION_FILES } from '../crossvalidation/directory.js';
import { byName } from '../run/list.js';
import type { Source } from './heldOut.js';

/** What a directory holds: trials that were tried for the best, folds, or a single run. */
export type Kind = 'study' | 'cross-validation' | 'run';

export interface Candidates {
  readonly sources: readonly Source[];
  readonly kinds: ReadonlySet<Kind>;
  /** Trials that have no model. */
  readonly skipped: readonly string[];
}

const TRIAL = /^trial-\d+$/;
const FOLD = /^(?:repeat-\d+-)?fold-\d+$/;

/**
 * @throws MlpError ExitCode.noInput for a directory without runs; data for runs that are not finished,
 * or damaged models; usage for a run that is named twice, or too many
 */
export function findCandidates(paths: readonly string[]): Candidates {
  const sources: Source[] = [];
  const kinds = new Set<Kind>();
  const skipped: string[] = [];
  for (const path of paths) {
    const kind = kindOf(path);
    kinds.add(kind);
    if (kind === 'cross-validation') requireFinished(path);
    const runs = kind === 'run' ? [path] : runsIn(path, kind === 'study' ? TRIAL : FOLD);
    for (const run of runs) {
      // A sweep stops trials, which is no reason to do without their models.
      if (kind === 'study' && !statOf(join(run, RUN_FILES.model))) skipped.push(run);
      else sources.push({ run, model: loadModel(run) });
    }
  }
  const places = sources.map(({ run }) => resolve(run));
  const repeated = sources.find((_, i) => places.indexOf(places[i]) < i);
  if (repeated) {
    throw new MlpError(
      ExitCode.usage,
      `found ${printable(repeated.run)} twice, expected each run once`,
      'a run counts more than once only by --method greedy',
    );
  }
  if (sources.length > MOST_ENSEMBLED) {
    throw new MlpError(
      ExitCode.usage,
      `found ${formatCount(sources.length)} runs, expected at most ${formatCount(MOST_ENSEMBLED)}`,
    );
  }
  if (sources.length === 0) {
    throw new MlpError(
      ExitCode.noInput,
      `${paths.map(printable).join(', ')}: found ${counted(skipped.length, 'run')}, none with a ${RUN_FILES.model}`,
      'finish a run first',
    );
  }
  return { sources, kinds, skipped };
}

function kindOf(path: string): Kind {
  const has = (name: string) => statOf(join(path, name)) !== undefined;
  if (!statOf(path)?.isDirectory()) throw noRun(path, statOf(path) ? 'a file' : 'nothing there');
  if (has(STUDY_JOURNAL)) return 'study';
  if (has(CROSS_VALIDATION_FILES.report)) return 'cross-validation';
  if (has(ENSEMBLE_FILE)) throw noRun(path, 'an ensemble');
  if (has(RUN_FILES.config)) return 'run';
  throw noRun(path, `a directory without ${RUN_FILES.config}`);
}

function noRun(path: string, found: string): MlpError {
  return new MlpError(
    ExitCode.noInput,
    `${printable(path)}: found ${found}, expected the directory of a run, a study or a cross-validation`,
    'name a directory that mlp train, sweep or crossvalidate has printed',
  );
}

function runsIn(path: string, name: RegExp): string[] {
  try {
    const names = readdirSync(path)
      .filter((entry) => name.test(entry))
      .sort(byName);
    return names.map((entry) => join(path, entry)).filter((run) => statOf(join(run, RUN_FILES.config)));
  } catch (error) {
    throw readError(printable(path), error);
  }
}

/** @throws MlpError ExitCode.data if a cross-validation has folds to train */
function requireFinished(path: string): void {
  const { value } = asDataError(() => readJson(join(path, CROSS_VALIDATION_FILES.report)));
  if (isObject(value) && value.status === 'finished') return;
  throw new MlpError(
    ExitCode.data,
    `${printable(path)}: found a cross-validation that is not finished, expected all folds`,
    'finish it with mlp crossvalidate --resume',
  );
}
