/** `data` of a train config: which rows to use, and how to read their columns. */
import { quote } from '../text.js';
import {
  column,
  columnExpected,
  columns,
  comment,
  dateSetting,
  datesByColumn,
  delimiter,
  encoding,
  escapeCharacter,
  missingTexts,
  missingTextsExpected,
  notationExpected,
  notationSchema,
  policy,
  policyExpected,
  quoteCharacter,
  separator,
  targets,
} from './cellConfig.js';
import { atLeast, byName, choice, object, text, wholeNumber } from './fields.js';
import { oneOf } from './messages.js';
import { memberFolds, rowsExpected, rowsOf } from './splitConfig.js';
import { DELIMITERS, MISSING_POLICIES, TARGET_TRANSFORMS, TASKS, valueFor } from './words.js';
import * as z from './zod.js';

const scaling = z.union([z.boolean(), z.enum(['minmax', 'robust'])], {
  error: 'true, false, "minmax" or "robust"',
});
const scalingExpected = 'true, false, "minmax", "robust", or an object of these by column';

const rareClasses = object({
  fewerThan: wholeNumber(2).describe('Classes with fewer rows are rare.'),
  as: choice(['other', 'drop']).describe(
    'Makes one class "other" of all rare classes, or leaves their rows out.',
  ),
});

const embedExpected = 'a whole number of at least 2, or an object of these by column';

const weightsExpected = '"balanced", an object of weights by class, or {"column": …}';
const weights = z.union(
  [
    z.literal('balanced', { error: weightsExpected }),
    object({
      column: column.describe('The column with the weight of each row; it is not used as a feature.'),
    }),
    byName(atLeast(0), weightsExpected),
  ],
  { error: weightsExpected },
);

const trainExpected = 'the path of a CSV file, or an array of paths';

const positiveExpected = 'one of the two classes, such as "yes" or 1';

const dataFields = object({
  train: z
    .union(
      [
        text(trainExpected),
        z.array(text(trainExpected), { error: trainExpected }).min(1, { error: 'at least one file' }),
      ],
      { error: trainExpected },
    )
    .describe(
      'CSV file with the training rows, plain or gzipped. The path is relative to this config; "-" reads standard input. An array of paths, or * in a path for any text, joins files: their columns are matched by name.',
    ),
  target: z
    .union([text(columnExpected), wholeNumber(0), targets], {
      error: "a column's name, its number from 0, or an array of these",
    })
    .describe(
      'The column to predict: its name, or its number from 0 if the file has no header. An array of columns for several labels, or a regression with several targets.',
    ),
  task: choice(['auto', ...TASKS])
    .default('auto')
    .describe(
      'What to predict: a number ("regression"), one of two classes ("binary"), one of more ("multiclass"), or yes or no for each of several columns ("multilabel"). "auto" decides by the target column.',
    ),
  positive: z
    .union([text(positiveExpected), z.number({ error: positiveExpected })], { error: positiveExpected })
    .exactOptional()
    .describe(
      'Which of two classes is the positive one, the one whose probability the network gives: precision, recall, F1, ROC AUC and --threshold are about it. By default the second, in the order of numbers or letters. In a multilabel task, the value of each column that means yes.',
    ),
  features: columns
    .min(1, { error: 'at least one column' })
    .exactOptional()
    .describe(
      'The columns to learn from. In names, here and in every other key that names features, * stands for any text: "pixel_*". By default all columns that have no other role.',
    ),
  exclude: columns
    .default([])
    .describe('Columns that are not features, for example an id. It goes before "features".'),
  delimiter: delimiter
    .default('auto')
    .describe(
      'The character between two cells; "whitespace" stands for runs of blanks. "auto" detects it from the first lines.',
    ),
  header: z
    .union([z.literal('auto'), z.boolean()], { error: '"auto", true or false' })
    .default('auto')
    .describe('Whether the first line contains the column names. "auto" detects it from the first lines.'),
  comment: comment
    .exactOptional()
    .describe('Skip lines that begin with this character. By default no line is a comment.'),
  quote: quoteCharacter
    .exactOptional()
    .describe('The quote around cells, by default a double quote. "" means that quotes are text.'),
  escape: escapeCharacter
    .exactOptional()
    .describe(
      'The character that takes the meaning from the next one, such as a backslash; \\\\N alone is a missing cell. By default a quote within quotes is written twice.',
    ),
  skipLines: wholeNumber(0)
    .exactOptional()
    .describe('How many lines at the start of the file are not part of the table.'),
  skipRows: wholeNumber(0)
    .exactOptional()
    .describe('How many rows below the header are not data, for example a row of units.'),
  encoding: encoding
    .exactOptional()
    .describe(
      'The encoding of the text, such as "windows-1251" or "shift_jis". By default ("auto") UTF-8 and UTF-16 are detected, and other text is read as Windows-1252, with a warning. A byte order mark goes before this key.',
    ),
  decimal: choice(['auto', '.', ','])
    .exactOptional()
    .describe(
      'The decimal mark of all numbers: "." or ",". By default ("auto"), decimal commas are detected in files that are not separated by commas, and reported.',
    ),
  thousands: separator
    .exactOptional()
    .describe('What separates thousands in all numbers, such as "," in 1,234.5. By default nothing does.'),
  numbers: byName(notationSchema, notationExpected)
    .exactOptional()
    .describe(
      'How the numbers of a column are written, by column name: {"price": {"strip": "$"}}. The other columns hold plain decimals.',
    ),
  categories: columns
    .default([])
    .describe(
      'Columns to treat as categories: numbers such as a postcode, or text that would be read as dates or as yes and no. Other text always is.',
    ),
  dates: byName(dateSetting, datesByColumn)
    .exactOptional()
    .describe(
      'Columns of dates or times, and what of each becomes an input: {"when": ["year", "month", "day", "weekday", "hour", "elapsed"]}. "year" and "elapsed" (the days since the first training date) are numbers; ' +
        'the others go round, so each becomes a sine and a cosine. {"when": {"order": "dmy"}} says how ambiguous dates are written. Columns of text that hold dates need no key: they get the parts that differ between the rows, and a note says so.',
    ),
  badRows: choice(['error', 'skip'])
    .exactOptional()
    .describe(
      'What to do with a row that cannot be read: one with another number of fields, or with a cell that is not a number in a column of numbers. By default ("error") the first stops. "skip" leaves such rows out, counts them, and writes them to rejected.csv in the run directory. Missing cells are not meant: see missing.',
    ),
  missing: z
    .union([policy, byName(policy, policyExpected)], {
      error: ({ input }) => (typeof input === 'string' ? oneOf(MISSING_POLICIES) : policyExpected),
    })
    .default('error')
    .describe(
      'What to do with a missing cell of a feature (see missingValues). "error" stops. "mean", "median" and "most-frequent" fill in that value of the training rows; a category always gets the most frequent one. ' +
        '"indicator" adds a feature that marks missing cells, and fills numbers with the mean, or with the median if they are scaled by their quartiles. "drop-row" drops the row. One policy for all columns, or an object of policies by column name (other columns: "error").',
    ),
  missingValues: z
    .union([missingTexts, byName(missingTexts, missingTextsExpected)], { error: missingTextsExpected })
    .exactOptional()
    .describe(
      'The texts that mean a missing value, instead of the default list: NA, N/A, n/a, NaN, nan, null, NULL, None, <NA>, #N/A, #NA, -NaN, -nan, ?, a few more of pandas, and - or . in a column of numbers. ' +
        'Case matters, and an empty cell is always missing. A quoted cell of a text column is text. One list for all columns, or an object of lists by column name (other columns: the default list).',
    ),
  standardize: z
    .union([scaling, byName(scaling, scalingExpected)], { error: scalingExpected })
    .default(true)
    .describe(
      'How to scale features by the training rows: to mean 0 and variance 1 (true), to the range from 0 to 1 ("minmax"), by their quartiles ("robust"), or not at all (false). ' +
        '"robust" subtracts the median, divides by the distance of the quartiles (if that is 0, by half the range) and limits the result smoothly to ±3, x/√(1 + (x/3)²). It does the same to the columns of categories, and gives a category of two levels one column. ' +
        'One setting for all columns, or an object of settings by column name (other columns: true).',
    ),
  embedFrom: z
    .union([wholeNumber(2), byName(wholeNumber(2), embedExpected)], { error: embedExpected })
    .exactOptional()
    .describe(
      'From how many levels on a category becomes a single input, the number of its level, for a layer "embedding": {"city": 2} for chosen columns, 9 for all. Others have an input for each level. Unknown levels are 0, and missing cells under "indicator".',
    ),
  embedNumbersFrom: z
    .union([wholeNumber(2), byName(wholeNumber(2), embedExpected)], { error: embedExpected })
    .exactOptional()
    .describe(
      'For columns of numbers where one number fills more than half of the training rows: the column gets a second input for a layer "embedding", the number of the level, if at least so many different numbers are held by ten training rows or more each. Other numbers are 0. Its quartiles tell no scale, and single amounts may mean something of their own, such as capital gains. Not for pictures.',
    ),
  standardizeTarget: z
    .union([z.boolean(), z.literal('auto')], { error: 'true, false or "auto"' })
    .default('auto')
    .describe(
      'Scale regression targets to mean 0 and variance 1 in training. R², RMSE and predictions stay in the unit of the target. "auto" scales unless the network ends in an activation, and reports the loss in the unit of the target too (squared; of several targets in standard deviations). true scales, and reports the loss in standard deviations. false does not scale.',
    ),
  targetTransform: choice(TARGET_TRANSFORMS)
    .exactOptional()
    .describe(
      'Train a regression on the logarithm of its targets: "log" for targets above 0, "log1p" (the logarithm of 1 + target) for targets above −1, such as counts with zeros. For targets over several decades. ' +
        'It comes before standardizeTarget. R², RMSE, MAE and predictions stay in the unit of the target; the loss is that of the logarithms. By default there is no transform.',
    ),
  validation: z
    .union([...rowsOf('validation'), memberFolds], { error: rowsExpected })
    .default(0.2)
    .describe(
      'Rows that are not trained on but evaluated after each epoch: a fraction of the rows (stratified by class), 0 for none, the path of a CSV file, a column that marks them, {"last": 0.2} for the last rows, {"share": 0.2, "group": "patient"} to keep the rows of a group together, {"fold": 1, "of": 5} for a fold of a cross-validation, or {"folds": 5}: each member of the network holds out another fold, so that all rows are trained on and all are validated. The preset has folds for 5 or more network.members.',
    ),
  test: z
    .union(rowsOf('test'), { error: rowsExpected })
    .default(0)
    .describe(
      'Rows that are evaluated only once, at the end; written like validation. They are split off first, and validation is a fraction of the rest.',
    ),
  rareClasses: rareClasses
    .exactOptional()
    .describe('What to do with classes of few rows. By default each is a class of its own.'),
  shuffle: choice(['rows', 'blocks'])
    .exactOptional()
    .describe(
      'How "training.batches": "shuffle" orders the rows of an epoch. By default ("rows") any order of all rows is as likely. "blocks" shuffles blocks of 1 MiB, and the rows of 64 blocks among each other, for a cache on a disk that reads only long stretches fast. The run is then another one, and a warning says so. Before, a split by fractions has shuffled all rows once; another split leaves them in the order of the file, which should then not be sorted by the target.',
    ),
  cache: z
    .string({ error: 'the path of a folder, or "auto"' })
    .min(1, { error: 'the path of a folder, or "auto"' })
    .exactOptional()
    .describe(
      'Keep the encoded rows in a file in this folder, and train from there: for rows that do not fit into memory, or that many runs read. "auto" is the folder for caches of the user. The file is of these data and these settings alone, is as large as the matrix, and holds all that the data tell; "mlp cache" lists and deletes such files. The results are those without it, bit for bit.',
    ),
  weights: weights
    .exactOptional()
    .describe(
      'How many rows each row counts as in the loss: "balanced" gives all classes the same total weight, an object gives weights by class (others: 1), {"column": …} names a column of weights. ' +
        'The loss is divided by the sum of the weights. A row of weight 0 is left out. By default every row counts 1.',
    ),
});

/** The keys of `data`, each checked by itself, then against each other. */
export const dataSchema = dataFields
  .describe('Which rows to use, and how to read their columns.')
  .check(({ value, issues }) => {
    for (const { path, message, hint } of contradictions(value)) {
      issues.push({ code: 'custom', input: value, path, message, params: { hint } });
    }
  });

/** `data` with every default filled in. */
export interface DataConfig extends z.infer<typeof dataFields> {}

/** `data` as a user writes it. */
export interface DataInput extends z.input<typeof dataFields> {}

/** What of a date becomes an input, and how dates are written, as far as the config says. */
export interface DateSetting extends Exclude<z.infer<typeof dateSetting>, readonly unknown[]> {}

/** `data.dates` for a column; undefined if it says nothing. */
export function dateSettingOf({ dates }: Pick<DataConfig, 'dates'>, column: string): DateSetting | undefined {
  const setting = dates && valueFor(dates, column);
  return Array.isArray(setting) ? { parts: setting } : (setting as DateSetting | undefined);
}

/** A column: its name, or its number from 0 if the file has no header. */
export type ColumnRef = z.infer<typeof column>;

/** Whether the validation rows are folds of the training rows. */
export function isMemberFolds(validation: DataConfig['validation']): validation is MemberFolds {
  return typeof validation === 'object' && 'folds' in validation;
}

/** The rows of a split: a fraction in [0, 1), a CSV file, or an object with a rule. */
export type RowsOf = DataConfig['test'];
/** Folds of all rows, of which each member of the network holds out one. */
export type MemberFolds = Extract<DataConfig['validation'], { folds: number }>;
/** A fold, of which only the numbers are needed. */
export type FoldRows = Extract<RowsOf, { fold: number }>;
export type RowsByColumn = Extract<RowsOf, { column: unknown }>;

/**
 * What a row counts in the loss: n / (K · the count of its class) over the training rows, the weight of
 * its class (1 if not named), or its cell in a column. An object whose only key is `column` names a
 * column: `weightColumn` tells the two apart.
 */
export type Weights = z.infer<typeof weights>;

/**
 * One setting for all columns, or one by column name. Names may be any text, even `__proto__`: use
 * `settingOf` to read one.
 */
export type ByColumn<Setting> = Setting | { readonly [column: string]: Setting };

/** The setting of `column`; `others` if settings are by column and this one has none. */
export function settingOf<Setting extends string | boolean | number>(
  settings: ByColumn<Setting>,
  column: string,
  others: Setting,
): Setting {
  if (typeof settings !== 'object') return settings;
  return valueFor(settings, column) ?? others;
}

/** The columns that have a setting of their own; none if one setting is for all. */
export function columnsWithSetting(settings: unknown): string[] {
  return typeof settings === 'object' && settings !== null && !Array.isArray(settings)
    ? Object.keys(settings)
    : [];
}

/** The column that holds the weights; undefined if they are "balanced" or by class. */
export function weightColumn(weights: Weights): ColumnRef | undefined {
  return isWeightColumn(weights) ? weights.column : undefined;
}

function isWeightColumn(weights: Weights): weights is { column: ColumnRef } {
  return typeof weights === 'object' && Object.keys(weights).length === 1 && Object.hasOwn(weights, 'column');
}

interface Contradiction {
  path: (keyof DataConfig)[];
  message: string;
  hint?: string | undefined;
}

/** Values that contradict each other, whatever the data. */
function* contradictions(data: DataConfig): Generator<Contradiction> {
  if (data.thousands !== undefined && data.thousands === (data.decimal === ',' ? ',' : '.')) {
    yield {
      path: ['thousands'],
      message: `found ${quote(data.thousands)}, the decimal mark, expected another character`,
      hint: data.thousands === '.' ? 'for numbers such as 1.234,5 also set "decimal" to ","' : undefined,
    };
  }
  const { comment, delimiter, task, target, weights } = data;
  if (comment !== undefined && comment === delimiter) {
    yield {
      path: ['comment'],
      message: `found the delimiter ${quote(comment)}, expected another character`,
    };
  } else if (delimiter === 'auto' && (DELIMITERS as readonly unknown[]).includes(comment)) {
    yield {
      path: ['comment'],
      message: `found ${quote(String(comment))}, which may also be the delimiter, expected the delimiter to be given`,
      hint: 'also set "delimiter", for example to ","',
    };
  }
  const fromStdin = (['train', 'validation', 'test'] as const).filter((key) => data[key] === '-');
  if (fromStdin.length > 1) {
    yield {
      path: [fromStdin[1]],
      message: `found "-", which data.${fromStdin[0]} already reads, expected standard input only once`,
    };
  }
  if (data.cache !== undefined && data.badRows === 'skip') {
    yield {
      path: ['cache'],
      message: 'found a cache of data whose bad rows are skipped, expected one of the two',
      hint: 'a run lists the rows that it skips, which a cache does not hold',
    };
  }
  if (data.cache !== undefined && fromStdin.length > 0) {
    yield {
      path: ['cache'],
      message: `found a cache of standard input (data.${fromStdin[0]}), expected files, which tell whether it is of them`,
    };
  }
  const isSeveral = Array.isArray(target) && target.length > 1;
  const isMultilabel = task === 'multilabel';
  const hasNoClasses = isSeveral || isMultilabel || task === 'regression';
  const what = isMultilabel ? 'a multilabel task' : 'a regression';
  if (data.targetTransform !== undefined && task !== 'auto' && task !== 'regression') {
    yield {
      path: ['targetTransform'],
      message: `found ${quote(data.targetTransform)} in a ${task} task, expected a regression`,
      hint: 'classes and labels have no logarithm',
    };
  }
  if (data.rareClasses && hasNoClasses) {
    yield { path: ['rareClasses'], message: `found rare classes in ${what}, which has none` };
  }
  if (
    data.positive !== undefined &&
    !isMultilabel &&
    ((isSeveral && task !== 'auto') || task === 'regression' || task === 'multiclass')
  ) {
    yield {
      path: ['positive'],
      message: `found ${quote(String(data.positive))} in a ${task} task, expected a binary or multilabel one`,
      hint: 'only one of two classes is the positive one: remove the key, or check data.task',
    };
  }
  if (isSeveral && (task === 'binary' || task === 'multiclass')) {
    yield {
      path: ['task'],
      message: `found "${task}" with ${target.length} targets, expected "multilabel" or "regression"`,
      hint: 'a classification has one target',
    };
  } else if (weights !== undefined && weightColumn(weights) === undefined && hasNoClasses) {
    yield {
      path: ['weights'],
      message: `found weights by class in ${what}, expected {"column": …}`,
      hint: `${what} has no classes: name a column with the weight of each row`,
    };
  }
}
