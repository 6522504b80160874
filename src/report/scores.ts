/** What a model is worth, as tables: scores of each class, errors of each target. */
import { formatCount, formatMetric, listed, printable } from '../text.js';
import type { Display } from './style.js';
import { type Cell, type Column, formatTable } from './table.js';
import { clip } from './text.js';

/** Shares of one. */
export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ClassScores extends Scores {
  readonly name: string;
  /** Rows of the class. */
  readonly support: number;
  /** Rows predicted to be of it. */
  readonly predicted: number;
  /** Null where it is not defined. */
  readonly rocAuc: number | null;
}

/** Errors in the target's own unit. */
export interface TargetErrors {
  readonly name: string;
  /** Null where it is not defined. */
  readonly r2: number | null;
  readonly rmse: number;
  readonly mae: number;
}

/** A name is cut to so many columns of the terminal. */
const LONGEST_NAME = 40;
/** A note names so many classes. */
const NAMED_CLASSES = 3;

/** Precision, recall, F1 and ROC AUC of each class, their averages below; a note where a score is 0 for want of rows. */
export function classScoresTable(
  classes: readonly ClassScores[],
  averages: Readonly<Record<'macro' | 'weighted' | 'micro', Scores>> & { readonly rocAuc: number | null },
  display: Display,
): string {
  const rows = classes.map((scores) => [
    clipped(scores.name, display),
    formatCount(scores.support),
    ...scoreCells(scores),
    optional(scores.rocAuc, formatShare),
  ]);
  const total = formatCount(classes.reduce((sum, { support }) => sum + support, 0));
  const footer = (['macro', 'weighted', 'micro'] as const).map((average): Cell[] => [
    `${average} average`,
    total,
    ...scoreCells(averages[average]),
    // Two classes have one curve, more a curve each.
    average === 'macro' && classes.length > 2 ? optional(averages.rocAuc, formatShare) : '',
  ]);
  const columns = [
    { header: 'class' },
    ...['rows', 'precision', 'recall', 'F1', 'ROC AUC'].map((header): Column => ({ header, align: 'right' })),
  ];
  return [formatTable(columns, rows, display, { footer }), ...emptyNotes(classes, display)].join('\n');
}

/** R², RMSE and MAE of each target, and their means. */
export function targetErrorsTable(
  targets: readonly TargetErrors[],
  mean: Omit<TargetErrors, 'name'>,
  display: Display,
): string {
  const cells = ({ r2, rmse, mae }: Omit<TargetErrors, 'name'>) => [
    optional(r2, formatMetric),
    formatMetric(rmse),
    formatMetric(mae),
  ];
  const columns = [
    { header: 'target' },
    ...['R²', 'RMSE', 'MAE'].map((header): Column => ({ header, align: 'right' })),
  ];
  const rows = targets.map((target) => [clipped(target.name, display), ...cells(target)]);
  return formatTable(columns, rows, display, { footer: [['mean', ...cells(mean)]] });
}

function scoreCells({ precision, recall, f1 }: Scores): string[] {
  return [precision, recall, f1].map(formatShare);
}

/** Where a score is 0 because there is nothing to divide by. */
function emptyNotes(classes: readonly ClassScores[], display: Display): string[] {
  const note = (what: string, empty: readonly ClassScores[], zero: string): string[] => {
    if (empty.length === 0) return [];
    const names = empty.map(({ name }) => clipped(name, display));
    return [display.style.dim(`${what} ${listed(names, NAMED_CLASSES)}: ${zero} counted as 0`)];
  };
  return [
    ...note('no row is predicted to be', without(classes, 'predicted'), 'precision is'),
    ...note('no row is', without(classes, 'support'), 'recall is'),
  ];
}

function without(classes: readonly ClassScores[], count: 'predicted' | 'support'): ClassScores[] {
  return classes.filter((scores) => scores[count] === 0);
}

function clipped(name: string, { ascii }: Display): string {
  return clip(printable(name), LONGEST_NAME, ascii ? '~' : '…');
}

/** A share of one: 0.97368 → `0.9737`. */
function formatShare(share: number): string {
  return share.toFixed(4);
}

function optional(value: number | null, format: (value: number) => string): string {
  return value === null ? '-' : format(value);
}
