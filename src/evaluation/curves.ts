/** Curves of scores: receiver operating characteristic, precision and recall, calibration. */

/** Rising scores of the positive rows, and of the others. */
export interface SortedScores {
  readonly own: Float64Array;
  readonly others: Float64Array;
}

/**
 * Undefined if a score is NaN.
 * @param isPositive says of a row whether it is positive
 */
export function sortScores(
  isPositive: (row: number) => boolean,
  scores: ArrayLike<number>,
): SortedScores | undefined {
  const rows = scores.length;
  const own = new Float64Array(rows);
  const others = new Float64Array(rows);
  let positive = 0;
  for (let row = 0; row < rows; row++) {
    if (Number.isNaN(scores[row])) return undefined;
    if (isPositive(row)) own[positive++] = scores[row];
    else others[row - positive] = scores[row];
  }
  return { own: own.subarray(0, positive).sort(), others: others.subarray(0, rows - positive).sort() };
}

/** Of the rows with at least this score: how many there are, and how many of them are positive. */
export interface ScoreCount {
  readonly threshold: number;
  readonly taken: number;
  readonly positive: number;
}

/** For each distinct score, falling. */
function* countSorted({ own, others }: SortedScores): Generator<ScoreCount> {
  let positive = 0;
  let rest = 0;
  const next = (scores: Float64Array, taken: number) => scores[scores.length - 1 - taken] ?? -Infinity;
  while (positive < own.length || rest < others.length) {
    const threshold = Math.max(next(own, positive), next(others, rest));
    while (positive < own.length && next(own, positive) === threshold) positive++;
    while (rest < others.length && next(others, rest) === threshold) rest++;
    yield { threshold, taken: positive + rest, positive };
  }
}

/**
 * For each distinct score, falling. None if a score is NaN.
 * @param isPositive [rows]
 */
export function countByScore(
  isPositive: ArrayLike<boolean | number>,
  scores: ArrayLike<number>,
): ScoreCount[] {
  const sorted = sortScores((row) => Boolean(isPositive[row]), scores);
  return sorted ? [...countSorted(sorted)] : [];
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
  return all === 0 ? [] : [...precisionPoints(counts, all)];
}

/** @param all how many rows are positive; at least one */
function* precisionPoints(counts: Iterable<ScoreCount>, all: number): Generator<PrecisionPoint> {
  for (const { threshold, taken, positive } of counts) {
    yield { threshold, recall: positive / all, precision: positive / taken };
  }
}

/** The average precision of sorted scores, whose curve is never in memory. Null without positive rows. */
export function averagePrecisionOf(sorted: SortedScores): number | null {
  const all = sorted.own.length;
  return all === 0 ? null : averagePrecision(precisionPoints(countSorted(sorted), all));
}

/**
 * Σ (R_n − R_{n−1})·P_n, scikit-learn's `average_precision_score`: the area below the curve in steps.
 * @param curve as `precisionRecallCurve` gives it; null for an empty one
 */
export function averagePrecision(curve: Iterable<PrecisionPoint>): number | null {
  let before: number | undefined;
  let area = 0;
  for (const { recall, precision } of curve) {
    area += (recall - (before ?? 0)) * precision;
    before = recall;
  }
  return before === undefined ? null : area;
}

/** Into how many parts of [0, 1] probabilities are divided. */
const CALIBRATION_BINS = 10;

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
  bins = CALIBRATION_BINS,
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
