/** The building blocks of the schemas. Their messages say only what was *expected*. */
import { isObject } from './json.js';
import { oneOf } from './messages.js';
import * as z from './zod.js';

/** Of one list or object: a hostile file may have as many as it has values. */
const MOST_PROBLEMS = 1000;

function checkEach(
  schema: z.ZodType,
  items: Iterable<[key: string | number, item: unknown]>,
  issues: z.core.$ZodRawIssue[],
): void {
  const most = issues.length + MOST_PROBLEMS;
  for (const [key, item] of items) {
    for (const issue of schema.safeParse(item).error?.issues ?? []) {
      issues.push({ ...issue, input: item, path: [key, ...issue.path] } as z.core.$ZodRawIssue);
    }
    if (issues.length >= most) return;
  }
}

/**
 * An array whose check stops after many problems. As for `byName`, the array itself is the result.
 * @param least how many items it needs, and how a message says so
 */
export function list<Item>(
  item: z.ZodType<Item, Item>,
  expected: string,
  least: readonly [count: number, expected: string] = [0, ''],
): z.ZodType<Item[], Item[]> {
  return z.any().check(({ value: input, issues }) => {
    const message = Array.isArray(input) ? least[1] : expected;
    if (Array.isArray(input) && input.length >= least[0]) checkEach(item, input.entries(), issues);
    else issues.push({ code: 'invalid_type', expected: 'array', input, message });
  });
}

/** An object that refuses unknown keys; `expected` is the message for a value that is no object. */
export function object<Shape extends z.ZodRawShape>(shape: Shape, expected = 'an object') {
  const known = oneOf(Object.keys(shape));
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : expected),
  });
}

/** One of several objects with different `type`; `expected` is the message for other values. */
export function byType<
  const Forms extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(forms: Forms, expected: string) {
  return z.discriminatedUnion('type', forms, {
    error: ({ code }) => (code === 'invalid_union' ? oneOf(typesOf(forms)) : expected),
  });
}

export function typesOf(forms: readonly z.core.$ZodTypeDiscriminable[]): string[] {
  return forms
    .flatMap((form) => [...(form._zod.propValues?.type ?? [])])
    .filter((type) => typeof type === 'string');
}

/**
 * An object keyed by columns or classes, any text: z.record would drop `__proto__` in silence. The
 * object itself is the result, so `value` must not change or default anything.
 */
export function byName<Value>(value: z.ZodType<Value, Value>, expected: string) {
  type ByName = { readonly [name: string]: Value };
  const object: z.ZodType<ByName, ByName> = z.any().check(({ value: input, issues }) => {
    if (isObject(input)) checkEach(value, Object.entries(input), issues);
    else issues.push({ code: 'invalid_type', expected: 'record', input, message: expected });
  });
  return object.meta({
    type: 'object',
    // Computed only for a JSON Schema, not at every start.
    get additionalProperties() {
      const { $schema: _, ...values } = z.toJSONSchema(value, { io: 'input' });
      return values;
    },
  });
}

export function choice<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: oneOf(words) });
}

/** A safe integer between `least` and `most`, both included. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER) {
  const isOpen = most === Number.MAX_SAFE_INTEGER;
  const expected = isOpen ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`;
  const error = (issue: { code?: string | undefined }) =>
    isOpen && issue.code === 'too_big' ? `a whole number of at most ${most}` : expected;
  const integer = z.int({ error, abort: true }).min(least, { error });
  return isOpen ? integer : integer.max(most, { error });
}

/** "auto", or a whole number of at least 1. */
export function countOrAuto() {
  return z.union([z.literal('auto'), wholeNumber(1)], { error: '"auto" or a whole number of at least 1' });
}

export function number() {
  return z.number({ error: 'a number' });
}

export function positive() {
  const error = 'a number above 0';
  return z.number({ error }).positive({ error });
}

export function atLeast(least: number) {
  const error = `a number of at least ${least}`;
  return z.number({ error }).min(least, { error });
}

/** A number in [0, 1). */
export function fraction(error = 'a number of at least 0 and below 1') {
  return z.number({ error }).min(0, { error }).lt(1, { error });
}

/** A number in [0, 1]. */
export function share() {
  const error = 'a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
}

/** A number in (0, 1]. */
export function decay() {
  const error = 'a number above 0 and of at most 1';
  return z.number({ error }).positive({ error }).max(1, { error });
}

/** A number in (0, 1). */
export function shrinking() {
  const error = 'a number above 0 and below 1';
  return z.number({ error }).positive({ error }).lt(1, { error });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

export function text(expected: string) {
  return z.string({ error: expected }).min(1, { error: expected });
}
