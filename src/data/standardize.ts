/** Columns to mean 0 and variance 1, fitted on one set of rows and applied to any. */

/** z = (x − mean) / scale, column by column. */
export interface Standardization {
  /** [columns] */
  readonly mean: Float64Array;
  /** [columns] The population's standard deviation; 1 for a column that holds a single value. */
  readonly scale: Float64Array;
}

/**
 * Mean and standard deviation (divided by n) of each column of `values` [rows, columns], rows ≥ 1: the corrected two-pass
 * algorithm of Chan, Golub and LeVeque (The American Statistician 37, 1983), which a mean far from 0 doesn't upset.
 * `constant` are the columns whose spread is no more than the rounding of their sum, judged as scikit-learn's
 * StandardScaler does. Values whose squares overflow give a scale of infinity or NaN.
 */
export function fitStandardization(
  values: Float64Array,
  columns: number,
): Standardization & { constant: number[] } {
  const rows = values.length / columns;
  const mean = new Float64Array(columns);
  for (let i = 0; i < values.length; i += columns) {
    for (let j = 0; j < columns; j++) mean[j] += values[i + j];
  }
  for (let j = 0; j < columns; j++) mean[j] /= rows;

  const sum = new Float64Array(columns);
  const sumOfSquares = new Float64Array(columns);
  for (let i = 0; i < values.length; i += columns) {
    for (let j = 0; j < columns; j++) {
      const deviation = values[i + j] - mean[j];
      sum[j] += deviation;
      sumOfSquares[j] += deviation * deviation;
    }
  }

  const scale = new Float64Array(columns);
  const constant: number[] = [];
  for (let j = 0; j < columns; j++) {
    const variance = (sumOfSquares[j] - sum[j] ** 2 / rows) / rows;
    const rounding = rows * Number.EPSILON;
    if (Number.isFinite(variance) && variance <= rounding * variance + (rounding * mean[j]) ** 2) {
      constant.push(j);
      scale[j] = 1;
    } else {
      scale[j] = Math.sqrt(variance);
    }
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
