/**
 * Which training comes next in a study: that of a new trial, or with halving the next part of one
 * that was paused. A job is one such training. Up to `pending` jobs are open at a time, and their
 * results count in the order in which the jobs were opened, whichever ends first: so a study is the
 * same however many train at once.
 */
import { isObject } from '../spec/json.js';
import type { Observation } from './observation.js';
import type { Point } from './space.js';

/** What came of a job. */
export interface JobResult {
  /** "paused" trials have more epochs to go. */
  readonly state: 'paused' | 'complete' | 'failed';
  readonly epochs: number;
  /** The metric of the weights that are kept so far; null if it is not finite, or failed. */
  readonly value: number | null;
  /** Why it failed. */
  readonly reason?: string;
}

/** Whether a value that was read is a result. */
export function isJobResult(value: unknown): value is JobResult {
  return (
    isObject(value) &&
    Number.isInteger(value.epochs) &&
    ['paused', 'complete', 'failed'].includes(String(value.state)) &&
    (value.value === null || typeof value.value === 'number') &&
    ['undefined', 'string'].includes(typeof value.reason)
  );
}

/** A trial and its jobs so far: one for each rung, the first for rung 0. */
export interface Trial {
  readonly number: number;
  readonly point: Point;
  /** By rung, the numbers of the jobs. */
  readonly jobs: readonly number[];
  /** By rung. Where there are fewer than jobs, the last job is open. */
  readonly results: readonly JobResult[];
}

export interface Halving {
  /** One trial in so many goes on to the next rung. */
  readonly factor: number;
  /** Epochs of rung 0. */
  readonly minEpochs: number;
}

/** The next job: a new trial, or the next rung of the trial with this number. */
export type Next = 'new trial' | { readonly promoted: number };

export interface Schedule {
  readonly pending: number;
  readonly halving: Halving | undefined;
  readonly maximize: boolean;
  /** Whether the sampler has more points, and the sweep more trials. */
  readonly hasMore: boolean;
}

export function isOpen({ jobs, results }: Trial): boolean {
  return results.length < jobs.length;
}

/** The trials whose last job is open, in the order in which the jobs were opened. */
export function openTrials<Known extends Trial>(trials: readonly Known[]): Known[] {
  return trials.filter(isOpen).sort((a, b) => lastJob(a) - lastJob(b));
}

export function lastJob({ jobs }: Trial): number {
  return jobs[jobs.length - 1];
}

/** The epochs after which a trial pauses at a rung; undefined without halving: it trains to its end. */
export function epochsAt(rung: number, halving: Halving | undefined): number | undefined {
  return halving && halving.minEpochs * halving.factor ** rung;
}

/** The job to open now; undefined if there is none until an open one has its result. */
export function nextJob(
  trials: readonly Trial[],
  { pending, halving, maximize, hasMore }: Schedule,
): Next | undefined {
  const open = trials.filter(isOpen).length;
  if (open >= pending) return undefined;
  const promoted = halving && promotable(trials, halving.factor, maximize);
  if (promoted) return { promoted: promoted.number };
  if (hasMore) return 'new trial';
  // The winner must be a trial that was trained to its end: of each rung, at least the best goes on.
  const last = halving && open === 0 ? promotable(trials, halving.factor, maximize, 1) : undefined;
  return last && { promoted: last.number };
}

/**
 * The asynchronous successive halving of Li et al. (2020), algorithm 2: from the top rung down, the
 * first that has a paused trial among the best 1/factor of its results.
 */
function promotable(
  trials: readonly Trial[],
  factor: number,
  maximize: boolean,
  least = 0,
): Trial | undefined {
  const top = Math.max(0, ...trials.map(({ results }) => results.length - 1));
  for (let rung = top; rung >= 0; rung--) {
    const there = trials.flatMap((trial) => {
      const result = resultAt(trial, rung);
      return result ? [{ trial, loss: lossOf(result, maximize) }] : [];
    });
    there.sort((a, b) => a.loss - b.loss || a.trial.number - b.trial.number);
    const best = there.slice(0, Math.max(least, Math.floor(there.length / factor)));
    const paused = best.find(({ trial }) => isPausedAt(trial, rung));
    if (paused) return paused.trial;
  }
  return undefined;
}

/** A trial that has ended below a rung competes there with the result that it ended with. */
function resultAt({ results }: Trial, rung: number): JobResult | undefined {
  const last = results.at(-1);
  return results[rung] ?? (last?.state === 'complete' ? last : undefined);
}

function isPausedAt(trial: Trial, rung: number): boolean {
  return trial.jobs.length === rung + 1 && trial.results[rung]?.state === 'paused';
}

/** A result as a number to be minimised: without a value it is the worst. */
export function lossOf({ value }: JobResult, maximize: boolean): number {
  if (value === null) return Number.POSITIVE_INFINITY;
  return maximize ? -value : value;
}

/** What the sampler is told of the trials. */
export function observationsOf(trials: readonly Trial[], maximize: boolean): Observation[] {
  return trials.map(({ number: trial, point, results }) => {
    const last = results.at(-1);
    if (last === undefined) return { trial, point, state: 'pending' };
    if (last.value === null || last.state === 'failed') return { trial, point, state: 'failed' };
    const value = lossOf(last, maximize);
    if (last.state === 'complete') return { trial, point, state: 'complete', value };
    return { trial, point, state: 'stopped', value, epoch: last.epochs };
  });
}

/** The complete trials, the best first; then the stopped by their epochs; then the failed. */
export function ranked(trials: readonly Trial[], maximize: boolean): Trial[] {
  const placeOf = ({ results }: Trial) => {
    const last = results.at(-1);
    const group = { complete: 0, paused: 1, failed: 2 }[last?.state ?? 'failed'];
    return {
      group,
      epochs: last?.epochs ?? 0,
      loss: last ? lossOf(last, maximize) : Number.POSITIVE_INFINITY,
    };
  };
  return [...trials].sort((first, second) => {
    const [a, b] = [placeOf(first), placeOf(second)];
    const byEpochs = a.group === 1 ? b.epochs - a.epochs : 0;
    // Infinity − Infinity is NaN, which counts as equal.
    return a.group - b.group || byEpochs || a.loss - b.loss || first.number - second.number;
  });
}
