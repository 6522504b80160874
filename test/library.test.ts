/** The package through its own entry, as a user imports it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type ConfigInput,
  ExitCode,
  gradcheck,
  inspect,
  loadModel,
  MlpError,
  setMaxUnpacked,
  suggestConfig,
  train,
} from 'mlp-train';
import * as engine from 'mlp-train/engine';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mlp, mlpHere, temporaryFolder } from './support/cli.js';
import { projectPath } from './support/fixtures.js';

const IRIS = projectPath('data/iris.csv');
const SETOSA = {
  'sepal length (cm)': 5.1,
  'sepal width (cm)': 3.5,
  'petal length (cm)': 1.4,
  'petal width (cm)': 0.2,
};

const iris = (epochs: number): ConfigInput => ({
  data: { train: IRIS, target: 'species' },
  network: { layers: [16, 'relu', 3] },
  training: { epochs, optimizer: { type: 'adam', learningRate: 0.01 } },
});

const ROWS = Array.from({ length: 40 }, (_, i) => ({
  size: 40 + ((i * 37) % 120),
  city: i % 2 === 0 ? 'Oslo' : 'Rome',
  price: 3 * ((i * 37) % 120) + (i % 2) * 50,
}));

const houses = (overrides: object = {}): ConfigInput => ({
  data: { rows: ROWS, target: 'price', standardizeTarget: true },
  network: { layers: [8, 'tanh', 1] },
  training: { epochs: 3 },
  ...overrides,
});

/** The error that a promise is rejected with. */
const errorOf = (promise: Promise<unknown>): Promise<MlpError> =>
  promise.then(
    () => {
      throw new Error('expected an error');
    },
    (error: MlpError) => error,
  );

describe('an ensemble', () => {
  it.each([3, { count: 3, kind: 'batch-ensemble' as const }])(
    'of %j is trained, saved and loaded as one network, with the same bits for any number of threads',
    async (members) => {
      const folder = temporaryFolder();
      const config = {
        data: { train: IRIS, target: 'species' },
        network: { layers: [6, 'relu' as const, 3], members: members as number },
        training: { epochs: 4 },
      };
      const run = await train(config, { run: join(folder, 'run') });
      const loaded = await loadModel(join(folder, 'run'));
      expect(await loaded.predict([SETOSA])).toEqual(await run.model.predict([SETOSA]));
      const other = await train({ ...config, threads: 2 });
      expect(await other.model.predict([SETOSA])).toEqual(await run.model.predict([SETOSA]));
    },
  );
});

describe('train', () => {
  it('trains on a CSV, and is the run of the command line', async () => {
    const folder = temporaryFolder();
    const epochs: number[] = [];
    const run = await train(iris(30), { onEpoch: ({ epoch }) => void epochs.push(epoch) });
    expect(run).toMatchObject({ status: 'completed', epochs: 30, steps: 120, warnings: [] });
    expect(epochs).toEqual(run.history.map(({ epoch }) => epoch));
    expect(run.metrics.validation?.accuracy).toBeGreaterThan(0.9);
    expect(run.confusion).toHaveLength(3);
    expect(run.directory).toBeUndefined();

    const path = join(folder, 'iris.safetensors');
    await run.save(path);
    expect(readdirSync(folder)).toEqual(['iris.safetensors']);
    const config = join(folder, 'iris.json');
    writeFileSync(config, JSON.stringify(iris(30)));
    const { code } = await mlp(['train', config, '--run', join(folder, 'run')]);
    expect(code).toBe(0);
    const summary = JSON.parse(readFileSync(join(folder, 'run', 'run.json'), 'utf8'));
    expect(run.weightsSha256).toBe(summary.weightsSha256);
    expect(readFileSync(path)).toEqual(readFileSync(join(folder, 'run', 'model.safetensors')));
  });

  it('takes the path of a config', async () => {
    const run = await train(projectPath('configs/iris.json'));
    expect(run.status).toBe('completed');
  });

  it('writes a run directory if it is named one', async () => {
    const run = join(temporaryFolder(), 'run');
    const { directory, model } = await train(houses(), { run });
    expect(directory).toBe(run);
    expect(readdirSync(run).sort()).toEqual([
      'checkpoint',
      'config.json',
      'epochs.csv',
      'layers.csv',
      'model.safetensors',
      'run.json',
      'steps.csv',
    ]);
    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
    expect(config.data).toMatchObject({ train: '-', target: 'price' });
    const loaded = await loadModel(run);
    expect(await loaded.predict(ROWS)).toEqual(await model.predict(ROWS));
  });

  it('gives rows in memory the bits of the same rows in a file', async () => {
    const folder = temporaryFolder();
    const csv = join(folder, 'houses.csv');
    writeFileSync(csv, `size,city,price\n${ROWS.map((row) => Object.values(row).join(',')).join('\n')}\n`);
    const memory = await train(houses());
    const file = await train(houses({ data: { train: csv, target: 'price', standardizeTarget: true } }));
    expect(memory.weightsSha256).toBe(file.weightsSha256);
    expect(memory.metrics).toEqual(file.metrics);
  });

  it('takes a flat matrix, and rows of their own for validation and test', async () => {
    const x = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
    const y = Array.from({ length: 20 }, (_, i) => (x[3 * i] > 0 ? 'up' : 'down'));
    const held = { x: [[1, 0, 0], [-1, 0, 0]], y: ['up', 'down'] }; // biome-ignore format: a matrix
    const run = await train({
      data: { x, y, validation: held, test: held },
      network: { layers: [4, 'relu', 1] },
      training: { epochs: 2 },
    });
    expect(run.metrics.validation).toEqual(run.metrics.test);
    expect(run.confusion?.flat().reduce((sum, count) => sum + count)).toBe(2);
    expect(run.model.classes).toEqual(['down', 'up']);
  });

  it('refits on training and validation rows in memory', async () => {
    const data = { rows: ROWS.slice(0, -10), target: 'price', validation: { rows: ROWS.slice(-10) } };
    const run = await train(houses({ data, training: { epochs: 3, refit: true } }));
    expect(run.refit).toMatchObject({ rows: ROWS.length, epochs: run.keptEpoch });
    expect(run.history).toHaveLength(3);
    // The model is that of the second training: it scores all rows as that did.
    const { metrics } = await run.model.evaluate(ROWS);
    expect(metrics.rmse).toBeCloseTo(run.refit?.metrics.train.rmse ?? Number.NaN, 4);
  });

  it('holds out each row of a matrix in one fold', async () => {
    const x = Array.from({ length: 13 }, (_, i) => [i, i % 3]);
    const y = x.map(([i]) => (i < 8 ? 'low' : 'high'));
    const tested = [0, 0];
    for (const fold of [1, 2, 3]) {
      const { confusion = [] } = await train({
        data: { x, y, validation: 0, test: { fold, of: 3 } },
        network: { layers: [1] },
        training: { epochs: 1 },
      });
      confusion.forEach((row, actual) => {
        tested[actual] += row.reduce((sum, count) => sum + count);
      });
    }
    expect(tested).toEqual([5, 8]);
  });

  it('has no R² for a single validation row', async () => {
    const data = { rows: ROWS, target: 'price', validation: { rows: ROWS.slice(0, 1) } };
    const { metrics } = await train(houses({ data }));
    expect(metrics.validation?.r2).toBeNull();
    expect(metrics.validation?.rmse).toBeGreaterThan(0);
  });

  it('stops at the step after the signal, and the run can be resumed', async () => {
    const run = join(temporaryFolder(), 'run');
    const controller = new AbortController();
    const onEpoch = ({ epoch }: { epoch: number }) => {
      if (epoch === 2) controller.abort();
    };
    const stopped = await train(iris(6), { run, signal: controller.signal, onEpoch });
    expect(stopped).toMatchObject({ status: 'interrupted', epochs: 2 });
    const resumed = await train(iris(6), { resume: run });
    expect(resumed).toMatchObject({ status: 'completed', epochs: 6 });
    expect(resumed.weightsSha256).toBe((await train(iris(6))).weightsSha256);
  });

  it('waits for onEpoch, and its error ends the run', async () => {
    const run = join(temporaryFolder(), 'run');
    const stop = async () => {
      throw new RangeError('enough');
    };
    await expect(train(houses(), { run, onEpoch: stop })).rejects.toThrow('enough');
    // Without a checkpoint nothing is left of the directory.
    expect(existsSync(run)).toBe(false);
  });

  it.each([
    ['negative', -1, 'data.rows[3].w: found -1, expected a weight of at least 0'],
    ['infinite', Number.POSITIVE_INFINITY, 'data.rows[3].w: found "Infinity", expected a number'],
    ['NaN', Number.NaN, 'data.rows[3].w: found a missing value, expected a number'],
    ['no number', 'much', 'data.rows[3].w: found "much", expected a number'],
  ])('refuses a weight that is %s', async (_, weight, message) => {
    const rows = ROWS.map((row, i) => ({ ...row, w: i === 3 ? weight : 1 }));
    const data = { rows, target: 'price', weights: { column: 'w' } };
    expect(await errorOf(train(houses({ data })))).toMatchObject({ exitCode: ExitCode.data, message });
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a class of weight %d', async (weight) => {
    const data = { train: IRIS, target: 'species', weights: { setosa: weight } };
    const config = { data, network: { layers: [3] } };
    expect(await errorOf(train(config))).toMatchObject({
      exitCode: ExitCode.config,
      message: `config: data.weights.setosa: found ${weight}, expected a number of at least 0`,
    });
  });

  it('hands warnings on', async () => {
    const told: string[] = [];
    const training = { epochs: 1, batchSize: 500 };
    const run = await train(houses({ training }), { onWarning: (sentence) => void told.push(sentence) });
    expect(told).toEqual(['training.batchSize is 500, but there are 32 training rows: using 32']);
    expect(run.warnings).toEqual(told);
  });

  it.each([
    [{ network: { layers: [16, 'rellu', 3] } }, 'config: network.layers[1].type: unknown layer "rellu"'],
    [{ training: { epoch: 3 } }, 'config: training: unknown key "epoch"'],
    [{ data: { rows: ROWS } }, 'config: data.target: missing'],
    [{ data: { rows: 5, target: 'price' } }, 'config: data.rows: expected an array of objects'],
    [{ data: { x: 5, y: [1] } }, 'config: data.x: expected an array of arrays'],
    [{ data: { x: [[1]], rows: ROWS, target: 'y' } }, 'config: data: found both "rows" and "x"'],
    [{ data: { rows: ROWS, train: 'a.csv', target: 'y' } }, 'config: data: found both a file ("train")'],
    [{ network: { layers: [4, 7] } }, 'config: network.layers: found an output width of 7, expected 1'],
  ])('names the location of an error: %j', async (overrides, message) => {
    const error = await errorOf(train(houses(overrides)));
    expect(error).toBeInstanceOf(MlpError);
    expect(error.exitCode).toBe(ExitCode.config);
    expect(error.message).toContain(message);
  });

  it.each([
    [
      { rows: [...ROWS, { size: 'big', city: 'Oslo', price: 1 }], target: 'price' },
      'data.rows[40].size: found "big"',
    ],
    [{ x: [[1, 2], [3]], y: [1, 2] }, 'data.x[1]: found 1 numbers, expected 2'],
    [{ x: [[1], [2]], y: [1] }, 'data.y: found 1 values, expected 2'],
  ])('names the location of a bad cell: %#', async (data, message) => {
    const error = await errorOf(train(houses({ data })));
    expect(error.exitCode).toBe(ExitCode.data);
    expect(error.message).toContain(message);
  });
});

describe('a model', () => {
  it('predicts rows and matrices, in any number of calls at a time', async () => {
    const { model } = await train(iris(30));
    expect(model).toMatchObject({ task: 'multiclass', targets: ['species'], features: Object.keys(SETOSA) });
    const [first] = await model.predict([SETOSA]);
    expect(first.prediction).toBe('setosa');
    expect(Object.keys(first.probabilities ?? {})).toEqual(model.classes);
    const matrix = [Object.values(SETOSA)];
    const calls = [
      [SETOSA],
      matrix,
      Float64Array.from(matrix[0]),
      [{ ...SETOSA, other: 'ignored' }],
    ] as const;
    const results = await Promise.all(calls.map((rows) => model.predict(rows)));
    expect(results).toEqual(calls.map(() => [first]));
    expect(await model.predict([])).toEqual([]);
  });

  it('predicts what mlp predict does, row by row and all at once', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'houses.safetensors');
    const { model } = await train(houses());
    await model.save(path);
    const rows = Array.from({ length: 600 }, (_, i) => ROWS[i % ROWS.length]);
    const all = await model.predict(rows);
    expect(all).toHaveLength(600);
    expect(all[41]).toEqual((await model.predict([ROWS[1]]))[0]);
    writeFileSync(
      join(folder, 'rows.csv'),
      `size,city\n${ROWS.map(({ size, city }) => `${size},${city}`).join('\n')}\n`,
    );
    const { stdout } = await mlpHere(['predict', path, join(folder, 'rows.csv'), '--json']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).prediction as number);
    expect(all.slice(0, 40).map(({ prediction }) => Math.fround(prediction as number))).toEqual(
      lines.map(Math.fround),
    );
  });

  it('predicts several targets by name', async () => {
    const rows = ROWS.map((row) => ({ ...row, tax: row.price / 10 }));
    const { model } = await train(
      houses({ data: { rows, target: ['price', 'tax'] }, network: { layers: [2] } }),
    );
    const [{ prediction }] = await model.predict([ROWS[0]]);
    expect(prediction).toEqual({ price: expect.any(Number), tax: expect.any(Number) });
  });

  it('is evaluated with the numbers of the run', async () => {
    const { model, metrics } = await train(houses({ data: { rows: ROWS, target: 'price', validation: 0 } }));
    const report = await model.evaluate(ROWS);
    expect(report).toMatchObject({ rows: 40, task: 'regression', weighted: false });
    expect([report.metrics.r2, report.metrics.rmse]).toBeAllclose(
      [metrics.train.r2 ?? 0, metrics.train.rmse ?? 0],
      {
        relative: 1e-5,
      },
    );
    expect(report.targets).toMatchObject([{ name: 'price' }]);
  });

  it('is evaluated on a matrix, whatever its target is called', async () => {
    const { model } = await train(iris(30));
    const report = await model.evaluate({ x: [Object.values(SETOSA)], y: ['setosa'] });
    expect(report.metrics.accuracy).toBe(1);
    expect(report.confusion).toEqual([
      [1, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('names what it can not take', async () => {
    const { model } = await train(houses());
    const messages = await Promise.all(
      [
        model.predict([{ size: 1 }]),
        model.predict([{ size: 'x', city: 'Oslo' }]),
        model.predict([[1, 'Oslo', 3]]),
        model.evaluate([{ size: 1, city: 'Oslo' }]),
      ].map(async (promise) => (await errorOf(promise)).message),
    );
    expect(messages).toEqual([
      'data.rows: found no column "city", expected all 2 features of the trained model',
      'data.rows[0].size: found "x", expected a number',
      'data.x[0]: found 3 numbers, expected 2, one for each feature',
      'data.rows: found no column "price", expected the target of the trained model',
    ]);
  });

  it('comes from nowhere but a model file', async () => {
    expect(await errorOf(loadModel('nowhere'))).toMatchObject({ exitCode: ExitCode.noInput });
    expect(await errorOf(loadModel(IRIS))).toMatchObject({ exitCode: ExitCode.data });
  });
});

describe('setMaxUnpacked', () => {
  it('limits what a gzip unpacks to, for the whole process', async () => {
    const path = join(temporaryFolder(), 'd.csv.gz');
    writeFileSync(path, gzipSync(`a,b\n${'1,2\n'.repeat(1000)}`));
    onTestFinished(() => setMaxUnpacked(Number.POSITIVE_INFINITY));
    setMaxUnpacked(4000);
    expect(await errorOf(inspect(path))).toMatchObject({
      exitCode: ExitCode.data,
      hint: expect.stringContaining('setMaxUnpacked'),
    });
    setMaxUnpacked(5000);
    expect(await inspect(path)).toMatchObject({ rows: 1000 });
    for (const wrong of [0, -1, Number.NaN]) expect(() => setMaxUnpacked(wrong)).toThrow('bytes above 0');
  });
});

describe('gradcheck, inspect and suggestConfig', () => {
  it('run the built-in checks, a graph, a config in memory, and files', async () => {
    expect((await gradcheck()).checks.length).toBeGreaterThan(20);
    const graph = { inputs: { w: 2 }, nodes: { y: 'w * w' }, output: 'y', manual: { w: 4.5 } };
    expect(await gradcheck(graph)).toMatchObject({
      passed: false,
      checks: [{ parameters: [{ name: 'w', manual: 4.5, analytic: 4, passed: false }] }],
    });
    const { passed, checks } = await gradcheck(houses(), { samples: 2 });
    expect({ passed, names: checks.map(({ name }) => name) }).toEqual({ passed: true, names: ['config'] });
    const path = projectPath('configs/iris.json');
    const { stdout } = await mlpHere(['gradcheck', path, '--json']);
    expect(await gradcheck(path)).toEqual(JSON.parse(stdout));
  });

  it('are the documents of the command line', async () => {
    const inspected = await mlpHere(['inspect', IRIS, '--target', 'species', '--json']);
    const profile = await inspect(IRIS, { target: 'species' });
    expect(JSON.parse(JSON.stringify(profile))).toEqual(JSON.parse(inspected.stdout));
    const { config, reasons } = await suggestConfig(IRIS, { target: 'species' });
    expect(reasons.map(({ key }) => key)).toContain('preset');
    expect((await train({ ...config, training: { ...config.training, epochs: 1 } })).status).toBe(
      'completed',
    );
    expect(await errorOf(inspect(IRIS, { target: 'specis' }))).toMatchObject({
      exitCode: ExitCode.usage,
      hint: expect.stringContaining('species'),
    });
  });
});

describe('mlp-train/engine', () => {
  it('exports what engine builders need', () => {
    expect(Object.keys(engine)).toEqual(
      expect.arrayContaining(['Arena', 'Network', 'RandomState', 'Team', 'planTraining', 'runTraining']),
    );
  });
});

describe('labels', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    x: Math.sin(i),
    rain: Math.sin(i) > 0 ? 'yes' : 'no',
    wind: Math.sin(i) > 0.5 ? 1 : 0,
  }));

  it('are predicted, scored and saved by name', async () => {
    const run = await train({
      data: { rows, target: ['rain', 'wind'], task: 'multilabel', validation: 0 },
      network: { layers: [8, 'tanh', 2] },
      training: { epochs: 200, optimizer: { type: 'adam', learningRate: 0.05 } },
    });
    expect(run.metrics.train.accuracy).toBe(1);
    expect(run.metrics.train.f1).toBe(1);
    expect(run.confusion).toBeUndefined();

    const path = join(temporaryFolder(), 'm.safetensors');
    await run.save(path);
    const model = await loadModel(path);
    expect(model).toMatchObject({
      task: 'multilabel',
      targets: ['rain', 'wind'],
      labelValues: [
        ['no', 'yes'],
        ['0', '1'],
      ],
    });
    expect(model.classes).toBeUndefined();
    const [calm, storm] = await model.predict([{ x: -0.9 }, { x: 0.9 }]);
    expect(calm.prediction).toEqual({ rain: 'no', wind: '0' });
    expect(storm.prediction).toEqual({ rain: 'yes', wind: '1' });
    expect(storm.probabilities?.rain).toBeGreaterThan(0.5);
    const scores = await model.evaluate({ rows });
    expect(scores.metrics).toMatchObject({ accuracy: 1, hammingLoss: 0, rocAuc: 1 });
    expect(scores.labels?.map(({ name, f1 }) => [name, f1])).toEqual([
      ['rain', 1],
      ['wind', 1],
    ]);
  });
});
