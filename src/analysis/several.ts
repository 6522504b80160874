/** What pages tell of several runs, of a study, and of a cross-validation. */
import { basename, join, resolve } from 'node:path';
import { asDataError, ExitCode, MlpError } from '../errors.js';
import { readPlainFile } from '../files/plainFile.js';
import { RUN_FILES, statOf } from '../files/runFiles.js';
import { foldsPage } from '../report/html/foldsPage.js';
import type { FoldsResults, RunsResults, StudyResults, TrialResults } from '../report/html/results.js';
import { studyPage } from '../report/html/studyPage.js';
import { isObject, parseJson, readJson } from '../spec/json.js';
import { completeTrials, importances, LEAST_FOR_IMPORTANCE } from '../sweep/importance.js';
import { ranked, type Trial } from '../sweep/schedule.js';
import { STUDY_FILES, Study } from '../sweep/study.js';
import { bestOf } from '../sweep/sweep.js';
import { counted, printable } from '../text.js';
import { CROSS_VALIDATION_FILES } from '../training/crossvalidation/directory.js';
import { isMaximized } from '../training/monitor.js';
import { configDifferences, shown } from '../training/run/differences.js';
import { byName, type ListedRun, scoreNames, scoresOf } from '../training/run/list.js';
import { readEpochs } from './logs.js';
import { commandFor, numbersOf } from './run.js';
import { writePage, writer } from './writeReport.js';

/** @param others directories that neither are runs nor hold some */
export function runsResults(
  title: string,
  found: readonly ListedRun[],
  others: readonly string[] = [],
): RunsResults {
  const runs = found.filter(({ status }) => status !== 'unreadable').sort((a, b) => byName(a.path, b.path));
  const configs = new Map(runs.flatMap((run) => (run.config ? [[run, run.config] as const] : [])));
  const names = shortNames(runs.map(({ path }) => path));
  const unreadable = found.length - runs.length;
  return {
    title,
    runs: runs.map((run, i) => {
      const { keptEpoch, trainSeconds } = { ...run.summary } as Record<string, unknown>;
      return {
        name: names[i],
        status: run.status,
        ...(typeof keptEpoch === 'number' && { keptEpoch }),
        ...(typeof trainSeconds === 'number' && { seconds: trainSeconds }),
        epochs: readEpochs(run.path),
        scores: scoresOf(run),
      };
    }),
    scores: scoreNames(runs).map((name) => ({ name, maximize: isMaximized(name) })),
    differences: configDifferences(configs).map(({ key, values }) => ({
      key,
      values: runs.map((run) => (values.has(run) ? shown(values.get(run)) : undefined)),
    })),
    notes: [
      ...(unreadable > 0 ? [`${counted(unreadable, 'run')} cannot be read: mlp runs says why`] : []),
      ...(others.length > 0 ? [`${counted(others.length, 'directory', 'directories')} without a run`] : []),
    ],
  };
}

/** Names without the folders that all have in common. */
function shortNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => resolve(path).split(/[\\/]/));
  const [first = []] = parts;
  const differs = first.findIndex((name, i) =>
    parts.some((part) => part.length <= i + 1 || part[i] !== name),
  );
  const common = Math.max(differs, 0);
  return parts.map((part) => part.slice(common).join('/'));
}

/** @throws MlpError as `Study.open` */
export function studyResults(path: string): StudyResults {
  const study = Study.open(path);
  const { sweep, space, trials, maximize } = study;
  const best = bestOf(study);
  const complete = completeTrials(trials, maximize);
  const order = ranked(
    trials.filter(({ results }) => results.length > 0),
    maximize,
  );
  const bestFile = join(path, STUDY_FILES.best);
  return {
    name: basename(resolve(path)),
    method: sweep.method,
    metric: sweep.metric,
    maximize,
    settings: Object.keys(sweep.space).length,
    parameters: space.parameters.map(({ name, distribution }) =>
      distribution.kind === 'categorical'
        ? {
            name,
            log: false,
            low: 0,
            high: distribution.labels.length - 1,
            labels: distribution.labels.map(labelOf),
          }
        : { name, log: distribution.log, low: distribution.low, high: distribution.high },
    ),
    trials: trials.map((trial) => trialResults(study, trial)),
    ...(best && { best: best.number }),
    ranking: order.map(({ number }) => number),
    ...(complete.length >= LEAST_FOR_IMPORTANCE && {
      importance: [...importances(space, complete)].map(([parameter, share]) => ({ parameter, share })),
    }),
    curves: order.slice(0, MOST_CURVES).flatMap((trial) => {
      const epochs = readEpochs(study.directoryOf(trial));
      const [x, y] = [epochs.get('epoch'), epochs.get(sweep.metric)];
      return x && y ? [{ trial: trial.number, x, y }] : [];
    }),
    scores: best ? scoresOfRun(study.directoryOf(best)) : {},
    ...(statOf(bestFile) && { config: readJson(bestFile).value }),
    commands: [
      {
        command: `mlp sweep ${commandFor(path)}/sweep.json --resume ${commandFor(path)}`,
        does: 'goes on, with --trials n for more trials',
      },
      { command: `mlp train ${commandFor(path)}/best.json`, does: 'trains the best config again' },
      {
        command: `mlp ensemble ${commandFor(path)} -o best`,
        does: 'makes one model of the trials that are best together',
      },
      { command: `mlp runs ${commandFor(path)}`, does: 'shows all trials in a table' },
    ],
  };
}

const MOST_CURVES = 12;

/** The label of a choice: a list of layers as a config may write them, a range by its bounds. */
function labelOf(label: unknown): string {
  if (typeof label !== 'string') return String(label);
  try {
    const value: unknown = JSON.parse(label);
    const bounds = isObject(value) ? (value.log ?? value.float ?? value.int) : undefined;
    return Array.isArray(bounds) ? `${bounds[0]} to ${bounds[1]}` : settingText(value);
  } catch {
    return label;
  }
}

function settingText(value: unknown): string {
  const isPlain = (item: unknown) => typeof item === 'number' || typeof item === 'string';
  if (!Array.isArray(value) || !value.some(isPlain)) return shown(value);
  return value.map((item) => (isObject(item) ? String(item.type) : String(item))).join(' ');
}

function trialResults({ space }: Study, { number, point, results }: Trial): TrialResults {
  const last = results.at(-1);
  const state = last === undefined ? 'open' : last.state === 'paused' ? 'stopped' : last.state;
  return {
    number,
    state,
    epochs: last?.epochs ?? 0,
    value: last?.value ?? null,
    point: space.parameters.map(({ name }) => point[name] ?? Number.NaN),
    settings: space.settingsOf(point).map(({ path, value }) => [path, settingText(value)]),
  };
}

function scoresOfRun(run: string): StudyResults['scores'] {
  const { value } = readJson(join(run, RUN_FILES.summary));
  if (!isObject(value)) return {};
  return Object.fromEntries(
    (['train', 'validation', 'test'] as const).flatMap((split) => {
      const metrics = value[split];
      return isObject(metrics) ? [[split, numbersOf(metrics)]] : [];
    }),
  );
}

const MOST_BYTES = 2 ** 26;

/** @throws MlpError ExitCode.data for what `mlp crossvalidate` does not write */
export function foldsResults(path: string): FoldsResults {
  const file = join(path, CROSS_VALIDATION_FILES.report);
  const report = asDataError(() =>
    parseJson(readPlainFile(file, MOST_BYTES, 'scores').toString('utf8'), file, Number.POSITIVE_INFINITY),
  );
  const { runs, metrics, request, status } = isObject(report) ? report : {};
  if (!Array.isArray(runs) || !runs.every(isFold) || !isAverages(metrics) || !isObject(request)) {
    throw new MlpError(
      ExitCode.data,
      `${printable(file)}: found content that mlp crossvalidate does not write`,
      'run the cross-validation anew',
    );
  }
  const config = join(path, CROSS_VALIDATION_FILES.config);
  const { repeats, as } = request as Record<string, unknown>;
  return {
    name: basename(resolve(path)),
    status: String(status),
    repeats: Number(repeats),
    as: String(as),
    folds: runs.map(({ run, rows, keptEpoch, metrics: scores }) => ({
      name: run,
      rows,
      keptEpoch,
      scores: numbersOf(scores),
      epochs: readEpochs(join(path, basename(run))),
    })),
    averages: metrics,
    config: statOf(config) ? readJson(config).value : undefined,
    commands: [
      {
        command: `mlp crossvalidate ${commandFor(path)}/config.json --resume ${commandFor(path)}`,
        does: 'trains what is missing, else nothing',
      },
      { command: `mlp ensemble ${commandFor(path)} -o best`, does: 'makes one model of all folds' },
      {
        command: `mlp report ${commandFor(path)}/${basename(String(runs[0]?.run ?? 'fold-1'))}`,
        does: 'writes a page of a fold',
      },
    ],
  };
}

function isAverages(value: unknown): value is FoldsResults['averages'] {
  const isAverage = (one: unknown) =>
    isObject(one) &&
    typeof one.mean === 'number' &&
    (one.deviation === null || typeof one.deviation === 'number');
  return isObject(value) && Object.values(value).every(isAverage);
}

interface FoldEntry {
  readonly run: string;
  readonly rows: number;
  readonly keptEpoch: number;
  readonly metrics: Record<string, number | null>;
}

function isFold(value: unknown): value is FoldEntry {
  return (
    isObject(value) &&
    typeof value.run === 'string' &&
    typeof value.rows === 'number' &&
    typeof value.keptEpoch === 'number' &&
    isObject(value.metrics)
  );
}

/**
 * Writes the page of a study into its directory.
 * @throws MlpError as `studyResults`; ExitCode.cantCreate, noPermission or io if it can't be written
 */
export async function writeStudyReport(path: string): Promise<void> {
  await writePage(path, studyPage(studyResults(path), writer()));
}

/**
 * Writes the page of a cross-validation into its directory.
 * @throws MlpError as `foldsResults`; ExitCode.cantCreate, noPermission or io if it can't be written
 */
export async function writeFoldsReport(path: string): Promise<void> {
  await writePage(path, foldsPage(foldsResults(path), writer()));
}
