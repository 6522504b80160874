/**
 * A run directory may come from somebody else. A link in it could lead a write anywhere, so what is
 * written, cut off or deleted must be a file or a folder of the directory itself.
 */
import { lstatSync, type Stats } from 'node:fs';
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';
import { requireAnswer } from './mounts.js';

/** @throws MlpError ExitCode.cantCreate if there is a symbolic link at `path` */
export function requireNoLink(path: string): void {
  if (isLink(path)) throw notOwn(path, 'a symbolic link, expected none');
}

/**
 * For a file that is replaced by a new one: whatever else lies there, a folder can't be.
 * @throws MlpError ExitCode.cantCreate if there is a directory at `path`
 */
export function requireNoDirectory(path: string): void {
  if (entryAt(path)?.isDirectory()) throw notOwn(path, 'a directory, expected a file');
}

export function isLink(path: string): boolean {
  return entryAt(path)?.isSymbolicLink() === true;
}

/**
 * For a file that is written in place: a hard link would change another file, too.
 * @throws MlpError ExitCode.cantCreate unless there is a plain file of one name at `path`, or nothing
 */
export function requireOwnFile(path: string): void {
  requireNoLink(path);
  const stats = entryAt(path);
  if (stats === undefined) return;
  if (!stats.isFile()) {
    throw notOwn(path, `${stats.isDirectory() ? 'a directory' : 'a pipe or a device'}, expected a file`);
  }
  if (stats.nlink > 1) throw notOwn(path, `a file with ${stats.nlink} names, expected one name`);
}

/** What lies at a path, links not followed. */
function entryAt(path: string): Stats | undefined {
  requireAnswer(path, false);
  try {
    return lstatSync(path);
  } catch {
    // Whoever opens it reports why it can't be.
    return undefined;
  }
}

function notOwn(path: string, problem: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found ${problem}`,
    problem.startsWith('a directory')
      ? 'move it to another place'
      : 'mlp writes only within the run directory; if you trust where the link leads, copy the directory with cp -rL',
  );
}
