/** Encoded rows with their true values, to pass through a model and to compare. */
import type { Split } from '../data/dataset/dataset.js';
import { type FeatureRows, rowsIn } from '../data/featureMatrix.js';
import { weightedMean } from '../evaluation/classification.js';
import type { ThresholdGoal } from '../evaluation/thresholds.js';
import { LogitPredictions, type Predicted, type Thresholds } from './inference.js';
import type { Model } from './load.js';
import type { PredictorPool } from './pool/predictorPool.js';
import { rowLosses } from './rowLosses.js';
import { createScorer, type Scored } from './scorer.js';

export interface EvaluatedRows {
  readonly rows: number;
  /** [rows, inputs] as the network takes them */
  readonly features: FeatureRows;
  /** Classes [rows], or values [rows, targets] in the network's units. */
  readonly expected: Int32Array | Float64Array;
  /** [rows] What a row counts in the loss; 1 if missing. */
  readonly weights?: Float64Array | undefined;
  /** [rows] Their numbers in their table, from 1. */
  readonly rowNumbers: Int32Array;
  /** Rows of each fold, where only members that are trained without a row shall predict it. */
  readonly folds?: readonly number[] | undefined;
}

/** @param folds of the split, if only members that are trained without a row shall predict it */
export function rowsOfSplit(
  { rows, features, labels, targets, weights, rowNumbers }: Split,
  folds?: readonly number[],
): EvaluatedRows {
  const expected = (labels ?? targets) as EvaluatedRows['expected'];
  return { rows, features, expected, weights, rowNumbers, folds };
}

/** Passes rows: their logits [rows, outputs]. */
export async function logitsOf(
  pool: PredictorPool,
  { rows, features, folds }: Pick<EvaluatedRows, 'rows' | 'features' | 'folds'>,
): Promise<{ readonly data: Float64Array }> {
  const { outputs } = pool;
  const data = new Float64Array(rows * outputs);
  for await (const { first, logits } of pool.passes(features, folds)) data.set(logits.data, first * outputs);
  return { data };
}

/** What a model predicts for rows, all at once. */
export interface PredictedRows extends Predicted {
  /** [rows, outputs] */
  readonly logits: { readonly data: Float64Array };
}

export async function predictRows(
  model: Model,
  pool: PredictorPool,
  rows: Pick<EvaluatedRows, 'rows' | 'features' | 'folds'>,
): Promise<PredictedRows> {
  const logits = await logitsOf(pool, rows);
  const predicted = new LogitPredictions(model, pool.outputs, rows.rows);
  predicted.take(logits);
  return Object.assign(predicted, { logits });
}

/** The scores of predicted rows, as of `mlp evaluate`. */
export function scoreRows(
  model: Model,
  predicted: PredictedRows,
  { rows, expected, weights }: EvaluatedRows,
  thresholds?: Thresholds,
  goal?: ThresholdGoal,
): Scored {
  const scorer = createScorer(model, predicted, thresholds, goal);
  scorer.add(rows, predicted.logits, expected);
  return scorer.result(weights);
}

/** The mean loss of the rows, or of as many with other features. */
export async function meanLoss(
  model: Model,
  pool: PredictorPool,
  { expected, weights, folds, rows, features: own }: EvaluatedRows,
  features = own,
): Promise<number> {
  const { data } = await logitsOf(pool, { rows, features, folds });
  return weightedMean(rowLosses(model, pool.outputs, expected, data), weights);
}

/** About `count` rows, evenly spaced: those of a split are in random order unless it is by time. */
export function everyNth(all: EvaluatedRows, count: number): EvaluatedRows {
  if (count >= all.rows) return all;
  const kept = spread(all.rows, count);
  const pick = <T extends Float64Array | Int32Array>(values: T): T => {
    const width = values.length / all.rows;
    const picked = values.slice(0, count * width) as T;
    for (const [i, row] of kept.entries()) {
      picked.set(values.subarray(row * width, (row + 1) * width), i * width);
    }
    return picked;
  };
  return {
    rows: count,
    features: pickRows(all.features, kept),
    expected: pick(all.expected),
    ...(all.weights && { weights: pick(all.weights) }),
    rowNumbers: pick(all.rowNumbers),
    ...(all.folds && { folds: countIn(all.folds, kept) }),
  };
}

function pickRows(rows: FeatureRows, numbers: Int32Array): FeatureRows {
  const { columns } = rows;
  const data = rows.read(0, 1) instanceof Float32Array ? Float32Array : Float64Array;
  const picked = new data(numbers.length * columns);
  for (const [i, row] of numbers.entries()) picked.set(rows.read(row, 1), i * columns);
  return rowsIn(picked, columns);
}

/** The numbers of `count` rows, evenly spaced among so many. */
export function spread(rows: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * rows) / count));
}

/** How many of these rows, which rise, are in each fold. */
function countIn(folds: readonly number[], rows: Int32Array): number[] {
  let end = 0;
  let at = 0;
  return folds.map((size) => {
    end += size;
    const first = at;
    while (at < rows.length && rows[at] < end) at++;
    return at - first;
  });
}
