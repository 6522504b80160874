/** Datasets made from others: sides, weights and targets that no small file has. */
import type { Dataset, Split } from '../../src/data/dataset/dataset.js';
import { createFeatureMatrix } from '../../src/data/featureMatrix.js';

type Sides = Pick<Dataset, 'train' | 'validation' | 'test'>;

/** The rows of a side that `order` names, in its order. */
export function takeRows(side: Split, order: readonly number[]): Split {
  const pick = <Values extends Int32Array | Float64Array>(values: Values): Values => {
    const width = values.length / side.rows;
    const taken = order.flatMap((row) => [...values.subarray(row * width, (row + 1) * width)]);
    return (values instanceof Int32Array ? Int32Array.from(taken) : Float64Array.from(taken)) as Values;
  };
  const { features, labels, targets, weights } = side;
  return {
    rows: order.length,
    features: pick(Float64Array.from(features)),
    ...(labels && { labels: pick(labels) }),
    ...(targets && { targets: pick(targets) }),
    ...(weights && { weights: pick(weights) }),
  };
}

/** The dataset with these sides for its own, their features in a matrix of their own. */
export function withSides(dataset: Dataset, { train, validation, test }: Sides): Dataset {
  const { train: _train, validation: _validation, test: _test, ...rest } = dataset;
  const columns = dataset.features.columns;
  const dtype = dataset.features.data instanceof Float32Array ? 'float32' : 'float64';
  const rows = train.rows + (validation?.rows ?? 0) + (test?.rows ?? 0);
  const matrix = createFeatureMatrix(dtype, rows, columns);
  let next = 0;
  const place = (side: Split): Split => {
    const first = next;
    next += side.rows * columns;
    const features = matrix.features.data.subarray(first, next);
    features.set(side.features);
    return { ...side, features };
  };
  return {
    ...rest,
    ...matrix,
    train: place(train),
    ...(validation && { validation: place(validation) }),
    ...(test && { test: place(test) }),
  };
}

/** Row numbers from `first` up to `end`. */
export function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i);
}
