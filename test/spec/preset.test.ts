import { describe, expect, it } from 'vitest';
import { checkTrainConfig, completed } from '../../src/spec/loadConfig.js';
import { parseOverride } from '../../src/spec/overrides.js';
import type { TableFacts } from '../../src/spec/preset.js';

const DATA = { train: 'data.csv', target: 'y' };
const FACTS: TableFacts = {
  task: 'binary',
  inputs: 10,
  outputs: 1,
  rows: 5000,
  numbers: 10,
  levels: false,
};

/** The config when the data are known. */
function complete(config: object, facts: Partial<TableFacts> = {}, overrides: readonly string[] = []) {
  const loaded = checkTrainConfig({ data: DATA, ...config }, 'c.json', overrides.map(parseOverride));
  return completed(loaded, () => ({ ...FACTS, ...facts })).config;
}

describe('the preset tabular', () => {
  it('fills in encodings, network and training, and is gone from the config', () => {
    const config = complete({ preset: 'tabular' }, { task: 'multiclass', outputs: 7 });
    expect(config).not.toHaveProperty('preset');
    expect(config.data).toMatchObject({ standardize: 'robust', embedFrom: 9, embedNumbersFrom: 9 });
    expect(config.network.layers.at(-1)).toMatchObject({ type: 'linear', units: 7, parametrization: 'ntk' });
    expect(config.training).toMatchObject({ schedule: { type: 'coslog' }, batchSize: 128 });
  });

  it('depends on the task and the rows', () => {
    const small = complete({ preset: 'tabular' }, { rows: 500 });
    const large = complete({ preset: 'tabular' }, { rows: 50_000 });
    expect([small, large].map(({ training }) => training.batchSize)).toEqual([64, 512]);
    expect([small, large].map(({ network }) => network.members)).toEqual([4, 2]);
    const huge = complete({ preset: 'tabular' }, { rows: 10 ** 7 });
    expect([huge.network.members, huge.training.epochs]).toEqual([1, 8]);
    const types = (config: typeof small) => config.network.layers.map(({ type }) => type);
    expect(types(small)).toContain('selu');
    const regression = complete({ preset: 'tabular' }, { task: 'regression' });
    expect(regression.network.layers).toContainEqual({ type: 'relu' });
    expect([regression, small].map(({ training }) => training.clipPredictions)).toEqual([true, undefined]);
    expect(regression.training.optimizer).toMatchObject({ learningRate: 0.16, weightDecay: 0.02 });
    expect(small.training.optimizer).toMatchObject({ learningRate: 0.04, weightDecay: 0.2 });
    const wide = complete({ preset: 'tabular' }, { task: 'regression', inputs: 101 });
    const long = complete({ preset: 'tabular' }, { task: 'regression', rows: 50_001 });
    expect(long.network.layers).toContainEqual({ type: 'relu' });
    expect(long.training.optimizer).toMatchObject({ learningRate: 0.2 });
    for (const { training } of [wide, long]) expect(training.optimizer).toMatchObject({ weightDecay: 0.2 });
  });

  it('keeps the epoch of classes by their calibrated loss, if members hold out folds', () => {
    const kept = (facts: Partial<TableFacts>, training = {}) =>
      complete({ preset: 'tabular', training }, facts).training.keepMonitor;
    expect(kept({ folds: 5 })).toBe('validation_calibrated_loss');
    expect(kept({ folds: 5, task: 'multiclass', outputs: 3 })).toBe('validation_calibrated_loss');
    expect([
      kept({}),
      kept({ folds: 5, task: 'regression' }),
      kept({ folds: 5, task: 'multilabel' }),
    ]).toEqual([undefined, undefined, undefined]);
    expect(kept({ folds: 5 }, { keepMonitor: 'validation_accuracy' })).toBe('validation_accuracy');
    expect(kept({ folds: 5 }, { keep: 'last' })).toBeUndefined();
    expect(kept({ folds: 5 }, { earlyStopping: { patience: 3 } })).toBeUndefined();
  });

  it('ends such a training early by its cycles, unless the config says how long or by what', () => {
    const stopping = (facts: Partial<TableFacts>, training = {}) =>
      complete({ preset: 'tabular', training }, facts).training.earlyStopping;
    expect(stopping({ folds: 5 })).toEqual({ cycleGain: 0.02, monitor: 'validation_calibrated_loss' });
    expect(stopping({ folds: 5, task: 'regression' })).toEqual({
      cycleGain: 0.02,
      monitor: 'validation_loss',
    });
    for (const facts of [{}, { task: 'regression' }, { folds: 5, rows: 10_001 }] as const) {
      expect(stopping(facts)).toBeUndefined();
    }
    for (const training of [
      { epochs: 10 },
      { steps: 10 },
      { keep: 'last' },
      { keepMonitor: 'validation_accuracy' },
      { schedule: { type: 'constant' } },
    ]) {
      expect(stopping({ folds: 5 }, training)).toBeUndefined();
    }
    const own = { patience: 3 };
    expect(stopping({ folds: 5 }, { earlyStopping: own })).toMatchObject(own);
    expect(stopping({ folds: 5 }, { epochs: 'auto' })).toEqual(stopping({ folds: 5 }));
  });

  it('lets each of many members hold out a fold, unless the config has validation rows', () => {
    const validationOf = ({
      network = { members: 8 },
      ...parts
    }: {
      network?: object;
      [part: string]: object;
    }) => {
      const { config } = checkTrainConfig({ data: DATA, preset: 'tabular', network, ...parts }, 'c.json', []);
      return config.data.validation;
    };
    expect(validationOf({})).toMatchObject({ folds: 8 });
    expect(validationOf({ network: { members: 5 } })).toMatchObject({ folds: 5 });
    const layers = [{ type: 'linear', units: 1 }];
    for (const network of [
      {},
      { members: 4 },
      { members: 8, layers },
      { members: { count: 8, kind: 'batch-ensemble' } },
    ]) {
      expect(validationOf({ network })).toBe(0.2);
    }
    expect(validationOf({ training: { refit: true } })).toBe(0.2);
    expect(validationOf({ data: { ...DATA, target: ['y', 'z'] } })).toBe(0.2);
    expect(validationOf({ data: { ...DATA, validation: { last: 0.3 } } })).toEqual({ last: 0.3 });
  });

  it('takes a number of members as that of networks, each with a fold', () => {
    const membersOf = (members: unknown, facts: Partial<TableFacts>) =>
      complete({ preset: 'tabular', network: { members } }, facts).network.members;
    expect(membersOf(8, { folds: 8 })).toMatchObject({ kind: 'batch-ensemble', networks: 8 });
    expect(membersOf(8, { folds: 5 })).toMatchObject({ kind: 'batch-ensemble', networks: 8 });
    expect([membersOf(1, { folds: 5 }), membersOf(4, {})]).toEqual([1, 4]);
    expect(membersOf(8, { folds: 8, task: 'regression' })).toBe(8);
    const own = { count: 3, kind: 'batch-ensemble', networks: 8 };
    expect(membersOf(own, { folds: 8 })).toMatchObject(own);
  });

  it('embeds what can be embedded', () => {
    const typesFor = (facts: Partial<TableFacts>) =>
      complete({ preset: 'tabular' }, facts)
        .network.layers.map(({ type }) => type)
        .filter((type) => type.includes('embedding'));
    expect(typesFor({ numbers: 1, levels: true })).toEqual(['embedding', 'numeric-embedding']);
    expect(typesFor({ numbers: 0 })).toEqual([]);
  });

  it.each([
    ['classes without folds', {}, { kind: 'pbld' }],
    ['classes with folds', { folds: 5 }, { kind: 'piecewise-linear', size: 4 }],
    ['as many classes as are few', { folds: 5, rows: 10_000 }, { kind: 'piecewise-linear', size: 4 }],
    ['more classes', { folds: 5, rows: 10_001 }, { kind: 'pbld' }],
    ['classes by as many numbers as are few', { folds: 5, numbers: 20 }, { kind: 'piecewise-linear' }],
    ['classes by more numbers', { folds: 5, numbers: 21 }, { kind: 'pbld' }],
    ['a regression of few rows', { task: 'regression' }, { kind: 'piecewise-linear', size: 8 }],
    ['a regression of many rows', { task: 'regression', rows: 60_000 }, { kind: 'pbld' }],
  ] satisfies [string, Partial<TableFacts>, object][])('embeds the numbers of %s', (_, facts, embedding) => {
    const { layers } = complete({ preset: 'tabular' }, facts).network;
    expect(layers[0]).toMatchObject({ type: 'numeric-embedding', ...embedding });
    const own = complete({ preset: 'tabular', recipe: { embedding: 'periodic' } }, facts).network;
    expect(own.layers[0]).toMatchObject({ kind: 'periodic' });
  });

  it('trains longer on narrower layers without dropout, if numbers are told from few rows', () => {
    const shapeOf = (facts: Partial<TableFacts>) => {
      const { network, training } = complete({ preset: 'tabular' }, facts);
      const types = network.layers.map(({ type }) => type);
      return [
        network.layers.flatMap((layer) => (layer.type === 'linear' ? [layer.units] : []))[0],
        types.includes('dropout'),
        training.epochs,
      ];
    };
    expect(shapeOf({ task: 'regression', rows: 50_000 })).toEqual([192, false, 112]);
    expect(shapeOf({ task: 'regression', rows: 50_001 })).toEqual([256, true, 64]);
    expect(shapeOf({ rows: 1000 })).toEqual([256, true, 64]);
  });

  it('has a batch ensemble of narrower layers for each fold of classes', () => {
    const networkOf = (facts: Partial<TableFacts>, network = {}) => {
      const { layers, members } = complete({ preset: 'tabular', network }, facts).network;
      return [members, layers.flatMap((layer) => (layer.type === 'linear' ? [layer.units] : []))[0]];
    };
    const five = { count: 2, kind: 'batch-ensemble', networks: 5 };
    expect(networkOf({ task: 'binary', folds: 5 })).toEqual([five, 128]);
    expect(networkOf({ task: 'multiclass', outputs: 4, folds: 7 })).toEqual([{ ...five, networks: 7 }, 128]);
    expect(networkOf({ task: 'regression', folds: 5 })).toEqual([5, 192]);
    expect(networkOf({ task: 'binary' })).toEqual([4, 256]);
    expect(networkOf({ task: 'binary', folds: 8, rows: 10_001 }, { members: 8 })).toEqual([8, 256]);
  });

  it('leaves what the config says', () => {
    const own = {
      preset: 'tabular',
      network: { layers: [8, 'relu', 1] },
      data: { ...DATA, standardize: true },
      training: { steps: 7, optimizer: { type: 'adamw', learningRate: 0.5 }, rates: { bias: 3 } },
    };
    const { network, data, training } = complete(own);
    expect(network.layers).toHaveLength(3);
    expect(network).not.toHaveProperty('members');
    expect(data.standardize).toBe(true);
    expect(data).not.toHaveProperty('embedFrom');
    expect(training.steps).toBe(7);
    expect(training).not.toHaveProperty('epochs');
    expect(training.optimizer).toMatchObject({ learningRate: 0.5, beta2: 0.95 });
    expect(training.rates).toMatchObject({ bias: 3, scale: 6 });
  });

  it('leaves an optimizer and a schedule of another type alone', () => {
    const training = { optimizer: { type: 'sgd', learningRate: 0.1 }, schedule: { type: 'constant' } };
    const config = complete({ preset: 'tabular', training });
    const plain = complete({ network: { layers: [1] }, training });
    expect(config.training.optimizer).toEqual(plain.training.optimizer);
    expect(config.training.schedule).toEqual(plain.training.schedule);
  });

  it('takes a key of its optimiser alone', () => {
    const config = complete({ preset: 'tabular' }, {}, ['training.optimizer.weightDecay=0.3']);
    expect(config.training.optimizer).toMatchObject({ type: 'adamw', weightDecay: 0.3, learningRate: 0.04 });
  });

  it('takes a recipe, which changes its network and is gone from the config', () => {
    const recipe = { hidden: [64, 32], activation: 'relu', dropout: 0, embedding: 'periodic', scale: false };
    const config = complete({ preset: 'tabular', recipe }, {}, ['recipe.embeddingStd=0.3']);
    expect(config).not.toHaveProperty('recipe');
    expect(config.network.layers).toMatchObject([
      { type: 'numeric-embedding', kind: 'periodic', std: 0.3 },
      { type: 'linear', units: 64, parametrization: 'ntk' },
      { type: 'relu' },
      { type: 'linear', units: 32 },
      { type: 'relu' },
      { type: 'linear', units: 1 },
    ]);
    const plain = complete({ preset: 'tabular', recipe: { embedding: 'none', dropout: 0.3 } });
    expect(plain.network.layers.map(({ type }) => type).slice(0, 4)).toEqual([
      'scale',
      'linear',
      'selu',
      'dropout',
    ]);
    expect(complete({ preset: 'tabular', recipe: {} })).toEqual(complete({ preset: 'tabular' }));
  });

  it('refuses a recipe that changes nothing', () => {
    const network = { layers: [1] };
    const recipe = { dropout: 0.3 };
    expect(() => complete({ network, recipe })).toThrow(
      'c.json: recipe: found a recipe without "preset": "tabular", expected none',
    );
    expect(() => complete({ preset: 'tabular', network, recipe })).toThrow(
      'c.json: recipe: found a recipe beside network.layers, expected one of the two',
    );
    expect(() => complete({ preset: 'tabular', recipe: { hidden: [] } })).toThrow(
      'c.json: recipe.hidden: found [], expected at least one width',
    );
  });

  it('takes --set, for members and for the preset itself', () => {
    expect(complete({ preset: 'tabular' }, {}, ['network.members=3']).network.members).toBe(3);
    const members = { count: 8, kind: 'batch-ensemble' };
    const network = { members };
    expect(complete({ preset: 'tabular', network }, {}).network.members).toEqual(members);
    expect(complete({ network: { layers: [1] } }, {}, ['preset=tabular']).data.standardize).toBe('robust');
  });

  it('has no more rows in a batch than there are', () => {
    expect(complete({ preset: 'tabular' }, { rows: 20 }).training.batchSize).toBe(20);
  });

  it('is needed for a config without a network', () => {
    expect(() => complete({})).toThrow(/network: missing/);
    expect(() => complete({ preset: 'plain' })).toThrow(/network: missing/);
    expect(() => complete({ preset: 'tabullar' })).toThrow(/preset: unknown preset "tabullar"/);
  });
});

describe('a length "auto"', () => {
  const lengths = (training: object, rows: number) => {
    const { batchSize, epochs } = complete({ network: { layers: [1] }, training }, { rows }).training;
    return { batchSize, epochs };
  };

  it('is that of the preset, without it too', () => {
    for (const rows of [10, 1024, 1025, 8192, 30_001, 100_000, 100_001, 10 ** 7]) {
      const { batchSize, epochs } = complete({ preset: 'tabular' }, { rows }).training;
      expect(lengths({ batchSize: 'auto', epochs: 'auto' }, rows)).toEqual({ batchSize, epochs });
    }
  });

  it('follows the numbers of the reference', () => {
    const batch = (rows: number) => lengths({ batchSize: 'auto' }, rows).batchSize;
    expect([1024, 1025, 8193, 30_001, 100_001].map(batch)).toEqual([64, 128, 256, 512, 1024]);
    const epochs = (rows: number) => lengths({ epochs: 'auto' }, rows).epochs;
    expect([100, 100_000, 10 ** 7].map(epochs)).toEqual([64, 40, 8]);
  });

  it('leaves the other as it is', () => {
    expect(lengths({ batchSize: 'auto' }, 5000)).toEqual({ batchSize: 128, epochs: 30 });
    expect(lengths({ epochs: 'auto', batchSize: 7 }, 5000)).toEqual({ batchSize: 7, epochs: 64 });
  });

  it('is wrong beside steps, before the data are read', () => {
    const training = { epochs: 'auto', steps: 3 };
    expect(() => checkTrainConfig({ network: { layers: [1] }, data: DATA, training })).toThrow(
      'training: found both "epochs" and "steps", expected one of them',
    );
  });
});
