import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRunning, processStart, thisProcess } from '../../src/files/process.js';
import { endedPid } from './processes.js';

const HAS_PROC = process.platform === 'linux';

describe('a process', () => {
  it('knows itself', () => {
    expect(thisProcess()).toMatchObject({ pid: process.pid, host: hostname() });
    expect(isRunning(process.pid)).toBe(true);
  });

  it('is told from one that has ended', () => {
    expect(isRunning(process.ppid)).toBe(true);
    expect(isRunning(endedPid())).toBe(false);
  });

  it.skipIf(!HAS_PROC)('has started at a time that stays, and that none after it shares', () => {
    expect(thisProcess().start).toBe(processStart(process.pid));
    // Ticks since the boot, and the boot's UUID.
    expect(processStart(process.pid)).toMatch(/^\d+ [0-9a-f-]{36}$/);
    expect(processStart(process.pid)).not.toBe(processStart(process.ppid));
    expect(processStart(endedPid())).toBeUndefined();
  });

  it.skipIf(!HAS_PROC)('is no more when it has ended and nobody has noticed', async () => {
    // The shell becomes a program that never asks for the shell's child, which ends once that is so.
    const untilExec = 'while read name < /proc/$$/comm && [ "$name" != sleep ]; do :; done';
    const parent = spawn('sh', ['-c', `{ ${untilExec}; } & echo $!; exec sleep 10`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => {
      parent.kill('SIGKILL');
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(line);
    await expect.poll(() => isRunning(pid), { interval: 5 }).toBe(false);
    // Its entry is there still: it is a zombie.
    expect(() => process.kill(pid, 0)).not.toThrow();
  });
});
