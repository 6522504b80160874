/** A dataset without its features as JSON and arrays of numbers, and back, bit for bit. */
import type { Dataset, Split } from '../dataset/dataset.js';
import { FileRows, type MatrixFile } from '../matrixFile.js';
import type { FileBytes } from '../source/fileBytes.js';
import { isStoredContent, misfit, type StoredContent, type StoredSplit } from './datasetShape.js';

const ARRAYS = { Int32Array, Float64Array } as const;
type ArrayName = keyof typeof ARRAYS;
type StoredArray = Int32Array | Float64Array;

const SPLITS = ['train', 'validation', 'test'] as const;

/** What a cache file holds beside the rows. */
export interface StoredDataset {
  /** JSON, in which the arrays are left out. */
  readonly text: string;
  readonly arrays: readonly StoredArray[];
}

/** @param paths what messages call the files, for they may have another name when they are read */
export function storeDataset(dataset: Dataset, paths: readonly string[]): StoredDataset {
  const { matrix, ...rest } = dataset;
  const { dtype, rows, columns } = matrix;
  const arrays: StoredArray[] = [];
  const splits = Object.fromEntries(
    SPLITS.flatMap((name) => {
      const split = dataset[name];
      if (!split) return [];
      const { features, ...own } = split;
      return [[name, { ...own, first: (features as FileRows).start }]];
    }),
  );
  const text = JSON.stringify(
    stored({ ...rest, ...splits, paths, matrix: { dtype, rows, columns } }, arrays),
  );
  return { text, arrays };
}

/** Why a file is no cache: for a note, because it is then made anew. */
export class DamagedCache extends Error {}

/**
 * @param arrayOf called for the arrays in their order
 * @throws DamagedCache for what no dataset of ours is
 */
export function restoreDataset(
  text: string,
  arrayOf: (name: ArrayName, length: number) => StoredArray,
  bytes: FileBytes,
  paths: readonly string[],
): Dataset {
  const content = contentOf(text, arrayOf);
  const problem = misfit(content);
  if (problem !== undefined) throw new DamagedCache(`found ${problem}`);
  const { matrix, paths: then, train, validation, test, ...rest } = content;
  const { dtype, rows, columns } = matrix;
  const whole: MatrixFile = { dtype, rows, columns, bytes };
  const inFile = ({ first, ...own }: StoredSplit): Split => ({
    ...own,
    features: new FileRows(whole, first, own.rows),
  });
  const renamed = (sentence: string) =>
    then.reduce((text, old, i) => text.replaceAll(old, paths[i] ?? old), sentence);
  return {
    ...rest,
    train: inFile(train),
    ...(validation && { validation: inFile(validation) }),
    ...(test && { test: inFile(test) }),
    matrix: whole,
    description: renamed(rest.description),
    warnings: rest.warnings.map(renamed),
  };
}

/**
 * What a list of caches says: shape and files.
 * @throws DamagedCache for what no dataset of ours is
 */
export function describeDataset(text: string) {
  const { matrix, paths } = contentOf(text, (name) => new ARRAYS[name]());
  return { ...matrix, files: paths };
}

function contentOf(text: string, arrayOf: (name: ArrayName, length: number) => StoredArray): StoredContent {
  let content: unknown;
  try {
    content = restored(JSON.parse(text), arrayOf);
  } catch (error) {
    // Its checksums hold, so its JSON is not ours.
    if (![SyntaxError, TypeError, RangeError].some((type) => error instanceof type)) throw error;
  }
  if (isStoredContent(content)) return content;
  throw new DamagedCache('found no dataset of ours');
}

/** JSON has neither arrays of numbers nor these numbers. */
function stored(value: unknown, arrays: StoredArray[]): unknown {
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { $number: Object.is(value, -0) ? '-0' : String(value) };
  }
  for (const [name, type] of Object.entries(ARRAYS)) {
    if (!(value instanceof type)) continue;
    arrays.push(value);
    return { $array: name, length: value.length };
  }
  if (Array.isArray(value)) return value.map((item) => stored(item, arrays));
  if (typeof value !== 'object' || value === null) return value;
  // Pairs, since a column may have any name.
  const pairs = Object.entries(value).filter(([, item]) => item !== undefined);
  return { $object: pairs.map(([key, item]) => [key, stored(item, arrays)]) };
}

function restored(value: unknown, arrayOf: (name: ArrayName, length: number) => StoredArray): unknown {
  if (Array.isArray(value)) return value.map((item) => restored(item, arrayOf));
  if (typeof value !== 'object' || value === null) return value;
  const { $number, $array, $object, length } = value as Record<string, unknown>;
  if (typeof $number === 'string') return Number($number);
  if (typeof $array === 'string') return arrayOf($array as ArrayName, Number(length));
  const pairs = $object as readonly (readonly [string, unknown])[];
  return Object.fromEntries(pairs.map(([key, item]) => [key, restored(item, arrayOf)]));
}
