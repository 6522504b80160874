/** `recipe`: what may differ in the network that the preset "tabular" builds. */
import { choice, flag, fraction, list, object, positive, wholeNumber } from './fields.js';
import { plainActivations } from './layerSpec.js';
import type * as z from './zod.js';

export const recipeSchema = object({
  hidden: list(wholeNumber(1), 'a list of widths', [1, 'at least one width'])
    .meta({ type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1 })
    .exactOptional()
    .describe(
      'Units of each hidden layer. By default [256, 256, 256], [192, 192, 192] for a regression of at most 50,000 rows, and [128, 128, 128] for classes with folds, whose networks are batch ensembles.',
    ),
  activation: choice(plainActivations)
    .exactOptional()
    .describe(
      'Behind each hidden layer, parametric but for relu, whose zeros make products faster. By default selu, and relu for a regression.',
    ),
  dropout: fraction()
    .exactOptional()
    .describe(
      'Rate of the dropout behind each activation; 0 for none. By default 0.15, and 0 for a regression of at most 50,000 rows.',
    ),
  embedding: choice(['none', 'pbld', 'periodic', 'piecewise-linear'])
    .exactOptional()
    .describe(
      'How numbers are embedded, by the kinds of the layer numeric-embedding. By default pbld, and piecewise-linear for a regression of at most 50,000 rows and for at most 10,000 rows of classes with folds and at most 20 numbers.',
    ),
  embeddingStd: positive()
    .exactOptional()
    .describe(
      'Standard deviation of the frequencies at the start, for pbld and periodic. By default that of the layer.',
    ),
  scale: flag()
    .exactOptional()
    .describe('Whether a scale layer stands before the hidden layers. By default true.'),
});

export interface Recipe extends z.infer<typeof recipeSchema> {}
