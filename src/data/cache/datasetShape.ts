/**
 * Whether what a cache holds has the types of a dataset, and its parts fit each other: checksums are no
 * signature, and a wrong type would end a training with an internal error.
 */
import { notationSchema } from '../../spec/cellConfig.js';
import { isObject } from '../../spec/json.js';
import { DATE_ORDERS, DATE_PARTS, TARGET_TRANSFORMS, TASKS } from '../../spec/words.js';
import type { Dataset, Split } from '../dataset/dataset.js';
import { matrixWidth } from '../encoding/encoding.js';
import type { MatrixFile } from '../matrixFile.js';

/** The rows of a split in the file begin at `first`. */
export type StoredSplit = Omit<Split, 'features'> & { readonly first: number };

/** A dataset whose matrix and features are those of a file. */
export interface StoredContent extends Omit<Dataset, 'matrix' | 'train' | 'validation' | 'test'> {
  readonly matrix: Omit<MatrixFile, 'bytes'>;
  readonly paths: readonly string[];
  readonly train: StoredSplit;
  readonly validation?: StoredSplit;
  readonly test?: StoredSplit;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
/** May be infinite, or none. */
const number: Check = (value) => typeof value === 'number';
const flag: Check = (value) => typeof value === 'boolean';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const only = (...values: unknown[]): Check => {
  return (value) => values.includes(value);
};
const list = (item: Check): Check => {
  return (value) => Array.isArray(value) && value.every(item);
};
const byName = (item: Check): Check => {
  return (value) => isObject(value) && Object.values(value).every(item);
};
const either = (...checks: Check[]): Check => {
  return (value) => checks.some((check) => check(value));
};
const instance = (type: typeof Int32Array | typeof Float64Array): Check => {
  return (value) => value instanceof type;
};

/** Keys that end in `?` may be missing; others than these are no harm. */
function object(shape: Readonly<Record<string, Check>>): Check {
  const keys = Object.entries(shape).map(
    ([key, check]) =>
      [key.replace('?', ''), key.endsWith('?') ? either(only(undefined), check) : check] as const,
  );
  return (value) => isObject(value) && keys.every(([key, check]) => check(value[key]));
}

const range: Check = (value) => list(number)(value) && (value as unknown[]).length === 2;
const TRANSFORM = { shift: number, scale: number, 'clip?': number };
const transform = object(TRANSFORM);
const INDICATOR = { column: text, 'indicator?': either(only(true), transform) };
const numeric = object({
  ...INDICATOR,
  ...TRANSFORM,
  kind: only('numeric'),
  'fill?': number,
  'levels?': list(number),
  'range?': range,
});
const encoding = either(
  numeric,
  object({
    ...INDICATOR,
    kind: only('category'),
    levels: list(text),
    'fill?': text,
    'transforms?': list(transform),
    'signs?': only(true),
    'numbered?': only(true),
    'takesMissing?': only(true),
  }),
  object({ ...INDICATOR, kind: only('boolean'), 'fill?': number, 'transform?': transform }),
  object({
    ...INDICATOR,
    kind: only('date'),
    order: only(...DATE_ORDERS, 'time'),
    parts: list(only(...DATE_PARTS)),
    inputs: list(numeric),
  }),
  object({ ...INDICATOR, kind: only('constant'), value: either(number, text) }),
);

const split = object({
  rows: count,
  first: count,
  'labels?': instance(Int32Array),
  'targets?': instance(Float64Array),
  'weights?': instance(Float64Array),
  rowNumbers: instance(Int32Array),
  'rawTargets?': instance(Float64Array),
});

const texts = list(text);
const content = object({
  matrix: object({ dtype: only('float32', 'float64'), rows: count, columns: count }),
  paths: texts,
  task: only(...TASKS),
  header: flag,
  'reading?': object({
    'delimiter?': only('whitespace'),
    'quote?': text,
    'escape?': text,
    'skipLines?': count,
    'skipRows?': count,
  }),
  'comment?': text,
  'encoding?': text,
  'numbers?': byName((value) => notationSchema.safeParse(value).success),
  featureNames: texts,
  encodings: list(encoding),
  targetNames: texts,
  'classes?': texts,
  'labelValues?': list(texts),
  missingValues: object({ texts, inNumbers: texts, 'byColumn?': byName(texts) }),
  train: split,
  'validation?': split,
  'test?': split,
  'folds?': list(count),
  'targetRanges?': list(range),
  'targetTransform?': only(...TARGET_TRANSFORMS),
  'targetStandardization?': object({ mean: list(number), scale: list(number) }),
  'dropsRows?': flag,
  'dropsMissing?': texts,
  'skipsBadRows?': flag,
  'rareClasses?': texts,
  'rejected?': only(),
  'taskReason?': text,
  description: text,
  warnings: texts,
});

/** Whether all has the types that it needs. */
export function isStoredContent(value: unknown): value is StoredContent {
  return content(value);
}

/** What does not fit together; undefined if all does. */
export function misfit(dataset: StoredContent): string | undefined {
  const { matrix, encodings, featureNames, train, validation, test, folds } = dataset;
  if (matrixWidth(encodings) !== matrix.columns || featureNames.length !== matrix.columns)
    return 'encodings of other columns';
  if (!fitsTask(dataset)) return 'other targets than the task has';
  const isWhole = (folds ?? [train.rows]).reduce((sum, rows) => sum + rows, 0) === train.rows;
  if (!isWhole || (folds && !validation)) return 'folds of other rows';
  const splits = [train, validation, test].filter((split) => split !== undefined);
  return splits.map((split) => splitMisfit(split, dataset)).find((problem) => problem !== undefined);
}

function fitsTask(dataset: StoredContent): boolean {
  const { task, targetNames, classes, labelValues, targetStandardization, targetTransform, targetRanges } =
    dataset;
  const width = targetNames.length;
  const isOfClasses = task === 'binary' || task === 'multiclass';
  const isRegression = task === 'regression';
  const fits = (items: readonly unknown[] | undefined, isNeeded: boolean) =>
    items === undefined ? !isNeeded : items.length === width;
  return (
    (isOfClasses ? width === 1 && (classes?.length ?? 0) >= 2 : width > 0 && classes === undefined) &&
    (task !== 'binary' || classes?.length === 2) &&
    (labelValues !== undefined) === (task === 'multilabel') &&
    fits(labelValues, false) &&
    (labelValues ?? []).every((pair) => pair.length === 2) &&
    fits(targetRanges, false) &&
    fits(targetStandardization?.mean, false) &&
    fits(targetStandardization?.scale, false) &&
    (isRegression || !(targetStandardization || targetTransform || targetRanges))
  );
}

function splitMisfit(split: StoredSplit, dataset: StoredContent): string | undefined {
  const { matrix, classes, targetNames } = dataset;
  const { rows, first, labels, targets, rawTargets, weights, rowNumbers } = split;
  if (rows === 0 || first + rows > matrix.rows) return 'a split of rows that are not there';
  const isOf = (values: { readonly length: number } | undefined, each: number) =>
    values?.length === rows * each;
  if (classes ? targets || !isOf(labels, 1) : labels || !isOf(targets, targetNames.length))
    return 'other targets than rows';
  if (labels?.some((label) => label < 0 || label >= (classes?.length ?? 0)))
    return 'a class that is not there';
  if (weights && !isOf(weights, 1)) return 'other weights than rows';
  if (!isOf(rowNumbers, 1) || rowNumbers.some((number) => number < 1)) return 'other row numbers than rows';
  if (rawTargets && (classes || !isOf(rawTargets, targetNames.length))) return 'other targets than rows';
  return undefined;
}
