/**
 * The first line of a checkpoint, `mlp checkpoint 1 <SHA-256 of all that follows, in hexadecimal>`: whatever becomes of the file, it
 * is noticed before anything in it is believed.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { ExitCode, MlpError, readError } from '../../errors.js';
import { printable } from '../../text.js';

/** Raised when a reader of the old one would be misled. */
const VERSION = 1;
const HASH = 'sha256';
const HEX_DIGITS = 64;
const BEGINNING = `mlp checkpoint ${VERSION} `;
/** Length of the line, its end included. */
export const SEAL_BYTES = BEGINNING.length + HEX_DIGITS + 1;

const LINE = new RegExp(`^${BEGINNING}([0-9a-f]{${HEX_DIGITS}})\n$`);
const PIECE_BYTES = 2 ** 18;
/** As many digits of a hash as messages show. */
const SHOWN_DIGITS = 12;

/** The parts of a file with their seal before them. */
export function sealed(parts: readonly Uint8Array[]): Uint8Array[] {
  const hash = createHash(HASH);
  for (const part of parts) hash.update(part);
  return [Buffer.from(`${BEGINNING}${hash.digest('hex')}\n`), ...parts];
}

/**
 * Reads a file from its start to its end, a piece at a time, and compares it with its seal.
 *
 * @throws MlpError 65 where it is damaged, 66 where it is missing, 77 where it is not permitted, 74 where it can't be read
 */
export async function verifySeal(path: string): Promise<void> {
  const name = printable(path);
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(SEAL_BYTES), 0, SEAL_BYTES, 0);
      const expected = LINE.exec(buffer.toString('latin1', 0, bytesRead))?.[1];
      if (expected === undefined) throw damaged(`${name}: found no seal, expected it as the first line`);
      const hash = createHash(HASH);
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      for (let position = SEAL_BYTES, count = -1; count !== 0; position += count) {
        count = (await file.read(piece, 0, PIECE_BYTES, position)).bytesRead;
        hash.update(piece.subarray(0, count));
      }
      const found = hash.digest('hex');
      if (found !== expected) {
        throw damaged(`${name}: found content of SHA-256 ${shown(found)}, expected ${shown(expected)}`);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof MlpError ? error : readError(name, error);
  }
}

function shown(hash: string): string {
  return `${hash.slice(0, SHOWN_DIGITS)}…`;
}

function damaged(message: string): MlpError {
  return new MlpError(ExitCode.data, message);
}
