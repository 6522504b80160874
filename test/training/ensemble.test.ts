/** mlp ensemble: one model of several runs. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, type Prediction, train } from '../../src/index.js';
import { loadEnsemble } from '../../src/model/ensembleFile.js';
import { MeanPredictions } from '../../src/model/ensembleInference.js';
import type { ReadingModel } from '../../src/model/load.js';
import type { EnsembleMetric } from '../../src/spec/words.js';
import { buildEnsemble } from '../../src/training/ensemble/build.js';
import { chooseGreedily } from '../../src/training/ensemble/greedy.js';
import { scoreBy } from '../../src/training/ensemble/score.js';
import { isBetter } from '../../src/training/monitor.js';
import fixture from '../fixtures/numpy/ensemble.json' with { type: 'json' };
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { csvOf } from '../support/runs.js';

const QUIET = { progress: () => {}, note: () => {}, warn: () => {} };

describe('a greedy choice', () => {
  it.each(fixture.cases)(
    'is that of NumPy: $name',
    ({ metric, predictions, truth, counts, score, single, average }) => {
      const name = metric as EnsembleMetric;
      const isRegression = name === 'validation_rmse';
      const model = {
        task: isRegression ? 'regression' : 'multiclass',
        loss: isRegression ? 'mean-squared-error' : 'softmax-cross-entropy',
        targets: ['y'],
        ...(!isRegression && { classes: ['a', 'b', 'c'] }),
      } as unknown as ReadingModel;
      const all = predictions.map((own) => Float64Array.from(own));
      const scoreOf = scoreBy(name, model, { rows: truth.length, truth: Float64Array.from(truth) });
      const better = (value: number, best: number | null, delta: number) =>
        isBetter(name, value, best, delta);
      const found = chooseGreedily(all, scoreOf, better, fixture.rounds);
      // The script minimises.
      const sign = name === 'validation_accuracy' ? -1 : 1;
      expect(found?.counts).toEqual(counts);
      expect(sign * (found?.score as number)).toBeCloseTo(score, 12);
      expect(found?.single.map((value) => sign * value)).toBeAllclose(single, { relative: 1e-12 });
      const mean = new MeanPredictions(model, truth.length, all[0].length / truth.length);
      mean.of(
        all.map((numbers) => ({ numbers })),
        counts,
      );
      expect([...mean.predictions(truth.length)]).toBeAllclose(average, { relative: 1e-14, absolute: 1e-15 });
    },
  );

  it('takes equal candidates once, and none without a finite score', () => {
    const same = [Float64Array.of(0.3, 0.7), Float64Array.of(0.3, 0.7)];
    const score = ([, right]: Float64Array) => -Math.log(right);
    const better = (value: number, best: number | null, delta: number) =>
      isBetter('loss', value, best, delta);
    expect(chooseGreedily(same, score, better, 50)?.counts).toEqual([1, 0]);
    expect(chooseGreedily(same, () => Number.NaN, better, 50)).toBeUndefined();
  });
});

type Changes = Readonly<Record<string, unknown>>;

/** The rows with two labels in place of their target. */
function labelled(csv: string): string {
  const [header, ...lines] = csv.split('\n');
  const yesNo = (isYes: boolean) => (isYes ? 'yes' : 'no');
  const rows = lines.map((line) => {
    const cells = line.split(',').map(Number);
    const x = cells.slice(0, -1);
    return [...x, yesNo(x[0] > 0), yesNo(Number(cells.at(-1)) > 0)].join(',');
  });
  return [header.replace(/y$/, 'z,y'), ...rows].join('\n');
}

/** Members of a task that differ in network, precision, scaling, columns, loss. */
const TASKS: Readonly<Record<string, { readonly csv: string; readonly members: readonly Changes[] }>> = {
  'two classes': {
    csv: SMALL_CSV,
    members: [
      { network: { layers: [4, 'tanh', 1] } },
      { network: { layers: [3, 'relu', 2] }, data: { standardize: 'minmax' }, dtype: 'float64' },
      { network: { layers: [4, 'tanh', 1], members: 2 }, data: { exclude: ['b'] } },
    ],
  },
  'three classes': {
    csv: csvOf(60, 3, 'classes'),
    members: [
      { network: { layers: [4, 'tanh', 3] } },
      { network: { layers: [5, 'relu', 3] }, data: { exclude: ['x1'] } },
    ],
  },
  'a regression': {
    csv: csvOf(60, 3, 'values'),
    members: [
      { network: { layers: [4, 'tanh', 1] } },
      {
        network: { layers: [4, 'tanh', 1] },
        data: { standardizeTarget: false },
        training: { loss: 'mean-absolute-error' },
      },
    ],
  },
  quantiles: {
    csv: csvOf(60, 3, 'values'),
    members: [3, 5].map((units) => ({
      network: { layers: [units, 'tanh', 3] },
      training: { loss: { type: 'quantile', quantiles: [0.1, 0.5, 0.9] } },
    })),
  },
  labels: {
    csv: labelled(csvOf(60, 3, 'values')),
    members: [{ network: { layers: [4, 'tanh', 2] } }, { network: { layers: [6, 'tanh', 2] } }],
  },
};

/** Trains members in folders m0, m1, …; their data and other keys. */
async function trainMembers(
  folder: string,
  members: readonly Changes[],
  target: unknown = 'y',
): Promise<string[]> {
  const runs: string[] = [];
  for (const [i, changes] of members.entries()) {
    const { data, training, ...others } = changes as Record<string, Changes>;
    const run = join(folder, `m${i}`);
    const config = {
      data: { train: join(folder, 'data.csv'), target, ...data },
      training: { epochs: 3, batchSize: 8, ...training },
      ...others,
    };
    await train(config as unknown as Parameters<typeof train>[0], { run });
    runs.push(run);
  }
  return runs;
}

/** The numbers of a prediction. */
function numbersOf({ prediction, probabilities, quantiles }: Prediction): number[] {
  const values = probabilities ?? quantiles ?? (typeof prediction === 'number' ? [prediction] : prediction);
  return Object.values(values as Record<string, number>);
}

function rowsOf(csv: string): Record<string, number>[] {
  const [header, ...lines] = csv.split('\n');
  const names = header.split(',').filter((name) => name !== 'y' && name !== 'z');
  return lines.map((line) => Object.fromEntries(names.map((name, j) => [name, Number(line.split(',')[j])])));
}

describe('an ensemble', () => {
  it.each(Object.entries(TASKS))('averages what its members predict: %s', async (task, { csv, members }) => {
    const folder = folderOf({ 'data.csv': csv });
    const runs = await trainMembers(folder, members, task === 'labels' ? ['z', 'y'] : 'y');
    const directory = join(folder, 'e');
    const built = await buildEnsemble(runs, { directory }, QUIET);
    expect(built.validation?.ensemble.metrics.loss).toEqual(expect.any(Number));
    const rows = rowsOf(csv).slice(0, 20);
    const own = await Promise.all(runs.map(async (run) => (await loadModel(run)).predict(rows)));
    const ensemble = await loadModel(directory);
    const predicted = await ensemble.predict(rows);
    for (const [row, prediction] of predicted.entries()) {
      const expected = numbersOf(own[0][row]).map(
        (_, j) => own.reduce((sum, each) => sum + numbersOf(each[row])[j], 0) / own.length,
      );
      expect(numbersOf(prediction)).toBeAllclose(expected, { relative: 1e-6 });
    }
    // The bits of a row do not depend on the others.
    expect(await ensemble.predict([rows[7]])).toEqual([predicted[7]]);
  });

  it('scores as the evaluation of its rows does, weighs what was chosen, and can be moved', async () => {
    const folder = folderOf({ 'data.csv': csvOf(120, 3, 'classes') });
    const layers = (units: number) => ({ network: { layers: [units, 'tanh', 3] }, data: { test: 0.2 } });
    const runs = await trainMembers(folder, [layers(3), layers(5), layers(8)]);
    const built = await buildEnsemble(runs, { directory: join(folder, 'e'), method: 'greedy' }, QUIET);
    renameSync(join(folder, 'e'), join(folder, 'moved'));
    for (const run of runs.slice(1)) rmSync(join(run, 'model.safetensors'));
    const evaluate = async (...options: string[]) => {
      const { stdout, stderr, code } = await mlpHere(['evaluate', 'moved', ...options, '--json'], {
        cwd: folder,
      });
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
      return JSON.parse(stdout);
    };
    const { metrics } = await evaluate('--split', 'validation');
    expect(metrics).toEqual(built.validation?.ensemble.metrics);
    expect(built.validation?.ensemble.metrics.loss).toBeLessThanOrEqual(
      built.validation?.best.metrics.loss as number,
    );
    expect((await evaluate()).split).toBe('test');
    expect((await evaluate('data.csv')).rows).toBe(120);
    const weights = loadEnsemble(join(folder, 'moved')).members.map(({ weight }) => weight);
    expect(weights).toEqual(built.members.map(({ weight }) => weight));
  });

  it('takes the trials of a study greedily, and all folds of a cross-validation', async () => {
    const config = smallConfig({
      network: { layers: [4, 'tanh', 3] },
      training: { epochs: 2, batchSize: 16 },
    });
    const cwd = folderOf({ 'data.csv': csvOf(60, 3, 'classes'), 'config.json': config });
    mkdirSync(join(cwd, 'study/trial-2'), { recursive: true });
    writeFileSync(join(cwd, 'study/study.log'), '');
    writeFileSync(join(cwd, 'study/trial-2/config.json'), '{}');
    for (const [i, seed] of [0, 1].entries()) {
      const rate = `training.optimizer.learningRate=${0.01 * (seed + 1)}`;
      await mlpHere(['train', 'config.json', '--run', `study/trial-${i}`, '--set', rate], { cwd });
    }
    const study = await mlpHere(['ensemble', 'study', '-o', 'a', '--json'], { cwd });
    expect(JSON.parse(study.stdout)).toMatchObject({
      method: 'greedy',
      candidates: 2,
      skipped: ['study/trial-2'],
    });

    const folds = ['--folds', '3', '--as', 'validation', '--run', 'cv'];
    expect((await mlpHere(['crossvalidate', 'config.json', ...folds], { cwd })).code).toBe(0);
    const { stdout, code } = await mlpHere(['ensemble', 'cv', '-o', 'b'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain('ensemble b, 3 of 3 runs');
    expect((await mlpHere(['predict', 'b', 'data.csv'], { cwd })).code).toBe(0);
    const evaluated = await mlpHere(['evaluate', 'b'], { cwd });
    expect(evaluated.stderr).toContain('the runs have no held-out rows in common');
    expect(evaluated.code).toBe(65);
    const greedy = await mlpHere(['ensemble', 'cv', '-o', 'c', '--method', 'greedy'], { cwd });
    expect(greedy.stderr).toMatch(/cv\/fold-2: data\.validation: found .* expected .* as in cv\/fold-1/);
    expect(greedy.code).toBe(65);
    // Other commands pass it over.
    const { stderr, code: listed } = await mlpHere(['runs', '.'], { cwd });
    expect(stderr).toMatch(/skipped 2 directories without a run: \.?\/?a, \.?\/?b/);
    expect(listed).toBe(0);
  });
});

describe('mlp ensemble refuses', () => {
  it('runs that do not fit together, and what is no run, and writes nothing', async () => {
    const other = SMALL_CSV.replaceAll('yes', 'ja');
    const cwd = folderOf({ 'data.csv': SMALL_CSV, 'other.csv': other, 'config.json': smallConfig() });
    const run = (name: string, ...options: string[]) =>
      mlpHere(['train', 'config.json', '--run', name, '--set', 'training.epochs=1', ...options], { cwd });
    await run('a');
    await run('seed', '--set', 'seed=5');
    await run('classes', '--set', 'data.train=other.csv');
    await run('none', '--set', 'data.validation=0');
    const taken = readdirSync(cwd);
    for (const [args, exitCode, message] of [
      [['a', 'seed', '--method', 'greedy'], 65, 'seed: seed: found 5, expected 0 as in a'],
      [['a', 'none', '--method', 'greedy'], 65, 'none: found no validation rows'],
      [
        ['a', 'classes'],
        65,
        'found ["ja","no"] for classes, expected ["no","yes"] as in a/model.safetensors',
      ],
      [['a', 'a'], 64, 'found a twice'],
      [['a', 'nowhere'], 66, 'nowhere: found nothing there'],
      [['a', '--metric', 'validation_rmse'], 64, '--metric: found validation_rmse in a binary task'],
    ] as const) {
      const { code, stderr } = await mlpHere(['ensemble', ...args, '-o', 'e'], { cwd });
      expect(stderr).toContain(message);
      expect(code).toBe(exitCode);
    }
    const { code, stderr } = await mlpHere(['ensemble', 'a', '-o', 'seed'], { cwd });
    expect(stderr).toContain('seed: found a directory that is not empty, expected nothing there');
    expect(code).toBe(73);
    expect(readdirSync(cwd)).toEqual(taken);
    // Without the same rows there is no score, but there is an ensemble.
    const all = await mlpHere(['ensemble', 'a', 'seed', '-o', 'e', '--json'], { cwd });
    expect(JSON.parse(all.stdout)).not.toHaveProperty('validation');
  });

  it('an ensemble that is damaged or strange', async () => {
    const cwd = folderOf({ 'data.csv': SMALL_CSV, 'config.json': smallConfig() });
    await mlpHere(['train', 'config.json', '--run', 'a', '--set', 'training.epochs=1'], { cwd });
    await mlpHere(['train', 'config.json', '--run', 'b', '--set', 'training.epochs=2'], { cwd });
    await mlpHere(['ensemble', 'a', 'b', '-o', 'e'], { cwd });
    const path = (name: string) => join(cwd, 'e', name);
    const sound = readFileSync(path('ensemble.json'), 'utf8');
    const refused = async (message: string) => {
      const { code, stderr } = await mlpHere(['predict', 'e', 'data.csv'], { cwd });
      expect(stderr).toContain(message);
      expect(code).toBe(65);
    };
    for (const [from, to, message] of [
      ['"weight": 1', '"weight": 2', 'ensemble.json:'],
      ['"weight": 1', '"weight": 0', 'members[0].weight: found 0, expected a whole number from 1'],
      ['"formatVersion": 1', '"formatVersion": 2', 'formatVersion: found 2, expected 1'],
      ['"format": "mlp ensemble"', '"format": 3', 'format: found 3, expected "mlp ensemble"'],
      ['"members": [', '"nodes": [', 'unknown key "nodes"'],
      ['{', '', 'ensemble.json:2:11: found'],
    ] as const) {
      writeFileSync(path('ensemble.json'), sound.replace(from, to));
      await refused(message);
    }
    writeFileSync(path('ensemble.json'), sound);
    const member = readFileSync(path('member-1.safetensors'));
    writeFileSync(path('member-1.safetensors'), readFileSync(path('member-2.safetensors')));
    await refused('e/member-1.safetensors: found a model of checksum');
    member[member.length - 1] ^= 1;
    writeFileSync(path('member-1.safetensors'), member);
    await refused('e/member-1.safetensors: found content of checksum');
    rmSync(path('member-1.safetensors'));
    expect((await mlpHere(['evaluate', 'e', 'data.csv'], { cwd })).code).toBe(66);
    expect(existsSync(path('member-2.safetensors'))).toBe(true);
  });
});
