/** Histograms and samples of numbers. */
import type { Histogram } from '../report/html/results.js';

const BINS = 24;

/** Counts of the finite values in equal parts of their range; one part for a single value. */
export function histogramOf(values: ArrayLike<number>): Histogram {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  if (!(low <= high)) return { low: 0, high: 0, counts: [] };
  const counts = new Array<number>(binCount(values, low, high)).fill(0);
  const span = high - low;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    const share = span > 0 ? values[i] / span - low / span : 0;
    counts[Math.min(counts.length - 1, Math.floor(share * counts.length))]++;
  }
  return { low, high, counts };
}

/** A bar for each of a few whole numbers, so that none is empty for no reason. */
function binCount(values: ArrayLike<number>, low: number, high: number): number {
  if (!(high > low)) return 1;
  if (high - low >= BINS) return BINS;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i]) && !Number.isInteger(values[i])) return BINS;
  }
  return high - low + 1;
}

/** The numbers from 0 to `count` − 1, or `most` of them, evenly spaced, with the first and the last. */
export function evenly(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}
