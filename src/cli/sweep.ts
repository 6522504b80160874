/** mlp sweep: tries settings of a config, and shows which are best. */
import { basename, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { isObject, parseJson, readJson } from '../spec/json.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import { checkSweep, type LoadedSweep } from '../spec/sweepConfig.js';
import { STUDY_FILES, type Study } from '../sweep/study.js';
import { type SweepListener, sweep } from '../sweep/sweep.js';
import { counted, printable } from '../text.js';
import { launchOf } from '../training/mpi/library.js';
import type { CommonOptions } from './options.js';
import { note } from './output.js';
import type { SharedWork } from './ranks.js';
import { SweepReport } from './sweepReport.js';
import { type OverrideOptions, overridesOf, requireOneDirectory, unlessFailed } from './train.js';

export interface SweepOptions extends CommonOptions, OverrideOptions {
  readonly space?: string;
  readonly method?: string;
  readonly metric?: string;
  readonly trials?: number;
  readonly parallel?: number;
  readonly run?: string;
  readonly resume?: string;
}

export async function run(path: string, options: SweepOptions): Promise<void> {
  requireOneDirectory(options.run, options.resume);
  const launch = launchOf(process.env);
  if (!launch) return sweepAndReport(path, options);
  const { shareWork } = await import('./ranks.js');
  return shareWork(launch, {
    start: (share) => sweepAndReport(path, options, share),
    async join(study, { processors, signal }) {
      const { loaded, base } = load(path, options);
      const { parallel } = options;
      await sweep(loaded, base, { resume: study, parallel, processors, signal, listener: SILENT });
    },
  });
}

/** Of a process beside the one that prints. */
const SILENT: SweepListener = {
  warn() {},
  started() {},
  trialStarted() {},
  epoch() {},
  trialEnded() {},
};

function load(path: string, options: SweepOptions): { loaded: LoadedSweep; base: LoadedTrainConfig } {
  const loaded = loadSweep(path, options);
  return { loaded, base: loadTrainConfig(baseOf(loaded), overridesOf(options)) };
}

async function sweepAndReport(
  path: string,
  options: SweepOptions,
  share?: Parameters<SharedWork['start']>[0],
): Promise<void> {
  const { loaded, base } = load(path, options);
  const report = new SweepReport(options);
  try {
    const { run: directory, resume, parallel } = options;
    const { signal } = report;
    const how = { directory, resume, parallel, signal, listener: report, ...share };
    const study = await sweep(loaded, base, how);
    await report.end(study);
    await unlessFailed(study.path, async () => {
      const { writeStudyReport } = await import('../analysis/several.js');
      await writeStudyReport(study.path);
    });
    if (!signal.aborted) {
      requireAny(study);
      return;
    }
    process.exitCode = report.exitCode;
    const file = printable(join(study.path, STUDY_FILES.sweep));
    note(`resume with: mlp sweep ${file} --resume ${printable(study.path)}`);
  } finally {
    report.close();
  }
}

/** @throws MlpError ExitCode.config if each trial failed, for the reason of the first */
function requireAny({ trials, path }: Study): void {
  const failures = trials.flatMap(({ results }) => results.find(({ state }) => state === 'failed') ?? []);
  if (trials.length === 0 || failures.length < trials.length) return;
  throw new MlpError(
    ExitCode.config,
    `${printable(path)}: each of ${counted(trials.length, 'trial')} failed, the first by: ${failures[0].reason}`,
    'change the space or the base config: mlp sweep starts a new study',
  );
}

/** The sweep of a file, or of a train config and --space; options replace its keys. */
function loadSweep(path: string, { space, method, metric, trials }: SweepOptions): LoadedSweep {
  const { value, text } = readJson(path);
  const own = {
    ...(space !== undefined && { base: basename(path), space: parseJson(space, '--space') }),
    ...(method !== undefined && { method }),
    ...(metric !== undefined && { metric }),
    ...(trials !== undefined && { trials }),
  };
  if (space !== undefined) return checkSweep(own, path);
  if (isObject(value) && Object.hasOwn(value, 'data') && !Object.hasOwn(value, 'space')) {
    throw new MlpError(
      ExitCode.usage,
      `${printable(path)}: found a train config without --space, expected a sweep`,
      `give its space: --space '{"training.optimizer.learningRate": {"log": [1e-4, 0.1]}}'; mlp init --sweep writes a sweep`,
    );
  }
  return checkSweep(isObject(value) ? { ...value, ...own } : value, path, text);
}

/** The path of the train config of a sweep. */
function baseOf({ sweep: { base }, directory, where }: LoadedSweep): string {
  if (base !== undefined) return isAbsolute(base) ? base : join(directory, base);
  throw new MlpError(
    ExitCode.config,
    `${where([])}: found no base, expected the path of a train config`,
    'add "base": "config.json"',
  );
}
