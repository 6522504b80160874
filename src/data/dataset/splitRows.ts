/** Which rows train, validate and test. `takeRows` has one case for each rule. */
import { ExitCode, MlpError } from '../../errors.js';
import { RandomState } from '../../random/randomState.js';
import { stratifiedSplit, trainTestSplit } from '../../random/split.js';
import { type DataConfig, isMemberFolds, type RowsOf } from '../../spec/dataConfig.js';
import { suggest } from '../../spec/messages.js';
import { printable, quote } from '../../text.js';
import { cellText, finiteNumber, type LocatedColumn, rowCount } from '../locatedColumn.js';
import { divideRows, takeFold } from './foldRows.js';
import { classStrata, groupKeys, orderKeys, quantiles, type RowFacts, withPath } from './rowKeys.js';

/** Row numbers of the training table, in the order of each split. */
interface RowsBySplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
  /** How many training rows each fold of the members has, in their order; only with such folds. */
  readonly folds?: readonly number[];
}

interface SplitRequest extends RowFacts {
  readonly validation: DataConfig['validation'];
  readonly test: RowsOf;
  /** The columns named by `validation` and `test`, if any. */
  readonly locatedColumns: { readonly validation?: LocatedColumn; readonly test?: LocatedColumn };
  /** The rows to split, rising. */
  readonly from: Int32Array;
}

/**
 * Takes the test rows first, then the validation rows from the rest. A share is a share of what it
 * is taken from, like two calls of scikit-learn's `train_test_split` with the same seed. Marked
 * rows, and all rows if no share is taken, keep the order of the file. Folds of the members take no
 * rows: they order the training rows.
 *
 * @throws MlpError ExitCode.data if a share can't be taken, or a column marks no row or all rows
 */
export function splitRows(request: SplitRequest): RowsBySplit {
  const { taken: test, rest } = takeRows('test', request.test, request.from, request);
  const { validation: asked, locatedColumns } = request;
  if (isMemberFolds(asked)) {
    const { rows, folds } = divideRows(rest, asked, locatedColumns.validation, request);
    return { train: rows, validation: new Int32Array(0), test, folds };
  }
  const { taken: validation, rest: train } = takeRows('validation', asked, rest, request);
  return { train, validation, test };
}

function takeRows(
  key: 'validation' | 'test',
  asked: RowsOf,
  from: Int32Array,
  request: SplitRequest,
): { taken: Int32Array; rest: Int32Array } {
  const located = request.locatedColumns[key];
  if (typeof asked === 'string' || asked === 0) return { taken: new Int32Array(0), rest: from };
  const { seed, path } = request;
  if (typeof asked === 'object') {
    if ('fold' in asked) return takeFold(key, from, asked, located, request);
    if ('column' in asked && located) return takeMarked(key, from, located, asked.value, request.from.length);
    if ('last' in asked) return takeLast(from, asked.last, located, request);
    if ('group' in asked && located) return takeGroups(from, asked.share, located, seed);
  }
  const share = typeof asked === 'object' && 'share' in asked ? asked.share : (asked as number);
  const strata =
    typeof asked === 'object' && 'stratify' in asked
      ? quantiles(key, from, share, request)
      : classStrata(from, request);
  const split = withPath(path, () =>
    strata
      ? stratifiedSplit(strata.labels, strata.names.length, share, seed, strata.names)
      : trainTestSplit(from.length, share, seed),
  );
  // In place, and by a loop: a split of a million rows holds 4 MB.
  for (const indices of [split.test, split.train]) {
    for (let i = 0; i < indices.length; i++) indices[i] = from[indices[i]];
  }
  return { taken: split.test, rest: split.train };
}

/** The last ⌈share·rows⌉ rows, in the order of the file or of a column. Both parts keep the order of the file. */
function takeLast(
  from: Int32Array,
  share: number,
  located: LocatedColumn | undefined,
  { path, dates }: Pick<RowFacts, 'path' | 'dates'>,
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

/**
 * Whole groups at random, up to the share of the rows: a group that would lead further away from it is
 * left to train on. Both parts keep the order of the file.
 * @throws MlpError ExitCode.data for fewer than two groups, or a row without one
 */
function takeGroups(from: Int32Array, share: number, located: LocatedColumn, seed: number) {
  const groupOf = groupKeys(located, from);
  const sizes = new Map<number, number>();
  for (const row of from) sizes.set(groupOf(row), (sizes.get(groupOf(row)) ?? 0) + 1);
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
