/** An evaluation for people: what was scored, the tables, and in the last line what matters most. */
import type { Classification } from '../evaluation/classification.js';
import type { Regression } from '../evaluation/regression.js';
import type { Model } from '../model/load.js';
import { confusionTable } from '../report/confusion.js';
import { classScoresTable, targetErrorsTable } from '../report/scores.js';
import type { Display } from '../report/style.js';
import { formatCount, formatMetric, printable } from '../text.js';
import type { Evaluated } from './scoring.js';

/** Rows as people call them. */
const ROWS_OF = { train: 'training rows', validation: 'validation rows', test: 'test rows' };

export function renderEvaluation(evaluated: Evaluated, display: Display): string {
  const { model, data, side, result } = evaluated;
  const rows = side === undefined ? 'rows' : ROWS_OF[side];
  const count = data.rows === 1 ? rows.replace(/s$/, '') : rows;
  const head = `${formatCount(data.rows)} ${count} of ${printable(data.path)} by ${model.path}`;
  const sections =
    'confusion' in result
      ? classSections(result, model, side && rows, display)
      : regressionSections(result, model, display);
  return [head, ...sections, lossLine(evaluated, display)].join('\n\n');
}

function classSections(
  result: Classification,
  { classes: names = [] }: Model,
  of: string | undefined,
  display: Display,
): string[] {
  const { classes, confusion } = result;
  const named = classes.map((scores, j) => ({ ...scores, name: names[j] }));
  return [
    confusionTable({ ...(of !== undefined && { of }), classes: names, counts: confusion }, display),
    classScoresTable(named, result, display),
  ];
}

/** A single target is told by the last line alone. */
function regressionSections({ targets, ...mean }: Regression, model: Model, display: Display): string[] {
  if (targets.length === 1) return [];
  const named = targets.map((errors, j) => ({ ...errors, name: model.targets[j] }));
  return [targetErrorsTable(named, mean, display)];
}

function lossLine({ model, weighted, result }: Evaluated, { style }: Display): string {
  const metrics =
    'confusion' in result
      ? [
          `accuracy ${formatMetric(result.accuracy)}`,
          `ROC AUC ${formatOptional(result.rocAuc)}`,
          `log loss ${formatMetric(result.logLoss)}`,
        ]
      : [
          `R² ${formatOptional(result.r2)}`,
          `RMSE ${formatMetric(result.rmse)}`,
          `MAE ${formatMetric(result.mae)}`,
        ];
  const about = [
    model.loss,
    ...(weighted ? ['rows weighted as in training'] : []),
    ...(model.targetStandardization ? ['of the standardized targets'] : []),
  ];
  return `${style.bold([...metrics, `loss ${formatMetric(result.loss)}`].join(', '))} (${about.join(', ')})`;
}

/** What is not defined is -. */
function formatOptional(value: number | null): string {
  return value === null ? '-' : formatMetric(value);
}
