/** `training.loss`: a name, or an object with the parameters of a loss; network/loss.ts computes it. */
import { byType, choice, object, positive, shrinking } from './fields.js';
import { oneOf } from './messages.js';
import { LOSS_NAMES, type LossName } from './words.js';
import * as z from './zod.js';

const WITHOUT_PARAMETERS = [
  'mean-squared-error',
  'mean-absolute-error',
  'poisson',
  'binary-cross-entropy',
  'softmax-cross-entropy',
] as const satisfies readonly LossName[];

const plain = object({ type: choice(WITHOUT_PARAMETERS) }).describe(
  'The same as the name alone. mean-absolute-error is the mean of |o − t|, whose best prediction is the median. ' +
    'poisson is for counts: the network gives the logarithm of a rate, the loss is the mean of rate − count·log(rate), and predictions are rates. Its targets are at least 0 and are not standardized.',
);

const huber = object({
  type: z.literal('huber'),
  delta: positive()
    .default(1)
    .describe(
      'From this error on the loss grows linearly. In standard deviations of the target if that is standardized, else in its own unit.',
    ),
}).describe(
  '½·d² for an error d up to delta, delta·(d − ½·delta) beyond (Huber 1964): rows far off count less than in mean-squared-error.',
);

const quantilesExpected = 'an array of quantiles such as [0.05, 0.5, 0.95]';

const quantile = object({
  type: z.literal('quantile'),
  quantiles: z
    .array(shrinking(), { error: quantilesExpected })
    .min(1, { error: 'at least one quantile' })
    .check(({ value, issues }) => {
      const at = value.findIndex((quantile, i) => i > 0 && quantile <= value[i - 1]);
      if (at < 0) return;
      const message = `found ${value[at]} after ${value[at - 1]}, expected quantiles that rise`;
      issues.push({ code: 'custom', input: value, path: [at], message });
    })
    .default([0.05, 0.5, 0.95])
    .describe('Rising, each above 0 and below 1. The network has an output for each of them.'),
}).describe(
  'The pinball loss (Koenker and Bassett 1978), averaged over several quantiles of a single target: predictions are an interval. Predicted quantiles of a row that cross are sorted.',
);

export const losses = [plain, huber, quantile] as const;

const names = ['auto', ...LOSS_NAMES] as const;

/** A loss with parameters becomes an object with all of them. */
export const lossSchema = z
  .union([z.enum(names), byType(losses, 'an object such as {"type": "huber", "delta": 1}')], {
    error: oneOf(names),
  })
  .transform((loss) => {
    if (loss === 'huber') return huber.parse({ type: loss });
    if (loss === 'quantile') return quantile.parse({ type: loss });
    return loss;
  });

export type LossConfig = z.infer<typeof lossSchema>;
