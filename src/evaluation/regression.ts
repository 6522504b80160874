/** All metrics of a regression on a set of rows. */
import { meanOf, Sum } from './sum.js';

export interface RegressedRows {
  /** [rows, K] row-major, as are the outputs, in the units that the network is trained on. */
  readonly targets: ArrayLike<number>;
  readonly outputs: ArrayLike<number>;
  /** [K] For each target, how much of its own unit is 1 of what the network is trained on: 1 where it is not standardised. */
  readonly units: readonly number[];
  /** [rows] What a row counts in the loss, and nowhere else; 1 where there are none. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** Errors are in the target's own unit. */
export interface TargetMetrics {
  /**
   * 1 − Σ(t − o)²/Σ(t − t̄)². Where all targets are equal, 1 for a perfect fit and 0 otherwise, as scikit-learn's `r2_score` has
   * it; null for a single row, of which there is no variation to be explained.
   */
  readonly r2: number | null;
  /** √(1/N·Σ(t − o)²) */
  readonly rmse: number;
  /** 1/N·Σ|t − o| */
  readonly mae: number;
}

/** Over several targets each metric is the mean of theirs: scikit-learn's `multioutput="uniform_average"`. */
export interface Regression extends TargetMetrics {
  /** The mean squared error that the network is trained on, over all rows and targets, in standardised units where those are. */
  readonly loss: number;
  readonly targets: readonly TargetMetrics[];
}

/** At least one row. */
export function evaluateRegression(rows: RegressedRows): Regression {
  const { targets, units } = rows;
  const each = units.map((_, j) => evaluateTarget(rows, j));
  const r2 = each.map((target) => target.r2).filter((value) => value !== null);
  return {
    loss: meanOf(each.map((target) => target.weightedSquares / (targets.length / units.length))),
    r2: r2.length < each.length ? null : meanOf(r2),
    rmse: meanOf(each.map(({ rmse }) => rmse)),
    mae: meanOf(each.map(({ mae }) => mae)),
    targets: each.map(({ r2, rmse, mae }) => ({ r2, rmse, mae })),
  };
}

function evaluateTarget(
  { targets, outputs, units, weights }: RegressedRows,
  j: number,
): TargetMetrics & { weightedSquares: number } {
  const width = units.length;
  const rows = targets.length / width;
  const squares = new Sum();
  const weightedSquares = new Sum();
  const sizes = new Sum();
  for (let row = 0, at = j; row < rows; row++, at += width) {
    const error = outputs[at] - targets[at];
    squares.add(error * error);
    weightedSquares.add(error * error * (weights?.[row] ?? 1));
    sizes.add(Math.abs(error));
  }
  const squaredError = squares.value;
  const variation = totalVariation(targets, width, j);
  const r2 = variation > 0 ? 1 - squaredError / variation : squaredError === 0 ? 1 : 0;
  return {
    r2: rows < 2 ? null : r2,
    rmse: units[j] * Math.sqrt(squaredError / rows),
    mae: (units[j] * sizes.value) / rows,
    weightedSquares: weightedSquares.value,
  };
}

/** Σ(t − t̄)² of target j, in two passes so that a large mean costs no digits; exactly 0 where all are equal. */
function totalVariation(targets: ArrayLike<number>, width: number, j: number): number {
  const total = new Sum();
  let varies = false;
  for (let at = j; at < targets.length; at += width) {
    total.add(targets[at]);
    varies ||= targets[at] !== targets[j];
  }
  if (!varies) return 0; // however the mean is rounded
  const mean = total.value / (targets.length / width);
  const squares = new Sum();
  for (let at = j; at < targets.length; at += width) squares.add((targets[at] - mean) ** 2);
  return squares.value;
}
