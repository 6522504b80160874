import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAST_BACKENDS } from '../support/backends.js';
import { folderOf, mlp, mlpHere, SMALL_CSV, smallConfig, temporaryFolder } from '../support/cli.js';
import { fixture, projectPath } from '../support/fixtures.js';

/** The last element of each line's JSON that has this event. */
function events(stdout: string, event: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((entry) => entry.event === event);
}

function csvColumn(path: string, name: string): number[] {
  const [header, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const column = header.split(',').indexOf(name);
  return rows.map((row) => Number(row.split(',')[column]));
}

describe('mlp train', () => {
  it('learns iris, and leaves a run directory', async () => {
    const folder = temporaryFolder();
    const { code, stdout, stderr } = await mlp(['train', projectPath('configs/iris.json')], {
      cwd: folder,
      report: true,
    });
    expect(code).toBe(0);
    const run = join(folder, 'runs', 'iris-1');
    expect(readdirSync(run).sort()).toEqual([
      'checkpoint',
      'config.json',
      'epochs.csv',
      'layers.csv',
      'model.safetensors',
      'report.html',
      'run.json',
      'steps.csv',
    ]);
    expect(stdout).toContain('confusion matrix');
    expect(stdout).toContain(`run ${join('runs', 'iris-1')}`);
    const accuracy = csvColumn(join(run, 'epochs.csv'), 'validation_accuracy').at(-1);
    expect(accuracy).toBeGreaterThanOrEqual(0.9);

    // In a pipe: one plain line an epoch, and no escape codes.
    const epochs = stderr.split('\n').filter((line) => line.startsWith('epoch'));
    expect(epochs).toHaveLength(csvColumn(join(run, 'epochs.csv'), 'epoch').length);
    expect(stdout + stderr).not.toMatch(/[\x1b\r]/);
  });

  it('trains again from the config of a run, to the same weights', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const first = await mlpHere(['train', 'config.json', '--json'], { cwd: folder });
    const second = await mlpHere(
      ['train', join('runs', 'config-1', 'config.json'), '--json', '--run', 'again'],
      {
        cwd: folder,
      },
    );
    const [a, b] = [first, second].map(({ stdout }) => events(stdout, 'end')[0].weightsSha256);
    expect(a).toMatch(/^[0-9a-f]{64}$/);
    expect(b).toBe(a);
  });

  it('prints the contract as JSON lines', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { code, stdout, stderr } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(events(stdout, 'start')).toEqual([
      expect.objectContaining({
        backend: expect.any(String),
        threads: 1,
        params: 17,
        rows: { train: 16, validation: 4 },
        run: 'r',
      }),
    ]);
    const epochs = events(stdout, 'epoch');
    expect(epochs.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 2],
      [2, 4],
      [3, 6],
    ]);
    for (const epoch of epochs) {
      const metrics = { loss: expect.any(Number), accuracy: expect.any(Number) };
      expect(epoch).toMatchObject({
        train: metrics,
        validation: metrics,
        learningRate: 0.001,
        seconds: expect.any(Number),
      });
    }
    const [end] = events(stdout, 'end');
    expect(end).toMatchObject({
      status: 'completed',
      epochs: 3,
      steps: 6,
      run: 'r',
      trainSeconds: expect.any(Number),
      samplesPerSecond: expect.any(Number),
    });
    expect(end.lastStepLoss).toBe(csvColumn(join(folder, 'r', 'steps.csv'), 'loss').at(-1));
    expect(end.train).toEqual(epochs[2].train);
  });

  it('writes the numbers that "auto" stands for, and goes on with either', async () => {
    const config = smallConfig({ training: { epochs: 'auto', batchSize: 'auto' } });
    const folder = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const { stdout } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], { cwd: folder });
    // 16 training rows: all in a batch.
    expect(JSON.parse(stdout.split('\n')[0])).toMatchObject({ epochs: 64, batchSize: 16 });
    const { training } = JSON.parse(readFileSync(join(folder, 'r', 'config.json'), 'utf8'));
    expect(training).toMatchObject({ epochs: 64, batchSize: 16 });
    for (const config of ['config.json', 'r/config.json']) {
      const again = await mlpHere(['train', config, '--resume', 'r'], { cwd: folder });
      expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('resuming after epoch 64')]);
    }
    expect((await mlpHere(['repro', 'r'], { cwd: folder })).code).toBe(0);
  });

  it('writes the run directory of the contract', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { stdout } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], { cwd: folder });
    const steps = readFileSync(join(folder, 'r', 'steps.csv'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(steps[0]).toBe('step,epoch,learning_rate,loss');
    expect(steps.slice(1).map((line) => line.split(',').slice(0, 3).join(','))).toEqual([
      '1,1,0.001',
      '2,1,0.001',
      '3,2,0.001',
      '4,2,0.001',
      '5,3,0.001',
      '6,3,0.001',
    ]);
    const [header] = readFileSync(join(folder, 'r', 'epochs.csv'), 'utf8').split('\n');
    expect(header).toBe(
      'epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,seconds',
    );

    const config = JSON.parse(readFileSync(join(folder, 'r', 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      network: {
        layers: [
          { type: 'linear', units: 4, bias: true, init: { type: 'he-normal' } },
          { type: 'tanh' },
          { units: 1 },
        ],
      },
      data: {
        train: '../data.csv',
        target: 'y',
        task: 'auto',
        exclude: [],
        validation: 0.2,
        standardize: true,
      },
      training: {
        epochs: 3,
        batchSize: 8,
        batches: 'shuffle',
        optimizer: { type: 'adam', learningRate: 0.001, beta1: 0.9 },
        schedule: { type: 'constant' },
        loss: 'auto',
        l2: 0,
      },
      seed: 0,
      dtype: 'float32',
      backend: 'auto',
      threads: 'auto',
    });

    const file = readFileSync(join(folder, 'r', 'model.safetensors'));
    const length = Number(file.readBigUInt64LE(0));
    const model = JSON.parse(file.toString('utf8', 8, 8 + length));
    expect(length % 8).toBe(0);
    expect(model['layers.0.weight']).toEqual({ dtype: 'F32', shape: [2, 4], data_offsets: [0, 32] });
    expect(model['layers.0.bias']).toEqual({ dtype: 'F32', shape: [4], data_offsets: [32, 48] });
    expect(model['layers.2.weight'].shape).toEqual([4, 1]);
    expect(file.length).toBe(8 + length + 17 * 4);
    expect(JSON.parse(model.__metadata__.classes)).toEqual(['no', 'yes']);
    expect(JSON.parse(model.__metadata__.features)).toMatchObject([
      { kind: 'numeric', column: 'a', scale: expect.any(Number) },
      { kind: 'numeric', column: 'b', scale: expect.any(Number) },
    ]);
    const sha256 = createHash('sha256')
      .update(file.subarray(8 + length))
      .digest('hex');
    expect(events(stdout, 'end')[0].weightsSha256).toBe(sha256);
  });

  it('reproduces the class notebook: the loss of all 100 steps to twelve digits', async () => {
    const folder = temporaryFolder();
    const { code } = await mlpHere(['train', projectPath('configs/homework/toy.json'), '--run', 'r'], {
      cwd: folder,
    });
    expect(code).toBe(0);
    const { toy } = fixture<{
      toy: { training: { losses: number[]; learningRates: number[]; accuracy: number } };
    }>('numpy/notebook.json');
    expect(toy.training.losses).toHaveLength(100);
    const steps = join(folder, 'r', 'steps.csv');
    expect(csvColumn(steps, 'loss')).toBeAllclose(toy.training.losses, { relative: 1e-12 });
    expect(csvColumn(steps, 'learning_rate')).toBeAllclose(toy.training.learningRates, { relative: 1e-15 });
    expect(csvColumn(join(folder, 'r', 'epochs.csv'), 'train_accuracy').at(-1)).toBe(toy.training.accuracy);
  });

  describe.each(FAST_BACKENDS)('on 2 threads, $name', ({ choice, skip }) => {
    it.skipIf(skip)('reproduces it as well', async () => {
      const { toy } = fixture<{ toy: { training: { losses: number[] } } }>('numpy/notebook.json');
      const folder = temporaryFolder();
      const args = [
        '--backend',
        choice.backend,
        '--threads',
        '2',
        ...(choice.relaxed ? [] : ['--deterministic']),
      ];
      const { code, stderr } = await mlpHere(
        ['train', projectPath('configs/homework/toy.json'), '--run', 'r', ...args],
        { cwd: folder },
      );
      expect(code).toBe(0);
      expect(stderr).toContain(`${choice.backend} kernels, 2 threads, float64`);
      expect(csvColumn(join(folder, 'r', 'steps.csv'), 'loss')).toBeAllclose(toy.training.losses, {
        relative: 1e-12,
      });
    });
  });

  it('leaves the same weights for any number of threads', async () => {
    const config = smallConfig({ network: { layers: [33, 'gelu', 17, 'tanh', 1] }, backend: 'wasm' });
    const folder = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const hashes = new Set<unknown>();
    for (const threads of ['1', '2', '3', '4']) {
      const args = ['--deterministic', '--threads', threads, '--json', '--run', `r${threads}`];
      const { stdout } = await mlpHere(['train', 'config.json', ...args], { cwd: folder });
      expect(events(stdout, 'start')[0]).toMatchObject({ backend: 'wasm', threads: Number(threads) });
      hashes.add(events(stdout, 'end')[0].weightsSha256);
    }
    expect([...hashes]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('ends with an error where a thread fails, and keeps what was saved before', async () => {
    const config = smallConfig({ training: { epochs: 1_000_000 } });
    const folder = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const preload = pathToFileURL(projectPath('test/support/threads/faultyTeams.js'));
    const { code, stderr } = await mlp(['train', 'config.json', '--threads', '2'], {
      cwd: folder,
      env: {
        NODE_OPTIONS: `--import ${preload}`,
        MLP_TEST_FAULT: 'throws',
        MLP_TEST_RANK: '1',
        MLP_TEST_STEP: '30',
      },
    });
    expect(code).toBe(70);
    expect(stderr).toMatch(/\nerror: thread 2 of 2 failed: no more numbers\nhint: .*\n$/);
    expect(readdirSync(join(folder, 'runs', 'config-1')).sort()).toEqual([
      'checkpoint',
      'config.json',
      'epochs.csv',
      'layers.csv',
      'steps.csv',
    ]);
  });

  it('answers Ctrl-C in the middle of an epoch', async () => {
    const rows = 20_000;
    const csv = ['a,b,y', ...Array.from({ length: rows }, (_, i) => `${i % 7},${i % 5},${i % 2}`)];
    const config = smallConfig({
      network: { layers: [256, 'tanh', 256, 'tanh', 1] },
      data: { train: 'data.csv', target: 'y', validation: 0 },
      training: { epochs: 1, batchSize: 1 },
      threads: 2,
    });
    const folder = folderOf({ 'config.json': config, 'data.csv': csv.join('\n') });
    let sent = false;
    const { code, stdout } = await mlp(['train', 'config.json', '--run', 'r'], {
      cwd: folder,
      onStderr: (text, kill) => {
        if (sent || !text.includes('2 threads')) return;
        sent = true;
        setTimeout(() => kill('SIGINT'), 200);
      },
    });
    expect(code).toBe(130);
    expect(stdout).toContain('interrupted after');
    const steps = csvColumn(join(folder, 'r', 'steps.csv'), 'step');
    expect(steps.length).toBeGreaterThan(0);
    expect(steps.length).toBeLessThan(rows);
    expect(steps.at(-1)).toBe(steps.length);
  });

  it('takes --set over the file, and steps instead of epochs', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const args = [
      '--set',
      'training.steps=3',
      '--set',
      'network.layers[0].units=5',
      '--set',
      'data.validation=0',
    ];
    const { stdout } = await mlpHere(['train', 'config.json', '--json', '--run', 'r', ...args], {
      cwd: folder,
    });
    expect(events(stdout, 'start')[0]).toMatchObject({ params: 21, rows: { train: 20, validation: 0 } });
    expect(events(stdout, 'end')[0]).toMatchObject({ steps: 3, epochs: 1 });
    expect(events(stdout, 'end')[0].validation).toBeUndefined();
  });

  it('trains a regression in the units of its target', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i / 10},${1000 + 37.5 * i}`);
    const config = smallConfig({
      network: { layers: [1] },
      data: { train: 'data.csv', target: 'y', validation: 0.25, standardizeTarget: true },
      training: { epochs: 60, optimizer: { type: 'adam', learningRate: 0.05 } },
    });
    const folder = folderOf({ 'config.json': config, 'data.csv': ['x,y', ...rows].join('\n') });
    const { stdout } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], { cwd: folder });
    const { validation } = events(stdout, 'end')[0] as {
      validation: { loss: number; r2: number; rmse: number };
    };
    expect(validation.r2).toBeGreaterThan(0.99);
    expect(validation.rmse).toBeLessThan(65);
    expect(validation.rmse).toBeGreaterThan(Math.sqrt(validation.loss));
  });

  it('scales the target of a regression by itself, and reports all metrics in its unit', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${i / 10},${1000 + 37.5 * i}`);
    const config = smallConfig({
      network: { layers: [1] },
      data: { train: 'data.csv', target: 'y', validation: 0.25 },
      training: { epochs: 60, optimizer: { type: 'adam', learningRate: 0.05 } },
    });
    const folder = folderOf({ 'config.json': config, 'data.csv': ['x,y', ...rows].join('\n') });
    const { stdout } = await mlpHere(['train', 'config.json', '--json', '--run', 'r'], { cwd: folder });
    expect(events(stdout, 'start')[0].reason).toContain('data.task decides');
    const { validation } = events(stdout, 'end')[0] as { validation: { loss: number; rmse: number } };
    expect(validation.rmse).toBeLessThan(65);
    expect(validation.loss / validation.rmse ** 2).toBeCloseTo(1, 5);
    const evaluated = await mlpHere(['evaluate', 'r', '--json'], { cwd: folder });
    expect(JSON.parse(evaluated.stdout).metrics.loss / validation.loss).toBeCloseTo(1, 5);
    // A class has no scale: the run's config says so.
    const other = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd: other });
    const written = JSON.parse(readFileSync(join(other, 'r/config.json'), 'utf8'));
    expect(written.data.standardizeTarget).toBe(false);
  });

  it('never writes over what is there', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', '.'], { cwd: folder });
    expect(code).toBe(73);
    expect(stderr).toContain('found a directory that is not empty');
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'data.csv']);
    await mlpHere(['train', 'config.json'], { cwd: folder });
    await mlpHere(['train', 'config.json'], { cwd: folder });
    expect(readdirSync(join(folder, 'runs')).sort()).toEqual(['config-1', 'config-2']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('finishes the step and saves on %s, and exits with %i', async (signal, expected) => {
    const config = smallConfig({ training: { epochs: 1_000_000, batchSize: 8 } });
    const folder = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    let sent = false;
    const { code, stdout } = await mlp(['train', 'config.json', '--run', 'r'], {
      cwd: folder,
      onStderr: (text, kill) => {
        if (sent || !text.includes('epoch     ')) return;
        sent = true;
        kill(signal);
      },
    });
    expect(code).toBe(expected);
    expect(stdout).toContain('interrupted after');
    expect(existsSync(join(folder, 'r', 'model.safetensors'))).toBe(true);
  });

  it('goes on when nobody reads its output', async () => {
    const folder = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlp(['train', 'config.json', '--run', 'r'], {
      cwd: folder,
      closeStdout: true,
    });
    expect(code).toBe(0);
    expect(stderr).not.toContain('error');
    expect(existsSync(join(folder, 'r', 'model.safetensors'))).toBe(true);
  });
});
