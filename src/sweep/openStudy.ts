/** Creates a study, or opens one after comparing it with the sweep. */
import { basename } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { toCanonicalJson } from '../spec/json.js';
import { checkTrainConfig, type LoadedTrainConfig } from '../spec/loadConfig.js';
import type { LoadedSweep } from '../spec/sweepConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { printable, showIfAny, showValue } from '../text.js';
import { firstFree, makeDirectory, relocate } from '../training/run/directory.js';
import { dataDifference } from '../training/run/provenance.js';
import { requireSameConfig } from '../training/run/resume.js';
import type { Waits } from './journalFile.js';
import { STUDY_FILES, Study, type StudyPlan } from './study.js';

/** The hashes of the data, with paths relative to a directory. */
export type HashesOf = (directory: string) => Promise<StudyPlan['data']>;

/**
 * @param directory the first free `runs/<sweep name>-<n>` if left out
 * @throws MlpError ExitCode.cantCreate, e.g. if it is not empty; noPermission or io
 */
export async function createStudy(
  { sweep, path }: LoadedSweep,
  base: LoadedTrainConfig,
  hashesOf: HashesOf,
  directory: string | undefined,
  waits: Waits,
): Promise<Study> {
  const at = directory ?? firstFree(path);
  if (directory !== undefined) makeDirectory(directory);
  const plan = { sweep, base: baseFor(at, base), data: await hashesOf(at) };
  return Study.create(at, basename(at), plan, waits);
}

/**
 * @throws MlpError ExitCode.noInput if there is no study, config or data with the first thing in
 *   which the sweep, the base or the data differ from the study's
 */
export async function openStudy(
  loaded: LoadedSweep,
  base: LoadedTrainConfig,
  hashesOf: HashesOf,
  path: string,
  waits: Waits,
): Promise<Study> {
  const study = Study.open(path, waits);
  const plan = { sweep: loaded.sweep, base: baseFor(path, base), data: await hashesOf(path) };
  requireSameBase(study, base, plan.base);
  requireSameData(study, plan.data);
  requireSameSweep(study, loaded);
  const { trials, space } = study.sweep;
  const isSame =
    trials === loaded.sweep.trials && toCanonicalJson(space) === toCanonicalJson(loaded.sweep.space);
  if (!isSame) await study.extend(plan);
  return study;
}

/** The JSON of the base config with paths relative to the study. */
function baseFor(study: string, { written, directory }: LoadedTrainConfig): unknown {
  const { $schema: _, ...base } = relocate(written as TrainConfig, directory, study);
  return JSON.parse(JSON.stringify(base));
}

function requireSameBase(study: Study, { where }: LoadedTrainConfig, base: unknown): void {
  const path = `${study.path}/${STUDY_FILES.base}`;
  const names = { where, run: printable(path), mayExtend: false };
  const { value, text } = study.readBase();
  checkTrainConfig(value, path, [], text);
  requireSameConfig(base as TrainConfig, value as TrainConfig, names);
}

function requireSameData(study: Study, data: StudyPlan['data']): void {
  const difference = dataDifference(data, study.data);
  if (!difference) return;
  throw new MlpError(
    ExitCode.data,
    `${difference.what}: found ${printable(difference.found)}, expected ${difference.expected} as in ${printable(study.path)}`,
    'restore the file that the study was started with, or start a new study without --resume',
  );
}

/** All but the number of trials and the space must be the same, and these may only grow. */
function requireSameSweep(study: Study, { sweep, where }: LoadedSweep): void {
  const differ = (key: string, found: string, expected: string, hint: string) =>
    new MlpError(
      ExitCode.config,
      `${where([key])}: found ${found}, expected ${expected} as in ${printable(study.path)}`,
      hint,
    );
  for (const key of ['method', 'metric', 'seed', 'pending', 'stop'] as const) {
    const [found, expected] = [sweep[key], study.sweep[key]];
    if (toCanonicalJson(found ?? null) === toCanonicalJson(expected ?? null)) continue;
    throw differ(
      key,
      showIfAny(found),
      showIfAny(expected),
      'only "trials" and "space" may grow: start a new study without --resume',
    );
  }
  if (sweep.trials !== undefined && sweep.trials < study.trials.length) {
    throw differ(
      'trials',
      showValue(sweep.trials),
      `at least ${study.trials.length}`,
      'the study has as many trials already',
    );
  }
  const lost = Object.keys(study.sweep.space).find((path) => !Object.hasOwn(sweep.space, path));
  if (lost === undefined) return;
  throw differ(
    'space',
    `no ${showValue(lost)}`,
    'it',
    'the space of a study may grow, but not shrink: start a new study without --resume',
  );
}
