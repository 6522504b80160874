/**
 * Chooses members with replacement, one after the other: each is the candidate that, added to those
 * before, predicts the validation rows best (Caruana, Niculescu-Mizil, Crew and Ksikes 2004, "Ensemble
 * selection from libraries of models"). It starts with the best single one. Without bagging, and
 * without a start from several: the paper's remedies for libraries of thousands.
 */

export interface GreedyChoice {
  /** [candidates] How often each was chosen, up to the best ensemble. */
  readonly counts: readonly number[];
  /** That of the best ensemble. */
  readonly score: number;
  /** [candidates] Of each by itself. */
  readonly single: readonly number[];
}

/** The share of a score that is rounding: the mean of equal predictions is none of them to the last bit. */
const ROUNDING = 1e-9;

/**
 * @param predictions of each candidate, all of the same length
 * @param score of averaged predictions
 * @param isBetter whether a score beats another by more than a difference; the first of equal ones stays
 * @param rounds how many are chosen; the ensemble is that of the best round, the first of equal ones
 * @returns undefined if no candidate has a finite score
 */
export function chooseGreedily(
  predictions: readonly Float64Array[],
  score: (average: Float64Array) => number,
  isBetter: (value: number, best: number | null, minDelta: number) => boolean,
  rounds: number,
): GreedyChoice | undefined {
  const single = predictions.map(score);
  const { length } = predictions[0];
  const sum = new Float64Array(length);
  const average = new Float64Array(length);
  const chosen = predictions.map(() => 0);
  let best: { counts: readonly number[]; score: number } | undefined;
  for (let round = 1; round <= rounds; round++) {
    let next = -1;
    let nextScore: number | null = null;
    for (const [i, own] of predictions.entries()) {
      for (let at = 0; at < length; at++) average[at] = (sum[at] + own[at]) / round;
      const value = round === 1 ? single[i] : score(average);
      if (!isBetter(value, nextScore, 0)) continue;
      next = i;
      nextScore = value;
    }
    if (nextScore === null) break;
    chosen[next]++;
    const own = predictions[next];
    for (let at = 0; at < length; at++) sum[at] += own[at];
    const before = best?.score ?? null;
    if (isBetter(nextScore, before, ROUNDING * Math.abs(before ?? 0))) {
      best = { counts: [...chosen], score: nextScore };
    }
  }
  return best && { ...best, single };
}
