/** Files that are being written: beside their final place, hidden, and named after the process that writes them. */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunning } from './process.js';

/** A name beside `path` that nobody else has: `.<name>.<pid>.<random>.partial`, for a PID may have been that of an earlier process. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.partial`);
}

/**
 * Takes away what processes that are no more have left half-written in a folder, an earlier one with our own PID among them: call it while
 * nothing of our own is being written there. What can't be taken away stays.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = Number(/^\..+\.(\d+)\.[0-9a-f]{8}\.partial$/.exec(name)?.[1]);
    const isLeftover = pid === process.pid || (Number.isInteger(pid) && !isRunning(pid));
    if (isLeftover) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}
