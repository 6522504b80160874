import { spawn } from 'node:child_process';
import { chmodSync, cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointStore } from '../../../src/training/run/checkpoints.js';
import { rejection } from '../../data/files.js';
import { temporaryFolder } from '../../support/cli.js';
import { projectPath } from '../../support/fixtures.js';
import { contentOf, load } from './content.js';

const SAVE = projectPath('test/support/checkpoints/save.js');
const NAIVE = ['--import', new URL('../../support/checkpoints/naive.js', import.meta.url).href];

interface Ending {
  readonly signal: NodeJS.Signals | null;
  /** What was printed, read as JSON. */
  readonly output: unknown;
}

/** Runs a program to its end, however that comes. */
function run(program: string, args: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ signal, output: text && JSON.parse(text) }));
  });
}

async function folderWithSteps(...steps: number[]): Promise<string> {
  const folder = temporaryFolder();
  const store = new CheckpointStore(folder);
  for (const step of steps) await store.save(step, contentOf(step));
  return folder;
}

/** The calls of the system that change something: to be killed at another is to be killed at the next of these. */
const CHANGES = new Set(['writeFile', 'sync', 'rename', 'rm']);

/** Has a process save step 3 to a copy of a folder for each of those calls that it takes, and be killed there. */
async function killAtEachChange(original: string, options: readonly string[] = []) {
  const copy = () => {
    const folder = temporaryFolder();
    cpSync(original, folder, { recursive: true });
    return folder;
  };
  const { output } = await run(process.execPath, [...options, SAVE, copy(), '3']);
  const changes = [...(output as string[]).entries()].filter(([, name]) => CHANGES.has(name));
  return Promise.all(
    changes.map(async ([call, name]) => {
      const folder = copy();
      const { signal } = await run(process.execPath, [...options, SAVE, folder, '3', `${call}`]);
      expect(signal, name).toBe('SIGKILL');
      return { folder, name };
    }),
  );
}

/** Whether there is a whole checkpoint, and no other. */
async function isSound(folder: string): Promise<boolean> {
  try {
    const { step, warnings } = await load(folder);
    return (step === 2 || step === 3) && warnings.length === 0;
  } catch {
    return false;
  }
}

// Windows knows no signals.
describe.skipIf(process.platform === 'win32')('a kill while a checkpoint is saved', () => {
  it('leaves the one before or the new one, whole, wherever it comes', async () => {
    const crashes = await killAtEachChange(await folderWithSteps(1, 2));
    expect(new Set(crashes.map(({ name }) => name))).toEqual(CHANGES);
    for (const { folder, name } of crashes) {
      expect(await isSound(folder), name).toBe(true);
      const { step } = await load(folder);
      await new CheckpointStore(folder).save(4, contentOf(4));
      expect(readdirSync(folder), name).toEqual([`step-${step}.checkpoint`, 'step-4.checkpoint']);
    }
  });

  it('leaves a damaged one where it is simply written in place: the test would see it', async () => {
    const folder = temporaryFolder();
    await run(process.execPath, [...NAIVE, SAVE, folder, '2']);
    const crashes = await killAtEachChange(folder, NAIVE);
    expect(crashes.map(({ name }) => name)).toEqual(['writeFile']);
    expect(await isSound(crashes[0].folder)).toBe(false);
  });
});

describe('a failure while a checkpoint is saved', () => {
  const BEFORE = ['step-1.checkpoint', 'step-2.checkpoint'];

  it.skipIf(process.platform === 'win32')(
    'leaves the old ones and nothing else where files may not grow so long: 74',
    async () => {
      const folder = await folderWithSteps(1, 2);
      const limited = 'ulimit -f 4 && exec "$0" "$@"';
      const { output } = await run('sh', ['-c', limited, process.execPath, SAVE, folder, '3']);
      expect(output).toEqual({
        exitCode: 74,
        message: `${join(folder, 'step-3.checkpoint')}: the file exceeds the size limit`,
      });
      expect(readdirSync(folder)).toEqual(BEFORE);
      expect(await load(folder)).toMatchObject({ step: 2, warnings: [] });
    },
  );

  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'leaves the old ones where the folder is read-only: 77',
    async () => {
      const folder = await folderWithSteps(1, 2);
      chmodSync(folder, 0o500);
      const { exitCode } = await rejection(new CheckpointStore(folder).save(3, contentOf(3)));
      chmodSync(folder, 0o700);
      expect([exitCode, readdirSync(folder)]).toEqual([77, BEFORE]);
      expect((await load(folder)).step).toBe(2);
    },
  );

  it.skipIf(process.platform !== 'linux')('is told where not even root may make the folder: 77', async () => {
    const { exitCode, message } = await rejection(
      new CheckpointStore('/sys/checkpoint').save(3, contentOf(3)),
    );
    expect([exitCode, message]).toEqual([77, '/sys/checkpoint: no permission to write here']);
  });
});
