/**
 * Suggests a train config for a table, with reasons: columns, encodings, network and training. The
 * rules of thumb are stated where they are applied. They use only the profile; nothing is trained
 * here.
 */
import { ExitCode, MlpError } from '../../errors.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import type { Preset } from '../../spec/words.js';
import { DELIMITERS } from '../../spec/words.js';
import { counted, listed, quote } from '../../text.js';
import type { Reading } from '../csv/dialect.js';
import { isCommaOnly } from '../csv/notation.js';
import { partWidth } from '../encoding/derivedEncoding.js';
import type {
  ColumnProfile,
  Level,
  TableProfile,
  TargetProfile,
  Warning,
  WarningKind,
} from '../profile/tableProfile.js';
import { type Context, listOf, type Reason, refOf, type SuggestedConfig } from './reasons.js';
import {
  arePixels,
  chooseDates,
  chooseFeatures,
  chooseMissing,
  chooseMissingValues,
  chooseScaling,
  chooseTargetScaling,
  chooseTargetTransform,
} from './suggestColumns.js';
import { suggestLayers, suggestTraining } from './suggestNetwork.js';
import { suggestSplit } from './suggestSplit.js';

export type { Reason, SuggestedConfig } from './reasons.js';
export { likelyTarget } from './suggestColumns.js';

interface SuggestOptions {
  /** `data.train`: the paths of the files, relative to the config. */
  readonly train: string | string[];
  /** Columns that the user leaves out, by name. The profile does not have them. */
  readonly excluded?: readonly string[];
  /** `$schema`, if a schema is at hand. */
  readonly schema?: string;
  /** `data.badRows`, if some rows can't be read. */
  readonly badRows?: 'skip';
  /** "tabular" (default) leaves network and training to the preset; "plain" writes both out. */
  readonly preset?: Preset;
}

export interface Suggestion {
  readonly config: SuggestedConfig;
  /** In the order of the keys; not every key needs one. */
  readonly reasons: readonly Reason[];
  /** Sentences for the user about what no config can correct. */
  readonly warnings: readonly string[];
}

const PRESET_REASON: Reason = {
  key: 'preset',
  text: "tabular, a recipe that suits most tables: an ensemble of wide networks, trained for as long as the rows call for (the run's config.json shows it whole; --preset plain writes a small network)",
};

/** Classes are weighted if the largest has this many times the rows of the rarest. */
const IMBALANCE = 5;
/** With fewer rows, the weight of a class would exceed what it can tell. */
const LEAST_WEIGHED = 5;

/** Warnings that the config settles, or replaces by its own. */
const SETTLED: readonly WarningKind[] = [
  'missing',
  'mixture',
  'constant',
  'identifier',
  'codes',
  'single',
  'target',
];

/**
 * Suggests a config for a table whose profile has a target.
 *
 * What was detected is written if it is unusual: a delimiter other than the comma, no header, a
 * comment character. `standardize` is always written, because it changes every number.
 *
 * @throws MlpError ExitCode.data if the target has one value, or no column is left to learn from
 */
export function suggestConfig(
  profile: TableProfile,
  { train, excluded = [], schema, badRows, preset = 'tabular' }: SuggestOptions,
): Suggestion {
  const { target: found } = profile;
  if (found === undefined) throw new TypeError(`${profile.path}: the profile has no target`);
  const { rareClasses, target } = groupRare(found);
  const { task } = target;
  const targetColumn = profile.columns[target.index];
  if (task === undefined) throw nothingToLearn(profile, target);
  const context: Context = {
    profile,
    target,
    rows: rareClasses && target.classes ? rowsOf(target.classes) : profile.rows - targetColumn.missing,
  };
  const split = suggestSplit(context, preset);
  const candidates = profile.columns.filter(
    (column) => column.index !== target.index && column !== split.column,
  );
  const pixels = arePixels(candidates.filter(({ kind }) => kind !== 'identifier'));
  const {
    features,
    exclude,
    categories,
    reasons: featureReasons,
  } = chooseFeatures(context, candidates, pixels, preset);
  const { missing, indicators, reasons: missingReasons } = chooseMissing(context, features);
  const { missingValues, reasons: wordReasons } = chooseMissingValues(context, [targetColumn, ...features]);
  const { dates, reasons: dateReasons } = chooseDates(context, features);
  const isCategory = new Set(categories);
  const isNumber = (column: ColumnProfile) =>
    column.cells === 'numeric' && column.kind !== 'date' && !isCategory.has(column);
  const isPlain = preset === 'plain';
  const { standardize, reasons: scalingReasons } = chooseScaling(features.filter(isNumber), pixels);
  const scales = isPlain || pixels;
  const { targetTransform, reasons: transformReasons } = chooseTargetTransform(context, preset);
  const { standardizeTarget, reasons: targetReasons } = chooseTargetScaling(context);
  const positive = positiveOf(target);
  // Weights make a network call rare classes more often than they are.
  const weights = isPlain && isImbalanced(target) ? 'balanced' : undefined;

  const sizes = {
    task,
    inputs: features.reduce((sum, column) => sum + (isNumber(column) ? 1 : textWidth(column)), indicators),
    outputs: task === 'multiclass' && target.classes ? target.classes.length : 1,
    rows: context.rows,
    trainRows: split.trainRows,
  };
  const plain = isPlain ? { ...suggestLayers(sizes), ...suggestTraining(sizes) } : undefined;
  const asked = excluded.map((name) => (profile.dialect.header ? name : Number(name)));
  const odd = [...features, targetColumn].find((column) => column.odd);
  const excludedNames = new Set(exclude.map(({ name }) => name));
  const refs = (columns: readonly ColumnProfile[]) => columns.map((column) => refOf(profile, column));
  return {
    config: {
      ...(schema !== undefined && { $schema: schema }),
      ...(plain ? { network: { layers: plain.layers } } : { preset: 'tabular' as const }),
      ...(split.members !== undefined && { network: { members: split.members } }),
      data: {
        train,
        target: refOf(profile, targetColumn),
        // A target that is mostly numbers would be read as numbers.
        ...(targetColumn.mixture && targetColumn.cells === 'text' && { task }),
        ...(positive !== undefined && { positive }),
        ...dialectOf(profile),
        ...((badRows ?? odd) && { badRows: 'skip' as const }),
        ...(excluded.length + exclude.length > 0 && { exclude: [...asked, ...refs(exclude)] }),
        ...(categories.length > 0 && { categories: refs(categories) }),
        ...(dates && { dates }),
        ...(missingValues && { missingValues }),
        ...(missing !== undefined && { missing }),
        ...(scales && { standardize }),
        ...(targetTransform && { targetTransform }),
        ...(standardizeTarget && { standardizeTarget }),
        ...(split.validation !== undefined && { validation: split.validation }),
        ...(split.test !== undefined && { test: split.test }),
        ...(rareClasses && { rareClasses }),
        ...(weights && { weights }),
      },
      ...(plain && { training: plain.training }),
    },
    reasons: [
      plain ? plain.reason : PRESET_REASON,
      targetReason(context),
      ...(positive === undefined ? [] : [positiveReason(positive)]),
      ...dialectReasons(profile),
      ...(odd ? [badRowsReason(profile, odd)] : []),
      ...featureReasons,
      ...dateReasons,
      ...wordReasons,
      ...missingReasons,
      ...(scales ? scalingReasons : []),
      ...transformReasons,
      ...targetReasons,
      ...split.reasons,
      ...(rareClasses ? [rareReason(found, rareClasses)] : []),
      ...(weights ? [weightsReason(target)] : []),
      ...(plain?.reasons ?? []),
    ],
    warnings: [
      ...split.warnings,
      ...profile.warnings
        .filter((warning) => isOpen(warning, excludedNames, weights))
        .map(({ text }) => text),
    ],
  };
}

/** The inputs of a column of text. */
function textWidth({ kind, distinct, dates }: ColumnProfile): number {
  if (dates) return dates.parts.reduce((sum, part) => sum + partWidth(part), 0);
  return kind === 'boolean' ? 1 : distinct;
}

type RareClasses = NonNullable<DataConfig['rareClasses']>;

/** Classes with fewer rows are rare, if that leaves most rows as they are. */
const FEW_ROWS = 5;
const MOST_RARE = 0.2;

/**
 * If a class has a single row, no stratified split can have it in both parts: such classes become one
 * class "other" with others of few rows, or are left out. Returns the target that is left.
 */
function groupRare(target: TargetProfile): { rareClasses?: RareClasses; target: TargetProfile } {
  const { classes = [] } = target;
  if (!classes.some(({ rows }) => rows === 1)) return { target };
  const all = rowsOf(classes);
  for (let fewerThan = FEW_ROWS; fewerThan > 1; fewerThan--) {
    const rare = classes.filter(({ rows }) => rows < fewerThan);
    const kept = classes.filter(({ rows }) => rows >= fewerThan);
    const rows = rowsOf(rare);
    const as = rare.length > 1 ? 'other' : 'drop';
    const left = as === 'other' ? [...kept, { name: as, rows }] : kept;
    if (left.length < 2 || (fewerThan > 2 && rows > MOST_RARE * all)) continue;
    const task = left.length === 2 ? 'binary' : 'multiclass';
    return { rareClasses: { fewerThan, as }, target: { ...target, task, classes: left } };
  }
  return { target };
}

function rowsOf(levels: readonly Level[]): number {
  return levels.reduce((sum, { rows }) => sum + rows, 0);
}

function rareReason({ classes = [] }: TargetProfile, { fewerThan, as }: RareClasses): Reason {
  const rare = classes.filter(({ rows }) => rows < fewerThan);
  const names = listed(rare.map(({ name }) => quote(name)));
  const rows = counted(rowsOf(rare), 'row');
  const what = as === 'other' ? `one class "other" of ${names}` : `the row of ${names} is left out`;
  return {
    key: 'data.rareClasses',
    text: `${what} (${rows}), since a class with a single row can't be held out and trained on`,
  };
}

function badRowsReason(profile: TableProfile, column: ColumnProfile): Reason {
  const { location = '', text = '' } = column.odd ?? {};
  return {
    key: 'data.badRows',
    text: `skip, since ${quote(text)} is no number, unlike most cells of ${listOf(profile, [column])} (${location.split(': ')[0]})`,
  };
}

function nothingToLearn({ path }: TableProfile, { name }: TargetProfile): MlpError {
  return new MlpError(
    ExitCode.data,
    `${path}: column ${quote(name)}: found a single value in all rows, expected at least two classes or values`,
    'one value leaves nothing to learn; check --target',
  );
}

/** Unusual settings that a reader of the config would ask about. */
function dialectOf({
  dialect,
}: TableProfile): Pick<
  SuggestedConfig['data'],
  'delimiter' | 'header' | 'comment' | 'encoding' | 'decimal' | 'numbers' | keyof Reading
> {
  const { header, comment, encoding, reading, numbers = {} } = dialect;
  // A decimal comma alone is one key for all columns.
  const decimal = Object.values(numbers).some((notation) => notation.decimal === ',') ? ',' : undefined;
  const others = Object.entries(numbers).filter(([, notation]) => !isCommaOnly(notation));
  const delimiter = DELIMITERS.find((known) => known === dialect.delimiter && known !== ',');
  return {
    ...(delimiter !== undefined && { delimiter }),
    ...reading,
    ...(!header && { header }),
    ...(comment !== undefined && { comment }),
    ...(encoding !== undefined && { encoding }),
    ...(decimal !== undefined && { decimal }),
    ...(others.length > 0 && { numbers: Object.fromEntries(others) }),
  };
}

function dialectReasons({ dialect: { delimiter = ',', header, reading } }: TableProfile): Reason[] {
  const separator =
    reading?.delimiter === 'whitespace'
      ? 'whitespace, since runs of blanks separate'
      : `${quote(delimiter)}, since it separates`;
  return [
    ...(delimiter === ',' ? [] : [{ key: 'data.delimiter', text: `${separator} the cells` }]),
    ...(header
      ? []
      : [{ key: 'data.header', text: 'false, since no line names the columns; they are numbered from 0' }]),
  ];
}

/** More different whole numbers are hardly classes. */
const MOST_CLASSES = 1000;

function targetReason({ profile, target: { task, classes = [], index } }: Context): Reason {
  const column = profile.columns[index];
  const named = listOf(profile, [column]);
  const key = 'data.target';
  if (task === 'regression') {
    const doubt =
      column.kind === 'integer' && column.distinct <= MOST_CLASSES
        ? `; if these whole numbers are classes, set data.task to "multiclass" and the last layer to ${column.distinct}`
        : '';
    return {
      key,
      text: `${named}, a quantity with ${counted(column.distinct, 'different value')}: a regression with one output${doubt}`,
    };
  }
  const outputs = task === 'binary' ? 'one output' : 'an output for each';
  const doubt =
    column.cells === 'numeric' && task === 'multiclass'
      ? '; if these numbers are a quantity, set data.task to "regression" and the last layer to 1'
      : '';
  return { key, text: `${named}, with ${classes.length} classes: ${outputs}${doubt}` };
}

/** How data spell that nothing is the matter. */
const NEGATIVE =
  /^(0|no?|false|f|off|neg(ative)?|ok(ay)?|normal|healthy|benign|absent|none|control|legit(imate)?|genuine|passed|stayed|retained)$/i;

/** The positive one of two classes, if it is plain but not the second in their order. */
function positiveOf({ task, classes = [] }: TargetProfile): string | undefined {
  const [first, second] = classes.map(({ name }) => name);
  return task === 'binary' && NEGATIVE.test(second) && !NEGATIVE.test(first) ? first : undefined;
}

function positiveReason(positive: string): Reason {
  const text = `${quote(positive)}, the class that precision, recall and a threshold should be about; the other one says that nothing is the matter`;
  return { key: 'data.positive', text };
}

function isImbalanced({ classes }: TargetProfile): boolean {
  if (classes === undefined) return false;
  const [rarest, largest] = extremes(classes);
  return rarest.rows >= LEAST_WEIGHED && largest.rows > IMBALANCE * rarest.rows;
}

function weightsReason({ classes = [] }: TargetProfile): Reason {
  const [rarest, largest] = extremes(classes);
  const times = Math.round(largest.rows / rarest.rows);
  return {
    key: 'data.weights',
    text: `balanced, since ${quote(largest.name)} has ${times} times the rows of ${quote(rarest.name)}, which a network could otherwise ignore`,
  };
}

/** The rarest and the largest class. */
function extremes(classes: readonly Level[]): [Level, Level] {
  return [
    classes.reduce((a, b) => (b.rows < a.rows ? b : a)),
    classes.reduce((a, b) => (b.rows > a.rows ? b : a)),
  ];
}

/** Whether the config does not settle what the warning is about. */
function isOpen(
  { kind, columns }: Warning,
  excluded: ReadonlySet<string>,
  weights: 'balanced' | undefined,
): boolean {
  if (SETTLED.includes(kind) || (kind === 'imbalance' && weights !== undefined)) return false;
  return columns.length === 0 || !columns.every((name) => excluded.has(name));
}
