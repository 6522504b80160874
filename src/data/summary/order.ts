/** Rows in the order of their target, and whether another column keeps that order. */

/** These rows, sorted by their keys, which are all numbers. */
export function orderBy(keys: Float64Array, rows: Int32Array): Int32Array {
  return rows.slice().sort((a, b) => keys[a] - keys[b]);
}

/**
 * Whether values never fall, or never rise, from rows of one key to rows of the next; among rows of equal keys they may
 * do either. Rows without a value are passed over.
 * @param order rows by rising keys
 */
export function isMonotone(values: Float64Array, keys: Float64Array, order: Int32Array): boolean {
  let rising = true;
  let falling = true;
  // The extremes of all rows of smaller keys, and with them those of the present key.
  let minBefore = Number.POSITIVE_INFINITY;
  let maxBefore = Number.NEGATIVE_INFINITY;
  let min = minBefore;
  let max = maxBefore;
  let key = Number.NaN;
  for (const row of order) {
    const value = values[row];
    if (Number.isNaN(value)) continue;
    if (keys[row] !== key) {
      key = keys[row];
      minBefore = min;
      maxBefore = max;
    }
    if (value < maxBefore) rising = false;
    if (value > minBefore) falling = false;
    if (!rising && !falling) return false;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return true;
}
