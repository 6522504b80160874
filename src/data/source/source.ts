/**
 * Where the bytes of a CSV come from: a file, a gzip, a pipe or standard input. All are read by position, as often as one likes and
 * from any thread: a plain file in place, everything else out of a temporary file that it is first copied or unpacked into.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, open, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { ExitCode, MlpError, readError } from '../../errors.js';
import type { DataConfig } from '../../spec/dataConfig.js';
import { printable } from '../../text.js';
import { changed, type FileBytes } from './fileBytes.js';
import { copyStream, type UnpackProgress, unpackGzip } from './unpack.js';

export { type FileBytes, readAt } from './fileBytes.js';
export type { UnpackProgress } from './unpack.js';

/** `name`, `fd` and `size` are of the bytes themselves, unpacked. */
export interface Source extends FileBytes {
  /** An MlpError (74) if the file's size or its time of change are no longer what they were when it was opened. */
  requireUnchanged(): void;
  /** Closes the file, and takes a temporary one away. May be called twice. */
  close(): void;
}

const STANDARD_INPUT = 0;
const GZIP = [0x1f, 0x8b];

/** Once read, standard input is gone, and its number may be another file's. */
let standardInputTaken = false;

/** The path that a config in `directory` means by `path`; `-` stays standard input. */
export function sourcePath(path: string, directory: string): string {
  return path === '-' || isAbsolute(path) ? path : join(directory, path);
}

/**
 * Opens the file at `path`, or standard input for `-`; gzip is told by its content. `progress` hears of copying and unpacking.
 * An MlpError where the file is missing or a directory (66), may not or can't be read (77, 74), is no whole gzip (65), or where a
 * temporary file can't be made (73) or filled (74).
 */
export async function openSource(path: string, progress?: UnpackProgress): Promise<Source> {
  const name = path === '-' ? 'standard input' : printable(path);
  try {
    const file = await openFile(path, name, progress);
    return isGzip(file) ? await unpack(file, progress) : file;
  } catch (error) {
    throw error instanceof MlpError ? error : readError(name, error);
  }
}

/** What `path` holds, as it is. */
async function openFile(path: string, name: string, progress?: UnpackProgress): Promise<Source> {
  // Standard input may be a plain file, but one of which somebody has read the beginning: only a stream goes on from there.
  if (path === '-') return copyStream(takeStandardInput(), name, progress);
  // Not openSync: a named pipe opens when somebody writes to it.
  const fd = await promisify(open)(path, 'r');
  return fstatSync(fd).isFile() ? inPlace(name, fd) : copyStream(fd, name, progress);
}

async function unpack(packed: Source, progress?: UnpackProgress): Promise<Source> {
  try {
    return await unpackGzip(packed, progress);
  } finally {
    packed.close();
  }
}

function takeStandardInput(): number {
  if (standardInputTaken) {
    throw new MlpError(
      ExitCode.config,
      'standard input: found "-" for two files, expected it for one',
      'give the other one by its path',
    );
  }
  standardInputTaken = true;
  return STANDARD_INPUT;
}

function inPlace(name: string, fd: number): Source {
  const { size, mtimeMs } = fstatSync(fd);
  let isOpen = true;
  const source: Source = {
    name,
    fd,
    size,
    requireUnchanged() {
      const now = fstatSync(fd);
      if (now.size !== size || now.mtimeMs !== mtimeMs) throw changed(source, now.size);
    },
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
  return source;
}

function isGzip({ fd }: FileBytes): boolean {
  const start = new Uint8Array(GZIP.length);
  return readSync(fd, start, 0, GZIP.length, 0) === GZIP.length && GZIP.every((byte, i) => start[i] === byte);
}

/** Plain data, which survives JSON. */
export interface DataFile {
  /** Where the config names it. */
  readonly key: 'data.train' | 'data.validation' | 'data.test';
  /** As the config names it; "-" is stdin. */
  readonly path: string;
  /** Of the file as it lies there, packed or not. Not there for stdin or a pipe, which can be read only once. */
  readonly sha256?: string;
}

/**
 * The files of a config, whose folder is `directory`, with their hashes.
 * @throws MlpError 66, 74 or 77 where one can't be read
 */
export async function fingerprintData(config: DataConfig, directory: string): Promise<DataFile[]> {
  const files: DataFile[] = [];
  for (const split of ['train', 'validation', 'test'] as const) {
    const path = config[split];
    if (typeof path !== 'string') continue;
    const sha256 = path === '-' ? undefined : await hashOf(sourcePath(path, directory));
    files.push({ key: `data.${split}`, path, ...(sha256 !== undefined && { sha256 }) });
  }
  return files;
}

/** SHA-256 in hexadecimal; undefined for what is no plain file. */
async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    if (!(await stat(path)).isFile()) return undefined;
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk);
    });
  } catch (error) {
    throw readError(printable(path), error);
  }
  return hash.digest('hex');
}
