/** mlp train: from a config to a run directory, with progress on the way and curves at the end; or on from a checkpoint. */

import { ExitCode, MlpError } from '../errors.js';
import { encodeModel, modelTensors } from '../model/model.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/load.js';
import { printable } from '../text.js';
import type { Engine } from '../training/engine/engine.js';
import { Team } from '../training/engine/team.js';
import type { TrainListener, TrainResult } from '../training/loop.js';
import { runTraining } from '../training/loop.js';
import { modelContent } from '../training/plan.js';
import { RunDirectory } from '../training/run/directory.js';
import type { Provenance } from '../training/run/provenance.js';
import { requireReachable, requireSameConfig, requireSameProvenance } from '../training/run/resume.js';
import type { SavedRun } from '../training/run/state.js';
import { hashConfig, type RunSummary } from '../training/run/summary.js';
import { version } from '../version.js';
import { Interruption } from './interruption.js';
import type { CommonOptions } from './options.js';
import { originOf } from './origin.js';
import { note, warn } from './output.js';
import { type Prepared, prepareRun } from './prepare.js';
import { createReporter } from './trainReport.js';

export interface TrainOptions extends CommonOptions {
  readonly set: readonly string[];
  readonly backend?: string;
  readonly threads?: number | 'auto';
  readonly deterministic?: boolean;
  readonly run?: string;
  readonly resume?: string;
  readonly extend?: boolean;
}

export async function run(path: string, options: TrainOptions): Promise<void> {
  requireSense(options);
  const loaded = loadTrainConfig(path, overridesOf(options));
  if (options.resume === undefined) await start(loaded, options);
  else await resume(options.resume, loaded, options);
}

/** Trains into a new directory. */
async function start(loaded: LoadedTrainConfig, options: TrainOptions): Promise<void> {
  const prepared = await prepareRun(loaded, options);
  const origin = originOf(prepared);
  const engine = await Team.start(prepared, prepared.dataset);
  try {
    const { config, path, directory } = loaded;
    const runDirectory = await RunDirectory.create(options.run, config, path, directory);
    try {
      await trainInto(runDirectory, engine, prepared, { origin, state: undefined }, options);
    } finally {
      await runDirectory.close();
    }
  } finally {
    await engine.close();
  }
}

/** Goes on with a run from its last checkpoint, or from its beginning where it has not come as far as one. */
async function resume(path: string, loaded: LoadedTrainConfig, options: TrainOptions): Promise<void> {
  const runDirectory = await RunDirectory.open(path);
  try {
    const mayExtend = options.extend === true;
    requireSameConfig(loaded.config, runDirectory.config, {
      place: loaded.path,
      run: runDirectory.configPath,
      mayExtend,
    });
    const state = await runDirectory.load(warn);
    const prepared = withThreadsOf(state, await prepareRun(loaded, options));
    const origin = originOf(prepared);
    if (state) {
      requireReachable(prepared.plan, state.progress, loaded.path);
      requireSameProvenance(await origin, state.origin, path);
      if (state.origin.version !== version()) warn(`the run was started with mlp ${state.origin.version}`);
      note(`going on after epoch ${state.progress.epochs}, step ${state.progress.steps}`);
    } else {
      note(`${printable(path)} has no checkpoint yet: starting from the beginning`);
    }
    const engine = await Team.start(prepared, prepared.dataset, state?.engine);
    try {
      if (mayExtend) await runDirectory.writeConfig(loaded.config, loaded.directory);
      await runDirectory.resume(state);
      await trainInto(runDirectory, engine, prepared, { origin, state }, options);
    } finally {
      await engine.close();
    }
  } finally {
    await runDirectory.close();
  }
}

interface Beginning {
  readonly origin: Promise<Provenance>;
  readonly state: SavedRun | undefined;
}

/** Trains to the end, or to an interruption, and fills the run directory; closes it before it tells of the end. */
async function trainInto(
  runDirectory: RunDirectory,
  engine: Engine,
  { config, plan, dataset }: Prepared,
  { origin, state }: Beginning,
  options: TrainOptions,
): Promise<void> {
  const { path } = runDirectory;
  const subject = { config, plan, dataset, engine, run: path, ...(state && { from: state.progress }) };
  const reporter = await createReporter(options, subject);
  const interruption = new Interruption('finishing the step, then saving', reporter.finish);
  try {
    reporter.start();
    const listener: TrainListener = {
      epochStarted: reporter.epochStarted,
      progress: reporter.progress,
      stepsDone: (record) => runDirectory.writeSteps(record),
      async epochDone(record) {
        await runDirectory.writeEpoch(record);
        reporter.epochDone(record);
      },
    };
    const result = await runTraining(engine, listener, {
      signal: interruption.signal,
      ...(state && { from: state }),
      save: async (now) => runDirectory.saveCheckpoint(now, await origin),
    });
    const model = encodeModel(
      modelContent(plan, dataset),
      modelTensors(engine.parameters, engine.statistics),
    );
    await runDirectory.writeModel(model);
    await runDirectory.writeSummary(await summaryOf(path, await origin, result, model.sha256));
    await runDirectory.close();
    reporter.finish();
    reporter.end(result, model.sha256);
    if (result.status === 'interrupted') {
      process.exitCode = interruption.exitCode;
      note(`go on with: mlp train ${printable(runDirectory.configPath)} --resume ${printable(path)}`);
    }
  } catch (error) {
    reporter.finish();
    if (runDirectory.hasCheckpoint) note(`the last good checkpoint is in ${printable(path)}`);
    throw error;
  } finally {
    reporter.finish();
    interruption.release();
  }
}

/** What run.json says. */
async function summaryOf(path: string, origin: Provenance, result: TrainResult, weightsSha256: string) {
  const { train, validation, test, ...rest } = result;
  const metrics = { train: train.metrics, validation: validation?.metrics, test: test?.metrics };
  return {
    ...origin,
    configSha256: hashConfig(path),
    ...rest,
    ...metrics,
    weightsSha256,
  } satisfies RunSummary;
}

/** The bits of a BLAS depend on the number of threads, which "auto" must not choose anew. */
function withThreadsOf(state: SavedRun | undefined, prepared: Prepared): Prepared {
  const isFree = prepared.config.threads === 'auto' && prepared.choice.backend === 'blas';
  return state && isFree ? { ...prepared, threads: state.origin.threads } : prepared;
}

/** An MlpError (64) for options that say nothing together. */
function requireSense({ run, resume, extend }: TrainOptions): void {
  if (run !== undefined && resume !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      'found both --run and --resume, expected one of them',
      '--resume goes on in the directory of the run',
    );
  }
  if (extend && resume === undefined) {
    throw new MlpError(ExitCode.usage, 'found --extend without --resume', 'name the run with --resume <dir>');
  }
}

/** The overrides of --set, with those of the options that are short for one. */
function overridesOf({ set, backend, threads, deterministic }: TrainOptions): string[] {
  return [
    ...set,
    ...(backend === undefined ? [] : [`backend=${JSON.stringify(backend)}`]),
    ...(threads === undefined ? [] : [`threads=${JSON.stringify(threads)}`]),
    ...(deterministic ? ['deterministic=true'] : []),
  ];
}
