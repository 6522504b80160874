/** `training.schedule` and `earlyStopping`; training/schedules.ts computes learning rates. */
import { counted } from '../text.js';
import {
  atLeast,
  byType,
  choice,
  decay,
  fraction,
  object,
  share,
  shrinking,
  typesOf,
  wholeNumber,
} from './fields.js';
import { oneOf } from './messages.js';
import { MONITORED_METRICS } from './words.js';
import * as z from './zod.js';

const monitor = () =>
  choice(MONITORED_METRICS)
    .default('validation_loss')
    .describe('The metric to watch after each epoch, named as in epochs.csv.');

const minDelta = (value: number) =>
  atLeast(0)
    .default(value)
    .describe('A change counts as an improvement if it is larger than this, in units of the metric.');

const minimum = () => atLeast(0).default(0).describe('The learning rate never falls below this.');

const constant = object({ type: z.literal('constant') }).describe(
  'The same learning rate throughout the run. The default.',
);

const exponential = object({
  type: z.literal('exponential'),
  gamma: decay().describe('Factor per epoch.'),
}).describe('learningRate·gamma^epoch, with epochs counted from 0.');

const step = object({
  type: z.literal('step'),
  gamma: decay().describe('Factor at each drop.'),
  every: wholeNumber(1).describe('Epochs between two drops.'),
}).describe('learningRate·gamma^floor(epoch / every), with epochs counted from 0.');

const cosine = object({ type: z.literal('cosine'), minimum: minimum() }).describe(
  'Falls along half a cosine: minimum + (learningRate − minimum)·(1 + cos(π·step / steps)) / 2, with steps counted from 0 (Loshchilov and Hutter 2017, without restarts).',
);

const oneCycle = object({
  type: z.literal('one-cycle'),
  pctStart: share().default(0.3).describe('Fraction of the steps in which the learning rate rises.'),
  divFactor: atLeast(1).default(25).describe('The first learning rate is learningRate / divFactor.'),
  finalDivFactor: atLeast(1)
    .default(1e4)
    .describe('The last learning rate is the first one / finalDivFactor.'),
}).describe(
  "Rises to learningRate, then falls to nearly 0, each along half a cosine (Smith and Topin 2018; PyTorch's OneCycleLR).",
);

const flatCosine = object({ type: z.literal('flat-cosine') }).describe(
  'learningRate in the first half of the steps, then down to 0 along half a cosine.',
);

const coslog = object({
  type: z.literal('coslog'),
  cycles: wholeNumber(1, 32)
    .default(4)
    .describe('Number of cycles; each is twice as long as the one before.'),
}).describe(
  'Rises from 0 to learningRate and falls to 0 again in each cycle: learningRate·(1 − cos(2π·log₂(1 + (2^cycles − 1)·step / steps))) / 2, with steps counted from 0 (Holzmüller, Grinsztajn and Steinwart 2024).',
);

const plateau = object({
  type: z.literal('reduce-on-plateau'),
  gamma: shrinking().default(0.1).describe('Factor at each reduction.'),
  patience: wholeNumber(0)
    .default(10)
    .describe('Number of epochs in a row without improvement to accept; the next one reduces the rate.'),
  minDelta: minDelta(1e-4),
  minimum: minimum(),
  monitor: monitor(),
}).describe(
  "Multiplies the learning rate by gamma when a metric stops improving (PyTorch's ReduceLROnPlateau).",
);

export const plainSchedules = [
  constant,
  exponential,
  step,
  cosine,
  flatCosine,
  oneCycle,
  coslog,
  plateau,
] as const;

const example = 'an object such as {"type": "exponential", "gamma": 0.95}';

const after = z.discriminatedUnion('type', plainSchedules, {
  error: ({ code, input }) => {
    if (code !== 'invalid_union') return example;
    const types = typesOf(plainSchedules);
    return isWarmUp(input)
      ? `another schedule (${types.join(', ')}): after a warm-up the learning rate is at its full height`
      : oneOf(types);
  },
});

const warmUp = object({
  type: z.literal('warm-up'),
  epochs: wholeNumber(1)
    .exactOptional()
    .describe('Length of the rise in epochs. Give either epochs or steps.'),
  steps: wholeNumber(1).exactOptional().describe('Length of the rise in minibatches, instead of epochs.'),
  from: fraction().default(0).describe('The first step has this fraction of the learning rate.'),
  after: after.prefault({ type: 'constant' }).describe('The schedule that starts when the warm-up ends.'),
})
  .meta({
    description: 'Raises the learning rate in a straight line, step by step, then starts another schedule.',
    // For editors only: the check below gives the better message.
    oneOf: [{ required: ['epochs'] }, { required: ['steps'] }],
  })
  .check(({ value, issues }) => {
    if (value.after.type === 'coslog') {
      const message = 'found coslog, expected a schedule that starts above 0: a warm-up rises to its start';
      const params = { hint: 'leave the warm-up out: coslog rises from 0 by itself' };
      issues.push({ code: 'custom', input: value, path: ['after', 'type'], message, params });
    }
    if ((value.epochs === undefined) !== (value.steps === undefined)) return;
    const message =
      value.epochs === undefined
        ? 'found neither "epochs" nor "steps", expected one of them'
        : 'found both "epochs" and "steps", expected one of them';
    const hint = 'say how long the learning rate rises, for example "epochs": 5';
    issues.push({ code: 'custom', input: value, message, params: { hint } });
  });

export const scheduleSchema = byType([...plainSchedules, warmUp], example);

export type ScheduleConfig = z.infer<typeof scheduleSchema>;
/** A schedule that a warm-up may hand over to: any but a warm-up. */
export type PlainScheduleConfig = z.infer<typeof after>;
export type WarmUpConfig = z.infer<typeof warmUp>;

export const earlyStoppingForms = [
  object({
    patience: wholeNumber(0)
      .default(10)
      .describe('The run ends after this many epochs in a row without improvement; 0 acts as 1.'),
    minDelta: minDelta(0),
    monitor: monitor(),
  }),
  object({
    cycleGain: share().describe(
      'With the schedule coslog: the run ends before the last cycle, unless the cycle before it has improved the metric by more than this share. The last cycle is more than half of the run.',
    ),
    monitor: monitor(),
  }),
] as const;

export const earlyStoppingSchema = z.union(earlyStoppingForms, {
  error: 'an object such as {"patience": 10}',
});

export type EarlyStoppingConfig = z.infer<typeof earlyStoppingSchema>;

/** A schedule whose cycles early stopping needs: one that can end, one before it, and the last. */
const LEAST_CYCLES = 3;

/** @returns what is wrong with a gain of cycles beside a schedule, as `found …, expected …` */
export function checkCycleGain(schedule: ScheduleConfig): string | undefined {
  const { type } = schedule;
  if (type !== 'coslog') return `found the schedule ${type}, expected coslog, which has cycles`;
  if (schedule.cycles >= LEAST_CYCLES) return undefined;
  return `found coslog with ${counted(schedule.cycles, 'cycle')}, expected at least ${LEAST_CYCLES}`;
}

/** What is wrong between a schedule and the learning rate that it starts from. */
interface ScheduleProblem {
  /** From the schedule on. */
  path: string[];
  /** `found …, expected …` */
  message: string;
}

/** Checks that the minimum of a schedule is not above the learning rate it starts from. */
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
