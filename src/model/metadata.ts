/**
 * The metadata of a model file, read. They may come from anywhere: each entry is checked by its schema, then all of them
 * against each other.
 */
import type { Reading } from '../data/csv/dialect.js';
import type { FeatureEncoding } from '../data/encoding/encoding.js';
import { asDataError, ExitCode, MlpError } from '../errors.js';
import type { DType } from '../kernels/kernels.js';
import { notationSchema } from '../spec/cellConfig.js';
import {
  byName,
  choice,
  flag,
  list,
  number,
  object,
  positive,
  shrinking,
  text,
  wholeNumber,
} from '../spec/fields.js';
import { parseJson } from '../spec/json.js';
import { expandConfig } from '../spec/loadConfig.js';
import { checkSchema, formatLocation, type Path } from '../spec/messages.js';
import { networkSchema } from '../spec/networkSpec.js';
import {
  DATE_ORDERS,
  DATE_PARTS,
  LOSS_NAMES,
  type LossParameters,
  TARGET_TRANSFORMS,
  TASKS,
} from '../spec/words.js';
import * as z from '../spec/zod.js';
import { quote } from '../text.js';
import { contradictions } from './contradictions.js';
import { CHECKSUM, checksumOf, FORMAT, FORMAT_VERSION, type ModelContent } from './model.js';

const METADATA = '__metadata__';

/** Of one entry. Thousands of columns have more values than any spec. */
const MOST_METADATA_VALUES = 1_000_000;

const columnName = text("a column's name");

const transformFields = { shift: number(), scale: positive(), clip: positive().exactOptional() };
const transform = object(transformFields);

const indicatorExpected = 'true, a transform, or no indicator';
const indicator = z
  .union([z.literal(true, { error: indicatorExpected }), transform], { error: indicatorExpected })
  .exactOptional();

const range = z.tuple([number(), number()], { error: 'the least and the greatest number' });

const numericEncoding = object({
  kind: z.literal('numeric'),
  column: columnName,
  ...transformFields,
  fill: number().exactOptional(),
  levels: list(number(), 'an array of numbers', [1, 'at least one number']).exactOptional(),
  indicator,
  range: range.exactOptional(),
});

const constantEncoding = object({
  kind: z.literal('constant'),
  column: columnName,
  indicator,
  value: z.union([number(), text('a level of at least one character')], { error: 'a number or a level' }),
});

const categoryEncoding = object({
  kind: z.literal('category'),
  column: columnName,
  levels: list(text('a level of at least one character'), 'an array of levels', [1, 'at least one level']),
  fill: text('one of the levels').exactOptional(),
  indicator,
  transforms: list(transform, 'an array of transforms').exactOptional(),
  signs: z.literal(true, { error: 'true, or no signs' }).exactOptional(),
  numbered: z.literal(true, { error: 'true, or nothing' }).exactOptional(),
  scaled: object({
    transform,
    apart: list(object({ level: wholeNumber(0), transform }), 'an array of levels and their transforms'),
  }).exactOptional(),
  takesMissing: z.literal(true, { error: 'true, or nothing' }).exactOptional(),
});

const booleanEncoding = object({
  kind: z.literal('boolean'),
  column: columnName,
  fill: number().exactOptional(),
  indicator,
  transform: transform.exactOptional(),
});

const dateEncoding = object({
  kind: z.literal('date'),
  column: columnName,
  order: choice([...DATE_ORDERS, 'time']),
  parts: list(choice(DATE_PARTS), 'an array of parts'),
  inputs: list(numericEncoding, 'an array of inputs'),
  indicator,
});

const encodings = [
  numericEncoding,
  categoryEncoding,
  booleanEncoding,
  dateEncoding,
  constantEncoding,
] as const;

const encoding = z.discriminatedUnion('kind', encodings, {
  error: ({ code }) =>
    code === 'invalid_union'
      ? '"numeric", "category", "boolean", "date" or "constant"'
      : 'an encoding of a column',
}) satisfies z.ZodType<FeatureEncoding>;

const missingTexts = list(z.string({ error: 'a text' }), 'an array of texts');

const missingValues = object({
  texts: missingTexts,
  inNumbers: missingTexts,
  byColumn: byName(missingTexts, 'arrays of texts by column').exactOptional(),
});

const targetStandardization = object({
  mean: list(number(), 'an array of numbers'),
  scale: list(positive(), 'an array of numbers above 0'),
});

const character = z.string({ error: 'at most one character' }).max(1, { error: 'at most one character' });
const reading = object({
  delimiter: z.literal('whitespace', { error: '"whitespace"' }).exactOptional(),
  quote: character.exactOptional(),
  escape: character.exactOptional(),
  skipLines: wholeNumber(1).exactOptional(),
  skipRows: wholeNumber(1).exactOptional(),
}) satisfies z.ZodType<Reading>;

const lossParameters = object({
  delta: positive().exactOptional(),
  quantiles: list(shrinking(), 'an array of quantiles', [1, 'at least one quantile']).exactOptional(),
}) satisfies z.ZodType<LossParameters>;

/** The entries that are JSON, by key. Others are ignored: a later version may add optional ones. */
const entries = {
  network: networkSchema,
  task: choice(TASKS),
  loss: choice(LOSS_NAMES),
  lossParameters: lossParameters.exactOptional(),
  header: flag(),
  encoding: text('the name of an encoding').exactOptional(),
  numbers: byName(notationSchema, 'notations by column').exactOptional(),
  reading: reading.exactOptional(),
  comment: character.exactOptional(),
  features: list(encoding, 'an array of encodings', [1, 'at least one encoding']),
  missingValues: missingValues.exactOptional(),
  targets: list(columnName, 'an array of columns', [1, 'at least one target']),
  classes: list(text('a class of at least one character'), 'an array of classes', [
    2,
    'at least two classes',
  ]).exactOptional(),
  labelValues: list(
    z
      .array(text('a value of at least one character'), { error: 'an array of two values' })
      .length(2, { error: 'an array of two values' }),
    'an array of pairs',
  ).exactOptional(),
  targetTransform: choice(TARGET_TRANSFORMS).exactOptional(),
  targetStandardization: targetStandardization.exactOptional(),
  lossUnit: positive().exactOptional(),
  temperature: positive().exactOptional(),
  predictionRanges: list(range, 'an array of ranges').exactOptional(),
  dropsRows: flag().exactOptional(),
  dropsMissing: list(columnName, 'an array of columns').exactOptional(),
  skipsBadRows: flag().exactOptional(),
  rareClasses: list(text('a class'), 'an array of classes').exactOptional(),
};

const contentSchema = object(entries);

/**
 * The content in the metadata of the model file `file`.
 * @throws MlpError ExitCode.data with the location of an entry that is missing, wrong, or
 * contradicts the others
 */
export function decodeMetadata(metadata: ReadonlyMap<string, string>, file: string): ModelContent {
  const place = (...path: Path) => formatLocation({ file, path: [METADATA, ...path] });
  requireFormat(metadata, place);
  const values = asDataError(() =>
    Object.keys(entries).flatMap((key) => {
      const value = metadata.get(key);
      if (value === undefined) return [];
      // Networks have fewer values: `parseJson` knows the limit.
      const most = key === 'network' ? undefined : MOST_METADATA_VALUES;
      return [[key, parseJson(value, place(key), most)] as const];
    }),
  );
  return checkContent(Object.fromEntries(values), file, [METADATA]);
}

/**
 * Checks the content of a model, which lies at `path` in a file.
 * @throws MlpError ExitCode.data as `decodeMetadata`
 */
export function checkContent(value: unknown, file: string, path: Path): ModelContent {
  const place = (...at: Path) => formatLocation({ file, path: [...path, ...at] });
  const content = asDataError(() => {
    const expanded = expandConfig(value, { file, path: [...path, 'network'] });
    return checkSchema(contentSchema, expanded, (at) => ({ file, path: [...path, ...at] }));
  });
  const { network } = content;
  const { input } = network;
  if (input === undefined) {
    throw damage(place('network', 'input'), 'missing; expected the number of inputs');
  }
  const model: ModelContent = { ...content, network: { ...network, input } };
  for (const [at, problem, hint] of contradictions(model)) throw damage(place(...at), problem, hint);
  return model;
}

function requireFormat(metadata: ReadonlyMap<string, string>, place: (...path: Path) => string): void {
  const format = metadata.get('format');
  if (format !== FORMAT) {
    const found = format === undefined ? 'nothing' : quote(format);
    const hint =
      'it may be a safetensors file of another program: only models that mlp has trained can be used';
    throw damage(place('format'), `found ${found}, expected ${quote(FORMAT)}`, hint);
  }
  const version = metadata.get('formatVersion');
  if (version !== FORMAT_VERSION) {
    const found = version === undefined ? 'nothing' : quote(version);
    const hint =
      Number(version) > Number(FORMAT_VERSION) ? 'a newer mlp has written it: update mlp' : undefined;
    throw damage(place('formatVersion'), `found ${found}, expected ${quote(FORMAT_VERSION)}`, hint);
  }
}

/**
 * Checks the checksum of the model file `file`. Returns whether it has one: earlier versions wrote
 * none, nor any entry that is not known here.
 * @throws MlpError ExitCode.data if it does not fit, or is missing from a file that had one
 */
export function verifyChecksum(
  metadata: ReadonlyMap<string, string>,
  { dtype, weightsSha256 }: { readonly dtype: DType; readonly weightsSha256: string },
  file: string,
): boolean {
  const expected = metadata.get(CHECKSUM);
  if (expected === undefined) {
    const known = ['format', 'formatVersion', ...Object.keys(entries)];
    const unknown = [...metadata.keys()].find((key) => !known.includes(key));
    if (unknown === undefined) return false;
    const place = formatLocation({ file, path: [METADATA] });
    throw damage(place, `found the entry ${quote(unknown)}, but no checksum, expected one`, COPY_AGAIN);
  }
  const others = [...metadata].filter(([key]) => key !== CHECKSUM);
  const found = checksumOf(others, dtype, weightsSha256);
  if (found === expected) return true;
  throw damage(
    file,
    `found content of checksum ${found}, expected ${expected.slice(0, found.length)}`,
    COPY_AGAIN,
  );
}

const COPY_AGAIN = 'the file is damaged: copy it again, or let mlp train --resume write it anew from the run';

function damage(place: string, problem: string, hint?: string): MlpError {
  return new MlpError(ExitCode.data, `${place}: ${problem}`, hint);
}
