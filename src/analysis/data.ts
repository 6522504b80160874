/** The training rows as the network gets them, told in the units of the file. */
import type { Dataset, Split } from '../data/dataset/dataset.js';
import { fromNetwork } from '../data/dataset/targetUnits.js';
import { dayText, type RestoredColumn, restoredColumns } from '../data/encoding/restore.js';
import { spread } from '../model/evaluatedRows.js';
import type { ColumnResults, DataResults, Picture } from '../report/html/results.js';
import { histogramOf } from './histogram.js';
import { imageOf } from './image.js';

const MOST_COLUMNS = 60;
const MOST_LEVELS = 5;
const MOST_IMAGES = 20;

/**
 * @param most cells to look at: of more rows, every n-th is taken, whose means and bars look the same
 * @param tell makes a sentence one that names no folder
 */
export function dataResults(dataset: Dataset, most: number, tell: (sentence: string) => string): DataResults {
  const { train, encodings, warnings } = dataset;
  const columns = restoredColumns(encodings);
  const image = imageOf(encodings);
  const shown = image ? [] : columns.slice(0, MOST_COLUMNS);
  const sample = sampled(train.rows, most / Math.max(1, shown.length));
  const target = targetResults(dataset);
  return {
    rows: train.rows,
    of: columns.length,
    columns: cellsOf(shown, train, sample).map((cells, j) => columnResults(shown[j], train.rows, cells)),
    ...(target && { target }),
    warnings: warnings.map(tell),
    ...(image && { pictures: meanPictures(dataset, most, image.pictureOf) }),
  };
}

/** The numbers of the rows to look at. */
function sampled(rows: number, most: number): Int32Array {
  const count = Math.max(1, Math.min(rows, Math.floor(most)));
  return spread(rows, count);
}

/** [columns][sample] NaN for missing cells. Each row is read once: it may be in a file. */
function cellsOf(
  columns: readonly RestoredColumn[],
  { features }: Split,
  sample: Int32Array,
): Float64Array[] {
  const cells = columns.map(() => new Float64Array(sample.length));
  for (const [i, row] of sample.entries()) {
    const data = features.read(row, 1);
    for (const [j, column] of columns.entries()) cells[j][i] = column.cell(data, 0) ?? Number.NaN;
  }
  return cells;
}

function columnResults(column: RestoredColumn, rows: number, cells: Float64Array): ColumnResults {
  const { kind, width, value, levels } = column;
  const missing = cells.reduce((count, cell) => count + (Number.isNaN(cell) ? 1 : 0), 0);
  const scale = rows / cells.length;
  const base = { name: column.column, kind, inputs: width, missing: Math.round(missing * scale) };
  if (value !== undefined) return { ...base, value: String(value) };
  if (levels) {
    const counts = new Float64Array(levels.length);
    for (const cell of cells) if (!Number.isNaN(cell)) counts[cell]++;
    return {
      ...base,
      ...levelResults(
        levels,
        counts.map((count) => Math.round(count * scale)),
      ),
    };
  }
  const [least, greatest] = column.range ?? [];
  const exact = least === undefined || greatest === undefined ? {} : { least, greatest };
  return { ...base, ...numberResults(cells), ...exact, ...(column.inDays && { show: dayText }) };
}

function levelResults(
  levels: readonly string[],
  counts: ArrayLike<number>,
): Pick<ColumnResults, 'levels' | 'levelCount'> {
  const order = levels.map((_, j) => j).sort((a, b) => counts[b] - counts[a] || a - b);
  return {
    levels: order.slice(0, MOST_LEVELS).map((j) => ({ name: levels[j], rows: counts[j] })),
    levelCount: levels.length,
  };
}

/** Of the finite ones. */
function numberResults(values: Float64Array): Partial<ColumnResults> {
  const finite = values.every(Number.isFinite) ? values : values.filter(Number.isFinite);
  if (finite.length === 0) return {};
  const mean = finite.reduce((sum, value) => sum + value / finite.length, 0);
  const variance = finite.reduce((sum, value) => sum + (value - mean) ** 2 / finite.length, 0);
  const histogram = histogramOf(finite);
  const { low: least, high: greatest } = histogram;
  return { least, greatest, mean, deviation: Math.sqrt(variance), histogram };
}

/** The target in the training rows; of several, the first says too little. */
function targetResults(dataset: Dataset): ColumnResults | undefined {
  const { train, targetNames, classes, labelValues } = dataset;
  const base = { name: targetNames.join(', '), inputs: 0, missing: 0 };
  const { labels, targets } = train;
  if (labels && classes) {
    const counts = new Float64Array(classes.length);
    for (const label of labels) if (label >= 0 && label < counts.length) counts[label]++;
    const order = classes.map((_, j) => j).sort((a, b) => counts[b] - counts[a] || a - b);
    const all = order.map((j) => ({ name: classes[j], rows: counts[j] }));
    return { ...base, kind: 'classes', levels: all.slice(0, MOST_COLUMNS), levelCount: classes.length };
  }
  if (targets && labelValues) {
    const yes = new Float64Array(targetNames.length);
    for (let at = 0; at < targets.length; at++) yes[at % yes.length] += targets[at];
    return {
      ...base,
      kind: 'labels',
      levels: targetNames.map((name, j) => ({ name, rows: yes[j] })),
      levelCount: yes.length,
    };
  }
  if (!targets || targetNames.length > 1) return undefined;
  return {
    ...base,
    kind: 'number',
    ...numberResults(targets.map((value) => fromNetwork(value, 0, dataset))),
  };
}

/** The mean image of each class, or of all rows. */
function meanPictures(
  { train, classes }: Dataset,
  most: number,
  pictureOf: (features: ArrayLike<number>, at: number) => Picture,
): NonNullable<DataResults['pictures']> {
  const { rows, features, labels } = train;
  const names = labels && classes && classes.length <= MOST_IMAGES ? classes : ['all rows'];
  const sums = names.map(() => ({ rows: 0, values: new Float64Array(0), width: 0 }));
  for (const row of sampled(rows, most / features.columns)) {
    const sum = sums[names.length > 1 ? (labels?.[row] ?? 0) : 0];
    const { values, width } = pictureOf(features.read(row, 1), 0);
    if (sum.rows === 0) sum.values = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) sum.values[i] += values[i];
    sum.width = width;
    sum.rows++;
  }
  return names.flatMap((name, j) => {
    const { rows: count, values, width } = sums[j];
    return count > 0 ? [{ name, picture: { width, values: values.map((value) => value / count) } }] : [];
  });
}
