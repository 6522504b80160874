/**
 * The results on disk: a list of runs, each with its date, its machine, and every round of the workloads that it was the last to measure. A run
 * of some workloads leaves the others as they were.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { report } from './report.js';
import { median, rounded } from './statistics.js';
import { WORKLOADS } from './workloads.js';

/** Puts a run into the results in `folder`. */
export async function save(folder, run) {
  const path = resolve(folder, 'results.json');
  const runs = merge(await readRuns(path), run);
  await writeFile(path, toJson({ runs }));
  await writeFile(resolve(folder, 'results.md'), report(runs));
}

/** @throws Error where the file is none of ours */
export async function readRuns(path) {
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
  const { runs } = JSON.parse(text);
  if (!Array.isArray(runs))
    throw new Error(`${path}: found no list of runs, expected the results of a benchmark`);
  return runs;
}

/** Takes from older runs what the latest has measured anew, and what is measured no longer. */
function merge(runs, latest) {
  const renewed = new Set(latest.workloads.map(({ id }) => id));
  const lasts = (id) => !renewed.has(id) && WORKLOADS.some((workload) => workload.id === id);
  const older = runs.map((run) => ({
    ...run,
    workloads: run.workloads.filter(({ id }) => lasts(id)),
    goals: run.goals.filter(({ workload }) => lasts(workload)),
  }));
  return [...older, latest].filter(({ workloads }) => workloads.length > 0);
}

/** A run as it is kept: plain data, contenders by their id. */
export function recordOf({ contenders, skipped, workloads, goals, ...rest }) {
  return {
    ...rest,
    contenders: contenders.map(({ id, label, versions, idleCpuMs }) => ({
      id,
      label,
      versions,
      idleCpuMs: rounded(idleCpuMs),
    })),
    skipped: skipped.map(({ id, label, reason }) => ({ id, label, reason })),
    workloads: workloads.map(({ id, title, figures, failures }) => ({
      id,
      title,
      figures: figures.map(({ contender, task, values, losses, check }) => ({
        contender: contender.id,
        task,
        median: rounded(median(values)),
        values,
        ...(losses.length > 0 && { losses }),
        ...(check !== undefined && { check }),
      })),
      failures,
    })),
    goals: goals.map(({ rounds, ...goal }) => ({ ...goal, ...(rounds && { rounds: rounds.map(rounded) }) })),
  };
}

/** Numbers of a list side by side. */
function toJson(value) {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(/\[\s+([-\d.,e\s]+?)\s+\]/g, (_, list) => `[${list.replace(/\s+/g, ' ')}]`)}\n`;
}
