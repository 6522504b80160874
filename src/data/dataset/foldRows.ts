/** A fold of the rows, as scikit-learn divides them. */
import { groupFolds, plainFolds, stratifiedFolds, timeSeriesFold } from '../../random/folds.js';
import { RandomState } from '../../random/randomState.js';
import type { FoldRows, MemberFolds } from '../../spec/dataConfig.js';
import type { LocatedColumn } from '../locatedColumn.js';
import { joined } from '../table.js';
import { classStrata, groupKeys, orderKeys, quantiles, type RowFacts, withPath } from './rowKeys.js';

/**
 * The rows of a fold, and those to train on: of an ordered fold the rows before it, else all others.
 * Both parts keep the order of the file.
 * @throws MlpError ExitCode.data for more folds than rows or groups, or than rows of each class
 */
export function takeFold(
  key: 'validation' | 'test',
  from: Int32Array,
  asked: FoldRows,
  located: LocatedColumn | undefined,
  facts: RowFacts,
): { taken: Int32Array; rest: Int32Array } {
  const fold = asked.fold - 1;
  if (asked.ordered) {
    const { first, end } = withPath(facts.path, () => timeSeriesFold(from.length, asked.of, fold));
    const keys = located && orderKeys(located, from, facts.dates);
    const order = keys ? from.toSorted((a, b) => keys[a] - keys[b] || a - b) : from;
    return { taken: order.slice(first, end).sort(), rest: order.slice(0, first).sort() };
  }
  const random = new RandomState(asked.seed ?? facts.seed);
  const draw = drawer(key, from, asked.of, asked, located, facts);
  let foldOf = withPath(facts.path, () => draw(random));
  for (let repeat = 1; repeat < asked.repeat; repeat++) foldOf = draw(random);
  return {
    taken: from.filter((_, i) => foldOf[i] === fold),
    rest: from.filter((_, i) => foldOf[i] !== fold),
  };
}

/**
 * All rows of `from`, fold by fold, each in the order of the file, and how many rows each fold has. The
 * folds are those of `takeFold`.
 * @throws MlpError as `takeFold`
 */
export function divideRows(
  from: Int32Array,
  asked: MemberFolds,
  located: LocatedColumn | undefined,
  facts: RowFacts,
): { rows: Int32Array; folds: number[] } {
  const draw = drawer('validation', from, asked.folds, asked, located, facts);
  const foldOf = withPath(facts.path, () => draw(new RandomState(asked.seed ?? facts.seed)));
  const parts = Array.from({ length: asked.folds }, (_, fold) => from.filter((_, i) => foldOf[i] === fold));
  return { rows: joined(Int32Array, parts), folds: parts.map(({ length }) => length) };
}

/** Returns a function that draws the fold of each of the rows, from 0, anew with each call. */
function drawer(
  key: string,
  from: Int32Array,
  folds: number,
  { group, stratify }: Pick<FoldRows, 'group' | 'stratify'>,
  located: LocatedColumn | undefined,
  facts: RowFacts,
): (random: RandomState) => Int32Array {
  if (group !== undefined && located) {
    const keys = groupKeys(located, from);
    const groups = sortedGroups(located, new Set(Array.from(from, keys)));
    return (random) => {
      const foldOf = groupFolds(groups.size, folds, random);
      return from.map((row) => foldOf[groups.get(keys(row)) as number]);
    };
  }
  const strata =
    stratify === 'quantiles'
      ? quantiles(key, from, 1 / folds, facts)
      : stratify === false
        ? undefined
        : classStrata(from, facts);
  if (!strata) return (random) => plainFolds(from.length, folds, random);
  const { labels, names } = strata;
  return (random) => stratifiedFolds(labels, names.length, folds, random);
}

/** The place of each group in sorted order: of numbers, or of texts by their code points as in Python. */
function sortedGroups({ column }: LocatedColumn, found: ReadonlySet<number>): Map<number, number> {
  const groups = [...found];
  if (column.kind === 'numeric') {
    groups.sort((a, b) => a - b);
  } else {
    // The bytes of UTF-8 have the order of the code points.
    const bytes = new Map(groups.map((code) => [code, Buffer.from(column.levels[code])]));
    groups.sort((a, b) => Buffer.compare(bytes.get(a) as Buffer, bytes.get(b) as Buffer));
  }
  return new Map(groups.map((group, place) => [group, place]));
}
