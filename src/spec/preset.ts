/**
 * Presets fill in what a config omits. `tabular` is the recipe of RealMLP for tables (Holzmüller,
 * Grinsztajn and Steinwart 2024, "Better by Default", table A.1), by task and number of rows. The
 * data's encodings are filled in at once, network and training when the data are known.
 */
import { isObject } from './json.js';
import type { Recipe } from './recipeConfig.js';
import type { Task } from './words.js';

/** What the recipe depends on. */
export interface TableFacts {
  readonly task: Task;
  /** Columns of the feature matrix: most categories have one for each level. */
  readonly inputs: number;
  /** Width of the network's output. */
  readonly outputs: number;
  /** Rows to train on. */
  readonly rows: number;
  /** How many folds the rows are divided into, of which each member holds out one; missing without any. */
  readonly folds?: number;
  /** How many inputs are numbers, which can be embedded. */
  readonly numbers: number;
  /** Whether any input is the number of a level, which must be embedded. */
  readonly levels: boolean;
}

type JsonObject = { readonly [key: string]: unknown };

/** Whether the config, checked or not, is to be filled in. */
export function hasPreset(config: unknown): config is JsonObject {
  return isObject(config) && config.preset === 'tabular';
}

/** Whether the preset builds the network of a config as it was written. */
export function buildsNetwork(config: unknown): boolean {
  return hasPreset(config) && !hasLayers(config.network);
}

/** Whether a recipe has no network to change: the config has layers of its own. */
export function hasUselessRecipe(config: JsonObject): boolean {
  return config.recipe !== undefined && hasLayers(config.network);
}

/** Whether a part of the config, checked or not, depends on the data. */
export function dependsOnData(config: unknown): config is JsonObject {
  if (!isObject(config)) return false;
  const { training } = config;
  return (
    hasPreset(config) || (isObject(training) && Object.keys(LENGTHS).some((key) => training[key] === 'auto'))
  );
}

/** Such a config with stand-ins for what the data will say. */
export function beforeData(config: JsonObject): object {
  return withLengths(hasPreset(config) ? withPresetData(config) : config, { rows: 1 });
}

/** Such a config with what the data say. It has no preset any more. */
export function afterData(config: JsonObject, facts: TableFacts): object {
  return withLengths(hasPreset(config) ? withPreset(config, facts) : config, facts);
}

/** What `training` may have as "auto". */
const LENGTHS = { epochs: epochsFor, batchSize: batchFor };

function withLengths(config: JsonObject, facts: Pick<TableFacts, 'rows' | 'folds'>): object {
  const { training } = config;
  if (!isObject(training)) return config;
  const known = Object.entries(LENGTHS).filter(([key]) => training[key] === 'auto');
  const numbers = known.map(([key, lengthFor]) => [key, lengthFor(facts)]);
  return { ...config, training: { ...training, ...Object.fromEntries(numbers) } };
}

/**
 * The config with the preset's encodings. A network without layers gets a single one until the data
 * are known.
 */
function withPresetData(config: JsonObject): JsonObject {
  const network = fill(config.network, { layers: [{ type: 'linear', units: 1 }] });
  // Its keys are those of the preset's optimiser, unless the config has another.
  const training = fill(config.training, { optimizer: { type: OPTIMIZER } });
  return { ...config, network, training, data: fill(config.data, dataFor(config)) };
}

function withPreset(config: JsonObject, facts: TableFacts): JsonObject {
  const { preset: _, recipe = {}, ...rest } = config;
  const training = isObject(config.training) ? config.training : {};
  const { epochs, keepMonitor, earlyStopping, ...others } = trainingFor(facts);
  const saysWhatToKeep = training.keep === 'last' || training.earlyStopping !== undefined;
  // With "auto", the rows say how many epochs there are.
  const saysHowLong = ['steps', 'epochs', 'schedule', 'keepMonitor'].some(
    (key) => training[key] !== undefined && training[key] !== 'auto',
  );
  return {
    ...rest,
    network: hasLayers(config.network)
      ? config.network
      : withNetwork(config.network, facts, recipe as Recipe),
    data: fill(config.data, dataFor(config)),
    training: fill(config.training, {
      ...(training.steps === undefined && { epochs }),
      ...(keepMonitor && !saysWhatToKeep && { keepMonitor }),
      ...(earlyStopping && !saysWhatToKeep && !saysHowLong && { earlyStopping }),
      ...others,
    }),
  };
}

/** Only the recipe's own network is sure to embed the numbers of levels, and to have members. */
function dataFor(config: JsonObject) {
  const embedded = { embedFrom: MANY_LEVELS, embedNumbersFrom: MANY_LEVELS };
  return {
    standardize: 'robust',
    ...(!hasLayers(config.network) && { ...embedded, ...validationFor(config) }),
  };
}

/**
 * From so many networks on, each holds out a fold if the config has no validation rows: magic 10.8 to 10.4 %,
 * hotel 0.198 to 0.191, diamonds 0.143 to 0.138 with eight. Fewer would miss much of the data.
 */
const LEAST_FOLDS = 5;

function validationFor({ network, data, training }: JsonObject) {
  const members = membersOf(network);
  const isOpen = isObject(data) && data.validation === undefined && !Array.isArray(data.target);
  const isRefitted = isObject(training) && training.refit === true;
  const isMany = typeof members === 'number' && Number.isInteger(members) && members >= LEAST_FOLDS;
  return isOpen && !isRefitted && isMany ? { validation: { folds: members } } : {};
}

/**
 * Categories of so many levels and more are embedded; others have an input for each level. Numbers
 * that many rows share are not embedded in the paper; on adult they take the error from 13.7 to 12.4 %.
 */
const MANY_LEVELS = 9;

function membersOf(network: unknown): unknown {
  return isObject(network) ? network.members : undefined;
}

function hasLayers(network: unknown): boolean {
  return !(network === undefined || (isObject(network) && network.layers === undefined));
}

/** Adds the defaults that are missing, inside objects too; of two types, the own one counts alone. */
function fill(own: unknown, defaults: JsonObject): unknown {
  if (own === undefined) return defaults;
  if (!isObject(own)) return own;
  if (own.type !== undefined && own.type !== defaults.type) return own;
  const filled = Object.entries(defaults).map(([key, value]) => [
    key,
    isObject(value) ? fill(own[key], value) : (own[key] ?? value),
  ]);
  return { ...own, ...Object.fromEntries(filled) };
}

/** @param recipe checked: `beforeData` comes first */
function withNetwork(own: unknown, facts: TableFacts, recipe: Recipe): unknown {
  const members = membersOf(own);
  // A number says how many networks there are, not what each of them is.
  const networks = members ?? facts.folds;
  const shares = hasFewFoldedClasses(facts) && typeof networks === 'number' && networks > 1;
  const { members: _, ...rest } = isObject(own) ? own : {};
  const filled = networkFor(facts, recipe, shares ? { ...SHARING, networks } : undefined);
  return fill(shares ? rest : own, filled);
}

/** @param sharing batch ensembles, if they are the members */
function networkFor(facts: TableFacts, recipe: Recipe, sharing: object | undefined) {
  const { outputs, rows, folds, numbers, levels } = facts;
  const embeddings = embeddingFor(facts);
  const usual = defaultsFor(facts);
  const width = sharing ? SHARED_WIDTH : usual.width;
  const {
    hidden = [width, width, width],
    activation = usual.activation,
    dropout = usual.dropout,
    embedding = embeddings.kind,
    embeddingStd,
    scale = true,
  } = recipe;
  const linear = (units: number) => ({
    type: 'linear',
    units,
    parametrization: 'ntk',
    init: { type: 'unit-variance' },
    biasInit: { type: 'he+5' },
  });
  const hasFrequencies = embedding === 'pbld' || embedding === 'periodic';
  const embedded = {
    type: 'numeric-embedding',
    ...(embedding === embeddings.kind ? embeddings : { kind: embedding }),
    ...(hasFrequencies && embeddingStd !== undefined && { std: embeddingStd }),
  };
  return {
    layers: [
      ...(levels ? [{ type: 'embedding' }] : []),
      ...(numbers > 0 && embedding !== 'none' ? [embedded] : []),
      ...(scale ? [{ type: 'scale' }] : []),
      ...hidden.flatMap((units) => [
        linear(units),
        activation === 'relu' ? { type: activation } : { type: activation, parametric: true },
        ...(dropout > 0 ? [{ type: 'dropout', rate: dropout }] : []),
      ]),
      linear(outputs),
    ],
    members: sharing ?? folds ?? membersFor(rows),
  };
}

function hasFoldedClasses({ task, folds }: TableFacts): boolean {
  return (task === 'binary' || task === 'multiclass') && folds !== undefined;
}

function hasFewFoldedClasses(facts: TableFacts): boolean {
  return hasFoldedClasses(facts) && facts.rows <= FOLDED_ROWS.classes;
}

/**
 * For classes of few rows, each fold has a batch ensemble in place of a single network. With half the units, two members
 * take four fifths of the time of a network of 256; three take as long, and have 0.98 of the error of two. A regression
 * has 1.06 times the error with a batch ensemble, and magic, which has 14,000 rows, 1.04 times.
 */
const SHARING = { count: 2, kind: 'batch-ensemble' };
const SHARED_WIDTH = 128;

/** Classes with more numbers than this, such as pixels, do better by cosines: satimage, which has 36, 7.5 % and by bins 8.5. */
const MOST_BINNED = 20;

/**
 * How numbers are embedded. Trees tell a value from its neighbours, and from bins a small table's network does, too: concrete 0.313
 * to 0.290 of its deviation, ames 0.377 to 0.376, over three seeds. Of classes, nineteen tables of R have 0.88 of the
 * error (fishing 3.0 to 0.3 %, the others 0.98), four of the benchmark 1.01. Fewer outputs than by default take less time.
 */
function embeddingFor(facts: TableFacts): { kind: string; size?: number } {
  if (isSmallRegression(facts.task, facts.rows)) return { kind: 'piecewise-linear', size: 8 };
  const isBinned = hasFewFoldedClasses(facts) && facts.numbers <= MOST_BINNED;
  return isBinned ? { kind: 'piecewise-linear', size: 4 } : { kind: 'pbld' };
}

interface Defaults {
  readonly width: number;
  readonly activation: string;
  readonly dropout: number;
  readonly learningRate: number;
  readonly epochs: number | 'auto';
}

const CLASSES: Defaults = {
  width: 256,
  activation: 'selu',
  dropout: 0.15,
  learningRate: 0.04,
  epochs: 'auto',
};
/** Products skip the zeros of relu: with 40,000 rows it takes half of the time of parametric mish, which the paper has, and has no more of the error. */
const REGRESSION: Defaults = { ...CLASSES, activation: 'relu', learningRate: 0.2 };
/**
 * Few rows make few steps, so there are more epochs. Narrower layers and no dropout, which both change little by
 * themselves, pay for that. With 96 epochs of parametric mish and a rate of 0.2, thirteen tables of R take 1.45 times the
 * time, and have 1.015 of the error.
 */
const SMALL_REGRESSION: Defaults = {
  ...REGRESSION,
  width: 192,
  dropout: 0,
  learningRate: 0.16,
  epochs: 112,
};

/** What the network and its training are like; the paper knows no small regressions. */
function defaultsFor({ task, rows }: TableFacts): Defaults {
  if (isSmallRegression(task, rows)) return SMALL_REGRESSION;
  return task === 'regression' ? REGRESSION : CLASSES;
}

/** More rows were not tried. */
function isSmallRegression(task: Task, rows: number): boolean {
  return task === 'regression' && rows <= FOLDED_ROWS.regression;
}

/**
 * Of up to so many rows, mlp init lets each of five members hold out another fold: concrete 0.290 to 0.272 of
 * its deviation, hotel 0.198 to 0.195. With 40,000 rows of diamonds and 44,000 of movies, this and the recipe of small regressions take
 * 0.1347 to 0.1312 and 0.860 to 0.850, in as much time or less. Members of more rows cost more. With more rows of classes, single members, by which
 * the epoch is chosen with folds, do not tell when their average is best: magic 10.8 to 10.9 %.
 */
export const FOLDED_ROWS = { regression: 50_000, classes: 10_000 };
export const FOLDS = 5;

/** Fewer members where each takes long: their gain is largest where rows are few. */
function membersFor(rows: number): number {
  return rows <= 20_000 ? 4 : rows <= 100_000 ? 2 : 1;
}

const EPOCHS = { least: 8, most: 64 };
/** Rows times epochs that a run of a few minutes can afford. */
const ROWS_SEEN = 4_000_000;

/** As many as are affordable, up to a number from which on more bring little. */
function epochsFor({ rows }: Pick<TableFacts, 'rows'>): number {
  return Math.max(EPOCHS.least, Math.min(EPOCHS.most, Math.round(ROWS_SEEN / rows)));
}

const OPTIMIZER = 'adamw';

function trainingFor(facts: TableFacts) {
  const { task, rows, folds } = facts;
  const { epochs, learningRate } = defaultsFor(facts);
  const isFoldedRegression = isSmallRegression(task, rows) && folds !== undefined;
  const monitor = hasFewFoldedClasses(facts) ? CALM_LOSS : isFoldedRegression ? 'validation_loss' : undefined;
  return {
    epochs,
    batchSize: 'auto',
    optimizer: {
      type: OPTIMIZER,
      learningRate,
      beta2: 0.95,
      weightDecay: decayFor(facts),
      weightDecaySchedule: 'flat-cosine',
    },
    schedule: { type: 'coslog' },
    dropoutSchedule: 'flat-cosine',
    evaluateRows: Math.min(Math.max(EVALUATED.least, Math.round(rows * EVALUATED.share)), EVALUATED.most),
    ...(task === 'regression' && { clipPredictions: true }),
    rates: { bias: 0.1, scale: 6, slope: 0.1, embedding: 0.1 },
    ...(hasFoldedClasses(facts) && { keepMonitor: CALM_LOSS }),
    ...(monitor && { earlyStopping: { cycleGain: CYCLE_GAIN, monitor } }),
  };
}

/**
 * The paper has 0.02. Ten times as much is better for classes, since they have no label smoothing here,
 * and for a regression of many inputs: 0.02 takes ames, with 247, from 0.37 to 0.39 of its deviation. Nine
 * tables of R, of fewer inputs, have 0.91 of the error with 0.02, and concrete 0.98.
 */
function decayFor({ task, rows, inputs }: TableFacts): number {
  return isSmallRegression(task, rows) && inputs <= 100 ? 0.02 : 0.2;
}

/**
 * A single member becomes too sure of itself long before their average does: by its plain loss, too
 * early an epoch would be kept (satimage 9.3 instead of 7.4 %).
 */
const CALM_LOSS = 'validation_calibrated_loss';

/**
 * The last cycle is half of the training, and of little use where the one before it gained little. Of nineteen
 * tables of classes, twelve gained less than 2 % of the loss in the third cycle, and none of them more than 0.4 % in
 * the fourth; six of the other seven gained 1.5 to 20 %. Of eleven regressions, six gained nothing in either, and
 * five in both.
 */
const CYCLE_GAIN = 0.02;

/** Training rows that are evaluated after an epoch, enough to draw a curve: all would take a quarter of the time. */
const EVALUATED = { share: 1 / 8, least: 100, most: 1000 };

/**
 * More rows, larger batches: fewer steps, and each is faster for its size. At most all rows. A member
 * that holds out a fold sees as many rows of a batch as it would without folds.
 */
function batchFor({ rows, folds }: Pick<TableFacts, 'rows' | 'folds'>): number {
  const share = folds === undefined ? 1 : 1 - 1 / folds;
  const [, size] = [
    [1024, 64],
    [8192, 128],
    [30_000, 256],
    [100_000, 512],
  ].find(([most]) => share * rows <= most) ?? [0, 1024];
  return Math.min(Math.round(size / share), rows);
}
