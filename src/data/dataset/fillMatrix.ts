/** Encodes the rows of all splits into one matrix: in memory, or in the file of a cache. */
import { bytesPerElement, memoryLimit } from '../../kernels/arena.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { CacheWriter } from '../cache/cacheFile.js';
import { RowSorter } from '../cache/rowSorter.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { type FeatureEncoding, matrixWidth, ofTrained } from '../encoding/encoding.js';
import { createFeatureMatrix } from '../featureMatrix.js';
import type { Filled, InputRows, SplitRows } from './assembleDataset.js';
import type { GivenEncodings } from './givenEncodings.js';

export interface FillOptions {
  readonly given: GivenEncodings | undefined;
  readonly embeds: boolean;
  readonly leastGathered: number;
  readonly bytesOfPart: number | undefined;
  /** Begins the cache that the rows are written to. */
  readonly cache?: ((rows: number, columns: number) => Promise<CacheWriter>) | undefined;
}

/** Fits the encodings on the training rows, unless they are given, and writes the rows of all splits. */
export async function fillMatrix(
  splits: readonly SplitRows[],
  dtype: TrainConfig['dtype'],
  options: FillOptions,
): Promise<Filled> {
  const rows = splits.reduce((sum, { rows, first }) => Math.max(sum, first + rows.length), 0);
  const { encodings, matrix } = await (options.cache ? fillFile : fillMemory)(splits, dtype, rows, options);
  const tables = new Set(splits.map(({ from }) => from));
  const asTrained = options.given ? ofTrained(encodings) : encodings;
  const unknown = new Map<InputRows, readonly UnknownLevel[]>();
  for (const from of tables) unknown.set(from, await from.reader.unknown(asTrained, from.place));
  return { encodings, matrix, unknown };
}

type WithoutUnknown = Omit<Filled, 'unknown'>;

async function fillMemory(
  splits: readonly SplitRows[],
  dtype: TrainConfig['dtype'],
  rows: number,
  { given, embeds, leastGathered, bytesOfPart }: FillOptions,
): Promise<WithoutUnknown> {
  const create = (columns: number) => createFeatureMatrix(dtype, rows, columns, bytesOfPart);
  const others = new Set(splits.map(({ from }) => from));
  const [{ from: training, rows: train }] = splits;
  let encodings: readonly FeatureEncoding[];
  let matrix: ReturnType<typeof create>;
  if (given) {
    encodings = given.features;
    matrix = create(matrixWidth(encodings));
  } else {
    const numeric = splits.every(({ from }) => from.reader.isNumeric);
    const placement = { place: training.place, train, numeric, embeds, leastGathered };
    ({ encodings, matrix } = await training.reader.fit(placement, create));
    others.delete(training);
  }
  const written = given ? ofTrained(encodings) : encodings;
  for (const from of others) await from.reader.write(written, from.place, matrix);
  return { encodings, matrix };
}

/** Of the rows that are encoded before they go to the file. */
const BYTES_OF_ROWS = 2 ** 26;

/** Reads all tables once, some rows at a time, which a cache brings in order. */
async function fillFile(
  splits: readonly SplitRows[],
  dtype: TrainConfig['dtype'],
  rows: number,
  options: FillOptions,
): Promise<WithoutUnknown> {
  const { given, embeds, leastGathered, cache, bytesOfPart } = options;
  const [{ from: training, rows: train }] = splits;
  const numeric = splits.every(({ from }) => from.reader.isNumeric);
  const placement = { place: training.place, train, numeric, embeds, leastGathered };
  const encodings = given?.features ?? (await training.reader.measure(placement, dtype));
  const written = given ? ofTrained(encodings) : encodings;
  const columns = matrixWidth(encodings);
  const writer = await (cache as NonNullable<typeof cache>)(rows, columns);
  const sorter = new RowSorter(writer, bytesOfPart);
  const rowBytes = Math.max(1, columns) * bytesPerElement(dtype);
  const bytes = Math.min(BYTES_OF_ROWS, memoryLimit() / 2, 3 * (bytesOfPart ?? BYTES_OF_ROWS));
  const most = Math.min(rows, Math.max(1, Math.floor(bytes / rowBytes)));
  const matrix = createFeatureMatrix(dtype, most, columns, bytesOfPart);
  for (const { reader, place } of new Set(splits.map(({ from }) => from))) {
    await reader.writeSome(written, place, matrix, (some, places) => sorter.add(some, places));
  }
  sorter.finish();
  return { encodings, matrix: writer.matrix };
}
