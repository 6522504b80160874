/**
 * Opens files for reading that should be plain files. They may come from a stranger: a pipe, a
 * socket or a device in place of one would make us wait, or would never end.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { ExitCode, MlpError, readError, systemErrorCode } from '../errors.js';
import { printable } from '../text.js';
import { requireAnswer } from './mounts.js';

export interface PlainFile {
  /** As messages name it. */
  readonly name: string;
  /** Closed by the caller. */
  readonly fd: number;
  /** In bytes, when it was opened. */
  readonly size: number;
}

/** A call that blocks would wait until somebody writes to a named pipe. Windows has neither. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * @throws MlpError ExitCode.noInput if it is missing or no plain file; noPermission or io if it can't
 *   be opened
 */
export function openPlainFile(path: string): PlainFile {
  const name = printable(path);
  const fd = openForReading(path);
  const stats = fstatSync(fd);
  if (stats.isFile()) return { name, fd, size: stats.size };
  closeSync(fd);
  throw noPlainFile(name, stats);
}

/**
 * The bytes of a plain file.
 * @param most more bytes are refused before they are read
 * @param what what the file should be, for the message
 * @throws MlpError as `openPlainFile`; ExitCode.data if it is longer than `most`
 */
export function readPlainFile(path: string, most: number, what: string): Buffer {
  const { name, fd, size } = openPlainFile(path);
  try {
    if (size <= most) {
      const bytes = readUpTo(fd, most);
      if (bytes !== undefined) return bytes;
    }
  } catch (error) {
    throw readError(name, error);
  } finally {
    closeSync(fd);
  }
  throw new MlpError(
    ExitCode.data,
    `${name}: found more than ${most >= 2 ** 20 ? `${most / 2 ** 20} MiB` : `${most} bytes`}, expected ${what}`,
  );
}

/** Reads to the end, whatever size the system states; undefined if there is more than `most`. */
export function readUpTo(fd: number, most: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let total = 0; ; ) {
    const chunk = Buffer.allocUnsafe(2 ** 16);
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks);
    total += length;
    if (total > most) return undefined;
    chunks.push(chunk.subarray(0, length));
  }
}

/** Opens whatever is there, without waiting; a socket or a mount that does not answer is an error. */
export function openForReading(path: string): number {
  requireAnswer(path);
  try {
    return openSync(path, READ);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENXIO') throw readError(printable(path), error);
    const message = `${printable(path)}: found a socket or a device that is not there, expected a file`;
    throw new MlpError(ExitCode.noInput, message, undefined, { cause: error });
  }
}

/** The error for anything that is no plain file. */
export function noPlainFile(name: string, stats: Stats): MlpError {
  const found = stats.isDirectory()
    ? 'a directory'
    : stats.isFIFO()
      ? 'a pipe'
      : stats.isSocket()
        ? 'a socket'
        : 'a device';
  return new MlpError(ExitCode.noInput, `${name}: found ${found}, expected a file`);
}
