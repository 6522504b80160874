/** Files that the user names with -o: only --force overwrites, and none is left half-written. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ExitCode, MlpError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';
import { createFileSync, partialPath, replaceFileSync, syncFolder, writeFailure } from './atomic.js';
import { requireAnswer } from './mounts.js';

const OTHER_FILE = 'name another file with -o';

/** @throws MlpError ExitCode.cantCreate if `path` exists; `force` allows only regular files */
export function requireFree(path: string, force: boolean): void {
  requireAnswer(path);
  if (!exists(path)) return;
  const target = targetOf(path);
  if (target && !target.isFile()) throw notAFile(path, target.isDirectory());
  if (!force) throw taken(path);
}

/** @throws MlpError ExitCode.usage if both are the same file, even with --force */
export function requireOther(input: string, output: string): void {
  if (!isSameFile(input, output)) return;
  throw new MlpError(
    ExitCode.usage,
    `--output: found ${printable(output)}, which is the data itself, expected another file`,
    OTHER_FILE,
  );
}

/**
 * Writes a short text atomically. `force` replaces an existing file, or the target of a link.
 * @throws MlpError ExitCode.cantCreate if the file exists or its folder does not; noPermission; io
 */
export function writeNewFile(path: string, text: string, force: boolean): void {
  try {
    if (force) replaceFileSync(resolveLink(path), text);
    else createFileSync(path, text);
  } catch (error) {
    throw systemErrorCode(error) === 'EEXIST' ? taken(path) : writeFailure(path, error, OTHER_FILE);
  }
}

/** A long text, or bytes, in chunks. It gets its name when complete; until then an exit removes it. */
export class OutputFile {
  readonly #path: string;
  readonly #force: boolean;
  readonly #target: string;
  readonly #partial: string;
  #fd: number | undefined;

  /**
   * @param force whether to replace an existing file, or the target of a link
   * @throws MlpError ExitCode.cantCreate for an existing file or a missing folder; noPermission; io
   */
  constructor(path: string, force: boolean) {
    this.#path = path;
    this.#force = force;
    requireFree(path, force);
    this.#target = force ? resolveLink(path) : path;
    this.#partial = partialPath(this.#target);
    this.#fd = this.#attempt(() => openSync(this.#partial, 'wx'));
    process.once('exit', this.discard);
  }

  async write(part: string | Uint8Array): Promise<boolean> {
    this.#attempt(() => writeFileSync(this.#descriptor, part));
    return true;
  }

  /** @throws MlpError ExitCode.io; cantCreate if the name has been taken meanwhile */
  async finish(): Promise<void> {
    this.#attempt(() => {
      fsyncSync(this.#descriptor);
      this.#close();
      if (this.#force) renameSync(this.#partial, this.#target);
      else this.#publish();
    });
    this.discard();
    await syncFolder(dirname(this.#target)).catch((error: unknown) => {
      throw this.#failure(error);
    });
  }

  /** Deletes an unfinished file. May be called at any time. */
  readonly discard = (): void => {
    process.off('exit', this.discard);
    this.#close();
    rmSync(this.#partial, { force: true });
  };

  /** A link fails where a rename would overwrite, but not every file system has links. */
  #publish(): void {
    try {
      linkSync(this.#partial, this.#target);
    } catch (error) {
      requireFree(this.#path, false);
      if (systemErrorCode(error) === 'EEXIST') throw error;
      renameSync(this.#partial, this.#target);
    }
  }

  get #descriptor(): number {
    if (this.#fd === undefined) throw new TypeError(`${this.#path} is closed`);
    return this.#fd;
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): MlpError {
    return writeFailure(this.#path, error, OTHER_FILE);
  }
}

/** False for a folder that can't be read as well: writing reports that. */
function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What is at `path`, or where a link there leads; undefined if that can't be read. */
function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** The target of a link; `path` itself if it is no link, or a dangling one. */
function resolveLink(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isSameFile(a: string, b: string): boolean {
  for (const path of [a, b]) requireAnswer(path);
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    // One of them does not exist or can't be read: reading or writing reports that.
    return false;
  }
}

function notAFile(path: string, isDirectory: boolean): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found a ${isDirectory ? 'directory' : 'device or a pipe'}, expected a file to write`,
    OTHER_FILE,
  );
}

function taken(path: string): MlpError {
  return new MlpError(
    ExitCode.cantCreate,
    `${printable(path)}: found an existing file, expected a new one`,
    'name another file with -o, or overwrite it with --force',
  );
}
