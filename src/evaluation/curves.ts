/** Curves of scores: receiver operating characteristic, precision and recall, calibration. */

/** Of the rows with at least this score: how many there are, and how many of them are positive. */
export interface ScoreCount {
  readonly threshold: number;
  readonly taken: number;
  readonly positive: number;
}

/**
 * For each distinct score, falling. None if a score is NaN.
 * @param isPositive [rows]
 */
export function countByScore(
  isPositive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
): ScoreCount[] {
  const order = Uint32Array.from({ length: scores.length }, (_, row) => row);
  if (order.some((row) => Number.isNaN(scores[row]))) return [];
  order.sort((a, b) => scores[b] - scores[a]);
  const counts: ScoreCount[] = [];
  let positive = 0;
  for (const [i, row] of order.entries()) {
    if (isPositive[row]) positive++;
    const isLast = i + 1 === order.length || scores[order[i + 1]] !== scores[row];
    if (isLast) counts.push({ threshold: scores[row], taken: i + 1, positive });
  }
  return counts;
}

export interface RocPoint {
  /** Rows with at least this score are taken as positive; infinite for none. */
  readonly threshold: number;
  /** The share of the other rows that are taken as positive, and of the positive ones. */
  readonly falsePositives: number;
  readonly truePositives: number;
}

/**
 * The ROC curve from (0, 0) to (1, 1), with a point for each distinct score (Fawcett 2006, algorithm 1),
 * as scikit-learn's `roc_curve(drop_intermediate=False)`. Empty without positive or without other rows,
 * or with a score that is NaN.
 */
export function rocCurve(counts: readonly ScoreCount[]): RocPoint[] {
  const last = counts.at(-1);
  if (!last || last.positive === 0 || last.positive === last.taken) return [];
  const others = last.taken - last.positive;
  const none = { threshold: Number.POSITIVE_INFINITY, falsePositives: 0, truePositives: 0 };
  return [
    none,
    ...counts.map(({ threshold, taken, positive }) => ({
      threshold,
      falsePositives: (taken - positive) / others,
      truePositives: positive / last.positive,
    })),
  ];
}

export interface PrecisionPoint {
  readonly threshold: number;
  readonly recall: number;
  readonly precision: number;
}

/**
 * Precision and recall for each distinct score, from the highest on, as scikit-learn's
 * `precision_recall_curve` in reverse order. Empty without positive rows or with a score that is NaN.
 */
export function precisionRecallCurve(counts: readonly ScoreCount[]): PrecisionPoint[] {
  const all = counts.at(-1)?.positive ?? 0;
  if (all === 0) return [];
  return counts.map(({ threshold, taken, positive }) => ({
    threshold,
    recall: positive / all,
    precision: positive / taken,
  }));
}

/**
 * Σ (R_n − R_{n−1})·P_n, scikit-learn's `average_precision_score`: the area below the curve in steps.
 * @param curve as `precisionRecallCurve` gives it; null for an empty one
 */
export function averagePrecision(curve: readonly PrecisionPoint[]): number | null {
  if (curve.length === 0) return null;
  let before = 0;
  let area = 0;
  for (const { recall, precision } of curve) {
    area += (recall - before) * precision;
    before = recall;
  }
  return area;
}

/** Rows whose probabilities are between two bounds. */
export interface CalibrationBin {
  /** The bounds. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** The mean of their probabilities, and the share of them that are positive. */
  readonly probability: number;
  readonly share: number;
}

/**
 * Rows by their probability in `bins` parts of [0, 1], the empty ones left out, as scikit-learn's
 * `calibration_curve`.
 */
export function calibrationBins(
  isPositive: ArrayLike<boolean | number>,
  probabilities: ArrayLike<number>,
  bins: number,
): CalibrationBin[] {
  const sums = Array.from({ length: bins }, () => ({ rows: 0, probability: 0, positive: 0 }));
  for (let row = 0; row < probabilities.length; row++) {
    if (Number.isNaN(probabilities[row])) continue;
    // A probability on a bound belongs to the part below it.
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(probabilities[row] * bins) - 1))];
    bin.rows++;
    bin.probability += probabilities[row];
    if (isPositive[row]) bin.positive++;
  }
  return sums
    .map((sum, i) => ({ ...sum, from: i / bins, to: (i + 1) / bins }))
    .filter(({ rows }) => rows > 0)
    .map(({ from, to, rows, probability, positive }) => ({
      from,
      to,
      rows,
      probability: probability / rows,
      share: positive / rows,
    }));
}

/** Expected calibration error (Naeini, Cooper and Hauskrecht 2015): Σ rows/N·|share − probability|. */
export function calibrationError(
  bins: readonly Pick<CalibrationBin, 'rows' | 'probability' | 'share'>[],
): number {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  return bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.share - bin.probability), 0);
}
