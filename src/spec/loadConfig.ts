/** Train configs: read, overridden by `--set`, checked, filled with defaults. */
import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { isObject, type JsonFile, readJson } from './json.js';
import { expandNetwork } from './layerSpec.js';
import { checkNetworkFile, isTrainConfig, type LoadedNetwork } from './loadNetwork.js';
import {
  checkSchema,
  formatLocation,
  formatPath,
  type Locate,
  type Location,
  type Where,
  whereBy,
} from './messages.js';
import { applyOverrides, type Override, overriddenLocation, parseOverride } from './overrides.js';
import { afterData, beforeData, dependsOnData, hasUselessRecipe, type TableFacts } from './preset.js';
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
  file: JsonFile,
  path: string,
  overrides: readonly string[] = [],
): LoadedTrainConfig {
  const { value, text } = file;
  return { ...checkTrainConfig(value, path, overrides.map(parseOverride), text), sha256: sha256Of(file) };
}

/** Of a file as it was read. */
export function sha256Of({ bytes }: JsonFile): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface LoadedNetworkSpec extends LoadedNetwork {
  /** The whole config, if the file is one. */
  train?: LoadedTrainConfig;
}

/**
 * Loads a network spec, or the network of a train config.
 * @throws MlpError as `loadTrainConfig` does, and ExitCode.config if the file is neither
 */
export function loadNetworkSpec(path: string, overrides: readonly string[] = []): LoadedNetworkSpec {
  const file = readJson(path);
  const check = isTrainConfig(file.value) ? checkNetworkOfConfig : checkNetworkFile;
  return check(file, path, overrides);
}

/** @throws MlpError as `loadTrainConfig` does */
export function checkNetworkOfConfig(
  file: JsonFile,
  path: string,
  overrides: readonly string[] = [],
): LoadedNetworkSpec {
  const train = checkConfigFile(file, path, overrides);
  const { config, directory } = train;
  const where: Where = (at, key) => train.where(['network', ...at], key);
  return { network: config.network, path, directory, where, train };
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
