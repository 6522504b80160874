/**
 * The building blocks of the schemas. Every message given to zod here is what was *expected*, in words:
 * `issues.ts` puts the place and what was found before it.
 */

import { isObject } from './shorthand.js';
import { oneOf } from './suggest.js';
import * as z from './zod.js';

/** An object that refuses keys it doesn't know; `expected` says what it is, to someone who wrote no object. */
export function object<Shape extends z.ZodRawShape>(shape: Shape, expected = 'an object') {
  const known = oneOf(Object.keys(shape));
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : expected),
  });
}

/**
 * An object with any names as its keys: of columns or classes, `__proto__` among them, which z.record would drop in silence.
 * What comes out is the object itself, so `value` must neither change nor default anything.
 */
export function byName<Value>(value: z.ZodType<Value>, expected: string) {
  const object: z.ZodType<{ readonly [name: string]: Value }> = z.any().check(({ value: input, issues }) => {
    if (!isObject(input)) {
      issues.push({ code: 'invalid_type', expected: 'record', input, message: expected });
      return;
    }
    for (const [name, item] of Object.entries(input)) {
      for (const issue of value.safeParse(item).error?.issues ?? []) {
        issues.push({ ...issue, input: item, path: [name, ...issue.path] } as z.core.$ZodRawIssue);
      }
    }
  });
  return object.meta({
    type: 'object',
    // Made when a JSON Schema is asked for, not at every start.
    get additionalProperties() {
      const { $schema: _, ...values } = z.toJSONSchema(value, { io: 'input' });
      return values;
    },
  });
}

/** One of a few words. */
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

/** A finite number. */
export function number() {
  return z.number({ error: 'a number' });
}

/** A finite number above 0. */
export function positive() {
  const error = 'a number above 0';
  return z.number({ error }).positive({ error });
}

/** A finite number of at least 0. */
export function nonNegative() {
  const error = 'a number of at least 0';
  return z.number({ error }).nonnegative({ error });
}

/** A number in [0, 1). */
export function fraction(expected = 'a number of at least 0 and below 1') {
  return z.number({ error: expected }).min(0, { error: expected }).lt(1, { error: expected });
}

/** A number in (0, 1]. */
export function decay() {
  const error = 'a number above 0 and of at most 1';
  return z.number({ error }).positive({ error }).max(1, { error });
}

export function flag() {
  return z.boolean({ error: 'true or false' });
}

/** A string of at least one character. */
export function text(expected: string) {
  return z.string({ error: expected }).min(1, { error: expected });
}
