/**
 * Writing files whole: whoever looks, even after a kill or a power failure, finds all of the new file or what was there before.
 *
 * A rename replaces a name at once, but the system may keep it and lose the bytes, so these go to the disk first; and the name itself
 * is there for good only when its folder is on the disk too.
 */
import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode } from '../errors.js';
import { writeFailure } from './failure.js';
import { partialPath } from './partial.js';

/**
 * Writes `parts`, one after the other, to a new file that takes the place of one at `path`. On a failure nothing is left of it; only
 * where it is the folder that can't be brought to the disk, the new file is there, and may be gone after a power failure.
 * The bytes must not change until it is done.
 *
 * @param otherwise what else the user can do on a failure, as for `writeFailure`
 * @throws MlpError 73 where the folder is not there or `path` is a directory; 77 where it is not permitted; 74 where writing fails
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
    // Where even that fails, what failed before says more.
    await rm(partial, { force: true }).catch(() => undefined);
    throw writeFailure(path, error, otherwise);
  }
}

/** Brings the names in a folder to the disk, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows has no such call.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // A file system that knows no such thing says so.
    if (systemErrorCode(error) !== 'EINVAL') throw error;
  } finally {
    await handle.close();
  }
}

/** Replaces the file at `path`, or makes it; system errors go through. For small files: it waits for the disk. */
export function replaceFileSync(path: string, text: string): void {
  withPartial(path, text, (partial) => renameSync(partial, path));
}

/** Makes a file at `path`; system errors go through, EEXIST where something is there. For small files: it waits for the disk. */
export function createFileSync(path: string, text: string): void {
  withPartial(path, text, (partial) => {
    try {
      // A second name fails where a rename would overwrite; not all file systems have it.
      linkSync(partial, path);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') throw error;
      writeFileSync(path, text, { flag: 'wx', flush: true });
    }
  });
}

function withPartial(path: string, text: string, place: (partial: string) => void): void {
  const partial = partialPath(path);
  try {
    writeFileSync(partial, text, { flag: 'wx', flush: true });
    place(partial);
  } finally {
    rmSync(partial, { force: true });
  }
}
