/** From the columns of a matrix back to what the file held, as far as the matrix tells. */
import { formatNumber } from '../../text.js';
import { type Range, restored, type Transform } from '../scaling.js';
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
  /** Of numbers, in the rows that the encodings were fitted on. */
  readonly range?: Range;
  /** Whether the number of a date is that of its days since 1970. */
  readonly inDays?: true;
  /** The levels of a category, no and yes of a boolean. */
  readonly levels?: readonly string[];
  /**
   * The cell of the matrix row that begins at `at`: a number, the index of a level, or undefined for a
   * missing cell or an unknown level. Of a date it is the day, or else the number of its first part.
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
    const { range } = encoding;
    const cell = withMissing((features, at) => numberOf(features[at + first], encoding));
    return { ...base, ...(range && { range }), cell, text: numberText(cell, encoding) };
  }
  if (kind === 'date') {
    const days = encoding.inputs.findIndex((input) => input.column === `${column} elapsed`);
    const at = Math.max(0, days);
    const main = encoding.inputs[at];
    const cell = withMissing((features, row) =>
      main ? restored(features[row + first + at], main) : undefined,
    );
    const text: RestoredColumn['text'] = (features, row) => {
      const value = cell(features, row);
      if (value === undefined) return '';
      return days >= 0 ? dayText(value) : partsText(column, encoding.inputs, features, row + first);
    };
    return { ...base, ...(days >= 0 && { inDays: true }), cell, text };
  }
  const levels = kind === 'boolean' ? ['no', 'yes'] : encoding.levels;
  const cell = withMissing(kind === 'boolean' ? booleanCell(encoding, first) : levelCell(encoding, first));
  const text: RestoredColumn['text'] = (features, at) => levels[cell(features, at) ?? -1] ?? '';
  return { ...base, levels, cell, text };
}

/** A number whose matrix column is a float32: what rounding made of 0 is 0 again. */
function numberOf(y: number, transform: Transform): number {
  const value = restored(y, transform);
  return Math.abs(value) <= ROUNDING * (Math.abs(transform.shift) + Math.abs(transform.scale)) ? 0 : value;
}

/** Twice that of a float32. */
const ROUNDING = 2 ** -23;

/** Six digits, and of a float32 no decimals that are rounding. */
function numberText(cell: RestoredColumn['cell'], { shift, scale }: Transform): RestoredColumn['text'] {
  const resolution = 2 * ROUNDING * (Math.abs(shift) + Math.abs(scale));
  const decimals = Math.min(100, Math.max(0, -Math.ceil(Math.log10(resolution))));
  return (features, at) => {
    const value = cell(features, at);
    if (value === undefined) return '';
    const kept = features instanceof Float32Array ? Number(value.toFixed(decimals)) : value;
    return formatNumber(Number(kept.toPrecision(6)));
  };
}

/** `2020-03-31` for a number of days since 1970. */
export function dayText(days: number): string {
  const date = new Date(Math.round(days) * MILLISECONDS_A_DAY);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}

const MILLISECONDS_A_DAY = 86_400_000;

function partsText(
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
  const { levels, signs, numbered, scaled, transforms } = encoding;
  if (numbered) {
    return (features, at) => {
      if (features[at + first] > 0) return features[at + first] - 1;
      return scaled?.apart.find(({ transform }, i) => restored(features[at + first + 1 + i], transform) > 0.5)
        ?.level;
    };
  }
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
