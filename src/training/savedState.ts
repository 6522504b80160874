/** Checks the small states that a checkpoint restores from JSON. */

import { ExitCode, MlpError } from '../errors.js';
import { showValue } from '../text.js';

/** The values that a field may have, as a check and in words. */
export interface Field<Value> {
  is(value: unknown): value is Value;
  expected: string;
}

export const aFiniteNumber: Field<number> = {
  is: (value): value is number => Number.isFinite(value),
  expected: 'a finite number',
};

export const aFiniteNumberOrNull: Field<number | null> = {
  is: (value): value is number | null => value === null || Number.isFinite(value),
  expected: 'a finite number or null',
};

export const aCount: Field<number> = {
  is: (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0,
  expected: 'a whole number of at least 0',
};

/** For a state within a state, which its owner checks. */
export const anything: Field<unknown> = { is: (_): _ is unknown => true, expected: 'anything' };

/**
 * The fields of a saved state in a new object, or null if `fields` is null.
 * @throws MlpError ExitCode.data, with the state's `owner`, if `state` is anything else
 */
export function readState(owner: string, state: unknown, fields: null): null;
export function readState<State extends object>(
  owner: string,
  state: unknown,
  fields: { readonly [Key in keyof State]: Field<State[Key]> },
): State;
export function readState(
  owner: string,
  state: unknown,
  fields: Readonly<Record<string, Field<unknown>>> | null,
): object | null {
  if (fields === null) {
    if (state !== null) throw wrong(owner, '', state, 'null');
    return null;
  }
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw wrong(owner, '', state, `an object with ${Object.keys(fields).join(', ')}`);
  }
  const values = new Map(Object.entries(state));
  return Object.fromEntries(
    Object.entries(fields).map(([name, { is, expected }]) => {
      const value: unknown = values.get(name);
      if (!values.has(name) || !is(value)) throw wrong(owner, `${name}: `, value, expected);
      return [name, value];
    }),
  );
}

function wrong(owner: string, at: string, found: unknown, expected: string): MlpError {
  return new MlpError(
    ExitCode.data,
    `saved state of ${owner}: ${at}found ${showValue(found)}, expected ${expected}`,
    'it was saved by another config or another version of mlp: train anew',
  );
}
