/** Encodes the rows of all splits into one matrix: in memory, or in the file of a cache. */
import { bytesPerElement, memoryLimit } from '../../kernels/arena.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { CacheWriter } from '../cache/cacheFile.js';
import { type FeatureEncoding, matrixWidth, ofTrained } from '../encoding/encoding.js';
import { chunksOf, createFeatureMatrix, MatrixRows } from '../featureMatrix.js';
import type { Filled, SplitRows } from './assembleDataset.js';
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
  const unknown = new Map([...tables].map((from) => [from, from.reader.unknown(asTrained, from.place)]));
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

/** Of the memory, that rows may take until they are in the file. */
const SHARE_OF_ROWS = 1 / 2;

/** Reads all tables once for as many rows as fit into memory, which are then appended to the file. */
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
  const bytes = 3 * (bytesOfPart ?? Number.POSITIVE_INFINITY);
  const rowBytes = Math.max(1, columns) * bytesPerElement(dtype);
  const most = Math.max(1, Math.floor(Math.min(bytes, memoryLimit() * SHARE_OF_ROWS) / rowBytes));
  const matrix = createFeatureMatrix(dtype, Math.min(rows, most), columns, bytesOfPart);
  for (let first = 0; first < rows; first += most) {
    const end = Math.min(first + most, rows);
    for (const { reader, place } of new Set(splits.map(({ from }) => from))) {
      const inMemory = place.map((row) => (row >= first && row < end ? row - first : -1));
      await reader.write(written, inMemory, matrix);
    }
    const filled = new MatrixRows(matrix, 0, end - first);
    for (const { data } of chunksOf(filled)) writer.append(data);
  }
  return { encodings, matrix: writer.matrix };
}
