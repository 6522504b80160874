/** Values that the training rows did not prepare a model for, in the rows that it reads. */
import { parseDecimal } from '../data/cell.js';
import { plainNumber } from '../data/csv/notation.js';
import { type DateOrder, formatDays, parseDates } from '../data/dates.js';
import { encodingWidth, type FeatureEncoding } from '../data/encoding/encoding.js';
import { isSingle, type Range, restored } from '../data/scaling.js';
import { type Column, columnLabel, gather, type Table } from '../data/table.js';
import { listed, quote } from '../text.js';
import type { ReadingModel } from './load.js';

const MOST_WARNINGS = 10;

/** A sum that is off in its last digits is the same number. */
const ROUNDING = 1e-9;

const FLOAT32_DIGITS = 6;
const FLOAT64_DIGITS = 17;

/** The rows of a column with values that the training rows had nothing like. */
interface Strange {
  /** The number of the feature. */
  readonly feature: number;
  /** Of dates, that of the input that grows with them. */
  readonly encoding: FeatureEncoding;
  /** Only of dates. */
  readonly dates?: { readonly order: DateOrder; readonly part: 'year' | 'elapsed' };
  /** The matrix column of the encoding. */
  readonly first: number;
  /** Numbers beyond it are strange; undefined if none are. */
  readonly known: Range | undefined;
  rows: number;
  /** The first such value. */
  example: string;
}

/**
 * Counts values far outside the range of the training rows, and other values in columns that held a
 * single one. Far outside is beyond the range by more than its own width: a code next to the known
 * ones, or a largest value somewhat larger than before, is none.
 */
export class StrangeValues {
  readonly #columns: readonly Strange[];
  /** Columns of the matrix. */
  readonly #width: number;
  readonly #numbers: ReadingModel['numbers'];
  readonly #names: readonly string[];

  constructor({ features, numbers }: Pick<ReadingModel, 'features' | 'numbers'>) {
    let next = 0;
    this.#columns = features.map((feature, j) => {
      const { encoding, dates, offset } = growing(feature);
      const first = next + offset;
      next += encodingWidth(feature);
      const known = knownNumbers(encoding);
      return { feature: j, encoding, ...(dates && { dates }), first, known, rows: 0, example: '' };
    });
    this.#width = next;
    this.#numbers = numbers;
    this.#names = features.map(({ column }) => column);
  }

  /** Adds the rows of a table. `indices` are its columns, one for each encoding. */
  add({ columns }: Table, indices: readonly number[]): void {
    this.#columns.forEach((strange, j) => {
      const cells = columns[indices[j]];
      const { dates } = strange;
      if (cells?.kind === 'numeric') addNumbers(strange, cells.values);
      else if (cells && dates) {
        const values = parseDates(cells.levels, dates.order)[dates.part];
        addNumbers(strange, gather(values, cells.codes));
      } else if (cells && strange.encoding.kind === 'constant') this.#addTexts(strange, cells);
    });
  }

  /** Adds rows of a matrix [rows, columns], where columns of a single value can't be told. */
  addScaled(rows: ArrayLike<number>): void {
    const width = this.#width;
    for (const strange of this.#columns) {
      const { encoding, first } = strange;
      if (encoding.kind !== 'numeric' || (encoding.range && isSingle(encoding.range))) continue;
      const values = new Float64Array(rows.length / width);
      for (let row = 0; row < values.length; row++)
        values[row] = restored(rows[row * width + first], encoding);
      addNumbers(strange, values, FLOAT32_DIGITS);
    }
  }

  /** A sentence for each of the first few columns, and one for the rest. */
  warnings(path: string, header: boolean): string[] {
    const found = this.#columns.filter(({ rows }) => rows > 0);
    const label = ({ feature }: Strange) => columnLabel(header, this.#names[feature]);
    const sentences = found
      .slice(0, MOST_WARNINGS)
      .map((strange) => `${path}: ${label(strange)}: ${sentenceOf(strange)}`);
    const others = found.slice(MOST_WARNINGS);
    if (others.length === 0) return sentences;
    return [
      ...sentences,
      `${path}: ${listed(others.map(label))} hold values that the training rows had nothing like, too`,
    ];
  }

  #addTexts(strange: Strange, { levels, codes }: Column & { kind: 'text' }): void {
    const { column, value } = strange.encoding as FeatureEncoding & { kind: 'constant' };
    const notation = this.#numbers?.[column];
    const plain = notation && plainNumber(notation);
    const isOther = levels.map((level) => {
      if (typeof value === 'string') return level !== value;
      const number = parseDecimal(plain?.(level) ?? level);
      return Number.isNaN(number) || isOutside(number, strange.known);
    });
    for (const code of codes) {
      if (code < 0 || !isOther[code]) continue;
      if (strange.rows++ === 0) strange.example = quote(levels[code]);
    }
  }
}

function addNumbers(strange: Strange, values: Float64Array, digits = FLOAT64_DIGITS): void {
  const { known } = strange;
  if (known === undefined) return;
  const [least, greatest] = known;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (!(value < least || value > greatest)) continue;
    if (strange.rows++ === 0) strange.example = shown(strange, Number(value.toPrecision(digits)));
  }
}

/** A number, or the day that so many days after 1970 are. */
function shown({ dates }: Strange, value: number): string {
  return dates?.part === 'elapsed' ? formatDays(Math.floor(value)) : String(value);
}

/** The encoding with the range of a feature: of dates, that of the input that grows with them. */
function growing(encoding: FeatureEncoding): {
  readonly encoding: FeatureEncoding;
  readonly dates?: Strange['dates'];
  readonly offset: number;
} {
  if (encoding.kind !== 'date') return { encoding, offset: 0 };
  const { order, parts, inputs, column } = encoding;
  const part = (['elapsed', 'year'] as const).find((part) => parts.includes(part));
  const offset =
    part === undefined || order === 'time'
      ? -1
      : inputs.findIndex((input) => input.column === `${column} ${part}`);
  if (part === undefined || offset < 0) return { encoding, offset: 0 };
  return { encoding: inputs[offset], dates: { order, part }, offset };
}

function isOutside(value: number, [least, greatest]: Range = [value, value]): boolean {
  return value < least || value > greatest;
}

/** Undefined if any number may be known: in a category, or in a model of an earlier version. */
function knownNumbers(encoding: FeatureEncoding): Range | undefined {
  const { kind } = encoding;
  if (kind !== 'numeric' && kind !== 'constant') return undefined;
  if (kind === 'constant' && typeof encoding.value === 'string') return undefined;
  const range = kind === 'constant' ? ([encoding.value, encoding.value] as Range) : encoding.range;
  if (range === undefined) return undefined;
  const [least, greatest] = range;
  const width = isSingle(range) ? ROUNDING * Math.abs(least) : greatest - least;
  return [least - width, greatest + width];
}

function sentenceOf(strange: Strange): string {
  const { encoding, rows, example, dates } = strange;
  const holding = rows === 1 ? '1 row holds' : `${rows} rows hold`;
  const such = rows === 1 ? `: ${example}` : `, such as ${example}`;
  const range = encoding.kind === 'numeric' ? encoding.range : undefined;
  if (range && !isSingle(range)) {
    const [one, many] = dates ? ['a date', 'dates'] : ['a number', 'numbers'];
    const [least, greatest] = range.map((value) => shown(strange, value));
    return `${holding} ${rows === 1 ? one : many} far outside the range of the training rows, ${least} to ${greatest}${such}`;
  }
  const value = encoding.kind === 'constant' ? encoding.value : range?.[0];
  const only = typeof value === 'string' ? quote(value) : value;
  return `${holding} another value than ${only}, the only one of the training rows, so the network ignores the column${such}`;
}
