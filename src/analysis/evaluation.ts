/** What a page shows of predictions: matrix, curves, calibration, residuals, and the most wrong rows. */
import type { Split } from '../data/dataset/dataset.js';
import { restoredColumns } from '../data/encoding/restore.js';
import { classCalibration, columnOf } from '../evaluation/classification.js';
import {
  averagePrecision,
  type CalibrationBin,
  calibrationBins,
  calibrationError,
  countByScore,
  precisionRecallCurve,
  rocCurve,
} from '../evaluation/curves.js';
import { type EvaluatedRows, everyNth, predictRows, rowsOfSplit, scoreRows } from '../model/evaluatedRows.js';
import type { Model } from '../model/load.js';
import type { PredictorPool } from '../model/pool/predictorPool.js';
import { ownTargets, pointsOf } from '../model/predictions.js';
import { rowLosses } from '../model/rowLosses.js';
import { type EvaluationReport, reportOf } from '../model/scorer.js';
import type {
  CalibrationResults,
  ClassCurves,
  ClassificationResults,
  Curve,
  EvaluationResults,
  LabelResults,
  RegressionResults,
  WrongRows,
} from '../report/html/results.js';
import { formatNumber } from '../text.js';
import { evenly, histogramOf } from './histogram.js';
import { imageOf } from './image.js';

/** Of more classes, those with the most rows have curves. */
const MOST_CURVES = 8;
const MOST_WRONG = 12;
const MOST_CELLS = 12;
const MOST_POINTS = 1000;

export interface Evaluated {
  readonly results: EvaluationResults;
  /** The rows that were passed. */
  readonly rows: EvaluatedRows;
}

/**
 * @param most rows to pass: of more, every n-th is taken
 * @param folds of the rows, if only members that are trained without a row shall predict it
 */
export async function evaluateSplit(
  model: Model,
  pool: PredictorPool,
  name: string,
  split: Split,
  most: number,
  folds?: readonly number[],
): Promise<Evaluated> {
  const rows = everyNth(rowsOfSplit(split, folds), most);
  const passed = await pass(model, pool, rows);
  const { report, predictions, losses } = passed;
  const metrics = Object.entries(report.metrics);
  const results: EvaluationResults = {
    split: name,
    rows: rows.rows,
    of: split.rows,
    metrics,
    ...(model.classes && { classification: classificationOf(model, rows, report, passed) }),
    ...(report.labels && { labels: labelsOf(model, rows, report.labels, predictions) }),
    ...(report.targets && { regression: regressionOf(model, rows, report.targets, passed) }),
    wrong: wrongRows(model, rows, passed, losses),
  };
  return { results, rows };
}

interface Passed {
  readonly report: EvaluationReport;
  /** [rows, width] Probabilities, or the targets in their own units. */
  readonly predictions: Float64Array;
  readonly width: number;
  /** [rows] The number of the predicted class. */
  readonly labels: Int32Array;
  /** [rows] */
  readonly losses: Float64Array;
  /** [rows, outputs] */
  readonly outputs: Float64Array;
}

async function pass(model: Model, pool: PredictorPool, evaluated: EvaluatedRows): Promise<Passed> {
  const { rows, expected, weights } = evaluated;
  const predicted = await predictRows(model, pool, evaluated);
  const { data } = predicted.logits;
  const result = scoreRows(model, predicted, evaluated);
  return {
    report: reportOf(model, { rows, weighted: weights !== undefined, result }),
    predictions: predicted.predictions(rows),
    width: predicted.width,
    labels: model.classes ? predicted.labels(rows) : new Int32Array(rows),
    losses: rowLosses(model, predicted.outputs, expected, data),
    outputs: data,
  };
}

function classificationOf(
  { classes = [] }: Model,
  { expected }: EvaluatedRows,
  { confusion = [], classes: scores = [] }: EvaluationReport,
  { predictions, labels }: Passed,
): ClassificationResults {
  const isOf = (j: number) => new Uint8Array(expected.length).map((_, row) => Number(expected[row] === j));
  const isBinary = classes.length === 2;
  const frequent = classes
    .map((_, j) => j)
    .sort((a, b) => scores[b].support - scores[a].support || a - b)
    .slice(0, MOST_CURVES)
    .sort((a, b) => a - b);
  const curves = (isBinary ? [1] : frequent).flatMap(
    (j) =>
      curvesOf(classes[j], isOf(j), columnOf(predictions, classes.length, j), scores[j].rocAuc, isBinary) ??
      [],
  );
  return {
    classes: scores.map(({ name }) => name).slice(0, confusion.length),
    counts: confusion,
    scores,
    curves,
    calibration: calibrationOf(
      isBinary ? classes[1] : 'the likeliest class',
      classCalibration(expected, labels, predictions, classes.length),
    ),
  };
}

function calibrationOf(of: string, bins: readonly CalibrationBin[]): CalibrationResults {
  return { of, bins, error: calibrationError(bins) };
}

function curvesOf(
  name: string,
  isPositive: Uint8Array,
  scores: Float64Array,
  rocAuc: number | null,
  hasThreshold: boolean,
): ClassCurves | undefined {
  const counts = countByScore(isPositive, scores);
  const roc = rocCurve(counts);
  const precisionRecall = precisionRecallCurve(counts);
  if (roc.length === 0) return undefined;
  const share = isPositive.reduce((sum, one) => sum + one, 0) / isPositive.length;
  // The last point whose threshold is at least ½: what is predicted by default.
  const halfRoc = roc.findLast(({ threshold }) => threshold >= 0.5);
  const halfPrecision = precisionRecall.findLast(({ threshold }) => threshold >= 0.5);
  return {
    name,
    rocAuc,
    averagePrecision: averagePrecision(precisionRecall),
    share,
    roc: curve(roc.map((point) => [point.falsePositives, point.truePositives, point.threshold])),
    // No row taken for the class has no precision: as in scikit-learn, it is drawn as 1.
    precisionRecall: curve([
      [0, 1, precisionRecall[0].threshold],
      ...precisionRecall.map((point) => [point.recall, point.precision, point.threshold] as const),
    ]),
    ...(hasThreshold &&
      halfRoc &&
      halfPrecision && {
        half: {
          roc: [halfRoc.falsePositives, halfRoc.truePositives],
          precisionRecall: [halfPrecision.recall, halfPrecision.precision],
        },
      }),
  };
}

/** No more points than a picture shows: only those where it bends, and of these evenly spaced ones. */
function curve(points: readonly (readonly [x: number, y: number, threshold: number])[]): Curve {
  const bends = points.filter(([x, y], i) => {
    const [before, after] = [points[i - 1], points[i + 1]];
    return !before || !after || !((before[0] === x && after[0] === x) || (before[1] === y && after[1] === y));
  });
  const kept = evenly(bends.length, 400).map((i) => bends[i]);
  return { x: kept.map(([x]) => x), y: kept.map(([, y]) => y), thresholds: kept.map(([, , at]) => at) };
}

function labelsOf(
  { targets }: Model,
  { expected }: EvaluatedRows,
  scores: NonNullable<EvaluationReport['labels']>,
  predictions: Float64Array,
): LabelResults[] {
  return scores.map((score, j) => {
    const width = targets.length;
    const isYes = Uint8Array.from(columnOf(expected, width, j));
    const probabilities = columnOf(predictions, width, j);
    const curves = curvesOf(score.name, isYes, probabilities, score.rocAuc, true);
    const none: Curve = { x: [], y: [], thresholds: [] };
    return {
      scores: score,
      curves: curves ?? {
        name: score.name,
        rocAuc: null,
        averagePrecision: null,
        share: 0,
        roc: none,
        precisionRecall: none,
      },
      calibration: calibrationOf(score.name, calibrationBins(isYes, probabilities)),
    };
  });
}

function regressionOf(
  model: Model,
  { rows, expected }: EvaluatedRows,
  scores: NonNullable<EvaluationReport['targets']>,
  { outputs }: Passed,
): RegressionResults[] {
  const width = model.targets.length;
  const own = ownTargets(expected, width, model);
  const points = pointsOf(rows, outputs, outputs.length / rows, model);
  return scores.map(({ name, r2, rmse, mae }, j) => {
    const cells = evenly(rows, MOST_POINTS).map((row) => row * width + j);
    const residuals = new Float64Array(rows).map((_, row) => points[row * width + j] - own[row * width + j]);
    return {
      target: name,
      scores: [
        ['R²', r2],
        ['RMSE', rmse],
        ['MAE', mae],
      ],
      actual: cells.map((cell) => own[cell]),
      predicted: cells.map((cell) => points[cell]),
      residuals: histogramOf(residuals),
    };
  });
}

function sixDigits(value = Number.NaN): string {
  return formatNumber(Number(value.toPrecision(6)));
}

/** The rows with the greatest losses. */
function wrongRows(
  model: Model,
  { rows, features, expected, rowNumbers }: EvaluatedRows,
  { predictions, labels, width, outputs }: Passed,
  losses: Float64Array,
): WrongRows {
  const worst = Array.from({ length: rows }, (_, row) => row)
    .filter((row) => Number.isFinite(losses[row]))
    .sort((a, b) => losses[b] - losses[a] || a - b)
    .slice(0, MOST_WRONG);
  const { classes, labelValues, targets } = model;
  const columns = restoredColumns(model.features).filter(({ kind }) => kind !== 'constant');
  const image = imageOf(model.features);
  const shown = image ? [] : columns.slice(0, MOST_CELLS);
  const truths = targets.length;
  const own = classes || labelValues ? undefined : ownTargets(expected, truths, model);
  const points = own && pointsOf(rows, outputs, outputs.length / rows, model);
  const list = (of: (j: number) => string) => targets.map((_, j) => of(j)).join(', ');
  const yes = (row: number, isYes: (at: number) => boolean) => {
    const names = targets.filter((_, j) => isYes(row * truths + j));
    return names.length > 0 ? names.join(', ') : 'none';
  };
  const describe = (row: number): { actual: string; predicted: string; probabilities?: [number, number] } => {
    if (classes) {
      const [actual, predicted] = [expected[row], labels[row]];
      const probability = (label: number) => predictions[row * width + label];
      return {
        actual: classes[actual] ?? '',
        predicted: classes[predicted],
        probabilities: [probability(predicted), probability(actual)],
      };
    }
    if (labelValues) {
      return {
        actual: yes(row, (at) => expected[at] === 1),
        predicted: yes(row, (at) => predictions[at] > 0.5),
      };
    }
    return {
      actual: list((j) => sixDigits(own?.[row * truths + j])),
      predicted: list((j) => sixDigits(points?.[row * truths + j])),
    };
  };
  return {
    columns: shown.map(({ column }) => column),
    rows: worst.map((row) => {
      // Once: it may be in a file.
      const inputs = features.read(row, 1);
      return {
        number: rowNumbers[row],
        ...describe(row),
        loss: losses[row],
        cells: shown.map((column) => column.text(inputs, 0)),
        ...(image && { picture: image.pictureOf(inputs, 0) }),
      };
    }),
  };
}
