/** From a config and data to a trained network, for `mlp train`, `repro` and the library. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fingerprintData } from '../data/source/source.js';
import { ExitCode, MlpError } from '../errors.js';
import type { Lock } from '../files/lock.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { thisMachine } from '../kernels/blas/find.js';
import { bfloat16Missing, findNative } from '../kernels/native/find.js';
import { hashWeights, loadModel } from '../model/load.js';
import { readJson } from '../spec/json.js';
import { checkConfigFile, checkTrainConfig, type LoadedTrainConfig, sha256Of } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { printable } from '../text.js';
import { version } from '../version.js';
import { bytesOf } from './engine/allocate.js';
import { type BackendChoice, chooseAgain, chooseBackend, chooseThreads } from './engine/backend.js';
import { smallRuns } from './engine/threadPool.js';
import { threadsWarning } from './parallel.js';
import { completeFor, planTraining } from './plan.js';
import { planRefit } from './refit.js';
import { RunDirectory } from './run/directory.js';
import { dataOutside, isOfRun, linksOf } from './run/outside.js';
import {
  type Difference,
  dataDifference,
  kernelsDifference,
  type Provenance,
  provenanceOf,
  startDifference,
} from './run/provenance.js';
import {
  requireReachable,
  requireSameConfig,
  requireSameProvenance,
  requireSameRanks,
} from './run/resume.js';
import type { SavedRun } from './run/state.js';
import {
  type RunSummary,
  readSummary,
  requireEnded,
  StepComparison,
  weightsDifference,
} from './run/summary.js';
import { type ReadingOptions, RunData } from './runData.js';
import {
  type PreparedRun,
  type RunListener,
  runStages,
  type TrainedRun,
  type TrainOptions,
} from './stages.js';
import { requireSameNetwork, withStart } from './start.js';

/**
 * @param options.directory to create; `true` for the first free `runs/<config name>-<n>`
 * @param options.lock that of the directory, if the caller holds it
 * @throws MlpError ExitCode.noInput, noPermission, io or data for the data; config if the config
 * does not fit them, the run is too large, or it diverges; unavailable for a backend that the
 * machine lacks; cantCreate or busy for the directory
 */
export async function train(
  loaded: LoadedTrainConfig,
  options: TrainOptions & {
    readonly directory?: string | true | undefined;
    readonly lock?: Lock | undefined;
  } = {},
): Promise<TrainedRun> {
  const { directory, lock } = options;
  const { prepared, data } = await prepare(loaded, options);
  let run: RunDirectory | undefined;
  try {
    await options.listener?.prepared?.(prepared);
    if (directory === undefined) return await runStages(prepared, options);
    const { path, directory: configDirectory } = loaded;
    const provenance = provenanceInBackground(data, prepared, configDirectory, options.ranks);
    const asked = directory === true ? undefined : directory;
    const open = async () => {
      const initial = prepared.start?.file;
      run = await RunDirectory.create(asked, prepared.config, path, configDirectory, { initial, held: lock });
      return run;
    };
    return await runStages(prepared, options, { open, provenance });
  } finally {
    await run?.close();
    data.close();
  }
}

/**
 * Resumes the run at `path` from its last checkpoint, or its start: it ends in the same bits.
 * @param options.mayExtend whether the config may make the run longer
 * @param options.lock that of the directory, if the caller holds it
 * @param options.follows whether another rank writes the directory
 * @throws MlpError as `train`, and ExitCode.config, data or unavailable if the config, the data or
 * the kernels differ from the run's
 */
export async function resume(
  asked: LoadedTrainConfig,
  path: string,
  options: TrainOptions & {
    readonly mayExtend?: boolean;
    readonly lock?: Lock | undefined;
    readonly follows?: boolean;
  } = {},
): Promise<TrainedRun> {
  const { listener, mayExtend = false, lock, follows = false } = options;
  for (const sentence of linksOf(path)) listener?.note?.(sentence);
  const directory = follows ? RunDirectory.read(path) : await RunDirectory.open(path, lock);
  let data: RunData | undefined;
  try {
    const { configPath } = directory;
    const { config: ofRun, where } = directory.loadConfig();
    const loaded = withStartOf(ofRun, directory.path, withScalingOf(ofRun, asked));
    const requireSame = ({ config, where }: LoadedTrainConfig) =>
      requireSameConfig(config, ofRun, { where, run: configPath, mayExtend });
    // Before the data are read, unless they determine a part of the config.
    if (!loaded.complete) requireSame(loaded);
    const state = await directory.load((sentence) => listener?.warn?.(sentence));
    if (state?.config !== undefined) {
      // Who edits config.json and resumes with it compares it with itself.
      const { config } = checkTrainConfig(state.config, `the last checkpoint of ${path}`);
      const names = { where, run: 'the last checkpoint', mayExtend: true };
      requireSameConfig(ofRun, config, names);
    }
    const read = await prepare(loaded, { ...options, started: state?.origin.backend }, requireSame);
    data = read.data;
    const prepared = withThreadsOf(state, read.prepared);
    const found = provenanceInBackground(data, prepared, loaded.directory, options.ranks);
    const provenance = withOriginOf(state, found);
    if (state) {
      requireReachable(prepared.plan, state.progress, loaded.where);
      const now = await found;
      requireSameProvenance(now, state.origin, path);
      requireSameRanks(now, state.origin, path, { mayExtend, note: listener?.note });
      const { origin, progress } = state;
      if (origin.version !== version()) listener?.warn?.(`the run was started with mlp ${origin.version}`);
      listener?.note?.(`resuming after epoch ${progress.epochs}, step ${progress.steps}`);
      warnOfDamage(path, listener);
    } else {
      listener?.note?.(`${printable(path)} has no checkpoint yet: starting from the beginning`);
    }
    const refitState = prepared.refit && (await directory.loadRefit((text) => listener?.warn?.(text)));
    // Before the first step: a finished run must not become one without its refit.
    if (refitState) requireSameProvenance(await provenance, refitState.origin, join(path, RUN_FILES.refit));
    await listener?.prepared?.({
      ...prepared,
      ...(state && { from: state.progress }),
      ...(refitState && { refitFrom: refitState.progress }),
    });
    if (follows && mayExtend) directory.changeConfig(prepared.config, loaded.directory);
    const open = async () => {
      await directory.resume(state, (sentence) => listener?.warn?.(sentence));
      if (mayExtend) directory.changeConfig(prepared.config, loaded.directory);
      return directory;
    };
    return await runStages(prepared, options, {
      ...(follows ? { follows: directory } : { open }),
      provenance,
      state,
      refitState,
    });
  } finally {
    await directory.close();
    data?.close();
  }
}

export interface Reproduction {
  readonly status: 'equal' | 'different' | 'interrupted';
  readonly difference?: Difference;
  /** SHA-256 of the weights of the run, and of those trained now if it came to training. */
  readonly expected: string;
  readonly found?: string;
}

/** @throws MlpError ExitCode.noInput or data if there is no finished run; or as `train` */
export async function reproduce(path: string, options: TrainOptions = {}): Promise<Reproduction> {
  const note = (sentence: string) => options.listener?.note?.(sentence);
  for (const sentence of linksOf(path)) note(sentence);
  const then = readSummary(path);
  requireEnded(then, path);
  if (then.allreduce)
    note('the library of MPI has summed its gradients (--allreduce): other bits are no fault of it');
  const expected = then.weightsSha256;
  const different = (difference: Difference): Reproduction => ({ status: 'different', difference, expected });

  const configPath = join(path, RUN_FILES.config);
  const config = readJson(configPath);
  const configSha256 = sha256Of(config);
  if (configSha256 !== then.configSha256) {
    return different({ what: 'config', found: configSha256, expected: then.configSha256 });
  }
  const loaded = checkConfigFile(config, configPath, kernelOverrides(then));
  let read: ReadRun | undefined;
  try {
    // The run may be a stranger's: nothing outside of it is written.
    const how = { ...options, ranks: then.ranks, cache: 'read' } as const;
    read = await unlessUnavailable(prepare(loaded, how));
  } catch (error) {
    // Data that can't be read any more have changed: the hashes say which.
    const data = dataDifference(await fingerprintData(loaded.config.data, loaded.directory), then.data);
    if (data) return different(data);
    throw error;
  }
  if (read === undefined) {
    const { mixedPrecision } = loaded.config;
    const missing = mixedPrecision && bfloat16Missing(findNative(thisMachine()), thisMachine());
    if (missing)
      return different({ what: 'mixedPrecision', found: `none: ${missing}`, expected: mixedPrecision });
    return different({ what: 'backend', found: 'none of that name', expected: then.backend });
  }
  const { prepared, data } = read;
  try {
    const provenance = await provenanceInBackground(data, prepared, loaded.directory);
    const difference =
      dataDifference(provenance.data, then.data) ??
      startDifference(provenance, then) ??
      kernelsDifference(provenance, then);
    if (difference) return different(difference);
    return await trainAgain(path, then, prepared, provenance, options);
  } finally {
    data.close();
  }
}

/** Trains a prepared run, and compares its weights and steps with those of the run at `path`. */
async function trainAgain(
  path: string,
  then: RunSummary,
  prepared: PreparedRun,
  provenance: Provenance,
  options: TrainOptions,
): Promise<Reproduction> {
  const expected = then.weightsSha256;
  const stored = storedModel(path, (sentence) => options.listener?.note?.(sentence));

  const steps = new StepComparison(path);
  const ofRefit = prepared.refit && new StepComparison(join(path, RUN_FILES.refit), ' of the refit');
  const listener: RunListener = {
    ...options.listener,
    stepsDone: steps.compare,
    refitStarted: (refit) => ({
      ...options.listener?.refitStarted?.(refit),
      ...(ofRefit && { stepsDone: ofRefit.compare }),
    }),
  };
  const { result, model } = await runStages({ ...prepared, directory: path }, { ...options, listener });
  if (result.status === 'interrupted') return { status: 'interrupted', expected };
  const found = model.sha256;
  const isStored = stored === undefined || stored === expected;
  const difference =
    weightsDifference({ provenance, weightsSha256: found }, then, steps.first ? steps : (ofRefit ?? steps)) ??
    (isStored ? undefined : { what: RUN_FILES.model, found: `SHA-256 ${stored}`, expected });
  return { status: difference ? 'different' : 'equal', ...(difference && { difference }), expected, found };
}

/**
 * The hash of the weights in a run's model file; undefined if there is none.
 * @throws MlpError ExitCode.data if it is damaged
 */
function storedModel(run: string, note: (sentence: string) => void): string | undefined {
  const path = join(run, RUN_FILES.model);
  if (!statOf(path)) return undefined;
  const model = loadModel(path);
  for (const sentence of model.notes ?? []) note(sentence);
  return hashWeights(model);
}

/** The run does not need its model file, but who resumes it may rely on a copy of that file. */
function warnOfDamage(run: string, listener: RunListener | undefined): void {
  try {
    storedModel(run, () => {});
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    listener?.warn?.(`${error.message}: the run writes it anew`);
  }
}

/** A run that is prepared, and its data, which are to be closed. */
interface ReadRun {
  readonly prepared: PreparedRun;
  readonly data: RunData;
}

/** The kernels that a run was started with, if it is resumed. */
interface Started {
  readonly started?: BackendChoice['backend'] | undefined;
}

/**
 * Reads the data unless they are given, plans the run, and chooses its kernels and threads.
 * @param check is given the config as the data complete it
 */
async function prepare(
  loaded: LoadedTrainConfig,
  options: Pick<TrainOptions, 'listener' | 'memory' | 'data' | 'ranks' | 'pool'> &
    Started &
    Pick<ReadingOptions, 'cache'>,
  check?: (whole: LoadedTrainConfig) => void,
): Promise<ReadRun> {
  const { listener, memory, cache, pool = smallRuns } = options;
  // Before the data are read: a run may last for hours.
  const manyThreads = threadsWarning(loaded.config.threads);
  if (manyThreads) listener?.warn?.(manyThreads);
  if (isOfRun(loaded)) for (const sentence of dataOutside(loaded)) listener?.note?.(sentence);
  if (typeof options.ranks !== 'object') pool.warm();
  const reading = { progress: listener?.reading, note: listener?.note, memory, cache };
  const data = options.data?.share() ?? (await RunData.read(loaded, reading));
  try {
    return { prepared: planRun(loaded, data, options, check), data };
  } catch (error) {
    data.close();
    throw error;
  }
}

function planRun(
  loaded: LoadedTrainConfig,
  { dataset, refit, start }: RunData,
  { listener, ranks, started }: Pick<TrainOptions, 'listener' | 'ranks'> & Started,
  check: ((whole: LoadedTrainConfig) => void) | undefined,
): PreparedRun {
  listener?.dataRead?.(dataset);
  const whole = completeFor(loaded, dataset);
  check?.(whole);
  const { config } = whole;
  const plan = planTraining(whole, dataset, typeof ranks === 'object' ? ranks.size : ranks);
  if (start) requireSameNetwork(whole, plan, start);
  const second = refit && planRefit(whole, plan, refit);
  for (const warning of plan.warnings) listener?.warn?.(warning);
  for (const warning of second?.plan.warnings ?? []) listener?.warn?.(`in the refit: ${warning}`);
  const choice = started
    ? chooseAgain(config, plan, thisMachine(), started)
    : chooseBackend(config, plan, thisMachine());
  if (choice.note) listener?.note?.(choice.note);
  const processors = typeof ranks === 'object' ? ranks.processors : availableParallelism();
  const threads = chooseThreads(config.threads, choice, plan, processors);
  // The second training is of more rows: too many are found now, not after the first.
  if (second) bytesOf({ config: second.config, plan: second.plan, choice, threads });
  // "auto" becomes false where no target is scaled, so that the run's config says what was done.
  const isAuto = config.data.standardizeTarget === 'auto' && dataset.targetStandardization === undefined;
  const scaled = isAuto ? withScaling(config, false) : config;
  const parts = { ...(second && { refit: second }), ...(start && { start }) };
  return { config: scaled, plan, choice, threads, dataset, ...parts };
}

/** The bits of a BLAS depend on the number of threads, so "auto" must not choose it anew. */
function withThreadsOf(state: SavedRun | undefined, prepared: PreparedRun): PreparedRun {
  const isFree = prepared.config.threads === 'auto' && prepared.choice.backend === 'blas';
  return state && isFree ? { ...prepared, threads: state.origin.threads } : prepared;
}

/** "auto" is what the run made of it: runs of an older version wrote false. */
function withScalingOf({ data: { standardizeTarget } }: TrainConfig, loaded: LoadedTrainConfig) {
  if (loaded.config.data.standardizeTarget !== 'auto') return loaded;
  return { ...loaded, config: withScaling(loaded.config, standardizeTarget) };
}

/** A resumed run starts from the copy that it keeps, where its config says that there is one. */
function withStartOf({ training }: TrainConfig, run: string, loaded: LoadedTrainConfig): LoadedTrainConfig {
  if (training.from === undefined) return loaded;
  return withStart(loaded, resolve(run, training.from));
}

function withScaling(
  config: TrainConfig,
  standardizeTarget: TrainConfig['data']['standardizeTarget'],
): TrainConfig {
  return { ...config, data: { ...config.data, standardizeTarget } };
}

/** Hashes the data while the run already trains. Whoever awaits the promise gets its error. */
function provenanceInBackground(
  data: RunData,
  { plan, choice, threads, start }: PreparedRun,
  directory: string,
  others?: TrainOptions['ranks'],
): Promise<Provenance> {
  const versions = { version: version(), node: process.version };
  const allreduce = typeof others === 'object' && others.place.allreduce;
  const team = { threads, ranks: plan.division?.ranks ?? 1, allreduce };
  const provenance = data
    .hashes(directory)
    .then((data) => provenanceOf(versions, choice, team, data, start?.origin));
  provenance.catch(() => undefined);
  return provenance;
}

/** The provenance of a resumed run: its copy of what it started from does not tell where that came from. */
function withOriginOf(state: SavedRun | undefined, found: Promise<Provenance>): Promise<Provenance> {
  const from = state?.origin.from;
  if (!from) return found;
  const provenance = found.then((now) => ({ ...now, from }));
  provenance.catch(() => undefined);
  return provenance;
}

/** The kernels and threads of a run, whatever "auto" would choose here. */
function kernelOverrides({ backend, relaxed, threads }: RunSummary): string[] {
  const deterministic = backend === 'wasm' && !relaxed;
  return [`backend="${backend}"`, `threads=${threads}`, `deterministic=${deterministic}`];
}

async function unlessUnavailable<Result>(made: Promise<Result>): Promise<Result | undefined> {
  try {
    return await made;
  } catch (error) {
    if (error instanceof MlpError && error.exitCode === ExitCode.unavailable) return undefined;
    throw error;
  }
}
