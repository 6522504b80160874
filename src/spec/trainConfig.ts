/** The train config: its schema, types and JSON Schemas, all from the same zod schemas. */
import { type DataInput, dataSchema } from './dataConfig.js';
import {
  atLeast,
  choice,
  countOrAuto,
  flag,
  fraction,
  object,
  positive,
  text,
  wholeNumber,
} from './fields.js';
import { layerSchema, shortNames } from './layerSpec.js';
import { losses, lossSchema } from './lossConfig.js';
import { type NetworkInput, networkSchema } from './networkSpec.js';
import { decaySchedule, optimizerSchema, optimizers, ratesSchema } from './optimizerConfig.js';
import { recipeSchema } from './recipeConfig.js';
import {
  checkCycleGain,
  checkSchedule,
  earlyStoppingForms,
  earlyStoppingSchema,
  plainSchedules,
  scheduleSchema,
} from './scheduleConfig.js';
import {
  BACKENDS,
  DTYPES,
  KEPT_WEIGHTS,
  lossNameOf,
  MAX_THREADS,
  MIXED_PRECISIONS,
  MONITORED_METRICS,
  PRESETS,
  TIES,
} from './words.js';
import * as z from './zod.js';

const defaultEpochs = 30;

const trainingFields = object({
  epochs: countOrAuto()
    .exactOptional()
    .describe(
      `Number of passes over the training rows; ${defaultEpochs} if neither epochs nor steps is given. "auto": 4,000,000 divided by the training rows, from 8 to 64.`,
    ),
  steps: wholeNumber(1).exactOptional().describe('Number of minibatches in total, instead of epochs.'),
  batchSize: countOrAuto()
    .default(32)
    .describe(
      'Number of rows in a minibatch. "auto": 64 for up to 1,024 training rows, 128 for 8,192, 256 for 30,000, 512 for 100,000, else 1,024.',
    ),
  accumulate: wholeNumber(1)
    .exactOptional()
    .describe(
      'How many minibatches make a step: their rows together have one gradient, which is computed slice by slice and summed. The memory is that of batchSize, and several machines exchange gradients once a step. Learning rates, schedules and steps count such steps. By default 1.',
    ),
  batches: choice(['shuffle', 'with-replacement'])
    .default('shuffle')
    .describe(
      'How minibatches are drawn: every row once per epoch in a new order ("shuffle"), or each row independently of the others ("with-replacement").',
    ),
  optimizer: optimizerSchema.prefault({ type: 'adam' }).describe('How gradients change the weights.'),
  schedule: scheduleSchema
    .prefault({ type: 'constant' })
    .describe('How the learning rate changes during the run.'),
  rates: ratesSchema
    .exactOptional()
    .describe(
      'What multiplies the learning rate of each kind of parameter, and so its weight decay; 0 keeps a kind as it starts. A kind that the network lacks has no effect.',
    ),
  dropoutSchedule: decaySchedule('the rate of all dropout layers'),
  loss: lossSchema
    .prefault('auto')
    .describe(
      'What the training minimises. "auto": mean-squared-error for a regression, binary-cross-entropy for labels and for two classes (softmax-cross-entropy if the network has two outputs), softmax-cross-entropy for more. A name, or an object such as {"type": "quantile", "quantiles": [0.05, 0.5, 0.95]}. A loss of numbers makes the task a regression.',
    ),
  labelSmoothing: fraction()
    .default(0)
    .describe(
      'Label smoothing ε of a cross-entropy, over K classes: training aims at (1 − ε)·target + ε/K instead of 0 and 1, for a label or a single logit at (1 − ε)·target + ε/2. Often better for accuracy, worse for log loss and AUC. All reported losses and metrics of the splits are of the true labels.',
    ),
  clipPredictions: flag()
    .exactOptional()
    .describe(
      'Limit the predictions of a regression to the range of the target in the training rows, in the metrics of each epoch as in predict. The model file has the range. By default (false) they have no limits.',
    ),
  l2: atLeast(0)
    .default(0)
    .describe(
      'L2 regularisation: adds ½·λ·ΣW² to the loss, over the weights of linear layers without biases.',
    ),
  l1: atLeast(0)
    .default(0)
    .describe(
      'L1 regularisation: adds λ·Σ|W| to the loss, over the weights of linear layers without biases.',
    ),
  clipNorm: positive()
    .exactOptional()
    .describe(
      'Upper limit of the global gradient norm, √Σg² over all parameters: a longer gradient is scaled down to it. By default there is no limit.',
    ),
  earlyStopping: earlyStoppingSchema
    .exactOptional()
    .describe('Ends the run when a metric stops improving. By default the run continues to its last epoch.'),
  keep: choice(KEPT_WEIGHTS)
    .default('best')
    .describe(
      'Which weights to keep: of the epoch with the best keepMonitor, or of the last epoch. Without validation rows "best" means the last, unless keepMonitor or earlyStopping says how to tell.',
    ),
  keepMonitor: choice(MONITORED_METRICS)
    .exactOptional()
    .describe(
      'The metric of the best epoch, named as in epochs.csv: validation_accuracy for the least error, for example. By default that of earlyStopping, or validation_loss.',
    ),
  keepTies: choice(TIES)
    .default('first')
    .describe(
      'Which of epochs with an equal best keepMonitor to keep: the "last" is trained longest, which pays for an accuracy over few rows, where ties are frequent.',
    ),
  refit: flag()
    .default(false)
    .describe(
      'Trains once more at the end, from the start and with the same seed, on training and validation rows together, up to the epoch that was kept: the model is that of this second training. Its schedules are those of the first, over all epochs, and it stops where that epoch ended. Validation metrics are those of the first.',
    ),
  from: text('the path of a run or of a model file')
    .exactOptional()
    .describe(
      'A run directory or a model file whose weights and encodings this run starts from, instead of drawing and fitting its own: `mlp train --from`. Network, target and columns must be the same. The run keeps a copy, which its own config names.',
    ),
  evaluateRows: wholeNumber(1)
    .exactOptional()
    .describe(
      'How many training rows the training metrics of an epoch are computed from: the first of the shuffled split. At the end, those of the kept weights come from all. By default all rows count each time, which takes a quarter of the time.',
    ),
  checkpointSeconds: positive()
    .default(60)
    .describe('Maximum seconds between two checkpoints within an epoch. Each epoch also ends with one.'),
});

const trainingSchema = trainingFields
  .meta({
    description: 'How to train: how long, with which optimizer and which loss.',
    // For editors only: the check below gives the better message.
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
    if (value.keep === 'last' && value.keepMonitor !== undefined) {
      issues.push({
        code: 'custom',
        input: value,
        path: ['keepMonitor'],
        message: `found "${value.keepMonitor}" with "keep": "last", expected "keep": "best"`,
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
    if (value.earlyStopping && 'cycleGain' in value.earlyStopping) {
      const message = checkCycleGain(value.schedule);
      if (message !== undefined) {
        issues.push({ code: 'custom', input: value, path: ['earlyStopping', 'cycleGain'], message });
      }
    }
  })
  .transform(
    // preset.ts has put numbers in the place of "auto".
    (value) =>
      (value.epochs === undefined && value.steps === undefined
        ? { epochs: defaultEpochs, ...value }
        : value) as TrainingConfig,
  );

/** A train config; its network is in place, not a path, with every layer in its long form. */
export const trainSchema = object({
  $schema: text('the address of a JSON Schema').exactOptional().describe('Ignored. Editors read it.'),
  preset: choice(PRESETS)
    .exactOptional()
    .describe(
      'Fills in whatever the config omits. "tabular": the recipe for tables of RealMLP (Holzmüller et al. 2024), an ensemble by task and number of rows; network, or its layers, may be left out then. The run\'s config.json has it written out. "plain": nothing.',
    ),
  recipe: recipeSchema
    .exactOptional()
    .describe('Changes of the network that the preset "tabular" builds; without layers of its own.'),
  network: networkSchema,
  data: dataSchema,
  training: trainingSchema.prefault({}),
  seed: wholeNumber(0, 2 ** 32 - 1)
    .default(0)
    .describe(
      'Seed of the split, the weights and the batches. It means what it means to numpy.random.RandomState.',
    ),
  dtype: choice(DTYPES)
    .default('float32')
    .describe('Precision of the arithmetic. Products of bfloat16 are mixedPrecision.'),
  mixedPrecision: choice(MIXED_PRECISIONS)
    .exactOptional()
    .describe(
      'Rounds the inputs of the larger matrix products of a step to bfloat16, with 8 instead of 24 bits: they take about half the time. Their sums and all else are of float32: weights, gradients, the optimiser, metrics, predictions. Needs "backend" "native" or "auto" and a processor with AVX512-BF16 (AMD from Zen 4 on, Intel Xeon from Sapphire Rapids on); anywhere else the run is refused. By default nothing is rounded.',
    ),
  backend: choice(['auto', ...BACKENDS])
    .default('auto')
    .describe(
      'Which kernels do the arithmetic: plain loops ("reference"), WebAssembly SIMD ("wasm"), a BLAS library of the system ("blas") or machine code of our own ("native"). "auto" chooses the fastest one available.',
    ),
  threads: z
    .union([z.literal('auto'), wholeNumber(1, MAX_THREADS)], {
      error: `"auto" or a whole number from 1 to ${MAX_THREADS}`,
    })
    .default('auto')
    .describe(
      'Number of worker threads. Any number gives the same bits, except with "blas". "auto" chooses by the size of the network.',
    ),
  deterministic: flag()
    .default(false)
    .describe(
      'Use only kernels that give the same bits on every machine: "wasm" without relaxed SIMD, or "reference".',
    ),
})
  .meta({
    title: 'Train config of mlp',
    description: 'A network, its data, and how to train it.',
  })
  .check(({ value, issues }) => {
    const { mixedPrecision, dtype, backend } = value;
    if (mixedPrecision === undefined) return;
    const problem =
      dtype === 'float64'
        ? '"dtype": "float64", expected "float32"'
        : backend !== 'auto' &&
          backend !== 'native' &&
          `"backend": "${backend}", expected "native" or "auto"`;
    if (!problem) return;
    const message = `found "${mixedPrecision}" with ${problem}`;
    issues.push({ code: 'custom', input: value, path: ['mixedPrecision'], message });
  })
  .check(({ value, issues }) => {
    if (value.recipe === undefined || value.preset === 'tabular') return;
    const message = 'found a recipe without "preset": "tabular", expected none';
    issues.push({ code: 'custom', input: value, path: ['recipe'], message });
  })
  .check(({ value: { data, training }, issues }) => {
    if (data.shuffle !== 'blocks' || training.batches === 'shuffle') return;
    const message = 'found "blocks" with "batches": "with-replacement", which shuffles nothing';
    issues.push({ code: 'custom', input: data, path: ['data', 'shuffle'], message });
  })
  .check(({ value: { data, training }, issues }) => {
    if (lossNameOf(training.loss) !== 'poisson') return;
    const problems = {
      standardizeTarget:
        data.standardizeTarget === true &&
        'found true with the loss poisson, expected "auto" or false: standardized counts are below 0',
      targetTransform:
        data.targetTransform !== undefined &&
        `found "${data.targetTransform}" with the loss poisson, expected none: its network gives logarithms already`,
    };
    for (const [key, message] of Object.entries(problems)) {
      if (message) issues.push({ code: 'custom', input: data, path: ['data', key], message });
    }
  });

export interface TrainConfig extends z.infer<typeof trainSchema> {}

/** `training` with every default filled in; it has either `epochs` or `steps`. */
export interface TrainingConfig extends Omit<z.infer<typeof trainingFields>, Lengths> {
  epochs?: number;
  batchSize: number;
}

type Lengths = 'epochs' | 'batchSize';

export interface TrainingInput extends z.input<typeof trainingFields> {}

/** A train config as a user writes it. The descriptions of all keys are in docs/config.md. */
export interface TrainConfigInput extends Omit<z.input<typeof trainSchema>, 'network' | 'data' | 'training'> {
  network: string | NetworkInput;
  data: DataInput;
  training?: TrainingInput;
}

/** Full paths, for hints about keys in the wrong object, such as `learningRate`. */
export const keyHomes: ReadonlyMap<string, string> = new Map([
  ...homes('data', dataSchema),
  ...homes('training', trainingFields),
  ...optimizers.flatMap((optimizer) => homes('training.optimizer', optimizer)),
  // Not those of a warm-up: its epochs and steps are rarely meant.
  ...plainSchedules.flatMap((schedule) => homes('training.schedule', schedule)),
  ...losses.flatMap((loss) => homes('training.loss', loss)),
  ...earlyStoppingForms.flatMap((form) => homes('training.earlyStopping', form)),
  ...homes('recipe', recipeSchema),
  ...homes('', trainSchema),
  ['layers', 'network.layers'],
]);

function homes(parent: string, { shape }: z.ZodObject): [string, string][] {
  return Object.keys(shape)
    .filter((key) => key !== 'type')
    .map((key) => [key, parent === '' ? key : `${parent}.${key}`]);
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** The JSON Schema of a train config: layers may have short forms, the network may be a path. */
export function configJsonSchema(): JsonSchema {
  const schema = toJsonSchema(trainSchema);
  const network = schema.properties?.network;
  if (typeof network !== 'object') throw new Error('the schema of a train config has no network');
  const required = (schema.required ?? []).filter((key) => key !== 'network');
  return {
    ...schema,
    required,
    anyOf: [{ required: ['network'] }, { required: ['preset'] }],
    properties: {
      ...schema.properties,
      network: {
        anyOf: [
          { type: 'string', minLength: 1, description: 'Path of a spec file, relative to this config.' },
          network,
        ],
      },
    },
  };
}

/** The JSON Schema of a network spec in a file of its own. */
export function networkJsonSchema(): JsonSchema {
  return toJsonSchema(networkSchema);
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema !== layerSchema) return;
      jsonSchema.oneOf = [
        { type: 'integer', minimum: 1, description: 'Short for a linear layer with this many units.' },
        { type: 'string', enum: shortNames(), description: 'Short for {"type": …}.' },
        // The kinds of one type stand beside the other layers.
        ...(jsonSchema.oneOf ?? []).flatMap((form) => form.oneOf ?? [form]),
      ];
    },
  });
}
