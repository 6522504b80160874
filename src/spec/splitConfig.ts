/** Which rows are held out for validation or test. */
import { column } from './cellConfig.js';
import { fraction, object, text, wholeNumber } from './fields.js';
import * as z from './zod.js';

export const rowsExpected =
  'a fraction of at least 0 and below 1, the path of a CSV file, or an object such as {"column": "split"}, {"last": 0.2} or {"share": 0.2, "group": "patient"}';
const cellExpected = 'the text or the number in the cells of these rows';

/** Which rows a split gets; `mark` is in the cells of its column by default. */
export function rowsOf(mark: string) {
  const byColumn = object({
    column: column.describe('The column that marks the rows; it is not used as a feature.'),
    value: z
      .union([text(cellExpected), z.number({ error: cellExpected })], { error: cellExpected })
      .default(mark)
      .describe('The rows with this value in the column belong to the split.'),
  });
  const last = object({
    last: openFraction().describe('The share of the rows that is held out: the last ones.'),
    by: column
      .exactOptional()
      .describe('The column of numbers or dates that orders the rows; by default the order of the file.'),
  });
  const shared = object({
    share: openFraction().describe('The share of the rows that is held out.'),
    group: column
      .exactOptional()
      .describe(
        'The column that says which rows belong together: all are held out or none is. It is not used as a feature.',
      ),
    stratify: z
      .literal('quantiles', { error: '"quantiles"' })
      .exactOptional()
      .describe('Holds out small, middle and large values of a regression target in proportion.'),
  });
  return [fraction(rowsExpected), text(rowsExpected), byColumn, last, shared, foldRows] as const;
}

/** Repeats are drawn one after the other. */
export const MOST_REPEATS = 1000;
export const LEAST_FOLDS = 2;

const foldSeed = wholeNumber(0, 2 ** 32 - 1)
  .exactOptional()
  .describe('The seed of the folds; by default that of the config.');
const foldGroup = column
  .exactOptional()
  .describe(
    'The column that says which rows belong together: all are in the same fold. It is not used as a feature.',
  );
const foldStratify = z
  .union([z.literal(false), z.literal('quantiles')], { error: 'false or "quantiles"' })
  .exactOptional()
  .describe(
    'false for folds that take no notice of the classes; "quantiles" for small, middle and large values of a regression target in proportion.',
  );

const foldRows = object({
  fold: wholeNumber(1).describe('Which fold is held out, from 1; mlp crossvalidate trains a run for each.'),
  of: wholeNumber(LEAST_FOLDS).describe(
    'How many folds the rows are divided into: of classes with each in proportion.',
  ),
  repeat: wholeNumber(1, MOST_REPEATS)
    .default(1)
    .describe('Which of several divisions is meant, from 1; each has other folds.'),
  seed: foldSeed,
  group: foldGroup,
  ordered: z
    .literal(true, { error: 'true' })
    .exactOptional()
    .describe('For time series: a fold is held out from the rows before it, and later rows are not used.'),
  by: column
    .exactOptional()
    .describe(
      'With "ordered": the column of numbers or dates that orders the rows; by default the order of the file.',
    ),
  stratify: foldStratify,
}).check(({ value, issues }) => {
  const issue = (path: string[], message: string) =>
    issues.push({ code: 'custom', input: value, path, message });
  const { fold, of: folds, repeat, group, ordered, by, stratify } = value;
  if (fold > folds)
    issue(['fold'], `found ${fold} of ${folds} folds, expected a whole number from 1 to ${folds}`);
  if (by !== undefined && !ordered) issue(['by'], 'found "by" without "ordered": true');
  if (ordered && repeat > 1) {
    issue(
      ['repeat'],
      `found ${repeat} with "ordered": true, expected 1: the order allows for a single division`,
    );
  }
  const [first, second] = givenOf({ group, ordered, stratify });
  if (second) issue([second], `found "${second}" together with "${first}", expected one of them`);
});

export const memberFolds = object({
  folds: wholeNumber(LEAST_FOLDS).describe(
    'How many folds all rows are divided into: of classes with each in proportion. Each member of the network is trained without one of the folds, and only members that have not seen a row predict it in validation. Of network.members, by default as many, member m holds out fold m, or after the last fold the first again. A single network holds out the first.',
  ),
  seed: foldSeed,
  group: foldGroup,
  stratify: foldStratify,
}).check(({ value, issues }) => {
  const [first, second] = givenOf({ group: value.group, stratify: value.stratify });
  const message = `found "${second}" together with "${first}", expected one of them`;
  if (second) issues.push({ code: 'custom', input: value, path: [second], message });
});

/** The names of the keys that are given. */
function givenOf(keys: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(keys).filter((key) => keys[key] !== undefined);
}

function openFraction() {
  const error = 'a number above 0 and below 1';
  return z.number({ error }).gt(0, { error }).lt(1, { error });
}
