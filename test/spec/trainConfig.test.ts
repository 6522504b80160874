import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExitCode, MlpError } from '../../src/errors.js';
import { readJson } from '../../src/spec/json.js';
import { expandConfig, loadNetworkSpec, loadTrainConfig } from '../../src/spec/loadConfig.js';
import { checkSchema } from '../../src/spec/messages.js';
import { sweepJsonSchema } from '../../src/spec/sweepConfig.js';
import { configJsonSchema, keyHomes, networkJsonSchema, trainSchema } from '../../src/spec/trainConfig.js';
import { MISSING_POLICIES, MONITORED_METRICS } from '../../src/spec/words.js';
import { errorOf } from './support.js';

const network = { layers: [1] };
const data = { train: 'a.csv', target: 'y' };

const check = (value: unknown) =>
  checkSchema(trainSchema, expandConfig(value), (path) => ({ file: 'c.json', path }), keyHomes);
const checkTraining = (training: unknown) => check({ network, data, training }).training;

describe('a train config', () => {
  it('has a default for all but the network, the data and the target', () => {
    expect(check({ network, data })).toEqual({
      network: { layers: [{ type: 'linear', units: 1, bias: true, init: { type: 'he-normal' } }] },
      data: {
        train: 'a.csv',
        target: 'y',
        task: 'auto',
        exclude: [],
        delimiter: 'auto',
        header: 'auto',
        categories: [],
        missing: 'error',
        standardize: true,
        standardizeTarget: 'auto',
        validation: 0.2,
        test: 0,
      },
      training: {
        epochs: 30,
        batchSize: 32,
        batches: 'shuffle',
        optimizer: { type: 'adam', learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
        schedule: { type: 'constant' },
        loss: 'auto',
        labelSmoothing: 0,
        l2: 0,
        l1: 0,
        keep: 'best',
        keepTies: 'first',
        refit: false,
        checkpointSeconds: 60,
      },
      seed: 0,
      dtype: 'float32',
      backend: 'auto',
      threads: 'auto',
      deterministic: false,
    });
  });

  it('comes out of a second check as it went in', () => {
    const once = check({ network: { layers: [4, 'elu', { type: 'residual', layers: [4] }, 1] }, data });
    expect(check(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  it('has rates and schedules of decay and dropout only where they are given', () => {
    const training = {
      optimizer: { type: 'adamw', weightDecaySchedule: 'flat-cosine' },
      rates: { bias: 0.1, scale: 6, weight: 0 },
      dropoutSchedule: 'constant',
    };
    expect(checkTraining(training)).toMatchObject(training);
    expect(checkTraining({})).not.toHaveProperty('rates');
    expect(checkTraining({ rates: {} }).rates).toEqual({});
    expect(checkTraining({ optimizer: { type: 'adamw' } }).optimizer).not.toHaveProperty(
      'weightDecaySchedule',
    );
  });

  it('has no epochs where it has steps', () => {
    expect(checkTraining({ steps: 100 })).toMatchObject({ steps: 100 });
    expect(checkTraining({ steps: 100 })).not.toHaveProperty('epochs');
    expect(checkTraining({ epochs: 5 })).not.toHaveProperty('steps');
  });

  it.each([
    [{ type: 'sgd' }, { type: 'sgd', learningRate: 0.01, momentum: 0, nesterov: false }],
    [
      { type: 'sgd', momentum: 0.9, nesterov: true },
      { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: true },
    ],
    [{ learningRate: 0.5 }, { type: 'adam', learningRate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }],
    [
      { type: 'adamw' },
      {
        type: 'adamw',
        learningRate: 0.001,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.01,
      },
    ],
    [
      { type: 'rmsprop', centered: true },
      { type: 'rmsprop', learningRate: 0.01, alpha: 0.99, epsilon: 1e-8, momentum: 0, centered: true },
    ],
    [{ type: 'adagrad' }, { type: 'adagrad', learningRate: 0.01, initialAccumulator: 0, epsilon: 1e-10 }],
  ])('fills in the optimizer %j', (optimizer, expected) => {
    expect(checkTraining({ optimizer }).optimizer).toEqual(expected);
  });

  it.each([
    [{}, { patience: 10, minDelta: 0, monitor: 'validation_loss' }],
    [
      { patience: 0, minDelta: 0.01, monitor: 'train_r2' },
      { patience: 0, minDelta: 0.01, monitor: 'train_r2' },
    ],
    [{ cycleGain: 0.02 }, { cycleGain: 0.02, monitor: 'validation_loss' }],
  ])('fills in the early stopping %j', (earlyStopping, expected) => {
    const schedule = { type: 'coslog' };
    expect(checkTraining({ earlyStopping, schedule }).earlyStopping).toEqual(expected);
  });

  it('takes the seeds that NumPy takes, and a number of threads', () => {
    expect(
      check({ network, data, seed: 2 ** 32 - 1, threads: 2, dtype: 'float64', backend: 'reference' }),
    ).toMatchObject({
      seed: 4294967295,
      threads: 2,
      dtype: 'float64',
      backend: 'reference',
    });
  });

  const rootKeys =
    '$schema, preset, recipe, network, data, training, seed, dtype, mixedPrecision, backend, threads, deterministic';
  const trainingKeys =
    'epochs, steps, batchSize, accumulate, batches, optimizer, schedule, rates, dropoutSchedule, loss, labelSmoothing, clipPredictions, l2, l1, clipNorm, earlyStopping, keep, keepMonitor, keepTies, refit, from, evaluateRows, checkpointSeconds';

  it('fills in the parameters of a loss', () => {
    const lossOf = (loss: unknown) => check({ network, data, training: { loss } }).training.loss;
    expect(lossOf('huber')).toEqual({ type: 'huber', delta: 1 });
    expect(lossOf('quantile')).toEqual({ type: 'quantile', quantiles: [0.05, 0.5, 0.95] });
    expect([lossOf('poisson'), lossOf({ type: 'poisson' })]).toEqual(['poisson', { type: 'poisson' }]);
  });

  it.each<[part: object, message: string, hint?: string]>([
    [
      { network: undefined },
      'network: missing; expected an object with "layers", or the path of a spec file',
    ],
    [{ network: '' }, 'network: found "", expected an object with "layers", or the path of a spec file'],
    [{ data: undefined }, 'data: missing; expected an object'],
    [{ data: { target: 'y' } }, 'data.train: missing; expected the path of a CSV file, or an array of paths'],
    [
      { data: { train: 'a.csv' } },
      "data.target: missing; expected a column's name, its number from 0, or an array of these",
    ],
    [
      { data: { ...data, standardise: true } },
      'data: unknown key "standardise"; expected one of train, target, task, positive, features, exclude, delimiter, header, comment, quote, escape, skipLines, skipRows, encoding, decimal, thousands, numbers, categories, dates, badRows, missing, missingValues, standardize, embedFrom, embedNumbersFrom, standardizeTarget, targetTransform, validation, test, rareClasses, shuffle, cache, weights',
      'did you mean "standardize"?',
    ],
    [
      { data: { ...data, stardardize: { a: true }, test_: 0 } },
      'data: unknown key "stardardize"; expected one of train, target, task, positive, features, exclude, delimiter, header, comment, quote, escape, skipLines, skipRows, encoding, decimal, thousands, numbers, categories, dates, badRows, missing, missingValues, standardize, embedFrom, embedNumbersFrom, standardizeTarget, targetTransform, validation, test, rareClasses, shuffle, cache, weights (and 1 more problem)',
      'did you mean "standardize"?',
    ],
    [
      { missing: 'mean' },
      `unknown key "missing"; expected one of ${rootKeys}`,
      'did you mean "data.missing"?',
    ],
    [
      { data: { ...data, task: 'classification' } },
      'data.task: unknown task "classification"; expected one of auto, regression, binary, multiclass, multilabel',
    ],
    [{ training: null }, 'training: found null, expected an object'],
    [
      { training: { epochs: 1, steps: 1 } },
      'training: found both "epochs" and "steps", expected one of them',
    ],
    [{ training: { epochs: 0 } }, 'training.epochs: found 0, expected a whole number of at least 1'],
    [
      { training: { batchSize: 0.5 } },
      'training.batchSize: found 0.5, expected "auto" or a whole number of at least 1',
    ],
    [
      { training: { batches: 'shufle' } },
      'training.batches: unknown batches "shufle"; expected one of shuffle, with-replacement',
      'did you mean "shuffle"?',
    ],
    [
      { training: { learningrate: 0.1 } },
      `training: unknown key "learningrate"; expected one of ${trainingKeys}`,
      'did you mean "training.optimizer.learningRate"?',
    ],
    [
      { training: { batch_size: 8 } },
      `training: unknown key "batch_size"; expected one of ${trainingKeys}`,
      'did you mean "batchSize"?',
    ],
    [
      { training: { optimizer: { type: 'adamm' } } },
      'training.optimizer.type: unknown optimizer "adamm"; expected one of sgd, adam, adamw, rmsprop, adagrad',
      'did you mean "adam"?',
    ],
    [
      { training: { optimizer: 'sgd' } },
      'training.optimizer: found "sgd", expected an object such as {"type": "adam"}',
    ],
    [
      { training: { optimizer: { learningRate: 0 } } },
      'training.optimizer.learningRate: found 0, expected a number above 0',
    ],
    [
      { training: { optimizer: { beta1: 1 } } },
      'training.optimizer.beta1: found 1, expected a number of at least 0 and below 1',
    ],
    [
      { training: { optimizer: { type: 'sgd', nesterov: true } } },
      'training.optimizer.nesterov: found true with a momentum of 0, expected a momentum above 0',
      'also set "momentum", for example to 0.9',
    ],
    [
      { training: { optimizer: { weight_decay: 0.1 } } },
      'training.optimizer: unknown key "weight_decay"; expected one of type, learningRate, beta1, beta2, epsilon',
      '"weightDecay" belongs to another type of optimizer',
    ],
    [
      { training: { weightDecay: 0.1 } },
      `training: unknown key "weightDecay"; expected one of ${trainingKeys}`,
      'did you mean "training.optimizer.weightDecay"?',
    ],
    [
      { training: { optimizer: { type: 'adamw', weightDecay: -0.1 } } },
      'training.optimizer.weightDecay: found -0.1, expected a number of at least 0',
    ],
    [
      { training: { optimizer: { type: 'rmsprop', alpha: 1 } } },
      'training.optimizer.alpha: found 1, expected a number of at least 0 and below 1',
    ],
    [
      { training: { optimizer: { type: 'rmsprop', centred: true } } },
      'training.optimizer: unknown key "centred"; expected one of type, learningRate, alpha, epsilon, momentum, centered',
      'did you mean "centered"?',
    ],
    [
      { training: { optimizer: { type: 'adagrad', initialAccumulator: -1 } } },
      'training.optimizer.initialAccumulator: found -1, expected a number of at least 0',
    ],
    [
      { training: { earlyStopping: true } },
      'training.earlyStopping: found true, expected an object such as {"patience": 10}',
    ],
    [
      { training: { earlyStopping: { patience: -1 } } },
      'training.earlyStopping.patience: found -1, expected a whole number of at least 0',
    ],
    [
      { training: { earlyStopping: { cycleGain: 0.02 } } },
      'training.earlyStopping.cycleGain: found the schedule constant, expected coslog, which has cycles',
    ],
    [
      { training: { earlyStopping: { cycleGain: 0.02 }, schedule: { type: 'coslog', cycles: 2 } } },
      'training.earlyStopping.cycleGain: found coslog with 2 cycles, expected at least 3',
    ],
    [
      { training: { earlyStopping: { cycleGain: 2 }, schedule: { type: 'coslog' } } },
      'training.earlyStopping.cycleGain: found 2, expected a number from 0 to 1',
    ],
    [
      { training: { earlyStopping: { minDelta: -0.1 } } },
      'training.earlyStopping.minDelta: found -0.1, expected a number of at least 0',
    ],
    [
      { training: { earlyStopping: { monitor: 'validation-los' } } },
      `training.earlyStopping.monitor: unknown monitor "validation-los"; expected one of ${MONITORED_METRICS.join(', ')}`,
      'did you mean "validation_loss"?',
    ],
    [
      { training: { keep: 'last', keepMonitor: 'train_loss' } },
      'training.keepMonitor: found "train_loss" with "keep": "last", expected "keep": "best"',
    ],
    [
      { training: { keepTies: 'newest' } },
      'training.keepTies: unknown keepTies "newest"; expected one of first, last',
    ],
    [{ training: { rates: 0.1 } }, 'training.rates: found 0.1, expected an object such as {"bias": 0.1}'],
    [{ training: { rates: { bias: -1 } } }, 'training.rates.bias: found -1, expected a number of at least 0'],
    [
      { training: { rates: { biases: 1 } } },
      'training.rates: unknown key "biases"; expected one of weight, bias, scale, slope, embedding, adapter',
      'did you mean "bias"?',
    ],
    [
      { training: { dropoutSchedule: 'cosine' } },
      'training.dropoutSchedule: unknown dropoutSchedule "cosine"; expected one of constant, flat-cosine',
      'did you mean "flat-cosine"?',
    ],
    [
      { training: { patience: 5 } },
      `training: unknown key "patience"; expected one of ${trainingKeys}`,
      'did you mean "training.earlyStopping.patience"?',
    ],
    [{ training: { keep: 'first' } }, 'training.keep: unknown keep "first"; expected one of best, last'],
    [
      { training: { checkpointSeconds: 0 } },
      'training.checkpointSeconds: found 0, expected a number above 0',
    ],
    [
      { training: { loss: 'mean_squared_eror' } },
      'training.loss: unknown loss "mean_squared_eror"; expected one of auto, mean-squared-error, mean-absolute-error, huber, quantile, poisson, binary-cross-entropy, softmax-cross-entropy',
      'did you mean "mean-squared-error"?',
    ],
    [
      { training: { loss: { type: 'hubert' } } },
      'training.loss.type: unknown loss "hubert"; expected one of mean-squared-error, mean-absolute-error, poisson, binary-cross-entropy, softmax-cross-entropy, huber, quantile',
      'did you mean "huber"?',
    ],
    [
      { training: { loss: { type: 'huber', delta: 0 } } },
      'training.loss.delta: found 0, expected a number above 0',
    ],
    [
      { training: { loss: { type: 'quantile', quantiles: [0.5, 0.1] } } },
      'training.loss.quantiles[1]: found 0.1 after 0.5, expected quantiles that rise',
    ],
    [
      { training: { loss: { type: 'quantile', quantiles: [1] } } },
      'training.loss.quantiles[0]: found 1, expected a number above 0 and below 1',
    ],
    [
      { training: { loss: { type: 'poisson', delta: 1 } } },
      'training.loss: unknown key "delta"; expected one of type',
      '"delta" belongs to another type of loss',
    ],
    [
      { data: { ...data, standardizeTarget: true }, training: { loss: 'poisson' } },
      'data.standardizeTarget: found true with the loss poisson, expected "auto" or false: standardized counts are below 0',
    ],
    [
      { data: { ...data, targetTransform: 'log' }, training: { loss: 'poisson' } },
      'data.targetTransform: found "log" with the loss poisson, expected none: its network gives logarithms already',
    ],
    [
      { data: { ...data, targetTransform: 'log', task: 'binary' } },
      'data.targetTransform: found "log" in a binary task, expected a regression',
      'classes and labels have no logarithm',
    ],
    [
      { data: { ...data, targetTransform: 'ln' } },
      'data.targetTransform: unknown targetTransform "ln"; expected one of log, log1p',
    ],
    [{ training: { l2: -1 } }, 'training.l2: found -1, expected a number of at least 0'],
    [{ training: { l1: -1 } }, 'training.l1: found -1, expected a number of at least 0'],
    [{ training: { clipNorm: 0 } }, 'training.clipNorm: found 0, expected a number above 0'],
    [{ epochs: 5 }, `unknown key "epochs"; expected one of ${rootKeys}`, 'did you mean "training.epochs"?'],
    [{ trainning: {} }, `unknown key "trainning"; expected one of ${rootKeys}`, 'did you mean "training"?'],
    [{ seed: -1 }, 'seed: found -1, expected a whole number from 0 to 4294967295'],
    [{ seed: 2 ** 32 }, 'seed: found 4294967296, expected a whole number from 0 to 4294967295'],
    [
      { dtype: 'float16' },
      'dtype: unknown dtype "float16"; expected one of float32, float64',
      'did you mean "float32"?',
    ],
    [
      { mixedPrecision: 'bfloat16', dtype: 'float64' },
      'mixedPrecision: found "bfloat16" with "dtype": "float64", expected "float32"',
    ],
    [
      { mixedPrecision: 'bfloat16', backend: 'wasm' },
      'mixedPrecision: found "bfloat16" with "backend": "wasm", expected "native" or "auto"',
    ],
    [{ threads: 0 }, 'threads: found 0, expected a whole number from 1 to 256'],
    [
      { threads: '2' },
      'threads: found "2", expected "auto" or a whole number from 1 to 256',
      'write a number without quotes: 2',
    ],
    [{ $schema: 3 }, '$schema: found 3, expected the address of a JSON Schema'],
  ])('refuses %j', (part, message, hint) => {
    expect(errorOf(() => check({ network, data, ...part }))).toEqual({
      exitCode: ExitCode.config,
      message: `c.json: ${message}`,
      hint,
    });
  });

  it('names every known backend to one who asks for another', () => {
    expect(errorOf(() => check({ network, data, backend: 'cuda' })).message).toMatch(
      /^c\.json: backend: unknown backend "cuda"; expected one of auto, reference/,
    );
  });

  it('tells the first problem in the order of the document, not of the schema', () => {
    const training = { l2: -1, epochs: 0 };
    expect(errorOf(() => check({ seed: -1, training, data, network })).message).toMatch(
      /^c\.json: seed: found -1, .* \(and 2 more problems\)$/,
    );
    expect(errorOf(() => checkTraining(training)).message).toMatch(/^c\.json: training\.l2: /);
  });

  it('refuses any other JSON with an MlpError, and nothing worse', () => {
    const key = fc.constantFrom(
      'network',
      'layers',
      'type',
      'units',
      'data',
      'train',
      'target',
      'training',
      'optimizer',
      'init',
      '__proto__',
      'constructor',
      'toString',
      'a\u001bb',
      '',
    );
    const leaf = fc.oneof(
      fc.constantFrom('linear', 'residual', 'relu', 'softmax', 'adam', 'normal', 'auto'),
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
    );
    const { value: json } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'medium' }, leaf, tie('array'), tie('object')),
      array: fc.array(tie('value'), { maxLength: 4 }),
      object: fc
        .array(fc.tuple(key, tie('value')), { maxLength: 5 })
        .map((entries) => Object.fromEntries(entries)),
    }));
    const configs = fc.oneof(
      json,
      fc.record({ network: json, data: json, training: json }),
      fc.record({ network: fc.record({ layers: fc.array(json) }), data: fc.constant(data) }),
    );
    fc.assert(
      fc.property(configs, (config) => {
        try {
          check(config);
        } catch (error) {
          expect(error).toBeInstanceOf(MlpError);
          expect((error as MlpError).message).toMatch(/^c\.json: [^\u0000-\u001f]+$/u);
        }
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });
});

const root = join(import.meta.dirname, '../..');

describe('the JSON Schemas in schema/', () => {
  // `npx vitest run test/spec -u` writes them anew.
  it.each([
    ['config.schema.json', configJsonSchema],
    ['network.schema.json', networkJsonSchema],
    ['sweep.schema.json', sweepJsonSchema],
  ])('%s is what the zod schema says', async (name, schema) => {
    await expect(`${JSON.stringify(schema(), null, 2)}\n`).toMatchFileSnapshot(join(root, 'schema', name));
  });

  it('take the short forms of layers, and a path for the network', () => {
    const schema = configJsonSchema() as {
      properties: { network: { anyOf: object[] } };
      $defs: { layer: { oneOf: object[] } };
    };
    expect(schema.properties.network.anyOf).toMatchObject([{ type: 'string' }, { $ref: '#/$defs/network' }]);
    expect(schema.$defs.layer.oneOf).toMatchObject([
      { type: 'integer', minimum: 1 },
      { type: 'string', enum: expect.arrayContaining(['relu', 'elu', 'softmax']) },
      ...Array(14).fill({ type: 'object' }),
    ]);
  });

  it('describe and default every key of data and training', () => {
    const { properties } = configJsonSchema() as unknown as {
      properties: Record<'data' | 'training', { properties: Record<string, object> }>;
    };
    const entries = Object.entries({ ...properties.data.properties, ...properties.training.properties });
    const withoutDefault = [
      'train',
      'target',
      'features',
      'comment',
      'quote',
      'escape',
      'skipLines',
      'skipRows',
      'badRows',
      'cache',
      'shuffle',
      'encoding',
      'decimal',
      'thousands',
      'numbers',
      'positive',
      'dates',
      'embedFrom',
      'embedNumbersFrom',
      'rareClasses',
      'missingValues',
      'weights',
      'accumulate',
      'epochs',
      'steps',
      'rates',
      'dropoutSchedule',
      'clipNorm',
      'clipPredictions',
      'evaluateRows',
      'targetTransform',
      'earlyStopping',
      'keepMonitor',
      'from',
    ];
    for (const [key, schema] of entries) {
      expect(schema, key).toHaveProperty('description');
      expect('default' in schema, key).toBe(!withoutDefault.includes(key));
    }
    expect(entries).toHaveLength(56);
  });

  it('take a setting for all columns, or one by column', () => {
    const { properties } = (
      configJsonSchema() as unknown as { properties: { data: { properties: Record<string, object> } } }
    ).properties.data;
    expect(properties.missing).toMatchObject({
      anyOf: [
        { type: 'string', enum: MISSING_POLICIES },
        { type: 'object', additionalProperties: { type: 'string', enum: MISSING_POLICIES } },
      ],
    });
    expect(properties.weights).toMatchObject({
      anyOf: [
        { const: 'balanced' },
        { type: 'object', required: ['column'], additionalProperties: false },
        { type: 'object', additionalProperties: { type: 'number', minimum: 0 } },
      ],
    });
  });
});

describe('the configs that come with the project', () => {
  const names = readdirSync(join(root, 'configs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.json'),
  );
  const files = names.map((name) => {
    const path = join(root, 'configs', name);
    return { name, path, value: readJson(path).value as object };
  });
  const configs = files.filter(({ value }) => 'network' in value);
  const specs = files.filter(({ value }) => 'layers' in value);

  it('are there', () => {
    expect(configs.length).toBeGreaterThan(0);
    expect(specs.length).toBeGreaterThan(0);
  });

  it.each(configs)('$name loads', ({ path }) => {
    expect(loadTrainConfig(path).config.network.layers.length).toBeGreaterThan(0);
  });

  it.each(specs)('$name loads', ({ path }) => {
    expect(loadNetworkSpec(path).network.layers.length).toBeGreaterThan(0);
  });
});
