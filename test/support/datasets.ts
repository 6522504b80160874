/** Datasets made from others: sides, weights and targets that no small file has. */
import { type Dataset, isInFile, type Split } from '../../src/data/dataset/dataset.js';
import {
  createFeatureMatrix,
  type FeatureRows,
  type MatrixPart,
  MatrixRows,
  rowsIn,
} from '../../src/data/featureMatrix.js';
import type { FloatArray } from '../../src/kernels/kernels.js';

type Sides = Pick<Dataset, 'train' | 'validation' | 'test'>;

/** [rows, columns] The features of a split; empty for none. */
export function allOf(features: FeatureRows | undefined): FloatArray {
  return features ? features.read(0, features.rows) : new Float64Array();
}

/** The parts of a matrix in memory. */
export function partsOf({ matrix }: Dataset): readonly MatrixPart[] {
  if (isInFile(matrix)) throw new TypeError('found a matrix in a file');
  return matrix.parts;
}

/** A split with its features as an array. */
export function plainSplit(split: Split | undefined) {
  return split && { ...split, features: allOf(split.features) };
}

/** The rows of a side that `order` names, in its order. */
export function takeRows(side: Split, order: readonly number[]): Split {
  const pick = <Values extends Int32Array | Float64Array>(values: Values): Values => {
    const width = values.length / side.rows;
    const taken = order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
    return (values instanceof Int32Array ? Int32Array.from(taken) : Float64Array.from(taken)) as Values;
  };
  const { features, labels, targets, weights, rowNumbers } = side;
  return {
    rows: order.length,
    features: rowsIn(pick(Float64Array.from(allOf(features))), features.columns),
    ...(labels && { labels: pick(labels) }),
    ...(targets && { targets: pick(targets) }),
    ...(weights && { weights: pick(weights) }),
    rowNumbers: pick(rowNumbers),
  };
}

/** The dataset with these sides for its own, their features in a matrix of their own. */
export function withSides(dataset: Dataset, { train, validation, test }: Sides): Dataset {
  const { train: _train, validation: _validation, test: _test, ...rest } = dataset;
  const { dtype, columns } = dataset.matrix;
  const rows = train.rows + (validation?.rows ?? 0) + (test?.rows ?? 0);
  const matrix = createFeatureMatrix(dtype, rows, columns);
  let next = 0;
  const place = (side: Split): Split => {
    const features = new MatrixRows(matrix, next, side.rows);
    matrix.parts[0].features.data.set(allOf(side.features), next * columns);
    next += side.rows;
    return { ...side, features };
  };
  return {
    ...rest,
    matrix,
    train: place(train),
    ...(validation && { validation: place(validation) }),
    ...(test && { test: place(test) }),
  };
}

/** Row numbers from `first` up to `end`. */
export function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
