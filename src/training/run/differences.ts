/** In which settings several runs differ. */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../spec/json.js';
import { formatPath, type Path } from '../../spec/messages.js';
import { shorten } from '../../text.js';

/** A key of the config, and its value in each run that has it. */
export interface Setting<Run> {
  /** As in `--set`: `training.optimizer.learningRate`. */
  readonly key: string;
  readonly values: ReadonlyMap<Run, unknown>;
}

/**
 * The settings in which the configs of runs differ, in the order of the configs. Lists of other
 * lengths, or of layers of other types, are one setting.
 */
export function configDifferences<Run>(configs: ReadonlyMap<Run, unknown>, path: Path = []): Setting<Run>[] {
  const values = [...configs.values()];
  if (areSame(values)) return [];
  if (values.every(isObject)) {
    const keys = new Set(values.flatMap((value) => Object.keys(value)));
    const areOneType = areSame(values.map(({ type }) => type));
    return [...keys].flatMap((key) => {
      const inner = select(configs, (value) => isObject(value) && Object.hasOwn(value, key), key);
      // Where the types differ, it is no news that the beta1 of Adam is not a key of SGD.
      if (inner.size === configs.size || !areOneType) return configDifferences(inner, [...path, key]);
      return [{ key: formatPath([...path, key]), values: inner }];
    });
  }
  if (areListsOfLikes(values)) {
    return values[0].flatMap((_, i) =>
      configDifferences(
        select(configs, () => true, i),
        [...path, i],
      ),
    );
  }
  return [{ key: formatPath(path), values: configs }];
}

function select<Run>(
  configs: ReadonlyMap<Run, unknown>,
  has: (value: unknown) => boolean,
  key: string | number,
) {
  const entries = [...configs].filter(([, value]) => has(value));
  return new Map(entries.map(([run, value]) => [run, (value as Record<string | number, unknown>)[key]]));
}

function areSame(values: readonly unknown[]): boolean {
  return values.every((value) => isDeepStrictEqual(value, values[0]));
}

/** Whether all are lists of as many objects, of the same types in the same order. */
function areListsOfLikes(values: readonly unknown[]): values is readonly (readonly unknown[])[] {
  const typesOf = (value: unknown) =>
    Array.isArray(value) && value.every(isObject) ? value.map(({ type }) => type) : undefined;
  const types = values.map(typesOf);
  return types.every((list) => list !== undefined) && areSame(types);
}

/** The value of each leaf of a config, by its key as in `--set`. */
export function* leavesOf(
  value: unknown,
  path: Path = [],
): Generator<readonly [key: string, value: unknown]> {
  if (!isObject(value) && !(Array.isArray(value) && value.some(isObject))) {
    yield [formatPath(path), value];
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    yield* leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  }
}

/** A value of a config in a cell: `0.01`, `adam`, `16 tanh 3`. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return shorten(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isLayer))
    return shorten(value.map(layerText).join(' '));
  return shorten(JSON.stringify(value));
}

function isLayer(value: unknown): value is Record<string, unknown> {
  return isObject(value) && typeof value.type === 'string';
}

/** The form in which a config may be written: units for a linear layer, else the type. */
function layerText({ type, units, rate }: Record<string, unknown>): string {
  if (type === 'linear') return String(units);
  return typeof rate === 'number' ? `${type} ${rate}` : String(type);
}
