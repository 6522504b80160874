/**
 * How much each parameter decides whether a trial is among the best: PED-ANOVA (Watanabe, Bansal and
 * Hutter 2023, "Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces"), in its form
 * for conditional parameters (condPED-ANOVA; arXiv 2601.20800), as Optuna 5 computes it by default.
 *
 * For each parameter, a density over a grid is fitted to the best trials and one to all trials. Their
 * Pearson divergence Σ p·(q/p − 1)² is the importance: 0 if the best trials are spread like all others.
 */
import { erf } from '../kernels/activations.js';
import { type Distribution, type Numeric, toScale } from './distribution.js';
import { lossOf, type Trial } from './schedule.js';
import type { Point, Space } from './space.js';

/** Which share of the trials are the best. */
const BEST = 0.1;

/** Of fewer trials, the best tenth is one: it says nothing of what mattered. */
export const LEAST_FOR_IMPORTANCE = 20;

/** The trials that were trained to their end, with what is to be minimised. */
export function completeTrials(trials: readonly Trial[], maximize: boolean) {
  return trials.flatMap(({ point, results }) => {
    const last = results.at(-1);
    return last?.state === 'complete' && last.value !== null
      ? [{ point, value: lossOf(last, maximize) }]
      : [];
  });
}

/** Fewer trials that have a parameter say nothing of it. */
const LEAST_TRIALS = 2;

/**
 * The importance of each parameter, largest first; the sum is 1 unless all are 0.
 * @param trials the complete ones, with a finite value to be minimised
 */
export function importances(
  space: Space,
  trials: readonly { readonly point: Point; readonly value: number }[],
): Map<string, number> {
  const best = bestOf(trials);
  const raw = space.parameters.map(({ name, distribution }): [string, number] => {
    const all = valuesOf(trials, name);
    const good = valuesOf(best, name);
    if (all.length < LEAST_TRIALS || good.length === 0 || isSingle(distribution)) return [name, 0];
    // Theorem 4.2 of condPED-ANOVA, without the factor that all parameters share.
    const share = (good.length / best.length) ** 2 / (all.length / trials.length);
    return [name, share * divergence(densityOf(distribution, good), densityOf(distribution, all))];
  });
  const total = raw.reduce((sum, [, importance]) => sum + importance, 0);
  return new Map(
    raw
      .map(([name, importance]): [string, number] => [name, total > 0 ? importance / total : 0])
      .sort(([, a], [, b]) => b - a),
  );
}

/** The best tenth, with all trials that are as good as the worst of them. */
function bestOf<Trial extends { readonly value: number }>(trials: readonly Trial[]): Trial[] {
  const values = trials.map(({ value }) => value).sort((a, b) => a - b);
  const cutoff = values[Math.ceil(BEST * values.length) - 1];
  return trials.filter(({ value }) => value <= cutoff);
}

function valuesOf(trials: readonly { readonly point: Point }[], name: string): number[] {
  return trials.map(({ point }) => point[name]).filter((value) => value !== undefined);
}

function isSingle(distribution: Distribution): boolean {
  return distribution.kind === 'categorical' && distribution.labels.length === 1;
}

/** Σ p·(q/p − 1)². */
function divergence(q: readonly number[], p: readonly number[]): number {
  return p.reduce((sum, pi, i) => sum + pi * (q[i] / pi - 1) ** 2, 0);
}

/** Keeps densities above 0. */
const TINY = 1e-12;

/** The density at each place of the grid. */
function densityOf(distribution: Distribution, values: readonly number[]): number[] {
  const density =
    distribution.kind === 'categorical'
      ? categoricalDensity(values, distribution.labels.length)
      : gridDensity(gridPlaces(distribution, values), gridSize(distribution));
  return density.map((p) => p + TINY);
}

/** A component for each category that occurs, weighted by how often, and the prior with the weight 1. */
function categoricalDensity(values: readonly number[], categories: number): number[] {
  const counts = countsOf(values, categories);
  const seen = counts.filter((count) => count > 0).length;
  const unseen = 1 / (seen + 1);
  const total = values.length + 1;
  return counts.map((count) => {
    const others = (values.length - count) * unseen;
    const own = count * (1 + unseen);
    return ((own + others) / (1 + categories * unseen) + 1 / categories) / total;
  });
}

const MOST_PLACES = 50;

/** How many places the grid of a range has. */
function gridSize({ kind, low, high, log, step }: Numeric): number {
  if (kind === 'int' && log) return Math.min(Math.ceil(Math.log2(high - low + 1)) + 1, MOST_PLACES);
  return step === undefined ? MOST_PLACES : Math.min(Math.round((high - low) / step) + 1, MOST_PLACES);
}

/** The nearest place of the grid to each value; of two equally near, the lower. */
function gridPlaces(distribution: Numeric, values: readonly number[]): number[] {
  const low = toScale(distribution, distribution.low);
  const high = toScale(distribution, distribution.high);
  const last = gridSize(distribution) - 1;
  const width = (high - low) / last;
  return values.map((value) => {
    const place = Math.ceil((toScale(distribution, value) - low) / width - 0.5);
    return Math.max(0, Math.min(last, place));
  });
}

/** A normal component for each place that occurs, weighted by how often, and the prior with weight 1. */
function gridDensity(places: readonly number[], size: number): number[] {
  const counts = countsOf(places, size);
  const deviation = Math.max(scottDeviation(counts, places.length), 0.5 / 1.64);
  const grid = counts.map((_, i) => i);
  const density = grid.map(() => 0);
  const add = (weight: number, mean: number, spread: number) => {
    const cdf = (x: number) => erf((x - mean) / spread / Math.SQRT2) / 2;
    const mass = cdf(size - 0.5) - cdf(-0.5);
    for (const x of grid) density[x] += (weight * (cdf(x + 0.5) - cdf(x - 0.5))) / mass;
  };
  for (const place of grid) if (counts[place] > 0) add(counts[place], place, deviation);
  add(1, (size - 1) / 2, size);
  return density.map((sum) => sum / (places.length + 1));
}

/** Scott's rule for weighted places (Scott 1992), the spread robust against outliers. */
function scottDeviation(counts: readonly number[], total: number): number {
  const places = counts.flatMap((count, place) => (count > 0 ? [place] : []));
  const mean = places.reduce((sum, place) => sum + place * counts[place], 0) / total;
  const squares = places.reduce((sum, place) => sum + counts[place] * (place - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, total - 1));
  let sum = 0;
  const cumulative = places.map((place) => (sum += counts[place]));
  const firstFrom = (isThere: (count: number) => boolean) => {
    const i = cumulative.findIndex(isThere);
    return i < 0 ? places.length : i;
  };
  const lower = firstFrom((count) => count >= Math.floor(total / 4));
  const upper = firstFrom((count) => count > Math.floor((total * 3) / 4));
  const range = places[Math.min(places.length - 1, upper)] - places[lower];
  return 1.059 * Math.min(range / 1.34, deviation) * total ** -0.2;
}

function countsOf(indices: readonly number[], size: number): number[] {
  const counts: number[] = Array(size).fill(0);
  for (const index of indices) counts[index]++;
  return counts;
}
