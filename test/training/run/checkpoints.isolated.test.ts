import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ExitCode } from '../../../src/errors.js';
import { syncFolder } from '../../../src/files/atomic.js';
import { encodeSafetensors } from '../../../src/model/safetensors/encode.js';
import { CheckpointStore } from '../../../src/training/run/checkpoints.js';
import { rejection } from '../../data/files.js';
import { endedPid } from '../../files/processes.js';
import { folderOf, temporaryFolder } from '../../support/cli.js';
import { contentOf, load } from './content.js';

vi.mock('../../../src/files/atomic.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/files/atomic.js')>();
  return { ...original, syncFolder: vi.fn(original.syncFolder) };
});

const nameOf = (step: number) => `step-${step}.checkpoint`;

/** A folder with checkpoints of these steps, saved one after the other. */
async function folderWithSteps(...steps: number[]): Promise<string> {
  const folder = join(temporaryFolder(), 'checkpoint');
  const store = new CheckpointStore(folder);
  for (const step of steps) await store.save(step, contentOf(step));
  return folder;
}

describe('a checkpoint', () => {
  it('is a line with the SHA-256 of the rest, and a safetensors file', async () => {
    const folder = await folderWithSteps(7);
    const { header, parts } = contentOf(7);
    const rest = Buffer.concat([header, ...parts]);
    const hash = createHash('sha256').update(rest).digest('hex');
    const expected = Buffer.concat([Buffer.from(`mlp checkpoint 1 ${hash}\n`), rest]);
    expect(readFileSync(join(folder, nameOf(7)))).toEqual(expected);
  });

  it('comes back as it was saved, integers and empty tensors among it', async () => {
    const folder = temporaryFolder();
    const tensors = {
      w: new Float32Array([0.1, Number.NaN, -0]),
      m: new Float64Array([Math.PI, Number.MIN_VALUE]),
      order: new Int32Array([2 ** 31 - 1, -(2 ** 31), 0]),
      none: new Float32Array(0),
    };
    const named = Object.entries(tensors).map(([name, data]) => ({ name, shape: [data.length], data }));
    const metadata = { epoch: '12', 'a "name"': '{"text":"é"}' };
    await new CheckpointStore(folder).save(12, encodeSafetensors(named, metadata));
    const { checkpoint, warnings } = await load(folder);
    expect(checkpoint).toEqual({
      metadata: new Map(Object.entries(metadata)),
      tensors: new Map(Object.entries(tensors)),
      path: join(folder, nameOf(12)),
    });
    expect(warnings).toEqual([]);
  });
});

describe('save', () => {
  it('makes the folder, but not the one around it: 73', async () => {
    const folder = join(temporaryFolder(), 'run', 'checkpoint');
    const error = await rejection(new CheckpointStore(folder).save(1, contentOf(1)));
    expect([error.exitCode, error.message]).toEqual([
      73,
      `${folder}: found no folder ${join(folder, '..')}, expected one`,
    ]);
  });

  it('brings the name of a folder that it makes to the disk', async () => {
    const folder = await folderWithSteps(1);
    expect(syncFolder).toHaveBeenCalledWith(join(folder, '..'));
  });

  it('keeps the two newest, by their numbers', async () => {
    const folder = await folderWithSteps(8, 9, 10, 101);
    expect(readdirSync(folder).sort()).toEqual([nameOf(10), nameOf(101)]);
  });

  it('keeps one of step 0, and replaces one of the same step', async () => {
    const folder = await folderWithSteps(0, 3, 3);
    expect(readdirSync(folder)).toEqual([nameOf(0), nameOf(3)]);
    expect((await load(folder)).step).toBe(3);
  });

  it('gives up later steps than its own', async () => {
    const folder = await folderWithSteps(8, 12, 9);
    expect(readdirSync(folder).sort()).toEqual([nameOf(8), nameOf(9)]);
  });

  it('does not count a damaged one among the two', async () => {
    const folder = await folderWithSteps(8, 12);
    appendFileSync(join(folder, nameOf(12)), 'damaged');
    const store = new CheckpointStore(folder);
    await store.load(() => {});
    await store.save(16, contentOf(16));
    expect(readdirSync(folder).sort()).toEqual([nameOf(16), nameOf(8)]);
  });

  it('deletes no file that only has the name of one', async () => {
    const folder = await folderWithSteps(8, 12);
    for (const step of [5, 99]) writeFileSync(join(folder, nameOf(step)), 'a file of my own');
    await new CheckpointStore(folder).save(16, contentOf(16));
    expect(readdirSync(folder).sort()).toEqual([5, 99, 12, 16].map(nameOf).sort());
  });

  it('makes the folder anew where it has gone', async () => {
    const folder = temporaryFolder();
    const store = new CheckpointStore(join(folder, 'checkpoint'));
    await store.save(1, contentOf(1));
    rmSync(store.folder, { recursive: true });
    await store.save(2, contentOf(2));
    expect((await load(store.folder)).step).toBe(2);
  });

  it('takes away what a process left half-written, and nothing else', async () => {
    const leftover = (pid: number) => `.${nameOf(5)}.${pid}.0123abcd.partial`;
    const folder = folderOf({
      [leftover(endedPid())]: '',
      [leftover(process.pid)]: '',
      [leftover(process.ppid)]: '',
      'step-01.checkpoint': '',
      'step-1.checkpoint.bak': '',
    });
    await new CheckpointStore(folder).save(9, contentOf(9));
    expect(readdirSync(folder).sort()).toEqual(
      [leftover(process.ppid), 'step-01.checkpoint', 'step-1.checkpoint.bak', nameOf(9)].sort(),
    );
  });
});

describe('load', () => {
  it('finds nothing where there is no folder, or none in it', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, nameOf(3)));
    for (const path of [folder, join(folder, 'no')]) {
      expect(await load(path)).toEqual({ step: undefined, warnings: [], checkpoint: undefined });
    }
  });

  it('takes the newest, by its number', async () => {
    expect((await load(await folderWithSteps(9, 10))).step).toBe(10);
  });

  it('warns of a damaged one, and takes the one before', async () => {
    const folder = await folderWithSteps(8, 12);
    const path = join(folder, nameOf(12));
    const bytes = readFileSync(path);
    writeFileSync(path, 'damaged');
    const loaded = await load(folder);
    expect(loaded.step).toBe(8);
    expect(loaded.warnings).toEqual([
      `${path}: found no checksum in the first line, expected one: using step-8`,
    ]);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    expect((await load(folder)).warnings[0]).toMatch(
      /step-12\.checkpoint: found content of SHA-256 [0-9a-f]{12}…, expected [0-9a-f]{12}…: using step-8$/,
    );
  });

  it('says what is wrong with each where all are damaged: 65', async () => {
    const folder = await folderWithSteps(8, 12);
    for (const step of [8, 12]) writeFileSync(join(folder, nameOf(step)), '');
    const { exitCode, message, hint } = await rejection(load(folder));
    expect([exitCode, hint]).toEqual([ExitCode.data, expect.stringContaining('train from the start')]);
    expect(message).toBe(
      `${folder}: found only damaged checkpoints, expected a whole one: ` +
        [12, 8]
          .map((step) => `${join(folder, nameOf(step))}: found no checksum in the first line, expected one`)
          .join('; '),
    );
  });

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'goes back behind none that may not be read: 77',
    async () => {
      const folder = await folderWithSteps(8, 12);
      chmodSync(join(folder, nameOf(12)), 0);
      expect((await rejection(load(folder))).exitCode).toBe(77);
    },
  );

  it('says that a file is no folder: 66', async () => {
    expect((await rejection(load(join(folderOf({ checkpoint: '' }), 'checkpoint')))).exitCode).toBe(66);
  });
});
