/** From a config and data to a trained network, for `mlp train`, `repro` and the library. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset/dataset.js';
import { type LoadOptions, loadDataset } from '../data/dataset/loadDataset.js';
import { fingerprintData } from '../data/source/source.js';
import { ReadFiles } from '../data/source/storedFile.js';
import { ExitCode, MlpError } from '../errors.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { thisMachine } from '../kernels/blas/find.js';
import { hashWeights, loadModel } from '../model/load.js';
import { encodeModel, modelTensors } from '../model/model.js';
import type { EncodedTensors, NamedTensor } from '../model/safetensors/encode.js';
import { readJson } from '../spec/json.js';
import { checkConfigFile, checkTrainConfig, type LoadedTrainConfig } from '../spec/loadConfig.js';
import type { TrainConfig } from '../spec/trainConfig.js';
import { counted, printable } from '../text.js';
import { version } from '../version.js';
import type { RunSetup } from './engine/allocate.js';
import { chooseBackend, chooseThreads } from './engine/backend.js';
import type { Engine } from './engine/engine.js';
import { Team } from './engine/team.js';
import { type RunProgress, runTraining, type TrainListener, type TrainResult } from './loop.js';
import { completeFor, modelContent, planTraining } from './plan.js';
import { RunDirectory } from './run/directory.js';
import { dataOutside, isOfRun, linksOf } from './run/outside.js';
import {
  type Difference,
  dataDifference,
  kernelsDifference,
  type Provenance,
  provenanceOf,
} from './run/provenance.js';
import { requireReachable, requireSameConfig, requireSameProvenance } from './run/resume.js';
import type { SavedRun } from './run/state.js';
import {
  type RunSummary,
  readSummary,
  requireEnded,
  StepComparison,
  weightsDifference,
} from './run/summary.js';

/** A run whose data are read and whose choices are made. */
export interface PreparedRun extends RunSetup {
  readonly dataset: Dataset;
  readonly directory?: string;
  readonly from?: RunProgress;
}

export interface RunListener extends TrainListener {
  readonly reading?: LoadOptions['progress'];
  dataRead?(dataset: Dataset): void;
  note?(sentence: string): void;
  warn?(sentence: string): void;
  started?(run: PreparedRun): void | Promise<void>;
}

export interface TrainOptions {
  /** When aborted, training ends after the current step, with the status "interrupted". */
  readonly signal?: AbortSignal | undefined;
  readonly listener?: RunListener | undefined;
  /** Tables that take the place of the config's files. */
  readonly memory?: LoadOptions['memory'];
}

export interface TrainedRun extends PreparedRun {
  readonly result: TrainResult;
  /** The network's tensors as the model file names them: views of the run's memory. */
  readonly tensors: readonly NamedTensor[];
  readonly model: EncodedTensors;
}

/**
 * @param options.directory to create; `true` for the first free `runs/<config name>-<n>`
 * @throws MlpError ExitCode.noInput, noPermission, io or data for the data; config if the config
 * does not fit them, the run is too large, or it diverges; unavailable for a backend that the
 * machine lacks; cantCreate or busy for the directory
 */
export async function train(
  loaded: LoadedTrainConfig,
  options: TrainOptions & { readonly directory?: string | true | undefined } = {},
): Promise<TrainedRun> {
  const { directory } = options;
  if (directory === undefined) {
    const prepared = await prepare(loaded, options);
    return withEngine(prepared, undefined, (engine) => runIn(engine, prepared, options));
  }
  const files = new ReadFiles();
  const prepared = await prepare(loaded, options, files);
  const provenance = provenanceInBackground(files, prepared);
  return withEngine(prepared, undefined, async (engine) => {
    const { path, directory: configDirectory } = loaded;
    const { config } = prepared;
    const asked = directory === true ? undefined : directory;
    const run = await RunDirectory.create(asked, config, path, configDirectory);
    return closing(run, () => runIn(engine, prepared, options, { directory: run, provenance }));
  });
}

/**
 * Resumes the run at `path` from its last checkpoint, or its start: it ends in the same bits.
 * @param options.mayExtend whether the config may make the run longer
 * @throws MlpError as `train`, and ExitCode.config, data or unavailable if the config, the data or
 * the kernels differ from the run's
 */
export async function resume(
  asked: LoadedTrainConfig,
  path: string,
  options: TrainOptions & { readonly mayExtend?: boolean } = {},
): Promise<TrainedRun> {
  const { listener, mayExtend = false } = options;
  for (const sentence of linksOf(path)) listener?.note?.(sentence);
  const directory = await RunDirectory.open(path);
  return closing(directory, async () => {
    const { configPath } = directory;
    const { config: ofRun, where } = directory.loadConfig();
    const loaded = withScalingOf(ofRun, asked);
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
    const files = new ReadFiles();
    const prepared = withThreadsOf(state, await prepare(loaded, options, files, requireSame));
    const provenance = provenanceInBackground(files, prepared);
    if (state) {
      requireReachable(prepared.plan, state.progress, loaded.where);
      requireSameProvenance(await provenance, state.origin, path);
      const { origin, progress } = state;
      if (origin.version !== version()) listener?.warn?.(`the run was started with mlp ${origin.version}`);
      listener?.note?.(`resuming after epoch ${progress.epochs}, step ${progress.steps}`);
      warnOfDamage(path, listener);
    } else {
      listener?.note?.(`${printable(path)} has no checkpoint yet: starting from the beginning`);
    }
    return withEngine(prepared, state, async (engine) => {
      await directory.resume(state, (sentence) => listener?.warn?.(sentence));
      if (mayExtend) await directory.writeConfig(prepared.config, loaded.directory);
      return runIn(engine, prepared, options, { directory, provenance, state });
    });
  });
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
  const expected = then.weightsSha256;
  const different = (difference: Difference): Reproduction => ({ status: 'different', difference, expected });

  const configPath = join(path, RUN_FILES.config);
  const config = readJson(configPath);
  if (config.sha256 !== then.configSha256) {
    return different({ what: 'config', found: config.sha256, expected: then.configSha256 });
  }
  const loaded = checkConfigFile(config, configPath, kernelOverrides(then));
  const files = new ReadFiles();
  let prepared: PreparedRun | undefined;
  try {
    prepared = await unlessUnavailable(prepare(loaded, options, files));
  } catch (error) {
    // Data that can't be read any more have changed: the hashes say which.
    const data = dataDifference(await fingerprintData(loaded.config.data, loaded.directory), then.data);
    if (data) return different(data);
    throw error;
  }
  if (prepared === undefined) {
    return different({ what: 'backend', found: 'none of that name', expected: then.backend });
  }
  const provenance = await provenanceInBackground(files, prepared);
  const data = dataDifference(provenance.data, then.data);
  if (data) return different(data);
  const kernels = kernelsDifference(provenance, then);
  if (kernels) return different(kernels);

  const stored = storedModel(path, note);

  const steps = new StepComparison(path);
  const listener = { ...options.listener, stepsDone: steps.compare };
  const { result, model } = await withEngine(prepared, undefined, (engine) =>
    runIn(engine, { ...prepared, directory: path }, { ...options, listener }),
  );
  if (result.status === 'interrupted') return { status: 'interrupted', expected };
  const found = model.sha256;
  const isStored = stored === undefined || stored === expected;
  const difference =
    weightsDifference({ provenance, weightsSha256: found }, then, steps) ??
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

/**
 * Reads the data, plans the run, and chooses its kernels and threads.
 * @param files takes the files that are read; closed if anything fails
 * @param check is given the config as the data complete it
 */
async function prepare(
  loaded: LoadedTrainConfig,
  options: Pick<TrainOptions, 'listener' | 'memory'>,
  files?: ReadFiles,
  check?: (whole: LoadedTrainConfig) => void,
): Promise<PreparedRun> {
  try {
    return await planRun(loaded, options, files, check);
  } catch (error) {
    files?.close();
    throw error;
  }
}

async function planRun(
  loaded: LoadedTrainConfig,
  { listener, memory }: Pick<TrainOptions, 'listener' | 'memory'>,
  files: ReadFiles | undefined,
  check: ((whole: LoadedTrainConfig) => void) | undefined,
): Promise<PreparedRun> {
  const { directory, where } = loaded;
  const processors = availableParallelism();
  // Before the data are read: a run may last for hours. Twice as many are no harm.
  const asked = loaded.config.threads;
  if (typeof asked === 'number' && asked > 2 * processors) {
    listener?.warn?.(
      `threads is ${asked}, but this machine has ${counted(processors, 'processor')}: ` +
        'threads that wait for a processor make the run slower ("auto" chooses)',
    );
  }
  const reading = listener?.reading;
  if (isOfRun(loaded)) for (const sentence of dataOutside(loaded)) listener?.note?.(sentence);
  const dataset = await loadDataset(loaded.config, directory, where, {
    ...(memory && { memory }),
    ...(reading && { progress: reading }),
    ...(files && { files }),
  });
  listener?.dataRead?.(dataset);
  const whole = completeFor(loaded, dataset);
  check?.(whole);
  const { config } = whole;
  const plan = planTraining(whole, dataset);
  for (const warning of plan.warnings) listener?.warn?.(warning);
  const choice = chooseBackend(config, plan, thisMachine());
  if (choice.note) listener?.note?.(choice.note);
  const threads = chooseThreads(config.threads, choice, plan, processors);
  // "auto" becomes false where no target is scaled, so that the run's config says what was done.
  const isAuto = config.data.standardizeTarget === 'auto' && dataset.targetStandardization === undefined;
  return { config: isAuto ? withScaling(config, false) : config, plan, choice, threads, dataset };
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

function withScaling(
  config: TrainConfig,
  standardizeTarget: TrainConfig['data']['standardizeTarget'],
): TrainConfig {
  return { ...config, data: { ...config.data, standardizeTarget } };
}

/** Hashes the data while the run already trains. Whoever awaits the promise gets its error. */
function provenanceInBackground(files: ReadFiles, { choice, threads }: PreparedRun): Promise<Provenance> {
  const versions = { version: version(), node: process.version };
  const provenance = files.hashes().then((data) => provenanceOf(versions, choice, threads, data));
  provenance.catch(() => undefined);
  return provenance;
}

async function withEngine<Result>(
  { dataset, config, plan, choice, threads }: PreparedRun,
  state: SavedRun | undefined,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  return closing(await Team.start({ config, plan, choice, threads }, dataset, state?.engine), use);
}

async function closing<Resource extends { close(): Promise<void> }, Result>(
  resource: Resource,
  use: (resource: Resource) => Promise<Result>,
): Promise<Result> {
  try {
    return await use(resource);
  } finally {
    await resource.close();
  }
}

/** Where a run is written, and the state that it resumes. */
interface Recording {
  readonly directory: RunDirectory;
  readonly provenance: Promise<Provenance>;
  readonly state?: SavedRun | undefined;
}

/** Trains to the end or to an interruption, and fills the run directory. */
async function runIn(
  engine: Engine,
  prepared: PreparedRun,
  { signal, listener = {} }: TrainOptions,
  recording?: Recording,
): Promise<TrainedRun> {
  const { plan, dataset } = prepared;
  const { directory, state } = recording ?? {};
  const run: PreparedRun = {
    ...prepared,
    ...(directory && { directory: directory.path }),
    ...(state && { from: state.progress }),
  };
  try {
    if (directory && dataset.rejected) {
      await directory.writeRejected(dataset.rejected);
      listener.note?.(`${printable(join(directory.path, RUN_FILES.rejected))} lists the skipped rows`);
    }
    await listener.started?.(run);
    const result = await runTraining(engine, directory ? recorded(listener, directory) : listener, {
      signal,
      from: state,
      save: recording && (async (now) => recording.directory.saveCheckpoint(now, await recording.provenance)),
    });
    const tensors = modelTensors(engine.parameters, engine.statistics);
    const model = encodeModel(modelContent(plan, dataset), tensors);
    if (recording) {
      const { directory, provenance } = recording;
      await directory.writeModel(model);
      await directory.writeSummary(summaryOf(directory.configSha256, await provenance, result, model.sha256));
    }
    return { ...run, result, tensors, model };
  } catch (error) {
    if (directory?.hasCheckpoint) {
      listener.note?.(`the last good checkpoint is in ${printable(directory.path)}`);
    }
    throw error;
  }
}

/** A listener that is told of steps and epochs once they are in the run directory. */
function recorded(listener: TrainListener, directory: RunDirectory): TrainListener {
  return {
    epochStarted: (...args) => listener.epochStarted?.(...args),
    progress: (...args) => listener.progress?.(...args),
    async stepsDone(record) {
      await directory.writeSteps(record);
      await listener.stepsDone?.(record);
    },
    async epochDone(record) {
      await directory.writeEpoch(record);
      await listener.epochDone?.(record);
    },
  };
}

function summaryOf(configSha256: string, provenance: Provenance, result: TrainResult, weightsSha256: string) {
  const { train, validation, test, ...rest } = result;
  const metrics = { train: train.metrics, validation: validation?.metrics, test: test?.metrics };
  return {
    ...provenance,
    configSha256,
    ...rest,
    ...metrics,
    weightsSha256,
  } satisfies RunSummary;
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
