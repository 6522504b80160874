/** What a folder of caches holds. */
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MlpError, readError, systemErrorCode } from '../../errors.js';
import { writeFailure } from '../../files/atomic.js';
import { printable } from '../../text.js';
import { CACHE_NAME, type CacheContent, describeCache, removePartials } from './cacheFile.js';
import { DamagedCache } from './storedDataset.js';

export interface ListedCache {
  readonly path: string;
  readonly bytes: number;
  readonly written: Date;
  /** What it is of, or why that can't be told. */
  readonly content: CacheContent | string;
}

/**
 * The caches of a folder, those written last first; none if there is no folder.
 * @throws MlpError ExitCode.noPermission or io
 */
export function listCaches(folder: string): ListedCache[] {
  return namesIn(folder)
    .map((name): ListedCache => {
      const path = join(folder, name);
      const { size, mtime } = lstatSync(path);
      return { path, bytes: size, written: mtime, content: contentOf(path) };
    })
    .sort((a, b) => b.written.getTime() - a.written.getTime() || (a.path < b.path ? -1 : 1));
}

/**
 * Deletes these, and what dead processes have left beside them.
 * @throws MlpError ExitCode.noPermission or io
 */
export function clearCaches(folder: string, caches: readonly ListedCache[]): void {
  try {
    for (const { path } of caches) rmSync(path, { force: true });
    if (caches.length > 0) removePartials(folder);
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => CACHE_NAME.test(name));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw readError(printable(folder), error);
  }
}

function contentOf(path: string): ListedCache['content'] {
  try {
    return describeCache(path);
  } catch (error) {
    if (error instanceof DamagedCache || error instanceof MlpError) return error.message;
    throw error;
  }
}
