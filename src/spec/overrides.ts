/** `--set network.layers[0].units=8`: parsed, and set in a config or a network spec before it is checked. */
import { ExitCode, MlpError } from '../errors.js';
import { printable, quote, shorten, showValue } from '../text.js';
import { isObject, maxDepth, parseJson } from './json.js';
import { formatPath, type Location, type Path, valueAt } from './messages.js';

export interface Override {
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

/** `--set` as the location of a value that an override set; `before` lacks the overrides. */
export function overriddenLocation(
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
