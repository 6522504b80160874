/** The columns of a program, and how their cells become inputs, from the encodings of its models. */

import { parseDecimal } from '../data/cell.js';
import { PERIODS } from '../data/encoding/derivedEncoding.js';
import {
  type BooleanEncoding,
  type CategoryEncoding,
  type DateEncoding,
  type FeatureEncoding,
  indicatorValues,
  type NumericEncoding,
  takesMissing,
} from '../data/encoding/encoding.js';
import { Levels } from '../data/levels.js';
import { type MissingValues, OLD_MISSING } from '../data/missingValues.js';
import { isSingle, type Transform, transformed } from '../data/scaling.js';
import { ExitCode, MlpError } from '../errors.js';
import type { ReadingModel } from '../model/load.js';
import { valueFor } from '../spec/words.js';
import { quote } from '../text.js';
import type { DateInput, Encoding, InputColumn } from './program.js';

/** A column, and how the models that read it encode it. */
interface Found {
  readonly column: InputColumn;
  readonly encoding: FeatureEncoding;
}

/**
 * The columns that any of the encodings needs, in their order.
 * @throws MlpError ExitCode.usage for a column that is dates for one model and other text for another
 */
export function columnsOf(
  encodings: readonly FeatureEncoding[],
  { missingValues, path }: Pick<ReadingModel, 'missingValues' | 'path'>,
): InputColumn[] {
  const found = new Map<string, Found>();
  for (const encoding of encodings) {
    if (encoding.kind === 'constant' && !encoding.indicator) continue;
    const column = columnOf(encoding, missingValues);
    const before = found.get(encoding.column);
    found.set(encoding.column, before ? joined(before, { column, encoding }, path) : { column, encoding });
  }
  return [...found.values()].map(({ column }) => column);
}

/** A constant takes any cell. Words for yes and no are text for another model. */
function joined(before: Found, found: Found, path: string): Found {
  const kept = before.encoding.kind === 'constant' ? found : before;
  const other = kept === before ? found : before;
  const { column } = kept;
  const isRequired = before.column.required || found.column.required;
  const all: Found = { ...kept, column: { ...column, ...(isRequired && { required: true }) } };
  if (other.encoding.kind === 'constant' || column.kind === other.column.kind) {
    if (column.order === other.column.order || other.encoding.kind === 'constant') return all;
  } else if (column.kind !== 'date' && other.column.kind !== 'date') {
    return { ...all, column: { ...all.column, kind: 'text' } };
  }
  throw new MlpError(
    ExitCode.usage,
    `${path}: found the column ${quote(column.name)} read as dates by one member and in another way by another, expected one way`,
    'export the members one by one',
  );
}

function columnOf(encoding: FeatureEncoding, missingValues: MissingValues | undefined): InputColumn {
  const { column: name } = encoding;
  const isNumber =
    encoding.kind === 'numeric' || (encoding.kind === 'constant' && typeof encoding.value === 'number');
  const texts = missingTexts(name, missingValues, encoding.kind === 'numeric');
  const common = {
    name,
    missing: texts,
    missingNumbers: encoding.kind === 'numeric' ? texts.map(parseDecimal).filter(Number.isFinite) : [],
    ...(!takesMissing(encoding) && { required: true as const }),
    ...(encoding.kind === 'constant' && { anything: true as const }),
  };
  if (isNumber) return { ...common, kind: 'number' };
  if (encoding.kind === 'date') return { ...common, kind: 'date', order: encoding.order };
  return { ...common, kind: encoding.kind === 'boolean' ? 'boolean' : 'text' };
}

/** As `MissingRule` has it. */
function missingTexts(column: string, values: MissingValues | undefined, isNumber: boolean): string[] {
  if (values === undefined) return ['', ...OLD_MISSING.texts.flatMap(inAnyCase)];
  const own = valueFor(values.byColumn ?? {}, column);
  if (own) return distinct(['', ...own]);
  return distinct(['', ...values.texts, ...(isNumber ? values.inNumbers : [])]);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** All spellings of a word of few letters. */
export function inAnyCase(word: string): string[] {
  const spellings = [...word].reduce(
    (texts, letter) => texts.flatMap((text) => [text + letter.toLowerCase(), text + letter.toUpperCase()]),
    [''],
  );
  return distinct(spellings);
}

/**
 * The inputs of one model, in their order.
 * @param columns those of the program
 * @param byValue whether the levels of a category that are numbers are compared as such
 */
export function encodingsOf(
  features: readonly FeatureEncoding[],
  columns: readonly InputColumn[],
  byValue: boolean,
): Encoding[] {
  const numberOf = new Map(columns.map(({ name }, i) => [name, i]));
  return features.flatMap((feature) => {
    const column = numberOf.get(feature.column);
    if (column === undefined || (feature.kind === 'constant' && !feature.indicator)) return [];
    const marks = feature.indicator && { marks: indicatorValues(feature.indicator) };
    return [{ column, ...inputsOf(feature, byValue), ...marks }];
  });
}

function inputsOf(feature: FeatureEncoding, byValue: boolean) {
  switch (feature.kind) {
    case 'numeric':
      return numberInputs(feature);
    case 'category':
      return categoryInputs(feature, byValue);
    case 'boolean':
      return booleanInput(feature);
    case 'date':
      return dateInputs(feature);
    case 'constant':
      return { kind: 'constant' as const };
  }
}

function scaleOf({ shift, scale, clip }: Transform) {
  return { shift, scale, ...(clip !== undefined && { clip }) };
}

/** A number that was always the same in training became 0 in the network, and so do all numbers now. */
function numberInputs({ fill, levels, range, ...transform }: NumericEncoding) {
  const zero = range !== undefined && isSingle(range);
  return {
    kind: 'number' as const,
    ...scaleOf(transform),
    ...(fill !== undefined && { fill }),
    ...(zero && { zero: true as const }),
    ...(levels && { levels }),
  };
}

function categoryInputs({ levels, fill, signs, numbered, transforms }: CategoryEncoding, byValue: boolean) {
  const valueIn = (value: number, column: number) =>
    transforms === undefined ? value : transformed(value, transforms[column]);
  const known = byValue ? Levels.byValue(levels) : Levels.of(levels);
  const filling = fill === undefined ? undefined : known.index(fill);
  const isNumeric = byValue && levels.every((level) => Number.isFinite(parseDecimal(level)));
  const common = {
    kind: 'category' as const,
    levels: known.names,
    ...(filling !== undefined && { fill: filling }),
    ...(isNumeric && { byValue: true as const }),
  };
  if (numbered) {
    return { ...common, inputs: { kind: 'single' as const, values: levels.map((_, i) => i + 1), none: 0 } };
  }
  if (signs) {
    const values = [valueIn(-1, 0), valueIn(1, 0)];
    return { ...common, inputs: { kind: 'single' as const, values, none: valueIn(0, 0) } };
  }
  const [on, off] = [1, 0].map((value) => levels.map((_, column) => valueIn(value, column)));
  return { ...common, inputs: { kind: 'one-hot' as const, on, off } };
}

function booleanInput({ fill, transform }: BooleanEncoding) {
  const [no, yes, other, missing] = [0, 1, 0.5, fill ?? 0.5].map((value) =>
    transform ? transformed(value, transform) : value,
  );
  return { kind: 'boolean' as const, no, yes, other, missing };
}

function dateInputs({ parts, inputs }: DateEncoding) {
  const waves = parts.flatMap((part): Pick<DateInput, 'part' | 'wave' | 'period'>[] => {
    const period = PERIODS[part];
    if (period === undefined) return [{ part }];
    return (['sine', 'cosine'] as const).map((wave) => ({ part, wave, period }));
  });
  return {
    kind: 'date' as const,
    inputs: inputs.map(
      ({ fill, ...input }, i): DateInput => ({
        ...waves[i],
        ...scaleOf(input),
        ...(fill !== undefined && { fill }),
      }),
    ),
  };
}
