/**
 * The journal's file. Appends hold the lock of Optuna's JournalFileSymlinkLock, a symbolic link
 * `<journal>.lock`, since Python may write there too. Optuna lets it lead to the journal; ours leads
 * to a file that names this process, so that the lock of a killed mlp is taken over at once instead
 * of after Optuna's 30 seconds.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { partialPath, writeFailure } from '../files/atomic.js';
import { type Lock, LockedError, lockFile } from '../files/lock.js';
import { requireOwnFile } from '../files/ownFiles.js';
import { readPlainFile } from '../files/plainFile.js';
import { mayRun, type ProcessIdentity, parseIdentity, thisProcess } from '../files/process.js';
import { printable } from '../text.js';

/**
 * Appends whole lines under the lock, and waits for the disk.
 * @param lines without line feeds
 * @throws MlpError ExitCode.cantCreate, noPermission or io
 */
export async function appendLines(path: string, lines: readonly string[]): Promise<void> {
  const lock = await lockJournal(path);
  try {
    appendLocked(path, lines);
  } finally {
    lock.release();
  }
}

// A link that was made meanwhile is an error. Windows has no such flag.
const OPEN = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

/**
 * `appendLines` for a caller that holds the lock. A torn last line is cut off first: a reader passes
 * over it, but with another line behind it the file would be unreadable for Optuna.
 */
export function appendLocked(path: string, lines: readonly string[]): void {
  try {
    requireOwnFile(path);
    const file = openSync(path, OPEN, 0o666);
    try {
      const end = endOfLines(file);
      ftruncateSync(file, end);
      try {
        writeAll(file, Buffer.from(lines.map((line) => `${line}\n`).join('')), end);
        fsyncSync(file);
      } catch (error) {
        // A full disk leaves no part of a line.
        ftruncateSync(file, end);
        throw error;
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw writeFailure(path, error);
  }
}

function writeAll(file: number, bytes: Uint8Array, from: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, from + done);
  }
}

const BLOCK = 2 ** 16;

/** The offset behind the last line feed. */
function endOfLines(file: number): number {
  const block = Buffer.allocUnsafe(BLOCK);
  for (let end = fstatSync(file).size; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    const length = readSync(file, block, 0, end - start, start);
    const at = block.subarray(0, length).lastIndexOf('\n');
    if (at >= 0) return start + at + 1;
    end = start;
  }
  return 0;
}

/** As in Optuna: a lock that stays unchanged for so long has lost its process. */
const GRACE_SECONDS = 30;

/** Of a file that names a process, in bytes. */
const LONGEST = 4096;

/** In milliseconds. */
const LONGEST_WAIT = 50;
const SILENT_WAIT = 1000;

/** Told once, after about a second, who has the lock. */
export type Waits = (sentence: string) => void;

export interface LockOptions {
  readonly waits?: Waits | undefined;
  /** These two, only tests change. */
  readonly graceSeconds?: number;
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/**
 * Waits for the lock of a journal.
 * @throws MlpError ExitCode.cantCreate without the folder; noPermission; io
 */
export async function lockJournal(
  path: string,
  { waits, graceSeconds = GRACE_SECONDS, sleep = setTimeout }: LockOptions = {},
): Promise<Lock> {
  const lock = `${path}.lock`;
  const owner = partialPath(path);
  let seen: string | undefined;
  let seenAt = 0;
  let waited = 0;
  try {
    writeFileSync(owner, JSON.stringify(thisProcess()), { flag: 'wx' });
    for (let wait = 1; !create(lock, owner); wait = Math.min(2 * wait, LONGEST_WAIT)) {
      const state = stateOf(lock);
      if (state !== seen) {
        seen = state;
        seenAt = performance.now();
      }
      const isStale = () =>
        isDead(lock) || (stateOf(lock) === seen && performance.now() - seenAt > graceSeconds * 1000);
      const mayWait = performance.now() - seenAt <= 2000 * graceSeconds;
      if (isStale() && takeOver(lock, isStale, mayWait)) continue;
      if (waited < SILENT_WAIT && waited + wait >= SILENT_WAIT) {
        waits?.(
          `waiting: ${nameOfHolder(lock)} has locked ${printable(path)}; a lock that does not change for ${graceSeconds} seconds is taken over`,
        );
      }
      waited += wait;
      await sleep(wait);
    }
  } catch (error) {
    rmSync(owner, { force: true });
    throw writeFailure(path, error);
  }
  return {
    release() {
      // Whoever took it for stale made it another's.
      if (ownerOf(lock) === owner) removeLock(lock);
      rmSync(owner, { force: true });
    },
  };
}

/** Whether we made the lock; false if there is one. */
function create(lock: string, owner: string): boolean {
  try {
    // Links need a privilege on Windows, where Optuna has another lock: a file of this name.
    if (process.platform === 'win32') writeFileSync(lock, owner, { flag: 'wx' });
    else symlinkSync(basename(owner), lock);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a stale lock, unless another mlp is at it: two that find it stale must not both do so.
 * @throws LockedError if nobody is, but a file says so; MlpError as `lockFile`
 */
function takeOver(lock: string, isStale: () => boolean, mayWait: boolean): boolean {
  let takeover: Lock;
  try {
    takeover = lockFile(`${lock}.takeover`);
  } catch (error) {
    const isNobody = error instanceof LockedError && (error.holder === undefined || !mayWait);
    if (!isNobody && error instanceof MlpError && error.exitCode === ExitCode.busy) return false;
    throw error;
  }
  try {
    if (!isStale()) return false;
    const owner = ownerOf(lock);
    removeLock(lock);
    if (owner !== undefined) rmSync(owner, { force: true });
    return true;
  } finally {
    takeover.release();
  }
}

/** The file that our kind of lock leads to; undefined if there is no lock, or one of Optuna's. */
function ownerOf(lock: string): string | undefined {
  try {
    const target = process.platform === 'win32' ? readFileSync(lock, 'utf8') : readlinkSync(lock);
    const name = basename(target);
    return name.endsWith('.partial') ? join(dirname(lock), name) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the lock is that of an mlp that has ended. */
function isDead(lock: string): boolean {
  const owner = ownerOf(lock);
  if (owner === undefined) return false;
  try {
    const holder = holderIn(owner);
    return holder !== undefined && !mayRun(holder);
  } catch (error) {
    // What cleans up after dead processes may have been here; a living one removes its lock first.
    return systemErrorCode((error as Error).cause) === 'ENOENT' && ownerOf(lock) === owner;
  }
}

function holderIn(owner: string): ProcessIdentity | undefined {
  return parseIdentity(readPlainFile(owner, LONGEST, 'a lock').toString('utf8'));
}

/** For a message. Optuna's lock names no process, and that of an mlp may be gone by now. */
function nameOfHolder(lock: string): string {
  try {
    const owner = ownerOf(lock);
    const holder = owner === undefined ? undefined : holderIn(owner);
    if (holder) return `process ${holder.pid} on computer "${printable(holder.host)}"`;
  } catch {
    // As without a name.
  }
  return 'another process';
}

/** What changes when another process has the lock, or when its owner still works: see Optuna. */
function stateOf(lock: string): string {
  try {
    const target = statSync(lock);
    // No lock leads to a folder; the journal's own changes while we wait.
    return `${lstatSync(lock).ino} ${target.isFile() ? target.mtimeMs : ''}`;
  } catch {
    return 'gone';
  }
}

/** As Optuna does: the lock is gone at once, and then its file. */
function removeLock(lock: string): void {
  const renamed = `${lock}${randomUUID()}.rename`;
  try {
    renameSync(lock, renamed);
    rmSync(renamed);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
