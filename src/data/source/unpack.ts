/** Bytes that can't be read by position where they lie, brought into a temporary file. */

import { randomUUID } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isatty, ReadStream } from 'node:tty';
import { createGunzip } from 'node:zlib';
import { ExitCode, MlpError, systemErrorCode } from '../../errors.js';
import { printable } from '../../text.js';
import { type FileBytes, readChunks } from './fileBytes.js';

/** Hears how many bytes of how many there are; the total of a pipe is not known. */
export type UnpackProgress = (doneBytes: number, totalBytes: number | undefined) => void;

const CHUNK = 2 ** 18;

/**
 * Copies all that comes out of `fd` from where it stands, and closes it.
 * System errors come as they are: EISDIR where it is a directory.
 */
export async function copyStream(
  fd: number,
  name: string,
  progress?: UnpackProgress,
): Promise<TemporaryFile> {
  const stream = streamOf(fd);
  const copy = TemporaryFile.create(name);
  try {
    for await (const chunk of stream) {
      copy.write(chunk);
      progress?.(copy.size, undefined);
    }
    return copy;
  } catch (error) {
    copy.close();
    throw error;
  }
}

/** Unpacks a gzip of any number of members. An MlpError (65) where it is cut short, damaged, or followed by something else. */
export async function unpackGzip(packed: FileBytes, progress?: UnpackProgress): Promise<TemporaryFile> {
  const unpacked = TemporaryFile.create(packed.name);
  const gunzip = createGunzip({ chunkSize: CHUNK });
  try {
    await pipeline(readChunks(packed, progress), gunzip, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) unpacked.write(chunk);
    });
  } catch (error) {
    unpacked.close();
    // Once zlib is done, the pipeline fails in one way or another on what it does not take.
    if (error instanceof MlpError || !gunzip.readableEnded) throw gzipError(packed, unpacked.size, error);
    throw remainder(packed);
  }
  // zlib takes a zero byte for padding, and does not look at what comes after it.
  if (gunzip.bytesWritten === packed.size) return unpacked;
  unpacked.close();
  throw remainder(packed);
}

/** A pipe must not be read like a file: where nothing comes for now, that is EAGAIN, or a thread that no exit can end. */
function streamOf(fd: number): Readable {
  if (isatty(fd)) return new ReadStream(fd);
  const stats = fstatSync(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: true, writable: false });
  return createReadStream('', { fd });
}

/** zlib's complaint in the words of all other messages; other errors as they are. */
function gzipError({ name, size }: FileBytes, unpackedBytes: number, error: unknown): unknown {
  const options = { cause: error };
  switch (systemErrorCode(error)) {
    case 'Z_BUF_ERROR':
      return new MlpError(
        ExitCode.data,
        `${name}: found a gzip file that is cut short: it ends after ${size} bytes, ` +
          `out of which came ${unpackedBytes}`,
        'copy or download it again',
        options,
      );
    case 'Z_DATA_ERROR':
      return new MlpError(
        ExitCode.data,
        `${name}: found a damaged gzip file: ${(error as Error).message}`,
        'copy or download it again; gzip -t tells whether it is whole',
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
    'unpack it by other means, and check what comes out',
  );
}

const HINT = 'the environment variable TMPDIR (TEMP on Windows) can name a folder with room for it';
/** A full disk, a quota that is used up, a file longer than the file system or the user may have. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Written from start to end, then read by position. Nobody else can open it, and it goes with the process where the system allows. */
export class TemporaryFile {
  #path: string | undefined;
  size = 0;
  #open = true;

  private constructor(
    /** Of whose bytes this is a copy. */
    readonly name: string,
    readonly fd: number,
    path: string | undefined,
  ) {
    this.#path = path;
    // Windows may refuse as long as the file is open.
    this.#unlink();
  }

  /** An empty one for the bytes of `name`; an MlpError (73) where there can be none. */
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

  /** Adds bytes at the end; an MlpError (74) where there is no room for them. */
  write(bytes: Uint8Array): void {
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

  /** As a file that others could write to has it; they can't write to this one. */
  requireUnchanged(): void {}

  /** Takes the file away; may be called twice. */
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
      // Left to `close`, and after that to whoever tidies the folder of temporary files.
    }
  }
}

function reason(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
