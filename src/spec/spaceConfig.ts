/** The space of a sweep: which settings of a config it varies, and over which values. */
import { showValue } from '../text.js';
import { byName, flag, list, number, object, positive, wholeNumber } from './fields.js';
import { isObject, maxDepth, toCanonicalJson } from './json.js';
import { formatPath, oneOf, type Path } from './messages.js';
import { pathOf } from './overrides.js';
import * as z from './zod.js';

export type Bounds = [low: number, high: number];

/** Real numbers whose logarithms are uniform. */
export interface LogRange {
  log: Bounds;
  steps?: number;
}

/** Whole numbers; with `log`, their logarithms are uniform. */
export interface IntRange {
  int: Bounds;
  log?: boolean;
  step?: number;
  steps?: number;
}

/** Real numbers, or with `step` those of low, low + step, … */
export interface FloatRange {
  float: Bounds;
  step?: number;
  steps?: number;
}

export interface Choice {
  choice: ChoiceElement[];
}

/** A JSON value, `{"value": …}` for one that looks like a setting, or a setting: a nested space. */
export type ChoiceElement = unknown;

export type Setting = LogRange | IntRange | FloatRange | Choice;

/** By path, as for `--set`. */
export type SpaceConfig = { readonly [path: string]: Setting };

/** Whether an element of a choice is a setting in turn. */
export function isSetting(element: ChoiceElement): element is Setting {
  return formOf(element) !== undefined;
}

/** The value that an element of a choice stands for, if it is no setting. */
export function literalOf(element: ChoiceElement): unknown {
  return isObject(element) && Object.keys(element).join() === 'value' ? element.value : element;
}

const steps = () =>
  wholeNumber(2, 1000)
    .exactOptional()
    .describe(
      'How many values a grid takes, evenly spaced (on a log scale by ratio) from the lower bound to the upper. Only for a grid.',
    );

const logRange = object({
  log: bounds(positive(), 'two numbers above 0, such as [0.0001, 0.1]').describe(
    'Lower and upper bound, as values, not exponents. The logarithms of the numbers are uniform.',
  ),
  steps: steps(),
}).describe('Real numbers over orders of magnitude.');

const intRange = object({
  int: bounds(z.int({ error: 'a whole number' }), 'two whole numbers, such as [16, 256]').describe(
    'Lower and upper bound, both included.',
  ),
  log: flag().exactOptional().describe('Whether the logarithms are uniform instead of the numbers.'),
  step: wholeNumber(1).exactOptional().describe('Takes only low, low + step, low + 2·step, … Default 1.'),
  steps: steps(),
})
  .check(({ value, issues }) => {
    const { int, log, step } = value;
    if (log === true && step !== undefined) {
      issues.push(problem(value, ['step'], `found ${step} with "log": true, expected none`));
    }
    if (log === true && int[0] < 1) {
      issues.push(problem(value, ['int', 0], `found ${int[0]} with "log": true, expected at least 1`));
    }
    if (step !== undefined) issues.push(...tooWide(value, int, step));
  })
  .describe('Whole numbers.');

const floatRange = object({
  float: bounds(number(), 'two numbers, such as [0, 0.5]').describe('Lower and upper bound, both included.'),
  step: positive().exactOptional().describe('Takes only low, low + step, low + 2·step, …'),
  steps: steps(),
})
  .check(({ value, issues }) => {
    const { float, step, steps } = value;
    if (step !== undefined) issues.push(...tooWide(value, float, step));
    if (step !== undefined && steps !== undefined) {
      issues.push(problem(value, ['steps'], `found ${steps} with "step": ${step}, expected one of the two`));
    }
  })
  .describe('Real numbers.');

const elementSchema: z.ZodType<ChoiceElement, ChoiceElement> = z.any().check(({ value, issues }) => {
  if (isSetting(value)) checkForm(value, issues);
});

const choiceSetting = object({
  choice: list(elementSchema, 'a list of values', [1, 'at least one value'])
    .check(({ value, issues }) => {
      const seen = new Set<string>();
      for (const [i, element] of value.entries()) {
        const text = toCanonicalJson(isSetting(element) ? element : { value: literalOf(element) });
        if (seen.has(text)) {
          issues.push(problem(value, [i], `found ${showValue(element)} a second time, expected it once`));
        }
        seen.add(text);
      }
    })
    .meta({ type: 'array', minItems: 1 })
    .describe(
      'Any JSON values, such as lists of layers. An object with the key choice, int, float or log is a setting in turn, which is drawn only if it is chosen; {"value": …} stands for a value that looks like one.',
    ),
}).describe('One of several values.');

/** The forms of a setting by the key that tells them apart; an int range may have `log` as well. */
const FORMS = { choice: choiceSetting, int: intRange, float: floatRange, log: logRange };

const KINDS = Object.keys(FORMS) as (keyof typeof FORMS)[];

function formOf(value: unknown): z.ZodType | undefined {
  const kind = isObject(value) ? KINDS.find((key) => Object.hasOwn(value, key)) : undefined;
  return kind && FORMS[kind];
}

function checkForm(value: unknown, issues: z.core.$ZodRawIssue[]): void {
  const form = formOf(value);
  for (const issue of form?.safeParse(value).error?.issues ?? []) {
    issues.push({ ...issue, input: value } as z.core.$ZodRawIssue);
  }
}

const settingExpected = 'an object such as {"log": [0.0001, 0.1]} or {"choice": ["relu", "tanh"]}';

const settingSchema: z.ZodType<Setting, Setting> = z
  .any()
  .check(({ value, issues }) => {
    const keys = isObject(value) ? Object.keys(value) : [];
    if (keys.length === 0) {
      issues.push({ code: 'invalid_type', expected: 'object', input: value, message: settingExpected });
    } else if (formOf(value) === undefined) {
      issues.push({ code: 'unrecognized_keys', keys, input: value, message: oneOf(KINDS) });
    } else {
      checkForm(value, issues);
    }
  })
  .meta({
    // Computed only for a JSON Schema, not at every start.
    get anyOf() {
      return Object.values(FORMS).map((form) => {
        const { $schema: _, ...schema } = z.toJSONSchema(form, { io: 'input' });
        return schema;
      });
    },
  });

export const spaceSchema: z.ZodType<SpaceConfig, SpaceConfig> = byName(
  settingSchema,
  'an object of settings, such as {"training.l2": {"log": [1e-6, 0.01]}}',
).check(({ value, issues }) => {
  const paths = new Map<string, Path>();
  for (const key of Object.keys(value)) {
    const path = pathOf(key);
    if (path !== undefined && path.length <= maxDepth) paths.set(key, path);
    else {
      const message =
        'found no path of a setting, expected one as for --set, such as training.epochs or network.layers[0].units';
      issues.push(problem(value, [key], message));
    }
  }
  if (Object.keys(value).length === 0) {
    issues.push(problem(value, [], 'found no setting, expected at least one'));
  }
  issues.push(...overlaps(value, paths));
});

/** Where one setting lies inside another, or is the same in another spelling: both can't be set. */
function* overlaps(space: SpaceConfig, paths: ReadonlyMap<string, Path>) {
  const whole = new Map(Array.from(paths, ([key, path]) => [formatPath(path), key]));
  for (const [key, path] of paths) {
    for (let length = 1; length <= path.length; length++) {
      const other = whole.get(formatPath(path.slice(0, length)));
      if (other === undefined || other === key) continue;
      const hint = 'give the values of the outer one as a whole, or the inner ones alone';
      yield problem(space, [key], `overlaps with ${showValue(other)}, expected separate settings`, hint);
    }
  }
}

/** Two numbers, the first below the second. */
function bounds(bound: z.ZodType<number, number>, expected: string) {
  return z.tuple([bound, bound], { error: expected }).check(({ value, issues }) => {
    const [low, high] = value;
    if (!(low < high)) {
      const message = `found the empty range [${low}, ${high}], expected the lower number first`;
      issues.push(problem(value, [], message));
    } else if (high - low > Number.MAX_VALUE) {
      const message = `found a range wider than ${Number.MAX_VALUE}, expected a narrower one`;
      issues.push(problem(value, [], message));
    }
  });
}

function tooWide(value: unknown, [low, high]: Bounds, step: number) {
  if (low + step <= high) return [];
  return [problem(value, ['step'], `found ${step}, expected at most ${high - low}, the width of the range`)];
}

function problem(input: unknown, path: (string | number)[], message: string, hint?: string) {
  return { code: 'custom' as const, input, path, message, params: { hint } };
}
