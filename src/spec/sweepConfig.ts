/** The file of `mlp sweep`: its schema, types and JSON Schema, and how it is read. */
import { dirname } from 'node:path';
import { byType, choice, object, text, wholeNumber } from './fields.js';
import { readJson } from './json.js';
import { sha256Of } from './loadConfig.js';
import { checkSchema, formatLocation, type Where } from './messages.js';
import { type ChoiceElement, isSetting, type Setting, spaceSchema } from './spaceConfig.js';
import { METHODS, type Method, MONITORED_METRICS } from './words.js';
import * as z from './zod.js';

export type { Method };

const halving = object({
  type: z.literal('halving'),
  factor: wholeNumber(2).default(3).describe('One trial in so many is trained on at each rung.'),
  minEpochs: wholeNumber(1)
    .default(1)
    .describe('Epochs of the first rung; each further rung has factor times as many.'),
}).describe(
  'Asynchronous successive halving (Li et al. 2020): a trial that is not among the best at a rung is stopped there.',
);

export const sweepSchema = object({
  $schema: text('the address of a JSON Schema').exactOptional().describe('Ignored. Editors read it.'),
  base: text('the path of a train config')
    .exactOptional()
    .describe('The train config whose settings are varied, relative to this file.'),
  method: choice(METHODS)
    .default('tpe')
    .describe(
      'How settings are chosen: all combinations ("grid"), at random, or by the tree-structured Parzen estimator, which learns from earlier trials (Bergstra et al. 2011).',
    ),
  trials: wholeNumber(1).exactOptional().describe('How many trials. By default 50, or the whole grid.'),
  metric: choice(MONITORED_METRICS)
    .default('validation_loss')
    .describe('What decides which trial is better, named as in epochs.csv.'),
  seed: wholeNumber(0, 2 ** 32 - 1)
    .default(0)
    .describe("Seed of the choice of settings. The seed of the training is the train config's."),
  pending: wholeNumber(1, 1000)
    .default(4)
    .describe(
      'How many trials may run at once: trial k is chosen by the results of the trials up to k − pending, whichever end first, so any number at once gives the same study. A change of it changes the study.',
    ),
  space: spaceSchema.describe('The settings to vary, by the paths that --set takes.'),
  stop: byType([halving], 'an object such as {"type": "halving", "factor": 3}')
    .exactOptional()
    .describe('Stops bad trials early. By default every trial is trained to its end.'),
})
  .meta({
    title: 'Sweep of mlp',
    description: 'Which settings of a train config to try, and how to choose them.',
  })
  .check(({ value, issues }) => {
    if (value.method !== 'grid') return;
    for (const [path, setting] of Object.entries(value.space)) {
      for (const inside of endlessIn(setting, ['space', path])) {
        issues.push({
          code: 'invalid_type',
          expected: 'number',
          input: undefined,
          path: [...inside, 'steps'],
          message: 'how many values of this range a grid takes',
        });
      }
    }
  });

export interface SweepConfig extends z.infer<typeof sweepSchema> {}

/** A sweep as a user writes it. The descriptions of all keys are in docs/tuning.md. */
export interface SweepConfigInput extends z.input<typeof sweepSchema> {}

/** Where a setting holds ranges that only `steps` makes finite. */
function* endlessIn(setting: Setting, path: (string | number)[]): Generator<(string | number)[]> {
  if ('choice' in setting) {
    for (const [i, element] of setting.choice.entries()) {
      if (isSetting(element as ChoiceElement)) yield* endlessIn(element as Setting, [...path, 'choice', i]);
    }
  } else if (setting.steps === undefined) {
    const isCounted =
      'int' in setting ? setting.log !== true : 'float' in setting && setting.step !== undefined;
    if (!isCounted) yield path;
  }
}

export interface LoadedSweep {
  readonly sweep: SweepConfig;
  /** The sweep file, as the user named it. */
  readonly path: string;
  /** Its folder: `base` is relative to it. */
  readonly directory: string;
  /** SHA-256 of the file; absent for a sweep in memory. */
  readonly sha256?: string;
  /** Names a place in the sweep. */
  readonly where: Where;
}

/** @throws MlpError ExitCode.noInput, noPermission or io if it can't be read, config for a mistake */
export function loadSweep(path: string): LoadedSweep {
  const file = readJson(path);
  return { ...checkSweep(file.value, path, file.text), sha256: sha256Of(file) };
}

/**
 * @param path its name in errors; `base` is relative to that folder
 * @param text the file's text, for a sweep from a file
 * @throws MlpError ExitCode.config
 */
export function checkSweep(value: unknown, path = 'sweep', text?: string): LoadedSweep {
  const sweep = checkSchema(sweepSchema, value, (at) => ({ file: path, path: at, text }), keyHomes);
  const where: Where = (at, key) => formatLocation({ file: path, path: at, text }, key);
  return { sweep, path, directory: dirname(path), where };
}

/** Full paths, for hints about keys in the wrong object. */
const keyHomes: ReadonlyMap<string, string> = new Map([
  ['factor', 'stop.factor'],
  ['minEpochs', 'stop.minEpochs'],
  ...Object.keys(sweepSchema.shape).map((key): [string, string] => [key, key]),
]);

export function sweepJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(sweepSchema, { io: 'input' });
}
