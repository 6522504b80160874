/** The train config as a zod schema: types, ranges, defaults, descriptions. Its network is `networkSchema.ts`'s, its data are `dataSchema.ts`'s. */

import { dataSchema } from './dataSchema.js';
import { choice, decay, flag, fraction, nonNegative, object, positive, text, wholeNumber } from './fields.js';
import { networkSchema } from './networkSchema.js';
import { oneOf } from './suggest.js';
import {
  BACKENDS,
  DTYPES,
  LOSSES,
  MAX_THREADS,
  type OptimizerConfig,
  type ScheduleConfig,
  type TrainConfig,
} from './train.js';
import * as z from './zod.js';

const sgd = object({
  type: z.literal('sgd'),
  learningRate: positive().default(0.01).describe('Size of a step.'),
  momentum: fraction().default(0).describe('Share of the last step that the next one keeps.'),
  nesterov: flag().default(false).describe("Nesterov's form of the momentum."),
})
  .describe('Stochastic gradient descent.')
  .check(({ value: { momentum, nesterov }, issues }) => {
    if (nesterov && momentum === 0) {
      issues.push({
        code: 'custom',
        input: nesterov,
        path: ['nesterov'],
        message: 'found true with a momentum of 0, expected a momentum above 0',
        params: { hint: 'set "momentum" beside it, to 0.9 for instance' },
      });
    }
  });

const adam = object({
  // The default optimizer may leave its name out, so that its parameters can be set alone.
  type: z.literal('adam').default('adam'),
  learningRate: positive().default(0.001).describe('Size of a step.'),
  beta1: fraction().default(0.9).describe('Decay of the mean of the gradients.'),
  beta2: fraction().default(0.999).describe('Decay of the mean of their squares.'),
  epsilon: positive().default(1e-8).describe('Added to the root, against division by zero.'),
}).describe('Adam (Kingma and Ba 2015).');

const optimizer = z.discriminatedUnion('type', [sgd, adam], {
  error: (issue) =>
    issue.code === 'invalid_union' ? oneOf(['sgd', 'adam']) : 'an object such as {"type": "adam"}',
}) satisfies z.ZodType<OptimizerConfig>;

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

const schedule = z.discriminatedUnion('type', [constant, exponential, step], {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? oneOf(['constant', 'exponential', 'step'])
      : 'an object such as {"type": "exponential", "gamma": 0.95}',
}) satisfies z.ZodType<ScheduleConfig>;

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
  optimizer: optimizer.prefault({ type: 'adam' }).describe('How gradients change the weights.'),
  schedule: schedule
    .prefault({ type: 'constant' })
    .describe('How the learning rate changes over the epochs.'),
  loss: choice(['auto', ...LOSSES])
    .default('auto')
    .describe("What is minimised; auto takes the task's own."),
  l2: nonNegative().default(0).describe('λ of ½·λ·ΣW² over the weights, biases left out.'),
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
  ...homes('training.optimizer', sgd),
  ...homes('training.optimizer', adam),
  ...homes('training.schedule', step),
  ...homes('', trainSchema),
]);

function homes(parent: string, { shape }: z.ZodObject): [string, string][] {
  return Object.keys(shape)
    .filter((key) => key !== 'type')
    .map((key) => [key, parent === '' ? key : `${parent}.${key}`]);
}
