/** `training.optimizer`: a record each, listed in `optimizers`; kernels/optimizers.ts steps. */
import { atLeast, byType, choice, flag, fraction, object, positive } from './fields.js';
import * as z from './zod.js';

/** How a setting beside the learning rate changes during the run; `schedules.ts` has the formula. */
export const decaySchedule = (setting: string) =>
  choice(['constant', 'flat-cosine'])
    .exactOptional()
    .describe(
      `How ${setting} changes during the run: "constant", the default, or "flat-cosine", which in the second half of the steps brings it down to 0 along half a cosine.`,
    );

const learningRate = (value: number) =>
  positive().default(value).describe('Step size, which training.schedule may change during the run.');

const epsilon = (value: number) =>
  positive().default(value).describe('Added to the denominator so that it is never 0.');

const momentum = () =>
  fraction()
    .default(0)
    .describe('Fraction of the previous step to add to the next one; 0 turns momentum off.');

const sgd = object({
  type: z.literal('sgd'),
  learningRate: learningRate(0.01),
  momentum: momentum(),
  nesterov: flag().default(false).describe("Use Nesterov's form of momentum; needs a momentum above 0."),
})
  .describe('Stochastic gradient descent, optionally with momentum.')
  .check(({ value: { momentum, nesterov }, issues }) => {
    if (nesterov && momentum === 0) {
      issues.push({
        code: 'custom',
        input: nesterov,
        path: ['nesterov'],
        message: 'found true with a momentum of 0, expected a momentum above 0',
        params: { hint: 'also set "momentum", for example to 0.9' },
      });
    }
  });

const moments = {
  learningRate: learningRate(0.001),
  beta1: fraction().default(0.9).describe('Decay rate of the running mean of the gradients.'),
  beta2: fraction().default(0.999).describe('Decay rate of the running mean of the squared gradients.'),
  epsilon: epsilon(1e-8),
};

const adam = object({
  // The type of the default optimizer may be left out, so that its options can be set alone.
  type: z.literal('adam').default('adam'),
  ...moments,
}).describe('Adam (Kingma and Ba 2015). The default: "type" may be left out.');

const adamw = object({
  type: z.literal('adamw'),
  ...moments,
  weightDecay: atLeast(0)
    .default(0.01)
    .describe(
      'Each step also subtracts learningRate·weightDecay times the weight. Biases and normalisation parameters do not decay.',
    ),
  weightDecaySchedule: decaySchedule('weightDecay'),
}).describe('Adam with decoupled weight decay (Loshchilov and Hutter 2019).');

const rmsprop = object({
  type: z.literal('rmsprop'),
  learningRate: learningRate(0.01),
  alpha: fraction().default(0.99).describe('Decay rate of the running mean of the squared gradients.'),
  epsilon: epsilon(1e-8),
  momentum: momentum(),
  centered: flag()
    .default(false)
    .describe(
      'Divide by the standard deviation of the gradients (true) instead of their root mean square (false).',
    ),
}).describe('RMSprop (Hinton 2012).');

const adagrad = object({
  type: z.literal('adagrad'),
  learningRate: learningRate(0.01),
  initialAccumulator: atLeast(0)
    .default(0)
    .describe('Start value of the sums of squared gradients. A larger one makes the first steps smaller.'),
  epsilon: epsilon(1e-10),
}).describe('Adagrad (Duchi et al. 2011).');

export const optimizers = [sgd, adam, adamw, rmsprop, adagrad] as const;

export const optimizerSchema = byType(optimizers, 'an object such as {"type": "adam"}');

export type OptimizerConfig = z.infer<typeof optimizerSchema>;

const factorOf = (parameters: string) =>
  atLeast(0).exactOptional().describe(`For ${parameters}. 1 if left out.`);

/** Keyed by the kinds of a layer's parameters. */
export const ratesSchema = object(
  {
    weight: factorOf('the weights of linear layers'),
    bias: factorOf('biases, and the shifts of normalisations'),
    scale: factorOf('the factors of scale layers and normalisations'),
    slope: factorOf('the slopes of parametric activations'),
    embedding: factorOf('embeddings'),
    adapter: factorOf('the factors of the members of a batch ensemble'),
  },
  'an object such as {"bias": 0.1}',
);

export type RatesConfig = z.infer<typeof ratesSchema>;
