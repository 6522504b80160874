/** From which probability on the second of two classes is best predicted. */
import { type Confusion, matthews, type Scores } from './classification.js';
import type { ScoreCount } from './curves.js';

/** What a threshold is chosen by; a cost is that of a false positive and of a false negative. */
export type ThresholdGoal =
  | { readonly by: 'f1' | 'mcc' }
  | { readonly by: 'cost'; readonly falsePositive: number; readonly falseNegative: number };

export interface ThresholdScores extends Scores {
  /** Rows with at least this probability are predicted to be of the second class. */
  readonly threshold: number;
  readonly accuracy: number;
  readonly matthews: number;
  /** Only where it is the goal: the mean over the rows. */
  readonly cost?: number;
}

/** The scores at thresholds 0.1, 0.2, …, 0.9, and at the one that is best for these rows. */
export interface ThresholdTable {
  readonly goal: ThresholdGoal;
  readonly best: ThresholdScores;
  readonly steps: readonly ThresholdScores[];
}

const STEPS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** @param counts those of `countByScore`: by falling probability, at least one */
export function thresholdTable(counts: readonly ScoreCount[], goal: ThresholdGoal): ThresholdTable {
  const all = counts[counts.length - 1];
  const scoresOf = (threshold: number, { taken, positive }: Pick<ScoreCount, 'taken' | 'positive'>) =>
    scoresFrom(threshold, goal, {
      hits: positive,
      falsePositives: taken - positive,
      misses: all.positive - positive,
      rest: all.taken - all.positive - (taken - positive),
    });
  // Between a probability and the next lower one, all thresholds decide alike. Above the highest, unless
  // that is 1, nothing is taken.
  const [{ threshold: highest }] = counts;
  const candidates = [
    ...(highest < 1 ? [scoresOf((highest + 1) / 2, { taken: 0, positive: 0 })] : []),
    ...counts.map((count, i) => {
      const below = counts[i + 1]?.threshold ?? 0;
      return scoresOf((count.threshold + below) / 2, count);
    }),
  ];
  const worth = (scores: ThresholdScores) =>
    goal.by === 'cost' ? -(scores.cost as number) : goal.by === 'f1' ? scores.f1 : scores.matthews;
  const best = candidates.reduce((a, b) => {
    const gain = worth(b) - worth(a);
    // Of equally good ones, that nearest to one half.
    const isNearer = Math.abs(b.threshold - 0.5) < Math.abs(a.threshold - 0.5);
    return gain > 0 || (gain === 0 && isNearer) ? b : a;
  });
  const steps = STEPS.map((step) => {
    const taken = counts.findLast(({ threshold }) => threshold >= step) ?? { taken: 0, positive: 0 };
    return scoresOf(step, taken);
  });
  return { goal, best, steps };
}

interface Decided {
  readonly hits: number;
  readonly falsePositives: number;
  readonly misses: number;
  readonly rest: number;
}

function scoresFrom(
  threshold: number,
  goal: ThresholdGoal,
  { hits, falsePositives, misses, rest }: Decided,
): ThresholdScores {
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  const confusion: Confusion = [
    [rest, falsePositives],
    [misses, hits],
  ];
  const rows = hits + falsePositives + misses + rest;
  return {
    threshold,
    precision: share(hits, hits + falsePositives),
    recall: share(hits, hits + misses),
    f1: share(2 * hits, 2 * hits + falsePositives + misses),
    accuracy: (hits + rest) / rows,
    matthews: matthews(confusion),
    ...(goal.by === 'cost' && {
      cost: (goal.falsePositive * falsePositives + goal.falseNegative * misses) / rows,
    }),
  };
}
