/** What the plan says of monitored metrics and warm-ups. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../../src/errors.js';
import { folderOf, mlpHere } from '../support/cli.js';
import { csvOf, prepare } from '../support/runs.js';

const CLASSES = csvOf(30, 3, 'classes');
const VALUES = csvOf(30, 3, 'values');

/** The plan of a small run: classes with six validation rows, unless said otherwise. */
async function planOf(training: object, { validation = 0.2, csv = CLASSES } = {}) {
  const { plan } = await prepare(
    {
      network: { layers: [csv === CLASSES ? 3 : 1] },
      data: { train: 'data.csv', target: 'y', validation },
      training: { batchSize: 8, epochs: 4, ...training },
    },
    csv,
  );
  return plan;
}

describe('the epoch whose weights are kept', () => {
  it('is that with the best validation loss', async () => {
    expect((await planOf({})).keep).toBe('validation_loss');
    expect((await planOf({ keep: 'best' })).keep).toBe('validation_loss');
  });

  it('is the last where there are no validation rows, without a word', async () => {
    const { keep, warnings } = await planOf({ keep: 'best' }, { validation: 0 });
    expect([keep, warnings]).toEqual([null, []]);
  });

  it('is the last where the config says so', async () => {
    const earlyStopping = { monitor: 'validation_accuracy' };
    expect((await planOf({ keep: 'last' })).keep).toBeNull();
    expect((await planOf({ keep: 'last', earlyStopping })).keep).toBeNull();
  });

  it('goes by the metric that early stopping goes by', async () => {
    expect((await planOf({ earlyStopping: { monitor: 'validation_accuracy' } })).keep).toBe(
      'validation_accuracy',
    );
    const ofTraining = await planOf({ earlyStopping: { monitor: 'train_loss' } }, { validation: 0 });
    expect(ofTraining.keep).toBe('train_loss');
  });

  it('goes by the metric that the config names, whatever early stopping goes by', async () => {
    const keepMonitor = 'validation_accuracy';
    expect((await planOf({ keepMonitor })).keep).toBe(keepMonitor);
    expect((await planOf({ keepMonitor, earlyStopping: {} })).keep).toBe(keepMonitor);
    expect((await planOf({ keepMonitor: 'train_loss' }, { validation: 0 })).keep).toBe('train_loss');
  });

  it('does not go by the metric of a plateau', async () => {
    const schedule = { type: 'reduce-on-plateau', monitor: 'train_loss' };
    expect((await planOf({ schedule })).keep).toBe('validation_loss');
    expect((await planOf({ schedule }, { validation: 0 })).keep).toBeNull();
  });
});

describe('a monitored metric', () => {
  const plateau = { type: 'reduce-on-plateau' };
  const warmUpTo = (next: object) => ({ type: 'warm-up', steps: 3, after: next });
  const rowsHint = 'set data.validation, to 0.2 for a fifth of the rows, or monitor "train_loss"';

  it.each<[part: object, options: object, message: string, hint: string]>([
    [
      { earlyStopping: {} },
      { validation: 0 },
      'training.earlyStopping.monitor: found "validation_loss" in a run without validation rows, expected one of train_loss, train_accuracy',
      rowsHint,
    ],
    [
      { keepMonitor: 'validation_accuracy' },
      { validation: 0 },
      'training.keepMonitor: found "validation_accuracy" in a run without validation rows, expected one of train_loss, train_accuracy',
      rowsHint,
    ],
    [
      { keepMonitor: 'validation_accuracy' },
      { csv: VALUES },
      'training.keepMonitor: found "validation_accuracy" in a regression task, expected one of train_loss, train_r2, train_rmse, validation_loss, validation_r2, validation_rmse',
      'these are the metrics of a regression task; data.task can set another',
    ],
    [
      { schedule: plateau },
      { validation: 0, csv: VALUES },
      'training.schedule.monitor: found "validation_loss" in a run without validation rows, expected one of train_loss, train_r2, train_rmse',
      rowsHint,
    ],
    [
      { keep: 'last', schedule: warmUpTo(plateau) },
      { validation: 0 },
      'training.schedule.after.monitor: found "validation_loss" in a run without validation rows, expected one of train_loss, train_accuracy',
      rowsHint,
    ],
    [
      { earlyStopping: { monitor: 'validation_accuracy' } },
      { csv: VALUES },
      'training.earlyStopping.monitor: found "validation_accuracy" in a regression task, expected one of train_loss, train_r2, train_rmse, validation_loss, validation_r2, validation_rmse',
      'these are the metrics of a regression task; data.task can set another',
    ],
    [
      { schedule: { ...plateau, monitor: 'train_rmse' } },
      {},
      'training.schedule.monitor: found "train_rmse" in a multiclass task, expected one of train_loss, train_accuracy, validation_loss, validation_accuracy',
      'these are the metrics of a multiclass task; data.task can set another',
    ],
  ])('is refused in %j with %j', async (part, options, message, hint) => {
    await expect(planOf(part, options)).rejects.toMatchObject({
      exitCode: ExitCode.config,
      message: expect.stringMatching(/^\S+config\.json:\d+:\d+: training/),
      hint,
    });
    await expect(planOf(part, options)).rejects.toThrow(message);
  });

  it('may be any that the run will have', async () => {
    const monitor = 'train_rmse';
    const part = { earlyStopping: { monitor }, schedule: { ...plateau, monitor: 'train_r2' } };
    expect((await planOf(part, { validation: 0, csv: VALUES })).keep).toBe(monitor);
  });
});

describe('a warm-up', () => {
  // 24 training rows: three steps an epoch, twelve in all.
  it.each([{ steps: 12 }, { epochs: 4 }])('of the whole run, %j, is warned of', async (length) => {
    expect((await planOf({ schedule: { type: 'warm-up', ...length } })).warnings).toEqual([
      'training.schedule warms up for 12 steps, but the run has 12: the learning rate never reaches its full height',
    ]);
  });

  it.each([{ steps: 11 }, { epochs: 3 }])('of a part of it, %j, is not', async (length) => {
    expect((await planOf({ schedule: { type: 'warm-up', ...length } })).warnings).toEqual([]);
  });
});

describe('a metric that is computed because it is monitored', () => {
  const table = (csv: string) => folderOf({ 'data.csv': csv, 'config.json': '{}' });
  const ofClasses = { network: { layers: [3] }, data: { train: 'data.csv', target: 'y', validation: 0.4 } };
  const train = async (csv: string, config: object) => {
    const cwd = table(csv);
    writeFileSync(join(cwd, 'config.json'), JSON.stringify(config));
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'run'], { cwd });
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('error: ')]);
    const [header, ...rows] = readFileSync(join(cwd, 'run/epochs.csv'), 'utf8').trimEnd().split('\n');
    const column = (name: string) =>
      rows.map((row) => Number(row.split(',')[header.split(',').indexOf(name)]));
    const { stdout } = await mlpHere(['evaluate', 'run', '--json'], { cwd });
    return { header, column, metrics: JSON.parse(stdout).metrics as Record<string, number> };
  };

  it.each([
    ['validation_roc_auc', 'rocAuc'],
    ['validation_balanced_accuracy', 'balancedAccuracy'],
  ])('is in epochs.csv, and that of the kept epoch is what evaluate finds: %s', async (keepMonitor, name) => {
    const training = { epochs: 6, batchSize: 8, keepMonitor, optimizer: { type: 'adam', learningRate: 0.3 } };
    const { column, metrics } = await train(csvOf(60, 3, 'classes'), { ...ofClasses, training });
    expect(Math.max(...column(keepMonitor))).toBeCloseTo(metrics[name], 12);
  });

  it('is that of early stopping and of a plateau, too, and missing otherwise', async () => {
    const earlyStopping = { monitor: 'validation_mae', patience: 3 };
    const schedule = { type: 'reduce-on-plateau', monitor: 'validation_mae' };
    const config = { ...ofClasses, network: { layers: [1] } };
    for (const training of [{ earlyStopping }, { schedule, keepMonitor: 'validation_mae' }]) {
      const own = { ...config, training: { epochs: 4, batchSize: 8, ...training } };
      const { column, metrics } = await train(csvOf(60, 3, 'values'), own);
      expect(Math.min(...column('validation_mae'))).toBeCloseTo(metrics.mae, 7);
    }
    const plain = await train(csvOf(60, 3, 'values'), { ...config, training: { epochs: 1 } });
    expect(plain.header).not.toContain('mae');
  });

  it('is what a sweep chooses by', async () => {
    const cwd = table(csvOf(60, 3, 'classes'));
    writeFileSync(
      join(cwd, 'config.json'),
      JSON.stringify({ ...ofClasses, training: { epochs: 2, batchSize: 8 } }),
    );
    const space = { 'training.optimizer.learningRate': { choice: [0.01, 0.3] } };
    const study = { base: 'config.json', method: 'grid', metric: 'validation_roc_auc', space };
    writeFileSync(join(cwd, 'sweep.json'), JSON.stringify(study));
    const { code, stdout } = await mlpHere(['sweep', 'sweep.json', '--json'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/"value":0\.\d+/);
  });

  it('belongs to its task', async () => {
    await expect(planOf({ keepMonitor: 'validation_mae' })).rejects.toMatchObject({
      exitCode: ExitCode.config,
    });
    await expect(planOf({ keepMonitor: 'validation_roc_auc' }, { csv: VALUES })).rejects.toMatchObject({
      message: expect.stringContaining('validation_mae'),
    });
  });
});
