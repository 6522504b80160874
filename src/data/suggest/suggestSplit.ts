/** Suggests which rows to hold out: marked rows, or a share that the classes allow. */

import type { DataConfig, RowsByColumn, RowsOf } from '../../spec/dataConfig.js';
import { FOLDED_ROWS, FOLDS } from '../../spec/preset.js';
import { counted, quote } from '../../text.js';
import type { ColumnProfile, Level } from '../profile/tableProfile.js';
import { type Context, listOf, type Reason, refOf } from './reasons.js';

interface SplitSuggestion {
  /** Missing where the default does. */
  readonly validation?: DataConfig['validation'];
  /** Networks, each of which holds out a fold, in place of validation rows. */
  readonly members?: number;
  readonly test?: RowsOf;
  /** The column that marks rows; it is not a feature. */
  readonly column?: ColumnProfile;
  /** About how many training rows are left. */
  readonly trainRows: number;
  readonly reasons: readonly Reason[];
  readonly warnings: readonly string[];
}

const USUAL_SHARE = 0.2;
/** With this many rows, a tenth of them measures an accuracy to half a percent. */
const MANY_ROWS = 100_000;
const SHARE_OF_MANY = 0.1;
/** With fewer rows, held-out rows tell nothing. */
const LEAST_ROWS = 10;
/** A larger share would leave too little to learn from. */
const LARGEST_SHARE = 0.5;

const MARKS = {
  train: ['train', 'training', 'fit'],
  validation: ['validation', 'valid', 'val', 'dev'],
  test: ['test', 'testing', 'holdout'],
} as const;
type Mark = keyof typeof MARKS;

/**
 * - A column of text that holds only words such as train, val and test marks the rows. Without a
 *   word for validation, a share of the training rows validates.
 * - Otherwise a fifth validates, or a tenth of 100,000 rows and more. Each class needs a row in
 *   both splits: the share grows up to a half for many classes. If that is not enough, or a class
 *   has a single row, nothing is held out.
 * - Of at most 10,000 rows of classes, or 50,000 of a regression, with the tabular preset, whose network has
 *   members, each of five holds out another fifth.
 * - With the preset a fifth, the default, is left out: so members that a user asks for can have folds.
 * - Of fewer than 10 rows nothing is held out.
 */
export function suggestSplit(context: Context, preset: 'tabular' | 'plain'): SplitSuggestion {
  const { profile, target, rows } = context;
  for (const column of profile.columns) {
    const marks = column.index === target.index ? undefined : marksOf(column);
    if (marks) return splitByColumn(context, column, marks, preset);
  }
  return { ...shareOf(context, rows, preset), warnings: shareWarnings(context) };
}

function splitByColumn(
  context: Context,
  column: ColumnProfile,
  marks: ReadonlyMap<Mark, Level>,
  preset: 'tabular' | 'plain',
): SplitSuggestion {
  const { profile } = context;
  const rowsBy = ({ name }: Level): RowsByColumn => ({ column: refOf(profile, column), value: name });
  const validation = marks.get('validation');
  const test = marks.get('test');
  const rows = marks.get('train')?.rows ?? 0;
  const says = ({ name, rows }: Level) =>
    `the ${counted(rows, 'row')} with ${quote(name)}, as ${listOf(profile, [column])} says`;
  const share = validation
    ? {
        validation: rowsBy(validation),
        trainRows: rows,
        reasons: [{ key: 'data.validation', text: says(validation) }],
      }
    : shareOf(context, rows, preset);
  return {
    ...share,
    ...(test && { test: rowsBy(test) }),
    column,
    reasons: [...share.reasons, ...(test ? [{ key: 'data.test', text: says(test) }] : [])],
    warnings: [],
  };
}

/** The levels of a column that marks rows; undefined for any other column. */
function marksOf({ kind, distinct, frequent = [] }: ColumnProfile): Map<Mark, Level> | undefined {
  if (kind !== 'category' || distinct !== frequent.length) return undefined;
  const marks = new Map<Mark, Level>();
  for (const level of frequent) {
    const word = level.name.toLowerCase();
    const mark = (Object.keys(MARKS) as Mark[]).find((mark) =>
      (MARKS[mark] as readonly string[]).includes(word),
    );
    if (mark === undefined || marks.has(mark)) return undefined;
    marks.set(mark, level);
  }
  return marks.has('train') && marks.size > 1 ? marks : undefined;
}

/** A share of `rows` to validate on. */
function shareOf({ target: { task, classes } }: Context, rows: number, preset: 'tabular' | 'plain') {
  const usual = rows >= MANY_ROWS ? SHARE_OF_MANY : USUAL_SHARE;
  const share = allowedShare(rows, usual, classes);
  const isFolded =
    preset === 'tabular' &&
    task !== 'multilabel' &&
    rows <= FOLDED_ROWS[classes ? 'classes' : 'regression'] &&
    (classes ?? []).every((level) => level.rows >= FOLDS);
  if (isFolded && share === USUAL_SHARE) {
    const text = `${FOLDS} networks, each trained without another fifth of the rows: all rows are trained on, and all show overfitting`;
    return { members: FOLDS, trainRows: rows, reasons: [{ key: 'network.members', text }] };
  }
  const trainRows = rows - Math.ceil(share * rows);
  const stratified = classes ? ', each class in proportion,' : '';
  const why =
    share === 0
      ? 'since too few rows could be held out to tell anything'
      : share > usual
        ? `since each of the ${classes?.length} classes needs a row among those held out`
        : rows >= MANY_ROWS
          ? `since a tenth of ${counted(rows, 'row')} tells enough`
          : `since ${counted(rows - trainRows, 'row')} held out${stratified} show overfitting`;
  const isDefault = preset === 'tabular' && share === USUAL_SHARE;
  const text = `${share}${isDefault ? ' by default' : ''}, ${why}`;
  return {
    ...(!isDefault && { validation: share }),
    trainRows,
    reasons: [{ key: 'data.validation', text }],
  };
}

/** `usual`, more if the classes need it, or 0. */
function allowedShare(rows: number, usual: number, classes: readonly Level[] = []): number {
  if (rows < LEAST_ROWS || classes.some((level) => level.rows === 1)) return 0;
  let share = usual;
  while (Math.ceil(share * rows) < classes.length) share = Math.round(share * 100 + 1) / 100;
  return share <= LARGEST_SHARE && rows - Math.ceil(share * rows) >= classes.length ? share : 0;
}

/** Tells what to do if nothing can be held out. */
function shareWarnings({ profile, target: { classes = [] }, rows }: Context): string[] {
  if (allowedShare(rows, USUAL_SHARE, classes) > 0) return [];
  const single = classes.find((level) => level.rows === 1);
  const cause = single
    ? `the class ${quote(single.name)} has a single row`
    : classes.length > 0
      ? `there are ${counted(rows, 'row')} of ${classes.length} classes`
      : `there are ${counted(rows, 'row')}`;
  const advice = single ? 'merge it with another class, or remove its row' : 'more rows would help';
  return [
    `${profile.path}: ${cause}, so no rows are held out, and nothing will show whether the network overfits: ${advice}`,
  ];
}
