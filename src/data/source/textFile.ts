/**
 * Reads a text file in chunks. Bytes that are no UTF-8 after nothing but ASCII are another
 * encoding; anything else that is no text is refused: a CSV parser would read it as garbage.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { ExitCode, MlpError } from '../../errors.js';
import { ENCODING_HINT } from './encoding.js';
import { readAt } from './fileBytes.js';
import type { Source } from './source.js';

const LINE_FEED = 0x0a;
const CHUNK = 2 ** 18;

/**
 * The whole source in order. No chunk ends within a character; a byte order mark is kept.
 * @throws MlpError ExitCode.io if it can't be read or has become shorter, data if it is no text
 */
export async function* readText(
  source: Source,
  progress?: (doneBytes: number, totalBytes: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let place: Place = { line: 1, column: 1 };
  /** Whether all bytes so far mean the same in all encodings. */
  let onlyAscii = true;
  for (let position = 0; position < source.size; ) {
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK, source.size - position));
    readAt(source, bytes, 0, bytes.length, position);
    const isLast = position + bytes.length === source.size;
    const whole = isLast ? bytes : bytes.subarray(0, bytes.length - unfinishedBytes(bytes));
    requireNoNul(source.name, whole, position, place);
    const isPlain = isAscii(whole);
    if (!isPlain && !isUtf8(whole)) {
      const valid = validBytes(whole);
      const isCut = isLast && unfinishedBytes(bytes) > 1;
      if (isCut || !(source.mayDecode && onlyAscii && isAscii(whole.subarray(0, valid)))) {
        const at = after(place, whole.subarray(0, valid));
        throw notUtf8(source.name, at, position + valid, whole[valid]);
      }
      await source.decodeFallback();
      continue;
    }
    onlyAscii &&= isPlain;
    yield whole;
    position += whole.length;
    place = after(place, whole);
    progress?.(position, source.size);
    await setImmediate();
  }
}

/** Throws at the first NUL of `bytes`, which start at `offset` of the file, at `start`. */
function requireNoNul(path: string, bytes: Buffer, offset: number, start: Place): void {
  const nul = bytes.indexOf(0);
  if (nul < 0) return;
  const { line, column } = after(start, bytes.subarray(0, nul));
  throw new MlpError(
    ExitCode.data,
    `${path}:${line}:${column}: found a NUL byte at offset ${offset + nul}, expected text`,
    'the file is damaged or not a CSV',
  );
}

function notUtf8(path: string, { line, column }: Place, offset: number, byte: number): MlpError {
  const shown = `0x${byte.toString(16).padStart(2, '0')}`;
  return new MlpError(
    ExitCode.data,
    `${path}:${line}:${column}: found the byte ${shown} at offset ${offset}, which is not valid UTF-8`,
    ENCODING_HINT,
  );
}

/** How many bytes at the end (0 to 3) start a UTF-8 character that is incomplete. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

/** The length of the longest valid prefix of invalid bytes, by bisection. */
function validBytes(bytes: Buffer): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    const prefix = bytes.subarray(0, middle);
    if (isUtf8(prefix.subarray(0, middle - unfinishedBytes(prefix)))) valid = middle;
    else invalid = middle;
  }
  return valid - unfinishedBytes(bytes.subarray(0, valid));
}

/** Both from 1; columns count UTF-16 units, as editors do. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place behind `bytes`, valid text that starts at `place`. */
function after({ line, column }: Place, bytes: Buffer): Place {
  const lastLine = bytes.subarray(bytes.lastIndexOf(LINE_FEED) + 1);
  const length = lastLine.toString('utf8').replace(/^\ufeff/, '').length;
  if (lastLine.length === bytes.length) return { line, column: column + length };
  return { line: line + lineFeeds(bytes), column: length + 1 };
}

function lineFeeds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
