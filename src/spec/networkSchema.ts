/**
 * The network spec as a zod schema: types, ranges, defaults, descriptions. It takes layers in their long form;
 * `shorthand.ts` expands the short ones before.
 */

import { choice, decay, flag, fraction, number, object, positive, text, wholeNumber } from './fields.js';
import type { InitSpec, LayerSpec, NetworkSpec } from './network.js';
import { oneOf } from './suggest.js';
import { checkLayers } from './widths.js';
import * as z from './zod.js';

const scaledInit = object({
  type: choice(['he-normal', 'he-uniform', 'glorot-normal', 'glorot-uniform', 'lecun-normal']).describe(
    "Variance by the layer's width: He et al. 2015 (relu), Glorot and Bengio 2010 (tanh, sigmoid), LeCun et al. 1998.",
  ),
});

const normalInit = object({
  type: z.literal('normal'),
  mean: number().default(0).describe('Mean of the normal distribution.'),
  std: positive().describe('Standard deviation of the normal distribution.'),
});

const uniformInit = object({
  type: z.literal('uniform'),
  low: number().describe('Lower bound, included.'),
  high: number().describe('Upper bound, excluded.'),
}).check(({ value: { low, high }, issues }) => {
  if (low >= high) {
    issues.push({
      code: 'custom',
      input: low,
      message: `found low ${low} and high ${high}, expected low below high`,
    });
  }
});

const zerosInit = object({ type: z.literal('zeros') });

const init = z.discriminatedUnion('type', [scaledInit, normalInit, uniformInit, zerosInit], {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? oneOf([...scaledInit.shape.type.options, 'normal', 'uniform', 'zeros'])
      : 'an object such as {"type": "he-normal"}',
}) satisfies z.ZodType<InitSpec>;

const linear = object({
  type: z.literal('linear'),
  units: wholeNumber(1).describe('Width of the output.'),
  bias: flag().default(true).describe('Whether a bias is added; it starts at 0.'),
  init: init.prefault({ type: 'he-normal' }).describe('How the weights [inputs, units] start.'),
}).describe('y = x·W + b. A number n is short for {"type": "linear", "units": n}.');

const plainActivations = ['relu', 'tanh', 'sigmoid', 'gelu', 'silu', 'softplus', 'identity'] as const;

const plainActivation = object({ type: choice(plainActivations) }).describe(
  'An activation without parameters. A string s is short for {"type": s}.',
);

const leakyRelu = object({
  type: z.literal('leaky-relu'),
  slope: positive().default(0.01).describe('Slope for negative inputs.'),
}).describe('x for x > 0, else slope·x.');

const elu = object({
  type: z.literal('elu'),
  alpha: positive().default(1).describe('The output approaches −alpha for very negative inputs.'),
}).describe('x for x > 0, else alpha·(exp(x) − 1).');

const dropout = object({
  type: z.literal('dropout'),
  rate: fraction().default(0.5).describe('Share of its inputs that is set to 0 in a training step.'),
}).describe(
  'In training sets each input to 0 with probability rate, and divides the rest by 1 − rate; in evaluation does nothing.',
);

const epsilon = () =>
  positive().default(1e-5).describe('Added to the variance, so that a constant is divided by no 0.');

const batchNorm = object({
  type: z.literal('batch-norm'),
  momentum: decay()
    .default(0.1)
    .describe('What a batch counts in the running mean and variance, by which evaluation normalises.'),
  epsilon: epsilon(),
}).describe(
  'Batch normalisation (Ioffe and Szegedy 2015): each column to mean 0 and variance 1 over the rows of a batch, times a learnt scale, plus a learnt shift.',
);

const layerNorm = object({ type: z.literal('layer-norm'), epsilon: epsilon() }).describe(
  'Layer normalisation (Ba, Kiros and Hinton 2016): each row to mean 0 and variance 1, times a learnt scale, plus a learnt shift.',
);

const softmax = object({ type: z.literal('softmax') }).describe(
  'Probabilities of the classes: only as the last layer, and only with softmax-cross-entropy, into which it is fused.',
);

const residual = object({
  type: z.literal('residual'),
  layers: z
    .lazy((): z.ZodType<LayerSpec[]> => layers)
    .describe('Layers whose output is as wide as their input.'),
}).describe('Adds its input to the output of its layers.');

/** The names that may stand alone as a string, for none of them needs a parameter. */
export const layerNames = [
  ...plainActivations,
  'leaky-relu',
  'elu',
  'dropout',
  'batch-norm',
  'layer-norm',
  'softmax',
] as const;

/** One layer in its long form. */
export const layerSchema = z
  .discriminatedUnion(
    'type',
    [linear, plainActivation, leakyRelu, elu, dropout, batchNorm, layerNorm, softmax, residual],
    {
      error: (issue) =>
        issue.code === 'invalid_union'
          ? oneOf(['linear', ...layerNames, 'residual'])
          : 'a layer: a number of units, a name, or an object with a "type"',
    },
  )
  .meta({ id: 'layer' }) satisfies z.ZodType<LayerSpec>;

const layers = z.array(layerSchema, { error: 'an array of layers' }).min(1, { error: 'at least one layer' });

/** A network spec, softmax and residual widths checked; `$schema` is left behind. */
export const networkSchema = object(
  {
    $schema: text('the address of a JSON Schema').exactOptional().describe('For editors; not read.'),
    input: wholeNumber(1)
      .exactOptional()
      .describe('Number of features. A train config may leave it out: the data say it.'),
    layers: layers.describe('The layers from input to output.'),
  },
  'an object with "layers", or the path of a spec file',
)
  .meta({ id: 'network', description: 'The layers, from the features to the logits.' })
  .check(({ value, issues }) => {
    for (const { path, message, hint } of checkLayers(value.layers, value.input)) {
      issues.push({ code: 'custom', input: value, path: ['layers', ...path], message, params: { hint } });
    }
  })
  .transform(({ $schema: _, ...network }): NetworkSpec => network);
