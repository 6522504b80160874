/** Encodes the rows of all splits into one matrix. */
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { UnknownLevel } from '../encoding/categoryEncoding.js';
import { matrixWidth, ofTrained } from '../encoding/encoding.js';
import { createFeatureMatrix, type FeatureMatrix } from '../featureMatrix.js';
import type { InputRows, SplitRows } from './assembleDataset.js';
import type { GivenEncodings } from './givenEncodings.js';
import type { Fitted } from './rowReaders.js';

interface Filled {
  readonly fitted: Fitted;
  readonly unknown: ReadonlyMap<InputRows, readonly UnknownLevel[]>;
}

interface FillOptions {
  readonly given: GivenEncodings | undefined;
  readonly embeds: boolean;
  readonly bytesOfPart: number | undefined;
}

/** Fits the encodings on the training rows, unless they are given, and writes the rows of all splits. */
export async function fillMatrix(
  splits: readonly SplitRows[],
  dtype: TrainConfig['dtype'],
  { given, embeds, bytesOfPart }: FillOptions,
): Promise<Filled> {
  const rows = splits.reduce((sum, split) => sum + split.rows.length, 0);
  const create = (columns: number) => createFeatureMatrix(dtype, rows, columns, bytesOfPart);
  const inputs = new Set(splits.map(({ from }) => from));
  const writeAll = async (
    written: Iterable<InputRows>,
    encodings: Fitted['encodings'],
    matrix: FeatureMatrix,
  ) => {
    const unknown = new Map<InputRows, readonly UnknownLevel[]>();
    for (const from of written) unknown.set(from, await from.reader.write(encodings, from.place, matrix));
    return unknown;
  };
  if (given) {
    const encodings = given.features;
    const matrix = create(matrixWidth(encodings));
    const unknown = await writeAll(inputs, ofTrained(encodings), matrix);
    return { fitted: { encodings, matrix, unknown: [] }, unknown };
  }
  const [{ from: training, rows: train }] = splits;
  const numeric = splits.every(({ from }) => from.reader.isNumeric);
  const fitted = await training.reader.fit({ place: training.place, train, numeric, embeds }, create);
  inputs.delete(training);
  const others = await writeAll(inputs, fitted.encodings, fitted.matrix);
  return { fitted, unknown: new Map([[training, fitted.unknown], ...others]) };
}
