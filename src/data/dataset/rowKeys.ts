/** What rules split rows by: the order of numbers or dates, groups, and quantiles of the target. */
import { ExitCode, MlpError } from '../../errors.js';
import { type DataConfig, dateSettingOf } from '../../spec/dataConfig.js';
import type { Where } from '../../spec/messages.js';
import { found } from '../cell.js';
import { ambiguousDates, findDates, notADate, parseDates } from '../dates.js';
import { cellText, type LocatedColumn, numbers } from '../locatedColumn.js';

/** What rules may need to know of the rows of a table. */
export interface RowFacts extends Pick<DataConfig, 'dates'> {
  /** [all rows] The target of a regression. */
  readonly values?: Float64Array;
  /** [all rows] The classes, by which shares and folds are stratified. */
  readonly classes?: Strata;
  readonly seed: number;
  /** The file, as messages name it. */
  readonly path: string;
  readonly where: Where;
}

/** [rows] The class or quantile of each row, and their names. */
export interface Strata {
  readonly labels: Int32Array;
  readonly names: readonly string[];
}

/** The classes of these rows, if there are classes. */
export function classStrata(from: Int32Array, { classes }: RowFacts): Strata | undefined {
  return classes && { labels: from.map((row) => classes.labels[row]), names: classes.names };
}

/** [all rows] Numbers that order the rows: those of the cells, or the times of dates. */
export function orderKeys(
  located: LocatedColumn,
  rows: Int32Array,
  dates: DataConfig['dates'],
): Float64Array {
  const values = numbers(located);
  const other = rows.find((row) => Number.isNaN(values[row]));
  const { column } = located;
  if (other === undefined) return values;
  const text = cellText(located, other);
  const dateOrder =
    column.kind === 'text'
      ? (dateSettingOf({ ...(dates && { dates }) }, located.name)?.order ?? findDates(column.levels)?.order)
      : undefined;
  if (dateOrder === 'ambiguous') {
    throw ambiguousDates(`${located.path}: ${located.label}`, located.name, text);
  }
  if (column.kind !== 'text' || dateOrder === undefined || text === '') {
    throw new MlpError(
      ExitCode.data,
      `${located.location(other)}: found ${found(text)}, expected a number or a date to order the rows by`,
    );
  }
  const { elapsed } = parseDates(column.levels, dateOrder);
  const wrong = rows.find((row) => Number.isNaN(elapsed[column.codes[row]]));
  if (wrong !== undefined) throw notADate(located.location(wrong), cellText(located, wrong), dateOrder);
  return Float64Array.from(column.codes, (code) => elapsed[code] ?? Number.NaN);
}

/**
 * The number of a row's group: equal for the cells that are.
 * @throws MlpError ExitCode.data if one of `rows` has none, or for fewer than two groups
 */
export function groupKeys(located: LocatedColumn, rows: Int32Array): (row: number) => number {
  const { column } = located;
  const groupOf = (row: number) => (column.kind === 'text' ? column.codes[row] : column.values[row]);
  const groups = new Set<number>();
  for (const row of rows) {
    if (cellText(located, row) === '') {
      throw new MlpError(
        ExitCode.data,
        `${located.location(row)}: found no group, expected one in each row`,
        'complete the cell, or remove the row',
      );
    }
    groups.add(groupOf(row));
  }
  if (groups.size >= 2) return groupOf;
  throw new MlpError(
    ExitCode.data,
    `${located.path}: ${located.label}: found one group, expected at least two, one to train on and one to hold out`,
  );
}

/** The most quantiles, and the fewest rows of each. */
const MOST_QUANTILES = 10;
const LEAST_ROWS = 2;

/** Strata of about as many rows each by the size of the target; equal targets are in one. */
export function quantiles(
  key: string,
  from: Int32Array,
  share: number,
  { values, path, where }: RowFacts,
): Strata {
  if (values === undefined) {
    throw new MlpError(
      ExitCode.config,
      `${where(['data', key, 'stratify'])}: found "quantiles" for ${path}, whose target is no quantity`,
      'classes are stratified by themselves: leave it out',
    );
  }
  const held = Math.ceil(share * from.length);
  const least = Math.min(held, from.length - held, Math.floor(from.length / LEAST_ROWS));
  const count = Math.max(1, Math.min(MOST_QUANTILES, least));
  const ranks = Int32Array.from(from.keys()).sort((a, b) => values[from[a]] - values[from[b]] || a - b);
  const labels = new Int32Array(from.length);
  let stratum = 0;
  let size = 0;
  ranks.forEach((index, rank) => {
    const isNew = rank > 0 && values[from[index]] !== values[from[ranks[rank - 1]]];
    const isDue = rank >= ((stratum + 1) * from.length) / count && size >= LEAST_ROWS;
    if (isNew && isDue && from.length - rank >= LEAST_ROWS) {
      stratum++;
      size = 0;
    }
    labels[index] = stratum;
    size++;
  });
  return { labels, names: Array.from({ length: stratum + 1 }, (_, i) => `quantile ${i + 1}`) };
}

/** Puts the file before the messages of the arithmetic, which knows none. */
export function withPath<Result>(path: string, split: () => Result): Result {
  try {
    return split();
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(error.exitCode, `${path}: ${error.message}`, error.hint, { cause: error });
  }
}
