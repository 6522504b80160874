/**
 * From a schema's issues to the one error a user reads: `file: network.layers[1].type: unknown layer "rellu"; expected one of …`.
 * The first issue in the order of the document is told, the others are counted.
 */

import { ExitCode, MlpError } from '../errors.js';
import { quote } from '../text.js';
import { isObject } from './shorthand.js';
import { formatPath, formatPlace, type Path, type Place, showValue } from './show.js';
import { nearest, suggest, wordsOf } from './suggest.js';
import type * as z from './zod.js';

/** Tells where a path of the checked value was written: in the file, in a spec that it names, on the command line. */
export type Locate = (path: Path) => Place;

/** The full paths of keys that may stand in the wrong object, by key. */
export type KeyHomes = ReadonlyMap<string, string>;

interface Problem {
  path: Path;
  message: string;
  hint?: string | undefined;
  /** The first key that isn't known, in the object at `path`. */
  unknownKey?: string;
  /** How many problems this stands for, where there are several in one. */
  count?: number;
}

/**
 * `value` as `schema` makes it, defaults filled in. Throws MlpError (config) where it doesn't fit.
 *
 * @param value parsed JSON, shorthands expanded
 */
export function checkSchema<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  locate: Locate,
  homes: KeyHomes = new Map(),
): Output {
  const result = schema.safeParse(value);
  if (result.success) return result.data;

  const problems = result.error.issues.flatMap(unfold).map((issue) => describe(issue, value, homes));
  const first = firstInDocument(problems, value);
  const others = problems.reduce((sum, { count = 1 }) => sum + count, 0) - 1;
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'problem' : 'problems'})`;
  const { file, path } = locate(pathInDocument(first));
  const place = { file, path: first.unknownKey === undefined ? path : path.slice(0, -1) };
  throw new MlpError(ExitCode.config, `${formatPlace(place)}: ${first.message}${more}`, first.hint);
}

/**
 * The issues of the form that was meant, where a value may have several: the first that takes a value of this kind, best one that
 * knows all its keys. The issue as it is where no form takes such a value at all.
 */
function unfold(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const isInside = ({ path }: z.core.$ZodIssue) => path.length > 0;
  const meant =
    issue.errors.find((issues) => issues.every(isInside)) ??
    issue.errors.find((issues) =>
      issues.every((inner) => isInside(inner) || inner.code === 'unrecognized_keys'),
    );
  if (meant === undefined) return [issue];
  return meant.flatMap(unfold).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function describe(issue: z.core.$ZodIssue, root: unknown, homes: KeyHomes): Problem {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const expected = issue.message;
  const words = wordsOf(expected);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0];
    return {
      path,
      message: `unknown key ${quote(key)}; expected ${expected}`,
      hint: suggest(key, words) ?? suggestHome(key, path, homes),
      unknownKey: key,
      count: issue.keys.length,
    };
  }
  if (issue.code === 'custom') {
    const hint: unknown = issue.params?.hint;
    return { path, message: expected, hint: typeof hint === 'string' ? hint : undefined };
  }
  const found = valueAt(root, path);
  if (found === undefined) return { path, message: `missing; expected ${expected}` };
  if (typeof found === 'string' && words.length > 0) {
    const message = `unknown ${noun(path)} ${quote(found)}; expected ${expected}`;
    return { path, message, hint: withoutQuotes(found) ?? suggest(found, words) };
  }
  const hint = /number|fraction/.test(expected) ? withoutQuotes(found) : undefined;
  return { path, message: `found ${showValue(found)}, expected ${expected}`, hint };
}

/** Where a key that isn't known at `path` may have its place; at `path` itself, where that has another type. */
function suggestHome(key: string, path: Path, homes: KeyHomes): string | undefined {
  const known = nearest(key, homes.keys()) ?? '';
  const home = homes.get(known);
  if (home === undefined) return undefined;
  return home === formatPath([...path, known])
    ? `"${known}" belongs to another type of ${noun(path)}`
    : `did you mean "${home}"?`;
}

/** What the words at `path` are names of: a layer, an optimizer, a loss. */
function noun(path: Path): string {
  // Of one column or of all: below data.missing stand names of columns.
  if (path[0] === 'data' && path[1] === 'missing') return 'policy';
  const owner = path.at(-1) === 'type' ? path.at(-2) : path.at(-1);
  if (owner === 'after') return 'schedule';
  return typeof owner === 'number' ? 'layer' : String(owner ?? 'value');
}

function withoutQuotes(value: unknown): string | undefined {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) && value.length <= 20
    ? `a number is written without quotes: ${value}`
    : undefined;
}

/** The own value at `path` inside `root`; undefined where there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    root,
  );
}

/** The problem whose place comes first in the document; of several there, the first of the schema. */
function firstInDocument(problems: readonly Problem[], root: unknown): Problem {
  return problems
    .map((problem) => ({ problem, rank: rank(root, pathInDocument(problem)) }))
    .reduce((first, next) => (isBefore(next.rank, first.rank) ? next : first)).problem;
}

function pathInDocument({ path, unknownKey }: Problem): Path {
  return unknownKey === undefined ? path : [...path, unknownKey];
}

/** The position of a path in the order of the document, level by level; what is missing comes after all that is there. */
function rank(root: unknown, path: Path): number[] {
  let value = root;
  return path.map((key) => {
    const index = typeof key === 'number' ? key : isObject(value) ? Object.keys(value).indexOf(key) : -1;
    value = valueAt(value, [key]);
    return index === -1 ? Number.POSITIVE_INFINITY : index;
  });
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((index, level) => index !== b[level]);
  return i !== -1 && (i < b.length ? a[i] < b[i] : false);
}
