/** An evaluation for people: what was scored, the tables, and the main figures in the last line. */
import type { SplitName } from '../data/dataset/dataset.js';
import type { rejectedCounts } from '../data/rejectedRows.js';
import type { Classification } from '../evaluation/classification.js';
import type { Multilabel } from '../evaluation/multilabel.js';
import type { Regression } from '../evaluation/regression.js';
import type { Importance } from '../model/importance.js';
import type { ReadingModel } from '../model/load.js';
import { type Scored, UNKNOWN_CLASS } from '../model/scorer.js';
import {
  classScoresTable,
  confusionTable,
  importanceTable,
  labelScoresTable,
  quantilesTable,
  targetErrorsTable,
  thresholdsTable,
} from '../report/scores.js';
import type { Display } from '../report/style.js';
import { counted, formatMetric, formatPercent, printable } from '../text.js';

export interface Evaluated {
  readonly model: ReadingModel;
  readonly data: { readonly path: string; readonly rows: number };
  /** Which of the run's own rows; undefined for all rows of a file. */
  readonly split?: SplitName;
  /** How many rows of the file can't be read and were left out, if some were. */
  readonly rejected?: ReturnType<typeof rejectedCounts>;
  /** Sentences for the user about the rows. */
  readonly warnings: readonly string[];
  readonly weighted: boolean;
  readonly result: Scored;
  readonly importance?: Importance;
}

const ROW_OF = { train: 'training row', validation: 'validation row', test: 'test row' };

export function renderEvaluation(evaluated: Evaluated, display: Display): string {
  const { model, data, split, result } = evaluated;
  const row = split === undefined ? 'row' : ROW_OF[split];
  const head = `${counted(data.rows, row)} of ${printable(data.path)}, scored by ${model.path}`;
  const sections =
    'hammingLoss' in result
      ? [labelScoresTable(labelsOf(result, model), result, display)]
      : 'confusion' in result
        ? classSections(result, model, split && `${row}s`, display)
        : regressionSections(result, model, display);
  const more = [
    ...('thresholds' in result && result.thresholds ? [thresholdsTable(result.thresholds, display)] : []),
    ...(evaluated.importance ? [importanceTable(evaluated.importance, display)] : []),
  ];
  return [head, ...sections, ...more, [...detailLine(result), lossLine(evaluated, display)].join('\n')].join(
    '\n\n',
  );
}

function classSections(
  result: Classification,
  { classes: names = [] }: ReadingModel,
  of: string | undefined,
  display: Display,
): string[] {
  const { classes, confusion } = result;
  const named = classes.map((scores, j) => ({ ...scores, name: names[j] ?? UNKNOWN_CLASS }));
  return [
    confusionTable(
      { ...(of !== undefined && { of }), classes: named.map(({ name }) => name), counts: confusion },
      display,
    ),
    classScoresTable(named, result, display),
  ];
}

function labelsOf({ labels }: Multilabel, { targets }: ReadingModel) {
  return labels.map((scores, j) => ({ ...scores, name: targets[j] }));
}

/** For a single target, the last line says everything. */
function regressionSections(
  { targets, ...mean }: Regression,
  model: ReadingModel,
  display: Display,
): string[] {
  if (mean.quantiles) return [quantilesTable(mean.quantiles, display)];
  if (targets.length === 1) return [];
  const named = targets.map((errors, j) => ({ ...errors, name: model.targets[j] }));
  return [targetErrorsTable(named, mean, display)];
}

/** Scores that say more than those of the last line. */
function detailLine(result: Scored): string[] {
  if ('hammingLoss' in result) return [];
  if (!('confusion' in result)) {
    const { medianAbsoluteError, mape } = result;
    const share =
      mape === undefined || mape > 10 ? [] : [`mean absolute percentage error ${formatPercent(mape)}`];
    return [[`median absolute error ${formatMetric(medianAbsoluteError)}`, ...share].join(', ')];
  }
  const { balancedAccuracy, matthews, brier, prAuc, calibrationError } = result;
  return [
    [
      `balanced accuracy ${formatMetric(balancedAccuracy)}`,
      `Matthews ${formatMetric(matthews)}`,
      `PR AUC ${formatOptional(prAuc)}`,
      `Brier ${formatMetric(brier)}`,
      `calibration error ${formatMetric(calibrationError)}`,
    ].join(', '),
  ];
}

function lossLine({ model, weighted, result }: Evaluated, { style }: Display): string {
  const metrics =
    'hammingLoss' in result
      ? [
          `all labels right ${formatPercent(result.accuracy)}`,
          `Hamming loss ${formatMetric(result.hammingLoss)}`,
          `ROC AUC ${formatOptional(result.rocAuc)}`,
        ]
      : 'confusion' in result
        ? [
            `accuracy ${formatMetric(result.accuracy)}`,
            `ROC AUC ${formatOptional(result.rocAuc)}`,
            `log loss ${formatMetric(result.logLoss)}`,
          ]
        : [
            `R² ${formatOptional(result.r2)}`,
            `RMSE ${formatMetric(result.rmse)}`,
            `MAE ${formatMetric(result.mae)}`,
            ...(result.poissonDeviance === undefined
              ? []
              : [`Poisson deviance ${formatMetric(result.poissonDeviance)}`]),
            ...(result.coverage === undefined ? [] : [`coverage ${formatPercent(result.coverage)}`]),
          ];
  const about = [
    model.loss,
    ...(weighted ? ['rows weighted as in training'] : []),
    ...(model.targetTransform ? [`of the ${model.targetTransform} of the target`] : []),
    ...(model.targetStandardization && model.lossUnit === undefined ? ['of the standardized targets'] : []),
  ];
  return `${style.bold([...metrics, `loss ${formatMetric(result.loss)}`].join(', '))} (${about.join(', ')})`;
}

/** An undefined value is `-`. */
function formatOptional(value: number | null): string {
  return value === null ? '-' : formatMetric(value);
}
