/** Whether the inputs of a network are the pixels of an image, and what they look like. */
import { arePixels, encodingWidth, type FeatureEncoding } from '../data/encoding/encoding.js';
import { restoredColumns } from '../data/encoding/restore.js';
import type { Picture } from '../report/html/results.js';

export interface Image {
  /** Of a square. */
  readonly width: number;
  /** The image of the matrix row that begins at `at`, from 0 to 1. */
  pictureOf(features: ArrayLike<number>, at: number): Picture;
  /** [pixels] An input's value for each pixel; a pixel of a single value has none, and gets 0. */
  spread(inputs: ArrayLike<number>): Float64Array;
}

/** Smaller squares are more likely tables. */
const LEAST_WIDTH = 8;

/** Undefined unless there is a square number of columns that may be pixels, all in one range. */
export function imageOf(encodings: readonly FeatureEncoding[]): Image | undefined {
  const width = Math.round(Math.sqrt(encodings.length));
  if (width < LEAST_WIDTH || width * width !== encodings.length || !couldBePixels(encodings))
    return undefined;
  const columns = restoredColumns(encodings);
  const tops = encodings.flatMap((encoding) =>
    encoding.kind === 'numeric' ? (encoding.range?.[1] ?? 0) : [],
  );
  const brightest = tops.reduce((most, top) => Math.max(most, top), 0);
  // Counts of different things have ranges of their own.
  const alike = tops.filter((top) => 2 * top >= brightest).length;
  if (!(brightest > 0) || 2 * alike < tops.length) return undefined;
  return {
    width,
    pictureOf(features, at) {
      const values = Float64Array.from(columns, ({ kind, value, cell }) =>
        kind === 'constant' ? Number(value) : (cell(features, at) ?? 0),
      );
      return { width, values: values.map((value) => Math.min(1, Math.max(0, value / brightest))) };
    },
    spread: (inputs) => Float64Array.from(columns, ({ first, width }) => (width > 0 ? inputs[first] : 0)),
  };
}

function couldBePixels(encodings: readonly FeatureEncoding[]): boolean {
  const isNumber = (encoding: FeatureEncoding) =>
    encoding.kind === 'numeric'
      ? encodingWidth(encoding) === 1
      : encoding.kind === 'constant' && typeof encoding.value === 'number' && !encoding.indicator;
  return encodings.every(isNumber) && arePixels(encodings.filter(({ kind }) => kind === 'numeric'));
}
