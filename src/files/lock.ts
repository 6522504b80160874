/**
 * Gives a directory to one process at a time by a file `lock`, which names it; the next process
 * takes the lock of a dead one over. The file is complete before it is linked to its name, which
 * fails if that exists. Two that find a stale lock must not both take it over, so a process first
 * holds `lock.takeover`, a lock with the same rules, under which a fresh lock can't look stale.
 */
import { realpathSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';
import { createFileSync, replaceFileSync, writeFailure } from './atomic.js';
import { makeFolder } from './makeFolder.js';
import { requireAnswer } from './mounts.js';
import { requireNoLink } from './ownFiles.js';
import { readPlainFile } from './plainFile.js';
import { mayRun, type ProcessIdentity, parseIdentity, processStart, thisProcess } from './process.js';

export interface Lock {
  /** Removes our own lock only. May be called twice. Without it, the lock becomes stale. */
  release(): void;
}

/** Another process has the lock. */
export class LockedError extends MlpError {
  /** @param holder undefined if the lock names no process: then nobody will release it */
  constructor(
    readonly holder: ProcessIdentity | undefined,
    message: string,
    hint: string,
  ) {
    super(ExitCode.busy, message, hint);
  }
}

/** Locks of this process. Without /proc, an earlier process with our PID looks the same. */
const ours = new Set<string>();

/** In bytes. */
const LONGEST = 4096;

/** Plenty for locks that are released between two attempts. */
const ATTEMPTS = 10;

/**
 * Locks a directory, from a dead process too; one on another computer counts as alive.
 * @throws LockedError if a process holds it, even this one, or if the file is unreadable; MlpError
 * ExitCode.busy if it keeps changing; cantCreate without the directory, or if the lock is a link;
 * noPermission; io
 */
export function lockDirectory(directory: string): Lock {
  let path: string;
  requireAnswer(directory);
  try {
    // A directory may have several names.
    path = join(realpathSync(directory), 'lock');
  } catch (error) {
    throw writeFailure(join(directory, 'lock'), error);
  }
  return acquire(path, printable(directory));
}

/**
 * Makes and locks a directory of work that several processes share; undefined if another has it.
 * @param waits told of a process whose end can't be seen from here
 * @throws MlpError ExitCode.busy if nobody will release the lock; cantCreate, also for a link; noPermission, io
 */
export function claimDirectory(directory: string, waits?: (error: MlpError) => void): Lock | undefined {
  // A study or a cross-validation may come from somebody else.
  requireNoLink(directory);
  try {
    makeFolder(directory);
  } catch (error) {
    throw writeFailure(directory, error);
  }
  try {
    return lockDirectory(directory);
  } catch (error) {
    if (error instanceof LockedError) {
      if (error.holder === undefined) throw error;
      if (isElsewhere(error.holder)) waits?.(error);
    } else if (!(error instanceof MlpError && error.exitCode === ExitCode.busy)) throw error;
    return undefined;
  }
}

/**
 * Makes the lock file at `path`, for what has no directory of its own.
 * @throws MlpError as `lockDirectory`
 */
export function lockFile(path: string): Lock {
  return acquire(path, printable(path));
}

/** Whether a process seems to hold a directory's lock: one on another computer counts as alive. */
export function isLocked(directory: string): boolean {
  const path = join(directory, 'lock');
  try {
    const holder = holderOf(path, printable(directory));
    return holder !== undefined && isHolding(holder, path);
  } catch (error) {
    if (error instanceof MlpError) return false;
    throw error;
  }
}

function acquire(path: string, directory: string): Lock {
  const text = `${JSON.stringify(thisProcess())}\n`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path, text)) return hold(path, text);
    // One that leads nowhere would look released for ever.
    requireNoLink(path);
    const holder = holderOf(path, directory);
    // It was released in the meantime.
    if (holder === undefined) continue;
    if (isHolding(holder, path)) throw busy(holder, path, directory);
    if (takeOver(path, text, directory)) return hold(path, text);
  }
  throw new MlpError(
    ExitCode.busy,
    `${directory}: found a lock that keeps changing, expected none`,
    `try again; if that does not help, delete ${printable(path)}`,
  );
}

/** Whether we got the lock; false if another one exists. */
function create(path: string, text: string): boolean {
  try {
    createFileSync(path, text);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw writeFailure(path, error);
  }
}

/** Whether we took the lock over; false if it is no longer stale. */
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
      // It becomes stale when this process ends.
    }
  };
  return { release };
}

/** The text of the lock file; undefined if there is none. */
function read(path: string): string | undefined {
  try {
    return readPlainFile(path, LONGEST, 'a lock').toString('utf8');
  } catch (error) {
    if (systemErrorCode((error as Error).cause) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws LockedError if the lock file names no process: nobody knows whose it is */
function holderOf(path: string, directory: string): ProcessIdentity | undefined {
  const text = read(path);
  if (text === undefined) return undefined;
  const holder = parseIdentity(text);
  if (holder !== undefined) return holder;
  throw new LockedError(
    undefined,
    `${directory}: found a lock file that names no process, expected one that does`,
    `make sure that no mlp is running there, then delete ${printable(path)}`,
  );
}

function isHolding(holder: ProcessIdentity, path: string): boolean {
  const { pid, host, start } = holder;
  const isTold = start !== undefined && processStart(pid) !== undefined;
  // Without a start time, an earlier process with our PID looks like this one.
  const looksLikeUs = pid === process.pid && host === hostname() && !isTold;
  return looksLikeUs ? ours.has(path) : mayRun(holder);
}

function busy(holder: ProcessIdentity, path: string, directory: string): LockedError {
  const { pid, host } = holder;
  const file = printable(path);
  if (isElsewhere(holder)) {
    return new LockedError(
      holder,
      `${directory}: found process ${pid} on computer "${printable(host)}" using it, expected none`,
      `wait until it ends; if it has already ended, delete ${file}`,
    );
  }
  return new LockedError(
    holder,
    `${directory}: found process ${pid} using it, expected none`,
    `wait until it ends, or stop it; if it is not mlp, delete ${file}`,
  );
}

/** Whether the process is one of another computer: nobody here can tell whether it runs. */
function isElsewhere({ host }: ProcessIdentity): boolean {
  return host !== hostname();
}
