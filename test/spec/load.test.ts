import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { loadNetworkSpec, loadTrainConfig } from '../../src/spec/load.js';
import { errorOf, folderWith } from './support.js';

const data = { train: '../a.csv', target: 'y' };
const config = { network: { layers: [4, 'relu', 1] }, data, training: { epochs: 3, batchSize: 8 } };

describe('loadTrainConfig', () => {
  it('gives the config, its folder, and where its network was written', () => {
    const folder = folderWith({ 'c.json': config });
    const path = join(folder, 'c.json');
    const loaded = loadTrainConfig(path);
    expect(loaded).toMatchObject({
      path,
      directory: folder,
      networkPlace: { file: path, path: ['network'] },
    });
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
    expect(loaded.networkPlace).toEqual({ file: join(folder, 'specs/s.json'), path: [] });
  });

  it('names the spec file in errors about its network', () => {
    const folder = folderWith({
      'c.json': { ...config, network: 'bad.json' },
      'bad.json': { layers: ['rellu'] },
      'none.json': { ...config, network: 'missing.json' },
    });
    expect(errorOf(() => loadTrainConfig(join(folder, 'c.json'))).message).toMatch(
      `${join(folder, 'bad.json')}: layers[0].type: unknown layer "rellu"`,
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
    expect(loaded.networkPlace.file).toBe(join(folder, 's.json'));
  });

  it.each([
    ['training.epoch=5', '--set: training: unknown key "epoch"; expected one of', 'did you mean "epochs"?'],
    [
      'training.epochs=five',
      '--set: training.epochs: found "five", expected a whole number of at least 1',
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
      `${path}: unknown key "trainning"`,
    );
  });

  it('tells a network spec from a train config', () => {
    const path = join(folderWith({ 's.json': { layers: [1] } }), 's.json');
    expect(errorOf(() => loadTrainConfig(path))).toEqual({
      exitCode: ExitCode.config,
      message: `${path}: found a network spec, expected a train config`,
      hint: 'write a config with the path of this spec as its "network", and with "data" beside it',
    });
  });

  it.each(['5', 'null', '[]', '"x"'])('refuses %s as a config', (text) => {
    const path = join(folderWith({ 'c.json': text }), 'c.json');
    expect(errorOf(() => loadTrainConfig(path, ['seed=1'])).message).toBe(
      `${path}: found ${text}, expected an object`,
    );
  });
});

describe('loadNetworkSpec', () => {
  it('loads a spec', () => {
    const folder = folderWith({ 's.json': { input: 30, layers: [1024, 'relu', 1] } });
    const path = join(folder, 's.json');
    const loaded = loadNetworkSpec(path, ['layers[0].units=8']);
    expect(loaded).toMatchObject({ path, directory: folder, networkPlace: { file: path, path: [] } });
    expect(loaded.network).toMatchObject({
      input: 30,
      layers: [{ units: 8 }, { type: 'relu' }, { units: 1 }],
    });
    expect(loaded.config).toBeUndefined();
  });

  it('loads the network of a train config, with its batch size', () => {
    const path = join(folderWith({ 'c.json': config }), 'c.json');
    const loaded = loadNetworkSpec(path);
    expect(loaded.batchSize).toBe(8);
    expect(loaded.network).toBe(loaded.config?.network);
  });

  it('reports errors at their path in the spec', () => {
    const path = join(folderWith({ 's.json': { layers: [1, 'rellu'] } }), 's.json');
    expect(errorOf(() => loadNetworkSpec(path)).message).toMatch(
      `${path}: layers[1].type: unknown layer "rellu"`,
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
      message: `${path}: found neither "layers", as a network spec has, nor "network", as a train config has`,
      hint,
    });
  });
});
