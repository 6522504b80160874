/** Which rows train, validate and test. `takeRows` has one case for each rule. */
import { ExitCode, MlpError } from '../../errors.js';
import { RandomState } from '../../random/randomState.js';
import { stratifiedSplit, trainTestSplit } from '../../random/split.js';
import { type DataConfig, dateSettingOf, type RowsOf } from '../../spec/dataConfig.js';
import { suggest, type Where } from '../../spec/messages.js';
import { printable, quote } from '../../text.js';
import { found } from '../cell.js';
import { ambiguousDates, findDates, notADate, parseDates } from '../dates.js';
import { cellText, finiteNumber, type LocatedColumn, numbers, rowCount } from '../locatedColumn.js';

/** Row numbers of the training table, in the order of each split. */
interface RowsBySplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

interface SplitRequest extends Pick<DataConfig, 'dates'> {
  readonly validation: RowsOf;
  readonly test: RowsOf;
  /** The columns named by `validation` and `test`, if any. */
  readonly locatedColumns: { readonly validation?: LocatedColumn; readonly test?: LocatedColumn };
  /** The rows to split, rising. */
  readonly from: Int32Array;
  /** [all rows] The target of a regression. */
  readonly values?: Float64Array;
  /** [rows] and the names of the classes: shares are stratified by them. */
  readonly classes?: { readonly labels: Int32Array; readonly names: readonly string[] };
  readonly seed: number;
  /** The file, as messages name it. */
  readonly path: string;
  readonly where: Where;
}

/**
 * Takes the test rows first, then the validation rows from the rest. A share is a share of what it
 * is taken from, like two calls of scikit-learn's `train_test_split` with the same seed. Marked
 * rows, and all rows if no share is taken, keep the order of the file.
 *
 * @throws MlpError ExitCode.data if a share can't be taken, or a column marks no row or all rows
 */
export function splitRows(request: SplitRequest): RowsBySplit {
  const { taken: test, rest } = takeRows('test', request.from, request);
  const { taken: validation, rest: train } = takeRows('validation', rest, request);
  return { train, validation, test };
}

function takeRows(
  key: 'validation' | 'test',
  from: Int32Array,
  request: SplitRequest,
): { taken: Int32Array; rest: Int32Array } {
  const asked = request[key];
  const located = request.locatedColumns[key];
  if (typeof asked === 'string' || asked === 0) return { taken: new Int32Array(0), rest: from };
  const { seed, path } = request;
  if (typeof asked === 'object') {
    if ('column' in asked && located) return takeMarked(key, from, located, asked.value, request.from.length);
    if ('last' in asked) return takeLast(from, asked.last, located, request);
    if ('group' in asked && located) return takeGroups(from, asked.share, located, seed);
  }
  const share = typeof asked === 'object' && 'share' in asked ? asked.share : (asked as number);
  const strata =
    typeof asked === 'object' && 'stratify' in asked
      ? quantiles(key, from, share, request)
      : request.classes && {
          labels: from.map((row) => request.classes?.labels[row] ?? 0),
          names: request.classes.names,
        };
  try {
    const split = strata
      ? stratifiedSplit(strata.labels, strata.names.length, share, seed, strata.names)
      : trainTestSplit(from.length, share, seed);
    // In place, and by a loop: a split of a million rows holds 4 MB.
    for (const indices of [split.test, split.train]) {
      for (let i = 0; i < indices.length; i++) indices[i] = from[indices[i]];
    }
    return { taken: split.test, rest: split.train };
  } catch (error) {
    if (!(error instanceof MlpError)) throw error;
    throw new MlpError(error.exitCode, `${path}: ${error.message}`, error.hint, { cause: error });
  }
}

/** The last ⌈share·rows⌉ rows, in the order of the file or of a column. Both parts keep the order of the file. */
function takeLast(
  from: Int32Array,
  share: number,
  located: LocatedColumn | undefined,
  { path, dates }: Pick<SplitRequest, 'path' | 'dates'>,
) {
  const count = Math.ceil(share * from.length);
  if (count >= from.length) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found ${from.length} rows to take the last ${count} of, expected rows to train on as well`,
    );
  }
  const keys = located && orderKeys(located, from, dates);
  const order = keys ? from.toSorted((a, b) => keys[a] - keys[b] || a - b) : from;
  return { taken: order.slice(-count).sort(), rest: order.slice(0, -count).sort() };
}

/** [all rows] Numbers that order the rows: those of the cells, or the times of dates. */
function orderKeys(located: LocatedColumn, rows: Int32Array, dates: DataConfig['dates']): Float64Array {
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
 * Whole groups at random, up to the share of the rows: a group that would lead further away from it is
 * left to train on. Both parts keep the order of the file.
 * @throws MlpError ExitCode.data for fewer than two groups, or a row without one
 */
function takeGroups(from: Int32Array, share: number, located: LocatedColumn, seed: number) {
  const { column } = located;
  const groupOf = (row: number) => (column.kind === 'text' ? column.codes[row] : column.values[row]);
  const sizes = new Map<number, number>();
  for (const row of from) {
    if (cellText(located, row) === '') {
      throw new MlpError(
        ExitCode.data,
        `${located.location(row)}: found no group, expected one in each row`,
        'complete the cell, or remove the row',
      );
    }
    sizes.set(groupOf(row), (sizes.get(groupOf(row)) ?? 0) + 1);
  }
  if (sizes.size < 2) {
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found one group, expected at least two, one to train on and one to hold out`,
    );
  }
  const wanted = share * from.length;
  const groups = [...sizes];
  const held = new Set<number>();
  let count = 0;
  for (const i of new RandomState(seed).permutation(groups.length)) {
    const [group, size] = groups[i];
    const isNearer = Math.abs(count + size - wanted) < Math.abs(count - wanted);
    if ((held.size > 0 && !isNearer) || held.size === groups.length - 1) continue;
    held.add(group);
    count += size;
  }
  return {
    taken: from.filter((row) => held.has(groupOf(row))),
    rest: from.filter((row) => !held.has(groupOf(row))),
  };
}

/** The most quantiles, and the fewest rows of each. */
const MOST_QUANTILES = 10;
const LEAST_ROWS = 2;

/** Strata of about as many rows each by the size of the target; equal targets are in one. */
function quantiles(key: string, from: Int32Array, share: number, { values, path, where }: SplitRequest) {
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

/** The rows of `from` whose cell is `value`; numbers are compared as numbers. `usable` rows of the table can be in a split. */
function takeMarked(
  key: string,
  from: Int32Array,
  located: LocatedColumn,
  value: string | number,
  usable: number,
) {
  const isMarked = marker(located, value);
  const taken = from.filter((row) => isMarked(row));
  const shown = typeof value === 'string' ? quote(value) : value;
  const among = usable < rowCount(located) ? ' among those with a target and a weight above 0' : '';
  if (taken.length === 0) {
    const seen = distinctTexts(located);
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found no row with ${shown}${among}, ` +
        `expected the ${key} rows to have it`,
      seen.includes(String(value))
        ? `check data.${key}`
        : (suggest(String(value), seen) ??
            `the column has ${seen.map((text) => quote(text)).join(', ')}; set data.${key}.value`),
    );
  }
  if (taken.length === from.length) {
    throw new MlpError(
      ExitCode.data,
      `${located.path}: ${located.label}: found ${shown} in all rows${among}, ` +
        'expected other rows to train on',
      `check data.${key}`,
    );
  }
  return { taken, rest: from.filter((row) => !isMarked(row)) };
}

function marker({ column }: LocatedColumn, value: string | number): (row: number) => boolean {
  const number = finiteNumber(String(value));
  if (column.kind === 'numeric') return (row) => column.values[row] === number;
  const marked = column.levels.map(
    (level) => level === String(value) || (!Number.isNaN(number) && finiteNumber(level) === number),
  );
  return (row) => marked[column.codes[row]] ?? false;
}

/** A few values of the column, for a message. */
function distinctTexts(located: LocatedColumn): string[] {
  const texts = new Set<string>();
  for (let row = 0; row < rowCount(located) && texts.size < 8; row++)
    texts.add(printable(cellText(located, row)));
  return [...texts];
}
