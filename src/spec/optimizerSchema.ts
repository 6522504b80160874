/** The optimizers of a train config as zod schemas: their options, ranges, defaults, descriptions. */

import { flag, fraction, nonNegative, object, positive } from './fields.js';
import { oneOf } from './suggest.js';
import type { OptimizerConfig } from './train.js';
import * as z from './zod.js';

const learningRate = (value: number) => positive().default(value).describe('Size of a step.');

const epsilon = (value: number) =>
  positive().default(value).describe('Added to the root, against division by zero.');

const sgd = object({
  type: z.literal('sgd'),
  learningRate: learningRate(0.01),
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

const moments = {
  learningRate: learningRate(0.001),
  beta1: fraction().default(0.9).describe('Decay of the mean of the gradients.'),
  beta2: fraction().default(0.999).describe('Decay of the mean of their squares.'),
  epsilon: epsilon(1e-8),
};

const adam = object({
  // The default optimizer may leave its name out, so that its parameters can be set alone.
  type: z.literal('adam').default('adam'),
  ...moments,
}).describe('Adam (Kingma and Ba 2015).');

const adamw = object({
  type: z.literal('adamw'),
  ...moments,
  weightDecay: nonNegative()
    .default(0.01)
    .describe(
      'A step takes learningRate·weightDecay of each weight away, beside the gradient; biases left out.',
    ),
}).describe('Adam with decoupled weight decay (Loshchilov and Hutter 2019).');

const rmsprop = object({
  type: z.literal('rmsprop'),
  learningRate: learningRate(0.01),
  alpha: fraction().default(0.99).describe('Decay of the mean of the squared gradients.'),
  epsilon: epsilon(1e-8),
  momentum: fraction().default(0).describe('Share of the last step that the next one keeps.'),
  centered: flag()
    .default(false)
    .describe('Whether gradients are divided by their standard deviation, not by their root mean square.'),
}).describe('RMSprop (Hinton 2012).');

const adagrad = object({
  type: z.literal('adagrad'),
  learningRate: learningRate(0.01),
  initialAccumulator: nonNegative().default(0).describe('What the sums of the squared gradients start from.'),
  epsilon: epsilon(1e-10),
}).describe('Adagrad (Duchi et al. 2011).');

/** Each optimizer by itself: for the keys that it has. */
export const optimizers = [sgd, adam, adamw, rmsprop, adagrad] as const;

export const optimizerSchema = z.discriminatedUnion('type', optimizers, {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? oneOf(['sgd', 'adam', 'adamw', 'rmsprop', 'adagrad'])
      : 'an object such as {"type": "adam"}',
}) satisfies z.ZodType<OptimizerConfig>;
