/** The train config as a zod schema: types, ranges, defaults, descriptions. Its network is `networkSchema.ts`'s, its data `dataSchema.ts`'s, its optimizer `optimizerSchema.ts`'s, its schedule `scheduleSchema.ts`'s. */

import { dataSchema } from './dataSchema.js';
import { choice, flag, nonNegative, object, positive, text, wholeNumber } from './fields.js';
import { networkSchema } from './networkSchema.js';
import { optimizerSchema, optimizers } from './optimizerSchema.js';
import { checkSchedule, monitor, scheduleForms, scheduleSchema } from './scheduleSchema.js';
import {
  BACKENDS,
  DTYPES,
  type EarlyStoppingConfig,
  KEPT_WEIGHTS,
  LOSS_NAMES,
  MAX_THREADS,
  type TrainConfig,
} from './train.js';
import * as z from './zod.js';

const earlyStopping = object(
  {
    patience: wholeNumber(0)
      .default(10)
      .describe('Epochs in a row without an improvement after which the run ends; 0 is as 1.'),
    minDelta: nonNegative()
      .default(0)
      .describe('An improvement is a gain of more than this, in units of the metric.'),
    monitor: monitor(),
  },
  'an object such as {"patience": 10}',
) satisfies z.ZodType<EarlyStoppingConfig>;

const defaultEpochs = 30;

const trainingFields = object({
  epochs: wholeNumber(1)
    .exactOptional()
    .describe(`Passes over the training rows; ${defaultEpochs} where neither epochs nor steps is given.`),
  steps: wholeNumber(1).exactOptional().describe('Minibatches in all, instead of epochs.'),
  batchSize: wholeNumber(1).default(32).describe('Rows in a minibatch.'),
  batches: choice(['shuffle', 'with-replacement'])
    .default('shuffle')
    .describe('Each row once an epoch in a new order, or rows drawn independently.'),
  optimizer: optimizerSchema.prefault({ type: 'adam' }).describe('How gradients change the weights.'),
  schedule: scheduleSchema
    .prefault({ type: 'constant' })
    .describe('How the learning rate changes over the epochs or steps.'),
  loss: choice(['auto', ...LOSS_NAMES])
    .default('auto')
    .describe("What is minimised; auto takes the task's own."),
  l2: nonNegative().default(0).describe('λ of ½·λ·ΣW² over the weights, biases left out.'),
  l1: nonNegative().default(0).describe('λ of λ·Σ|W| over the weights, biases left out.'),
  clipNorm: positive()
    .exactOptional()
    .describe(
      'The longest gradient a step takes as it is; a longer one is shortened to that. Off where it is left out.',
    ),
  earlyStopping: earlyStopping
    .exactOptional()
    .describe('Ends the run where a metric no longer improves; left out, it goes on to its last epoch.'),
  keep: choice(KEPT_WEIGHTS)
    .default('best')
    .describe(
      'The weights that are kept: of the epoch with the best earlyStopping.monitor, else validation_loss; or of the last one. Without validation rows, the last.',
    ),
  checkpointSeconds: positive()
    .default(60)
    .describe('Seconds between checkpoints, beside one after each epoch.'),
});

const training = trainingFields
  .meta({
    description: 'How long, in which steps, towards what.',
    // Said to editors only: the check below gives the better message.
    not: { required: ['epochs', 'steps'] },
  })
  .check(({ value, issues }) => {
    if (value.epochs !== undefined && value.steps !== undefined) {
      issues.push({
        code: 'custom',
        input: value,
        message: 'found both "epochs" and "steps", expected one of them',
      });
    }
    const problem = checkSchedule(value.schedule, value.optimizer.learningRate);
    if (problem !== undefined) {
      issues.push({
        code: 'custom',
        input: value,
        path: ['schedule', ...problem.path],
        message: problem.message,
      });
    }
  })
  .transform((value) =>
    value.epochs === undefined && value.steps === undefined ? { epochs: defaultEpochs, ...value } : value,
  );

/** A train config; its network is in place, not a path, with every layer in its long form. */
export const trainSchema = object({
  $schema: text('the address of a JSON Schema').exactOptional().describe('For editors; not read.'),
  network: networkSchema,
  data: dataSchema,
  training: training.prefault({}),
  seed: wholeNumber(0, 2 ** 32 - 1)
    .default(0)
    .describe('Seed of the split and of the training, as numpy.random.RandomState takes it.'),
  dtype: choice(DTYPES).default('float32').describe('Precision of the arithmetic.'),
  backend: choice(['auto', ...BACKENDS])
    .default('auto')
    .describe('Who does the arithmetic; auto takes the fastest there is.'),
  threads: z
    .union([z.literal('auto'), wholeNumber(1, MAX_THREADS)], {
      error: `"auto" or a whole number from 1 to ${MAX_THREADS}`,
    })
    .default('auto')
    .describe('Worker threads; any number gives the same bits, but with "blas".'),
  deterministic: flag()
    .default(false)
    .describe(
      'Only kernels that give the same bits on every machine: "wasm" without relaxed SIMD, or "reference".',
    ),
}).meta({
  title: 'Train config of mlp',
  description: 'A network, its data, and how to train it.',
}) satisfies z.ZodType<TrainConfig>;

/** The full path of a key that may stand in the wrong object: of `learningRate`, `training.optimizer.learningRate`. */
export const keyHomes: ReadonlyMap<string, string> = new Map([
  ...homes('data', dataSchema),
  ...homes('training', trainingFields),
  ...optimizers.flatMap((optimizer) => homes('training.optimizer', optimizer)),
  ...scheduleForms.flatMap((form) => homes('training.schedule', form)),
  ...homes('training.earlyStopping', earlyStopping),
  ...homes('', trainSchema),
]);

function homes(parent: string, { shape }: z.ZodObject): [string, string][] {
  return Object.keys(shape)
    .filter((key) => key !== 'type')
    .map((key) => [key, parent === '' ? key : `${parent}.${key}`]);
}
