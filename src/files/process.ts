/** The identity of this process, and whether another process is still running. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemErrorCode } from '../errors.js';

export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** The start time, which tells processes with the same PID apart. Only with /proc. */
  readonly start?: string;
}

let own: ProcessIdentity | undefined;

export function thisProcess(): ProcessIdentity {
  if (!own) {
    const start = processStart(process.pid);
    own = { pid: process.pid, host: hostname(), ...(start !== undefined && { start }) };
  }
  return own;
}

/** Whether a process with that PID runs on this computer. A zombie, which has ended, does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, but belongs to another user.
    if (systemErrorCode(error) !== 'EPERM') return false;
  }
  const state = processFields(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** The identity in the JSON of `thisProcess`; undefined for any other text. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const { pid, host, start } = JSON.parse(text);
    const isStart = start === undefined || typeof start === 'string';
    // Zero and negative numbers are process groups; a PID is an int32.
    if (pid > 0 && pid === (pid | 0) && typeof host === 'string' && isStart) return { pid, host, start };
  } catch {
    // No JSON, or no object.
  }
  return undefined;
}

/** Whether the process seems to be running: one on another computer does. */
export function mayRun({ pid, host, start }: ProcessIdentity): boolean {
  if (host !== hostname()) return true;
  const found = processStart(pid);
  const isAnother = start !== undefined && found !== undefined && start !== found;
  return !isAnother && isRunning(pid);
}

/** When a process started: clock ticks since boot, and which boot. */
export function processStart(pid: number): string | undefined {
  const ticks = processFields(pid)?.[19];
  return ticks === undefined ? undefined : `${ticks} ${bootId()}`;
}

/** The parent of a process; undefined without /proc. */
export function parentOf(pid: number): number | undefined {
  const parent = Number(processFields(pid)?.[1]);
  return Number.isNaN(parent) ? undefined : parent;
}

/** The fields of /proc/<pid>/stat from the third on, the state (proc_pid_stat(5)). */
function processFields(pid: number): string[] | undefined {
  const line = contentOf(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may contain parentheses itself.
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
