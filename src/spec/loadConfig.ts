/** Train configs and network specs: read, overridden by `--set`, checked, filled with defaults. */
import { dirname, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { printable, quote, shorten } from '../text.js';
import { isObject, maxDepth, parseJson, readJson } from './json.js';
import { expandNetwork } from './layerSpec.js';
import {
  checkSchema,
  formatLocation,
  formatPath,
  type Locate,
  type Location,
  type Path,
  showValue,
  suggest,
  valueAt,
} from './messages.js';
import { type NetworkSpec, networkSchema } from './networkSpec.js';
import { keyHomes, type TrainConfig, trainSchema } from './trainConfig.js';

export interface LoadedTrainConfig {
  config: TrainConfig;
  /** The config file, as the user named it. */
  path: string;
  /** SHA-256 of the file as it was read; absent for a config in memory. */
  sha256?: string;
  /** The config's folder: the paths of its data are relative to it. */
  directory: string;
  /** Where the network is written: in the config, or in the spec file that it names. */
  networkLocation: Location;
}

export interface LoadedNetworkSpec {
  network: NetworkSpec;
  path: string;
  directory: string;
  networkLocation: Location;
  /** The whole config, if the file is one. */
  config?: TrainConfig;
  /** Of the config, if the file is one. */
  batchSize?: number;
}

/**
 * Loads a train config with `overrides` from `--set`; a network given as a path is read from there.
 * @throws MlpError ExitCode.noInput, noPermission or io if a file can't be read, config for a
 * mistake in it, usage for a wrong override
 */
export function loadTrainConfig(path: string, overrides: readonly string[] = []): LoadedTrainConfig {
  let sha256 = '';
  const value = readJson(path, (hash) => {
    sha256 = hash;
  });
  return { ...checkTrainConfig(value, path, overrides.map(parseOverride)), sha256 };
}

/**
 * Loads a network spec, or the network of a train config.
 * @throws MlpError as `loadTrainConfig` does, and ExitCode.config if the file is neither
 */
export function loadNetworkSpec(path: string, overrides: readonly string[] = []): LoadedNetworkSpec {
  const value = readJson(path);
  const parsed = overrides.map(parseOverride);
  if (isObject(value) && Object.hasOwn(value, 'network')) {
    const loaded = checkTrainConfig(value, path, parsed);
    const { network, training } = loaded.config;
    return { ...loaded, network, batchSize: training.batchSize };
  }
  if (!isObject(value) || !Object.hasOwn(value, 'layers')) throw neither(path, value);

  const whole = { file: path, path: [] };
  const before = expandNetwork(value, whole);
  const spec = expandNetwork(applyOverrides(before, parsed), whole);
  const network = checkSchema(
    networkSchema,
    spec,
    (at) => overriddenLocation(at, parsed, before) ?? { file: path, path: at },
    new Map([['layers', 'layers']]),
  );
  return { network, path, directory: dirname(path), networkLocation: { file: path, path: [] } };
}

/**
 * Checks a config in memory. `path` is its name in errors; its paths are relative to that folder.
 * @throws MlpError as `loadTrainConfig` does
 */
export function checkTrainConfig(
  value: unknown,
  path = 'config',
  overrides: readonly Override[] = [],
): LoadedTrainConfig {
  if (isObject(value) && !Object.hasOwn(value, 'network') && Object.hasOwn(value, 'layers')) {
    throw new MlpError(
      ExitCode.config,
      `${printable(path)}: found a network spec, expected a train config`,
      'write a config that has the path of this spec as "network", and "data"',
    );
  }
  const directory = dirname(path);
  // Read before the overrides, which then reach into it, unless one names another file.
  const isReplaced = overrides.some(({ path: set }) => formatPath(set) === 'network');
  const own: WithNetwork = isReplaced ? { config: value } : withNetwork(value, directory);
  const before = expandConfig(own.config, locationOf(own.networkFile, path));
  const set = withNetwork(applyOverrides(before, overrides), directory);
  const networkFile = set.networkFile ?? own.networkFile;
  const networkLocation = locationOf(networkFile, path);

  const locate: Locate = (at) =>
    overriddenLocation(at, overrides, before) ??
    (at[0] === 'network' && networkFile !== undefined
      ? { file: networkFile, path: at.slice(1) }
      : { file: path, path: at });
  const config = checkSchema(trainSchema, expandConfig(set.config, networkLocation), locate, keyHomes);
  return { config, path, directory, networkLocation };
}

function locationOf(networkFile: string | undefined, config: string): Location {
  return networkFile === undefined ? { file: config, path: ['network'] } : { file: networkFile, path: [] };
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
  networkFile?: string;
}

/** `config` with the content of the spec file, if its network is a path. */
function withNetwork(config: unknown, directory: string): WithNetwork {
  if (!isObject(config) || typeof config.network !== 'string' || config.network === '') return { config };
  const networkFile = isAbsolute(config.network) ? config.network : join(directory, config.network);
  return { config: { ...config, network: readJson(networkFile) }, networkFile };
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

function neither(path: string, value: unknown): MlpError {
  const keys = isObject(value) ? Object.keys(value) : [];
  const near = keys.map((key) => suggest(key, ['layers', 'network'])).find((hint) => hint !== undefined);
  return new MlpError(
    ExitCode.config,
    `${formatLocation({ file: path, path: [] })}: found neither "layers" (a network spec) nor "network" (a train config)`,
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
  const path: (string | number)[] = [];
  const step = /\.?([^.[\]\s=]+)|\[(\d{1,9})\]/y;
  while (step.lastIndex < key.length) {
    const start = step.lastIndex;
    const match = step.exec(key);
    const dotIsWrong = match?.[1] !== undefined && (start === 0) === match[0].startsWith('.');
    if (match === null || dotIsWrong) throw usage(text, `found ${quote(key)}`);
    path.push(match[1] ?? Number(match[2]));
  }
  if (typeof path[0] !== 'string') throw usage(text, key === '' ? 'found no key' : `found ${quote(key)}`);
  if (path.length > maxDepth) throw usage(text, `found a key of ${path.length} parts`);
  return path;
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
