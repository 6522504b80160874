/** Standardised matrices of the contenders in JavaScript: what the parent compares, and how csv-parse's becomes one. */

/** The mean of |z| in the middle row, which all who have read the same numbers agree on. */
export function checkOf(matrix, rows, features) {
  const middle = Math.floor(rows / 2);
  const row = matrix.subarray(middle * features, (middle + 1) * features);
  return row.reduce((sum, z) => sum + Math.abs(z), 0) / features;
}

/** Each column to mean 0 and variance 1 in place, a constant one to 0; in float64, by rows as they lie in memory. */
export function standardize(matrix, rows, features) {
  const mean = new Float64Array(features);
  for (let i = 0; i < matrix.length; ) for (let j = 0; j < features; j++) mean[j] += matrix[i++];
  for (let j = 0; j < features; j++) mean[j] /= rows;
  const squares = new Float64Array(features);
  for (let i = 0; i < matrix.length; ) {
    for (let j = 0; j < features; j++) squares[j] += (matrix[i++] - mean[j]) ** 2;
  }
  const factor = squares.map((sum) => (sum > 0 ? 1 / Math.sqrt(sum / rows) : 0));
  for (let i = 0; i < matrix.length; ) {
    for (let j = 0; j < features; j++, i++) matrix[i] = (matrix[i] - mean[j]) * factor[j];
  }
}
