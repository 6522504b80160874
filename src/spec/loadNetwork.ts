/** Network specs in files of their own. Loads no schema of a train config: that takes longer than everything here. */
import { dirname } from 'node:path';
import { ExitCode, MlpError } from '../errors.js';
import { isObject, type JsonFile } from './json.js';
import { expandNetwork } from './layerSpec.js';
import {
  checkSchema,
  formatLocation,
  type Locate,
  type Location,
  suggest,
  type Where,
  whereBy,
} from './messages.js';
import { type NetworkSpec, networkSchema } from './networkSpec.js';
import { applyOverrides, overriddenLocation, parseOverride } from './overrides.js';
import { hasPreset } from './preset.js';

export interface LoadedNetwork {
  network: NetworkSpec;
  path: string;
  directory: string;
  /** Names a place in the network. */
  where: Where;
}

/** Whether what a file holds is meant as a train config, and no network spec. */
export function isTrainConfig(value: unknown): boolean {
  return isObject(value) && (Object.hasOwn(value, 'network') || hasPreset(value));
}

/**
 * Checks what a file of a network spec holds.
 * @throws MlpError ExitCode.config for a mistake in it or if it is none, usage for a wrong override
 */
export function checkNetworkFile(
  { value, text }: JsonFile,
  path: string,
  overrides: readonly string[] = [],
): LoadedNetwork {
  const whole = { file: path, path: [], text };
  if (!isObject(value) || !Object.hasOwn(value, 'layers')) throw neither(whole, value);

  const parsed = overrides.map(parseOverride);
  const before = expandNetwork(value, whole);
  const spec = expandNetwork(applyOverrides(before, parsed), whole);
  const locate: Locate = (at) => overriddenLocation(at, parsed, before) ?? { ...whole, path: at };
  const network = checkSchema(networkSchema, spec, locate, new Map([['layers', 'layers']]));
  return { network, path, directory: dirname(path), where: whereBy(locate) };
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
