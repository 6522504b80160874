/** Scaling of numeric columns: fitted on the training rows, applied to any rows. */

import { type Quartiles, quartilesAt } from './quartiles.js';

/**
 * `standard`: mean 0 and variance 1; `minmax`: from 0 to 1; `robust`: median 0, distance of the
 * quartiles 1, then clipped smoothly; `none`: unchanged.
 */
export type Scaling = 'none' | 'standard' | 'minmax' | 'robust';

/** z = (x − shift) / scale; then z / √(1 + (z / clip)²), which is within ±clip, if there is a clip. */
export interface Transform {
  readonly shift: number;
  readonly scale: number;
  readonly clip?: number;
}

export interface ScaledColumn extends Transform {
  /** Whether the column has a single value, up to rounding; its scale is then 1. */
  readonly constant: boolean;
}

export interface FittedColumn extends Transform {
  readonly range: Range;
}

/** The least and the greatest value, which are equal in a column of a single value. */
export type Range = readonly [least: number, greatest: number];

/** A scaled column with its range. JSON has no −0, and x − 0 differs from x − (−0) for x = −0. */
export function fittedColumn(
  { shift, scale, clip, constant }: ScaledColumn,
  least: number,
  greatest: number,
): FittedColumn {
  const range: Range = [least + 0, (constant ? least : greatest) + 0];
  return { shift: shift + 0, scale, ...(clip !== undefined && { clip }), range };
}

/** The number as a network gets it. */
export function transformed(x: number, { shift, scale, clip }: Transform): number {
  const z = (x - shift) / scale;
  return clip === undefined ? z : clipped(z, clip);
}

/** Beyond this many times the clip, z / √(1 + (z / clip)²) is ±clip to the last digit. */
const CLIP_LIMIT = 2 ** 30;

/** z / √(1 + (z / clip)²), also where the square would overflow. */
export function clipped(z: number, clip: number): number {
  const limit = clip * CLIP_LIMIT;
  const bounded = Math.min(Math.max(z, -limit), limit);
  const ratio = bounded / clip;
  return bounded / Math.sqrt(1 + ratio * ratio);
}

/** The number that the network gets as `y`; infinite if it is so far outside that y tells no more. */
export function restored(y: number, { shift, scale, clip }: Transform): number {
  if (clip === undefined) return y * scale + shift;
  const ratio = y / clip;
  const square = Math.max(0, 1 - ratio * ratio);
  return (y / Math.sqrt(square)) * scale + shift;
}

/** Mean 0 and variance 1 in each column: z = (x − mean) / scale. */
interface Standardization {
  /** [columns] */
  readonly mean: ArrayLike<number>;
  /** [columns] The population's standard deviation; 1 for a column with a single value. */
  readonly scale: ArrayLike<number>;
}

/** Whether there is one value. */
export function isSingle([least, greatest]: Range): boolean {
  return least === greatest;
}

/**
 * Standardisation of a column of `rows` ≥ 1 numbers with this mean and sum of squared deviations. A
 * column is constant if its spread is within the rounding of its sum, the test of scikit-learn's
 * StandardScaler. If squares overflow, the scale is infinite or NaN.
 */
export function standardColumn(rows: number, mean: number, sumOfSquares: number): ScaledColumn {
  const variance = sumOfSquares / rows;
  const rounding = rows * Number.EPSILON;
  const constant = Number.isFinite(variance) && variance <= rounding * variance + (rounding * mean) ** 2;
  return { shift: mean, scale: constant ? 1 : Math.sqrt(variance), constant };
}

/** Scaling of a column by its bounds: `minmax` to [0, 1], `none` not at all. */
export function rangeColumn(scaling: 'minmax' | 'none', least: number, greatest: number): ScaledColumn {
  const constant = least === greatest;
  if (scaling === 'none') return { shift: 0, scale: 1, constant };
  return { shift: least, scale: constant ? 1 : greatest - least, constant };
}

/** Where the smooth clip of robustly scaled numbers ends (Holzmüller, Grinsztajn and Steinwart 2024). */
const ROBUST_CLIP = 3;

/**
 * Robust scaling of a column by its quartiles and bounds, as in RealMLP: (x − median) / (q75 − q25),
 * or 2·(x − median) / (greatest − least) if the quartiles are equal, clipped smoothly to ±3.
 */
export function robustColumn(quartiles: Quartiles, least: number, greatest: number): ScaledColumn {
  const { lower, median, upper } = quartiles;
  const constant = least === greatest;
  const scale = constant ? 1 : upper - lower || (greatest - least) / 2;
  return { shift: median, scale, clip: ROBUST_CLIP, constant };
}

/** Robust scaling of a column that holds a few values, rising, each in so many rows. */
export function robustCounts(counts: ReadonlyMap<number, number>): Transform {
  const present = [...counts].filter(([, count]) => count > 0);
  const rows = present.reduce((sum, [, count]) => sum + count, 0);
  const quartiles = quartilesAt(rows, (rank) => {
    let end = 0;
    for (const [value, count] of present) {
      end += count;
      if (rank < end) return value;
    }
    throw new RangeError(`no rank ${rank} in ${rows} rows`);
  });
  const { constant: _, ...transform } = robustColumn(
    quartiles,
    present[0][0],
    present[present.length - 1][0],
  );
  return transform;
}

/**
 * Mean and population standard deviation of each column of `values` [rows, columns], rows ≥ 1, by
 * the corrected two-pass algorithm of Chan, Golub and LeVeque (The American Statistician 37, 1983),
 * which is accurate for a mean far from 0. `constant` lists the columns with a single value.
 */
export function fitStandardization(
  values: Float64Array,
  columns: number,
): { readonly mean: Float64Array; readonly scale: Float64Array; readonly constant: number[] } {
  const rows = values.length / columns;
  const mean = new Float64Array(columns);
  const scale = new Float64Array(columns);
  const constant: number[] = [];
  for (let j = 0; j < columns; j++) {
    let total = 0;
    for (let i = j; i < values.length; i += columns) total += values[i];
    mean[j] = total / rows;
    const center = mean[j];
    let sum = 0;
    let sumOfSquares = 0;
    for (let i = j; i < values.length; i += columns) {
      const deviation = values[i] - center;
      sum += deviation;
      sumOfSquares += deviation * deviation;
    }
    const fitted = standardColumn(rows, center, sumOfSquares - sum ** 2 / rows);
    scale[j] = fitted.scale;
    if (fitted.constant) constant.push(j);
  }
  return { mean, scale, constant };
}

/** Standardises `values` [rows, columns] in place. */
export function standardize(values: Float64Array, { mean, scale }: Standardization): void {
  const columns = mean.length;
  for (let i = 0; i < values.length; i += columns) {
    for (let j = 0; j < columns; j++) values[i + j] = (values[i + j] - mean[j]) / scale[j];
  }
}
