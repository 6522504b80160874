/**
 * Writes files atomically: after a crash a reader finds the whole new file or the old one. Bytes
 * are flushed before the rename, since a system may keep the name and lose them, and the folder
 * after.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';
import { isFolder } from './makeFolder.js';
import { requireAnswer } from './mounts.js';
import { isRunning } from './process.js';

/**
 * Writes `parts`, which must not change meanwhile, to a file that replaces `path`. A failure leaves
 * nothing behind, unless only flushing the folder failed: the new file may not survive a power cut.
 * @param otherwise as for `writeFailure`
 * @throws MlpError ExitCode.cantCreate without the folder or for a directory; noPermission; io
 */
export async function writeFileAtomically(
  path: string,
  parts: Iterable<Uint8Array | string>,
  otherwise?: string,
): Promise<void> {
  const partial = partialPath(path);
  try {
    const file = await open(partial, 'wx');
    try {
      for (const part of parts) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // The first error says more than a failure to clean up.
    await rm(partial, { force: true }).catch(() => undefined);
    throw writeFailure(path, error, otherwise);
  }
}

/** Flushes the names in a folder to the disk, if the system can. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no such call.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems do not support it.
    if (systemErrorCode(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/** Creates or replaces a small file, and waits for the disk. Throws system errors. */
export function replaceFileSync(path: string, text: string): void {
  withPartial(path, text, (partial) => renameSync(partial, path));
}

/**
 * Creates or replaces a small file, and waits for the disk.
 * @throws MlpError ExitCode.cantCreate, noPermission or io
 */
export function writeSmallFile(path: string, text: string): void {
  try {
    replaceFileSync(path, text);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** For small files: waits for the disk. Throws system errors, EEXIST if the path is taken. */
export function createFileSync(path: string, text: string): void {
  withPartial(path, text, (partial) => {
    try {
      // A link fails where a rename would overwrite, but not every file system has links.
      linkSync(partial, path);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw error;
      writeFileSync(path, text, { flag: 'wx', flush: true });
    }
  });
}

function withPartial(path: string, text: string, publish: (partial: string) => void): void {
  const partial = partialPath(path);
  try {
    writeFileSync(partial, text, { flag: 'wx', flush: true });
    publish(partial);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** A unique, hidden name beside `path`: `.<name>.<pid>.<random>.partial`. PIDs repeat over time. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.partial`);
}

/** Deletes partial files of dead processes and earlier ones with our PID: call before writing. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (isLeftover(name)) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** The process that left a partial file of this name; NaN for any other name. */
export function ownerOfPartial(name: string): number {
  return Number(/^\..+\.(\d+)\.[0-9a-f]{8}\.partial$/.exec(name)?.[1]);
}

function isLeftover(name: string): boolean {
  const pid = ownerOfPartial(name);
  return pid === process.pid || (Number.isInteger(pid) && !isRunning(pid));
}

/**
 * An MlpError is returned unchanged, else ExitCode.cantCreate, noPermission or io.
 * @param otherwise another way out, such as "name another file with -o", to end the hint
 */
export function writeFailure(path: string, error: unknown, otherwise?: string): MlpError {
  if (error instanceof MlpError) return error;
  const failure = (exitCode: ExitCode, problem: string, remedy?: string) => {
    const hints = [remedy, otherwise].filter((hint) => hint !== undefined);
    const hint = hints.length === 0 ? undefined : hints.join(', or ');
    return new MlpError(exitCode, `${printable(path)}: ${problem}`, hint, { cause: error });
  };
  switch (systemErrorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR': {
      const folder = printable(dirname(path));
      // Linux says so of its own folders, such as /proc.
      if (isFolder(dirname(path)))
        return failure(ExitCode.cantCreate, `the system makes no files in ${folder}`);
      return failure(ExitCode.cantCreate, `found no folder ${folder}, expected one`, 'create the folder');
    }
    case 'EEXIST':
      return failure(ExitCode.cantCreate, 'found an existing file or folder, expected none');
    case 'EISDIR':
    case 'ENOTEMPTY':
      return failure(ExitCode.cantCreate, 'found a directory, expected a file to write');
    case 'ELOOP':
      return failure(ExitCode.cantCreate, 'found a symbolic link, expected none');
    case 'ENAMETOOLONG':
      return failure(ExitCode.cantCreate, 'found a name that is too long for the file system');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return failure(ExitCode.noPermission, 'no permission to write here');
    case 'ENOSPC':
      return failure(ExitCode.io, 'the disk is full', 'free some space');
    case 'EDQUOT':
      return failure(ExitCode.io, 'the disk quota is used up', 'free some space');
    case 'EFBIG':
      return failure(ExitCode.io, 'the file exceeds the size limit', 'raise the limit (ulimit -f)');
    default: {
      const reason = error instanceof Error ? error.message : String(error);
      return failure(ExitCode.io, `writing failed: ${printable(reason)}`);
    }
  }
}

/**
 * Writes files into a new folder, which appears with all of them or not at all. An empty folder may
 * be there already.
 * @param otherwise as for `writeFailure`
 * @throws MlpError ExitCode.cantCreate if anything else is there, or without the folder around it;
 * noPermission; io
 */
export async function writeFolderAtomically(
  path: string,
  files: Iterable<readonly [name: string, parts: Iterable<Uint8Array | string>]>,
  otherwise?: string,
): Promise<void> {
  requireFree(path, otherwise);
  const around = dirname(path);
  const partial = partialPath(path);
  try {
    for (const name of await readdir(around)) {
      if (!name.startsWith(`.${basename(path)}.`) || !isLeftover(name)) continue;
      await rm(join(around, name), { recursive: true, force: true });
    }
    await mkdir(partial);
    for (const [name, parts] of files) await writeFileAtomically(join(partial, name), parts, otherwise);
    // Windows replaces no folder at all.
    if (process.platform === 'win32') await rmdir(path).catch(() => undefined);
    await rename(partial, path);
    await syncFolder(around);
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    requireFree(path, otherwise);
    throw writeFailure(path, error, otherwise);
  }
}

/**
 * @throws MlpError ExitCode.cantCreate if a path is taken by anything but an empty folder, or without
 * the folder around it; noPermission
 */
export function requireFree(path: string, otherwise?: string): void {
  requireAnswer(path);
  try {
    statSync(dirname(path));
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || (found.isDirectory() && readdirSync(path).length === 0)) return;
    const what = found.isDirectory() ? 'a directory that is not empty' : 'a file';
    const problem = `${printable(path)}: found ${what}, expected nothing there`;
    throw new MlpError(ExitCode.cantCreate, problem, otherwise);
  } catch (error) {
    throw writeFailure(path, error, otherwise);
  }
}
