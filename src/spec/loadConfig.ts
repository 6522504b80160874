/** Train configs and network specs: read, overridden by `--set`, checked, filled with defaults. */
import { dirname, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { printable, quote, shorten, showValue } from '../text.js';
import { isObject, type JsonFile, maxDepth, parseJson, readJson } from './json.js';
import { expandNetwork } from './layerSpec.js';
import {
  checkSchema,
  formatLocation,
  formatPath,
  type Locate,
  type Location,
  type Path,
  suggest,
  valueAt,
  type Where,
} from './messages.js';
import { type NetworkSpec, networkSchema } from './networkSpec.js';
import {
  afterData,
  beforeData,
  dependsOnData,
  hasPreset,
  hasUselessRecipe,
  type TableFacts,
} from './preset.js';
import { keyHomes, type TrainConfig, trainSchema } from './trainConfig.js';

export interface LoadedTrainConfig {
  config: TrainConfig;
  /** The config file, as the user named it. */
  path: string;
  /** SHA-256 of the file as it was read; absent for a config in memory. */
  sha256?: string;
  /** The config's folder: the paths of its data are relative to it. */
  directory: string;
  /** Names a place in the config, which may be in its spec file or in `--set`. */
  where: Where;
  /** The config as it was written, with its network and the overrides in place; without defaults. */
  written: Pick<TrainConfig, 'data'>;
  /** For a config with a preset or a length "auto": the whole, when the data are known. See `completed`. */
  complete?: (facts: TableFacts) => TrainConfig;
}

/** The config of a run, once its data are known: they determine network and training. */
export function completed(loaded: LoadedTrainConfig, facts: () => TableFacts): LoadedTrainConfig {
  const { complete, ...rest } = loaded;
  if (!complete) return loaded;
  const { network, training } = complete(facts());
  const { preset: _, recipe: __, ...config } = rest.config;
  // A resumed run starts from its own copy, whatever the file says.
  const { from } = config.training;
  return { ...rest, config: { ...config, network, training: { ...training, ...(from && { from }) } } };
}

export interface LoadedNetworkSpec {
  network: NetworkSpec;
  path: string;
  directory: string;
  /** Names a place in the network. */
  where: Where;
  /** The whole config, if the file is one. */
  train?: LoadedTrainConfig;
}

/**
 * Loads a train config with `overrides` from `--set`; a network given as a path is read from there.
 * @throws MlpError ExitCode.noInput, noPermission or io if a file can't be read, config for a
 * mistake in it, usage for a wrong override
 */
export function loadTrainConfig(path: string, overrides: readonly string[] = []): LoadedTrainConfig {
  return checkConfigFile(readJson(path), path, overrides);
}

/** @throws MlpError as `loadTrainConfig` does */
export function checkConfigFile(
  { value, text, sha256 }: JsonFile,
  path: string,
  overrides: readonly string[] = [],
): LoadedTrainConfig {
  return { ...checkTrainConfig(value, path, overrides.map(parseOverride), text), sha256 };
}

/**
 * Loads a network spec, or the network of a train config.
 * @throws MlpError as `loadTrainConfig` does, and ExitCode.config if the file is neither
 */
export function loadNetworkSpec(path: string, overrides: readonly string[] = []): LoadedNetworkSpec {
  const file = readJson(path);
  const { value, text } = file;
  if (isObject(value) && (Object.hasOwn(value, 'network') || hasPreset(value))) {
    const train = checkConfigFile(file, path, overrides);
    const { config, directory } = train;
    const where: Where = (at, key) => train.where(['network', ...at], key);
    return { network: config.network, path, directory, where, train };
  }
  const whole = { file: path, path: [], text };
  if (!isObject(value) || !Object.hasOwn(value, 'layers')) throw neither(whole, value);

  const parsed = overrides.map(parseOverride);
  const before = expandNetwork(value, whole);
  const spec = expandNetwork(applyOverrides(before, parsed), whole);
  const locate: Locate = (at) => overriddenLocation(at, parsed, before) ?? { ...whole, path: at };
  const network = checkSchema(networkSchema, spec, locate, new Map([['layers', 'layers']]));
  return { network, path, directory: dirname(path), where: whereBy(locate) };
}

/**
 * Checks a config in memory. `path` is its name in errors; its paths are relative to that folder.
 * @param text the file's text, for a config from a file
 * @throws MlpError as `loadTrainConfig` does
 */
export function checkTrainConfig(
  value: unknown,
  path = 'config',
  overrides: readonly Override[] = [],
  text?: string,
): LoadedTrainConfig {
  const file = { file: path, text };
  if (isObject(value) && !Object.hasOwn(value, 'network') && Object.hasOwn(value, 'layers')) {
    throw new MlpError(
      ExitCode.config,
      `${formatLocation({ ...file, path: [] })}: found a network spec, expected a train config`,
      'write a config that has the path of this spec as "network", and "data"',
    );
  }
  const directory = dirname(path);
  // Read before the overrides, which then reach into it, unless one names another file.
  const isReplaced = overrides.some(({ path: set }) => formatPath(set) === 'network');
  const own: WithNetwork = isReplaced ? { config: value } : withNetwork(value, directory);
  const before = expandConfig(own.config, own.networkFile ?? { ...file, path: ['network'] });
  const set = withNetwork(applyOverrides(before, overrides), directory);
  const networkFile = set.networkFile ?? own.networkFile;
  const expanded = expandConfig(set.config, networkFile ?? { ...file, path: ['network'] });

  const locate: Locate = (at) => {
    const inNetworkFile = at[0] === 'network' && networkFile && { ...networkFile, path: at.slice(1) };
    // An override that names a file is not what is wrong in it.
    const isSet = !(set.networkFile && inNetworkFile) && overriddenLocation(at, overrides, before);
    return isSet || inNetworkFile || { ...file, path: at };
  };
  const check = (config: unknown) => checkSchema(trainSchema, config, locate, keyHomes);
  const loaded = { path, directory, where: whereBy(locate), written: expanded as Pick<TrainConfig, 'data'> };
  if (!dependsOnData(expanded)) return { ...loaded, config: check(expanded) };
  if (hasUselessRecipe(expanded)) {
    const place = loaded.where(['recipe']);
    throw new MlpError(
      ExitCode.config,
      `${place}: found a recipe beside network.layers, expected one of the two`,
      'the recipe changes the network of the preset, which your layers replace',
    );
  }
  return {
    ...loaded,
    config: check(beforeData(expanded)),
    complete: (facts) => check(afterData(expanded, facts)),
  };
}

function whereBy(locate: Locate): Where {
  return (path, key) => formatLocation(locate(path), key);
}

/**
 * `value`, a train config, with the layers of its network written out.
 * @throws MlpError as `expandNetwork`, which names `location`
 */
export function expandConfig(value: unknown, location?: Location) {
  return isObject(value) && 'network' in value
    ? { ...value, network: expandNetwork(value.network, location) }
    : value;
}

interface WithNetwork {
  config: unknown;
  networkFile?: Location;
}

/** `config` with the content of the spec file, if its network is a path. */
function withNetwork(config: unknown, directory: string): WithNetwork {
  if (!isObject(config) || typeof config.network !== 'string' || config.network === '') return { config };
  const file = isAbsolute(config.network) ? config.network : join(directory, config.network);
  const { value, text } = readJson(file);
  return { config: { ...config, network: value }, networkFile: { file, path: [], text } };
}

/** `--set` as the location of a value that an override set; `before` lacks the overrides. */
function overriddenLocation(
  path: Path,
  overrides: readonly Override[],
  before: unknown,
): Location | undefined {
  const isOverridden = overrides.some(({ path: set }) => {
    const isAlongTheWay = set.slice(0, path.length).every((key, level) => key === path[level]);
    return isAlongTheWay && (set.length <= path.length || valueAt(before, path) === undefined);
  });
  return isOverridden ? { file: '--set', path } : undefined;
}

function neither(whole: Location, value: unknown): MlpError {
  const keys = isObject(value) ? Object.keys(value) : [];
  const near = keys.map((key) => suggest(key, ['layers', 'network'])).find((hint) => hint !== undefined);
  return new MlpError(
    ExitCode.config,
    `${formatLocation(whole)}: found neither "layers" (a network spec) nor "network" (a train config)`,
    keys.includes('nodes') ? 'this looks like a graph: mlp gradcheck reads it' : near,
  );
}

interface Override {
  path: Path;
  value: unknown;
  text: string;
}

/** @throws MlpError ExitCode.usage unless it is `network.layers[0].units=…`: JSON or a string */
export function parseOverride(text: string): Override {
  const equals = text.indexOf('=');
  if (equals === -1) throw usage(text, 'found no "="');
  return {
    path: parsePath(text.slice(0, equals), text),
    value: parseValue(text.slice(equals + 1), text),
    text,
  };
}

/**
 * A copy of `json` with the overrides set in order. Missing objects and arrays are made; an array
 * may grow by one. Setting `training.epochs` or `steps` removes the other.
 * @throws MlpError ExitCode.usage if a path leads through a value that is no object or array
 */
export function applyOverrides(json: unknown, overrides: readonly (string | Override)[]): unknown {
  const parsed = overrides.map((override) =>
    typeof override === 'string' ? parseOverride(override) : override,
  );
  const root = structuredClone(json);
  if (!isObject(root)) return root;
  if (isObject(root.training)) {
    const isSet = (key: string) => parsed.some(({ path }) => formatPath(path) === `training.${key}`);
    if (isSet('steps')) delete root.training.epochs;
    if (isSet('epochs')) delete root.training.steps;
  }
  for (const override of parsed) setAt(root, override);
  return root;
}

function setAt(root: Record<string, unknown>, { path, value, text }: Override): void {
  let parent: unknown = root;
  for (const [level, key] of path.entries()) {
    checkStep(parent, key, path.slice(0, level), text);
    if (level === path.length - 1) {
      define(parent, key, structuredClone(value));
      return;
    }
    let child: unknown = Object.hasOwn(parent, key)
      ? (parent as Record<string | number, unknown>)[key]
      : undefined;
    if (child === undefined || child === null) {
      child = typeof path[level + 1] === 'number' ? [] : {};
      define(parent, key, child);
    }
    parent = child;
  }
}

/** Checks that `key` can be set in `parent`, the value at `path`. */
function checkStep(
  parent: unknown,
  key: string | number,
  path: Path,
  text: string,
): asserts parent is object {
  if (typeof key === 'string') {
    if (!isObject(parent)) throw mismatch(parent, 'an object', path, text);
  } else {
    if (!Array.isArray(parent)) throw mismatch(parent, 'an array', path, text);
    if (key > parent.length) {
      throw new MlpError(
        ExitCode.usage,
        `--set ${shown(text)}: found the index ${key}, expected at most ${parent.length}: ${formatPath(path)} has ${parent.length} elements`,
      );
    }
  }
}

/** Sets a key. Assignment to `__proto__` would change the prototype instead. */
function define(target: object, key: string | number, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

function parsePath(key: string, text: string): Path {
  const path = pathOf(key);
  if (path === undefined) throw usage(text, key === '' ? 'found no key' : `found ${quote(key)}`);
  if (path.length > maxDepth) throw usage(text, `found a key of ${path.length} parts`);
  return path;
}

/** The path that `training.epochs` or `network.layers[0].units` names; undefined for another text. */
export function pathOf(key: string): Path | undefined {
  const path: (string | number)[] = [];
  const step = /\.?([^.[\]\s=]+)|\[(\d{1,9})\]/y;
  while (step.lastIndex < key.length) {
    const start = step.lastIndex;
    const match = step.exec(key);
    const dotIsWrong = match?.[1] !== undefined && (start === 0) === match[0].startsWith('.');
    if (match === null || dotIsWrong) return undefined;
    path.push(match[1] ?? Number(match[2]));
  }
  return typeof path[0] === 'string' ? path : undefined;
}

function parseValue(value: string, text: string): unknown {
  try {
    return parseJson(value, `--set ${shown(text)}`);
  } catch (error) {
    const isMeantAsJson = /^\s*[[{"]/.test(value);
    if (!isMeantAsJson || !(error instanceof MlpError)) return value;
    throw new MlpError(ExitCode.usage, error.message, error.hint, { cause: error });
  }
}

function mismatch(found: unknown, expected: string, path: Path, text: string): MlpError {
  return new MlpError(
    ExitCode.usage,
    `--set ${shown(text)}: ${formatPath(path)} is ${showValue(found)}, expected ${expected}`,
  );
}

function usage(text: string, found: string): MlpError {
  return new MlpError(
    ExitCode.usage,
    `--set ${shown(text)}: ${found}, expected key=value with a key such as training.epochs or network.layers[0].units`,
  );
}

function shown(text: string): string {
  return printable(shorten(text));
}
