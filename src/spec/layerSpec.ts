/** The layers of a network: a schema per type; network/layerTypes.ts lists what they compute. */
import { ExitCode, MlpError } from '../errors.js';
import { ACTIVATION_TYPES, ACTIVATIONS, type PlainActivation } from '../kernels/activations.js';
import {
  byType,
  choice,
  decay,
  flag,
  fraction,
  number,
  object,
  positive,
  typesOf,
  wholeNumber,
} from './fields.js';
import { isObject, maxDepth } from './json.js';
import { formatLocation, type Location, oneOf } from './messages.js';
import * as z from './zod.js';

const scaledInit = object({
  type: choice(['he-normal', 'he-uniform', 'glorot-normal', 'glorot-uniform', 'lecun-normal']).describe(
    'Name of the distribution.',
  ),
}).describe(
  'Mean 0 and a variance by the width of the layer [inputs, units]: he 2/inputs, for relu (He et al. 2015); glorot 2/(inputs + units), for tanh and sigmoid (Glorot and Bengio 2010); lecun 1/inputs (LeCun et al. 1998).',
);

const normalInit = object({
  type: z.literal('normal'),
  mean: number().default(0).describe('Mean of the normal distribution.'),
  std: positive().describe('Standard deviation of the normal distribution.'),
}).describe('A normal distribution.');

const uniformInit = object({
  type: z.literal('uniform'),
  low: number().describe('Lower bound, included.'),
  high: number().describe('Upper bound, excluded.'),
})
  .describe('A uniform distribution.')
  .check(({ value: { low, high }, issues }) => {
    if (low >= high) {
      issues.push({
        code: 'custom',
        input: low,
        message: `found low ${low} and high ${high}, expected low below high`,
      });
    }
  });

const zerosInit = object({ type: z.literal('zeros') }).describe('All weights start at 0.');

const unitVarianceInit = object({ type: z.literal('unit-variance') }).describe(
  'By the training rows: drawn as lecun-normal, then for each output scaled so that x·W (with "ntk" x·W/√inputs) has standard deviation 1 over the rows, layer by layer (Holzmüller, Grinsztajn and Steinwart 2024). More than 2048 rows are sampled. An output that is the same for all rows stays as drawn.',
);

const init = byType(
  [scaledInit, normalInit, uniformInit, zerosInit, unitVarianceInit],
  'an object such as {"type": "he-normal"}',
);

const biasInit = object(
  {
    type: choice(['zeros', 'he+5']).describe(
      '"zeros", or by the training rows: minus a random mean of what the output is for 5 random rows before the bias, so that an activation has its kink among the rows ("he+5", Steinwart 2019). The weights of the mean are drawn from an exponential distribution.',
    ),
  },
  'an object such as {"type": "he+5"}',
);

const columnsExpected = 'an array of columns from 0, rising';
const inputColumns = z
  .array(wholeNumber(0), { error: columnsExpected })
  .check(({ value: columns, issues }) => {
    const at = columns.findIndex((column, i) => i > 0 && column <= columns[i - 1]);
    if (at < 0) return;
    issues.push({
      code: 'custom',
      input: columns,
      path: [at],
      message: `found ${columns[at]} behind ${columns[at - 1]}, expected rising columns`,
    });
  });

const levelsExpected = 'an array of numbers of levels, one for each column';
const levelCounts = z
  .array(wholeNumber(1), { error: levelsExpected })
  .exactOptional()
  .describe('How many levels each of them has. A train config leaves it to the data.');

const linear = object({
  type: z.literal('linear'),
  units: wholeNumber(1).describe('Number of outputs.'),
  bias: flag().default(true).describe('Whether to add a bias.'),
  init: init.prefault({ type: 'he-normal' }).describe('How the weights [inputs, units] start.'),
  biasInit: biasInit.exactOptional().describe('How the bias starts. At 0 if left out.'),
  parametrization: choice(['standard', 'ntk'])
    .exactOptional()
    .describe(
      'What the layer computes: y = x·W + b ("standard", the default), or y = x·W/√inputs + b ("ntk", for neural tangent kernel), where weights are around 1 and one learning rate suits layers of any width (Jacot, Gabriel and Hongler 2018). An init by the width of the layer is one of W/√inputs.',
    ),
  columns: inputColumns
    .exactOptional()
    .describe(
      'Of the first layer: the inputs that are numbers of levels, from 1, and stand for one-hot columns. W has a row for each level. A train config leaves them to the data: categories of 1000 levels and more.',
    ),
  levels: levelCounts,
  marks: z
    .array(number(), { error: 'an array of numbers, one for each column' })
    .exactOptional()
    .describe(
      'What the one-hot columns hold in the place of 1, one number for each of these columns. 1 if left out. A train config leaves it to the data: robust scaling.',
    ),
  apart: z
    .array(inputColumns, { error: 'an array of levels for each column' })
    .exactOptional()
    .describe(
      'For each of these columns, the levels from 1 that have an input of their own behind it, rising: those that a quarter of the rows and more have are scaled in another way. A train config leaves it to the data.',
    ),
})
  .describe('A fully connected layer, y = x·W + b. A number n is short for {"type": "linear", "units": n}.')
  .check(({ value: { bias, biasInit }, issues }) => {
    if (bias || biasInit === undefined) return;
    const message = 'found a biasInit without a bias, expected none';
    const params = { hint: 'leave out "biasInit", or "bias": false' };
    issues.push({ code: 'custom', input: biasInit, path: ['biasInit'], message, params });
  });

/** The activations without a parameter, the rarest last. */
export const plainActivations = ACTIVATION_TYPES.filter((type) => !('parameter' in ACTIVATIONS[type])).sort(
  (a, b) => Number(a === 'identity') - Number(b === 'identity'),
) as readonly PlainActivation[];

const parametric = flag()
  .exactOptional()
  .describe(
    'Whether each column learns how much of the activation f it takes: (1 − α)·x + α·f(x), with α from 1 on; false if left out.',
  );

const plainActivation = object({ type: choice(plainActivations), parametric }).describe(
  'An activation. A string s is short for {"type": s}. gelu is x·Φ(x) (Hendrycks and Gimpel 2016), silu x·σ(x), softplus log(1 + exp(x)), mish x·tanh(softplus(x)) (Misra 2019); selu is 1.0507·x for x > 0, else 1.7581·(exp(x) − 1) (Klambauer et al. 2017).',
);

const leakyRelu = object({
  type: z.literal('leaky-relu'),
  slope: positive().default(0.01).describe('Slope for negative inputs.'),
  parametric,
}).describe('x for x > 0, else slope·x.');

const elu = object({
  type: z.literal('elu'),
  alpha: positive().default(1).describe('The output approaches −alpha for very negative inputs.'),
  parametric,
}).describe('x for x > 0, else alpha·(exp(x) − 1).');

const dropout = object({
  type: z.literal('dropout'),
  rate: fraction().default(0.5).describe('Probability that a training step sets an input to 0.'),
}).describe(
  'In training, sets each input to 0 with probability rate and divides the others by 1 − rate. Does nothing in evaluation (Srivastava et al. 2014).',
);

const epsilon = () =>
  positive().default(1e-5).describe('Added to the variance so that a constant is not divided by 0.');

const batchNorm = object({
  type: z.literal('batch-norm'),
  momentum: decay()
    .default(0.1)
    .describe('Weight of each batch in the running mean and variance, which evaluation uses.'),
  epsilon: epsilon(),
}).describe(
  'Batch normalisation (Ioffe and Szegedy 2015): each column to mean 0 and variance 1 over the rows of a batch, times a learnt scale, plus a learnt shift. Evaluation uses the running mean and variance.',
);

const layerNorm = object({ type: z.literal('layer-norm'), epsilon: epsilon() }).describe(
  'Layer normalisation (Ba, Kiros and Hinton 2016): each row to mean 0 and variance 1, times a learnt scale, plus a learnt shift.',
);

const scale = object({ type: z.literal('scale') }).describe(
  'Each column times a learnt factor, which starts at 1: as the first layer it learns how much each feature counts.',
);

const numberColumns = inputColumns
  .exactOptional()
  .describe(
    'The inputs that are numbers. A train config leaves them to the data: the columns of numbers and dates, but not those of categories and missing cells. Otherwise all inputs.',
  );

const frequencyStd = (std: number) =>
  positive()
    .default(std)
    .describe('Standard deviation of the frequencies at the start; the numbers should be scaled.');

const pbldEmbedding = object({
  type: z.literal('numeric-embedding'),
  kind: z.literal('pbld').default('pbld').describe('How a number is embedded.'),
  size: wholeNumber(2, 256).default(4).describe('Outputs for each number: itself and the learnt ones.'),
  frequencies: wholeNumber(1, 1024).default(16).describe('Cosines of each number.'),
  std: frequencyStd(0.1),
  columns: numberColumns,
}).describe(
  'Embeds each number x, for itself: x, W·cos(2π·f·x + p) + b with learnt frequencies f, phases p, W and b (PBLD of Holzmüller, Grinsztajn and Steinwart 2024). The other inputs follow behind. The default kind: "kind" may be left out.',
);

const periodicEmbedding = object({
  type: z.literal('numeric-embedding'),
  kind: z.literal('periodic').describe('How a number is embedded.'),
  size: wholeNumber(1, 256).default(24).describe('Outputs for each number.'),
  frequencies: wholeNumber(1, 1024).default(48).describe('Cosines, and as many sines, of each number.'),
  std: frequencyStd(0.01),
  activation: choice(['relu', 'none'])
    .default('relu')
    .describe('"relu" for what the paper calls PLR, "none" for its PL.'),
  columns: numberColumns,
}).describe(
  'Embeds each number x, for itself: relu(W·[cos(2π·f·x), sin(2π·f·x)] + b) with learnt frequencies f, W and b (PLR of Gorishniy, Rubachev and Babenko 2022). The frequencies start from a normal distribution cut off at 3 standard deviations. The other inputs follow behind.',
);

const piecewiseLinearEmbedding = object({
  type: z.literal('numeric-embedding'),
  kind: z.literal('piecewise-linear').describe('How a number is embedded.'),
  size: wholeNumber(1, 256).default(16).describe('Outputs for each number.'),
  bins: wholeNumber(1, 1024)
    .default(48)
    .describe(
      'Bins of each number, between quantiles of the training rows; more than 16384 rows are sampled. A number of fewer different values has a bin between each two of them.',
    ),
  columns: numberColumns,
}).describe(
  'Embeds each number x, for itself, as a learnt function that is linear within each bin: a·x + b + W·e(x), where e(x) has a 1 for each bin below x, and for the bin of x how far x lies in it, from 0 to 1. Learns a, b and W, which starts at 0 (Gorishniy, Rubachev and Babenko 2022, version B of their package). The model keeps the edges of the bins. The other inputs follow behind.',
);

const numericEmbedding = z.discriminatedUnion(
  'kind',
  [pbldEmbedding, periodicEmbedding, piecewiseLinearEmbedding],
  {
    error: ({ code }) =>
      code === 'invalid_union'
        ? oneOf(['pbld', 'periodic', 'piecewise-linear'])
        : 'an object such as {"type": "numeric-embedding"}',
  },
);

const embedding = object({
  type: z.literal('embedding'),
  size: wholeNumber(1, 1024).default(8).describe('Outputs for each category.'),
  std: positive().default(1).describe('Standard deviation of the vectors at the start.'),
  columns: inputColumns
    .exactOptional()
    .describe(
      'The inputs that are numbers of levels. A train config leaves them to the data (data.embedFrom).',
    ),
  levels: levelCounts,
}).describe(
  'Replaces each input that is the number of a level, from 1, by the learnt vector of that level, and any other number by zeros. The other inputs follow behind.',
);

const softmax = object({ type: z.literal('softmax') }).describe(
  'Probabilities of the classes. Not needed, because losses take logits; allowed only as the last layer with softmax-cross-entropy, which computes it.',
);

const simpleForms = [
  linear,
  plainActivation,
  leakyRelu,
  elu,
  dropout,
  batchNorm,
  layerNorm,
  scale,
  numericEmbedding,
  embedding,
  softmax,
] as const;

/** Adds its input to the output of its layers, which must be as wide. */
export interface ResidualSpec {
  type: 'residual';
  layers: LayerSpec[];
}

const residual = object({
  type: z.literal('residual'),
  layers: z
    .lazy((): z.ZodType<LayerSpec[], LayerInput[]> => layersSchema)
    .describe('Layers whose output is as wide as their input.'),
}).describe('A skip connection: adds its input to the output of its layers (He et al. 2016).');

const forms = [...simpleForms, residual] as const;

export const layerSchema = z
  .discriminatedUnion('type', forms, {
    error: ({ code }) =>
      code === 'invalid_union'
        ? oneOf(typesOf(forms))
        : 'a layer: a number of units, a name, or an object with a "type"',
  })
  .meta({ id: 'layer' });

export const layersSchema = z
  .array(layerSchema, { error: 'an array of layers' })
  .min(1, { error: 'at least one layer' });

/** The types that may be written as a string, because none of their options is required. */
export function shortNames(): string[] {
  return typesOf(forms).filter((type) => layerSchema.safeParse({ type }).success);
}

export type LayerSpec = z.infer<(typeof simpleForms)[number]> | ResidualSpec;
export type LinearSpec = z.infer<typeof linear>;
export type BiasInitSpec = z.infer<typeof biasInit>;
/** How the weights of a linear layer [inputs, units] start. */
export type InitSpec = z.infer<typeof init>;
export type ActivationSpec = z.infer<typeof plainActivation | typeof leakyRelu | typeof elu>;
export type DropoutSpec = z.infer<typeof dropout>;
export type BatchNormSpec = z.infer<typeof batchNorm>;
export type EmbeddingSpec = z.infer<typeof embedding>;
export type NumericEmbeddingSpec = z.infer<typeof numericEmbedding>;
export type PbldSpec = z.infer<typeof pbldEmbedding>;
export type PeriodicSpec = z.infer<typeof periodicEmbedding>;
export type PiecewiseLinearSpec = z.infer<typeof piecewiseLinearEmbedding>;
export type ScaleSpec = z.infer<typeof scale>;
export type LayerNormSpec = z.infer<typeof layerNorm>;

/** A layer as a user writes it: a number of units, a name such as `'relu'`, or an object. */
export type LayerInput =
  | number
  | Exclude<LayerSpec['type'], 'linear' | 'residual'>
  | z.input<(typeof simpleForms)[number]>
  | { type: 'residual'; layers: LayerInput[] };

/** Of a network, those in residuals and of all members: it bounds what a hostile file can cost. */
const MOST_LAYERS = 10_000;

/**
 * Writes layers out, in residuals too: 10 → {"type": "linear", "units": 10}, and names.
 * @throws MlpError ExitCode.config if they are too many, or nested too deeply
 */
export function expandNetwork(value: unknown, location: Location = { file: 'network', path: [] }): unknown {
  let layers = 0;
  // Each network of an ensemble has its own layers.
  const { members } = isObject(value) ? value : {};
  const networks = isObject(members) ? members.networks : members;
  const times = typeof networks === 'number' ? Math.max(1, networks) : 1;
  const refuse = (found: string, limit: number) => {
    const place = formatLocation({ ...location, path: [...location.path, 'layers'] });
    return new MlpError(ExitCode.config, `${place}: found more than ${limit} ${found}, expected no more`);
  };
  const expand = (network: unknown, depth: number): unknown => {
    if (!isObject(network) || !Array.isArray(network.layers)) return network;
    layers += network.layers.length * times;
    if (layers > MOST_LAYERS) throw refuse('layers', MOST_LAYERS);
    if (depth === maxDepth) throw refuse('levels of residual layers', maxDepth);
    return { ...network, layers: network.layers.map((layer) => expandLayer(layer, depth + 1)) };
  };
  const expandLayer = (layer: unknown, depth: number): unknown => {
    if (typeof layer === 'number') return { type: 'linear', units: layer };
    if (typeof layer === 'string') return { type: layer };
    return expand(layer, depth);
  };
  return expand(value, 0);
}
