/** Writing a file of the user's: never over another one unasked, and never half of it. */
import { linkSync, lstatSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';

/** Throws an MlpError (73) where there is something at `path` that may not be overwritten. */
export function requireFree(path: string, force: boolean): void {
  if (!force && isThere(path)) throw taken(path);
}

/**
 * Writes `text` to `path` by way of a file beside it, so that whoever looks finds all of it or nothing. With `force` a file that is there is
 * replaced; a link keeps its place, and what it points to is replaced.
 *
 * @throws MlpError 73 where the file is there, or its folder is not; 77 where it is not permitted; 74 where writing fails
 */
export function writeNewFile(path: string, text: string, force: boolean): void {
  let partial: string | undefined;
  try {
    const place = force ? placeOf(path) : path;
    partial = join(dirname(place), `.${basename(place)}.${process.pid}.partial`);
    writeFileSync(partial, text, { flag: 'wx', flush: true });
    if (force) renameSync(partial, place);
    else create(partial, place, text);
  } catch (error) {
    throw writeError(path, error);
  } finally {
    if (partial !== undefined) rmSync(partial, { force: true });
  }
}

/** A second name for the file fails where a rename would overwrite; not all file systems have it. */
function create(partial: string, place: string, text: string): void {
  try {
    linkSync(partial, place);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw error;
    writeFileSync(place, text, { flag: 'wx' });
  }
}

/** False too where the folder may not be looked into: writing says so. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Where a link leads; the path itself where there is no link, or one that leads nowhere. */
function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function taken(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a file that is there already, expected a new one`,
    'name another with -o, or overwrite it with --force',
  );
}

function writeError(path: string, error: unknown): MlpError {
  const options = { cause: error };
  switch (systemErrorCode(error)) {
    case 'EEXIST':
      return taken(path);
    case 'ENOENT':
    case 'ENOTDIR':
      return new MlpError(
        ExitCode.cantCreate,
        `${printable(path)}: found no folder ${printable(dirname(path))} to write it in`,
        'make the folder, or name another file with -o',
        options,
      );
    case 'EISDIR':
    case 'ENOTEMPTY':
      return new MlpError(
        ExitCode.cantCreate,
        `${printable(path)}: found a directory, expected a file to write`,
        'name a file with -o',
        options,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new MlpError(
        ExitCode.noPermission,
        `${printable(path)}: no permission to write here`,
        'name another file with -o',
        options,
      );
    default:
      return new MlpError(
        ExitCode.io,
        `${printable(path)}: writing failed: ${error instanceof Error ? error.message : String(error)}`,
        undefined,
        options,
      );
  }
}
