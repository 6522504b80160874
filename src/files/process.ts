/** Which process this is, and whether another one is still there. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from '../errors.js';

export interface ProcessIdentity {
  readonly pid: number;
  /** Name of the computer. */
  readonly host: string;
  /** When it was started, as the system counts; two processes that had the same PID differ in it. Only where /proc tells. */
  readonly start?: string;
}

export function thisProcess(): ProcessIdentity {
  const start = processStart(process.pid);
  return { pid: process.pid, host: hostname(), ...(start !== undefined && { start }) };
}

/** Whether a process of that PID is there on this computer. One that has ended and waits for its parent to notice (a zombie) is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be sent a signal, but is there.
    if (systemErrorCode(error) !== 'EPERM') return false;
  }
  const state = processFields(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** When a process was started: clock ticks since the computer was, and which start of the computer that is. */
export function processStart(pid: number): string | undefined {
  const ticks = processFields(pid)?.[19];
  return ticks === undefined ? undefined : `${ticks} ${bootId()}`;
}

/** What /proc/<pid>/stat says from its third field on, the state (proc_pid_stat(5)). */
function processFields(pid: number): string[] | undefined {
  const line = contentOf(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
  return line?.slice(line.lastIndexOf(')') + 2).split(' ');
}

function bootId(): string {
  return contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
