/** Warnings about data that can still be trained on. */
import { type DataConfig, dateSettingOf } from '../../spec/dataConfig.js';
import { suggest } from '../../spec/messages.js';
import { counted, listed, printable, quote } from '../../text.js';
import { isLongInteger, LONG_INTEGERS, parseDecimal } from '../cell.js';
import { readAs } from '../dates.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { encodingWidth, type FeatureEncoding } from '../encoding/encoding.js';
import { chunksOf, type FeatureRows } from '../featureMatrix.js';
import { hardlyRepeat, lookalikeSentences } from '../levels.js';
import { restored, type Transform, transformed } from '../scaling.js';
import { Bounds, mayBeSentinel, sentinelSentence } from '../sentinel.js';
import { columnLabel } from '../table.js';
import type { TableSource } from '../tableSource.js';
import type { ColumnChoice, NamedColumns } from './columnChoice.js';

/** A message names this many columns or levels and counts the rest. */
const MOST_NAMED = 5;
/** Fewer records may count up by chance. */
const LEAST_COUNTED = 20;

export function constantWarning({ path, header }: NamedColumns, constant: readonly string[]): string[] {
  if (constant.length === 0) return [];
  const labels = listed(constant.map((name) => columnLabel(header, name)));
  const [holds, them] = constant.length === 1 ? ['holds', 'it'] : ['hold', 'them'];
  return [`${path}: ${labels} ${holds} a single value in the training rows: the network ignores ${them}`];
}

/**
 * Warns of categories whose levels hardly repeat, and of features that count the rows. `sample` are
 * the first records.
 */
export function identifierWarnings(
  { path, header, names }: NamedColumns,
  sample: readonly (readonly string[])[],
  features: readonly number[],
  encodings: readonly FeatureEncoding[],
  trainRows: number,
): string[] {
  return encodings.flatMap((encoding, j) => {
    const label = columnLabel(header, names[features[j]]);
    const advice = 'it looks like an identifier, which a network can only memorise; name it in data.exclude';
    if (encoding.kind === 'category') {
      const count = encoding.levels.length;
      if (!hardlyRepeat(count, trainRows)) return [];
      return [`${path}: ${label} holds ${count} different texts in ${trainRows} training rows: ${advice}`];
    }
    return encoding.kind === 'numeric' && countsRows(sample, features[j])
      ? [`${path}: ${label} counts the rows: ${advice}`]
      : [];
  });
}

/** Whether each number is one more than the number of the record before it. */
function countsRows(sample: readonly (readonly string[])[], column: number): boolean {
  if (sample.length < LEAST_COUNTED) return false;
  const first = parseDecimal(sample[0][column] ?? '');
  return sample.every((cells, row) => parseDecimal(cells[column] ?? '') === first + row);
}

/** @param model whose levels they are, if not those of the training rows */
export function unknownWarnings(path: string, unknown: readonly UnknownLevel[], model?: string): string[] {
  const [knows, are] = model
    ? [`which ${model} does not know`, `unknown to ${model}`]
    : ['which no training row has', 'not in the training rows'];
  const named = unknown.slice(0, MOST_NAMED).map(({ column, level, rows }) => {
    const found = rows === 1 ? '1 row holds' : `${rows} rows hold`;
    return `${path}: column ${quote(column)}: ${found} ${quote(level)}, ${knows}: it counts as none of the known levels`;
  });
  const more = unknown.length - MOST_NAMED;
  return more > 0 ? [...named, `${path}: ${more} more levels are ${are}`] : named;
}

/** Warns of classes of fewer rows than folds, as scikit-learn does. `labels` are those of all folds. */
export function foldWarning(
  path: string,
  asked: DataConfig['validation'],
  classes: readonly string[],
  labels: readonly Int32Array[],
): string[] {
  if (typeof asked !== 'object' || !('fold' in asked || 'folds' in asked)) return [];
  const folds = 'fold' in asked ? asked.of : asked.folds;
  const isOrdered = 'fold' in asked && asked.ordered;
  if (asked.group !== undefined || isOrdered || asked.stratify !== undefined) return [];
  const counts = new Int32Array(classes.length);
  for (const part of labels) for (const label of part) counts[label]++;
  const rare = classes.filter((_, label) => counts[label] > 0 && counts[label] < folds);
  if (rare.length === 0) return [];
  const [has, it] = rare.length === 1 ? ['class', 'has'] : ['classes', 'have'];
  return [
    `${path}: the ${has} ${listed(rare.map(quote), MOST_NAMED)} ${it} fewer rows than the ${folds} folds: some folds hold out none of them`,
  ];
}

/** Warns of held-out rows whose class the training table lacks, and names a class that may be meant. */
export function unknownClassWarning(
  path: string,
  rowsOf: ReadonlyMap<string, number>,
  classes: readonly string[],
): string[] {
  if (rowsOf.size === 0) return [];
  const rows = [...rowsOf.values()].reduce((a, b) => a + b);
  const unknown = [...rowsOf.keys()];
  const meant = unknown.map((name) => suggest(name, classes)).find((hint) => hint !== undefined);
  return [
    `${path}: ${counted(rows, 'row')} ${rows === 1 ? 'has' : 'have'} a class that the training data lack (${listed(unknown.map(quote), MOST_NAMED)}): ` +
      `left out here, and counted as wrong by mlp evaluate on this file${meant ? `; ${printable(meant)}` : ''}`,
  ];
}

/** Warns of classes and levels that differ only in spelling. */
export function spellingWarnings(
  { path, header, names }: NamedColumns,
  { targets, features }: ColumnChoice,
  classes: readonly string[] | undefined,
  encodings: readonly FeatureEncoding[],
): string[] {
  const label = (column: number) => columnLabel(header, names[column]);
  return [
    ...(classes ? lookalikeSentences(label(targets[0]), 'classes', classes) : []),
    ...encodings.flatMap((encoding, j) =>
      encoding.kind === 'category' ? lookalikeSentences(label(features[j]), 'levels', encoding.levels) : [],
    ),
  ].map((sentence) => `${path}: ${sentence}`);
}

/** Warns of numbers of the training rows that look like marks of missing values. */
export function sentinelWarnings(
  { path, header, names }: NamedColumns,
  features: readonly number[],
  encodings: readonly FeatureEncoding[],
  rows: FeatureRows,
): string[] {
  let next = 0;
  const candidates = encodings.flatMap((encoding, j) => {
    const first = next;
    next += encodingWidth(encoding);
    if (encoding.kind !== 'numeric' || (encoding.range && !encoding.range.some(mayBeSentinel))) return [];
    return [{ encoding, j, first, bounds: new Bounds() }];
  });
  if (candidates.length === 0) return [];
  // All at once: the rows may be in a file.
  for (const { count, data } of chunksOf(rows)) {
    for (const { first, bounds } of candidates) {
      for (let i = 0; i < count; i++) bounds.add(data[i * rows.columns + first]);
    }
  }
  return candidates.flatMap(({ encoding, j, bounds }) => {
    const { range } = encoding;
    // The digits of a float32; sentinels are short. Clipped, a bound is known better.
    const unscaled = (value: number) => {
      const bound =
        encoding.clip === undefined ? undefined : range?.find((end) => isBound(value, end, encoding));
      return bound ?? Number(restored(value, encoding).toPrecision(6));
    };
    const found = bounds.sentinel(unscaled);
    if (found === undefined) return [];
    return [`${path}: ${sentinelSentence(columnLabel(header, names[features[j]]), found)}`];
  });
}

function isBound(value: number, bound: number, transform: Transform): boolean {
  const scaled = transformed(bound, transform);
  return value === scaled || value === Math.fround(scaled);
}

/** Warns of features whose integers a float64 can't tell apart, by the first records. */
export function longIntegerWarnings(
  { path, header, names, sample }: Pick<TableSource, 'path' | 'header' | 'names' | 'sample'>,
  features: readonly number[],
  encodings: readonly FeatureEncoding[],
): string[] {
  return features.flatMap((column, j) => {
    if (encodings[j].kind !== 'numeric') return [];
    if (!sample.some((cells) => isLongInteger(cells[column] ?? ''))) return [];
    return [`${path}: ${columnLabel(header, names[column])} ${LONG_INTEGERS}`];
  });
}

/** Says which columns are taken for dates though no key says so, and how unusual dates are read. */
export function dateNotes(
  { path, header, names, sample }: Pick<TableSource, 'path' | 'header' | 'names' | 'sample'>,
  features: readonly number[],
  encodings: readonly FeatureEncoding[],
  data: Pick<DataConfig, 'dates'>,
): string[] {
  return encodings.flatMap((encoding, j) => {
    if (encoding.kind !== 'date') return [];
    const { order, parts, column } = encoding;
    const label = `${path}: ${columnLabel(header, names[features[j]])}`;
    const setting = dateSettingOf(data, column);
    const example =
      order === 'ymd' || setting?.order
        ? undefined
        : readAs(
            sample.map((cells) => cells[features[j]] ?? ''),
            order,
          );
    const same = (setting?.parts ?? []).filter((part) => !parts.includes(part));
    const [is, them] = same.length === 1 ? ['is', 'it'] : ['are', 'them'];
    const ignored =
      same.length === 0
        ? []
        : [`${label}: ${listed(same)} ${is} the same in all training rows: the network ignores ${them}`];
    if (setting?.parts || parts.length === 0) {
      return [...(example === undefined ? [] : [`${label}: ${example} (data.dates decides)`]), ...ignored];
    }
    const shown = example === undefined ? '' : `, ${example}`;
    const what = order === 'time' ? 'times' : 'dates';
    return [`${label} holds ${what}${shown}: the inputs are ${listed(parts)} (data.dates decides)`];
  });
}

export function droppedWarning(path: string, rows: number, kept: number): string[] {
  if (kept === rows) return [];
  return [`${path}: ${rows - kept} of ${rows} rows are dropped because a cell is missing`];
}

export function untrainedWarning(path: string, classes: readonly string[], labels: Int32Array): string[] {
  const seen = new Uint8Array(classes.length);
  for (const label of labels) seen[label] = 1;
  const missing = classes.filter((_, label) => !seen[label]).map((name) => `"${printable(name)}"`);
  if (missing.length === 0) return [];
  return [
    `${path}: no training row has the class ${missing.slice(0, MOST_NAMED).join(', ')}, so it can't be learned`,
  ];
}
