/** Errors about a config: where, what was found, what was expected, and the nearest known word. */
import { closestMatch } from 'leven';
import { ExitCode, MlpError } from '../errors.js';
import { printable, quote, showValue } from '../text.js';
import { isObject, positionOf } from './json.js';
import { LAYER_OF_NAME, meaningsOf } from './otherNames.js';
import type * as z from './zod.js';

/** The keys that lead to a value inside a JSON document: `['network', 'layers', 1, 'type']`. */
export type Path = readonly (string | number)[];

/** Where a value was written: the file, and the path inside it. */
export interface Location {
  readonly file: string;
  readonly path: Path;
  /** The file's text, if it has one: errors then give the line and the column. */
  readonly text?: string | undefined;
}

/** How messages name the value at a path, or a key that it has: only its position then is the key's. */
export type Where = (path: Path, key?: string) => string;

/** `network.layers[1].type`; the empty string for the whole document. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[\w$-]+$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${quote(key)}]`;
  }
  return text;
}

/**
 * `configs/iris.json:7:12: network.layers[1].type`, without a path for the whole document. The line
 * and column are those of the value, or of `key` in it. They take a walk through the text, so call
 * this only for a message.
 */
export function formatLocation({ file, path, text }: Location, key?: string): string {
  const full = key === undefined ? path : [...path, key];
  const { line, column } = text === undefined ? {} : positionOf(text, full, key !== undefined);
  const place = printable(file) + (line === undefined ? '' : `:${line}:${column}`);
  return path.length === 0 ? place : `${place}: ${formatPath(path)}`;
}

const prefix = 'one of ';

/** `one of relu, tanh`: what was expected, if it is one of a few words. */
export function oneOf(words: readonly string[]): string {
  return prefix + words.join(', ');
}

/** The words in a phrase that `oneOf` made; none for any other phrase. */
export function wordsOf(phrase: string): string[] {
  return phrase.startsWith(prefix) ? phrase.slice(prefix.length).split(', ') : [];
}

/**
 * The nearest known word, if any: one letter in three may differ, two may be swapped, or it may be a
 * part. In a word of three letters or fewer, another letter makes another word: `lr` is not `l2`.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const plain = normalize(word);
  if (plain.length === 0 || plain.length > 60) return undefined;
  const byPlain = new Map(Array.from(known, (candidate) => [normalize(candidate), candidate]));
  const candidates = [...byPlain.keys()];
  const isShort = plain.length <= 3;
  const found =
    closestMatch(
      plain,
      isShort ? candidates.filter(({ length }) => length !== plain.length || byPlain.has(plain)) : candidates,
      { maxDistance: Math.max(1, Math.floor(plain.length / 3)) },
    ) ??
    candidates.find((candidate) => isSwapped(plain, candidate)) ??
    (plain.length < 3 ? undefined : candidates.find((candidate) => candidate.includes(plain)));
  return found === undefined ? undefined : byPlain.get(found);
}

/** Whether two neighbouring letters of `a` are swapped in `b`. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  const i = [...a].findIndex((letter, at) => letter !== b[at]);
  return i >= 0 && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2);
}

/** The hint `did you mean "relu"?`, or undefined if no known word is near. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const found = nearest(word, known);
  return found === undefined ? undefined : `did you mean "${found}"?`;
}

/** The word among `known` that is usually called `name` elsewhere, if any. */
function otherName(name: string, known: Iterable<string>): string | undefined {
  const meant = meaningsOf(normalize(name));
  const words = new Set(known);
  return meant.find((word) => words.has(word));
}

function normalize(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

/** Finds where a value was written, by its path: in the file, in a spec file, or in `--set`. */
export type Locate = (path: Path) => Location;

export function whereBy(locate: Locate): Where {
  return (path, key) => formatLocation(locate(path), key);
}

/** By key, its full path: for a hint about a key in the wrong object. */
type KeyHomes = ReadonlyMap<string, string>;

interface Problem {
  path: Path;
  message: string;
  hint?: string | undefined;
  /** The first unknown key of the object at `path`. */
  unknownKey?: string;
}

/**
 * Checks `value` (parsed JSON, short forms expanded) and fills in every default.
 * @throws MlpError ExitCode.config with the first problem, and a count of the others
 */
export function checkSchema<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  locate: Locate,
  homes: KeyHomes = new Map(),
): Output {
  // Code made for a schema pays for thousands of values.
  const result = schema.safeParse(value, { jitless: true });
  if (result.success) return result.data;

  const { issue, count } = firstInDocument(result.error.issues, value);
  const first = describe(issue, value, homes);
  const others = count - 1;
  const more = others === 0 ? '' : ` (and ${others} more ${others === 1 ? 'problem' : 'problems'})`;
  const { unknownKey } = first;
  const place = locate(unknownKey === undefined ? first.path : [...first.path, unknownKey]);
  const where =
    unknownKey === undefined
      ? formatLocation(place)
      : formatLocation({ ...place, path: place.path.slice(0, -1) }, unknownKey);
  throw new MlpError(ExitCode.config, `${where}: ${first.message}${more}`, first.hint);
}

/**
 * For several forms, the issues of the one meant: the first that takes a value of this kind,
 * preferably one that knows all its keys. Else the issue as it is.
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
  const path = keysOf(issue);
  const expected = issue.message;
  const words = wordsOf(expected);
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0];
    return {
      path,
      message: `unknown key ${quote(key)}; expected ${expected}`,
      hint: suggestKey(key, words, path, homes),
      unknownKey: key,
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
    const usual = otherName(found, words);
    return {
      path,
      message,
      hint: withoutQuotes(found) ?? (usual ? `did you mean "${usual}"?` : suggest(found, words)),
    };
  }
  const hint = /number|fraction/.test(expected) ? withoutQuotes(found) : undefined;
  return { path, message: `found ${showValue(found)}, expected ${expected}`, hint };
}

/** A hint which key is meant by an unknown one, or where it belongs. */
function suggestKey(key: string, words: readonly string[], path: Path, homes: KeyHomes): string | undefined {
  const here = otherName(key, words);
  if (here !== undefined) return `did you mean "${here}"?`;
  const layer = LAYER_OF_NAME.get(normalize(key));
  if (layer !== undefined && homes.size > 0) return layer;
  const elsewhere = otherName(key, homes.keys());
  if (elsewhere !== undefined) return suggestHome(elsewhere, path, homes);
  // A known abbreviation is no misspelling.
  if (meaningsOf(normalize(key)).length > 0 && !homes.has(key)) return undefined;
  return suggest(key, words) ?? suggestHome(nearest(key, homes.keys()) ?? '', path, homes);
}

/** A hint where a known key belongs: elsewhere, or in another type of the object at `path`. */
function suggestHome(known: string, path: Path, homes: KeyHomes): string | undefined {
  const home = homes.get(known);
  if (home === undefined) return undefined;
  return home === formatPath([...path, known])
    ? `"${known}" belongs to another type of ${noun(path)}`
    : `did you mean "${home}"?`;
}

/** What the words at `path` name: a layer, an optimizer, a loss. */
function noun(path: Path): string {
  // For one column or for all: the keys below data.missing are columns.
  if (path[0] === 'data' && path[1] === 'missing') return 'policy';
  if (path[0] === 'data' && path[1] === 'dates') return path.at(-1) === 'order' ? 'order' : 'part';
  const owner = path.at(-1) === 'type' ? path.at(-2) : path.at(-1);
  if (owner === 'after') return 'schedule';
  return typeof owner === 'number' ? 'layer' : String(owner ?? 'value');
}

function withoutQuotes(value: unknown): string | undefined {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) && value.length <= 20
    ? `write a number without quotes: ${value}`
    : undefined;
}

/** The own value at `path` inside `root`, or undefined. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    root,
  );
}

/**
 * The issue that comes first in the document, and at the same place first in the schema; and the
 * number of all problems. A hostile file has as many issues as values: each costs little.
 */
function firstInDocument(issues: readonly z.core.$ZodIssue[], root: unknown) {
  let first: { readonly issue: z.core.$ZodIssue; readonly rank: readonly number[] } | undefined;
  let count = 0;
  const orders: KeyOrders = new Map();
  for (const outer of issues) {
    for (const issue of unfold(outer)) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : undefined;
      count += unknown?.length ?? 1;
      const path = keysOf(issue);
      const found = rank(root, unknown ? [...path, unknown[0]] : path, orders);
      if (first === undefined || isBefore(found, first.rank)) first = { issue, rank: found };
    }
  }
  if (first === undefined) throw new Error('a failed check has no issue');
  return { issue: first.issue, count };
}

function keysOf({ path }: z.core.$ZodIssue): Path {
  return path.filter((key) => typeof key !== 'symbol');
}

/** By object, the positions of its keys. */
type KeyOrders = Map<object, ReadonlyMap<string, number>>;

/** The position of a path in the document, level by level. A missing key comes after all others. */
function rank(root: unknown, path: Path, orders: KeyOrders): number[] {
  let value = root;
  return path.map((key) => {
    const index =
      typeof key === 'number' ? key : isObject(value) ? keyOrder(value, orders).get(key) : undefined;
    value = valueAt(value, [key]);
    return index ?? Number.POSITIVE_INFINITY;
  });
}

function keyOrder(value: object, orders: KeyOrders): ReadonlyMap<string, number> {
  const known = orders.get(value);
  if (known !== undefined) return known;
  const order = new Map(Object.keys(value).map((key, i) => [key, i]));
  orders.set(value, order);
  return order;
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((index, level) => index !== b[level]);
  return i !== -1 && (i < b.length ? a[i] < b[i] : false);
}
