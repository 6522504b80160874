/** From the columns of a matrix back to what the file held, as far as the matrix tells. */
import { formatNumber } from '../../text.js';
import { restored } from '../scaling.js';
import { encodingWidth, type FeatureEncoding, indicatorValues, type NumericEncoding } from './encoding.js';

/** A column of the file. */
export interface RestoredColumn {
  readonly column: string;
  readonly kind: FeatureEncoding['kind'];
  /** The only value of a constant. */
  readonly value?: number | string;
  /** The first of its matrix columns, and how many there are. */
  readonly first: number;
  readonly width: number;
  /** The levels of a category, no and yes of a boolean. */
  readonly levels?: readonly string[];
  /**
   * The cell of the matrix row that begins at `at`: a number, the index of a level, or undefined for a
   * missing cell or an unknown level. Of a date it is the number of its first part.
   */
  cell(features: ArrayLike<number>, at: number): number | undefined;
  /** The same as text. */
  text(features: ArrayLike<number>, at: number): string;
}

/** @param encodings those of the matrix */
export function restoredColumns(encodings: readonly FeatureEncoding[]): RestoredColumn[] {
  let first = 0;
  return encodings.map((encoding) => {
    const column = restoredColumn(encoding, first);
    first += encodingWidth(encoding);
    return column;
  });
}

function restoredColumn(encoding: FeatureEncoding, first: number): RestoredColumn {
  const { kind, column, indicator } = encoding;
  const width = encodingWidth(encoding);
  const base = { column, kind, first, width };
  const [present, missing] = indicatorValues(indicator);
  const isMissing = (features: ArrayLike<number>, at: number) =>
    indicator !== undefined && features[at + first + width - 1] > (present + missing) / 2;
  const withMissing = (cell: RestoredColumn['cell']): RestoredColumn['cell'] => {
    return (features, at) => (isMissing(features, at) ? undefined : cell(features, at));
  };
  if (kind === 'constant') {
    const text = String(encoding.value);
    const cell = withMissing(() => 0);
    return { ...base, value: encoding.value, cell, text: (f, at) => (isMissing(f, at) ? '' : text) };
  }
  if (kind === 'numeric') {
    const cell = withMissing((features, at) => restored(features[at + first], encoding));
    return { ...base, cell, text: numberText(cell) };
  }
  if (kind === 'date') {
    const [main] = encoding.inputs;
    const cell = withMissing((features, at) => (main ? restored(features[at + first], main) : undefined));
    const text: RestoredColumn['text'] = (features, at) =>
      isMissing(features, at) ? '' : dateText(encoding.column, encoding.inputs, features, at + first);
    return { ...base, cell, text };
  }
  const levels = kind === 'boolean' ? ['no', 'yes'] : encoding.levels;
  const cell = withMissing(kind === 'boolean' ? booleanCell(encoding, first) : levelCell(encoding, first));
  const text: RestoredColumn['text'] = (features, at) => levels[cell(features, at) ?? -1] ?? '';
  return { ...base, levels, cell, text };
}

/** Six digits: a matrix of float32 holds seven, and scaling costs one. */
function numberText(cell: RestoredColumn['cell']): RestoredColumn['text'] {
  return (features, at) => {
    const value = cell(features, at);
    return value === undefined ? '' : formatNumber(Number(value.toPrecision(6)));
  };
}

function dateText(
  column: string,
  inputs: readonly NumericEncoding[],
  features: ArrayLike<number>,
  at: number,
): string {
  return inputs
    .map((input, i) => {
      const value = restored(features[at + i], input);
      return `${input.column.slice(column.length + 1)} ${formatNumber(Number(value.toPrecision(5)))}`;
    })
    .join(', ');
}

type WithKind<Kind> = Extract<FeatureEncoding, { kind: Kind }>;

function booleanCell({ transform }: WithKind<'boolean'>, first: number): RestoredColumn['cell'] {
  return (features, at) => {
    const value = transform ? restored(features[at + first], transform) : features[at + first];
    // Halfway is neither.
    return value > 0.75 ? 1 : value < 0.25 ? 0 : undefined;
  };
}

function levelCell(encoding: WithKind<'category'>, first: number): RestoredColumn['cell'] {
  const { levels, signs, numbered, transforms } = encoding;
  if (numbered) return (features, at) => (features[at + first] > 0 ? features[at + first] - 1 : undefined);
  const valueAt = (features: ArrayLike<number>, at: number, j: number) => {
    const transform = transforms?.[j];
    return transform ? restored(features[at + first + j], transform) : features[at + first + j];
  };
  if (signs) {
    return (features, at) => {
      const sign = valueAt(features, at, 0);
      return sign > 0.5 ? 1 : sign < -0.5 ? 0 : undefined;
    };
  }
  return (features, at) => {
    for (let j = 0; j < levels.length; j++) if (valueAt(features, at, j) > 0.5) return j;
    return undefined;
  };
}
