/** An open file as bytes, read by position. A read is never silently short. */
import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ExitCode, MlpError, readError } from '../../errors.js';

/** Plain data, which can be posted to another thread. */
export interface FileBytes {
  /** The file as messages name it, printable. */
  readonly name: string;
  /** Read by position only. */
  readonly fd: number;
  /** In bytes, when the file was opened. */
  readonly size: number;
}

/** The length of one system call is an int32. */
const LONGEST_READ = 2 ** 30;
const CHUNK = 2 ** 18;

/**
 * Reads `length` bytes from `position` of the file into `buffer` at `offset`.
 * @throws MlpError ExitCode.io if reading fails or the file has become shorter
 */
export function readAt(
  file: FileBytes,
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): void {
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, LONGEST_READ);
    const count = readSome(file, buffer, offset + done, wanted, position + done);
    if (count === 0) throw changed(file, position + done);
    done += count;
  }
}

/**
 * Reads the whole file in order. Between chunks the event loop runs. With `reuse`, each chunk is
 * overwritten by the next one.
 * @throws MlpError as `readAt`
 */
export async function* readChunks(
  file: FileBytes,
  progress?: (doneBytes: number, totalBytes: number) => void,
  reuse = false,
): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafe(reuse ? Math.min(CHUNK, file.size) : 0);
  for (let position = 0; position < file.size; ) {
    const length = Math.min(CHUNK, file.size - position);
    const chunk = reuse ? buffer.subarray(0, length) : Buffer.allocUnsafe(length);
    readAt(file, chunk, 0, chunk.length, position);
    yield chunk;
    position += chunk.length;
    progress?.(position, file.size);
    await setImmediate();
  }
}

/** The error for a file that changed after it was opened; `found` is its size now. */
export function changed({ name, size }: FileBytes, found: number): MlpError {
  return new MlpError(
    ExitCode.io,
    `${name}: changed while it was read${found === size ? '' : `: found ${found} bytes, expected ${size}`}`,
    'run again when nothing writes to the file',
  );
}

function readSome(file: FileBytes, buffer: Uint8Array, offset: number, length: number, position: number) {
  try {
    return readSync(file.fd, buffer, offset, length, position);
  } catch (error) {
    throw readError(file.name, error);
  }
}
