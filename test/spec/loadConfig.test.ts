import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { checkTrainConfig, loadNetworkSpec, loadTrainConfig } from '../../src/spec/loadConfig.js';
import type { TrainConfigInput } from '../../src/spec/trainConfig.js';
import { errorOf, folderWith } from './support.js';

const data = { train: '../a.csv', target: 'y' };
const config = { network: { layers: [4, 'relu', 1] }, data, training: { epochs: 3, batchSize: 8 } };

describe('checkTrainConfig', () => {
  const input: TrainConfigInput = {
    network: { layers: [8, 'relu', { type: 'residual', layers: [8, { type: 'leaky-relu' }] }, 3] },
    data: { train: 'iris.csv', target: 'species', missing: { petal: 'mean' } },
    training: { optimizer: { type: 'sgd', momentum: 0.9 }, earlyStopping: { patience: 3 } },
  };

  it('gives an object the defaults that a file gets', () => {
    const folder = folderWith({ 'c.json': input });
    const { config, directory } = checkTrainConfig(input);
    expect(config).toEqual(loadTrainConfig(join(folder, 'c.json')).config);
    expect(config.network.layers[3]).toMatchObject({ type: 'linear', units: 3, bias: true });
    expect(directory).toBe('.');
  });

  it('gives the errors that a file gets, with the name it is told', () => {
    const wrong = { ...input, training: { epochs: 0 } };
    expect(errorOf(() => checkTrainConfig(wrong))).toMatchObject({
      exitCode: ExitCode.config,
      message: 'config: training.epochs: found 0, expected a whole number of at least 1',
    });
    expect(errorOf(() => checkTrainConfig(wrong, 'options')).message).toMatch(/^options: training/);
  });
});

describe('loadTrainConfig', () => {
  it('gives the config, its folder, and where its network was written', () => {
    const folder = folderWith({ 'c.json': config });
    const path = join(folder, 'c.json');
    const loaded = loadTrainConfig(path);
    expect(loaded).toMatchObject({
      path,
      directory: folder,
    });
    expect(loaded.where(['network'])).toBe(`${path}:1:12: network`);
    expect(loaded.config.data.train).toBe('../a.csv');
    expect(loaded.config.network.layers.map(({ type }) => type)).toEqual(['linear', 'relu', 'linear']);
  });

  it('takes the network from a spec file beside it', () => {
    const folder = folderWith({
      'c.json': { ...config, network: 'specs/s.json' },
      'specs/s.json': { $schema: 'x', input: 30, layers: [2] },
    });
    const loaded = loadTrainConfig(join(folder, 'c.json'));
    expect(loaded.config.network).toMatchObject({ input: 30, layers: [{ type: 'linear', units: 2 }] });
    expect(loaded.where(['network', 'input'])).toBe(`${join(folder, 'specs/s.json')}:1:24: input`);
  });

  it('names the spec file in errors about its network', () => {
    const folder = folderWith({
      'c.json': { ...config, network: 'bad.json' },
      'bad.json': { layers: ['rellu'] },
      'none.json': { ...config, network: 'missing.json' },
    });
    expect(errorOf(() => loadTrainConfig(join(folder, 'c.json'))).message).toMatch(
      `${join(folder, 'bad.json')}:1:12: layers[0].type: unknown layer "rellu"`,
    );
    expect(errorOf(() => loadTrainConfig(join(folder, 'none.json')))).toMatchObject({
      exitCode: ExitCode.noInput,
      message: `${join(folder, 'missing.json')}: no such file`,
    });
  });

  it('sets overrides, also into short layers and into a spec file', () => {
    const folder = folderWith({
      'c.json': config,
      'p.json': { ...config, network: 's.json' },
      's.json': { layers: [2] },
    });
    for (const name of ['c.json', 'p.json']) {
      const loaded = loadTrainConfig(join(folder, name), ['network.layers[0].units=7', 'training.steps=5']);
      expect(loaded.config.network.layers[0]).toMatchObject({ type: 'linear', units: 7 });
      expect(loaded.config.training).toMatchObject({ steps: 5, batchSize: 8 });
      expect(loaded.config.training).not.toHaveProperty('epochs');
    }
  });

  it('takes another spec file by an override, even where the first is missing', () => {
    const folder = folderWith({ 'c.json': { ...config, network: 'gone.json' }, 's.json': { layers: [2] } });
    const loaded = loadTrainConfig(join(folder, 'c.json'), ['network=s.json']);
    expect(loaded.config.network.layers[0]).toMatchObject({ units: 2 });
    expect(loaded.where(['network'])).toBe(`${join(folder, 's.json')}:1:1`);
  });

  it('finds what is wrong in a spec file that an override names, and in one that it changes', () => {
    const folder = folderWith({
      'c.json': { ...config, network: 's.json' },
      's.json': { layers: [2, 'rellu'] },
    });
    const refusal = (set: string) => errorOf(() => loadTrainConfig(join(folder, 'c.json'), [set])).message;
    const place = `${join(folder, 's.json')}:1:14: layers[1].type: unknown layer`;
    expect(refusal('network=s.json')).toContain(place);
    expect(refusal('network.layers[0]=3')).toContain(place);
    expect(refusal('network.layers[1]=0')).toMatch(/^--set: network\.layers\[1\]\.units: found 0/);
  });

  it('names a place that only the data show to be wrong, in the file or --set', () => {
    const path = join(
      folderWith({
        'c.json': '\ufeff{\r\n  "network": {"layers": [1]},\r\n  "data": {"train": "a", "target": 1}}',
      }),
      'c.json',
    );
    const { where } = loadTrainConfig(path, ['training.loss=auto']);
    expect(where(['data', 'target'])).toBe(`${path}:3:36: data.target`);
    expect(where(['data'], 'target')).toBe(`${path}:3:26: data`);
    expect(where(['seed'])).toBe(`${path}:1:1: seed`);
    expect(where(['training', 'loss'])).toBe('--set: training.loss');
    expect(checkTrainConfig(config).where(['data', 'target'])).toBe('config: data.target');
  });

  it.each([
    ['training.epoch=5', '--set: training: unknown key "epoch"; expected one of', 'did you mean "epochs"?'],
    [
      'training.epochs=five',
      '--set: training.epochs: found "five", expected "auto" or a whole number of at least 1',
      undefined,
    ],
    ['network.layers[0]=0', '--set: network.layers[0].units: found 0, expected', undefined],
    ['trainning.epochs=5', '--set: unknown key "trainning"; expected one of', 'did you mean "training"?'],
    ['__proto__.x=1', '--set: unknown key "__proto__"; expected one of', undefined],
  ])('lays the fault of %s on the command line', (override, message, hint) => {
    const path = join(folderWith({ 'c.json': config }), 'c.json');
    const error = errorOf(() => loadTrainConfig(path, [override]));
    expect(error).toMatchObject({ exitCode: ExitCode.config, hint });
    expect(error.message.startsWith(message)).toBe(true);
  });

  it('lays the fault of the file on the file, whatever is set beside it', () => {
    const path = join(folderWith({ 'c.json': { ...config, trainning: {} } }), 'c.json');
    expect(errorOf(() => loadTrainConfig(path, ['trainning.epochs=5'])).message).toMatch(
      `${path}:1:115: unknown key "trainning"`,
    );
  });

  it('tells a network spec from a train config', () => {
    const path = join(folderWith({ 's.json': { layers: [1] } }), 's.json');
    expect(errorOf(() => loadTrainConfig(path))).toEqual({
      exitCode: ExitCode.config,
      message: `${path}:1:1: found a network spec, expected a train config`,
      hint: 'write a config that has the path of this spec as "network", and "data"',
    });
  });

  it.each(['5', 'null', '[]', '"x"'])('refuses %s as a config', (text) => {
    const path = join(folderWith({ 'c.json': text }), 'c.json');
    expect(errorOf(() => loadTrainConfig(path, ['seed=1'])).message).toBe(
      `${path}:1:1: found ${text}, expected an object`,
    );
  });
});

describe('loadNetworkSpec', () => {
  it('loads a spec', () => {
    const folder = folderWith({ 's.json': { input: 30, layers: [1024, 'relu', 1] } });
    const path = join(folder, 's.json');
    const loaded = loadNetworkSpec(path, ['layers[0].units=8']);
    expect(loaded).toMatchObject({ path, directory: folder });
    expect(loaded.where([])).toBe(`${path}:1:1`);
    expect(loaded.network).toMatchObject({
      input: 30,
      layers: [{ units: 8 }, { type: 'relu' }, { units: 1 }],
    });
    expect(loaded.train).toBeUndefined();
  });

  it('loads the network of a train config, with the rest of it', () => {
    const path = join(folderWith({ 'c.json': config }), 'c.json');
    const loaded = loadNetworkSpec(path);
    expect(loaded.train?.config.training.batchSize).toBe(8);
    expect(loaded.network).toBe(loaded.train?.config.network);
    expect(loaded.where(['layers', 1])).toBe(`${path}:1:25: network.layers[1]`);
  });

  it('reports errors at their path in the spec', () => {
    const path = join(folderWith({ 's.json': { layers: [1, 'rellu'] } }), 's.json');
    expect(errorOf(() => loadNetworkSpec(path)).message).toMatch(
      `${path}:1:14: layers[1].type: unknown layer "rellu"`,
    );
  });

  it.each<[value: unknown, hint: string | undefined]>([
    [{ layer: [1] }, 'did you mean "layers"?'],
    [{ Network: {} }, 'did you mean "network"?'],
    [{ inputs: {}, nodes: {}, output: 'z' }, 'this looks like a graph: mlp gradcheck reads it'],
    [{}, undefined],
    [[1, 2], undefined],
    [5, undefined],
  ])('refuses %j, which is neither a spec nor a config', (value, hint) => {
    const path = join(folderWith({ 'x.json': JSON.stringify(value) }), 'x.json');
    expect(errorOf(() => loadNetworkSpec(path))).toEqual({
      exitCode: ExitCode.config,
      message: `${path}:1:1: found neither "layers" (a network spec) nor "network" (a train config)`,
      hint,
    });
  });
});
