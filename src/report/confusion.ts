/** The confusion matrix of a classifier: which class is taken for which. */

import { formatCount, formatPercent, printable } from '../text.js';
import type { Display } from './style.js';
import { type Cell, type Column, formatTable } from './table.js';
import { clip, pad, textWidth } from './text.js';

/** counts[actual][predicted]: the rows of one class that were predicted to be another; square, in the order of `classes`. */
export interface ConfusionMatrix {
  /** Whose rows were counted, for the title: "validation rows". */
  readonly of?: string;
  readonly classes: readonly string[];
  readonly counts: readonly ArrayLike<number>[];
}

const MOST_PAIRS = 10;
/** A name clipped further would say nothing. */
const SHORTEST_NAME = 4;

/** Percentages with and without a decimal, columns further apart and closer: ten classes fit 80 columns by the second. */
const LAYOUTS = [
  { decimals: 1, gap: 2 },
  { decimals: 0, gap: 1 },
];

/**
 * The matrix as text: actual classes in rows, predicted ones in columns, with totals, recall for each row and precision
 * for each column, the accuracy where they meet. Where the display is too narrow for that many columns: the pairs
 * that are confused most.
 */
export function confusionTable(matrix: ConfusionMatrix, display: Display): string {
  const { classes, counts } = matrix;
  const { style, width } = display;
  const rowTotals = counts.map((row) => sum(classes.map((_, j) => row[j])));
  const columnTotals = classes.map((_, j) => sum(counts.map((row) => row[j])));
  const total = formatCount(sum(rowTotals));
  const accuracy = sum(classes.map((_, i) => counts[i][i])) / sum(rowTotals);
  const names = classes.map(printable);
  const ellipsis = display.ascii ? '~' : '…';

  for (const { decimals, gap } of LAYOUTS) {
    const precisions = columnTotals.map((count, j) => formatPercent(counts[j][j] / count, decimals));
    // Columns as narrow as their numbers, `total` and `recall` at the end; what is left goes to the names.
    const numbers = [...columnTotals.map((count) => formatCount(count)), ...precisions];
    const least = widest(numbers, Math.min(widest(names, 1), SHORTEST_NAME));
    const fixed = (least + gap) * classes.length + 2 * gap + Math.max(5, total.length) + 'recall'.length;
    const room = width - fixed;
    if (room < 'precision'.length) continue;

    let rowNames = names;
    const spare = Math.max(0, room - widest(names, 'precision'.length));
    let headers = names.map((name) => clip(name, least + Math.floor(spare / classes.length), ellipsis));
    if (new Set(headers).size < headers.length) {
      // Names that differ only where they are cut off: numbers tell them apart.
      rowNames = names.map((name, i) => `${i + 1}: ${name}`);
      headers = names.map((_, i) => `${i + 1}:`);
    }
    const headerWidth = widest(headers, least);
    headers = headers.map((header) => pad(header, headerWidth, 'right'));
    const columns = [{ header: 'actual' }, ...[...headers, 'total', 'recall'].map(rightAligned)];
    const rows = classes.map((_, i): Cell[] => [
      clip(rowNames[i], room, ellipsis),
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
    return `${clip(title, width, ellipsis)}\n${formatTable(columns, rows, display, { footer, gap })}`;
  }
  return confusedPairs(matrix, rowTotals, accuracy, display);
}

function rightAligned(header: string): Column {
  return { header, align: 'right' };
}

/** The pairs of classes confused most often, as a table. */
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
  if (pairs.length === 0) return `${summary}: no class is taken for another`;
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
  return `${clip(`${summary}; ${which}`, display.width, display.ascii ? '~' : '…')}\n${formatTable(columns, rows, display)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function widest(texts: readonly string[], least: number): number {
  return texts.reduce((most, text) => Math.max(most, textWidth(text)), least);
}
