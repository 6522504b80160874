import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { claimDirectory, lockDirectory } from '../../src/files/lock.js';
import { type ProcessIdentity, processStart } from '../../src/files/process.js';
import { errorOf } from '../spec/support.js';
import { folderOf, temporaryFolder } from '../support/cli.js';
import { endedPid } from './processes.js';

const hooks = vi.hoisted(() => ({ read: undefined as ((path: string) => void) | undefined, hasProc: true }));

vi.mock('../../src/files/plainFile.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/files/plainFile.js')>();
  const readPlainFile: typeof original.readPlainFile = (path, ...rest) => {
    const bytes = original.readPlainFile(path, ...rest);
    hooks.read?.(path);
    return bytes;
  };
  return { ...original, readPlainFile };
});

vi.mock('../../src/files/process.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/files/process.js')>();
  return {
    ...original,
    thisProcess() {
      const { start, ...rest } = original.thisProcess();
      return { ...rest, ...(hooks.hasProc && start !== undefined && { start }) };
    },
    processStart: (pid: number) => (hooks.hasProc ? original.processStart(pid) : undefined),
  };
});

/** Has something happen until the test is over. */
function during(changes: Partial<typeof hooks>): void {
  Object.assign(hooks, changes);
  onTestFinished(() => {
    Object.assign(hooks, { read: undefined, hasProc: true });
  });
}

const HAS_PROC = process.platform === 'linux';

/** A process that lives as long as this one at least. */
const LIVING = holder({ pid: process.ppid, start: processStart(process.ppid) });
const ENDED = holder({ pid: endedPid(), start: '1 0' });

function holder({ start, ...rest }: { pid: number; start?: string | undefined; host?: string }): string {
  const identity: ProcessIdentity = { host: hostname(), ...rest, ...(start !== undefined && { start }) };
  return `${JSON.stringify(identity)}\n`;
}

const lockOf = (folder: string) => readFileSync(join(folder, 'lock'), 'utf8');
const holderPid = (folder: string): number => JSON.parse(lockOf(folder)).pid;

describe('a directory', () => {
  it('has one lock at a time, even within a process', () => {
    const folder = temporaryFolder();
    const lock = lockDirectory(folder);
    expect([readdirSync(folder), holderPid(folder)]).toEqual([['lock'], process.pid]);
    const text = lockOf(folder);
    const { exitCode, message, hint } = errorOf(() => lockDirectory(folder));
    expect(exitCode).toBe(75);
    expect(message).toBe(`${folder}: found process ${process.pid} using it, expected none`);
    expect(hint).toMatch(/^wait until it ends, or stop it; if it is not mlp, delete .*lock$/);
    expect([readdirSync(folder), lockOf(folder)]).toEqual([['lock'], text]);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    lockDirectory(folder).release();
  });

  it('is not claimed through a link, which may lead out of a study', () => {
    const folder = temporaryFolder();
    const inside = temporaryFolder();
    symlinkSync(inside, join(folder, 'trial-0'));
    const { exitCode, message } = errorOf(() => claimDirectory(join(folder, 'trial-0')));
    expect([exitCode, message]).toEqual([
      73,
      `${join(folder, 'trial-0')}: found a symbolic link, expected none`,
    ]);
    expect(readdirSync(inside)).toEqual([]);
  });

  it('has one lock at a time within a process where the system has no /proc, too', () => {
    during({ hasProc: false });
    const folder = temporaryFolder();
    const lock = lockDirectory(folder);
    expect(JSON.parse(lockOf(folder))).toEqual({ pid: process.pid, host: hostname() });
    expect(errorOf(() => lockDirectory(folder)).exitCode).toBe(75);
    lock.release();
    lockDirectory(folder).release();
  });

  it.skipIf(process.platform === 'win32')('is the same by another name', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'run'));
    symlinkSync('run', join(folder, 'link'));
    const lock = lockDirectory(join(folder, 'link'));
    expect(errorOf(() => lockDirectory(join(folder, 'run'))).exitCode).toBe(75);
    lock.release();
  });

  it.each<[string, () => string, found: string]>([
    ['another process', () => LIVING, `process ${process.ppid}`],
    [
      'a process of another computer, though there is none of its PID here',
      () => holder({ pid: endedPid(), host: 'elsewhere\u001b[2J' }),
      'on computer "elsewhere\\u001b[2J"',
    ],
  ])('is held by %s: 75', (_, text, found) => {
    const folder = folderOf({ lock: text() });
    const before = lockOf(folder);
    const { exitCode, message } = errorOf(() => lockDirectory(folder));
    expect([exitCode, message]).toEqual([75, expect.stringContaining(found)]);
    expect([readdirSync(folder), lockOf(folder)]).toEqual([['lock'], before]);
  });

  it.each<[string, string, boolean]>([
    ['has ended', ENDED, true],
    ['had our PID before us', holder({ pid: process.pid, start: '1 0' }), HAS_PROC],
    ['had our PID before us, where its start is unknown', holder({ pid: process.pid }), true],
    ['had the PID of a living process before it', holder({ pid: process.ppid, start: '1 0' }), HAS_PROC],
  ])('is taken over from a process that %s', (_, text, canTell) => {
    if (!canTell) return;
    const folder = folderOf({ lock: text });
    const lock = lockDirectory(folder);
    expect([readdirSync(folder), holderPid(folder)]).toEqual([['lock'], process.pid]);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    '',
    'x',
    '{}',
    'null',
    '12',
    '{"pid":12}',
    '{"pid":0,"host":"a"}',
    '{"pid":-1,"host":"a"}',
    '{"pid":1.5,"host":"a"}',
    '{"pid":4294967297,"host":"a"}',
    '{"pid":"12","host":"a"}',
    '{"pid":12,"host":"a","start":1}',
  ])('is not taken where the lock file reads %j: 75', (text) => {
    const folder = folderOf({ lock: text });
    const { exitCode, message, hint } = errorOf(() => lockDirectory(folder));
    expect([exitCode, message]).toEqual([
      75,
      `${folder}: found a lock file that names no process, expected one that does`,
    ]);
    expect(hint).toContain('make sure that no mlp is running there, then delete ');
    expect([readdirSync(folder), lockOf(folder)]).toEqual([['lock'], text]);
  });

  it.skipIf(process.platform === 'win32')('is not taken where the lock is a link to nowhere: 73', () => {
    const folder = temporaryFolder();
    symlinkSync('nowhere', join(folder, 'lock'));
    expect(errorOf(() => lockDirectory(folder))).toMatchObject({
      exitCode: 73,
      message: `${join(folder, 'lock')}: found a symbolic link, expected none`,
    });
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  it('has to be there: 73', () => {
    const folder = join(temporaryFolder(), 'no');
    expect(errorOf(() => lockDirectory(folder)).exitCode).toBe(73);
  });

  it.skipIf(process.platform !== 'linux')('has to be writable: 77', () => {
    expect(errorOf(() => lockDirectory('/sys')).exitCode).toBe(77);
  });
});

describe('release', () => {
  it('takes away no lock but its own', () => {
    const folder = temporaryFolder();
    const lock = lockDirectory(folder);
    writeFileSync(join(folder, 'lock'), LIVING);
    lock.release();
    expect(lockOf(folder)).toBe(LIVING);
  });

  it('takes away no later lock of the same process', () => {
    const folder = temporaryFolder();
    const first = lockDirectory(folder);
    first.release();
    const second = lockDirectory(folder);
    first.release();
    expect(readdirSync(folder)).toEqual(['lock']);
    second.release();
  });

  it('is no error where the directory has gone', () => {
    const folder = temporaryFolder();
    const lock = lockDirectory(folder);
    rmSync(folder, { recursive: true });
    expect(() => lock.release()).not.toThrow();
  });
});

describe('a takeover', () => {
  /** Has something happen just after the lock file was read for the first time. */
  function afterReading(folder: string, action: () => void): void {
    during({
      read(path) {
        if (path !== join(folder, 'lock')) return;
        hooks.read = undefined;
        action();
      },
    });
  }

  it('takes nothing from one who was faster', () => {
    const folder = folderOf({ lock: ENDED });
    afterReading(folder, () => writeFileSync(join(folder, 'lock'), LIVING));
    expect(errorOf(() => lockDirectory(folder)).message).toContain(`found process ${process.ppid}`);
    expect([readdirSync(folder), lockOf(folder)]).toEqual([['lock'], LIVING]);
  });

  it('waits for nobody who is at it: 75', () => {
    const folder = folderOf({ lock: ENDED, 'lock.takeover': LIVING });
    expect(errorOf(() => lockDirectory(folder))).toMatchObject({
      exitCode: 75,
      message: `${folder}: found process ${process.ppid} using it, expected none`,
    });
    expect([lockOf(folder), readdirSync(folder)]).toEqual([ENDED, ['lock', 'lock.takeover']]);
  });

  it('is begun anew where a process ended in the middle of one', () => {
    const folder = folderOf({ lock: ENDED, 'lock.takeover': ENDED, 'lock.takeover.takeover': ENDED });
    const lock = lockDirectory(folder);
    expect([readdirSync(folder), holderPid(folder)]).toEqual([['lock'], process.pid]);
    lock.release();
  });

  it('is none where the lock was released meanwhile', () => {
    const folder = folderOf({ lock: ENDED });
    afterReading(folder, () => rmSync(join(folder, 'lock')));
    const lock = lockDirectory(folder);
    expect([readdirSync(folder), holderPid(folder)]).toEqual([['lock'], process.pid]);
    lock.release();
  });
});
