/** Trains a prepared run, then its refit if it has one, and fills the run directory. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Dataset } from '../data/dataset/dataset.js';
import type { LoadOptions } from '../data/dataset/loadDataset.js';
import { ExitCode, MlpError } from '../errors.js';
import { RUN_FILES } from '../files/runFiles.js';
import type { FloatArray } from '../kernels/kernels.js';
import type { Model } from '../model/load.js';
import { encodeModel, modelTensors } from '../model/model.js';
import type { EncodedTensors, NamedTensor } from '../model/safetensors/encode.js';
import { printable } from '../text.js';
import { Divergence } from './divergence.js';
import type { RunSetup } from './engine/allocate.js';
import type { Engine } from './engine/engine.js';
import { Team } from './engine/team.js';
import { smallRuns, type ThreadPool } from './engine/threadPool.js';
import {
  type RefitResult,
  type RunProgress,
  runTraining,
  type TrainListener,
  type TrainResult,
} from './loop.js';
import type { RankFacts, Ranks } from './mpi/ranks.js';
import { modelContent } from './plan.js';
import type { RefitPlan } from './refit.js';
import type { RunDirectory } from './run/directory.js';
import type { Provenance } from './run/provenance.js';
import type { RunRecord } from './run/record.js';
import type { SavedRun } from './run/state.js';
import type { RunSummary } from './run/summary.js';
import type { RunData } from './runData.js';
import type { Start } from './start.js';

/** A run whose data are read and whose choices are made. */
export interface PreparedRun extends RunSetup {
  readonly dataset: Dataset;
  readonly refit?: RefitPlan;
  /** What it starts from, if it does not draw its weights. */
  readonly start?: Start;
  readonly directory?: string;
  readonly from?: RunProgress;
  /** Where the last checkpoint of its refit is, if it has one. */
  readonly refitFrom?: RunProgress;
  /** The processes that train together, if there are several. */
  readonly ranks?: RankFacts;
}

/** A refit that begins, or is resumed. */
export interface StartedRefit {
  /** Training and validation rows. */
  readonly rows: number;
  /** The epoch after which it stops: the one that the first training kept. */
  readonly epochs: number;
  readonly from?: RunProgress;
}

export interface RunListener extends TrainListener {
  readonly reading?: LoadOptions['progress'];
  dataRead?(dataset: Dataset): void;
  /** All choices are made, and nothing is started or written yet: an error ends it here. */
  prepared?(run: PreparedRun): void | Promise<void>;
  note?(sentence: string): void;
  warn?(sentence: string): void;
  started?(run: PreparedRun): void | Promise<void>;
  /** All results are in the run's directory, which is still locked. */
  written?(run: TrainedRun): void | Promise<void>;
  /** Between the trainings; returns what listens to the second. */
  refitStarted?(refit: StartedRefit): TrainListener;
}

export interface TrainOptions {
  /** When aborted, training ends after the current step, with the status "interrupted". */
  readonly signal?: AbortSignal | undefined;
  readonly listener?: RunListener | undefined;
  /** Tables that take the place of the config's files. */
  readonly memory?: LoadOptions['memory'];
  /** What `RunData.read` gave for a config with the same data, instead of reading them again. */
  readonly data?: RunData | undefined;
  /** The run is interrupted after so many epochs, if it has more, as if by the signal. */
  readonly pauseAfter?: number | undefined;
  /** The processes that train together, or how many this one takes the parts of; one by default. */
  readonly ranks?: Ranks | number | undefined;
  /** Threads that several runs use, one after another; by default those of small runs. */
  readonly pool?: ThreadPool | undefined;
}

/** With a refit, plan and dataset are those of the refit, whose network this is. */
export interface TrainedRun extends PreparedRun {
  readonly result: TrainResult;
  /** The network's tensors as the model file names them: copies, which outlive the run's memory. */
  readonly tensors: readonly NamedTensor[];
  readonly model: EncodedTensors;
}

/** Where a run is written, and the state that it resumes. */
export interface Recording {
  /** Called once the engine has started: until then, no file is touched. Missing at a rank that writes none. */
  readonly open?: () => Promise<RunDirectory>;
  /** The directory at such a rank, if the run is resumed. */
  readonly follows?: RunDirectory;
  readonly provenance: Promise<Provenance>;
  readonly state?: SavedRun | undefined;
  /** The last state of its refit. */
  readonly refitState?: SavedRun | undefined;
}

/** The same when it is open. */
interface OpenRecording extends Omit<Recording, 'open'> {
  readonly directory: RunDirectory;
}

/** Trains to the end or to an interruption, and fills the run directory. */
export async function runStages(
  prepared: PreparedRun,
  options: TrainOptions,
  recording?: Recording,
): Promise<TrainedRun> {
  let open: OpenRecording | undefined;
  try {
    const first = await runFirst(prepared, options, recording?.state, async () => {
      open = recording?.open && { ...recording, directory: await recording.open() };
      return open;
    });
    const { refit } = prepared;
    let trained = first;
    if (refit && first.result.status !== 'interrupted') {
      // Until the refit is done, the run is one that was interrupted.
      const unfinished: TrainedRun = { ...first, result: { ...first.result, status: 'interrupted' } };
      await writeResults(unfinished, open);
      trained = (await runRefit(first, refit, options, open ?? recording)) ?? unfinished;
      if (trained !== unfinished) await writeResults(trained, open);
    } else {
      await writeResults(first, open);
    }
    if (open) await options.listener?.written?.(trained);
    return trained;
  } catch (error) {
    if (!open?.directory.hasCheckpoint) throw error;
    const { path } = open.directory;
    options.listener?.note?.(`the last good checkpoint is in ${printable(path)}`);
    throw error instanceof Divergence ? error.withCheckpoint(path) : error;
  }
}

async function runFirst(
  prepared: PreparedRun,
  { signal, pauseAfter, listener = {}, pool, ranks }: TrainOptions,
  state: SavedRun | undefined,
  open: () => Promise<OpenRecording | undefined>,
): Promise<TrainedRun> {
  const { plan, dataset } = prepared;
  const content = modelContent(plan, dataset);
  return withEngine(prepared, { state, pool, ranks }, async (engine) => {
    const recording = await open();
    const { directory } = recording ?? {};
    const run: PreparedRun = {
      ...prepared,
      ...(directory && { directory: directory.path }),
      ...(state && { from: state.progress }),
      ...(typeof ranks === 'object' && { ranks: ranks.facts }),
    };
    if (directory && dataset.rejected) {
      await directory.changeRejected(dataset.rejected);
      listener.note?.(`${printable(join(directory.path, RUN_FILES.rejected))} lists the skipped rows`);
    }
    await listener.started?.(run);
    const result = await runTraining(engine, directory ? recorded(listener, directory) : listener, {
      signal,
      pauseAfter,
      from: state,
      save:
        recording &&
        (async (now) => recording.directory.saveCheckpoint(now, await recording.provenance, content)),
    });
    const tensors = keptTensors(engine);
    return { ...run, result, tensors, model: encodeModel(content, tensors) };
  });
}

/**
 * The run with the network of its refit; undefined if that was interrupted. A saved state that is of
 * another refit, or damaged, is discarded: all that the refit needs is the run.
 */
async function runRefit(
  first: TrainedRun,
  refit: RefitPlan,
  options: TrainOptions,
  recording: OpenRecording | Recording | undefined,
): Promise<TrainedRun | undefined> {
  const written = recording && 'directory' in recording ? recording.directory : undefined;
  const directory = written ?? recording?.follows;
  if (!recording || !directory) return trainRefit(first, refit, options);
  const { provenance, refitState: state } = recording;
  const record = await written?.refit();
  // As it comes out of a checkpoint. A run that was extended may have another epoch to stop at.
  const ranks = first.plan.division?.ranks ?? 1;
  const own = { refitEpochs: first.result.keptEpoch, ...(ranks > 1 && { ranks }) };
  const stamp = { ...directory.config, ...own };
  const config: unknown = JSON.parse(JSON.stringify(stamp));
  const how = { record, config, provenance };
  if (state && isDeepStrictEqual(state.config, config)) {
    try {
      return await trainRefit(first, refit, options, { ...how, state });
    } catch (error) {
      // Ranks would have to agree on that.
      const isAlone = typeof options.ranks !== 'object';
      if (!isAlone || !(error instanceof MlpError) || error.exitCode !== ExitCode.data) throw error;
      options.listener?.warn?.(`${error.message}: the refit starts anew`);
    }
  }
  record?.discard();
  return trainRefit(first, refit, options, how);
}

/** Where a refit is written, and the state that it resumes. */
interface RefitRecording {
  /** Missing at a rank that writes none. */
  readonly record: RunRecord | undefined;
  /** What its checkpoints say it is a refit of. */
  readonly config: unknown;
  readonly provenance: Promise<Provenance>;
  readonly state?: SavedRun;
}

async function trainRefit(
  first: TrainedRun,
  refit: RefitPlan,
  { signal, listener = {}, pool, ranks }: TrainOptions,
  recording?: RefitRecording,
): Promise<TrainedRun | undefined> {
  const { plan, dataset } = refit;
  const { choice, threads, start } = first;
  const { record, state } = recording ?? {};
  const epochs = first.result.keptEpoch;
  const again = { ...refit, choice, threads, ...(start && { start }) };
  return withEngine(again, { state, pool, ranks }, async (engine) => {
    await record?.start(state, (sentence) => listener.warn?.(sentence));
    if (state) {
      const { epochs, steps } = state.progress;
      listener.note?.(`resuming the refit after epoch ${epochs}, step ${steps}`);
    }
    const started = { rows: plan.rows.train, epochs, ...(state && { from: state.progress }) };
    const told = listener.refitStarted?.(started) ?? {};
    const result = await runTraining(engine, record ? recorded(told, record) : told, {
      signal,
      from: state,
      stopAfter: epochs,
      save:
        recording &&
        record &&
        (async (now) => record.save(now, await recording.provenance, recording.config)),
    }).catch((error) => {
      if (!(error instanceof MlpError)) throw error;
      const message = `in the refit: ${error.message}`;
      const options = { cause: error };
      if (error instanceof Divergence) throw new Divergence(message, error.hint, options);
      throw new MlpError(error.exitCode, message, error.hint, options);
    });
    if (result.status === 'interrupted') {
      listener.note?.(
        'the refit was interrupted: until it is resumed, the model is that of the first training',
      );
      return undefined;
    }
    const { train, test, steps, lastStepLoss, trainSeconds, samplesPerSecond } = result;
    const done: RefitResult = {
      rows: plan.rows.train,
      epochs: result.epochs,
      steps,
      lastStepLoss,
      train,
      trainSeconds,
      samplesPerSecond,
    };
    const tensors = keptTensors(engine);
    return {
      ...first,
      plan,
      dataset,
      result: { ...first.result, ...(test && { test }), refit: done },
      tensors,
      model: encodeModel(modelContent(plan, dataset), tensors),
    };
  });
}

/** The model of a run as `loadModel` gives it. @param path what messages call it */
export function modelOf({ plan, dataset, config, tensors }: TrainedRun, path: string): Model {
  return {
    ...modelContent(plan, dataset),
    path,
    dtype: config.dtype,
    tensors: new Map(tensors.map(({ name, data }) => [name, data as FloatArray])),
  };
}

function keptTensors({ parameters, statistics }: Engine): NamedTensor[] {
  return modelTensors(parameters, statistics).map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
}

async function writeResults(
  { result, model }: TrainedRun,
  recording: OpenRecording | undefined,
): Promise<void> {
  if (!recording) return;
  const { directory, provenance } = recording;
  await directory.writeModel(model);
  await directory.writeSummary(summaryOf(directory.configSha256, await provenance, result, model.sha256));
}

function summaryOf(configSha256: string, provenance: Provenance, result: TrainResult, weightsSha256: string) {
  const { train, validation, test, refit, ...rest } = result;
  const metrics = { train: train.metrics, validation: validation?.metrics, test: test?.metrics };
  return {
    ...provenance,
    configSha256,
    ...rest,
    ...metrics,
    ...(refit && { refit: { ...refit, train: refit.train.metrics } }),
    weightsSha256,
  } satisfies RunSummary;
}

/** A listener that is told of steps and epochs once they are written. */
function recorded(
  listener: TrainListener,
  record: Pick<RunRecord, 'writeSteps' | 'writeEpoch' | 'writeLayers'>,
): TrainListener {
  return {
    epochStarted: (...args) => listener.epochStarted?.(...args),
    progress: (...args) => listener.progress?.(...args),
    exchanged: (...args) => listener.exchanged?.(...args),
    async stepsDone(steps) {
      await record.writeSteps(steps);
      await listener.stepsDone?.(steps);
    },
    async epochDone(epoch) {
      await record.writeEpoch(epoch);
      await listener.epochDone?.(epoch);
    },
    async layersObserved(epoch, layers) {
      await record.writeLayers(epoch, layers);
      await listener.layersObserved?.(epoch, layers);
    },
  };
}

async function withEngine<Result>(
  { dataset, config, plan, choice, threads, start }: PreparedRun,
  {
    state,
    pool = smallRuns,
    ranks,
  }: Pick<TrainOptions, 'pool' | 'ranks'> & { readonly state: SavedRun | undefined },
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const others = typeof ranks === 'object' ? ranks : undefined;
  const options = { pool, weights: start?.model.tensors, ranks: others };
  const engine = await Team.start({ config, plan, choice, threads }, dataset, state?.engine, options);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}
