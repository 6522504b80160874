/** mlp train: trains a network into a run directory, or resumes a run. */
import { dirname, join, relative, resolve as resolvePath } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { RUN_FILES } from '../files/runFiles.js';
import { openLogs } from '../logs/open.js';
import { withLogs } from '../logs/runLog.js';
import { type LoadedTrainConfig, loadTrainConfig } from '../spec/loadConfig.js';
import { counted, formatCount, printable } from '../text.js';
import { launchOf } from '../training/mpi/library.js';
import { sameOnAllRanks } from '../training/mpi/prepared.js';
import type { Ranks } from '../training/mpi/ranks.js';
import type { PreparedRun, RunListener, TrainedRun } from '../training/stages.js';
import { resume, train } from '../training/train.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { ENDINGS } from './terminal.js';
import { RunReport } from './trainReport.js';

/** What changes the config. */
export interface OverrideOptions {
  readonly set?: readonly string[];
  readonly backend?: string;
  readonly threads?: number | 'auto';
  readonly deterministic?: boolean;
}

export interface TrainOptions extends CommonOptions, OverrideOptions {
  readonly run?: string;
  readonly from?: string;
  readonly resume?: string;
  readonly extend?: boolean;
  readonly log?: readonly string[];
  readonly gradcheck?: boolean;
  readonly ranksSimulated?: number;
  readonly allreduce?: boolean;
  /** Whether to write the page of the run. */
  readonly report?: boolean;
}

export async function run(path: string, options: TrainOptions): Promise<void> {
  const launch = launchOf(process.env);
  requireConsistent(options, launch !== undefined);
  if (!launch) return trainAndReport(path, options);
  const { withRanks } = await import('./ranks.js');
  return withRanks(launch, options.allreduce === true, (ranks) =>
    ranks && ranks.place.rank > 0 ? follow(path, options, ranks) : trainAndReport(path, options, ranks),
  );
}

/** The config of a run, with what the command line changes. */
function loadRunConfig(path: string, options: TrainOptions): LoadedTrainConfig {
  return loadTrainConfig(path, [...overridesOf(options), ...startOf(path, options)]);
}

/** @param ranks the processes of the run, of which this one writes and prints */
async function trainAndReport(path: string, options: TrainOptions, ranks?: Ranks): Promise<void> {
  const loaded = loadRunConfig(path, options);
  const logs = openLogs(options.log ?? [], (sentence) => report.warn(sentence));
  const report = new RunReport(options, 'finishing the step, then saving');
  report.signal.addEventListener('abort', () => ranks?.askToStop());
  let status: string | undefined;
  try {
    const signal = ranks?.signal ?? report.signal;
    const prepared = async (run: PreparedRun) => {
      if (options.gradcheck) await checkGradients(run, path, options);
      await ranks?.agree({ same: sameOnAllRanks(run) });
    };
    const listener = {
      ...withLogs(report.listener, logs),
      prepared,
      ...(options.report !== false && { written: writeReport }),
    };
    const how = { listener, signal, ranks: ranks ?? options.ranksSimulated };
    const trained =
      options.resume === undefined
        ? await train(loaded, { ...how, directory: options.run ?? true })
        : await resume(loaded, options.resume, { ...how, mayExtend: options.extend === true });
    status = trained.result.status;
    report.end(trained);
    if (trained.result.status === 'interrupted') {
      // Another rank may have had the signal.
      process.exitCode = report.exitCode || ExitCode.terminated;
      const { directory = '' } = trained;
      const config = join(directory, RUN_FILES.config);
      const launcher = ranks ? `mpirun -n ${ranks.size} ` : '';
      note(`resume with: ${launcher}mlp train ${printable(config)} --resume ${printable(directory)}`);
    }
  } finally {
    report.close();
    for (const log of logs) await log.close(status);
  }
}

/** Takes the steps of a run that another rank writes. */
async function follow(path: string, options: TrainOptions, ranks: Ranks): Promise<void> {
  const listener: RunListener = {
    async prepared(run) {
      await ranks.agree({ same: sameOnAllRanks(run) });
    },
    // Until then, a signal ends the process.
    started() {
      for (const [signal] of ENDINGS) process.on(signal, () => ranks.askToStop());
    },
  };
  const loaded = loadRunConfig(path, options);
  const how = { listener, signal: ranks.signal, ranks };
  if (options.resume === undefined) await train(loaded, how);
  else await resume(loaded, options.resume, { ...how, mayExtend: options.extend === true, follows: true });
}

function writeReport(trained: TrainedRun): Promise<void> {
  return unlessFailed(trained.directory ?? '', async () => {
    // Loaded at the end: most of the time of a short training is that of loading modules.
    const { writeTrainedReport } = await import('../analysis/writeReport.js');
    await writeTrainedReport(trained);
  });
}

/** Writes the page of a directory. It is no reason for a training to fail. */
export async function unlessFailed(directory: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`${join(directory, RUN_FILES.report)} was not written: ${reason}`);
  }
}

/**
 * Says in one line, an event with --json, whether the gradients of the first batch are right.
 * @throws MlpError ExitCode.checkFailed if they are not
 */
async function checkGradients(run: PreparedRun, path: string, { json }: TrainOptions): Promise<void> {
  const { checkFirstBatch } = await import('../library/gradcheck.js');
  const { check, rows } = checkFirstBatch(run, path);
  const { passed, parameters, maxRelativeError } = check;
  const kinks = parameters.filter(({ kink }) => kink).length;
  const wrong = parameters.filter(({ passed }) => !passed);
  if (json) {
    const counts = { derivatives: parameters.length, kinks, wrong: wrong.length, rows };
    print(toJson({ event: 'gradcheck', passed, ...counts, maxRelativeError }));
  }
  const on = `${counted(parameters.length, 'derivative')} on ${counted(rows, 'row')} of the first batch`;
  if (!passed) {
    const [{ name, problem }] = wrong;
    throw new MlpError(
      ExitCode.checkFailed,
      `${printable(path)}: found ${formatCount(wrong.length)} of ${on} wrong, expected none; the first is ${name}: ${problem}`,
      `the training has not started; mlp gradcheck ${printable(path)} shows more`,
    );
  }
  const atKinks = kinks > 0 ? `, ${kinks} at a kink` : '';
  if (!json)
    note(`gradients checked: ${on}, largest relative error ${maxRelativeError.toExponential(1)}${atKinks}`);
}

/** @throws MlpError ExitCode.usage for options that contradict each other */
function requireConsistent(
  { run, from, resume, extend, ranksSimulated, allreduce }: TrainOptions,
  isOneOfSeveral: boolean,
): void {
  if (isOneOfSeveral && ranksSimulated !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      'found --ranks-simulated in one of several processes, expected it without a launcher',
      'leave it out: the launcher says how many ranks there are',
    );
  }
  if (allreduce && !isOneOfSeveral) {
    throw new MlpError(
      ExitCode.usage,
      'found --allreduce in a process of its own, expected several',
      'start them with mpirun -n <ranks> mlp train …',
    );
  }
  requireOneDirectory(run, resume);
  if (from !== undefined && resume !== undefined) {
    throw new MlpError(
      ExitCode.usage,
      'found both --from and --resume, expected one of them',
      '--from starts a new run; a run that started so keeps what --resume needs',
    );
  }
  if (extend && resume === undefined) {
    throw new MlpError(ExitCode.usage, 'found --extend without --resume', 'name the run with --resume <dir>');
  }
}

/** @throws MlpError ExitCode.usage for both */
export function requireOneDirectory(run: string | undefined, resume: string | undefined): void {
  if (run === undefined || resume === undefined) return;
  throw new MlpError(
    ExitCode.usage,
    'found both --run and --resume, expected one of them',
    '--resume continues in the directory of the run',
  );
}

/** The overrides of --set, and of the options that are short for one. */
export function overridesOf({ set = [], backend, threads, deterministic }: OverrideOptions): string[] {
  return [
    ...set,
    ...(backend === undefined ? [] : [`backend=${JSON.stringify(backend)}`]),
    ...(threads === undefined ? [] : [`threads=${JSON.stringify(threads)}`]),
    ...(deterministic ? ['deterministic=true'] : []),
  ];
}

/** The override of --from: the paths of a config are relative to it. */
function startOf(config: string, { from }: TrainOptions): string[] {
  if (from === undefined) return [];
  const path = relative(dirname(config), resolvePath(from)) || '.';
  return [`training.from=${JSON.stringify(path)}`];
}
