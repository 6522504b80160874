/** Metrics of a regression. */
import { ELEMENT_LOSSES } from '../kernels/elementLosses.js';
import { weightedMean } from './classification.js';
import { type Arithmetic, compensated, type Sum, totalWeight } from './sum.js';

export interface RegressionScores {
  /**
   * 1 − Σ(t − o)²/Σ(t − t̄)². For equal targets 1 if perfect, else 0, as scikit-learn's `r2_score`;
   * null for a single row.
   */
  readonly r2: number | null;
  /** √(1/N·Σ(t − o)²), in the target's own unit */
  readonly rmse: number;
}

/**
 * R² and RMSE, gathered chunk by chunk; over several targets the mean of theirs, as in
 * scikit-learn's `multioutput="uniform_average"`.
 */
export class RegressionErrors {
  readonly #targets: ArrayLike<number>;
  readonly #units: readonly number[];
  readonly #arithmetic: Arithmetic;
  #squares: readonly Sum[];
  #variations: readonly number[] | undefined;

  /**
   * @param targets [rows, K] row-major, in the network's units
   * @param units [K] how much of the target's own unit is 1 for the network: 1 if not standardised
   */
  constructor(targets: ArrayLike<number>, units: readonly number[], arithmetic: Arithmetic) {
    this.#targets = targets;
    this.#units = units;
    this.#arithmetic = arithmetic;
    this.#squares = units.map(() => arithmetic.sum());
  }

  /** Adds rows, whose outputs are [rows, K] and whose targets start at `firstRow`. */
  add(rows: number, outputs: ArrayLike<number>, firstRow: number): void {
    const targets = this.#targets;
    const width = this.#units.length;
    const offset = firstRow * width;
    for (let j = 0; j < width; j++) {
      const squares = this.#squares[j];
      const end = rows * width;
      for (let at = j; at < end; at += width) squares.add((outputs[at] - targets[offset + at]) ** 2);
    }
  }

  /** Forgets the outputs, to add others for the same targets. */
  reset(): void {
    this.#squares = this.#units.map(() => this.#arithmetic.sum());
  }

  scores(): RegressionScores & { readonly targets: readonly RegressionScores[] } {
    const width = this.#units.length;
    const rows = this.#targets.length / width;
    this.#variations ??= this.#units.map((_, j) => this.#variation(j));
    const variations = this.#variations;
    const targets = this.#units.map((unit, j) => {
      const squares = this.#squares[j].value;
      const variation = variations[j];
      const r2 = variation > 0 ? 1 - squares / variation : squares === 0 ? 1 : 0;
      return { r2: rows < 2 ? null : r2, rmse: unit * Math.sqrt(squares / rows) };
    });
    const { mean } = this.#arithmetic;
    const r2 = targets.map((target) => target.r2).filter((value) => value !== null);
    return { r2: r2.length < width ? null : mean(r2), rmse: mean(targets.map(({ rmse }) => rmse)), targets };
  }

  /** Σ(t − t̄)² of target j in two passes: a large mean costs no digits; 0 for equal targets. */
  #variation(j: number): number {
    const targets = this.#targets;
    const width = this.#units.length;
    let equal = j;
    while (equal < targets.length && targets[equal] === targets[j]) equal += width;
    if (equal >= targets.length) return 0; // whatever the mean is rounded to
    const mean = this.#arithmetic.mean(targets, j, width);
    const squares = this.#arithmetic.sum();
    for (let at = j; at < targets.length; at += width) squares.add((targets[at] - mean) ** 2);
    return squares.value;
  }
}

export interface RegressedRows {
  /** [rows, K] row-major, as are the outputs, in the units that the network is trained on. */
  readonly targets: ArrayLike<number>;
  readonly outputs: ArrayLike<number>;
  /** [K] How much of a target's own unit is 1 for the network: 1 if it is not standardised. */
  readonly units: readonly number[];
  /** [rows] What the network is trained on, for each row; the squared errors if left out. */
  readonly losses?: ArrayLike<number> | undefined;
  /** [rows] What a row counts in the loss, and only there; 1 if missing. */
  readonly weights?: ArrayLike<number> | undefined;
}

export interface TargetMetrics extends RegressionScores {
  /** 1/N·Σ|t − o|, in the target's own unit */
  readonly mae: number;
  /** The median of |t − o|, in the target's own unit */
  readonly medianAbsoluteError: number;
}

/** Over several targets each metric is the mean of theirs. */
export interface Regression extends TargetMetrics {
  /** What the network is trained on, in its units: by default the mean squared error over all targets. */
  readonly loss: number;
  readonly targets: readonly TargetMetrics[];
  /**
   * 1/N·Σ |t − o| / max(|t|, 2⁻⁵²), the mean absolute percentage error as a share, as scikit-learn's;
   * missing where targets are known only up to a shift.
   */
  readonly mape?: number;
  /** Only of quantiles, rising. */
  readonly quantiles?: readonly QuantileMetrics[];
  /** Only of two quantiles or more: the share of targets from the lowest to the highest. */
  readonly coverage?: number;
  /** Only of counts. */
  readonly poissonDeviance?: number;
}

export interface QuantileMetrics {
  readonly quantile: number;
  /** 1/N·Σ max(q·(t − p), (q − 1)·(t − p)), in the target's own unit */
  readonly pinballLoss: number;
  /** The share of targets that are at most the predicted quantile: about q if that is right. */
  readonly below: number;
}

/** @param predictions [rows, quantiles] of targets [rows], in the same unit */
export function evaluateQuantiles(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
  quantiles: readonly number[],
): Pick<Regression, 'quantiles' | 'coverage'> {
  const rows = targets.length;
  const width = quantiles.length;
  const { value } = ELEMENT_LOSSES.pinballError;
  const each = quantiles.map((quantile, j) => {
    const losses = compensated.sum();
    let below = 0;
    for (let row = 0; row < rows; row++) {
      const prediction = predictions[row * width + j];
      losses.add(value(prediction, targets[row], quantile));
      if (targets[row] <= prediction) below++;
    }
    return { quantile, pinballLoss: losses.value / rows, below: below / rows };
  });
  if (width < 2) return { quantiles: each };
  let covered = 0;
  for (let row = 0; row < rows; row++) {
    const first = row * width;
    if (targets[row] >= predictions[first] && targets[row] <= predictions[first + width - 1]) covered++;
  }
  return { quantiles: each, coverage: covered / rows };
}

/** 2/N·Σ t·log(t / rate) − t + rate, where 0·log 0 is 0; the mean over all targets. */
export function poissonDeviance(targets: ArrayLike<number>, rates: ArrayLike<number>): number {
  const sum = compensated.sum();
  for (let at = 0; at < targets.length; at++) {
    const t = targets[at];
    sum.add((t === 0 ? 0 : t * Math.log(t / rates[at])) - t + rates[at]);
  }
  return (2 * sum.value) / targets.length;
}

export function evaluateRegression(regressed: RegressedRows): Regression {
  const { targets, outputs, units, losses, weights } = regressed;
  const width = units.length;
  const rows = targets.length / width;
  const errors = new RegressionErrors(targets, units, compensated);
  errors.add(rows, outputs, 0);
  const weight = totalWeight(rows, weights);
  const each = units.map((unit, j) => {
    const sizes = compensated.sum();
    const loss = compensated.sum();
    const absolute = new Float64Array(rows);
    for (let row = 0, at = j; row < rows; row++, at += width) {
      const error = outputs[at] - targets[at];
      absolute[row] = unit * Math.abs(error);
      sizes.add(Math.abs(error));
      loss.add(error * error * (weights?.[row] ?? 1));
    }
    const mae = (unit * sizes.value) / rows;
    return { mae, medianAbsoluteError: median(absolute), loss: loss.value / weight };
  });
  const scores = errors.scores();
  return {
    loss: losses ? weightedMean(losses, weights) : compensated.mean(each.map(({ loss }) => loss)),
    r2: scores.r2,
    rmse: scores.rmse,
    mae: compensated.mean(each.map(({ mae }) => mae)),
    medianAbsoluteError: compensated.mean(each.map(({ medianAbsoluteError }) => medianAbsoluteError)),
    targets: scores.targets.map((target, j) => {
      const { mae, medianAbsoluteError } = each[j];
      return { ...target, mae, medianAbsoluteError };
    }),
  };
}

/** Of values, which it sorts; the mean of the two in the middle. */
function median(values: Float64Array): number {
  values.sort();
  const middle = values.length >> 1;
  return values.length % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/** @param predictions in the same unit as the targets */
export function meanAbsolutePercentageError(
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
): number {
  const sum = compensated.sum();
  for (let at = 0; at < targets.length; at++) {
    sum.add(Math.abs(predictions[at] - targets[at]) / Math.max(Math.abs(targets[at]), Number.EPSILON));
  }
  return sum.value / targets.length;
}
