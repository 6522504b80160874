/** Finds run directories, and reads of each only its two JSON files. */
import { readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { ExitCode, MlpError, readError, systemErrorCode } from '../../errors.js';
import { isLocked } from '../../files/lock.js';
import { isFolder } from '../../files/makeFolder.js';
import { exists } from '../../files/mounts.js';
import { readPlainFile } from '../../files/plainFile.js';
import { RUN_FILES, statOf } from '../../files/runFiles.js';
import { isObject, maxDepth, readJson } from '../../spec/json.js';
import { printable, showValue } from '../../text.js';
import type { TrainResult } from '../loop.js';
import { isSummary, LONGEST_JSON, type RunSummary, readSummary } from './summary.js';

/** A run as its config.json and run.json tell it. */
export interface ListedRun {
  readonly path: string;
  /** "unfinished" without a run.json; "unreadable" if a file is missing, or not what mlp train writes. */
  readonly status: TrainResult['status'] | 'running' | 'unfinished' | 'unreadable';
  /** When run.json was written, else config.json. */
  readonly date: Date;
  /** The data's paths are relative to the working directory. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly summary?: RunSummary & Readonly<Record<string, unknown>>;
  /** Why it is unreadable. */
  readonly reason?: string;
}

export interface FoundRuns {
  readonly runs: readonly ListedRun[];
  /** Directories that neither are runs nor hold some. */
  readonly others: readonly string[];
}

/**
 * The runs among `paths`, in them, and in the directories therein, in the order of their names.
 * @throws MlpError ExitCode.noInput if a path is no directory; noPermission or io
 */
export function findRuns(paths: readonly string[]): FoundRuns {
  const runs = new Map<string, ListedRun>();
  const others: string[] = [];
  const add = (run: ListedRun) => runs.set(resolve(run.path), run);
  for (const path of paths) {
    requireDirectory(path);
    const own = readRun(path);
    if (own) {
      add(own);
      continue;
    }
    for (const child of directoriesIn(path)) {
      const found = readRun(child);
      const inner = found ? [found] : directoriesIn(child).flatMap((nested) => readRun(nested) ?? []);
      if (inner.length === 0) others.push(child);
      for (const run of inner) add(run);
    }
  }
  return { runs: [...runs.values()], others };
}

function requireDirectory(path: string): void {
  const stats = statOf(path);
  if (stats?.isDirectory()) return;
  throw new MlpError(
    ExitCode.noInput,
    `${printable(path)}: found ${stats ? 'a file' : 'no such directory'}, expected a directory of runs`,
    'mlp train <config.json> writes a run; name the directory that holds yours: mlp runs <dir>',
  );
}

/** @throws MlpError ExitCode.noPermission or io if it can't be read */
function directoriesIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map((entry) => ({ entry, at: join(path, entry.name) }))
      .filter(({ entry, at }) => entry.isDirectory() || isFolder(at))
      .map(({ at }) => at)
      .sort(byName);
  } catch (error) {
    if (error instanceof MlpError) throw error;
    throw readError(printable(path), error);
  }
}

const collator = new Intl.Collator('en', { numeric: true });

/** `iris-2` before `iris-10`. */
export function byName(a: string, b: string): number {
  return collator.compare(a, b);
}

/** What shows that a config.json is that of a run. */
const OF_RUN: readonly string[] = [RUN_FILES.steps, RUN_FILES.epochs, RUN_FILES.checkpoints, RUN_FILES.model];

/** The run in a directory; undefined if there is none. */
function readRun(path: string): ListedRun | undefined {
  let date = new Date(0);
  try {
    const summary = readIfThere(join(path, RUN_FILES.summary));
    const config = readIfThere(join(path, RUN_FILES.config));
    if (!summary && !(config && OF_RUN.some((name) => exists(join(path, name))))) return undefined;
    date = (summary ?? config)?.date ?? date;
    // Where the content is wrong, the slow readers say what, and where.
    const value = isObject(config?.value) ? config.value : requireObject(join(path, RUN_FILES.config));
    const { from } = isObject(summary?.value) ? summary.value : {};
    const read = { path, date, config: withOrigin(movedPaths(value, path), from) };
    if (!summary) return { ...read, status: isLocked(path) ? 'running' : 'unfinished' };
    const sound = isSummary(summary.value) ? summary.value : readSummary(path);
    const isResumed = sound.status === 'interrupted' && isLocked(path);
    return { ...read, summary: { ...sound }, status: isResumed ? 'running' : sound.status };
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    return { path, date, status: 'unreadable', reason: error.message };
  }
}

/** @throws MlpError as `readJson`; ExitCode.config for other JSON */
function requireObject(path: string): Record<string, unknown> {
  const { value } = readJson(path);
  if (isObject(value)) return value;
  throw new MlpError(ExitCode.config, `${printable(path)}: found ${showValue(value)}, expected an object`);
}

/**
 * The content of a file and its time; undefined if nothing is there. The value is undefined if it is no
 * JSON that a run has: JSON.parse takes a tenth of the time of our own check, which matters for a thousand.
 * @throws MlpError as `readPlainFile`
 */
function readIfThere(path: string): { readonly value: unknown; readonly date: Date } | undefined {
  let text: string;
  try {
    text = readPlainFile(path, LONGEST_JSON, 'a file of a run').toString('utf8');
  } catch (error) {
    const code = systemErrorCode((error as Error).cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const date = statSync(path).mtime;
  try {
    const value: unknown = JSON.parse(text);
    return { value: isShallow(value, maxDepth) ? value : undefined, date };
  } catch {
    return { value: undefined, date };
  }
}

function isShallow(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return most > 0 && Object.values(value).every((inner) => isShallow(inner, most - 1));
}

/** A config whose data are named from the working directory: those of a run are named from the run. */
function movedPaths(config: Record<string, unknown>, run: string): Record<string, unknown> {
  const { data } = config;
  if (!isObject(data)) return config;
  const move = (path: unknown): unknown => {
    if (Array.isArray(path)) return path.map(move);
    if (typeof path !== 'string' || path === '-') return path;
    return relative('', resolve(run, path)).split(sep).join('/');
  };
  const moved = ['train', 'validation', 'test'].filter((key) => Object.hasOwn(data, key));
  return { ...config, data: { ...data, ...Object.fromEntries(moved.map((key) => [key, move(data[key])])) } };
}

/** What a run started from is a copy in each run: run.json says of what. */
function withOrigin(config: Record<string, unknown>, from: unknown): Record<string, unknown> {
  const { training } = config;
  if (!isObject(training) || !isObject(from) || typeof from.path !== 'string') return config;
  return { ...config, training: { ...training, from: from.path } };
}

export const SPLITS = ['train', 'validation', 'test'] as const;

export function metricsOf(
  { summary }: ListedRun,
  split: (typeof SPLITS)[number],
): Record<string, unknown> | undefined {
  const metrics = summary?.[split];
  return isObject(metrics) ? metrics : undefined;
}

/** The scores of a run, named as `training.keepMonitor` and epochs.csv do: `validation_loss`. */
export function scoresOf(run: ListedRun): Map<string, number> {
  return new Map(
    SPLITS.flatMap((split) =>
      Object.entries(metricsOf(run, split) ?? {}).flatMap(([name, value]) =>
        typeof value === 'number' ? [[`${split}_${name}`, value] as const] : [],
      ),
    ),
  );
}

/** The names of scores that any run has, in one order. */
export function scoreNames(runs: readonly ListedRun[]): string[] {
  const names = new Set(runs.flatMap((run) => [...scoresOf(run).keys()]));
  return SPLITS.flatMap((split) => [...names].filter((name) => name.startsWith(`${split}_`)));
}
