/** A run that starts from another's weights and encodings. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, type TrainOptions, train } from '../../src/index.js';
import { encodeLoaded, loadModel as loadFile } from '../../src/model/load.js';
import { reproduce } from '../../src/training/train.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { csvOf } from '../support/runs.js';

/** Rows with every kind of column, a cell of each missing, and targets of either task. */
const MIXED = [
  'size,grade,city,open,when,price,kind',
  ...Array.from({ length: 60 }, (_, i) => {
    const size = i % 9 === 4 ? '' : (i * 37) % 23;
    const city = i % 11 === 5 ? '' : ['Bern', 'Lyon', 'Oslo', 'Rome'][(i * i) % 4];
    const when = `2024-${String(1 + (i % 12)).padStart(2, '0')}-${String(1 + (i % 28)).padStart(2, '0')}`;
    return [size, (i % 5) / 4, city, i % 3 ? 'yes' : 'no', when, 10 + i * 3, i % 4 ? 'cheap' : 'dear'].join(
      ',',
    );
  }),
].join('\n');

const MISSING = { size: 'indicator', city: 'indicator' };
const RECIPES = {
  'every kind of layer and column': {
    network: {
      layers: [
        { type: 'embedding', size: 2 },
        { type: 'numeric-embedding', kind: 'piecewise-linear', bins: 4, size: 3 },
        { type: 'linear', units: 8, init: { type: 'unit-variance' }, biasInit: { type: 'he+5' } },
        'batch-norm',
        { type: 'tanh', parametric: true },
        { type: 'dropout', rate: 0.2 },
        { type: 'residual', layers: [8, 'relu'] },
        1,
      ],
    },
    data: { target: 'kind', exclude: ['price'], missing: MISSING, embedFrom: 3, standardize: 'robust' },
  },
  'members and a scaled logarithm': {
    network: { layers: [{ type: 'embedding', size: 2 }, 6, 'tanh', 1], members: 2 },
    data: { target: 'price', exclude: ['kind'], missing: MISSING, targetTransform: 'log', embedFrom: 3 },
    training: { clipPredictions: true },
  },
  'members that share weights': {
    network: { layers: [6, 'tanh', 1], members: { count: 3, kind: 'batch-ensemble' } },
    data: { target: 'kind', exclude: ['price'], missing: MISSING },
  },
} as const;

type Changes = Readonly<Record<string, unknown>>;

/** A config with other keys, and a folder with its file. */
function configOf(recipe: Changes, folder: string, changes: Changes = {}) {
  const { data, training, ...rest } = recipe as Record<string, Changes>;
  const { data: otherData, training: otherTraining, ...others } = changes as Record<string, Changes>;
  return {
    ...rest,
    seed: 3,
    data: { train: join(folder, 'data.csv'), ...data, ...otherData },
    training: { epochs: 3, batchSize: 16, ...training, ...otherTraining },
    ...others,
  } as unknown as Parameters<typeof train>[0];
}

/** Trains until an epoch has ended. */
function stopAfter(epoch: number): TrainOptions {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onEpoch: (done) => {
      if (done.epoch === epoch) controller.abort();
    },
  };
}

const ABORTED: TrainOptions = { signal: AbortSignal.abort() };

const jsonOf = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

describe('a run from another', () => {
  it.each(Object.entries(RECIPES))('predicts as the other before its first step: %s', async (_, recipe) => {
    const folder = folderOf({ 'data.csv': MIXED });
    const source = await train(configOf(recipe, folder), { run: join(folder, 'a') });
    const run = await train(configOf(recipe, folder, { seed: 8 }), { ...ABORTED, from: join(folder, 'a') });
    expect(run.weightsSha256).toBe(source.weightsSha256);
    const path = join(folder, 'b.safetensors');
    await run.save(path);
    const [before, after] = [loadFile(join(folder, 'a')), loadFile(path)];
    expect(after.features).toEqual(before.features);
    const rows = MIXED.split('\n')
      .slice(1, 20)
      .map((line) => {
        const [size, grade, city, open, when] = line.split(',');
        return { size: size && Number(size), grade: Number(grade), city, open, when };
      });
    expect(await (await loadModel(path)).predict(rows)).toEqual(await source.model.predict(rows));
  });

  it('has the same bits for any number of threads, when it was stopped, and when it is repeated', async () => {
    const folder = folderOf({ 'data.csv': MIXED });
    const recipe = RECIPES['every kind of layer and column'];
    const from = join(folder, 'a');
    await train(configOf(recipe, folder), { run: from });
    const config = configOf(recipe, folder, { backend: 'wasm' });
    const run = join(folder, 'b');
    const whole = await train(config, { from, run });
    const threads = await train({ ...(config as object), threads: 3 } as typeof config, { from });
    expect(threads.weightsSha256).toBe(whole.weightsSha256);
    expect((await reproduce(run)).status).toBe('equal');

    const stopped = join(folder, 'c');
    await train(config, { ...stopAfter(1), from, run: stopped });
    // Neither the source nor the model of a run that was killed is there any more.
    rmSync(from, { recursive: true });
    rmSync(join(stopped, 'model.safetensors'));
    const resumed = await train(config, { resume: stopped });
    expect(resumed.weightsSha256).toBe(whole.weightsSha256);
    const origin = { path: expect.stringMatching(/\ba$/), weightsSha256: expect.any(String) };
    expect(jsonOf(join(stopped, 'run.json')).from).toMatchObject(origin);
    expect(jsonOf(join(stopped, 'config.json')).training.from).toBe('initial.safetensors');
  });

  it('uses the scalings of the other for rows of its own, and trains its refit from the same weights', async () => {
    const folder = folderOf({ 'data.csv': csvOf(80, 3, 'values') });
    const recipe = { network: { layers: [4, 'tanh', 1] }, data: { target: 'y' } };
    await train(configOf(recipe, folder), { run: join(folder, 'a') });
    writeFileSync(join(folder, 'data.csv'), csvOf(40, 3, 'values').replaceAll('0.', '7.'));
    const config = configOf(recipe, folder, { training: { refit: true } });
    const run = join(folder, 'b');
    await train(config, { from: join(folder, 'a'), run });
    const [source, model] = [loadFile(join(folder, 'a')), loadFile(run)];
    expect(model.features).toEqual(source.features);
    expect(model.targetStandardization).toEqual(source.targetStandardization);
    expect((await reproduce(run)).status).toBe('equal');
    const { code, stderr } = await mlpHere(['evaluate', run]);
    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
  });

  it('continues a float32 in float64, but rounds no float64', async () => {
    const folder = folderOf({ 'data.csv': SMALL_CSV });
    const recipe = { network: { layers: [4, 'tanh', 1] }, data: { target: 'y' } };
    const source = await train(configOf(recipe, folder), { run: join(folder, 'a') });
    const from = join(folder, 'a');
    const wide = configOf(recipe, folder, { dtype: 'float64' });
    const run = await train(wide, { ...ABORTED, from, run: join(folder, 'b') });
    const rows = [{ a: 3, b: 1 }];
    const [[narrow], [exact]] = [await source.model.predict(rows), await run.model.predict(rows)];
    expect(exact.probabilities?.yes).toBeCloseTo(narrow.probabilities?.yes as number, 6);
    await expect(train(configOf(recipe, folder), { from: join(folder, 'b') })).rejects.toThrow(
      'dtype: found "float32", expected "float64" as in',
    );
  });
});

describe('a run that has only checkpoints', () => {
  it('is named by the error after a divergence, and can be started from', async () => {
    const config = smallConfig({
      network: { layers: [1] },
      data: { train: 'data.csv', target: 'b', exclude: ['y'], task: 'regression' },
      training: { epochs: 60, batchSize: 8, optimizer: { type: 'sgd', learningRate: 5 } },
    });
    const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const failed = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect(failed.stderr).toMatch(/^hint: start a new run from the last good weights \(--from r\)/m);
    expect(failed.code).toBe(78);
    const smaller = ['--set', 'training.optimizer.learningRate=0.01', '--set', 'training.epochs=2'];
    const { code, stderr } = await mlpHere(
      ['train', 'config.json', '--from', 'r', '--run', 's', ...smaller],
      { cwd },
    );
    expect(stderr).toContain('r has no model: taking the best weights of its last checkpoint');
    expect(code).toBe(0);
    const { stdout } = await mlpHere(['runs', 's', 'r', '--json'], { cwd });
    const [run] = JSON.parse(stdout);
    expect(run.differences['training.from']).toBe('r');
  });

  it('gives the weights that its model would have', async () => {
    const folder = folderOf({ 'data.csv': MIXED });
    const recipe = RECIPES['every kind of layer and column'];
    const source = await train(configOf(recipe, folder), { run: join(folder, 'a') });
    rmSync(join(folder, 'a/model.safetensors'));
    const run = await train(configOf(recipe, folder), { ...ABORTED, from: join(folder, 'a') });
    expect(run.weightsSha256).toBe(source.weightsSha256);
  });
});

/** What a config, or its data, differ in from those of the source; and the error that says so. */
const REFUSED: readonly [what: string, changes: Changes, csv: string, code: number, message: string][] = [
  [
    'another network',
    { network: { layers: [5, 'tanh', 1] } },
    SMALL_CSV,
    78,
    'network.layers[0].units: found 5, expected 4 as in a/model',
  ],
  [
    'another activation',
    { network: { layers: [4, 'relu', 1] } },
    SMALL_CSV,
    78,
    'network.layers[1].type: found "relu", expected "tanh" as in a/model',
  ],
  [
    'members',
    { network: { layers: [4, 'tanh', 1], members: 2 } },
    SMALL_CSV,
    78,
    'network.members: found 2, expected 1 as in a/model',
  ],
  [
    'another task',
    { data: { target: 'y', task: 'multiclass' } },
    SMALL_CSV,
    78,
    'data.task: found "multiclass", expected "binary" as in a/model',
  ],
  [
    'another target',
    { data: { target: 'b', exclude: ['y'] } },
    SMALL_CSV,
    78,
    'data.target: found ["b"], expected ["y"] as in a/model',
  ],
  [
    'another positive class',
    { data: { target: 'y', positive: 'no' } },
    SMALL_CSV,
    78,
    'data.positive: found "no", expected "yes" as in a/model',
  ],
  [
    'numbers as categories',
    { data: { target: 'y', categories: ['b'] } },
    SMALL_CSV,
    78,
    'data.categories: found column "b", expected no category: it is numeric in a/model',
  ],
  [
    'a new class',
    {},
    `${SMALL_CSV}\n1,2,maybe`,
    65,
    'data.csv: column "y": found the class "maybe", which a/model.safetensors does not know, expected only "no", "yes"',
  ],
  [
    'a missing column',
    {},
    SMALL_CSV.replace('a,b,y', 'a,c,y'),
    65,
    'data.csv: found no feature in column "b", expected all 2 features of a/model',
  ],
  [
    'new columns',
    {},
    SMALL_CSV.replaceAll(',', ',1,').replace('a,1,b,1,y', 'a,c,b,d,y'),
    65,
    'data.csv: found column "c", column "d", expected only the 2 features of a/model',
  ],
  ['text for numbers', {}, SMALL_CSV.replace('1,2,yes', 'x,2,yes'), 65, 'data.csv:3: column "a": found'],
];

it('refuses another network, target, class or column, and names it', async () => {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  await mlpHere(['train', 'config.json', '--run', 'a'], { cwd });
  for (const [what, changes, csv, exitCode, message] of REFUSED) {
    const { data = { target: 'y' }, ...others } = changes as Record<string, Changes>;
    const config = smallConfig({ ...others, data: { train: 'data.csv', ...data } });
    writeFileSync(join(cwd, 'other.json'), JSON.stringify(config));
    writeFileSync(join(cwd, 'data.csv'), csv);
    const { code, stderr } = await mlpHere(['train', 'other.json', '--from', 'a', '--run', 'b'], { cwd });
    expect(stderr, what).toContain(message);
    expect(code, what).toBe(exitCode);
    expect(existsSync(join(cwd, 'b')), what).toBe(false);
  }
});

it('refuses a model of an earlier version, a damaged copy, and --resume beside --from', async () => {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  await mlpHere(['train', 'config.json', '--run', 'a'], { cwd });
  const { missingValues: _, ...old } = loadFile(join(cwd, 'a'));
  const { header, parts } = encodeLoaded(old);
  writeFileSync(join(cwd, 'old.safetensors'), Buffer.concat([header, ...parts]));
  const from = (...options: string[]) => mlpHere(['train', 'config.json', '--from', ...options], { cwd });
  expect((await from('old.safetensors')).stderr).toContain('found a model of an earlier version');
  expect(await from('nowhere')).toMatchObject({ code: 66 });
  expect(await from('a', '--resume', 'a')).toMatchObject({ code: 64 });
  await from('a', '--run', 'b');
  const copy = readFileSync(join(cwd, 'b/initial.safetensors'));
  copy[copy.length - 1] ^= 1;
  writeFileSync(join(cwd, 'b/initial.safetensors'), copy);
  const { code, stderr } = await mlpHere(['repro', 'b'], { cwd });
  expect(stderr).toContain('b/initial.safetensors: found content of checksum');
  expect(code).toBe(65);
});
