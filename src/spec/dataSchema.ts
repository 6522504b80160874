/** The `data` of a train config as a zod schema: which rows, and what to make of their columns. */

import { quote } from '../text.js';
import { weightColumn } from './columnSettings.js';
import { byName, choice, flag, fraction, nonNegative, object, text, wholeNumber } from './fields.js';
import { showValue } from './show.js';
import { oneOf } from './suggest.js';
import { COMMENT_START, type DataConfig, DELIMITERS, MISSING_POLICIES, TASKS } from './train.js';
import * as z from './zod.js';

const columnExpected = "a column's name, or its number from 0";
const column = z.union([text(columnExpected), wholeNumber(0)], { error: columnExpected });
const columns = z.array(column, { error: 'an array of columns' });

const targets = columns
  .min(1, { error: 'at least one column' })
  .meta({ uniqueItems: true })
  .check(({ value, issues }) => {
    const again = value.findIndex((target, i) => value.indexOf(target) < i);
    if (again === -1) return;
    issues.push({
      code: 'custom',
      input: value,
      path: [again],
      message: `found ${showValue(value[again])} a second time, expected each column once`,
    });
  });

/** What people write for a delimiter, and what they mean. */
const delimiterNames: ReadonlyMap<string, string> = new Map([
  ['\\t', '"\\t", which is how JSON writes a tab'],
  ['tab', '"\\t", which is how JSON writes a tab'],
  ['comma', '","'],
  ['semicolon', '";"'],
  ['bar', '"|"'],
  ['pipe', '"|"'],
]);

const delimiter = z.enum(['auto', ...DELIMITERS], {
  error: ({ input }) => delimiterNames.get(String(input).toLowerCase()) ?? '"auto", ",", ";", "\\t" or "|"',
});

const commentExpected = 'one character such as "#" that no cell begins with';
const comment = z
  .string({ error: commentExpected })
  .regex(COMMENT_START, { error: commentExpected, abort: true });

const policy = choice(MISSING_POLICIES);
const policyExpected = 'a policy such as "mean", or an object of policies by column';

const scaling = z.union([z.boolean(), z.literal('minmax')], { error: 'true, false or "minmax"' });
const scalingExpected = 'true, false, "minmax", or an object of these by column';

const rowsExpected =
  'a fraction of at least 0 and below 1, the path of a CSV file, or an object such as {"column": "split"}';
const cellExpected = 'the text or the number in the cells of these rows';

/** Rows that are held out; `mark` is in the cells of their column, unless another value is said. */
function rowsOf(mark: string) {
  const byColumn = object({
    column: column.describe('The column that says which rows; it is no feature.'),
    value: z
      .union([text(cellExpected), z.number({ error: cellExpected })], { error: cellExpected })
      .default(mark)
      .describe('What the cells of these rows hold.'),
  });
  return z.union([fraction(rowsExpected), text(rowsExpected), byColumn], { error: rowsExpected });
}

const weightsExpected = '"balanced", an object of weights by class, or {"column": …}';
const weights = z.union(
  [
    z.literal('balanced', { error: weightsExpected }),
    object({ column: column.describe('The column with the weight of each row; it is no feature.') }),
    byName(nonNegative(), weightsExpected),
  ],
  { error: weightsExpected },
);

/** The keys of `data`, each checked by itself and with the others where they must fit. */
export const dataSchema = object({
  train: text('the path of a CSV file').describe(
    'The CSV with the training rows, gzipped or not; relative to this file. "-" is the standard input.',
  ),
  target: z
    .union([text(columnExpected), wholeNumber(0), targets], {
      error: "a column's name, its number from 0, or an array of these",
    })
    .describe(
      'The column to predict: its name, or its number from 0 where the file has no header. An array for a regression of several.',
    ),
  task: choice(['auto', ...TASKS])
    .default('auto')
    .describe('What the target is; auto looks at the column.'),
  exclude: columns.default([]).describe('Columns that are no features, such as an id.'),
  delimiter: delimiter
    .default('auto')
    .describe('What stands between two cells; auto looks at the first lines.'),
  header: z
    .union([z.literal('auto'), z.boolean()], { error: '"auto", true or false' })
    .default('auto')
    .describe('Whether the first line names the columns; auto looks at the first lines.'),
  comment: comment
    .exactOptional()
    .describe('Lines that begin with this character are skipped; there are no comments without it.'),
  categories: columns.default([]).describe('Columns of numbers that are categories, such as a postcode.'),
  missing: z
    .union([policy, byName(policy, policyExpected)], {
      error: ({ input }) => (typeof input === 'string' ? oneOf(MISSING_POLICIES) : policyExpected),
    })
    .default('error')
    .describe(
      'What becomes of a missing cell of a feature (empty, NA, NaN, null, ?): for all columns, or by column name, where the others are "error". ' +
        'What is filled in comes from the training rows alone; "indicator" adds a feature that says where.',
    ),
  standardize: z
    .union([scaling, byName(scaling, scalingExpected)], { error: scalingExpected })
    .default(true)
    .describe(
      'Features to mean 0 and variance 1, by the training rows alone; "minmax" to 0 and 1 at their ends. ' +
        'For all columns, or by column name, where the others are true.',
    ),
  standardizeTarget: flag()
    .default(false)
    .describe('A regression target likewise; the loss is then in standard deviations of it.'),
  validation: rowsOf('validation')
    .default(0.2)
    .describe(
      'Rows held out to watch the training: a share of what the test leaves (stratified for classes), 0 for none, the path of a CSV, or a column that says which.',
    ),
  test: rowsOf('test').default(0).describe('Rows held out to the end, likewise; they are split off first.'),
  weights: weights
    .exactOptional()
    .describe(
      'What a row counts in the loss: "balanced" for classes of equal weight in all, a number by class (1 for the others), or a column.',
    ),
})
  .describe('The rows, and what to make of their columns.')
  .check(({ value, issues }) => {
    for (const { path, message, hint } of contradictions(value)) {
      issues.push({ code: 'custom', input: value, path, message, params: { hint } });
    }
  }) satisfies z.ZodType<DataConfig>;

interface Contradiction {
  path: (keyof DataConfig)[];
  message: string;
  hint?: string;
}

/** Keys that can't stand together, whatever the data are. */
function* contradictions(data: DataConfig): Generator<Contradiction> {
  const { comment, delimiter, task, target, weights } = data;
  if (comment !== undefined && comment === delimiter) {
    yield {
      path: ['comment'],
      message: `found the delimiter ${quote(comment)}, expected another character`,
    };
  } else if (delimiter === 'auto' && (DELIMITERS as readonly unknown[]).includes(comment)) {
    yield {
      path: ['comment'],
      message: `found ${quote(String(comment))}, which may be the delimiter as well, expected the delimiter to be said`,
      hint: 'set "delimiter" beside it, to "," for instance',
    };
  }
  const fromStdin = (['train', 'validation', 'test'] as const).filter((key) => data[key] === '-');
  if (fromStdin.length > 1) {
    yield {
      path: [fromStdin[1]],
      message: `found "-", which data.${fromStdin[0]} reads already, expected the standard input once`,
    };
  }
  const isSeveral = Array.isArray(target) && target.length > 1;
  if (isSeveral && (task === 'binary' || task === 'multiclass')) {
    yield {
      path: ['task'],
      message: `found "${task}" with ${target.length} targets, expected "regression"`,
      hint: 'classes are one target',
    };
  } else if (
    weights !== undefined &&
    weightColumn(weights) === undefined &&
    (isSeveral || task === 'regression')
  ) {
    yield {
      path: ['weights'],
      message: 'found weights by class in a regression, expected {"column": …}',
      hint: 'a regression has no classes: name a column that holds the weight of each row',
    };
  }
}
