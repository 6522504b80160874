import { type Dialect, detectDialect } from '../../../src/data/csv/dialect.js';
import { createFeatureMatrix, MatrixRows } from '../../../src/data/featureMatrix.js';
import { NumericFile, type NumericFileRequest } from '../../../src/data/numeric/numericFile.js';
import type { Tuning } from '../../../src/data/numeric/workspace.js';
import type { FittedColumn, Scaling } from '../../../src/data/scaling.js';
import { openSource, type Source } from '../../../src/data/source/source.js';
import type { DType, FloatArray } from '../../../src/kernels/kernels.js';
import type { Folder } from '../files.js';

/** Every row lies across a border of chunks, and a block holds a row or two. */
export const TINY: Partial<Tuning> = { chunkBytes: 7, blockCells: 4 };
/** Threads are started however small the file. */
export const THREADED: Partial<Tuning> = { threadedBytes: 0 };

/** Writes a file, and does something with it while it is open. */
export async function withSource<T>(
  folder: Folder,
  content: string | Uint8Array,
  use: (source: Source, dialect: Dialect) => Promise<T>,
  header: 'auto' | boolean = 'auto',
): Promise<T> {
  const source = await openSource(folder.write('plain.csv', content));
  try {
    return await use(source, await detectDialect(source, { delimiter: 'auto', header }));
  } finally {
    source.close();
  }
}

/** Scans a file, and does something with what comes of it. */
export function withNumericFile<T>(
  folder: Folder,
  content: string | Uint8Array,
  request: Partial<Pick<NumericFileRequest, 'kept' | 'features' | 'threads' | 'progress'>>,
  use: (file: NumericFile | null, source: Source) => T | Promise<T>,
  tuning: Partial<Tuning> = {},
): Promise<T> {
  return withSource(folder, content, async (source, dialect) => {
    const file = await NumericFile.scan({ source, dialect, kept: new Map(), threads: 1, ...request }, tuning);
    try {
      return await use(file, source);
    } finally {
      await file?.close();
    }
  });
}

export interface FitOptions {
  readonly columns: number;
  readonly scaling?: Scaling | readonly Scaling[];
  readonly features?: readonly number[];
  readonly place?: Int32Array;
  readonly trainRows?: number;
  readonly dtype?: DType;
  readonly missingIsError?: boolean;
  readonly threads?: number;
  readonly tuning?: Partial<Tuning>;
  /** Of a part of the matrix. */
  readonly bytesOfPart?: number;
}

export interface Fit {
  readonly fitted: FittedColumn[];
  /** [placed rows, features] */
  readonly data: FloatArray;
}

/** Fits a file whose columns are all features unless said otherwise; null where it is declined. */
export function fitText(folder: Folder, content: string, options: FitOptions): Promise<Fit | null> {
  const { columns, features = firstColumns(columns), threads = 1, tuning = {} } = options;
  return withNumericFile(
    folder,
    content,
    { features, threads },
    (file) => file && fitFile(file, options),
    tuning,
  );
}

export async function fitFile(file: NumericFile, options: FitOptions): Promise<Fit | null> {
  const { columns, scaling = 'standard', dtype = 'float32', missingIsError = true } = options;
  const features = options.features ?? firstColumns(columns);
  const place = options.place ?? Int32Array.from({ length: file.rows }, (_, row) => row);
  const placed = place.reduce((last, row) => Math.max(last, row), -1) + 1;
  const matrix = createFeatureMatrix(dtype, placed, features.length, options.bytesOfPart);
  const scalings = typeof scaling === 'string' ? features.map(() => scaling) : scaling;
  const trainRows = options.trainRows ?? placed;
  const request = { features, scalings, place, trainRows, matrix, missingIsError };
  const fitted = await file.fit(request);
  return fitted && { fitted, data: new MatrixRows(matrix, 0, placed).read(0, placed) };
}

function firstColumns(count: number): number[] {
  return Array.from({ length: count }, (_, column) => column);
}

/** Numbers that don't hang on the system's generator: a linear congruence, from 0 to 1. */
export function* uniform(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}
