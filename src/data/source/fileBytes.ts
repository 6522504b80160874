/** An open file as a row of bytes: read by position, and never silently short. */
import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { ExitCode, MlpError, readError } from '../../errors.js';

/** Plain data, which can be posted to another thread. */
export interface FileBytes {
  /** As messages call the file, printable. */
  readonly name: string;
  /** Read by position only. */
  readonly fd: number;
  /** Bytes, when it was opened. */
  readonly size: number;
}

/** Of one call of the system: its length is an int32. */
const LONGEST_READ = 2 ** 30;
const CHUNK = 2 ** 18;

/**
 * Reads `length` bytes from `position` of the file into `buffer`, from `offset` on.
 * An MlpError (74) where the file ends before, for it was longer when it was opened, or where reading fails.
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

/** The whole file in order; between the pieces the event loop has its turn. An MlpError (74) as by `readAt`. */
export async function* readChunks(
  file: FileBytes,
  progress?: (doneBytes: number, totalBytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  for (let position = 0; position < file.size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, file.size - position));
    readAt(file, chunk, 0, chunk.length, position);
    yield chunk;
    position += chunk.length;
    progress?.(position, file.size);
    await setImmediate();
  }
}

/** The error of a file that is no longer what was opened; `found` is its size now. */
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
