/** data.validation {"folds": F}: each member of a network is trained without a fold, which it then predicts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/dataset/dataset.js';
import { Inference } from '../../src/model/inference.js';
import { modelTensors } from '../../src/model/model.js';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { modelContent } from '../../src/training/plan.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { closing, csvOf, type Problem, prepare, resultOf, startTeam, trainSteps } from '../support/runs.js';

const REFERENCE = { backend: 'reference', relaxed: false } as const;
const WASM = { backend: 'wasm', relaxed: false } as const;
const FOLDS = 3;
const ROWS = 61;

function configOf(target: 'classes' | 'values', training: object, members: number = FOLDS) {
  return {
    network: { layers: [5, 'tanh', target === 'classes' ? 3 : 1], members },
    data: { train: 'data.csv', target: 'y', validation: { folds: FOLDS } },
    training: { l2: 0.01, ...training },
    dtype: 'float64',
  };
}

const start = ({ config, plan, dataset }: Problem, choice: typeof REFERENCE | typeof WASM = REFERENCE) =>
  closing(LocalEngine.start({ config, plan, choice }, dataset));

/** [members, parameters] */
function memberValues({ parameters }: LocalEngine, members: number): number[][] {
  return Array.from({ length: members }, (_, m) =>
    parameters.list
      .filter(({ name }) => name.startsWith(`members.${m}.`))
      .flatMap(({ value }) => [...value.data]),
  );
}

/** The same rows without folds, where those of one fold have no weight. */
function without(fold: number): (dataset: Dataset) => Dataset {
  return ({ folds = [], validation: _, ...dataset }) => {
    const { rows } = dataset.train;
    const first = folds.slice(0, fold).reduce((sum, count) => sum + count, 0);
    const weights = Float64Array.from({ length: rows }, (_, row) =>
      row >= first && row < first + folds[fold] ? 0 : 1,
    );
    return { ...dataset, train: { ...dataset.train, weights } };
  };
}

describe.each(['classes', 'values'] as const)('folds of the members, %s', (target) => {
  const csv = csvOf(ROWS, 4, target);
  const whole = { steps: 6, batchSize: ROWS, optimizer: { type: 'adam', learningRate: 0.05 } };

  it('train each member as rows without weight do', async () => {
    for (const members of [FOLDS, 2, 2 * FOLDS]) {
      const problem = await prepare(configOf(target, whole, members), csv);
      const engine = start(problem);
      await trainSteps(engine, problem, 6);
      const found = memberValues(engine, members);
      for (let m = 0; m < members; m++) {
        const weighted = await prepare(configOf(target, whole, members), csv, without(m % FOLDS));
        const other = start(weighted);
        await trainSteps(other, weighted, 6);
        expect(found[m]).toBeAllclose(memberValues(other, members)[m], { relative: 1e-9 });
      }
    }
  });

  it('validate each row by the members that have not seen it, each alone', async () => {
    const problem = await prepare(configOf(target, whole), csv);
    const engine = start(problem);
    await trainSteps(engine, problem, 6);
    const { validation } = await engine.evaluate();
    const { dataset, plan } = problem;
    const { folds = [], train } = dataset;
    expect(folds.reduce((sum, rows) => sum + rows, 0)).toBe(ROWS);
    let first = 0;
    let right = 0;
    let squares = 0;
    for (const [m, rows] of folds.entries()) {
      const { members: _, ...network } = modelContent(plan, dataset).network;
      const tensors = modelTensors(engine.parameters, engine.statistics)
        .filter(({ name }) => name.startsWith(`members.${m}.`))
        .map(({ name, data }) => [name.slice(`members.${m}.`.length), data] as const);
      const model = { ...modelContent(plan, dataset), network, path: 'm', dtype: 'float64' };
      const inference = Inference.create({ ...model, tensors: new Map(tensors) } as never);
      inference.x.data.set(train.features.read(first, rows));
      inference.forward(rows);
      const labels = target === 'classes' ? inference.labels(rows) : [];
      const values = target === 'values' ? inference.predictions(rows) : [];
      const { mean = [0], scale = [1] } = dataset.targetStandardization ?? {};
      for (let i = 0; i < rows; i++) {
        right += Number(labels[i] === train.labels?.[first + i]);
        const truth = (train.targets?.[first + i] ?? 0) * scale[0] + mean[0];
        squares += (values[i] - truth) ** 2;
      }
      first += rows;
    }
    if (target === 'classes') expect(validation?.metrics).toMatchObject({ accuracy: right / ROWS });
    else expect(validation?.metrics).toMatchObject({ rmse: expect.closeTo(Math.sqrt(squares / ROWS), 10) });
  });

  it('leave the same bits for any number of threads', async () => {
    const problem = await prepare(configOf(target, { steps: 30, batchSize: 7 }), csv);
    const expected = await resultOf(start(problem, WASM), problem, 30);
    for (const threads of [1, 3]) {
      const team = closing(await startTeam(problem, WASM, threads));
      expect(await resultOf(team, problem, 30)).toBe(expected);
    }
  });

  it('leave a member as it is where a batch has only rows of its fold', async () => {
    const training = { steps: 5, batchSize: 1, l2: 0, optimizer: { type: 'sgd', learningRate: 0.1 } };
    const problem = await prepare(configOf(target, training), csv);
    const engine = start(problem);
    for (let step = 0; step < 5; step++) {
      const before = memberValues(engine, FOLDS);
      const [loss] = await trainSteps(engine, problem, 1);
      expect(loss).toBeGreaterThan(0);
      const after = memberValues(engine, FOLDS);
      const isSame = before.map((values, m) => values.every((value, i) => value === after[m][i]));
      expect(isSame.filter(Boolean)).toHaveLength(1);
    }
  });
});

describe('data.validation {"folds": 5}', () => {
  const config = smallConfig({
    network: { layers: [4, 'tanh', 1] },
    data: { train: 'data.csv', target: 'y', validation: { folds: 5 } },
  });
  const run = (changes: readonly string[] = []) => {
    const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const sets = changes.flatMap((change) => ['--set', change]);
    const train = () =>
      mlpHere(['train', 'config.json', '--json', '--run', 'run', ...sets], { cwd, report: true });
    return { cwd, train };
  };
  const event = (stdout: string, name: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find((line) => line.event === name);

  /** Trains a member for each fold; evaluate scores the rows as the training did. */
  async function scoredFolds(changes?: string[]) {
    const { cwd, train } = run(changes);
    const { stdout } = await train();
    expect(event(stdout, 'start').rows).toEqual({ train: 20, validation: 0, folds: [4, 4, 4, 4, 4] });
    const { validation } = event(stdout, 'end');
    const scored = await mlpHere(['evaluate', 'run', '--json'], { cwd });
    expect(JSON.parse(scored.stdout)).toMatchObject({ split: 'validation', rows: 20 });
    expect(JSON.parse(scored.stdout).metrics.loss).toBeCloseTo(validation.loss, 5);
    return { cwd, scored };
  }

  it('has as many members as folds, and is scored by evaluate as in the training', async () => {
    const { cwd, scored } = await scoredFolds();
    const { loss } = JSON.parse(scored.stdout).metrics;
    const shuffled = await mlpHere(['evaluate', 'run', '--importance', '--json'], { cwd });
    expect(JSON.parse(shuffled.stdout).importance.loss).toBeCloseTo(loss, 12);
    const page = readFileSync(join(cwd, 'run/report.html'), 'utf8');
    expect(page).toContain(JSON.parse(scored.stdout).metrics.logLoss.toPrecision(4));
    expect((await mlpHere(['repro', 'run'], { cwd })).code).toBe(0);
  });

  it('is the first fold of a cross-validation for a single network, or a batch ensemble', async () => {
    const members = ['network.members=1', 'network.members={"count":3,"kind":"batch-ensemble"}'];
    for (const change of members) {
      const folds = await run([change]).train();
      const fold = await run([change, 'data.validation={"fold":1,"of":5}']).train();
      expect(event(folds.stdout, 'start').rows).toEqual({ train: 16, validation: 4 });
      const { weightsSha256 } = event(folds.stdout, 'end');
      expect(event(fold.stdout, 'end').weightsSha256).toBe(weightsSha256);
    }
  });

  it('is held out by all members of a batch ensemble, of which each fold has one', async () => {
    const { cwd } = await scoredFolds(['network.members={"count":2,"kind":"batch-ensemble","networks":5}']);
    expect((await mlpHere(['repro', 'run'], { cwd })).code).toBe(0);
  });

  it('says why rows can not be divided, and that a refit has nothing to add', async () => {
    const many = await run(['data.validation={"folds":30}']).train();
    expect([many.code, many.stderr]).toEqual([65, expect.stringMatching(/data\.csv.*30/)]);
    const refit = await run(['training.refit=true']).train();
    expect([refit.code, refit.stderr]).toEqual([
      78,
      expect.stringContaining('all rows are trained on already'),
    ]);
    const two = await run(['data.validation={"folds":5,"group":"a","stratify":false}']).train();
    expect([two.code, two.stderr]).toEqual([78, expect.stringContaining('together with')]);
  });

  it('keeps groups together, and gives way to the folds of a cross-validation', async () => {
    const { cwd, train } = run(['data.validation={"folds":4,"group":"b"}']);
    const { stdout } = await train();
    // Each of five groups has four rows.
    expect(event(stdout, 'start').rows.folds.every((rows: number) => rows % 4 === 0)).toBe(true);
    const crossed = await mlpHere(['crossvalidate', 'config.json', '--folds', '2', '--run', 'cv', '--json'], {
      cwd,
    });
    expect(crossed.code).toBe(0);
  });
});
