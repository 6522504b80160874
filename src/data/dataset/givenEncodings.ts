/**
 * Encodings that a dataset takes from a trained model instead of fitting its own: features, classes,
 * and the scale of targets. The data and the config must fit them.
 */
import { isDeepStrictEqual } from 'node:util';
import { ExitCode, MlpError } from '../../errors.js';
import type { ColumnRef } from '../../spec/dataConfig.js';
import { type Path, suggest, type Where } from '../../spec/messages.js';
import type { TrainConfig } from '../../spec/trainConfig.js';
import type { Task } from '../../spec/words.js';
import { listed, quote, showIfAny, showValue } from '../../text.js';
import type { FeatureEncoding } from '../encoding/encoding.js';
import { Levels } from '../levels.js';
import { type LocatedColumn, presentRows, selectLocated } from '../locatedColumn.js';
import type { MissingValues } from '../missingValues.js';
import type { Range } from '../scaling.js';
import { columnLabel } from '../table.js';
import { classesOf, encodeLabels, groupRare } from './classTargets.js';
import type { ColumnChoice, NamedColumns } from './columnChoice.js';
import type { TargetEncoding, TargetRules } from './targets.js';
import { standardizesTarget, type TargetUnits } from './targetUnits.js';

const TAKES = 'a run that starts from another takes its columns, classes and scales';

/** A message names this many classes and counts the rest. */
const MOST_NAMED = 5;

/** What a model file says of its encodings. */
export interface GivenEncodings extends TargetUnits {
  /** The model, as messages name it. */
  readonly path: string;
  readonly header: boolean;
  readonly task: Task;
  /** In the order of the network's inputs. */
  readonly features: readonly FeatureEncoding[];
  readonly targets: readonly string[];
  readonly classes?: readonly string[];
  readonly labelValues?: readonly (readonly string[])[];
  readonly rareClasses?: readonly string[];
  readonly missingValues?: MissingValues;
  /** That predictions are limited to: that of the targets which the model was trained on. */
  readonly predictionRanges?: readonly Range[];
}

/** The columns that are read as text, whatever they look like, as `data.categories` names them. */
export function givenCategories({ features, header }: GivenEncodings): ColumnRef[] {
  return features.flatMap(({ kind, column }) =>
    kind === 'category' ? [header ? column : Number(column)] : [],
  );
}

/**
 * The config with what the encodings decide: the task, and whether the target is scaled.
 * @throws MlpError ExitCode.config for a key that says otherwise
 */
export function configFor(config: TrainConfig, given: GivenEncodings, where: Where): TrainConfig {
  const { data, training } = config;
  const { task, targetTransform } = given;
  const requireSame = (path: Path, found: unknown, expected: unknown) => {
    if (found !== expected) throw contradiction(where(path), found, expected, given);
  };
  if (data.task !== 'auto') requireSame(['data', 'task'], data.task, task);
  requireSame(['data', 'targetTransform'], data.targetTransform, targetTransform);
  const positives = given.labelValues?.map((values) => values[1]) ?? [given.classes?.[1]];
  for (const name of positives) {
    if (data.positive !== undefined) requireSame(['data', 'positive'], String(data.positive), name);
  }
  const isScaled = given.targetStandardization !== undefined;
  const isAuto = data.standardizeTarget === 'auto';
  const whole: TrainConfig = {
    ...config,
    data: {
      ...data,
      task,
      ...(isAuto && !isScaled && { standardizeTarget: false }),
    },
  };
  if (task === 'regression' && standardizesTarget(whole) !== isScaled) {
    const [path, found] = isAuto
      ? [['training', 'loss'], training.loss]
      : [['data', 'standardizeTarget'], data.standardizeTarget];
    throw new MlpError(
      ExitCode.config,
      `${where(path)}: found ${showValue(found)}, which ${isScaled ? 'does not scale' : 'scales'} the target, expected ${isScaled ? 'its scaling' : 'no scaling'} as in ${given.path}`,
      TAKES,
    );
  }
  return whole;
}

/**
 * The columns of a training table, its features in the order of the encodings.
 * @throws MlpError ExitCode.data if the table has other features; config for another target, or for
 * numbers or dates in `data.categories`
 */
export function givenColumns(
  { path, names, header }: NamedColumns,
  choice: ColumnChoice,
  given: GivenEncodings,
  where: Where,
): ColumnChoice {
  if (header !== given.header) {
    const shown = (has: boolean) => (has ? 'a header' : 'no header');
    throw new MlpError(
      ExitCode.data,
      `${path}: found ${shown(header)}, expected ${shown(given.header)} as in the data of ${given.path}`,
      'data.header says whether the first line holds the names of columns',
    );
  }
  const labels = (columns: readonly string[]) => listed(columns.map((name) => columnLabel(header, name)));
  const targets = choice.targets.map((column) => names[column]);
  if (!isDeepStrictEqual(targets, given.targets)) {
    throw contradiction(where(['data', 'target']), targets, given.targets, given);
  }
  // A column that only numbers the rows is a feature if the model has it.
  const indexOf = new Map([...choice.features, ...choice.rowNames].map((column) => [names[column], column]));
  const wanted = given.features.map(({ column }) => column);
  const missing = wanted.filter((name) => !indexOf.has(name));
  if (missing.length > 0) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found no feature in ${labels(missing)}, expected all ${wanted.length} features of ${given.path}`,
      names.includes(missing[0])
        ? 'the column is there: check data.features and data.exclude'
        : suggest(missing[0], names),
    );
  }
  const known = new Set(wanted);
  const others = choice.features.map((column) => names[column]).filter((name) => !known.has(name));
  if (others.length > 0) {
    throw new MlpError(
      ExitCode.data,
      `${path}: found ${labels(others)}, expected only the ${wanted.length} features of ${given.path}`,
      'name other columns in data.exclude',
    );
  }
  for (const column of choice.categories) {
    const { kind } = given.features.find((feature) => feature.column === names[column]) ?? {};
    if (kind === 'category' || kind === 'constant') continue;
    throw new MlpError(
      ExitCode.config,
      `${where(['data', 'categories'])}: found ${columnLabel(header, names[column])}, expected no category: it is ${kind} in ${given.path}`,
      TAKES,
    );
  }
  const features = wanted.map((name) => indexOf.get(name) as number);
  const rowNames = choice.rowNames.filter((column) => !features.includes(column));
  const categories = features.filter((_, j) => given.features[j].kind === 'category');
  return { ...choice, features, categories, rowNames };
}

/** The error about a key of the config that says something else than the model. */
function contradiction(place: string, found: unknown, expected: unknown, { path }: GivenEncodings): MlpError {
  return new MlpError(
    ExitCode.config,
    `${place}: found ${showIfAny(found)}, expected ${showIfAny(expected)} as in ${path}`,
    TAKES,
  );
}

/** How a model encodes its targets. Models of earlier versions compare classes of numbers by value. */
export function givenTargets({
  task,
  classes,
  labelValues,
  rareClasses,
  missingValues,
}: Pick<
  GivenEncodings,
  'task' | 'classes' | 'labelValues' | 'rareClasses' | 'missingValues'
>): TargetEncoding {
  return {
    task,
    ...(classes && { classes: missingValues ? Levels.given(classes) : Levels.byValue(classes) }),
    ...(labelValues && { labels: labelValues.map(Levels.yesNo) }),
    ...(rareClasses && { rare: { names: rareClasses, as: 'other' as const } }),
  };
}

/**
 * The encoding of a training table's targets by a model: classes of few rows may be left out, others
 * must be known.
 * @throws MlpError ExitCode.data with the classes that the model does not know
 */
export function givenTargetEncoding(
  columns: readonly LocatedColumn[],
  given: GivenEncodings,
  { rareClasses, dropsRows }: TargetRules,
): TargetEncoding {
  const encoding: TargetEncoding = { ...givenTargets(given), ...(dropsRows && { dropsRows }) };
  const { classes } = encoding;
  if (!classes) return encoding;
  const [whole] = columns;
  const located = dropsRows ? selectLocated(whole, presentRows(columns)) : whole;
  const isLeftOut = rareClasses?.as === 'drop' && !encoding.rare;
  const { rare } = isLeftOut ? groupRare(located, classesOf(located), rareClasses) : encoding;
  const names = rare?.names.filter((name) => !isLeftOut || classes.index(name) === undefined) ?? [];
  const wholeEncoding = rare && names.length > 0 ? { ...encoding, rare: { ...rare, names } } : encoding;
  const unknown = new Map<string, number>();
  encodeLabels(located, wholeEncoding, classes, unknown);
  if (unknown.size === 0) return wholeEncoding;
  const found = listed([...unknown.keys()].map(quote), MOST_NAMED);
  throw new MlpError(
    ExitCode.data,
    `${whole.path}: ${whole.label}: found ${unknown.size === 1 ? 'the class' : 'the classes'} ${found}, which ${given.path} does not know, ` +
      `expected only ${listed(classes.names.map(quote), MOST_NAMED)}`,
    'leave such rows out, or train a network anew',
  );
}
