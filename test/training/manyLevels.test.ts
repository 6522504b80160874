/**
 * A category of many levels in a first linear layer: level numbers and gathered rows of the weights must
 * give what one-hot columns give. A layer "identity" in front makes the same network dense.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matrixWidth } from '../../src/data/encoding/encoding.js';
import { denseModel } from '../../src/export/dense.js';
import { loadModel, train } from '../../src/index.js';
import { encodeLoaded, loadModel as loadFile, type Model } from '../../src/model/load.js';
import { folderOf, mlpHere } from '../support/cli.js';

const LEVELS = 1000;

/** Each level once or twice, numbers on both sides, empty cells, and now and then a level of its own. */
const ROWS = Array.from({ length: 1400 }, (_, i) => {
  const city = i % 97 === 5 ? '' : `c${(i * 7) % (LEVELS + 150)}`;
  const [a, b] = [(i * 37) % 23, ((i * i) % 17) / 4];
  return [a, city, b, i % 3 ? 'yes' : 'no', (a + 3 * b + ((i * 7) % (LEVELS + 150)) / 100).toFixed(2)].join(
    ',',
  );
});
const CSV = ['a,city,b,open,y', ...ROWS].join('\n');

/** More than half of the rows have one city, a quarter and more one of two shops; the others have their own. */
const USUAL = [
  'a,city,shop,y',
  ...Array.from({ length: 2300 }, (_, i) => {
    const [a, b] = [(i * 37) % 23, ((i * i) % 17) / 4];
    const shop = i % 20 < 11 ? (i % 20 < 6 ? 'usual' : 'often') : `s${i}`;
    return [a, i % 9 < 5 ? 'usual' : `c${i}`, shop, (a + 3 * b).toFixed(2)].join(',');
  }),
].join('\n');

interface Settings {
  readonly layers?: readonly unknown[];
  readonly members?: number;
  readonly training?: object;
  readonly data?: object;
  readonly dtype?: string;
  readonly backend?: string;
  readonly csv?: string;
}

function configOf(folder: string, { layers = [5, 'relu', 1], members, training, data, ...others }: Settings) {
  return {
    seed: 3,
    dtype: 'float64',
    data: {
      train: join(folder, 'data.csv'),
      target: 'y',
      validation: 0.1,
      missing: { city: 'indicator' },
      ...data,
    },
    network: { layers, ...(members !== undefined && { members }) },
    training: { steps: 6, batchSize: 64, ...training },
    ...others,
  } as unknown as Parameters<typeof train>[0];
}

async function modelOf({ csv = CSV, ...settings }: Settings, name = 'run'): Promise<Model> {
  const folder = folderOf({ 'data.csv': csv });
  await train(configOf(folder, settings), { run: join(folder, name) });
  return loadFile(join(folder, name));
}

/** The same settings with one-hot columns. */
function dense({ layers = [5, 'relu', 1], ...others }: Settings): Settings {
  return { layers: ['identity', ...layers], ...others };
}

const widest = ({ tensors }: Model) =>
  [...tensors].filter(([name]) => name.endsWith('.weight')).map(([, data]) => data.length);

function expectAlike(found: Model, expected: Model, tolerance: number): void {
  const others = [...expected.tensors.values()];
  [...found.tensors.values()].forEach((data, i) => {
    expect(data).toHaveLength(others[i].length);
    let most = 0;
    data.forEach((value, at) => {
      most = Math.max(most, Math.abs(value - others[i][at]));
    });
    expect(most).toBeLessThan(tolerance);
  });
}

const CASES: Readonly<Record<string, Settings>> = {
  'sgd with momentum and L2': {
    training: { optimizer: { type: 'sgd', momentum: 0.9 }, l2: 0.01 },
  },
  'adam with weight decay, by plain kernels': {
    training: { optimizer: { type: 'adamw', weightDecay: 0.1 } },
    backend: 'reference',
  },
  'three members': { members: 3, training: { optimizer: { type: 'adam' } } },
  'ntk, unit-variance and he+5': {
    layers: [
      {
        ...{ type: 'linear', units: 6, parametrization: 'ntk' },
        ...{ init: { type: 'unit-variance' }, biasInit: { type: 'he+5' } },
      },
      'tanh',
      1,
    ],
  },
  'robust scaling': {
    data: { standardize: 'robust', missing: { city: 'indicator' } },
    training: { optimizer: { type: 'adamw', weightDecay: 0.1 } },
  },
  'robust scaling of one of two categories, with NTK': {
    csv: USUAL,
    data: { standardize: { city: true, shop: 'robust' }, validation: 0, missing: 'error' },
    layers: [
      { type: 'linear', units: 5, parametrization: 'ntk', init: { type: 'unit-variance' } },
      'tanh',
      1,
    ],
  },
  'no other column': { data: { exclude: ['a', 'b', 'open'], missing: { city: 'most-frequent' } } },
};

describe('a category of many levels in front of a linear layer', () => {
  it.each(Object.entries(CASES))('trains as one-hot columns do: %s', async (_, settings) => {
    const [found, expected] = [await modelOf(settings), await modelOf(dense(settings))];
    expect(found.network.input).toBeLessThan(10);
    expect(expected.network.input).toBeGreaterThan(LEVELS - 100);
    expect(widest(found)).toEqual(widest(expected));
    expectAlike(found, expected, 1e-10);
  });

  it('has the same bits for any number of threads', async () => {
    const folder = folderOf({ 'data.csv': CSV });
    const config = configOf(folder, { layers: [40, 'relu', 1], dtype: 'float32', backend: 'wasm' });
    const runs = [1, 3].map((threads) => train({ ...(config as object), threads } as typeof config));
    const [one, three] = await Promise.all(runs);
    expect(three.weightsSha256).toBe(one.weightsSha256);
  });

  it('keeps one-hot columns of fewer levels, and in front of other layers', async () => {
    const { network, features } = await modelOf({
      layers: [{ type: 'dropout', rate: 0.1 }, 4, 1],
      training: { steps: 1 },
    });
    expect(network.input).toBe(matrixWidth(features));
    expect(network.input).toBeGreaterThan(LEVELS - 100);
    const folder = folderOf({ 'data.csv': CSV.replaceAll(/c\d*(\d\d)\b/g, 'c$1') });
    await train(configOf(folder, { training: { steps: 1 } }), { run: join(folder, 'run') });
    expect(loadFile(join(folder, 'run')).network.input).toBeGreaterThan(90);
  });

  it.each([
    { name: 'one-hot', settings: {}, key: 'city', cells: ['c7', 'c14', 'nowhere', ''] },
    {
      name: 'robust scaling',
      settings: {
        csv: USUAL,
        data: { standardize: 'robust', validation: 0, missing: { shop: 'indicator' } },
      },
      key: 'shop',
      cells: ['usual', 'often', 's12', 's13', 'nowhere'],
    },
  ])(
    'predicts unknown levels and missing cells as its dense form does, and starts another run: $name',
    async ({
      settings: { csv = CSV, ...settings },
      key,
      cells,
    }: {
      settings: Settings;
      key: string;
      cells: string[];
    }) => {
      const folder = folderOf({ 'data.csv': csv });
      const run = join(folder, 'run');
      await train(configOf(folder, settings), { run });
      const model = loadFile(run);
      const form = denseModel(model);
      expect(form.network.input).toBe(matrixWidth(form.features));
      const path = join(folder, 'more');
      const more = await train(configOf(folder, { ...settings, training: { steps: 1 } }), {
        from: run,
        run: path,
      });
      expect(more.model).toBeDefined();
      expect(loadFile(path).features).toEqual(model.features);
      const rows = cells.map((cell) => ({
        a: 1,
        b: 2,
        open: 'yes',
        city: 'usual',
        shop: 'usual',
        [key]: cell,
      }));
      const densePath = join(folder, 'dense.safetensors');
      const { header, parts } = encodeLoaded(form);
      writeFileSync(densePath, Buffer.concat([header, ...parts]));
      const [own, others] = await Promise.all(
        [run, densePath].map(async (at) => {
          const predictions = await (await loadModel(at)).predict(rows);
          return predictions.map(({ prediction }) => Number(prediction));
        }),
      );
      expect(new Set(own).size).toBe(cells.length);
      own.forEach((value, i) => {
        expect(value).toBeCloseTo(others[i], 10);
      });
    },
  );

  it('takes a network.input that counts the one-hot columns, and names the key of an embedding', async () => {
    const folder = folderOf({ 'data.csv': CSV });
    const settings = { training: { steps: 1 }, data: { missing: { city: 'most-frequent' } } };
    const { features } = denseModel(await modelOf(settings));
    const config = configOf(folder, settings) as unknown as { network: object };
    const counted = { ...config, network: { ...config.network, input: matrixWidth(features) } };
    await train(counted as unknown as Parameters<typeof train>[0]);
    await expect(
      train(configOf(folder, { ...settings, data: { ...settings.data, embedFrom: 500 } })),
    ).rejects.toThrow('found no embedding before the first linear layer');
  });

  it('is checked, counted, scored and exported by the commands', async () => {
    const folder = folderOf({ 'data.csv': CSV });
    const run = join(folder, 'run');
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify(configOf(folder, {})));
    await train(configOf(folder, {}), { run });
    for (const command of [
      ['params', path],
      ['gradcheck', path],
      ['evaluate', run],
      ['report', run],
      ['export', run, '--to', 'onnx', '-o', join(folder, 'model.onnx')],
      ['export', run, '--to', 'c', '-o', join(folder, 'model.c')],
    ]) {
      const { code, stderr } = await mlpHere(command);
      expect([command[0], code, code === 0 ? '' : stderr]).toEqual([command[0], 0, '']);
    }
  });
});
