/** training.refit: a second training on training and validation rows, up to the epoch that was kept. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunRecord } from '../../src/training/run/record.js';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig, stopAt } from '../support/cli.js';
import { csvOf } from '../support/runs.js';

const jsonOf = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

/** The rows of a CSV of numbers, the time of an epoch apart. */
function rowsOf(path: string): Record<string, number>[] {
  const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const row = Object.fromEntries(line.split(',').map((cell, i) => [names[i], Number(cell)]));
    const { seconds: _, ...rest } = row;
    return rest;
  });
}

const BATCHES = {
  network: { layers: [16, 'relu', { type: 'dropout', rate: 0.2 }, 3] },
  data: { train: 'data.csv', target: 'y', test: 0.1 },
  training: { epochs: 12, batchSize: 16, refit: true, optimizer: { type: 'adam', learningRate: 0.02 } },
};
const CSV = csvOf(200, 4, 'classes');

describe('a refit', () => {
  it('trains on training and validation rows up to the epoch that was kept, and says so', async () => {
    const cwd = folderOf({ 'config.json': BATCHES, 'data.csv': CSV });
    const { code, stdout, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect(code).toBe(0);
    const { keptEpoch, refit, validation, test } = jsonOf(join(cwd, 'r/run.json'));
    // 20 rows for the test, 36 for validation.
    expect(refit).toMatchObject({ rows: 180, epochs: keptEpoch, steps: keptEpoch * 12 });
    expect([validation, test]).toEqual([expect.any(Object), expect.any(Object)]);
    expect(stderr).toContain(
      `refit: training again, on the 180 rows of training and validation, for ${keptEpoch} epochs`,
    );
    expect(stderr).toMatch(new RegExp(`^refit +${keptEpoch}/${keptEpoch}  loss`, 'm'));
    expect(stdout).toMatch(/^refitted on 180 rows of training and validation for/m);
    expect(stdout).toMatch(/^validation accuracy/m);
    expect(rowsOf(join(cwd, 'r/epochs.csv'))).toHaveLength(12);
    const epochs = rowsOf(join(cwd, 'r/refit/epochs.csv'));
    expect(epochs).toHaveLength(keptEpoch);
    expect(epochs[0]).not.toHaveProperty('validation_loss');
    expect(epochs.at(-1)?.train_loss).toBe(refit.train.loss);
    expect((await mlpHere(['repro', 'r'], { cwd })).code).toBe(0);
  });

  it('ends in the weights of a plain run of that length on those rows', async () => {
    // Nothing is fitted to the rows, and the training rows come before the validation rows.
    const plain = { standardize: false, target: 'y' };
    const lines = CSV.split('\n');
    const files = {
      'all.csv': CSV,
      'a.csv': lines.slice(0, 150).join('\n'),
      'b.csv': [lines[0], ...lines.slice(150)].join('\n'),
    };
    const training = { ...BATCHES.training, schedule: { type: 'exponential', gamma: 0.9 } };
    const cwd = folderOf({
      ...files,
      'twice.json': { ...BATCHES, training, data: { ...plain, train: 'a.csv', validation: 'b.csv' } },
      'once.json': {
        ...BATCHES,
        training: { ...training, refit: false, keep: 'last' },
        data: { ...plain, train: 'all.csv', validation: 0 },
      },
    });
    await mlpHere(['train', 'twice.json', '--run', 'twice'], { cwd });
    const { keptEpoch, weightsSha256 } = jsonOf(join(cwd, 'twice/run.json'));
    const length = ['--set', `training.epochs=${keptEpoch}`];
    await mlpHere(['train', 'once.json', '--run', 'once', ...length], { cwd });
    expect(jsonOf(join(cwd, 'once/run.json')).weightsSha256).toBe(weightsSha256);
    expect(rowsOf(join(cwd, 'twice/refit/steps.csv'))).toEqual(rowsOf(join(cwd, 'once/steps.csv')));
  });

  it('has the schedule of the first training, and stops within it', async () => {
    const training = {
      ...BATCHES.training,
      schedule: { type: 'coslog' },
      earlyStopping: { patience: 2, monitor: 'validation_accuracy' },
    };
    const cwd = folderOf({ 'config.json': { ...BATCHES, training }, 'data.csv': CSV });
    await mlpHere(['train', 'config.json', '--run', 'r', '--set', 'training.epochs=60'], { cwd });
    const { keptEpoch, status, refit } = jsonOf(join(cwd, 'r/run.json'));
    expect(status).toBe('early-stopped');
    expect(refit.epochs).toBe(keptEpoch);
    const rates = rowsOf(join(cwd, 'r/refit/steps.csv')).map(({ learning_rate }) => learning_rate);
    const share = (step: number) => step / (60 * 12);
    const coslog = (t: number) => (0.02 * (1 - Math.cos(2 * Math.PI * Math.log2(1 + 15 * t)))) / 2;
    expect(rates).toBeAllclose(
      rates.map((_, step) => coslog(share(step))),
      { relative: 1e-12, absolute: 1e-18 },
    );
    expect(rates).toHaveLength(keptEpoch * 12);
  });

  it('tells scripts of both trainings', async () => {
    const cwd = folderOf({ 'config.json': BATCHES, 'data.csv': CSV });
    const { stdout } = await mlpHere(['train', 'config.json', '--run', 'r', '--json'], { cwd });
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { keptEpoch, refit, weightsSha256 } = events.at(-1);
    const names = events.map(({ event }) => event);
    expect(names).toEqual([
      'start',
      ...Array(12).fill('epoch'),
      'refit',
      ...Array(keptEpoch).fill('refit-epoch'),
      'end',
    ]);
    expect(events[13]).toEqual({ event: 'refit', rows: 180, epochs: keptEpoch });
    expect(events.at(-2)).toEqual({
      event: 'refit-epoch',
      epoch: keptEpoch,
      step: keptEpoch * 12,
      train: refit.train,
      learningRate: 0.02,
      seconds: expect.any(Number),
    });
    expect(weightsSha256).toBe(jsonOf(join(cwd, 'r/run.json')).weightsSha256);
  });

  it('resumes in either training, in the same bits', async () => {
    const config = { ...BATCHES, training: { ...BATCHES.training, epochs: 40, batchSize: 2 } };
    const cwd = folderOf({ 'config.json': config, 'data.csv': CSV });
    const set = ['--set', 'training.keepMonitor="train_loss"'];
    const train = (args: string[], line?: RegExp, signal: NodeJS.Signals = 'SIGKILL') =>
      line
        ? mlp(['train', 'config.json', ...set, ...args], { cwd, onStderr: stopAt(line, signal) })
        : mlpHere(['train', 'config.json', ...set, ...args], { cwd });
    expect((await train(['--run', 'whole'])).code).toBe(0);
    expect((await train(['--run', 'part'], /^epoch +5\//m)).code).toBe(null);
    expect((await train(['--resume', 'part'], /^refit +4\//m)).code).toBe(null);
    const third = await train(['--resume', 'part'], /^refit +15\//m, 'SIGTERM');
    expect(third.code).toBe(143);
    expect(third.stderr).toMatch(/^resuming the refit after epoch \d+, step \d+$/m);
    // Until the refit is done, the model is that of the first training.
    const meanwhile = jsonOf(join(cwd, 'part/run.json'));
    expect(meanwhile.status).toBe('interrupted');
    expect(meanwhile).not.toHaveProperty('refit');
    expect((await mlpHere(['evaluate', 'part', '--split', 'validation'], { cwd })).code).toBe(0);
    expect(third.stderr).toContain('the refit was interrupted: until it is resumed, the model is that');
    const last = await train(['--resume', 'part']);
    expect(last.code).toBe(0);
    for (const name of [
      'model.safetensors',
      'steps.csv',
      'layers.csv',
      'refit/steps.csv',
      'refit/layers.csv',
    ]) {
      const [found, expected] = ['part', 'whole'].map((run) => readFileSync(join(cwd, run, name)));
      expect(found.equals(expected), name).toBe(true);
    }
    for (const name of ['epochs.csv', 'refit/epochs.csv']) {
      expect(rowsOf(join(cwd, 'part', name))).toEqual(rowsOf(join(cwd, 'whole', name)));
    }
  });

  it('starts anew where the run was extended, and has another epoch to stop at', async () => {
    const config = { ...BATCHES, training: { ...BATCHES.training, keepMonitor: 'train_loss' } };
    const cwd = folderOf({ 'config.json': config, 'data.csv': CSV });
    const longer = ['--set', 'training.epochs=20'];
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const extended = await mlpHere(['train', 'config.json', '--resume', 'r', '--extend', ...longer], { cwd });
    expect([extended.code, extended.stderr]).toEqual([0, expect.not.stringContaining('resuming the refit')]);
    await mlpHere(['train', 'config.json', '--run', 's', ...longer], { cwd });
    const [found, expected] = ['r', 's'].map((run) => jsonOf(join(cwd, run, 'run.json')));
    expect(found.weightsSha256).toBe(expected.weightsSha256);
    expect(rowsOf(join(cwd, 'r/refit/epochs.csv'))).toHaveLength(expected.keptEpoch);
    expect(readdirSync(join(cwd, 'r/refit/checkpoint')).length).toBeLessThanOrEqual(2);
  });

  it('starts anew where all its checkpoints are damaged', async () => {
    const cwd = folderOf({ 'config.json': BATCHES, 'data.csv': CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const { weightsSha256 } = jsonOf(join(cwd, 'r/run.json'));
    const folder = join(cwd, 'r/refit/checkpoint');
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name));
      bytes[bytes.length - 1] ^= 1;
      writeFileSync(join(folder, name), bytes);
    }
    const again = await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd });
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining(': the refit starts anew')]);
    expect(jsonOf(join(cwd, 'r/run.json')).weightsSha256).toBe(weightsSha256);
  });

  it('keeps the checkpoints of another refit until it writes: it may fail before', async () => {
    const cwd = folderOf({
      'steps.csv': 'step\n7\n',
      'epochs.csv': 'epoch\n1\n',
      'layers.csv': 'epoch\n1\n',
    });
    mkdirSync(join(cwd, 'checkpoint'));
    writeFileSync(join(cwd, 'checkpoint/step-7.checkpoint'), 'mlp checkpoint 1 of another refit');
    const filesOf = () => ['checkpoint', '.'].map((folder) => readdirSync(join(cwd, folder)).sort());
    const before = filesOf();
    const record = new RunRecord(cwd);
    record.discard();
    await record.start();
    expect(filesOf()).toEqual(before);
    expect(readFileSync(join(cwd, 'steps.csv'), 'utf8')).toBe('step\n7\n');
    await record.writeSteps({
      epoch: 1,
      firstStep: 1,
      learningRates: Float64Array.of(0.1),
      losses: Float64Array.of(2),
    });
    await record.close();
    expect(filesOf()).toEqual([[], before[1]]);
    expect(readFileSync(join(cwd, 'steps.csv'), 'utf8')).toBe('step,epoch,learning_rate,loss\n1,1,0.1,2\n');
  });

  it('of other data is an error before the first step, and leaves the finished run as it is', async () => {
    const other = CSV.replace(/\n(.*)\n/, '\n$1\n$1\n');
    const cwd = folderOf({ 'config.json': BATCHES, 'data.csv': CSV });
    const there = folderOf({ 'config.json': BATCHES, 'data.csv': other });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd: there });
    cpSync(join(there, 'r/refit'), join(cwd, 'r/refit'), { recursive: true });
    const before = readFileSync(join(cwd, 'r/run.json'), 'utf8');
    const { code, stderr } = await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd });
    expect([code, stderr]).toEqual([65, expect.stringContaining('r/refit')]);
    expect(readFileSync(join(cwd, 'r/run.json'), 'utf8')).toBe(before);
  });

  it('is scored on its test rows, and has no validation rows any more', async () => {
    const cwd = folderOf({ 'config.json': BATCHES, 'data.csv': CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const { test, refit } = jsonOf(join(cwd, 'r/run.json'));
    const scored = await mlpHere(['evaluate', 'r', '--json'], { cwd });
    expect(JSON.parse(scored.stdout)).toMatchObject({ split: 'test', metrics: { accuracy: test.accuracy } });
    const trained = await mlpHere(['evaluate', 'r', '--json', '--split', 'train'], { cwd });
    expect(JSON.parse(trained.stdout)).toMatchObject({ rows: 180 });
    expect(JSON.parse(trained.stdout).metrics.accuracy).toBeCloseTo(refit.train.accuracy, 12);
    const refused = await mlpHere(['evaluate', 'r', '--split', 'validation'], { cwd });
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain('the model was refitted on training and validation rows together');
  });

  it('serves the preset: an ensemble, an embedding, and steps instead of epochs', async () => {
    const lines = CSV.split('\n').map((line, i) => `${line},${i === 0 ? 'group' : `g${(i * i) % 23}`}`);
    const config = {
      preset: 'tabular',
      network: { members: 2 },
      data: { train: 'data.csv', target: 'y' },
      training: { steps: 8, refit: true },
    };
    const cwd = folderOf({ 'config.json': config, 'data.csv': lines.join('\n') });
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect([code, stderr]).toEqual([0, expect.stringContaining('refit: training again, on the 200 rows')]);
    expect((await mlpHere(['repro', 'r'], { cwd })).code).toBe(0);
    expect((await mlpHere(['predict', 'r', 'data.csv', '-o', 'p.csv'], { cwd })).code).toBe(0);
  });
});

describe('a refit is refused', () => {
  it.each<[name: string, config: object, message: string]>([
    [
      'without validation rows',
      { data: { train: 'data.csv', target: 'y', validation: 0 }, training: { refit: true } },
      'training.refit: found true in a run without validation rows, expected some: they say after which epoch to stop',
    ],
    [
      'with a schedule that needs them',
      { training: { refit: true, schedule: { type: 'reduce-on-plateau' } } },
      'training.schedule.monitor: found "validation_loss" with "refit": true, expected a metric of the training rows: a refit has no validation rows',
    ],
    ['with a word', { training: { refit: 'yes' } }, 'training.refit: found "yes", expected true or false'],
  ])('%s', async (_, changes, message) => {
    const cwd = folderOf({ 'config.json': smallConfig({ ...changes }), 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect([code, stderr]).toEqual([78, expect.stringContaining(message)]);
    expect(readdirSync(cwd)).not.toContain('r');
  });

  it('before the first training, if more rows have more inputs than the network takes', async () => {
    const csv = SMALL_CSV.split('\n').map((line, i) => `${line},${['c', 'u', 'v'][Math.min(i, 1)]}`);
    const files = { 'data.csv': csv.join('\n'), 'more.csv': `${csv[0]}\n1,2,yes,w\n3,1,no,u` };
    const config = smallConfig({
      network: { input: 2, layers: [1] },
      data: { train: 'data.csv', validation: 'more.csv', target: 'y' },
      training: { refit: true },
    });
    const cwd = folderOf({ ...files, 'config.json': config });
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect(code).toBe(78);
    expect(stderr).toContain('training.refit, on training and validation rows together: ');
    expect(stderr).toContain('found 2, expected 4, the number of feature columns in the data');
  });
});
