/** Train configs and network specs from their files: read, overridden, checked, every default filled in. */
import { dirname, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';
import { checkSchema, type Locate, valueAt } from './issues.js';
import { readJson } from './json.js';
import type { NetworkSpec } from './network.js';
import { networkSchema } from './networkSchema.js';
import { applyOverrides, type Override, parseOverride } from './override.js';
import { expandConfig, expandNetwork, isObject } from './shorthand.js';
import { formatPath, formatPlace, type Path, type Place } from './show.js';
import { suggest } from './suggest.js';
import type { TrainConfig } from './train.js';
import { keyHomes, trainSchema } from './trainSchema.js';

export interface LoadedTrainConfig {
  config: TrainConfig;
  /** The config file, as it was named. */
  path: string;
  /** The config's folder, which the paths of its data are relative to. */
  directory: string;
  /** Where the network was written: in the config, or in the spec file that it names. */
  networkPlace: Place;
}

export interface LoadedNetworkSpec {
  network: NetworkSpec;
  path: string;
  directory: string;
  networkPlace: Place;
  /** The whole config, where the file was one. */
  config?: TrainConfig;
  /** The config's, where the file was one. */
  batchSize?: number;
}

/**
 * Loads a train config. `overrides` are the texts of `--set`. Where its network is a path, that spec takes its place.
 * Throws MlpError: noInput, noPermission or io for a file that can't be read, config for what is wrong in it, usage for a wrong override.
 */
export function loadTrainConfig(path: string, overrides: readonly string[] = []): LoadedTrainConfig {
  return checkConfig(path, readJson(path).value, overrides.map(parseOverride));
}

/** Loads a network spec, or the network of a train config. Throws as `loadTrainConfig` does, and where the file is neither. */
export function loadNetworkSpec(path: string, overrides: readonly string[] = []): LoadedNetworkSpec {
  const { value } = readJson(path);
  const parsed = overrides.map(parseOverride);
  if (isObject(value) && Object.hasOwn(value, 'network')) {
    const loaded = checkConfig(path, value, parsed);
    const { network, training } = loaded.config;
    return { ...loaded, network, batchSize: training.batchSize };
  }
  if (!isObject(value) || !Object.hasOwn(value, 'layers')) throw neither(path, value);

  const before = expandNetwork(value);
  const spec = expandNetwork(applyOverrides(before, parsed));
  const network = checkSchema(
    networkSchema,
    spec,
    (at) => overriddenPlace(at, parsed, before) ?? { file: path, path: at },
  );
  return { network, path, directory: dirname(path), networkPlace: { file: path, path: [] } };
}

function checkConfig(path: string, value: unknown, overrides: readonly Override[]): LoadedTrainConfig {
  if (isObject(value) && !Object.hasOwn(value, 'network') && Object.hasOwn(value, 'layers')) {
    throw new MlpError(
      ExitCode.config,
      `${printable(path)}: found a network spec, expected a train config`,
      'write a config with the path of this spec as its "network", and with "data" beside it',
    );
  }
  const directory = dirname(path);
  // A spec file takes its place before the overrides, so that they reach into it, unless one of them names another file.
  const isReplaced = overrides.some(({ path: set }) => formatPath(set) === 'network');
  const own: WithNetwork = isReplaced ? { config: value } : withNetwork(value, directory);
  const before = expandConfig(own.config);
  const set = withNetwork(applyOverrides(before, overrides), directory);
  const networkFile = set.networkFile ?? own.networkFile;
  const networkPlace: Place =
    networkFile === undefined ? { file: path, path: ['network'] } : { file: networkFile, path: [] };

  const locate: Locate = (at) =>
    overriddenPlace(at, overrides, before) ??
    (at[0] === 'network' && networkFile !== undefined
      ? { file: networkFile, path: at.slice(1) }
      : { file: path, path: at });
  const config = checkSchema(trainSchema, expandConfig(set.config), locate, keyHomes);
  return { config, path, directory, networkPlace };
}

interface WithNetwork {
  config: unknown;
  networkFile?: string;
}

/** `config` with the spec file in place, where its network is a path. */
function withNetwork(config: unknown, directory: string): WithNetwork {
  if (!isObject(config) || typeof config.network !== 'string' || config.network === '') return { config };
  const networkFile = isAbsolute(config.network) ? config.network : join(directory, config.network);
  return { config: { ...config, network: readJson(networkFile).value }, networkFile };
}

/**
 * The command line, where the value at `path` was set by an override, or is an object that an override made on its way.
 * `before` is the document without them.
 */
function overriddenPlace(path: Path, overrides: readonly Override[], before: unknown): Place | undefined {
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
    `${formatPlace({ file: path, path: [] })}: found neither "layers", as a network spec has, nor "network", as a train config has`,
    keys.includes('nodes') ? 'this looks like a graph: mlp gradcheck reads it' : near,
  );
}
