/** Learning-rate schedules as a zod schema: types, ranges, defaults, descriptions. */

import { choice, decay, fraction, nonNegative, object, wholeNumber } from './fields.js';
import { oneOf } from './suggest.js';
import { MONITORED_METRICS, type PlainScheduleConfig, type ScheduleConfig } from './train.js';
import * as z from './zod.js';

/** The name of a metric that is looked at after each epoch. */
export function monitor() {
  return choice(MONITORED_METRICS)
    .default('validation_loss')
    .describe('The metric that is looked at after each epoch, called as in epochs.csv.');
}

const constant = object({ type: z.literal('constant') }).describe('The same learning rate throughout.');

const exponential = object({
  type: z.literal('exponential'),
  gamma: decay().describe('Factor per epoch.'),
}).describe('learningRate·gamma^epoch, epochs from 0.');

const step = object({
  type: z.literal('step'),
  gamma: decay().describe('Factor per step down.'),
  every: wholeNumber(1).describe('Epochs between steps down.'),
}).describe('learningRate·gamma^floor(epoch / every), epochs from 0.');

const minimum = () => nonNegative().default(0).describe('The learning rate never falls below it.');

const cosine = object({ type: z.literal('cosine'), minimum: minimum() }).describe(
  'minimum + (learningRate − minimum)·(1 + cos(π·step / steps)) / 2, steps from 0 (Loshchilov and Hutter 2017, without restarts).',
);

const oneCycle = object({
  type: z.literal('one-cycle'),
  pctStart: share().default(0.3).describe('Share of the steps in which the learning rate rises.'),
  divFactor: atLeast1().default(25).describe('The first learning rate is learningRate / divFactor.'),
  finalDivFactor: atLeast1().default(1e4).describe('The last one is the first / finalDivFactor.'),
}).describe(
  'Rises to learningRate and falls to nearly 0, each along half a cosine (Smith and Topin 2018; OneCycleLR of PyTorch).',
);

const plateau = object({
  type: z.literal('reduce-on-plateau'),
  gamma: shrinking().default(0.1).describe('Factor per reduction.'),
  patience: wholeNumber(0)
    .default(10)
    .describe('Epochs in a row without an improvement that are borne; one more reduces the learning rate.'),
  minDelta: nonNegative()
    .default(1e-4)
    .describe('An improvement is a gain of more than this, in units of the metric.'),
  minimum: minimum(),
  monitor: monitor(),
}).describe('Multiplies the learning rate by gamma where a metric no longer improves.');

const plainTypes = ['constant', 'exponential', 'step', 'cosine', 'one-cycle', 'reduce-on-plateau'] as const;
const example = 'an object such as {"type": "exponential", "gamma": 0.95}';

const plainSchedules = [constant, exponential, step, cosine, oneCycle, plateau] as const;

const after = z.discriminatedUnion('type', plainSchedules, {
  error: ({ code, input }) => {
    if (code !== 'invalid_union') return example;
    return isWarmUp(input)
      ? `another schedule (${plainTypes.join(', ')}): at the end of a warm-up the learning rate has reached its full height`
      : oneOf(plainTypes);
  },
}) satisfies z.ZodType<PlainScheduleConfig>;

const warmUp = object({
  type: z.literal('warm-up'),
  epochs: wholeNumber(1).exactOptional().describe('How long the learning rate rises.'),
  steps: wholeNumber(1).exactOptional().describe('The same in minibatches, instead of epochs.'),
  from: fraction().default(0).describe('Share of the learning rate that the first step has.'),
  after: after.prefault({ type: 'constant' }).describe('The schedule that begins at the end of the warm-up.'),
})
  .meta({
    description:
      'Raises the learning rate in a straight line, step by step, then hands over to another schedule.',
    // Said to editors only: the check below gives the better message.
    oneOf: [{ required: ['epochs'] }, { required: ['steps'] }],
  })
  .check(({ value, issues }) => {
    if ((value.epochs === undefined) !== (value.steps === undefined)) return;
    const message =
      value.epochs === undefined
        ? 'found neither "epochs" nor "steps", expected one of them'
        : 'found both "epochs" and "steps", expected one of them';
    const hint = 'set how long the learning rate rises, "epochs": 5 for instance';
    issues.push({ code: 'custom', input: value, message, params: { hint } });
  });

/** A schedule, every default filled in. */
export const scheduleSchema = z.discriminatedUnion('type', [...plainSchedules, warmUp], {
  error: ({ code }) => (code === 'invalid_union' ? oneOf([...plainTypes, 'warm-up']) : example),
}) satisfies z.ZodType<ScheduleConfig>;

/** The forms whose keys may be found in the wrong object. The `epochs` and `steps` of a warm-up are those of a training first. */
export const scheduleForms = [plateau, oneCycle, step] as const;

/** What is wrong between a schedule and the learning rate it starts from; `path` starts at the schedule. */
export interface ScheduleProblem {
  path: string[];
  /** `found …, expected …` */
  message: string;
}

/** That a schedule which only lowers the learning rate has not its minimum above it. */
export function checkSchedule(schedule: ScheduleConfig, learningRate: number): ScheduleProblem | undefined {
  if (schedule.type === 'warm-up') {
    const problem = checkSchedule(schedule.after, learningRate);
    return problem && { ...problem, path: ['after', ...problem.path] };
  }
  if (!('minimum' in schedule) || schedule.minimum <= learningRate) return undefined;
  return {
    path: ['minimum'],
    message: `found ${schedule.minimum}, expected at most the optimizer's learning rate, ${learningRate}`,
  };
}

function isWarmUp(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'type' in input && input.type === 'warm-up';
}

/** A number in [0, 1]. */
function share() {
  const error = 'a number from 0 to 1';
  return z.number({ error }).min(0, { error }).max(1, { error });
}

/** A number in (0, 1). */
function shrinking() {
  const error = 'a number above 0 and below 1';
  return z.number({ error }).positive({ error }).lt(1, { error });
}

function atLeast1() {
  const error = 'a number of at least 1';
  return z.number({ error }).min(1, { error });
}
