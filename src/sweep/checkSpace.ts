/** Checks before anything is trained that each value of a space makes a config. */

import { ExitCode, MlpError } from '../errors.js';
import { RandomState } from '../random/randomState.js';
import { checkTrainConfig, type LoadedTrainConfig } from '../spec/loadConfig.js';
import type { Where } from '../spec/messages.js';
import { parseOverride } from '../spec/overrides.js';
import { showValue } from '../text.js';
import { drawUniform } from './distribution.js';
import type { Parameter, Point, PointSetting, Space } from './space.js';

/** What no config has with so many values of the other settings, none is likely to have. */
const ATTEMPTS = 20;

/**
 * The config with settings of a space.
 * @throws MlpError ExitCode.config, or usage for a path that leads through a value
 */
export function configWith(
  base: unknown,
  path: string,
  settings: readonly PointSetting[],
): LoadedTrainConfig {
  const overrides = settings.map(({ path, value }) => `${path}=${JSON.stringify(value)}`);
  return checkTrainConfig(base, path, overrides.map(parseOverride));
}

/**
 * @param base the JSON of the train config, whose name is `path`
 * @param where names places of the sweep
 * @throws MlpError ExitCode.config for a path that no config has, and a value that it can't have
 */
export function checkSpace(space: Space, base: unknown, path: string, where: Where): void {
  const random = new RandomState(0);
  for (const parameter of space.parameters) {
    for (const value of extremesOf(parameter)) {
      const draw = () => space.settingsOf(pointWith(space, parameter, value, random));
      // The path is the part of the name before the indices of nested choices.
      const own = draw().filter(({ path }) => parameter.name.startsWith(path));
      const fault = faultOf(base, path, own);
      // What the base does not take alone, it may take with other settings of the space.
      const isPossible = () =>
        Array.from({ length: ATTEMPTS }, draw).some((settings) => !faultOf(base, path, settings));
      if (fault && !isPossible()) throw misfit(own[0], fault, where);
    }
  }
}

/** The choices of a parameter, or its bounds. */
function extremesOf({ distribution }: Parameter): number[] {
  if (distribution.kind !== 'categorical') return [distribution.low, distribution.high];
  return distribution.labels.map((_, index) => index);
}

/** A point with this value; the others are drawn. */
function pointWith(space: Space, { name, parent }: Parameter, value: number, random: RandomState): Point {
  const fixed = new Map([[name, value]]);
  for (let above = parent; above !== undefined; ) {
    const { name, index } = above;
    fixed.set(name, index);
    above = space.parameters.find((parameter) => parameter.name === name)?.parent;
  }
  return space.point(({ name, distribution }) => fixed.get(name) ?? drawUniform(distribution, random));
}

function faultOf(base: unknown, path: string, settings: readonly PointSetting[]): MlpError | undefined {
  try {
    configWith(base, path, settings);
    return undefined;
  } catch (error) {
    if (error instanceof MlpError) return error;
    throw error;
  }
}

function misfit({ path, value }: PointSetting, fault: MlpError, where: Where): MlpError {
  return new MlpError(
    ExitCode.config,
    `${where(['space', path])}: found ${showValue(value)}, which makes no config: ${fault.message}`,
    fault.hint,
    { cause: fault },
  );
}
