/** Writing a file of the user's: never over another one unasked, and never half of it. */
import { lstatSync, realpathSync, type Stats, statSync } from 'node:fs';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { createFileSync, replaceFileSync } from '../files/atomic.js';
import { writeFailure } from '../files/failure.js';
import { printable } from '../text.js';

/** Throws an MlpError (73) where there is something at `path` that may not be overwritten: never a directory, a device or a pipe. */
export function requireFree(path: string, force: boolean): void {
  if (!isThere(path)) return;
  const target = targetOf(path);
  if (target && !target.isFile()) throw notAFile(path, target.isDirectory());
  if (!force) throw taken(path);
}

/** Throws an MlpError (64) where `output` is the file `input`, which not even --force replaces by what is made of it. */
export function requireOther(input: string, output: string): void {
  if (!isSameFile(input, output)) return;
  throw new MlpError(
    ExitCode.usage,
    `--output: found ${printable(output)}, which is the data itself, expected another file`,
    'name another with -o',
  );
}

/**
 * Writes `text` to `path` by way of a file beside it, so that whoever looks finds all of it or nothing. With `force` a file that is there is
 * replaced; a link keeps its place, and what it points to is replaced.
 *
 * @throws MlpError 73 where the file is there, or its folder is not; 77 where it is not permitted; 74 where writing fails
 */
export function writeNewFile(path: string, text: string, force: boolean): void {
  try {
    if (force) replaceFileSync(placeOf(path), text);
    else createFileSync(path, text);
  } catch (error) {
    throw systemErrorCode(error) === 'EEXIST'
      ? taken(path)
      : writeFailure(path, error, 'name another file with -o');
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

/** What is at `path`, or where a link there leads; undefined where that is nothing, or out of sight. */
function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Where a link leads; the path itself where there is no link, or one that leads nowhere. */
export function placeOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    // One of them is not there, or out of sight: reading or writing it says so.
    return false;
  }
}

function notAFile(path: string, isDirectory: boolean): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a ${isDirectory ? 'directory' : 'device or a pipe'}, expected a file to write`,
    'name a file with -o',
  );
}

function taken(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a file that is there already, expected a new one`,
    'name another with -o, or overwrite it with --force',
  );
}
