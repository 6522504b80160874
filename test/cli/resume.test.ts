import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDirectory } from '../../src/files/lock.js';
import { CHECKSUM_LINE_BYTES, withChecksum } from '../../src/training/run/checkpoints.js';
import { type CliOptions, folderOf, mlp, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';
import { csvOf } from '../support/runs.js';

/** A run long enough to be stopped in the middle, of a network that takes a while for an epoch. */
const LONG = {
  network: { layers: [64, 'relu', { type: 'dropout', rate: 0.2 }, 3] },
  data: { train: 'data.csv', target: 'y' },
  training: { epochs: 100, batchSize: 4 },
};

const bytesOf = (folder: string, run: string, name: string) => readFileSync(join(folder, run, name));

/** epochs.csv without the seconds, which are another number each time. */
const epochsOf = (folder: string, run: string) =>
  bytesOf(folder, run, 'epochs.csv')
    .toString()
    .replace(/,[^,\n]*\n/g, '\n');

/** Sends a signal after so many epochs. */
function stopAfter(epochs: number, signal: NodeJS.Signals): NonNullable<CliOptions['onStderr']> {
  let isSent = false;
  return (text, kill) => {
    if (isSent || !new RegExp(`^epoch +${epochs}/`, 'm').test(text)) return;
    isSent = true;
    kill(signal);
  };
}

const extend = (cwd: string) =>
  mlpHere(['train', 'config.json', '--resume', 'r', '--extend', '--set', 'training.epochs=5'], { cwd });

/** The model of a run that nothing happened to. */
async function extendedModel(cwd: string): Promise<Buffer> {
  await mlpHere(['train', 'config.json', '--run', 'whole', '--set', 'training.epochs=5'], { cwd });
  return bytesOf(cwd, 'whole', 'model.safetensors');
}

/** All files below a folder, with their bytes. */
function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'latin1')]));
}

/** Makes every tensor of the engine in a checkpoint as large as a float32 can be, with a checksum that fits. */
function makeHuge(path: string): void {
  const state = readFileSync(path).subarray(CHECKSUM_LINE_BYTES);
  const start = 8 + Number(state.readBigUInt64LE());
  const { __metadata__: _, ...tensors } = JSON.parse(state.toString('utf8', 8, start));
  for (const [name, { dtype, data_offsets: ends }] of Object.entries<HeaderEntry>(tensors)) {
    if (!name.startsWith('engine.') || dtype !== 'F32') continue;
    for (let at = start + ends[0]; at < start + ends[1]; at += 4) state.writeUInt32LE(0x7f7fffff, at);
  }
  writeFileSync(path, Buffer.concat(withChecksum([state])));
}

interface HeaderEntry {
  readonly dtype: string;
  readonly data_offsets: readonly [number, number];
}

function endOf(stdout: string): Record<string, unknown> {
  const {
    trainSeconds: _,
    samplesPerSecond: __,
    run: ___,
    ...end
  } = JSON.parse(stdout.trimEnd().split('\n').at(-1) as string);
  return end;
}

describe('mlp train --resume', () => {
  it('ends in the bytes of the run that was never stopped, after SIGINT, SIGTERM and SIGKILL', async () => {
    const cwd = folderOf({ 'config.json': LONG, 'data.csv': csvOf(400, 5, 'classes') });
    const whole = await mlpHere(['train', 'config.json', '--run', 'whole'], { cwd });
    expect(whole.code).toBe(0);
    const stopped = async (resume: string[], epochs: number, signal: NodeJS.Signals) =>
      mlp(['train', 'config.json', ...resume], { cwd, onStderr: stopAfter(epochs, signal) });

    const first = await stopped(['--run', 'part'], 10, 'SIGINT');
    expect(first.code).toBe(130);
    expect(first.stderr).toContain('resume with: mlp train part/config.json --resume part');
    expect((await stopped(['--resume', 'part'], 30, 'SIGTERM')).code).toBe(143);
    // A run that was interrupted has a model of its own meanwhile.
    expect(readdirSync(join(cwd, 'part'))).toContain('model.safetensors');
    expect((await stopped(['--resume', 'part'], 60, 'SIGKILL')).code).toBe(null);
    const last = await mlpHere(['train', 'part/config.json', '--resume', 'part'], { cwd });
    expect(last).toMatchObject({ code: 0 });
    expect(last.stderr).toMatch(/^resuming after epoch \d+, step \d+$/m);

    for (const name of ['model.safetensors', 'steps.csv', 'layers.csv']) {
      expect(bytesOf(cwd, 'part', name).equals(bytesOf(cwd, 'whole', name)), name).toBe(true);
    }
    expect(epochsOf(cwd, 'part')).toBe(epochsOf(cwd, 'whole'));
    // The curve and the confusion matrix are of the whole run; times and the directory's name apart.
    const shown = (stdout: string) => stdout.replace(/\(.*\)|run .*/g, '');
    expect(shown(last.stdout)).toBe(shown(whole.stdout));
    expect(readdirSync(join(cwd, 'part', 'checkpoint'))).toHaveLength(2);
  });

  it('goes on for longer with --extend, as a run that was to be that long', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const train = (...args: string[]) => mlpHere(['train', 'config.json', '--json', ...args], { cwd });
    await train('--run', 'r');
    const refused = await train('--resume', 'r', '--set', 'training.epochs=5');
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).toBe(
      `error: --set: training.epochs: found 5, expected 3 as in ${join('r', 'config.json')}\n` +
        'hint: train for longer with --extend\n',
    );
    const longer = await train('--resume', 'r', '--extend', '--set', 'training.epochs=5');
    const whole = await train('--run', 's', '--set', 'training.epochs=5');
    expect(endOf(longer.stdout)).toEqual(endOf(whole.stdout));
    expect(JSON.parse(bytesOf(cwd, 'r', 'config.json').toString()).training.epochs).toBe(5);
    const shorter = await train('--resume', 'r', '--extend', '--set', 'training.epochs=2');
    expect(shorter.stderr).toContain('found 4 steps (2 epochs), expected at least the 10 (5 epochs)');
    expect(shorter.code).toBe(78);
  });

  it('refuses data that are others, and leaves the run as it was', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const before = bytesOf(cwd, 'r', 'steps.csv');
    writeFileSync(join(cwd, 'data.csv'), SMALL_CSV.replace('-2,', '-2.5,'));
    const { code, stderr } = await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd });
    expect(stderr).toMatch(
      /^error: data.train: found data.csv with SHA-256 [0-9a-f]{64}, expected SHA-256 [0-9a-f]{64} as in r\nhint:/m,
    );
    expect(code).toBe(65);
    expect(bytesOf(cwd, 'r', 'steps.csv')).toEqual(before);
  });

  it.each(['model.safetensors', 'run.json', 'rejected.csv'])(
    'refuses a directory in place of %s before it trains',
    async (name) => {
      const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
      await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
      rmSync(join(cwd, 'r', name), { force: true });
      mkdirSync(join(cwd, 'r', name));
      const before = filesOf(join(cwd, 'r'));
      const { code, stderr } = await extend(cwd);
      expect(stderr).toContain(`${join('r', name)}: found a directory, expected a file`);
      expect(code).toBe(73);
      expect(filesOf(join(cwd, 'r'))).toEqual(before);
    },
  );

  it('changes no file if epochs.csv is shorter than at the checkpoint', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    appendFileSync(join(cwd, 'r/steps.csv'), '4,2,0.1,0.5\n');
    writeFileSync(join(cwd, 'r/epochs.csv'), 'epoch\n');
    const before = filesOf(join(cwd, 'r'));
    const { code, stderr } = await extend(cwd);
    expect(stderr).toContain('r/epochs.csv: found 6 bytes, expected at least the');
    expect(code).toBe(65);
    expect(filesOf(join(cwd, 'r'))).toEqual(before);
  });

  it('changes no file if --extend diverges in the first new step', async () => {
    const data = { train: 'data.csv', target: 'y', badRows: 'skip' };
    const cwd = folderOf({ 'config.json': smallConfig({ data }), 'data.csv': `${SMALL_CSV}\n1\n` });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    makeHuge(join(cwd, 'r/checkpoint/step-6.checkpoint'));
    // Not even what it writes anew once it trains.
    for (const name of ['steps.csv', 'epochs.csv', 'layers.csv', 'rejected.csv'])
      appendFileSync(join(cwd, 'r', name), '9,9,9,9\n');
    const before = filesOf(join(cwd, 'r'));
    const { code, stderr } = await extend(cwd);
    expect(stderr).toContain('training diverged: the loss became');
    expect(code).toBe(78);
    expect(filesOf(join(cwd, 'r'))).toEqual(before);
  });

  it('has the longer config where it was killed before the first new checkpoint', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    // A directory in place of the checkpoint ends the process where a kill would.
    const next = join(cwd, 'r/checkpoint/step-8.checkpoint');
    mkdirSync(next);
    expect((await extend(cwd)).code).toBe(73);
    rmSync(next, { recursive: true });
    const resumed = await mlpHere(['train', 'r/config.json', '--resume', 'r'], { cwd });
    expect(resumed.code).toBe(0);
    expect(bytesOf(cwd, 'r', 'model.safetensors')).toEqual(await extendedModel(cwd));
  });

  it('writes the config of --extend where no step is left to take', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    const train = (...args: string[]) => mlpHere(['train', 'config.json', '--resume', 'r', ...args], { cwd });
    expect((await train('--extend', '--set', 'training.checkpointSeconds=7')).code).toBe(78);
    expect((await train('--extend', '--set', 'threads=1')).code).toBe(0);
    expect(JSON.parse(bytesOf(cwd, 'r', 'config.json').toString()).threads).toBe(1);
    expect((await mlpHere(['repro', 'r'], { cwd })).code).toBe(0);
  });

  it.each(['steps.csv', 'epochs.csv', 'layers.csv'])(
    'warns of other rows in %s, which the run does not need',
    async (name) => {
      const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
      await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
      const path = join(cwd, 'r', name);
      const rows = readFileSync(path, 'utf8');
      // What was written after the checkpoint is cut off without a word.
      appendFileSync(path, '4,2,0.1,0.5\n');
      expect((await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd })).stderr).not.toContain(
        'warning',
      );
      expect(readFileSync(path, 'utf8')).toBe(rows);
      writeFileSync(path, rows.replace(/\n\d/, '\n9'));
      const { code, stderr } = await extend(cwd);
      expect(stderr).toMatch(
        new RegExp(`^warning: r/${name}: found other rows than at the checkpoint, expected the same:`, 'm'),
      );
      expect(code).toBe(0);
      expect(bytesOf(cwd, 'r', 'model.safetensors')).toEqual(await extendedModel(cwd));
    },
  );

  it('says which process is training into the directory', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    mkdirSync(join(cwd, 'r'));
    const lock = lockDirectory(join(cwd, 'r'));
    onTestFinished(() => lock.release());
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect(stderr).toMatch(new RegExp(`^error: r: .*\\b${process.pid}\\b`, 'm'));
    expect(code).toBe(75);
  });

  it('lets one of six processes train into a directory, and the end is as ever', async () => {
    const cwd = folderOf({ 'config.json': LONG, 'data.csv': csvOf(400, 5, 'classes') });
    const args = ['train', 'config.json', '--json', '--run'];
    const whole = await mlpHere([...args, 'whole'], { cwd });
    const results = await Promise.all(Array.from({ length: 6 }, () => mlp([...args, 'part'], { cwd })));
    const done = results.filter(({ code }) => code === 0);
    expect(done).toHaveLength(1);
    for (const { code, stderr } of results) {
      if (code === 0) continue;
      // Who comes when the one has ended finds its files.
      expect([75, 73]).toContain(code);
      expect(stderr).toMatch(
        /^error: part: found (process \d+ using it, expected none|a directory that is not empty)/m,
      );
    }
    expect(endOf(done[0].stdout)).toEqual(endOf(whole.stdout));
    for (const name of ['model.safetensors', 'steps.csv', 'layers.csv']) {
      expect(bytesOf(cwd, 'part', name).equals(bytesOf(cwd, 'whole', name)), name).toBe(true);
    }
  });

  it('takes no options that say nothing together, and no directory that is no run', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const train = (...args: string[]) => mlpHere(['train', 'config.json', ...args], { cwd });
    expect((await train('--run', 'r', '--resume', 'r')).code).toBe(64);
    expect((await train('--extend')).code).toBe(64);
    const { code, stderr } = await train('--resume', 'nowhere');
    expect(stderr).toMatch(/^error: nowhere: found no such directory, expected a run\nhint:/);
    expect(code).toBe(66);
  });
});

describe('a run that diverges', () => {
  it('keeps its last good checkpoint, and says when and what to try', async () => {
    // Each step makes the error of a linear network larger, till float32 can't hold it.
    const config = smallConfig({
      network: { layers: [1] },
      data: { train: 'data.csv', target: 'a' },
      training: { epochs: 1000, batchSize: 8, optimizer: { type: 'sgd', learningRate: 1.5 } },
    });
    const cwd = folderOf({ 'config.json': config, 'data.csv': SMALL_CSV });
    const { code, stderr } = await mlpHere(['train', 'config.json', '--run', 'r'], { cwd });
    expect(stderr).toMatch(/^the last good checkpoint is in r$/m);
    expect(stderr).toMatch(/^error: training diverged: .* in epoch \d+, step \d+$/m);
    expect(stderr).toMatch(
      /^hint: start a new run from the last good weights \(--from r\) or from the beginning, with a learning rate ten times smaller .*; --resume takes no other settings$/m,
    );
    expect(code).toBe(78);
    expect(readdirSync(join(cwd, 'r', 'checkpoint'))).not.toEqual([]);
  });
});

describe('mlp repro', () => {
  it('trains again to the same weights, and names what differs', async () => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    await mlpHere(['train', 'config.json', '--run', 'r', '--json'], { cwd });
    const equal = await mlpHere(['repro', 'r', '--json'], { cwd });
    expect(JSON.parse(equal.stdout)).toMatchObject({ equal: true });
    expect(equal.code).toBe(0);

    const change = async (name: string, from: string, to: string) => {
      const path = join(cwd, name);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain(from);
      writeFileSync(path, text.replace(from, to));
      const { code, stdout } = await mlpHere(['repro', 'r', '--json'], { cwd });
      writeFileSync(path, text);
      return { code, ...JSON.parse(stdout) };
    };
    expect(await change('r/config.json', '"seed": 0', '"seed": 1')).toMatchObject({
      code: 1,
      equal: false,
      difference: { what: 'config' },
    });
    expect(await change('data.csv', '-2,', '-3,')).toMatchObject({
      code: 1,
      difference: { what: 'data.train' },
    });
    expect(await change('r/run.json', '"weightsSha256": "', '"weightsSha256": "0')).toMatchObject({
      code: 1,
      difference: { what: 'weights' },
    });
    expect(await change('r/run.json', '"relaxed": false', '"relaxed": true')).toMatchObject({
      code: 1,
      difference: { what: 'backend' },
    });
  });

  it('wants a run that has come to its end', async () => {
    const cwd = folderOf({ 'run.json': '{}' });
    expect((await mlpHere(['repro', 'nowhere'], { cwd })).code).toBe(66);
    expect((await mlpHere(['repro', '.'], { cwd })).code).toBe(65);
  });
});
