/**
 * The model file: the weights, and metadata with all that is needed to predict from a raw CSV.
 * Metadata may come from anywhere: each entry is checked by its schema, then all of them against
 * each other.
 */
import { createHash } from 'node:crypto';
import type { Reading } from '../data/csv/dialect.js';
import { partWidth } from '../data/encoding/derivedEncoding.js';
import { type FeatureEncoding, levelColumns, matrixWidth } from '../data/encoding/encoding.js';
import { Levels } from '../data/levels.js';
import type { MissingValues } from '../data/missingValues.js';
import type { Range } from '../data/scaling.js';
import { asDataError, ExitCode, MlpError } from '../errors.js';
import type { DType } from '../kernels/kernels.js';
import { fusedLoss, LOSSES, lossesFor } from '../network/loss.js';
import type { Parameters, Statistics } from '../network/parameters.js';
import { networkShape } from '../network/shape.js';
import { type NumberNotation, notationSchema } from '../spec/cellConfig.js';
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
import { type NetworkSpec, networkSchema } from '../spec/networkSpec.js';
import {
  DATE_ORDERS,
  DATE_PARTS,
  LOSS_NAMES,
  type LossParameters,
  TARGET_TRANSFORMS,
  TASKS,
  type Task,
} from '../spec/words.js';
import * as z from '../spec/zod.js';
import { counted, quote } from '../text.js';
import type { PredictionRules } from './predictions.js';
import { type EncodedTensors, encodeSafetensors, type NamedTensor } from './safetensors/encode.js';

/** The `format` in the metadata of a model file. */
const FORMAT = 'mlp';

/** Version of the metadata's layout, raised when an old reader would be misled. */
const FORMAT_VERSION = '1';

/** The model besides its weights: how a row becomes an input, and an output a prediction. */
export interface ModelContent extends PredictionRules {
  readonly network: NetworkSpec & { readonly input: number };
  readonly task: Task;
  /**
   * Whether the columns of the training file had names; else their names are their numbers from 0.
   */
  readonly header: boolean;
  /** What text that is not UTF-8 is decoded as; Windows-1252 if left out. */
  readonly encoding?: string;
  /** By column name, how numbers are written that are not plain decimals. */
  readonly numbers?: Readonly<Record<string, NumberNotation>>;
  /** How files are written, if not by RFC 4180. */
  readonly reading?: Reading;
  /** The character that lines to skip begin with. */
  readonly comment?: string;
  /** How the feature columns become the network's inputs. */
  readonly features: readonly FeatureEncoding[];
  /** Which cells are missing. Models without it compare numbers of levels by value, and have old rules. */
  readonly missingValues?: MissingValues;
  /** Names of the target columns. */
  readonly targets: readonly string[];
  /** The classes in the order of their labels; only for a binary or multiclass task. */
  readonly classes?: readonly string[];
  /** The values of each target, the second for yes; only for a multilabel task. */
  readonly labelValues?: readonly (readonly string[])[];
  /** What a loss of 1 in the network's units is reported as; 1 if missing. */
  readonly lossUnit?: number;
  /** What logits are divided by before they become probabilities; 1 if missing. */
  readonly temperature?: number;
  /** The range of each target in the training rows, which predictions are limited to. */
  readonly predictionRanges?: readonly Range[];
  /** Whether rows without a target are left out of an evaluation; otherwise they are an error. */
  readonly dropsRows?: boolean;
  /** Feature columns whose missing cells leave a row out: it has no prediction. */
  readonly dropsMissing?: readonly string[];
  /** Whether rows that can't be read are left out of an evaluation; otherwise they are an error. */
  readonly skipsBadRows?: boolean;
  /** Classes of the training data that became the class "other". */
  readonly rareClasses?: readonly string[];
}

/**
 * The tensors of a network by their names in the file: `layers.0.weight` [inputs, units],
 * `layers.0.bias` [units], …, in a batch ensemble with a row for each member; then
 * `layers.1.running_mean` [units], …
 */
export function modelTensors(parameters: Parameters, statistics: Statistics): NamedTensor[] {
  return [
    ...parameters.list.map(({ name, kind, rows, columns, value }) => ({
      name,
      shape: kind === 'weight' || kind === 'embedding' || rows > 1 ? [rows, columns] : [columns],
      data: value.data,
    })),
    ...statistics.list.map(({ name, columns, value }) => ({ name, shape: [columns], data: value.data })),
  ];
}

export interface EncodedModel extends EncodedTensors {
  /** SHA-256 of all that the file means. */
  readonly checksum: string;
}

/** Encodes a model, with a checksum, without copying its tensors. */
export function encodeModel(content: ModelContent, tensors: readonly NamedTensor[]): EncodedModel {
  // safetensors allows only strings, so each value is a JSON text.
  const metadata: Record<string, string> = { format: FORMAT, formatVersion: FORMAT_VERSION };
  for (const [key, value] of Object.entries(content)) {
    if (value !== undefined) metadata[key] = JSON.stringify(value);
  }
  const dtype = tensors[0]?.data instanceof Float64Array ? 'float64' : 'float32';
  let checksum = '';
  const encoded = encodeSafetensors(tensors, (weightsSha256) => {
    checksum = checksumOf(Object.entries(metadata), dtype, weightsSha256);
    return { ...metadata, [CHECKSUM]: checksum };
  });
  return Object.assign(encoded, { checksum });
}

/** The entry of the metadata that holds it. */
export const CHECKSUM = 'checksum';

/**
 * SHA-256 of all that a model file means: its other metadata, and its weights in the network's
 * order. It doesn't depend on how the header is written, so other programs may write the file anew.
 */
function checksumOf(
  metadata: Iterable<readonly [key: string, value: string]>,
  dtype: DType,
  weightsSha256: string,
): string {
  const texts = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([texts, dtype, weightsSha256]))
    .digest('hex');
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

type Contradiction = [path: Path, problem: string, hint?: string];

/** Contradictions between entries. Each check may rely on those before it. */
function* contradictions(model: ModelContent): Generator<Contradiction> {
  const { network, task, loss, header, features, targets, classes, targetStandardization, predictionRanges } =
    model;
  yield* columnProblems(
    [
      ...features.map(({ column }, i) => ({ column, path: ['features', i, 'column'] })),
      ...targets.map((column, i) => ({ column, path: ['targets', i] })),
    ],
    header,
  );
  for (const [i, feature] of features.entries()) {
    if (feature.kind === 'numeric' && feature.range && feature.range[0] > feature.range[1]) {
      yield [['features', i, 'range'], 'found a least number above the greatest'];
    }
    if (feature.kind === 'numeric' && feature.levels?.some((level, j, all) => j > 0 && level <= all[j - 1])) {
      yield [['features', i, 'levels'], 'found numbers that do not rise'];
    }
    if (feature.kind === 'date') {
      const width = feature.parts.reduce((sum, part) => sum + partWidth(part), 0);
      const { length } = feature.inputs;
      if (length !== width) {
        yield [['features', i, 'inputs'], `found ${length}, expected ${width}, as the parts have`];
      }
    }
    if (feature.kind !== 'category') continue;
    yield* orderProblems(feature.levels, ['features', i, 'levels']);
    const { fill, levels, signs, numbered, scaled, transforms } = feature;
    if (signs && levels.length !== 2) {
      yield [['features', i, 'signs'], `found signs for ${counted(levels.length, 'level')}, expected 2`];
    }
    const columns = levelColumns(feature).length;
    if (transforms && transforms.length !== columns) {
      yield [['features', i, 'transforms'], `found ${transforms.length}, expected ${columns}`];
    }
    const apart = scaled?.apart.map(({ level }) => level) ?? [];
    if (apart.some((level, j) => level >= levels.length || (j > 0 && level <= apart[j - 1]))) {
      yield [['features', i, 'scaled', 'apart'], 'found levels that do not rise, or are not there'];
    }
    if (scaled && !numbered) yield [['features', i, 'scaled'], 'found it without "numbered"'];
    if (fill !== undefined && !levels.includes(fill)) {
      yield [['features', i, 'fill'], `found ${quote(fill)}, expected one of the levels`];
    }
  }
  const width = matrixWidth(features);
  if (width !== network.input) {
    yield [['network', 'input'], `found ${network.input}, expected ${width}, the width of the features`];
  }
  yield* taskProblems(model);
  // Of two classes, the config may have chosen the positive one.
  if (classes && (classes.length > 2 || classes[0] === classes[1]))
    yield* orderProblems(classes, ['classes']);

  if (!lossesFor(task).includes(loss)) {
    yield [['loss'], `found ${quote(loss)} for a ${task} task, expected ${lossesFor(task).join(' or ')}`];
  }
  const fused = fusedLoss(network.layers);
  if (fused !== undefined && fused !== loss) {
    yield [['loss'], `found ${quote(loss)}, expected ${fused}, to which the network's last layer belongs`];
  }
  const { outputs } = networkShape(network, network.input);
  yield* lossProblems(model);
  const expected = LOSSES[loss].outputs(targets.length, classes?.length ?? 0, model.lossParameters);
  if (outputs !== expected) {
    yield [
      ['network', 'layers'],
      `found an output width of ${outputs}, expected ${expected} for this ${task} task`,
    ];
  }
  for (const key of ['mean', 'scale'] as const) {
    const count = targetStandardization?.[key].length ?? targets.length;
    if (count === targets.length) continue;
    yield [
      ['targetStandardization', key],
      `found ${count} numbers, expected ${targets.length}, one for each target`,
    ];
  }
  if (predictionRanges && predictionRanges.length !== targets.length) {
    const count = counted(predictionRanges.length, 'range');
    yield [['predictionRanges'], `found ${count}, expected ${targets.length}, one for each target`];
  }
  for (const [j, [least, greatest]] of predictionRanges?.entries() ?? []) {
    if (least > greatest) yield [['predictionRanges', j], 'found a least number above the greatest'];
  }
}

/** No column is used twice. Without a header, columns are named by their numbers. */
function* columnProblems(
  columns: readonly { column: string; path: Path }[],
  header: boolean,
): Generator<Contradiction> {
  const seen = new Set<string>();
  for (const { column, path } of columns) {
    if (seen.has(column)) yield [path, `found ${quote(column)} a second time, expected each column once`];
    seen.add(column);
    if (!header && !isColumnNumber(column)) {
      yield [path, `found ${quote(column)} without a header, expected a column's number from 0`];
    }
  }
}

function isColumnNumber(column: string): boolean {
  return String(Number(column)) === column && wholeNumber(0).safeParse(Number(column)).success;
}

/**
 * Levels are known by their position, so they must be in their only order: text by code unit,
 * numbers rising.
 */
function* orderProblems(levels: readonly string[], path: Path): Generator<Contradiction> {
  const { names } = Levels.of([...new Set(levels)]);
  const i = levels.findIndex((level, i) => level !== names[i]);
  if (i >= 0) yield [[...path, i], `found ${quote(levels[i])}, expected different ones in rising order`];
}

function* taskProblems(model: ModelContent): Generator<Contradiction> {
  const { task, targets, classes } = model;
  yield* labelProblems(model);
  if (task === 'regression' || task === 'multilabel') {
    const what = task === 'regression' ? 'a regression' : 'a multilabel task';
    if (classes) yield [['classes'], `found ${classes.length} classes in ${what}, expected none`];
  } else {
    if (!classes) yield [['classes'], `missing; expected the classes of a ${task} task`];
    else if (task === 'binary' && classes.length !== 2) {
      yield [['classes'], `found ${classes.length} classes in a binary task, expected 2`];
    }
    if (targets.length > 1) {
      yield [['targets'], `found ${targets.length} targets of a ${task} task, expected 1`];
    }
  }
  for (const key of ['targetTransform', 'targetStandardization', 'predictionRanges'] as const) {
    if (model[key] && task !== 'regression') yield [[key], `found one in a ${task} task, expected none`];
  }
}

function* lossProblems({ loss, lossParameters = {}, targets }: ModelContent): Generator<Contradiction> {
  const needs = { huber: 'delta', quantile: 'quantiles' } as const;
  const needed = loss === 'huber' || loss === 'quantile' ? needs[loss] : undefined;
  for (const key of ['delta', 'quantiles'] as const) {
    const isGiven = lossParameters[key] !== undefined;
    if (isGiven === (key === needed)) continue;
    yield [
      ['lossParameters', key],
      isGiven ? `found one of the loss ${loss}, expected none` : `missing; the loss is ${loss}`,
    ];
  }
  const { quantiles = [] } = lossParameters;
  const at = quantiles.findIndex((quantile, i) => i > 0 && quantile <= quantiles[i - 1]);
  if (at >= 0)
    yield [['lossParameters', 'quantiles', at], `found ${quantiles[at]}, expected quantiles that rise`];
  if (loss === 'quantile' && targets.length > 1) {
    yield [['targets'], `found ${targets.length} targets of quantiles, expected 1`];
  }
}

function* labelProblems({ task, targets, labelValues }: ModelContent): Generator<Contradiction> {
  if (task !== 'multilabel') {
    if (labelValues) yield [['labelValues'], `found values of labels in a ${task} task, expected none`];
    return;
  }
  if (labelValues?.length !== targets.length) {
    const problem = labelValues ? `found ${counted(labelValues.length, 'pair')}` : 'missing';
    yield [['labelValues'], `${problem}, expected ${targets.length}, one for each target`];
  }
  for (const [j, [no, yes]] of (labelValues ?? []).entries()) {
    if (no === yes) yield [['labelValues', j, 1], `found ${quote(yes)} twice, expected two values`];
  }
}

function damage(place: string, problem: string, hint?: string): MlpError {
  return new MlpError(ExitCode.data, `${place}: ${problem}`, hint);
}
