/**
 * A directory for one process at a time: a file `lock` in it says which one. A process that is killed leaves it behind; whoever comes
 * next finds that the process is no more, and takes the lock over.
 *
 * There is never half a lock file: it is made under another name, then linked to its own, which fails where one is there. Two that find the same
 * stale lock must not both take it: the second would take it from the first. So a taker first holds a lock on the taking itself,
 * `lock.takeover`, which is made, found stale and taken over by the same rules; under it nobody else can replace `lock`, and a lock
 * that a living process has just taken is seen to be no longer the stale one.
 */
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ExitCode, MlpError, readError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';
import { createFileSync, replaceFileSync } from './atomic.js';
import { writeFailure } from './failure.js';
import { isRunning, type ProcessIdentity, processStart, thisProcess } from './process.js';

export interface Lock {
  /** Takes our lock away, and no other. May be called twice; the process should not end without it, but may. */
  release(): void;
}

/** Locks of this process, which are told from those of an earlier one with its PID by this alone where there is no /proc. */
const ours = new Set<string>();

/** More than locks that are released just now would take. */
const ATTEMPTS = 10;

/**
 * Takes a directory for this process, whoever had it before and is no more. A process of another computer counts as one that is there.
 *
 * @throws MlpError 75 with its PID where a process has the directory, this one included, or where the lock file says nothing of a process;
 * 73 where the directory is not there; 77 where it is not permitted; 74 where writing or reading fails
 */
export function lockDirectory(directory: string): Lock {
  let path: string;
  try {
    // One directory may have several names.
    path = join(realpathSync(directory), 'lock');
  } catch (error) {
    throw writeFailure(join(directory, 'lock'), error);
  }
  return acquire(path, printable(directory));
}

function acquire(path: string, directory: string): Lock {
  const text = `${JSON.stringify(thisProcess())}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, text)) return hold(path, text);
    const holder = holderOf(path, directory);
    // Released between our two looks.
    if (holder === undefined) continue;
    if (isHolding(holder, path)) throw busy(holder, path, directory);
    if (takeOver(path, text, directory)) return hold(path, text);
  }
  throw new MlpError(
    ExitCode.busy,
    `${directory}: found a lock that comes and goes, expected none`,
    `try again; if it helps nothing, delete ${printable(path)}`,
  );
}

/** Whether the lock is ours now; false where there is another one. */
function create(path: string, text: string): boolean {
  try {
    createFileSync(path, text);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw writeFailure(path, error);
  }
}

/** Whether the lock is ours now; false where it is no longer stale. */
function takeOver(path: string, text: string, directory: string): boolean {
  const takeover = acquire(`${path}.takeover`, directory);
  try {
    const holder = holderOf(path, directory);
    if (holder === undefined || isHolding(holder, path)) return false;
    replaceFileSync(path, text);
    return true;
  } catch (error) {
    throw writeFailure(path, error);
  } finally {
    takeover.release();
  }
}

function hold(path: string, text: string): Lock {
  let isHeld = true;
  ours.add(path);
  const release = () => {
    if (!isHeld) return;
    isHeld = false;
    ours.delete(path);
    try {
      if (read(path) === text) rmSync(path, { force: true });
    } catch {
      // It is stale as soon as this process ends.
    }
  };
  return { release };
}

/** What the lock file says; undefined where there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw readError(printable(path), error);
  }
}

/** Who has the lock, undefined where there is none. Throws an MlpError (75) where it names no process: who knows whose it is. */
function holderOf(path: string, directory: string): ProcessIdentity | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  try {
    const { pid, host, start } = JSON.parse(text);
    const isStart = start === undefined || typeof start === 'string';
    // 0 and negative numbers are groups of processes; what is no int32 is no PID.
    if (pid > 0 && pid === (pid | 0) && typeof host === 'string' && isStart) return { pid, host, start };
  } catch {
    // Told below.
  }
  throw new MlpError(
    ExitCode.busy,
    `${directory}: found a lock file that names no process, expected one that does`,
    `make sure that no mlp is at work there, then delete ${printable(path)}`,
  );
}

function isHolding({ pid, host, start }: ProcessIdentity, path: string): boolean {
  if (host !== hostname()) return true;
  const found = processStart(pid);
  if (start !== undefined && found !== undefined) return start === found && isRunning(pid);
  return pid === process.pid ? ours.has(path) : isRunning(pid);
}

function busy({ pid, host }: ProcessIdentity, path: string, directory: string): MlpError {
  const file = printable(path);
  if (host !== hostname()) {
    return new MlpError(
      ExitCode.busy,
      `${directory}: found process ${pid} of the computer "${printable(host)}" at work in it, expected none`,
      `wait until it ends; if it has ended already, delete ${file}`,
    );
  }
  return new MlpError(
    ExitCode.busy,
    `${directory}: found process ${pid} at work in it, expected none`,
    `wait until it ends, or stop it; if it is no run of mlp, delete ${file}`,
  );
}
