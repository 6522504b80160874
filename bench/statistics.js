/** Medians and ratios of rounds. Figures of the same round belong together: they were taken one right after the other. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Median, least and greatest. */
export function spread(values) {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** a over b, in the rounds that both have: what slows the machine down for a while slows down both. */
export function ratios(a, b) {
  return a.slice(0, b.length).map((value, round) => value / b[round]);
}

/** Five digits are more than a clock can vouch for. */
export function rounded(value) {
  return Number(value.toPrecision(5));
}
