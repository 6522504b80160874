/** mlp runs: a table of runs, with their scores and the settings in which they differ. */
import { ExitCode, MlpError } from '../errors.js';
import { nearest } from '../spec/messages.js';
import { counted, formatCount, listed, printable, quote } from '../text.js';
import { isBetter } from '../training/monitor.js';
import { configDifferences, leavesOf, type Setting, shown } from '../training/run/differences.js';
import {
  byName,
  findRuns,
  type ListedRun,
  metricsOf,
  SPLITS,
  scoreNames,
  scoresOf,
} from '../training/run/list.js';
import type { CommonOptions } from './options.js';
import { note, print, toJson, warn } from './output.js';
import { runsTable } from './runsTable.js';
import { displayOf } from './terminal.js';

export interface RunsOptions extends CommonOptions {
  readonly sort?: string;
  readonly reverse?: boolean;
}

export async function run(paths: readonly string[], options: RunsOptions): Promise<void> {
  const places = paths.length > 0 ? paths : ['runs'];
  const { runs, others } = findRuns(places);
  const configs = new Map(runs.flatMap((run) => (run.config ? [[run, run.config] as const] : [])));
  const settings = configDifferences(configs);
  const sorted = sort(runs, settings, options);
  if (others.length > 0) {
    const named = listed(others.map(printable));
    note(`skipped ${counted(others.length, 'directory', 'directories')} without a run: ${named}`);
  }
  for (const { path, reason } of sorted) {
    if (reason !== undefined) warn(`${path} cannot be read: ${reason}`);
  }
  if (options.json) {
    print(
      toJson(
        sorted.map((run) => jsonOf(run, settings)),
        2,
      ),
    );
    return;
  }
  if (runs.length === 0) {
    note(`found no runs in ${listed(places.map(printable))}`);
    note('hint: mlp train <config.json> writes one; name the directory that holds yours: mlp runs <dir>');
    return;
  }
  for (const sentence of dataNotes(runs, settings)) note(sentence);
  const { columns } = process.stdout;
  // Whoever reads a file or a pipe has no width to fit.
  const width = columns ? columns : Number.POSITIVE_INFINITY;
  const display = { ...(await displayOf(process.stdout, options.color)), width };
  print(runsTable(sorted, settings, display));
}

function jsonOf(run: ListedRun, settings: readonly Setting<ListedRun>[]): object {
  const { path, status, date, reason, summary } = run;
  const { epochs, keptEpoch, steps, trainSeconds, data, weightsSha256 } = { ...summary } as Record<
    string,
    unknown
  >;
  const differing = settings.filter(({ values }) => values.has(run));
  return {
    path,
    status,
    date,
    reason,
    epochs,
    keptEpoch,
    steps,
    trainSeconds,
    differences: Object.fromEntries(differing.map(({ key, values }) => [key, values.get(run)])),
    metrics: Object.fromEntries(SPLITS.map((split) => [split, metricsOf(run, split)])),
    data,
    weightsSha256,
  };
}

/** What can be sorted by, besides scores and keys of the config. */
const FACTS: Readonly<Record<string, (run: ListedRun) => unknown>> = {
  run: ({ path }) => path,
  status: ({ status }) => status,
  epochs: ({ summary }) => summary?.epochs,
  time: ({ summary }) => summary?.trainSeconds,
  // The newest run first.
  date: ({ date }) => -date.getTime(),
};

/**
 * Best scores first, small numbers first, names in their order; runs without the value last.
 * @throws MlpError ExitCode.usage for a key that no run has
 */
function sort(
  runs: readonly ListedRun[],
  settings: readonly Setting<ListedRun>[],
  { sort: asked, reverse = false }: RunsOptions,
): ListedRun[] {
  const key = asked ?? 'date';
  const values = runs.length > 0 ? valuesOf(key, runs, settings) : new Map<ListedRun, unknown>();
  const isScore = scoreNames(runs).includes(key);
  const compare = (a: unknown, b: unknown): number => {
    if (typeof a !== 'number' || typeof b !== 'number') return byName(shown(a), shown(b));
    if (isScore) return isBetter(key, a, b, 0) ? -1 : isBetter(key, b, a, 0) ? 1 : 0;
    return a - b;
  };
  const having = runs.filter((run) => values.has(run));
  having.sort((a, b) => compare(values.get(a), values.get(b)));
  if (reverse) having.reverse();
  return [...having, ...runs.filter((run) => !values.has(run))];
}

function valuesOf(
  key: string,
  runs: readonly ListedRun[],
  settings: readonly Setting<ListedRun>[],
): ReadonlyMap<ListedRun, unknown> {
  const mapOf = (of: (run: ListedRun) => unknown) =>
    new Map(
      runs.map((run) => [run, of(run)] as const).filter(([, value]) => value !== undefined && value !== null),
    );
  if (Object.hasOwn(FACTS, key)) return mapOf(FACTS[key]);
  const scores = scoreNames(runs);
  if (scores.includes(key)) return mapOf((run) => scoresOf(run).get(key));
  const setting = settings.find((setting) => setting.key === key);
  if (setting) return setting.values;
  const leaves = new Map(runs.map((run) => [run, new Map(leavesOf(run.config ?? {}))]));
  const keys = new Set([...leaves.values()].flatMap((values) => [...values.keys()]));
  if (keys.has(key)) return mapOf((run) => leaves.get(run)?.get(key));
  const known = [...Object.keys(FACTS), ...scores, ...keys];
  const lastOf = (name: string) => name.split('.').at(-1);
  const near = nearest(key, [...known, ...known.flatMap((name) => lastOf(name) ?? [])]);
  const meant = known.filter((name) => name === near || lastOf(name) === near);
  throw new MlpError(
    ExitCode.usage,
    `--sort: found ${quote(key)}, expected ${[...Object.keys(FACTS), ...scores].join(', ')} or a key of the config`,
    meant.length > 0 ? `did you mean ${listed(meant)}?` : 'mlp runs shows scores and keys above its columns',
  );
}

/** Scores of runs that read different data are no comparison; different paths are a column already. */
function dataNotes(runs: readonly ListedRun[], settings: readonly Setting<ListedRun>[]): string[] {
  return SPLITS.flatMap((split) => {
    const key = `data.${split}`;
    const hashes = runs.flatMap(({ summary }) => {
      const files = summary?.data.filter((file) => file.key === key) ?? [];
      return files.length > 0 ? [files.map(({ sha256 }) => sha256).join()] : [];
    });
    const versions = new Set(hashes).size;
    if (versions < 2 || settings.some((setting) => setting.key === key)) return [];
    return [
      `${key} is one path, but the runs read ${formatCount(versions)} versions of it: their scores are of other rows`,
    ];
  });
}
