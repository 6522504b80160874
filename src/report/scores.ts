/** Tables of a model's quality: scores per class, errors per target, the confusion matrix. */
import { formatCount, formatMetric, formatPercent, listed, printable } from '../text.js';
import type { Display } from './style.js';
import { type Cell, type Column, formatTable } from './table.js';
import { clip, pad, textWidth } from './width.js';

export interface Scores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface ClassScores extends Scores {
  readonly name: string;
  readonly support: number;
  readonly predicted: number;
  /** Null if undefined. */
  readonly rocAuc: number | null;
}

/** Errors in the unit of the target. */
export interface TargetErrors {
  readonly name: string;
  /** Null if undefined. */
  readonly r2: number | null;
  readonly rmse: number;
  readonly mae: number;
}

const LONGEST_NAME = 40;
const NAMED_CLASSES = 3;

type Averages = Readonly<Record<'macro' | 'weighted' | 'micro', Scores>> & { readonly rocAuc: number | null };

/** Precision, recall, F1 and ROC AUC of each class, and their averages. */
export function classScoresTable(
  classes: readonly ClassScores[],
  averages: Averages,
  display: Display,
): string {
  // Two classes share one curve; otherwise each class has its own.
  const hasArea = classes.length > 2;
  return [
    scoresTable('class', classes, { averages, hasArea }, display),
    ...emptyNotes(classes, display),
  ].join('\n');
}

/** The same of each label, about the rows with it; and the share of rows in which it is right. */
export function labelScoresTable(
  labels: readonly (ClassScores & { readonly accuracy: number })[],
  averages: Averages,
  display: Display,
): string {
  return scoresTable('label', labels, { averages, hasArea: labels.length > 1 }, display);
}

function scoresTable(
  what: string,
  rows: readonly (ClassScores & { readonly accuracy?: number })[],
  { averages, hasArea }: { averages: Averages; hasArea: boolean },
  display: Display,
): string {
  const hasAccuracy = rows.some(({ accuracy }) => accuracy !== undefined);
  const accuracyCell = (accuracy: number | undefined): Cell[] =>
    hasAccuracy ? [accuracy === undefined ? '' : formatShare(accuracy)] : [];
  const cells = rows.map((scores) => [
    clipped(scores.name, display),
    formatCount(scores.support),
    ...accuracyCell(scores.accuracy),
    ...scoreCells(scores),
    optional(scores.rocAuc, formatShare),
  ]);
  const total = formatCount(rows.reduce((sum, { support }) => sum + support, 0));
  const footer = (['macro', 'weighted', 'micro'] as const).map((average): Cell[] => [
    `${average} average`,
    total,
    ...accuracyCell(undefined),
    ...scoreCells(averages[average]),
    average === 'macro' && hasArea ? optional(averages.rocAuc, formatShare) : '',
  ]);
  const numbers = ['rows', ...(hasAccuracy ? ['accuracy'] : []), 'precision', 'recall', 'F1', 'ROC AUC'];
  const columns = [{ header: what }, ...numbers.map((header): Column => ({ header, align: 'right' }))];
  return formatTable(columns, cells, display, { footer });
}

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

/** Scores by the probability from which on the second class is predicted, and the best one. */
export function thresholdsTable({ goal, best, steps }: ThresholdTable, display: Display): string {
  const costs = goal.by === 'cost';
  const cells = (scores: ThresholdTable['best'], name: string) => [
    name,
    formatShare(scores.precision),
    formatShare(scores.recall),
    formatShare(scores.f1),
    formatShare(scores.accuracy),
    formatMetric(scores.matthews),
    ...(costs ? [formatMetric(scores.cost ?? 0)] : []),
  ];
  const numbers = ['precision', 'recall', 'F1', 'accuracy', 'Matthews', ...(costs ? ['cost'] : [])];
  const columns = [{ header: 'threshold' }, ...numbers.map((header): Column => ({ header, align: 'right' }))];
  const rows = steps.map((scores) => cells(scores, String(scores.threshold)));
  const footer = [cells(best, `best ${formatMetric(best.threshold)}`)];
  return formatTable(columns, rows, display, { footer });
}

interface ThresholdScores extends Scores {
  readonly threshold: number;
  readonly accuracy: number;
  readonly matthews: number;
  readonly cost?: number;
}

interface ThresholdTable {
  readonly goal: { readonly by: string };
  readonly best: ThresholdScores;
  readonly steps: readonly ThresholdScores[];
}

/** How much the loss grows where the cells of a column are shuffled, the most important column first. */
export function importanceTable(
  {
    columns,
    repeats,
  }: {
    readonly repeats: number;
    readonly columns: readonly {
      readonly column: string;
      readonly mean: number;
      readonly deviation: number;
    }[];
  },
  display: Display,
): string {
  const rows = columns
    .toSorted((a, b) => b.mean - a.mean)
    .map(({ column, mean, deviation }) => [
      clipped(column, display),
      formatMetric(mean),
      formatMetric(deviation),
    ]);
  const headers = ['loss grows by', `deviation of ${repeats}`];
  return formatTable(
    [{ header: 'column shuffled' }, ...headers.map((header): Column => ({ header, align: 'right' }))],
    rows,
    display,
  );
}

/** How well each quantile is predicted: the share below should be the quantile. */
export function quantilesTable(
  quantiles: readonly { readonly quantile: number; readonly pinballLoss: number; readonly below: number }[],
  display: Display,
): string {
  const columns = [
    { header: 'quantile' },
    ...['targets below', 'pinball loss'].map((header): Column => ({ header, align: 'right' })),
  ];
  const rows = quantiles.map(({ quantile, pinballLoss, below }) => [
    String(quantile),
    formatPercent(below),
    formatMetric(pinballLoss),
  ]);
  return formatTable(columns, rows, display);
}

function scoreCells({ precision, recall, f1 }: Scores): string[] {
  return [precision, recall, f1].map(formatShare);
}

/** Notes on scores that are 0 because there is nothing to divide by. */
function emptyNotes(classes: readonly ClassScores[], display: Display): string[] {
  const note = (what: string, empty: readonly ClassScores[], zero: string): string[] => {
    if (empty.length === 0) return [];
    const names = empty.map(({ name }) => clipped(name, display));
    return [display.style.dim(`${what} ${listed(names, NAMED_CLASSES)}: ${zero} counts as 0`)];
  };
  return [
    ...note('no row is predicted as', without(classes, 'predicted'), 'precision'),
    ...note('no row has class', without(classes, 'support'), 'recall'),
  ];
}

function without(classes: readonly ClassScores[], count: 'predicted' | 'support'): ClassScores[] {
  return classes.filter((scores) => scores[count] === 0);
}

function clipped(name: string, { ascii }: Display): string {
  return clip(printable(name), LONGEST_NAME, ascii);
}

/** A number from 0 to 1: 0.97368 → `0.9737`. */
function formatShare(share: number): string {
  return share.toFixed(4);
}

function optional(value: number | null, format: (value: number) => string): string {
  return value === null ? '-' : format(value);
}

/** `counts[actual][predicted]` is a number of rows; both indices are in the order of `classes`. */
export interface ConfusionMatrix {
  /** The rows counted, for the title: "validation rows". */
  readonly of?: string;
  readonly classes: readonly string[];
  readonly counts: readonly ArrayLike<number>[];
}

const MOST_PAIRS = 10;
/** A shorter name would say nothing. */
const SHORTEST_NAME = 4;

/** From roomy to tight: with the second, ten classes fit 80 columns. */
const LAYOUTS = [
  { decimals: 1, gap: 2 },
  { decimals: 0, gap: 1 },
];

/**
 * Actual classes in rows, predicted in columns, with totals, recalls, precisions and the accuracy.
 * A display too narrow for it gets the most confused pairs.
 */
export function confusionTable(matrix: ConfusionMatrix, display: Display): string {
  const { classes, counts } = matrix;
  const { style, width } = display;
  const rowTotals = counts.map((row) => sum(classes.map((_, j) => row[j])));
  const columnTotals = classes.map((_, j) => sum(counts.map((row) => row[j])));
  const total = formatCount(sum(rowTotals));
  const accuracy = sum(classes.map((_, i) => counts[i][i])) / sum(rowTotals);
  const names = classes.map(printable);

  for (const { decimals, gap } of LAYOUTS) {
    const precisions = columnTotals.map((count, j) => formatPercent(counts[j][j] / count, decimals));
    // Columns are as narrow as their numbers; the remaining width goes to the names.
    const numbers = [...columnTotals.map((count) => formatCount(count)), ...precisions];
    const least = widest(numbers, Math.min(widest(names, 1), SHORTEST_NAME));
    const fixed = (least + gap) * classes.length + 2 * gap + Math.max(5, total.length) + 'recall'.length;
    const room = width - fixed;
    if (room < 'precision'.length) continue;

    let rowNames = names;
    const spare = Math.max(0, room - widest(names, 'precision'.length));
    let headers = names.map((name) => clip(name, least + Math.floor(spare / classes.length), display.ascii));
    if (new Set(headers).size < headers.length) {
      // Clipped names are no longer distinct: number them.
      rowNames = names.map((name, i) => `${i + 1}: ${name}`);
      headers = names.map((_, i) => `${i + 1}:`);
    }
    const headerWidth = widest(headers, least);
    headers = headers.map((header) => pad(header, headerWidth, 'right'));
    const columns = [{ header: 'actual' }, ...[...headers, 'total', 'recall'].map(rightAligned)];
    const rows = classes.map((_, i): Cell[] => [
      clip(rowNames[i], room, display.ascii),
      ...classes.map((_, j): Cell => {
        if (counts[i][j] === 0) return { text: '.', paint: style.dim };
        return { text: formatCount(counts[i][j]), paint: i === j ? style.good : style.bad };
      }),
      formatCount(rowTotals[i]),
      formatPercent(counts[i][i] / rowTotals[i], decimals),
    ]);
    const footer: Cell[][] = [
      ['total', ...columnTotals.map((count) => formatCount(count)), total],
      ['precision', ...precisions, '', { text: formatPercent(accuracy), paint: style.bold }],
    ];
    const of = matrix.of ? ` of the ${matrix.of}` : '';
    const title = `confusion matrix${of} (columns: predicted class)`;
    return `${clip(title, width, display.ascii)}\n${formatTable(columns, rows, display, { footer, gap })}`;
  }
  return confusedPairs(matrix, rowTotals, accuracy, display);
}

function rightAligned(header: string): Column {
  return { header, align: 'right' };
}

/** The pairs of classes that are confused most often, as a table. */
function confusedPairs(
  { classes, counts }: ConfusionMatrix,
  rowTotals: readonly number[],
  accuracy: number,
  display: Display,
): string {
  const pairs: { actual: number; predicted: number; count: number }[] = [];
  for (let actual = 0; actual < classes.length; actual++) {
    for (let predicted = 0; predicted < classes.length; predicted++) {
      const count = counts[actual][predicted];
      if (actual !== predicted && count > 0) pairs.push({ actual, predicted, count });
    }
  }
  const summary = `${formatCount(classes.length)} classes, accuracy ${formatPercent(accuracy)}`;
  if (pairs.length === 0) return `${summary}: no class is mistaken for another`;
  pairs.sort((a, b) => b.count - a.count || a.actual - b.actual || a.predicted - b.predicted);
  const shown = pairs.slice(0, MOST_PAIRS);
  const columns: Column[] = [
    { header: 'actual' },
    { header: 'predicted' },
    { header: 'rows', align: 'right' },
    { header: 'of actual', align: 'right' },
  ];
  const rows = shown.map(({ actual, predicted, count }): Cell[] => [
    classes[actual],
    classes[predicted],
    { text: formatCount(count), paint: display.style.bad },
    formatPercent(count / rowTotals[actual]),
  ]);
  const which =
    pairs.length > shown.length
      ? `the ${shown.length} most confused of ${formatCount(pairs.length)} pairs`
      : 'all confused pairs';
  return `${clip(`${summary}; ${which}`, display.width, display.ascii)}\n${formatTable(columns, rows, display)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function widest(texts: readonly string[], least: number): number {
  return texts.reduce((most, text) => Math.max(most, textWidth(text)), least);
}
