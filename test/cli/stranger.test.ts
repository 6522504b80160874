/** A run directory of somebody else: nothing outside of it is written, cut off or deleted. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTrainConfig } from '../../src/spec/loadConfig.js';
import { CHECKSUM_LINE_BYTES, withChecksum } from '../../src/training/run/checkpoints.js';
import { train } from '../../src/training/train.js';
import { folderOf, mlpHere, SMALL_CSV, smallConfig } from '../support/cli.js';

const MINE = 'a line of my own file\n'.repeat(100);
const RESUME = ['train', 'config.json', '--resume', 'r', '--extend', '--set', 'training.epochs=5'];
const onUnix = it.skipIf(process.platform === 'win32');

/** A finished run `r`, and a folder `mine` with files that nobody may change. */
async function strangersRun() {
  const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
  expect((await mlpHere(['train', 'config.json', '--run', 'r'], { cwd })).code).toBe(0);
  mkdirSync(join(cwd, 'mine'));
  for (const name of ['file', 'step-1.checkpoint', 'step-999.checkpoint']) {
    writeFileSync(join(cwd, 'mine', name), MINE);
  }
  const names = () => readdirSync(join(cwd, 'mine')).sort();
  const before = names();
  const requireMine = () => {
    expect(names()).toEqual(before);
    for (const name of before) expect(readFileSync(join(cwd, 'mine', name), 'utf8')).toBe(MINE);
  };
  return { cwd, run: join(cwd, 'r'), mine: join(cwd, 'mine'), requireMine };
}

describe('a run directory whose files lead elsewhere', () => {
  onUnix.each(['steps.csv', 'epochs.csv', 'layers.csv', 'lock', 'lock.takeover'])(
    'is not resumed if %s is a link',
    async (name) => {
      const { cwd, run, mine, requireMine } = await strangersRun();
      for (const target of ['file', 'nothing']) {
        rmSync(join(run, name), { force: true });
        symlinkSync(join(mine, target), join(run, name));
        const { code, stderr } = await mlpHere(RESUME, { cwd });
        expect(code).toBe(73);
        expect(stderr).toMatch(new RegExp(`^error: r/${name}: found a symbolic link, expected none$`, 'm'));
        requireMine();
      }
    },
  );

  onUnix.each(['steps.csv', 'epochs.csv', 'layers.csv'])(
    'is not resumed if %s has another name',
    async (name) => {
      const { cwd, run, mine, requireMine } = await strangersRun();
      rmSync(join(run, name));
      linkSync(join(mine, 'file'), join(run, name));
      const { code, stderr } = await mlpHere(RESUME, { cwd });
      expect(code).toBe(73);
      expect(stderr).toContain(`r/${name}: found a file with 2 names, expected one name`);
      requireMine();
    },
  );

  onUnix('is not resumed if steps.csv is a pipe', async () => {
    const { cwd, run, requireMine } = await strangersRun();
    rmSync(join(run, 'steps.csv'));
    execFileSync('mkfifo', [join(run, 'steps.csv')]);
    const { code, stderr } = await mlpHere(RESUME, { cwd });
    expect(code).toBe(73);
    expect(stderr).toContain('r/steps.csv: found a pipe or a device, expected a file');
    requireMine();
  });

  onUnix('is not resumed if the folder of checkpoints is a link', async () => {
    const { cwd, run, mine, requireMine } = await strangersRun();
    const other = join(cwd, 'other');
    renameSync(join(run, 'checkpoint'), other);
    for (const target of [mine, other]) {
      rmSync(join(run, 'checkpoint'), { force: true });
      symlinkSync(target, join(run, 'checkpoint'));
      const before = readdirSync(other);
      const { code, stderr } = await mlpHere(RESUME, { cwd });
      expect(code).toBe(73);
      expect(stderr).toContain('r/checkpoint: found a symbolic link, expected none');
      requireMine();
      expect(readdirSync(other)).toEqual(before);
    }
  });

  onUnix.each(['model.safetensors', 'run.json', 'config.json'])(
    'gets a file of its own for the link %s',
    async (name) => {
      const { cwd, run, mine } = await strangersRun();
      const target = join(mine, name);
      renameSync(join(run, name), target);
      const before = readFileSync(target);
      symlinkSync(target, join(run, name));
      const { code, stderr } = await mlpHere(RESUME, { cwd });
      expect(code).toBe(0);
      expect(stderr).toContain(`r/${name} is a link to ${realpathSync(target)}`);
      expect(lstatSync(join(run, name)).isSymbolicLink()).toBe(false);
      expect(readFileSync(target)).toEqual(before);
    },
  );

  onUnix('keeps checkpoints that only have the name of one', async () => {
    const { cwd, run } = await strangersRun();
    const names = ['step-1.checkpoint', 'step-999.checkpoint', 'notes.txt'];
    for (const name of names) writeFileSync(join(run, 'checkpoint', name), MINE);
    expect((await mlpHere(RESUME, { cwd })).code).toBe(0);
    for (const name of names) expect(readFileSync(join(run, 'checkpoint', name), 'utf8')).toBe(MINE);
  });
});

/** Changes the newest checkpoint: the metadata of its safetensors file, or the bytes of a tensor. */
function forge(
  run: string,
  change: (metadata: Record<string, string>, tensor: (name: string) => Buffer) => void,
): void {
  const path = join(run, 'checkpoint', readdirSync(join(run, 'checkpoint')).sort().at(-1) as string);
  const state = readFileSync(path).subarray(CHECKSUM_LINE_BYTES);
  const end = 8 + Number(state.readBigUInt64LE());
  const header = JSON.parse(state.toString('utf8', 8, end));
  const tensors = state.subarray(end);
  change(header.__metadata__, (name) => tensors.subarray(...header[name].data_offsets));
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat(withChecksum([length, text, tensors])));
}

describe('a checkpoint of a stranger, with a checksum that fits', () => {
  it.each<[string, string, (value: Record<string, unknown>) => unknown, RegExp]>([
    [
      'a generator of other words',
      'trainer',
      (trainer) => ({ ...trainer, random: { words: [2 ** 33] } }),
      /step-6/,
    ],
    ['no generator', 'trainer', () => ({ steps: 9, position: 0 }), /step-6.*content that mlp train/],
    [
      'a position beyond the rows',
      'trainer',
      (trainer) => ({ ...trainer, position: 1e9 }),
      /checkpoint: batches/,
    ],
    [
      'steps below 0',
      'progress',
      (progress) => ({ ...progress, steps: -1e12 }),
      /saved state of the run: steps/,
    ],
    ['no progress', 'progress', () => null, /saved state of the run/],
    ['lengths of text', 'files', () => ({ steps: 'x', epochs: {} }), /saved state of the logs/],
    ['no origin', 'origin', () => null, /step-6.*content that mlp train/],
  ])('is refused: %s', async (_, key, change, message) => {
    const { cwd, run } = await strangersRun();
    forge(run, (metadata) => {
      metadata[key] = JSON.stringify(change(JSON.parse(metadata[key])));
    });
    const { code, stderr } = await mlpHere(RESUME, { cwd });
    expect({ code, stderr }).toEqual({ code: 65, stderr: expect.stringMatching(message) });
  });

  it.each(['engine.parameters', 'best.parameters'])('is refused if %s are not finite', async (name) => {
    const { cwd, run } = await strangersRun();
    const config = readFileSync(join(run, 'config.json'), 'utf8');
    forge(run, (_, tensor) => tensor(name).writeFloatLE(Number.NaN));
    const { code, stderr } = await mlpHere(RESUME, { cwd });
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: expect.stringMatching(`step-6.*${name} are not all finite`),
    });
    expect(readFileSync(join(run, 'config.json'), 'utf8')).toBe(config);
  });
});

describe('data outside of a run directory', () => {
  it('are named before they are read', async () => {
    const { cwd } = await strangersRun();
    const told = `r/config.json:26:14: data.train is outside of the run: reading ${realpathSync(join(cwd, 'data.csv'))}`;
    for (const args of [
      ['evaluate', 'r'],
      ['repro', 'r'],
      ['train', 'r/config.json', '--resume', 'r'],
      ['train', 'r/config.json', '--run', 'again'],
    ]) {
      const { code, stderr } = await mlpHere(args, { cwd });
      expect(code).toBe(0);
      expect(stderr.split('\n')[0], args.join(' ')).toBe(told);
    }
    // A config of the user's own.
    expect((await mlpHere(['train', 'config.json', '--resume', 'r'], { cwd })).stderr).not.toContain(told);
  });

  onUnix('are named where links lead there, and not where they are in the run', async () => {
    const { cwd, run } = await strangersRun();
    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'));
    config.data.train = 'data.csv';
    writeFileSync(join(run, 'config.json'), JSON.stringify(config));
    symlinkSync('../data.csv', join(run, 'data.csv'));
    symlinkSync('../r/steps.csv', join(run, 'rejected.csv'));
    const outside = await mlpHere(['evaluate', 'r'], { cwd });
    expect(outside.stderr).toContain('r/rejected.csv is a link to');
    expect(outside.stderr).toContain(`outside of the run: reading ${realpathSync(join(cwd, 'data.csv'))}`);
    rmSync(join(run, 'data.csv'));
    writeFileSync(join(run, 'data.csv'), SMALL_CSV);
    expect((await mlpHere(['evaluate', 'r'], { cwd })).stderr).not.toContain('outside of the run');
  });
});

describe('a run that fails before its first checkpoint', () => {
  it.each([[[]], [['notes.txt']]])('takes only its own files with it: %j stays', async (others) => {
    const cwd = folderOf({ 'config.json': smallConfig(), 'data.csv': SMALL_CSV });
    const directory = join(cwd, 'r');
    const started = () => {
      expect(readdirSync(directory)).toContain('steps.csv');
      for (const name of others) writeFileSync(join(directory, name), MINE);
      throw new Error('failed');
    };
    const run = train(loadTrainConfig(join(cwd, 'config.json')), { directory, listener: { started } });
    await expect(run).rejects.toThrow('failed');
    expect(existsSync(directory)).toBe(others.length > 0);
    if (others.length > 0) expect(readdirSync(directory)).toEqual(others);
  });
});
