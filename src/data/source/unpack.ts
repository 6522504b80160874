/** Copies and unpacks what can't be read by position into a temporary file. */

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isatty, ReadStream } from 'node:tty';
import { createGunzip } from 'node:zlib';
import { ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { formatBytes, printable } from '../../text.js';
import { type FileBytes, readChunks } from './fileBytes.js';

/** Called with the bytes done and the total; the total of a pipe is unknown. */
export type UnpackProgress = (doneBytes: number, totalBytes: number | undefined) => void;

const CHUNK = 2 ** 18;

/** A gzip may unpack to this many times its size, or to `LEAST_LIMIT`. Tables rarely reach 50. */
const MOST_RATIO = 100;
const LEAST_LIMIT = 256e6;
/** What is read from a pipe, which may never end. */
const PIPE_LIMIT = 4e9;
const RAISE = '--max-unpacked, or setMaxUnpacked of the library, sets another limit';

let asked: number | undefined;

/** The most bytes that a packed file of `size` bytes may have. */
function unpackedLimit(size: number): number {
  return asked ?? Math.max(LEAST_LIMIT, MOST_RATIO * size);
}

/**
 * For a file that is packed in its own way.
 * @param bytes of its content in memory
 * @throws MlpError ExitCode.data if they are above the limit
 */
export function requireUnpackable({ name, size }: FileBytes, bytes: number): void {
  const limit = unpackedLimit(size);
  if (bytes <= limit) return;
  const found = `found ${formatBytes(size)} that unpack to ${formatBytes(bytes)}`;
  throw tooMuch(name, `${found}, expected at most ${formatBytes(limit)}`);
}

/**
 * Sets how many bytes a gzip or a Parquet file may unpack to and a pipe may give, for all that this process reads from
 * now on, as `--max-unpacked`. Infinity is no limit.
 * @throws MlpError ExitCode.usage unless `bytes` is above 0
 */
export function setMaxUnpacked(bytes: number): void {
  if (!(bytes > 0)) {
    throw new MlpError(ExitCode.usage, `setMaxUnpacked: found ${bytes}, expected a number of bytes above 0`);
  }
  asked = bytes;
}

/** How long a named pipe is given until a process writes to it. */
const PATIENCE_MS = 3000;

/**
 * Copies everything from `fd`, from its current position, and closes it. System errors are passed
 * on: EISDIR for a directory.
 * @throws MlpError ExitCode.noInput for a named pipe that nobody writes to; data above the limit
 */
export async function copyStream(
  fd: number,
  name: string,
  progress?: UnpackProgress,
): Promise<TemporaryFile> {
  const stream = streamOf(fd);
  const copy = TemporaryFile.create(name);
  const limit = asked ?? PIPE_LIMIT;
  const patience = setTimeout(() => requireWriter(fd, stream, name), PATIENCE_MS);
  try {
    for await (const chunk of stream) {
      clearTimeout(patience);
      if (copy.size + chunk.length > limit) {
        throw tooMuch(name, `found more than ${formatBytes(limit)}, expected no more`);
      }
      copy.write(chunk);
      progress?.(copy.size, undefined);
    }
    return copy;
  } catch (error) {
    copy.close();
    throw error;
  } finally {
    clearTimeout(patience);
  }
}

/** Ends a pipe without a writer with an error; a writer may take its time for the first byte. */
function requireWriter(fd: number, stream: Readable, name: string): void {
  if (!(stream instanceof Socket) || stream.destroyed || isatty(fd)) return;
  const bytes = Buffer.alloc(1);
  try {
    if (readSync(fd, bytes) > 0) stream.unshift(bytes);
    else stream.destroy(nobodyWrites(name));
  } catch {
    // EAGAIN: there is a writer. Any other error, the stream meets as well.
  }
}

function nobodyWrites(name: string): MlpError {
  return new MlpError(
    ExitCode.noInput,
    `${name}: found a pipe that no process writes to, expected a file`,
    'start the process that writes to it first',
  );
}

function tooMuch(name: string, message: string): MlpError {
  return new MlpError(ExitCode.data, `${name}: ${message}`, RAISE);
}

/**
 * Unpacks a gzip of any number of members.
 * @throws MlpError ExitCode.data if it is cut short, damaged, followed by something else, or above the
 *   limit
 */
export async function unpackGzip(packed: FileBytes, progress?: UnpackProgress): Promise<TemporaryFile> {
  const unpacked = TemporaryFile.create(packed.name);
  const limit = unpackedLimit(packed.size);
  const gunzip = createGunzip({ chunkSize: CHUNK });
  try {
    await pipeline(readChunks(packed, progress), gunzip, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (unpacked.size + chunk.length > limit) {
          const found = `found a gzip of ${formatBytes(packed.size)} that unpacks to more than ${formatBytes(limit)}`;
          throw tooMuch(packed.name, `${found}, expected no more`);
        }
        unpacked.write(chunk);
      }
    });
  } catch (error) {
    unpacked.close();
    // After the end of the gzip data, the pipeline may fail in several ways on what follows.
    if (error instanceof MlpError || !gunzip.readableEnded) throw gzipError(packed, unpacked.size, error);
    throw remainder(packed);
  }
  // zlib takes a zero byte for padding and ignores what follows it.
  if (gunzip.bytesWritten === packed.size) return unpacked;
  unpacked.close();
  throw remainder(packed);
}

/**
 * Reading a pipe like a file gives EAGAIN while nothing arrives, or blocks a thread that no exit
 * can end.
 */
function streamOf(fd: number): Readable {
  if (isatty(fd)) return new ReadStream(fd);
  const stats = fstatSync(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: false });
  return createReadStream('', { fd });
}

/** Our error for zlib's; other errors are returned unchanged. */
function gzipError({ name, size }: FileBytes, unpackedBytes: number, error: unknown): unknown {
  const options = { cause: error };
  switch (systemErrorCode(error)) {
    case 'Z_BUF_ERROR':
      return new MlpError(
        ExitCode.data,
        `${name}: found a gzip file that is cut short: its ${size} bytes unpack to ${unpackedBytes}`,
        'copy or download it again',
        options,
      );
    case 'Z_DATA_ERROR':
      return new MlpError(
        ExitCode.data,
        `${name}: found a damaged gzip file: ${(error as Error).message}`,
        'copy or download it again; gzip -t checks it',
        options,
      );
    default:
      return error;
  }
}

function remainder({ name }: FileBytes): MlpError {
  return new MlpError(
    ExitCode.data,
    `${name}: found something after the end of the gzip data, expected the end of the file`,
    'unpack it with another tool, and check the result',
  );
}

const HINT = 'the environment variable TMPDIR (TEMP on Windows) can name a folder with more room';
/** Of the free room of the disk: the rest is left to others. */
const MOST_OF_ROOM = 0.9;
/** A full disk, an exhausted quota, or a file longer than the system allows. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Written from start to end, then read by position. No other process can open it, and it disappears
 * with this one if the system allows.
 */
export class TemporaryFile {
  #path: string | undefined;
  readonly #room: number;
  size = 0;
  #open = true;

  private constructor(
    /** The source of the bytes, for messages. */
    readonly name: string,
    readonly fd: number,
    path: string | undefined,
  ) {
    this.#path = path;
    this.#room = MOST_OF_ROOM * freeRoom();
    // Windows may refuse while the file is open.
    this.#unlink();
  }

  /**
   * Creates an empty file for the bytes of `name`.
   * @throws MlpError ExitCode.cantCreate
   */
  static create(name: string): TemporaryFile {
    const path = join(tmpdir(), `mlp-${randomUUID()}`);
    try {
      return new TemporaryFile(name, openSync(path, 'wx+', 0o600), path);
    } catch (error) {
      throw new MlpError(
        ExitCode.cantCreate,
        `${printable(tmpdir())}: can't create a temporary file for the bytes of ${name}: ${reason(error)}`,
        HINT,
        { cause: error },
      );
    }
  }

  /**
   * Appends bytes.
   * @throws MlpError ExitCode.io if there is no room
   */
  write(bytes: Uint8Array): void {
    if (this.size + bytes.length > this.#room) {
      throw new MlpError(
        ExitCode.io,
        `${printable(tmpdir())}: found no more room after ${this.size} bytes of ${this.name}`,
        HINT,
      );
    }
    try {
      for (let done = 0; done < bytes.length; ) {
        const count = writeSync(this.fd, bytes, done, bytes.length - done, this.size);
        done += count;
        this.size += count;
      }
    } catch (error) {
      const full = NO_ROOM.has(systemErrorCode(error) ?? '');
      throw new MlpError(
        ExitCode.io,
        `${printable(tmpdir())}: ${full ? 'found no more room' : 'writing failed'} ` +
          `after ${this.size} bytes of ${this.name}: ${reason(error)}`,
        full ? HINT : undefined,
        { cause: error },
      );
    }
  }

  /** Nobody else can write to this file. */
  requireUnchanged(): void {}

  /** Deletes the file. May be called twice. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
    this.#unlink();
  }

  #unlink(): void {
    if (this.#path === undefined) return;
    try {
      unlinkSync(this.#path);
      this.#path = undefined;
    } catch {
      // `close` tries again; after that it is left to the system.
    }
  }
}

/** Of the disk of temporary files, in bytes; infinite where the system does not tell. */
function freeRoom(): number {
  try {
    const { bavail, blocks, bsize } = statfsSync(tmpdir());
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function reason(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
