/** A dataset without its features as JSON and arrays of numbers, and back, bit for bit. */
import type { Dataset, Split } from '../dataset/dataset.js';
import { FileRows, type MatrixFile } from '../matrixFile.js';
import type { FileBytes } from '../source/fileBytes.js';

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

/** A split whose features are said by where they begin. */
type StoredSplit = Omit<Split, 'features'> & { readonly first: number };

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

/** @param arrayOf called for the arrays in their order */
export function restoreDataset(
  text: string,
  arrayOf: (name: ArrayName, length: number) => StoredArray,
  bytes: FileBytes,
  paths: readonly string[],
): Dataset {
  const {
    matrix,
    paths: then,
    ...rest
  } = restored(JSON.parse(text), arrayOf) as Omit<Dataset, 'matrix'> & {
    readonly matrix: Omit<MatrixFile, 'bytes'>;
    readonly paths: readonly string[];
  };
  const { dtype, rows, columns } = matrix;
  const whole: MatrixFile = { dtype, rows, columns, bytes };
  const splits = Object.fromEntries(
    SPLITS.flatMap((name) => {
      if (!rest[name]) return [];
      const { first, ...own } = rest[name] as unknown as StoredSplit;
      return [[name, { ...own, features: new FileRows(whole, first, own.rows) }]];
    }),
  );
  const renamed = (sentence: string) =>
    then.reduce((text, old, i) => text.replaceAll(old, paths[i] ?? old), sentence);
  return {
    ...rest,
    ...splits,
    matrix: whole,
    description: renamed(rest.description),
    warnings: rest.warnings.map(renamed),
  };
}

/** What a list of caches says: shape and files. */
export function describeDataset(text: string) {
  const none = () => new Int32Array();
  const { matrix, paths } = restored(JSON.parse(text), none) as {
    readonly matrix: Omit<MatrixFile, 'bytes'>;
    readonly paths: readonly string[];
  };
  return { ...matrix, files: paths };
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
