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

/** a over b, round by round: what slows the machine down for a while slows down both. */
export function ratios(a, b) {
  return a.map((value, round) => value / b[round]);
}
